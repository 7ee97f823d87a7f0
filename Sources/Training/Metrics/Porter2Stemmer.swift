/// The English stemmer of Snowball, known as Porter2 (M. F. Porter, 2001; snowballstem.org/algorithms/english), in the form that
/// METEOR 1.5 has it: "running" and "runs" become "run".
///
/// A stem need not be a word: "beautiful" becomes "beauti".
public struct Porter2Stemmer: Sendable {
    public init() {}

    /// - Parameter word: in lower case.
    public func stem(_ word: String) -> String {
        var form = Form(word)
        form.reduce()
        return form.text
    }

    /// A word on its way to its stem. "R1" and "R2" are the algorithm's regions, "Y" is a y that is a consonant.
    private struct Form {
        private var letters: [Unicode.Scalar]
        /// Where R1 and R2 begin.
        private var r1 = 0, r2 = 0

        init(_ word: String) { letters = Array(word.unicodeScalars) }

        var text: String {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: letters.map { $0 == "Y" ? "y" : $0 })
            return String(text)
        }

        mutating func reduce() {
            guard letters.count > 2 else { return }
            if letters[0] == "'" { letters.removeFirst() }
            if let known = Porter2Stemmer.irregular[text] {
                letters = Array(known.unicodeScalars)
                return
            }
            markConsonants()
            findRegions()
            dropApostrophe()
            dropPlural()
            if Porter2Stemmer.finished.contains(text) { return }
            dropParticiple()
            replaceFinalY()
            replaceEnding(Porter2Stemmer.step2)
            replaceEnding(Porter2Stemmer.step3)
            dropEnding()
            dropFinalLetter()
        }

        // MARK: Letters

        private static func isVowel(_ letter: Unicode.Scalar) -> Bool {
            switch letter {
            case "a", "e", "i", "o", "u", "y": true
            default: false
            }
        }

        /// A y at the beginning or behind a vowel.
        private mutating func markConsonants() {
            for i in letters.indices where letters[i] == "y" && (i == 0 || Self.isVowel(letters[i - 1])) { letters[i] = "Y" }
        }

        private mutating func findRegions() {
            let prefixes = ["gener", "commun", "arsen"]
            if let prefix = prefixes.first(where: { letters.starts(with: $0.unicodeScalars) }) {
                r1 = prefix.utf8.count
            } else {
                r1 = region(from: 0)
            }
            r2 = region(from: r1)
        }

        /// What follows the first consonant behind a vowel.
        private func region(from start: Int) -> Int {
            var i = start + 1
            while i < letters.count {
                if Self.isVowel(letters[i - 1]), !Self.isVowel(letters[i]) { return i + 1 }
                i += 1
            }
            return letters.count
        }

        private func ends(in suffix: String) -> Bool {
            letters.count >= suffix.utf8.count && letters.suffix(suffix.utf8.count).elementsEqual(suffix.unicodeScalars)
        }

        private func hasVowel(before end: Int) -> Bool { end > 0 && letters[..<end].contains(where: Self.isVowel) }

        /// Whether the first `end` letters end in a short syllable: a vowel between consonants, of which the last is not w, x or
        /// Y; or, at the beginning of the word, a vowel before a consonant.
        private func isShortSyllable(before end: Int) -> Bool {
            guard end >= 2, !Self.isVowel(letters[end - 1]), Self.isVowel(letters[end - 2]) else { return false }
            if end == 2 { return true }
            return !Self.isVowel(letters[end - 3]) && !["w", "x", "Y"].contains(letters[end - 1])
        }

        private mutating func replace(_ suffix: String, by ending: String) {
            letters.removeLast(suffix.utf8.count)
            letters += ending.unicodeScalars
        }

        // MARK: Steps

        /// Step 0
        private mutating func dropApostrophe() {
            if let suffix = ["'s'", "'s", "'"].first(where: ends) { replace(suffix, by: "") }
        }

        /// Step 1a
        private mutating func dropPlural() {
            if ends(in: "sses") {
                replace("sses", by: "ss")
            } else if let suffix = ["ied", "ies"].first(where: ends) {
                replace(suffix, by: letters.count > 4 ? "i" : "ie")
            } else if ends(in: "s"), !ends(in: "us"), !ends(in: "ss"), hasVowel(before: letters.count - 2) {
                letters.removeLast()
            }
        }

        /// Step 1b
        private mutating func dropParticiple() {
            if let suffix = ["eedly", "eed"].first(where: ends) {
                if letters.count - suffix.utf8.count >= r1 { replace(suffix, by: "ee") }
                return
            }
            guard let suffix = ["ingly", "edly", "ing", "ed"].first(where: ends),
                hasVowel(before: letters.count - suffix.utf8.count)
            else { return }
            replace(suffix, by: "")
            if ["at", "bl", "iz"].contains(where: ends) {
                letters.append("e")
            } else if let last = letters.last, letters.count > 1, letters[letters.count - 2] == last,
                ["b", "d", "f", "g", "m", "n", "p", "r", "t"].contains(last)
            {
                letters.removeLast()
            } else if r1 >= letters.count, isShortSyllable(before: letters.count) {
                letters.append("e")
            }
        }

        /// Step 1c
        private mutating func replaceFinalY() {
            guard letters.count > 2, ends(in: "y") || ends(in: "Y"), !Self.isVowel(letters[letters.count - 2]) else { return }
            letters[letters.count - 1] = "i"
        }

        /// Steps 2 and 3: only the longest ending that fits counts.
        private mutating func replaceEnding(_ endings: [Ending]) {
            guard let ending = endings.first(where: { ends(in: $0.suffix) }) else { return }
            let start = letters.count - ending.suffix.utf8.count
            guard start >= (ending.isInR2 ? r2 : r1) else { return }
            if let before = ending.before, start == 0 || !before.unicodeScalars.contains(letters[start - 1]) { return }
            replace(ending.suffix, by: ending.replacement)
        }

        /// Step 4
        private mutating func dropEnding() {
            guard let suffix = Porter2Stemmer.step4.first(where: ends) else { return }
            let start = letters.count - suffix.utf8.count
            guard start >= r2 else { return }
            if suffix == "ion", start == 0 || !["s", "t"].contains(letters[start - 1]) { return }
            replace(suffix, by: "")
        }

        /// Step 5
        private mutating func dropFinalLetter() {
            let start = letters.count - 1
            if ends(in: "e") {
                if start >= r2 || start >= r1 && !isShortSyllable(before: start) { letters.removeLast() }
            } else if ends(in: "ll"), start >= r2 {
                letters.removeLast()
            }
        }
    }

    private struct Ending {
        let suffix: String
        let replacement: String
        /// What may stand before the suffix, where not anything may.
        let before: String?
        let isInR2: Bool

        init(_ suffix: String, _ replacement: String, before: String? = nil, isInR2: Bool = false) {
            (self.suffix, self.replacement, self.before, self.isInR2) = (suffix, replacement, before, isInR2)
        }
    }

    private static let irregular = [
        "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "idly": "idl", "gently": "gentl",
        "ugly": "ugli", "early": "earli", "only": "onli", "singly": "singl", "sky": "sky", "news": "news", "howe": "howe",
        "atlas": "atlas", "cosmos": "cosmos", "bias": "bias", "andes": "andes",
    ]

    /// Words that are done after step 1a.
    private static let finished: Set<String> = [
        "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
    ]

    /// The longest first.
    private static let step2: [Ending] = [
        Ending("ational", "ate"), Ending("fulness", "ful"), Ending("iveness", "ive"), Ending("ization", "ize"),
        Ending("ousness", "ous"), Ending("biliti", "ble"), Ending("lessli", "less"), Ending("tional", "tion"),
        Ending("alism", "al"), Ending("aliti", "al"), Ending("ation", "ate"), Ending("entli", "ent"), Ending("fulli", "ful"),
        Ending("iviti", "ive"), Ending("ousli", "ous"), Ending("abli", "able"), Ending("alli", "al"), Ending("anci", "ance"),
        Ending("ator", "ate"), Ending("enci", "ence"), Ending("izer", "ize"), Ending("bli", "ble"),
        Ending("ogi", "og", before: "l"), Ending("li", "", before: "cdeghkmnrt"),
    ]
    private static let step3: [Ending] = [
        Ending("ational", "ate"), Ending("tional", "tion"), Ending("alize", "al"), Ending("ative", "", isInR2: true),
        Ending("icate", "ic"), Ending("iciti", "ic"), Ending("ical", "ic"), Ending("ness", ""), Ending("ful", ""),
    ]
    private static let step4 = [
        "ement", "able", "ance", "ence", "ible", "ment", "ant", "ate", "ent", "ion", "ism", "iti", "ive", "ize", "ous", "al",
        "er", "ic",
    ]
}
