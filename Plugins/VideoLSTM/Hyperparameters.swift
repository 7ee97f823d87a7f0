public import NeuralNetworks

extension VideoLSTM {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        /// Either a pooling or LSTMs.
        enum Summary: Sendable {
            case pooling(Memory.Pooling)
            case lstm(RecurrentStack.Spec)
        }

        var summary: Summary
        /// How the steps' predictions become one. What is pooled is one prediction already.
        var fusion: StepFusion
        var sees: Sight
        /// What every frame's features pass through before the LSTM, and what its states pass through before they are
        /// classified; as in a card's `backbone`.
        public var frameLayers: [NamedLayer]
        public var classLayers: [NamedLayer]

        private enum CodingKeys: String, CodingKey {
            case pooling, recurrent, fusion, sees
            case frameLayers = "frame_layers"
            case classLayers = "class_layers"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            let pooling = try json.decodeIfPresent(Memory.Pooling.self, forKey: .pooling)
            let recurrent = try json.decodeIfPresent(RecurrentStack.Spec.self, forKey: .recurrent)
            let given = try json.decodeIfPresent(StepFusion.self, forKey: .fusion)
            fusion = given ?? .last
            switch (pooling, recurrent) {
            case (let pooling?, nil):
                summary = .pooling(pooling)
                guard fusion == .last else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .fusion, in: json, debugDescription: "pooled frames give one prediction; leave 'fusion' out")
                }
            case (nil, let spec?):
                summary = .lstm(spec)
                guard !spec.isBidirectional || given ?? .last != .last else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .fusion, in: json,
                        debugDescription:
                            "at the last step a backward LSTM has seen a single frame; say mean, max or linear")
                }
            default:
                throw DecodingError.dataCorrupted(
                    .init(codingPath: json.codingPath, debugDescription: "expected either 'pooling' or 'recurrent'"))
            }
            sees = try json.decodeIfPresent(Sight.self, forKey: .sees) ?? .features
            frameLayers = try json.decodeIfPresent([NamedLayer].self, forKey: .frameLayers) ?? []
            classLayers = try json.decodeIfPresent([NamedLayer].self, forKey: .classLayers) ?? []
        }
    }

    /// How many classes are told.
    public struct Decoding: Decodable, Sendable {
        public var nbest: Int

        private enum CodingKeys: CodingKey { case nbest }
        public init(from decoder: any Decoder) throws {
            nbest = try decoder.container(keyedBy: CodingKeys.self).decodeSizeIfPresent(.nbest, upTo: 1000) ?? 5
        }
    }
}
