import Foundation
import Synchronization

/// How well a phrase says what another says, "METEOR-like": METEOR 1.5 (Denkowski & Lavie, WMT 2014) without its table of
/// paraphrases and with a list of function words of our own. Its numbers are near METEOR's and not to be called METEOR.
///
/// Words match if they are equal, have one stem (`Porter2Stemmer`) or are synonyms (`WordNetSynonyms`, where WordNet is
/// installed), with the weights w = 1, 0.6 and 0.8; of several kinds the first counts. The alignment matches each word once at
/// most, as many words as possible, then in as few chunks as possible, then with the greatest weight. A chunk is a run of matches
/// that stand side by side and in the same order in both phrases.
///
/// P = Σ w·d over the candidate's matched words ÷ Σ d over all of its words, R likewise of the reference; d is δ = 0.75 for
/// content words and 0.25 for function words. F = P·R ÷ (α·P + (1 − α)·R), α = 0.85; the score is
/// F·(1 − γ·(chunks ÷ matches)^β), γ = 0.6, β = 0.2. The last factor is 1 where the phrases match as wholes in one chunk. The
/// score of several references is the greatest.
///
/// Words are runs of letters, digits and apostrophes in lower case; other characters part them.
public final class METEORMatching: Sendable {
    /// The parameters for English; public so that a report can tell them.
    public static let alpha = 0.85, beta = 0.2, gamma = 0.6, delta = 0.75

    public enum Kind: Sendable, Hashable {
        case exact, stem, synonym

        var weight: Double {
            switch self {
            case .exact: 1
            case .stem: 0.6
            case .synonym: 0.8
            }
        }
    }

    /// Which words of a candidate and of a reference match.
    public struct Alignment: Sendable, Hashable {
        public struct Match: Sendable, Hashable {
            /// Which word of the candidate and of the reference, from 0.
            public let candidate: Int, reference: Int
            public let kind: Kind

            public init(_ candidate: Int, _ reference: Int, _ kind: Kind) {
                (self.candidate, self.reference, self.kind) = (candidate, reference, kind)
            }
        }

        /// In the candidate's order.
        public let matches: [Match]
        public let chunks: Int
    }

    private struct Word: Sendable {
        let text: String
        let stem: String
        let senses: Set<Int>
        let isFunctionWord: Bool

        func match(_ other: Word) -> Kind? {
            if text == other.text { return .exact }
            if stem == other.stem { return .stem }
            return senses.isDisjoint(with: other.senses) ? nil : .synonym
        }
    }

    /// Of words beyond this an alignment takes no notice.
    private static let longest = 128
    /// How many partial alignments are followed. Those of real phrases are fewer, so that the best one is found for certain.
    private static let width = 500

    private let synonyms: WordNetSynonyms?
    private let stemmer = Porter2Stemmer()
    private let memory = Mutex<[String: Word]>([:])

    /// - Parameter synonyms: nil for none.
    public init(synonyms: WordNetSynonyms?) { self.synonyms = synonyms }

    /// For reports: which of METEOR's matchers it has.
    public var name: String {
        synonyms == nil ? "METEOR-like (exact, stem)" : "METEOR-like (exact, stem, WordNet's synonyms)"
    }

    /// The greatest score of the references: 0 where nothing matches or where there are none, 1 for an equal phrase.
    ///
    /// - Throws: `WordNetError` where WordNet's files are damaged.
    public func score(_ candidate: String, references: [String]) throws(WordNetError) -> Double {
        let words = try words(of: candidate)
        var best = 0.0
        for reference in Set(references) {
            let others = try self.words(of: reference)
            best = max(best, Self.score(Self.alignment(words, others), words, others))
        }
        return best
    }

    /// - Throws: `WordNetError` where WordNet's files are damaged.
    public func alignment(_ candidate: String, _ reference: String) throws(WordNetError) -> Alignment {
        Self.alignment(try words(of: candidate), try words(of: reference))
    }

    /// The words that a phrase is compared by.
    public static func words(in phrase: String) -> [String] {
        // A typewriter's apostrophe and a printer's are one.
        let text = phrase.lowercased().map { $0 == "’" ? "'" : $0 }
        return text.split { !($0.isLetter || $0.isNumber || $0 == "'") }.map { String($0) }.filter { $0.contains { $0 != "'" } }
    }

    private func words(of phrase: String) throws(WordNetError) -> [Word] {
        var words: [Word] = []
        for text in Self.words(in: phrase).prefix(Self.longest) { words.append(try word(text)) }
        return words
    }

    private func word(_ text: String) throws(WordNetError) -> Word {
        if let known = memory.withLock({ $0[text] }) { return known }
        let word = Word(
            text: text, stem: stemmer.stem(text), senses: try synonyms?.senses(of: text) ?? [],
            isFunctionWord: FunctionWords.english.contains(text))
        memory.withLock { $0[text] = word }
        return word
    }

    private static func score(_ alignment: Alignment, _ candidate: [Word], _ reference: [Word]) -> Double {
        guard !alignment.matches.isEmpty else { return 0 }
        func weight(_ word: Word) -> Double { word.isFunctionWord ? 1 - delta : delta }
        func total(_ words: [Word]) -> Double { words.reduce(0) { $0 + weight($1) } }
        let said = alignment.matches.reduce(0) { $0 + $1.kind.weight * weight(candidate[$1.candidate]) }
        let meant = alignment.matches.reduce(0) { $0 + $1.kind.weight * weight(reference[$1.reference]) }
        let p = said / total(candidate), r = meant / total(reference)
        let f = p * r / (alpha * p + (1 - alpha) * r)
        let count = alignment.matches.count
        if alignment.chunks == 1, count == candidate.count, count == reference.count { return f }
        return f * (1 - gamma * pow(Double(alignment.chunks) / Double(count), beta))
    }

    // MARK: Alignment

    /// What the first words of a candidate match.
    private struct Partial {
        var matches: [Alignment.Match] = []
        var chunks = 0
        var weight = 0.0
        /// The words of the reference that are taken, a bit each.
        var taken: UInt128 = 0
        /// The word of the reference that the candidate's last word matches; -1 for none.
        var last = -1

        struct Future: Hashable {
            let taken: UInt128
            let last: Int
        }
        /// Partial alignments that are equal in this can be continued in the same ways.
        var future: Future { Future(taken: taken, last: last) }

        func isBetter(than other: Partial) -> Bool {
            if matches.count != other.matches.count { return matches.count > other.matches.count }
            if chunks != other.chunks { return chunks < other.chunks }
            return weight > other.weight
        }
    }

    private static func alignment(_ candidate: [Word], _ reference: [Word]) -> Alignment {
        var partials = [Partial()]
        for (i, word) in candidate.enumerated() {
            let pairs = reference.indices.compactMap { j in word.match(reference[j]).map { (j, $0) } }
            var places: [Partial.Future: Int] = [:]
            var next: [Partial] = []
            func add(_ partial: Partial) {
                if let place = places[partial.future] {
                    if partial.isBetter(than: next[place]) { next[place] = partial }
                } else {
                    places[partial.future] = next.count
                    next.append(partial)
                }
            }
            for partial in partials {
                for (j, kind) in pairs where partial.taken & (1 << UInt128(j)) == 0 {
                    var longer = partial
                    longer.matches.append(.init(i, j, kind))
                    longer.taken |= 1 << UInt128(j)
                    if partial.last < 0 || j != partial.last + 1 { longer.chunks += 1 }
                    longer.weight += kind.weight
                    longer.last = j
                    add(longer)
                }
                var same = partial
                same.last = -1
                add(same)
            }
            if next.count > width {
                next.sort { $0.isBetter(than: $1) }
                next.removeLast(next.count - width)
            }
            partials = next
        }
        let best = partials.dropFirst().reduce(partials[0]) { $1.isBetter(than: $0) ? $1 : $0 }
        return Alignment(matches: best.matches, chunks: best.chunks)
    }
}
