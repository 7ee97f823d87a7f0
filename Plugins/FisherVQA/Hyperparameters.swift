public import NeuralNetworks

extension FisherVQA {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        /// How the codes of picture and question are joined.
        public enum Fusion: String, Decodable, Sendable, CaseIterable { case product, concatenation }

        public var question: LSTMEncoder.Spec
        /// To how many principal components descriptors are reduced; nil: they stay as they are (FV-CNN).
        public var components: Int?
        /// K, the Gaussians of the mixture.
        public var gaussians: Int
        /// `convention`, `improved` and `fast`.
        let form: FisherVector.Form
        /// The sizes that a picture is looked at in, relative to what preprocessing gives; the backbone before its tap must be
        /// convolutional to take them.
        public var scales: [Float]
        /// The width of the codes that are joined.
        public var joint: Int
        public var fusion: Fusion
        /// Of the Fisher vector, of the question's code and of what they are joined to.
        public var dropout: Float

        private enum CodingKeys: String, CodingKey {
            case question, components, gaussians, convention, improved, fast, scales, joint, fusion, dropout
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            question = try json.decode(LSTMEncoder.Spec.self, forKey: .question)
            components = try json.decodeSizeIfPresent(.components, upTo: 4096)
            gaussians = try json.decodeSizeIfPresent(.gaussians, upTo: 4096) ?? 64
            form = FisherVector.Form(
                try json.decodeIfPresent(FisherVector.Convention.self, forKey: .convention) ?? .vlfeat,
                isImproved: try json.decodeIfPresent(Bool.self, forKey: .improved) ?? true,
                isFast: try json.decodeIfPresent(Bool.self, forKey: .fast) ?? false)
            scales = try json.decodeIfPresent([Float].self, forKey: .scales) ?? [1]
            guard 1...16 ~= scales.count, scales.allSatisfy({ 0.05...4 ~= $0 }) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .scales, in: json, debugDescription: "expected 1 to 16 numbers from 0.05 to 4")
            }
            joint = try json.decodeSizeIfPresent(.joint) ?? 1024
            fusion = try json.decodeIfPresent(Fusion.self, forKey: .fusion) ?? .product
            dropout = try json.decodeDropoutIfPresent(.dropout) ?? 0
        }
    }
}
