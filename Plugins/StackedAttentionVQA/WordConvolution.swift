import NeuralNetworks
import Tensors

/// Unigrams, bigrams and trigrams of a question, each through a layer of its own; of every feature the largest over the
/// question remains (equations (7) to (11) of the paper).
struct WordConvolution: Sendable {
    struct Spec: Decodable, Sendable {
        var embedding: Int
        /// Features of one, two and three words.
        var unigrams: Int, bigrams: Int, trigrams: Int
        /// The released code pads questions with zero vectors and lets these places compete for the maximum, at which they
        /// are tanh(b); with this many places for every question it does here, too. nil: only the question's own words count.
        var paddedWords: Int?

        private enum CodingKeys: String, CodingKey {
            case embedding, unigrams, bigrams, trigrams
            case paddedWords = "padded_words"
        }

        init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            embedding = try json.decodeSize(.embedding)
            unigrams = try json.decodeSize(.unigrams)
            bigrams = try json.decodeSize(.bigrams)
            trigrams = try json.decodeSize(.trigrams)
            paddedWords = try json.decodeSizeIfPresent(.paddedWords, upTo: 1000)
        }
    }

    let width: Int
    private let spec: Spec
    private let word: Embedding
    /// For windows of 1, 2 and 3 words.
    private let filters: [Linear]

    init(_ spec: Spec, words: Int, in scope: ParameterScope) throws {
        self.spec = spec
        let features = [spec.unigrams, spec.bigrams, spec.trigrams]
        width = features.reduce(0, +)
        word = try Embedding(words, spec.embedding, initializer: .uniform(0.5), in: scope["word"])
        filters = try zip(["unigram", "bigram", "trigram"], features).enumerated().map { n, filter in
            try Linear((n + 1) * spec.embedding, filter.1, initializer: .glorot, in: scope[filter.0])
        }
    }

    func callAsFunction(_ questions: [[Int]]) -> Tensor {
        let rows = questions.count, longest = max(questions.map(\.count).max() ?? 1, filters.count)
        let steps = max(longest, spec.paddedWords ?? 0), e = spec.embedding, backend = word.weight.value.backend
        // Beyond its last word a question is zero; two more places, so that every word begins a trigram.
        let places = steps + filters.count - 1
        let ids = questions.flatMap { question in (0..<places).map { $0 < question.count ? question[$0] : 0 } }
        let inside = questions.flatMap { question in (0..<places).map { Float($0 < question.count ? 1 : 0) } }
        let x = (word(ids) * Tensor(inside, [rows * places, 1], on: backend)).reshaped([rows, places, e])
        let features = filters.enumerated().map { n, filter in
            let windows = Tensor.concatenated((0...n).map { x.sliced(axis: 1, $0..<$0 + steps) }, axis: -1)
            var h = tanh(filter(windows))                                  // h_{c,t} = tanh(W_c x_{t:t+c-1} + b_c)   (8)
            h = h + closed(questions, window: n + 1, steps, on: backend)
            // h̃_c = max_t h_{c,t}                                                                            (9)
            return pool(h.expanded(axis: 2), PoolingGeometry(.maximum, size: (steps, 1), stride: (1, 1)))
                .reshaped([rows, h.shape[2]])
        }
        return .concatenated(features, axis: -1)                           // v_Q = [h̃₁, h̃₂, h̃₃]                   (11)
    }

    /// `[rows, steps, 1]`: 0 where a window may win the maximum, and far below any tanh where not. A question shorter than
    /// the window has one window, filled up with zeros.
    private func closed(_ questions: [[Int]], window: Int, _ steps: Int, on backend: any Backend) -> Tensor {
        let open = questions.map { question in
            max(1, (spec.paddedWords.map { max($0, question.count) } ?? question.count) - window + 1)
        }
        return Tensor(open.flatMap { n in (0..<steps).map { $0 < n ? 0 : -4 } }, [questions.count, steps, 1], on: backend)
    }
}
