public import NeuralNetworks

extension DynamicParameterVQA {
    /// What a card of this architecture can set; the defaults are the released code's.
    public struct Hyperparameters: Decodable, Sendable {
        public var question: GRUEncoder.Spec
        /// The inputs of the dynamic layer: the width of what a linear layer makes of the CNN's result.
        public var features: Int
        /// The outputs of the dynamic layer.
        public var outputs: Int
        /// K: how many numbers are predicted for the `features · outputs` weights.
        public var candidates: Int
        var hash: HashKeys
        /// Whether a bias is added to the dynamic layer's result. The released code has one, but the normalisation that follows
        /// takes it out again while training.
        public var bias: Bool
        public var imageDropout: Float, questionDropout: Float, answerDropout: Float
        /// Of the fresh weights that predict the candidates. With 0, every question begins with the same dynamic layer.
        public var predictionDeviation: Float

        private enum CodingKeys: String, CodingKey {
            case question, features, outputs, candidates, hash, bias
            case imageDropout = "image_dropout"
            case questionDropout = "question_dropout"
            case answerDropout = "answer_dropout"
            case predictionDeviation = "prediction_deviation"
        }

        /// Weights of a dynamic layer; the paper's has 4 million.
        private static let limit = 1 << 26

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            question = try json.decode(GRUEncoder.Spec.self, forKey: .question)
            features = try json.decodeSizeIfPresent(.features) ?? 2000
            outputs = try json.decodeSizeIfPresent(.outputs) ?? 2000
            guard features * outputs <= Self.limit else {
                throw DecodingError.dataCorruptedError(
                    forKey: json.contains(.features) ? .features : .outputs, in: json,
                    debugDescription: "a dynamic layer of \(features)×\(outputs) has more than \(Self.limit) weights")
            }
            candidates = try json.decodeSizeIfPresent(.candidates) ?? 40_000
            hash = try json.decodeIfPresent(HashKeys.self, forKey: .hash) ?? HashKeys()
            bias = try json.decodeIfPresent(Bool.self, forKey: .bias) ?? true
            imageDropout = try json.decodeDropoutIfPresent(.imageDropout) ?? 0.5
            questionDropout = try json.decodeDropoutIfPresent(.questionDropout) ?? 0.5
            answerDropout = try json.decodeDropoutIfPresent(.answerDropout) ?? 0.5
            predictionDeviation = try json.decodeIfPresent(Float.self, forKey: .predictionDeviation) ?? 0
            guard 0 <= predictionDeviation, predictionDeviation.isFinite else {
                throw DecodingError.dataCorruptedError(
                    forKey: .predictionDeviation, in: json,
                    debugDescription: "a number from 0 was expected, found \(predictionDeviation)")
            }
        }
    }
}
