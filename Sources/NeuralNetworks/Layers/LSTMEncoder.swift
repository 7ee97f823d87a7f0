public import Tensors

/// What a sentence leaves in a stack of LSTMs that read it word by word: the code of a question.
///
/// Sentences of different lengths are read side by side; a sentence's code is the state after its own last word.
/// Parameters: `word.weight [words, embedding]`, perhaps `word.bias [embedding]`, `layer1.*`, `layer2.*`, … (``LSTM``).
public struct LSTMEncoder: Sendable {
    /// What a card can set.
    public struct Spec: Decodable, Sendable, Hashable {
        /// What of the last state is the code.
        public enum Code: String, Decodable, Sendable, Hashable, CaseIterable {
            /// The uppermost hidden state (SAN).
            case hidden
            /// Cell and hidden state of every layer, `[c₁, h₁, c₂, h₂]` (VQA_LSTM_CNN).
            case states
        }

        public var embedding: Int
        public var hidden: Int
        public var layers: Int
        public var lstm: LSTMSpec
        public var code: Code
        /// Whether the last word is read first (SAN's LSTM).
        public var isReversed: Bool
        /// What the embedding passes through; VQA_LSTM_CNN: dropout, then tanh, of a table with a bias.
        public var activation: Activation?
        public var bias: Bool
        /// Of the embedding and between layers.
        public var dropout: Float

        private enum CodingKeys: String, CodingKey {
            case embedding, hidden, layers, lstm, code, activation, bias, dropout
            case isReversed = "reversed"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            embedding = try json.decodeSize(.embedding)
            hidden = try json.decodeSize(.hidden)
            layers = try json.decodeSizeIfPresent(.layers, upTo: 16) ?? 1
            lstm = try json.decode(LSTMSpec.self, forKey: .lstm)
            code = try json.decodeIfPresent(Code.self, forKey: .code) ?? .hidden
            isReversed = try json.decodeIfPresent(Bool.self, forKey: .isReversed) ?? false
            activation = try json.decodeIfPresent(Activation.self, forKey: .activation)
            bias = try json.decodeIfPresent(Bool.self, forKey: .bias) ?? false
            dropout = try json.decodeDropoutIfPresent(.dropout) ?? 0
        }
    }

    /// The scalars of a code.
    public let width: Int
    private let spec: Spec
    private let word: Embedding
    private let bias: Parameter?
    private let layers: [LSTM]
    private let drop: Dropout

    /// - Parameters:
    ///   - words: of the vocabulary.
    ///   - embedding: how word vectors begin.
    public init(
        _ spec: Spec, words: Int, embedding: Initializer = .uniform(0.08), initializer: Initializer = .uniform(0.08),
        in scope: ParameterScope
    ) throws {
        self.spec = spec
        width = spec.code == .hidden ? spec.hidden : 2 * spec.layers * spec.hidden
        word = try Embedding(words, spec.embedding, initializer: embedding, in: scope["word"])
        bias = spec.bias ? try scope["word"].parameter("bias", [spec.embedding], .constant(0)) : nil
        layers = try (0..<spec.layers).map { layer in
            try LSTM(
                layer == 0 ? spec.embedding : spec.hidden, spec.hidden, spec.lstm.convention, initializer: initializer,
                in: scope["layer\(layer + 1)"])
        }
        drop = Dropout(spec.dropout, in: scope)
    }

    /// Sentences of ids, each of at least one → `[sentences, width]`.
    public func callAsFunction(_ sentences: [[Int]]) -> Tensor {
        let rows = sentences.count, steps = sentences.map(\.count).max() ?? 0
        let read = spec.isReversed ? sentences.map { $0.reversed() } : sentences
        // What follows a sentence's end is computed and not looked at.
        let ids = (0..<steps).flatMap { t in read.map { t < $0.count ? $0[t] : 0 } }
        var x = embed(ids).reshaped([steps, rows, spec.embedding])
        let last = read.enumerated().map { row, sentence in (sentence.count - 1) * rows + row }
        var code: [Tensor] = []
        for (n, layer) in layers.enumerated() {
            if n > 0 { x = drop(x) }
            let states = layer.states(x), end = states.gathered(last)
            if spec.code == .states { code += [end.cell, end.hidden] } else if n == layers.count - 1 { code = [end.hidden] }
            x = states.hidden.reshaped([steps, rows, spec.hidden])
        }
        return code.count == 1 ? code[0] : .concatenated(code, axis: -1)
    }

    private func embed(_ ids: [Int]) -> Tensor {
        let x = drop(bias.map { word(ids) + $0.value } ?? word(ids))
        return spec.activation.map { $0(x) } ?? x
    }
}
