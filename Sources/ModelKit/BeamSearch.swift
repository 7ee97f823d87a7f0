import Foundation
public import NeuralNetworks
import Tensors

/// What a recurrent decoder remembers, a row for every unfinished sentence.
public protocol DecoderState {
    /// The rows in that order; a row may be taken more than once or not at all.
    func gathered(_ rows: [Int]) -> Self
}

extension LSTM.State: DecoderState {}

/// How sentences are chosen word by word.
public struct Search: Sendable, Decodable, Hashable {
    public enum Method: String, Sendable, CaseIterable, Decodable { case greedy, beam, sample }

    /// Whose beam search it is; they differ in what becomes of a finished sentence.
    public enum Convention: String, Sendable, CaseIterable, Decodable {
        /// A finished sentence leaves the beam, which keeps its width; unfinished sentences are told only where none was
        /// finished (im2txt, `caption_generator.py`).
        case im2txt
        /// A finished sentence is copied out, but its place in the beam goes on being expanded; at the limit the
        /// unfinished are copied out, too (NeuralTalk2, `LanguageModel.lua`).
        case neuraltalk2
        /// A finished sentence stays in the beam and competes for its place, unexpanded; in the end the beam is the
        /// answer, with what is unfinished in it (NeuralTalk, `lstm_generator.py`).
        case neuraltalk
    }

    public var method: Method
    public var convention: Convention
    public var beam: Int
    /// Steps of the decoder: the most words of a sentence, its end token counted (im2txt: `max_caption_length` - 1, since
    /// that counts the start; NeuralTalk2: `seq_length`; NeuralTalk: 20).
    public var maximumLength: Int
    /// The exponent of the length that a finished sentence's log-probability is divided by; 0 does not normalise.
    public var lengthNormalization: Float
    /// Divides the logits before sampling.
    public var temperature: Float
    public var seed: UInt64
    /// How many sentences are returned.
    public var nbest: Int
    /// Whether the unknown-word token may be said.
    public var unknown: Bool

    private enum CodingKeys: String, CodingKey {
        case method, convention, beam, temperature, seed, nbest, unknown
        case maximumLength = "max_length"
        case lengthNormalization = "length_normalization"
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func value<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try json.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        func whole(_ key: CodingKeys, _ range: ClosedRange<Int>, _ fallback: Int) throws -> Int {
            let number = try value(key, fallback)
            guard range.contains(number) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: json,
                    debugDescription: "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(number)")
            }
            return number
        }
        let method: Method = try value(.method, .beam)
        let convention: Convention = try value(.convention, .im2txt)
        let beam = try whole(.beam, 1...1000, 3)
        let maximumLength = try whole(.maximumLength, 1...1000, 20)
        let lengthNormalization: Float = try value(.lengthNormalization, 0)
        let temperature: Float = try value(.temperature, 1)
        let seed: UInt64 = try value(.seed, 0)
        let nbest = try whole(.nbest, 1...1000, 1)
        let unknown = try value(.unknown, true)
        guard temperature > 0, temperature.isFinite else {
            throw DecodingError.dataCorruptedError(
                forKey: .temperature, in: json, debugDescription: "a temperature must be above 0")
        }
        guard lengthNormalization >= 0, lengthNormalization <= 10 else {
            throw DecodingError.dataCorruptedError(
                forKey: .lengthNormalization, in: json, debugDescription: "a length normalisation must be from 0 to 10")
        }
        self.init(
            method: method, convention: convention, beam: beam, maximumLength: maximumLength,
            lengthNormalization: lengthNormalization, temperature: temperature, seed: seed, nbest: nbest, unknown: unknown)
    }

    public init(
        method: Method = .beam, convention: Convention = .im2txt, beam: Int = 3, maximumLength: Int = 20,
        lengthNormalization: Float = 0, temperature: Float = 1, seed: UInt64 = 0, nbest: Int = 1, unknown: Bool = true
    ) {
        (self.method, self.convention, self.beam, self.maximumLength) = (method, convention, beam, maximumLength)
        (self.lengthNormalization, self.temperature, self.seed) = (lengthNormalization, temperature, seed)
        (self.nbest, self.unknown) = (nbest, unknown)
    }
}

/// A sentence under construction or finished.
public struct Hypothesis: Sendable, Equatable {
    /// The ids said so far, the end token included if it was reached.
    public var tokens: [Int] = []
    /// The natural logarithm of every token's probability.
    public var logProbabilities: [Float] = []
    public var isFinished = false
    /// What sentences are compared by: the sum, normalised by length where asked.
    public var score: Float = 0

    public var logProbability: Float { logProbabilities.reduce(0, +) }

    func adding(_ word: Candidate, end: Int) -> Hypothesis {
        var longer = self
        longer.tokens.append(word.index)
        longer.logProbabilities.append(word.logProbability)
        longer.isFinished = isFinished || word.index == end
        longer.score = score + word.logProbability
        return longer
    }

    /// Whether the last token is the first end.
    func hasJustFinished(_ end: Int) -> Bool { isFinished && tokens.firstIndex(of: end) == tokens.count - 1 }
}

extension Search {
    /// One step of the decoder: what the next word of every row may be, and the states after it. `tokens` holds the last
    /// token of every row.
    public typealias Step<State> = (_ tokens: [Int], _ state: State) -> (next: TokenDistributions, state: State)

    /// Sentences in falling order of score, at most `nbest`.
    /// - Parameters:
    ///   - state: after the picture, with one row.
    ///   - forbidden: a token that is never said, unless `unknown` allows it.
    public func callAsFunction<State: DecoderState>(
        start: Int, end: Int, unknown forbidden: Int?, state: State, step: Step<State>
    ) -> [Hypothesis] {
        let never = unknown ? nil : forbidden
        switch method {
        case .greedy: return beamSearch(width: 1, start: start, end: end, never: never, state: state, step: step)
        case .beam: return beamSearch(width: max(beam, nbest), start: start, end: end, never: never, state: state, step: step)
        case .sample:
            return ranked(
                sample(RandomSource(seed: seed), start: start, end: end, never: never, state: state, step: step), by: \.score)
        }
    }

    /// Log-probabilities are never above 0, so a longer sentence never has a better sum than its beginning.
    private func beamSearch<State: DecoderState>(
        width: Int, start: Int, end: Int, never: Int?, state: State, step: Step<State>
    ) -> [Hypothesis] {
        var beam = [Hypothesis()], finished: [Hypothesis] = [], state = state
        for length in 1...maximumLength {
            let open = beam.filter(isExpanded)
            if open.isEmpty || isDecided(beam, finished) { break }
            let (words, next) = step(open.map { $0.tokens.last ?? start }, state)
            let probable = mostProbable(width, words, but: never)
            // With the row of the decoder's state; nil for a sentence that stays as it is.
            var candidates: [(hypothesis: Hypothesis, row: Int?)] = [], row = 0
            for hypothesis in beam {
                guard isExpanded(hypothesis) else {
                    candidates.append((hypothesis, nil))
                    continue
                }
                for word in probable[row] { candidates.append((hypothesis.adding(word, end: end), row)) }
                row += 1
            }
            candidates = ranked(candidates, by: \.hypothesis.score)
            switch convention {
            case .im2txt:
                let done = candidates.map(\.hypothesis).filter(\.isFinished).map(normalized)
                finished = Array(ranked(finished + done, by: \.score).prefix(width))
                candidates.removeAll(where: \.hypothesis.isFinished)
                candidates = Array(candidates.prefix(width))
            case .neuraltalk2:
                candidates = Array(candidates.prefix(width))
                // At the limit the unfinished count as finished. What goes on after its end is no new sentence.
                let done = candidates.map(\.hypothesis).filter {
                    $0.hasJustFinished(end) || length == maximumLength && !$0.isFinished
                }
                finished = ranked(finished + done.map(normalized), by: \.score)
            case .neuraltalk: candidates = Array(candidates.prefix(width))
            }
            if candidates.isEmpty, finished.isEmpty { break }
            beam = candidates.map(\.hypothesis)
            state = next.gathered(candidates.filter { isExpanded($0.hypothesis) }.compactMap(\.row))
        }
        switch convention {
        // Never a mixture: unfinished sentences only if none was finished.
        case .im2txt: return Array((finished.isEmpty ? beam : finished).prefix(nbest))
        case .neuraltalk2: return Array(finished.prefix(nbest))
        case .neuraltalk: return Array(ranked(beam.map(normalized), by: \.score).prefix(nbest))
        }
    }

    private func isExpanded(_ hypothesis: Hypothesis) -> Bool { convention == .neuraltalk2 || !hypothesis.isFinished }

    /// Whether the `nbest` best sentences are known, because every sentence that is still open is worse already.
    private func isDecided(_ beam: [Hypothesis], _ finished: [Hypothesis]) -> Bool {
        guard lengthNormalization == 0 else { return false }
        if convention == .neuraltalk { return beam.count >= nbest && beam.prefix(nbest).allSatisfy(\.isFinished) }
        guard finished.count >= nbest else { return false }
        let open = beam.filter { !$0.isFinished }.map(\.score).max()
        return open.map { $0 <= finished[nbest - 1].score } ?? true
    }

    private func mostProbable(_ count: Int, _ words: TokenDistributions, but never: Int?) -> [[Candidate]] {
        // One more, in case it is the one that is never said.
        words.mostProbable(count + (never == nil ? 0 : 1)).map { row in
            var row = row
            if let never { row = Array(row.filter { $0.index != never }.prefix(count)) }
            // im2txt skips words of almost no probability.
            return convention == .im2txt ? row.filter { $0.logProbability >= Self.leastLogProbability } : row
        }
    }

    /// ln 10⁻¹²
    private static let leastLogProbability: Float = -27.631021

    /// In falling order, the earlier of equals first. (The originals leave equals to a heap, to an unstable sort or to
    /// the order of words' ids.)
    private func ranked<T>(_ items: [T], by score: (T) -> Float) -> [T] {
        items.indices.sorted { (score(items[$0]), $1) > (score(items[$1]), $0) }.map { items[$0] }
    }

    private func normalized(_ hypothesis: Hypothesis) -> Hypothesis {
        guard lengthNormalization > 0 else { return hypothesis }
        var copy = hypothesis
        // im2txt counts the start and the end token.
        copy.score /= pow(Float(hypothesis.tokens.count + 1), lengthNormalization)
        return copy
    }

    /// `nbest` sentences at a time, a row of the decoder for each that is not finished.
    private func sample<State: DecoderState>(
        _ random: RandomSource, start: Int, end: Int, never: Int?, state: State, step: Step<State>
    ) -> [Hypothesis] {
        var sentences = [Hypothesis](repeating: Hypothesis(), count: nbest),
            state = state.gathered([Int](repeating: 0, count: nbest))
        var open = Array(sentences.indices)
        for _ in 0..<maximumLength where !open.isEmpty {
            let (words, next) = step(open.map { sentences[$0].tokens.last ?? start }, state)
            for (row, index) in zip(words.logProbabilities(), open) {
                let token = draw(random, row, never: never) ?? end
                let word = Candidate(index: token, logProbability: row[token])
                sentences[index] = sentences[index].adding(word, end: end)
            }
            let kept = open.indices.filter { !sentences[open[$0]].isFinished }
            state = next.gathered(kept)
            open = kept.map { open[$0] }
        }
        return sentences
    }

    /// A token by its probability at the search's temperature; `nil` if none may be said.
    private func draw(_ random: RandomSource, _ logProbabilities: [Float], never: Int?) -> Int? {
        // Relative to the most probable word, which a low temperature would make zero like the others.
        let words = TokenDistributions(logProbabilities: [logProbabilities])
        guard let top = mostProbable(1, words, but: never)[0].first?.index else { return nil }
        let weights = logProbabilities.enumerated().map {
            $0 == never ? 0 : Double(exp(($1 - logProbabilities[top]) / temperature))
        }
        var rest = Double(random.uniform()) * weights.reduce(0, +)
        return weights.firstIndex { weight in
            rest -= weight
            return rest < 0
        } ?? top
    }
}
