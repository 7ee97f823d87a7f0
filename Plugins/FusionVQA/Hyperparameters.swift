public import NeuralNetworks

extension FusionVQA {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        /// How picture and question become one vector.
        public enum Fusion: String, Decodable, Sendable, CaseIterable {
            /// Element by element (deeper LSTM Q + norm I).
            case product
            /// Question first (iBOWIMG).
            case concatenation
            /// The question alone: what can be guessed without looking.
            case question
        }

        public var fusion: Fusion
        var encoder: QuestionCode.Spec
        /// Whether the picture's features are divided by their length.
        public var normalizesImage: Bool
        /// What the features, the question's code and the fused vector pass through, as in a card's `backbone`.
        public var imageLayers: [NamedLayer]
        public var questionLayers: [NamedLayer]
        public var answerLayers: [NamedLayer]
        /// iBOWIMG's classifier has no bias.
        public var answerBias: Bool

        private enum CodingKeys: String, CodingKey {
            case fusion
            case encoder = "question"
            case normalizesImage = "image_normalization"
            case imageLayers = "image_layers"
            case questionLayers = "question_layers"
            case answerLayers = "answer_layers"
            case answerBias = "answer_bias"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            fusion = try json.decode(Fusion.self, forKey: .fusion)
            encoder = try json.decode(QuestionCode.Spec.self, forKey: .encoder)
            normalizesImage = try json.decodeIfPresent(Bool.self, forKey: .normalizesImage) ?? false
            imageLayers = try json.decodeIfPresent([NamedLayer].self, forKey: .imageLayers) ?? []
            questionLayers = try json.decodeIfPresent([NamedLayer].self, forKey: .questionLayers) ?? []
            answerLayers = try json.decodeIfPresent([NamedLayer].self, forKey: .answerLayers) ?? []
            answerBias = try json.decodeIfPresent(Bool.self, forKey: .answerBias) ?? true
        }
    }
}
