import ModelKit
import NeuralNetworks
import Tensors

/// Says what a region shows: an LSTM whose first input is the region, and whose second is the start of a sentence (§3.2.5).
struct LanguageModel: Sendable {
    private let encode: Linear
    private let embedWord: Embedding
    private let lstm: LSTM
    private let predict: TokenPredictor
    private let recallWord: EmbeddedInputs
    private let start: Int, end: Int

    struct Sizes {
        var codes: Int, embedding: Int, hidden: Int, tokens: Int
        /// Rows of the table that no token has.
        var spareRows: Int
    }

    init(_ sizes: Sizes, _ convention: LSTMConvention, start: Int, end: Int, in scope: ParameterScope) throws {
        (self.start, self.end) = (start, end)
        encode = try Linear(sizes.codes, sizes.embedding, in: scope["region"])
        embedWord = try Embedding(sizes.tokens + sizes.spareRows, sizes.embedding, in: scope["word"])
        let deviation = 1 / Float(sizes.embedding + sizes.hidden).squareRoot()
        lstm = try LSTM(
            sizes.embedding, sizes.hidden, convention, initializer: .normal(deviation: deviation), in: scope["lstm"])
        predict = try TokenPredictor(sizes.hidden, sizes.tokens, in: scope["logits"])
        recallWord = EmbeddedInputs(embedWord, lstm, in: scope)
    }

    /// After the regions of `codes`, `[regions, codes]`, and before the first word.
    private func begin(_ codes: Tensor) -> LSTM.State {
        lstm(relu(encode(codes)), lstm.zeroState(rows: codes.shape[0]))    // x₋₁ = max(0, W_I v + b_I)
    }

    /// A phrase with the logarithm of its probability for every region, its end left out.
    /// - Parameter forbidden: a token that is never said.
    func callAsFunction(
        _ codes: Tensor, maximumLength: Int, beam: Int, forbidden: Int?
    ) -> [(tokens: [Int], logProbability: Float)] {
        if beam == 1 { return greedily(codes, maximumLength, forbidden) }
        // A finished sentence stays in the beam, as it is in the released one.
        let search = Search(convention: .neuraltalk, beam: beam, maximumLength: maximumLength, unknown: forbidden == nil)
        let states = begin(codes)
        return (0..<codes.shape[0]).map { region in
            let found = search(start: start, end: end, unknown: forbidden, state: states.gathered([region])) { tokens, state in
                let next = step(tokens, state)
                return (predict.next(after: next.hidden), next)
            }
            return (found[0].tokens.prefix { $0 != end }.map { $0 }, found[0].logProbability)
        }
    }

    private func step(_ tokens: [Int], _ state: LSTM.State) -> LSTM.State { lstm.step(recallWord(tokens), state) }

    /// All regions at once.
    private func greedily(_ codes: Tensor, _ maximumLength: Int, _ forbidden: Int?) -> [(tokens: [Int], logProbability: Float)] {
        var phrases = [(tokens: [Int], logProbability: Float)](repeating: ([], 0), count: codes.shape[0])
        var open = Array(phrases.indices), state = begin(codes)
        for _ in 0..<maximumLength where !open.isEmpty {
            state = step(open.map { phrases[$0].tokens.last ?? start }, state)
            var going: [Int] = []
            let candidates = predict.next(after: state.hidden).mostProbable(forbidden == nil ? 1 : 2)
            for (row, candidates) in candidates.enumerated() {
                guard let best = candidates.first(where: { $0.index != forbidden }) else { continue }
                phrases[open[row]].logProbability += best.logProbability
                if best.index == end { continue }
                phrases[open[row]].tokens.append(best.index)
                going.append(row)
            }
            if going.count < open.count {
                open = going.map { open[$0] }
                state = state.gathered(going)
            }
        }
        return phrases
    }

    /// `-log p(phrase | region)`, the mean over the regions of the sum over the words and the end.
    /// - Parameter phrases: ids without start and end, one phrase for every region.
    func loss(_ codes: Tensor, _ phrases: [[Int]]) -> Tensor {
        let n = phrases.count, steps = (phrases.map(\.count).max() ?? 0) + 1
        var tokens: [Int] = [], targets: [Int] = []
        for t in 0..<steps {
            tokens += phrases.map { t == 0 ? start : t <= $0.count ? $0[t - 1] : end }
            targets += phrases.map { t < $0.count ? $0[t] : t == $0.count ? end : -1 }
        }
        let x = embedWord(tokens).reshaped([steps, n, lstm.inputs])
        let h = lstm.sequence(x, from: begin(codes)).reshaped([steps * n, lstm.hidden])
        return crossEntropy(predict(h), targets).sum / Float(n)
    }
}
