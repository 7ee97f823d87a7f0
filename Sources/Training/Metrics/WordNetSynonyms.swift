public import Foundation
import Synchronization

/// Which words mean the same in WordNet 3.0: those that share a sense as nouns, verbs, adjectives or adverbs.
///
/// Inflected forms count as their base forms ("dogs" as "dog"), found by WordNet's lists of exceptions and its rules of
/// detachment (`morphy(7WN)`). What was asked for once is remembered.
public final class WordNetSynonyms: Sendable {
    /// What to tell people on whose machine there is no WordNet.
    public static let advice = "To count synonyms, which WordNet lists, install the package wordnet-base."

    private struct Part: Sendable {
        let files: WordNetFiles
        let rules: [(ending: String, replacement: String)]
    }

    private let parts: [Part]
    private let memory = Mutex<[String: Set<Int>]>([:])

    /// WordNet as the package `wordnet-base` installs it; nil if it is not installed.
    ///
    /// - Throws: `WordNetError.unreadable`.
    public static func installed() throws(WordNetError) -> WordNetSynonyms? {
        do {
            return try WordNetSynonyms(folder: WordNet.folder)
        } catch .missing {
            return nil
        } catch {
            throw error
        }
    }

    /// - Parameter folder: holds `index.…`, `data.…` and `….exc` of the four parts of speech `noun`, `verb`, `adj` and `adv`.
    /// - Throws: `WordNetError.missing`, `.unreadable`.
    public init(folder: URL) throws(WordNetError) {
        var parts: [Part] = []
        for (name, rules) in Self.rules { parts.append(Part(files: try WordNetFiles(folder, part: name), rules: rules)) }
        self.parts = parts
    }

    /// Whether two words, in lower case, share a sense.
    ///
    /// - Throws: `WordNetError.badEntry` where the files are damaged.
    public func areSynonyms(_ first: String, _ second: String) throws(WordNetError) -> Bool {
        if first == second { return true }
        let others = try senses(of: second)
        return try !senses(of: first).isDisjoint(with: others)
    }

    /// The senses of a word in all parts of speech, as numbers that mean nothing else.
    func senses(of word: String) throws(WordNetError) -> Set<Int> {
        if let known = memory.withLock({ $0[word] }) { return known }
        var senses: Set<Int> = []
        for (number, part) in parts.enumerated() {
            let bases =
                part.files.exceptions[word]
                ?? part.rules.compactMap { ending, replacement in
                    word.hasSuffix(ending) ? String(word.dropLast(ending.count)) + replacement : nil
                }
            for form in Set([word] + bases) {
                // Offsets are unique in a file, not among the files.
                senses.formUnion(try part.files.senses(of: form).map { $0 * 4 + number })
            }
        }
        memory.withLock { $0[word] = senses }
        return senses
    }

    private static let rules: [(part: String, rules: [(ending: String, replacement: String)])] = [
        (
            "noun",
            [
                ("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"),
                ("men", "man"), ("ies", "y"),
            ]
        ),
        (
            "verb",
            [
                ("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""),
            ]
        ),
        ("adj", [("er", ""), ("est", ""), ("er", "e"), ("est", "e")]), ("adv", []),
    ]
}
