public import Foundation
import Synchronization

/// The nouns of WordNet 3.0 (Miller, 1995) and how similar they are, as NLTK 3.10 sees them.
///
/// A sense is a place in `data.noun`. The files are mapped into memory and read where they are asked for; senses and pairs of
/// words that were asked for once are remembered.
public final class WordNet: Sendable {
    /// Where Debian's package `wordnet-base` has its files.
    public static let folder = URL(fileURLWithPath: "/usr/share/wordnet")
    /// What to tell people on whose machine there is no WordNet.
    public static let advice = "For WUPS, which compares words by WordNet, install the package wordnet-base."

    private let files: WordNetFiles
    private let memory = Mutex(Memory())

    /// WordNet as the package `wordnet-base` installs it; nil if it is not installed.
    ///
    /// - Throws: `WordNetError.unreadable`.
    public static func installed() throws(WordNetError) -> WordNet? {
        do {
            return try WordNet(folder: folder)
        } catch .missing {
            return nil
        } catch {
            throw error
        }
    }

    /// - Parameter folder: holds `index.noun`, `data.noun` and `noun.exc`.
    /// - Throws: `WordNetError.missing`, `.unreadable`.
    public init(folder: URL) throws(WordNetError) {
        files = try WordNetFiles(folder)
    }

    /// The senses of a word as a noun, the most frequent first; none if WordNet does not have it. Words of several parts are
    /// joined by underscores: "coffee_table".
    ///
    /// As NLTK's `synsets(word, pos=NOUN)`: the word itself and then its singulars, by `noun.exc` or else by endings.
    public func senses(of word: String) throws(WordNetError) -> [Int] {
        try memory.withLock { memory throws(WordNetError) in try senses(of: word, &memory) }
    }

    /// Wu & Palmer's similarity (ACL 1994) of two senses, between 0 and 1: 2·depth(c) / (2·depth(c) + steps from each to c), c
    /// the lowest sense that is more general than both. Nil if there is none.
    ///
    /// As NLTK's `wup_similarity`: the lowest is the one whose *shortest* way to the root is longest, the first by name of
    /// several, unless the first sense is itself among them; its depth is that of its *longest* way, counted from 1. So a sense
    /// need not have the similarity 1 with itself, and the order of the two may matter.
    public func similarity(ofSense first: Int, _ second: Int) throws(WordNetError) -> Double? {
        try memory.withLock { memory throws(WordNetError) in
            try similarity(sense(first, &memory), sense(second, &memory), &memory)
        }
    }

    /// The greatest similarity of the words' senses; nil if one of them has none.
    public func similarity(_ first: String, _ second: String) throws(WordNetError) -> Double? {
        try memory.withLock { memory throws(WordNetError) in
            let pair = Pair(first: first, second: second)
            if let known = memory.pairs[pair] { return known }
            let firsts = try senses(of: first, &memory), seconds = try senses(of: second, &memory)
            var best: Double? = firsts.isEmpty || seconds.isEmpty ? nil : 0
            for one in firsts {
                let one = try sense(one, &memory)
                for other in seconds {
                    guard let value = try similarity(one, sense(other, &memory), &memory) else { continue }
                    best = max(best ?? 0, value)
                }
            }
            memory.pairs[pair] = .some(best)
            return best
        }
    }

    private struct Pair: Hashable {
        var first: String
        var second: String
    }

    private struct Memory {
        var words: [String: [Int]] = [:]
        var senses: [Int: Sense] = [:]
        var pairs: [Pair: Double?] = [:]
    }

    /// A sense, seen from itself or from a more specific one.
    private struct Ancestor {
        var offset: Int
        /// Steps from the more specific one, by the shortest way.
        var steps: Int
        /// Steps to the root.
        var shortest: Int
        var longest: Int
    }

    private struct Sense {
        var offset: Int
        /// All more general senses and the sense itself, by offset.
        var ancestors: [Ancestor]

        func common(_ other: Sense) -> [(Ancestor, Ancestor)] {
            var common: [(Ancestor, Ancestor)] = []
            var index = 0
            for ancestor in ancestors {
                while index < other.ancestors.count, other.ancestors[index].offset < ancestor.offset { index += 1 }
                guard index < other.ancestors.count else { break }
                if other.ancestors[index].offset == ancestor.offset { common.append((ancestor, other.ancestors[index])) }
            }
            return common
        }

        /// Steps to another sense over the nearest common ancestor.
        func steps(to other: Sense) -> Int {
            offset == other.offset ? 0 : common(other).map { $0.steps + $1.steps }.min() ?? 0
        }
    }

    private func senses(of word: String, _ memory: inout Memory) throws(WordNetError) -> [Int] {
        if let known = memory.words[word] { return known }
        let form = word.lowercased()
        let forms = files.exceptions[form] ?? Self.singulars(form)
        var seen: Set<String> = []
        var offsets: [Int] = []
        for form in [form] + forms where seen.insert(form).inserted { offsets += try files.senses(of: form) }
        memory.words[word] = offsets
        return offsets
    }

    /// WordNet's rules of detachment for nouns.
    private static func singulars(_ word: String) -> [String] {
        [
            ("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"),
            ("ies", "y"),
        ].compactMap { word.hasSuffix($0.0) ? String(word.dropLast($0.0.count)) + $0.1 : nil }
    }

    /// - Parameter depth: how many more specific ones have led here. Real ways have 20 steps; NLTK gives up at 256, too.
    private func sense(_ offset: Int, _ memory: inout Memory, depth: Int = 0) throws(WordNetError) -> Sense {
        if let known = memory.senses[offset] { return known }
        guard depth < 256 else { throw .endless(offset: offset, file: files.dataPath) }
        var ancestors: [Int: Ancestor] = [:]
        var own = Ancestor(offset: offset, steps: 0, shortest: .max, longest: 0)
        for hypernym in try files.description(ofSense: offset).hypernyms {
            for var ancestor in try sense(hypernym, &memory, depth: depth + 1).ancestors {
                if ancestor.steps == 0 {
                    own.shortest = min(own.shortest, ancestor.shortest + 1)
                    own.longest = max(own.longest, ancestor.longest + 1)
                }
                ancestor.steps += 1
                if ancestors[ancestor.offset].map({ $0.steps > ancestor.steps }) ?? true {
                    ancestors[ancestor.offset] = ancestor
                }
            }
        }
        if ancestors.isEmpty { own.shortest = 0 }
        ancestors[offset] = own
        let sense = Sense(offset: offset, ancestors: ancestors.values.sorted { $0.offset < $1.offset })
        memory.senses[offset] = sense
        return sense
    }

    private func similarity(_ first: Sense, _ second: Sense, _ memory: inout Memory) throws(WordNetError) -> Double? {
        let common = first.common(second).map(\.0)
        guard let lowest = common.map(\.shortest).max() else { return nil }
        let candidates = common.filter { $0.shortest == lowest }
        var subsumer = candidates.first { $0.offset == first.offset } ?? candidates[0]
        if candidates.count > 1, subsumer.offset != first.offset {
            var name = try self.name(ofSense: subsumer.offset)
            for other in candidates.dropFirst() {
                let otherName = try self.name(ofSense: other.offset)
                if otherName.utf8.lexicographicallyPrecedes(name.utf8) { (subsumer, name) = (other, otherName) }
            }
        }
        let depth = subsumer.longest + 1
        let general = try sense(subsumer.offset, &memory)
        return 2 * Double(depth) / Double(first.steps(to: general) + second.steps(to: general) + 2 * depth)
    }

    /// "dog.n.01", as NLTK calls a sense: its first word and which of the word's senses it is.
    private func name(ofSense offset: Int) throws(WordNetError) -> String {
        let word = try files.description(ofSense: offset).firstWord.lowercased()
        guard let place = try files.senses(of: word).firstIndex(of: offset) else {
            throw .badSense(offset: offset, file: files.dataPath)
        }
        return word + ".n." + (place < 9 ? "0" : "") + String(place + 1)
    }
}
