public import Tensors

/// What a sentence leaves in a GRU that reads it word by word: the code of a question (Kiros et al., "Skip-Thought Vectors",
/// NIPS 2015).
///
/// Sentences of different lengths are read side by side; a sentence's code is the state after its own last word.
/// Parameters: `word.weight [words, embedding]` and `gru.*` (``GRU``).
public struct GRUEncoder: Sendable {
    /// What a card can set.
    public struct Spec: Decodable, Sendable, Hashable {
        public var embedding: Int
        public var hidden: Int
        public var gru: GRUSpec
        /// Of the word vectors.
        public var dropout: Float
        /// Whether the word vectors learn, too; not where they were learned from far more text (skip-thoughts, DPPnet).
        public var trainsWords: Bool

        private enum CodingKeys: String, CodingKey {
            case embedding, hidden, gru, dropout
            case trainsWords = "trains_words"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            embedding = try json.decodeSize(.embedding)
            hidden = try json.decodeSize(.hidden)
            gru = try json.decode(GRUSpec.self, forKey: .gru)
            dropout = try json.decodeDropoutIfPresent(.dropout) ?? 0
            trainsWords = try json.decodeIfPresent(Bool.self, forKey: .trainsWords) ?? true
        }
    }

    private let spec: Spec
    private let word: Embedding
    private let gru: GRU
    private let drop: Dropout

    public init(_ spec: Spec, words: Int, initializer: Initializer = .uniform(0.08), in scope: ParameterScope) throws {
        self.spec = spec
        word = try Embedding(words, spec.embedding, initializer: initializer, isTrained: spec.trainsWords, in: scope["word"])
        gru = try GRU(spec.embedding, spec.hidden, spec.gru.convention, initializer: initializer, in: scope["gru"])
        drop = Dropout(spec.dropout, in: scope)
    }

    /// Sentences of ids, each of at least one → `[sentences, hidden]`.
    public func callAsFunction(_ sentences: [[Int]]) -> Tensor {
        let rows = sentences.count, steps = sentences.map(\.count).max() ?? 0
        // What follows a sentence's end is computed and not looked at.
        let ids = (0..<steps).flatMap { t in sentences.map { t < $0.count ? $0[t] : 0 } }
        let h = gru.sequence(drop(word(ids)).reshaped([steps, rows, spec.embedding]), from: gru.zeroState(rows: rows))
        return h.reshaped([steps * rows, spec.hidden])
            .gathered(sentences.enumerated().map { row, sentence in (sentence.count - 1) * rows + row })
    }
}
