import Language
public import ModelKit
public import NeuralNetworks
public import Tensors
import Media

/// A picture through a CNN, then an LSTM that says one word at a time.
///
/// Vinyals et al., "Show and Tell", CVPR 2015 (im2txt); Karpathy & Fei-Fei, "Deep Visual-Semantic Alignments", CVPR 2015
/// (NeuralTalk, NeuralTalk2). How they differ is a hyper-parameter each: ``Hyperparameters``.
public struct Captioner: TrainableModel {
    private let cnn: Backbone
    private let normalizeImage: BatchNormalization?
    private let embedImage: Linear
    private let embedWord: Embedding
    private let lstm: LSTM
    private let initialHidden: Linear?, initialCell: Linear?
    private let predict: TokenPredictor
    private let recallWord: EmbeddedInputs
    private let dropInput: Dropout, dropOutput: Dropout
    private let h: Hyperparameters
    private let vocabulary: Vocabulary
    private let tokenizer: Tokenizer
    private let start: Int, end: Int

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        guard let vocabulary = assets.vocabulary, let start = vocabulary.startID, let end = vocabulary.endID else {
            throw InputError.missingAsset("vocabulary")
        }
        h = hyperparameters
        (self.vocabulary, self.start, self.end) = (vocabulary, start, end)
        tokenizer = assets.tokenizer ?? .whitespace
        cnn = try backbone.make(in: scope["cnn"])
        if let outputs = h.outputs, outputs < vocabulary.count {
            throw InputError.unsuitableAsset(
                "vocabulary", reason: "has \(vocabulary.count) words, but hyperparameters.outputs is \(outputs)")
        }
        let words = h.outputs ?? vocabulary.count, features = cnn.summary.output.count
        normalizeImage =
            h.imageNormalization
            ? try BatchNormalization(features, epsilon: 1e-5, scale: false, momentum: 0.01, in: scope["image"]["normalization"])
            : nil
        embedImage = try Linear(features, h.embedding, bias: h.imageBias, initializer: .glorot, in: scope["image"])
        embedWord = try Embedding(words, h.embedding, in: scope["word"])
        lstm = try LSTM(h.inject == .every ? 2 * h.embedding : h.embedding, h.hidden, h.lstm.convention, in: scope["lstm"])
        initialHidden = h.inject == .initial ? try Linear(h.embedding, h.hidden, in: scope["initial"]["hidden"]) : nil
        initialCell = h.inject == .initial ? try Linear(h.embedding, h.hidden, in: scope["initial"]["cell"]) : nil
        predict = try TokenPredictor(h.hidden, words, in: scope["logits"])
        recallWord = EmbeddedInputs(embedWord, lstm, in: scope)
        dropInput = Dropout(h.inputDropout, in: scope)
        dropOutput = Dropout(h.outputDropout, in: scope)
    }

    // MARK: The equations

    /// The picture's embedding, `[1, E]`.
    public func forward(_ input: ImageInput) -> Tensor { embed(encode([input])) }

    /// What the CNN sees, `[pictures, features]`.
    public func encode(_ pictures: [ImageInput]) -> Tensor {
        let f = cnn(.concatenated(pictures.map(\.pixels), axis: 0))
        return f.reshaped([pictures.count, f.shape.count / pictures.count])
    }

    /// The embeddings of pictures `[n, features]`.
    private func embed(_ f: Tensor) -> Tensor {
        let v = embedImage(normalizeImage.map { $0(f) } ?? f)              // v = W_I CNN(I)
        return h.imageActivation.map { $0(v) } ?? v
    }

    /// The state before the first word.
    private func begin(_ v: Tensor) -> LSTM.State {
        let zero = lstm.zeroState(rows: v.shape[0])
        switch h.inject {
        case .first: return lstm(dropInput(v), zero)                       // x₋₁ = v
        case .every: return zero
        case .initial: return LSTM.State(hidden: tanh(initialHidden!(v)), cell: initialCell!(v))
        }
    }

    /// The LSTM's input for words `[…, E]` under pictures `v` of the same leading shape.
    private func input(_ words: Tensor, _ v: Tensor) -> Tensor {
        h.inject == .every ? .concatenated([words, v], axis: -1) : words   // xₜ = W_e Sₜ
    }

    /// The logits of the words that follow `tokens`, all at once: `[steps · rows, words]`.
    /// - Parameter tokens: a row of ids for every step.
    private func teach(_ tokens: [[Int]], _ v: Tensor) -> Tensor {
        let steps = tokens.count, rows = v.shape[0]
        let words = embedWord(tokens.flatMap { $0 }).reshaped([steps, rows, h.embedding])
        let x = dropInput(input(words, v.expanded(axis: 0).broadcast(to: [steps, rows, h.embedding])))
        let y = lstm.sequence(x, from: begin(v))                           // hₜ = LSTM(xₜ)
        return predict(dropOutput(y)).reshaped([steps * rows, predict.tokens])
    }

    // MARK: Saying it

    public func decode(_ v: Tensor, _ search: Search) -> Captions {
        let found = search(start: start, end: end, unknown: vocabulary.unknownID, state: begin(v)) { tokens, state in
            let next = lstm.step(inputs(tokens, v), state)                 // hₜ = LSTM(xₜ)
            return (predict.next(after: next.hidden), next)                // pₜ₊₁ = softmax(W hₜ + b)
        }
        return Captions(found.map(caption))
    }

    /// What the LSTM takes in of each sentence's last word, `[tokens, 4·hidden]`.
    private func inputs(_ tokens: [Int], _ v: Tensor) -> Tensor {
        if h.inject != .every { return recallWord(tokens) }
        return lstm.inputs(input(embedWord(tokens), v.broadcast(to: [tokens.count, h.embedding])))
    }

    private func caption(_ found: Hypothesis) -> Captions.Alternative {
        let words = zip(found.tokens, found.logProbabilities).map { token, p in
            Captions.Word(word: vocabulary.word(for: token), logProbability: p)
        }
        let said = found.tokens.prefix { $0 != end }.map { vocabulary.word(for: $0) }
        return .init(text: Detokenizer().sentence(said), logProbability: found.logProbability, words: words)
    }

    // MARK: Learning

    public func activations(_ encoding: Tensor, questions: [String]) -> Tensor { embed(encoding) }

    /// A sentence about a picture.
    public struct Example: Sendable {
        /// Ids without start and end.
        public let words: [Int]
    }

    public func example(question: String?, target: String) -> Example? {
        let words = vocabulary.ids(of: tokenizer.words(in: target).prefix(h.maximumWords).map { $0 })
        return words.isEmpty ? nil : Example(words: words)
    }

    /// The mean over the words (im2txt, NeuralTalk2) of `-log p(Sₜ | I, S₀ … Sₜ₋₁)`.
    public func loss(_ encodings: Tensor, _ batch: [Example], weights: [Float]) -> (value: Tensor, predictions: Int) {
        let v = embed(encodings)
        let steps = (batch.map(\.words.count).max() ?? 0) + 1
        var tokens: [[Int]] = [], targets: [Int] = []
        for t in 0..<steps {
            tokens.append(batch.map { t == 0 ? start : t <= $0.words.count ? $0.words[t - 1] : end })
            targets += batch.map { t < $0.words.count ? $0.words[t] : t == $0.words.count ? end : -1 }
        }
        let predictions = targets.count { $0 >= 0 }
        let losses = crossEntropy(teach(tokens, v), targets).reshaped([steps, batch.count])
        return ((losses * Tensor(weights, [batch.count], on: v.backend)).sum / Float(predictions), predictions)
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_Captioner) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "Captioner", reference: "Vinyals et al. 2015; Karpathy & Fei-Fei 2015", model: Captioner.self).retainedPointer()
}
