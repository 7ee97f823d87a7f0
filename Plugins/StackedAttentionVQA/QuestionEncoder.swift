import NeuralNetworks
import Tensors

/// The question as a vector: by an LSTM (section 3.2.1 of the paper) or by convolutions over words (3.2.2).
enum QuestionEncoder: Sendable {
    case lstm(LSTMEncoder)
    case convolution(WordConvolution)

    /// `{"lstm": {…}}` or `{"convolution": {…}}`.
    enum Spec: Decodable, Sendable {
        case lstm(LSTMEncoder.Spec)
        case convolution(WordConvolution.Spec)

        private enum CodingKeys: CodingKey { case lstm, convolution }

        init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            guard json.allKeys.count == 1 else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: json.codingPath, debugDescription: "expected either 'lstm' or 'convolution'"))
            }
            self =
                json.contains(.lstm)
                ? .lstm(try json.decode(LSTMEncoder.Spec.self, forKey: .lstm))
                : .convolution(try json.decode(WordConvolution.Spec.self, forKey: .convolution))
        }
    }

    init(_ spec: Spec, words: Int, in scope: ParameterScope) throws {
        switch spec {
        case .lstm(let spec):
            self = .lstm(try LSTMEncoder(spec, words: words, embedding: .uniform(0.5), initializer: .glorot, in: scope))
        case .convolution(let spec): self = .convolution(try WordConvolution(spec, words: words, in: scope))
        }
    }

    var width: Int {
        switch self {
        case .lstm(let encoder): encoder.width
        case .convolution(let encoder): encoder.width
        }
    }

    /// Questions of ids → v_Q, `[questions, width]`.
    func callAsFunction(_ questions: [[Int]]) -> Tensor {
        switch self {
        case .lstm(let encode): encode(questions)
        case .convolution(let encode): encode(questions)
        }
    }
}
