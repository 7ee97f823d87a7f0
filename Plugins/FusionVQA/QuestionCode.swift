import NeuralNetworks
import Tensors

/// The question as a vector: the state of an LSTM that read it, or which words are in it.
enum QuestionCode: Sendable {
    case lstm(LSTMEncoder)
    case bagOfWords(words: Int, backend: any Backend)

    /// `{"lstm": {…}}` or `{"bag_of_words": {}}`.
    enum Spec: Decodable, Sendable {
        case lstm(LSTMEncoder.Spec)
        case bagOfWords

        private struct Nothing: Decodable {
            private enum CodingKeys: CodingKey {}
            // Asked for, so that a strict decoder finds that no key is known.
            init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: CodingKeys.self) }
        }
        private enum CodingKeys: String, CodingKey {
            case lstm
            case bagOfWords = "bag_of_words"
        }

        init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            guard json.allKeys.count == 1 else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: json.codingPath, debugDescription: "expected either 'lstm' or 'bag_of_words'"))
            }
            if json.contains(.lstm) {
                self = .lstm(try json.decode(LSTMEncoder.Spec.self, forKey: .lstm))
            } else {
                _ = try json.decode(Nothing.self, forKey: .bagOfWords)
                self = .bagOfWords
            }
        }
    }

    init(_ spec: Spec, words: Int, in scope: ParameterScope) throws {
        switch spec {
        case .lstm(let spec): self = .lstm(try LSTMEncoder(spec, words: words, in: scope))
        case .bagOfWords: self = .bagOfWords(words: words, backend: scope.backend)
        }
    }

    var width: Int {
        switch self {
        case .lstm(let encoder): encoder.width
        case .bagOfWords(let words, _): words
        }
    }

    /// Questions of ids → `[questions, width]`; of a bag 1 for every word that occurs, however often.
    func callAsFunction(_ questions: [[Int]]) -> Tensor {
        switch self {
        case .lstm(let encode): return encode(questions)
        case .bagOfWords(let words, let backend):
            return Tensor(shape: [questions.count, words], on: backend) { bag in
                bag.update(repeating: 0, count: questions.count * words)
                for (row, question) in questions.enumerated() { for word in question { bag[row * words + word] = 1 } }
            }
        }
    }
}
