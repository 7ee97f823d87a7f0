public import NeuralNetworks

extension StackedAttentionVQA {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        var question: QuestionEncoder.Spec
        /// The width k in which regions and question are compared.
        public var attention: Int
        /// How often the question looks at the picture.
        public var hops: Int
        var equations: Attention.Equations
        /// Before the answer's layer.
        public var dropout: Float
        /// The released code's `use_final_image_feat_only`: the last look is added to the question instead of to the look before.
        public var finalImageOnly: Bool

        private enum CodingKeys: String, CodingKey {
            case question, attention, hops, equations, dropout
            case finalImageOnly = "final_image_only"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            question = try json.decode(QuestionEncoder.Spec.self, forKey: .question)
            attention = try json.decodeSizeIfPresent(.attention) ?? 512
            hops = try json.decodeSizeIfPresent(.hops, upTo: 16) ?? 2
            equations = try json.decodeIfPresent(Attention.Equations.self, forKey: .equations) ?? .paper
            dropout = try json.decodeDropoutIfPresent(.dropout) ?? 0.5
            finalImageOnly = try json.decodeIfPresent(Bool.self, forKey: .finalImageOnly) ?? false
        }
    }
}
