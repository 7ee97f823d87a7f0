import Foundation

/// Reads WordNet's `index.noun`, `data.noun` and `noun.exc`, or another part of speech's index (formats: `wndb(5WN)`).
struct WordNetFiles: Sendable {
    /// What `data.noun` says about a sense.
    struct Description {
        var firstWord: String
        /// Places of the next more general senses; of a single thing ("Berlin") those of what it is one of.
        var hypernyms: [Int]
    }

    /// Irregular forms with their base forms: of nouns, plurals with their singulars.
    let exceptions: [String: [String]]
    let dataPath: String
    private let indexPath: String
    private let index: Data
    private let data: Data
    /// Where the index begins; before it stands the licence, in lines that begin with a space.
    private let start: Int

    /// - Parameter part: "noun", "verb", "adj" or "adv"; only nouns have descriptions here.
    /// - Throws: `WordNetError.missing`, `.unreadable`.
    init(_ folder: URL, part: String = "noun") throws(WordNetError) {
        index = try Self.contents("index.\(part)", folder)
        data = try Self.contents("data.\(part)", folder)
        dataPath = folder.appendingPathComponent("data.\(part)").path
        indexPath = folder.appendingPathComponent("index.\(part)").path
        let lines = String(decoding: try Self.contents("\(part).exc", folder), as: UTF8.self).split(separator: "\n")
        // Of forms that stand there twice NLTK takes the last line.
        exceptions = Dictionary(
            lines.map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }.map { ($0[0], Array($0.dropFirst())) },
            uniquingKeysWith: { $1 })
        start = index.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var start = 0
            while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start = Self.end(of: start, bytes) + 1 }
            return min(start, bytes.count)
        }
    }

    /// The places of a word's senses; none if the index does not have exactly this word.
    func senses(of word: String) throws(WordNetError) -> [Int] {
        guard !word.isEmpty, let line = line(of: Array(word.utf8)) else { return [] }
        // lemma n count pointers pointer… count ranked offset…
        let fields = line.split(separator: " ")
        guard fields.count > 3, let count = Int(fields[2]), let pointers = Int(fields[3]), (1...9999).contains(count),
            (0...9999).contains(pointers), fields.count == 6 + pointers + count
        else { throw .badEntry(word: word, file: indexPath) }
        let offsets = fields.suffix(count).compactMap { Int($0) }
        guard offsets.count == count else { throw .badEntry(word: word, file: indexPath) }
        return offsets
    }

    func description(ofSense offset: Int) throws(WordNetError) -> Description {
        // offset file n words(hexadecimal) word id … pointers symbol offset kind places … | explanation
        let line = (0..<data.count).contains(offset) ? text(of: data, from: offset) : ""
        let fields = line.prefix { $0 != "|" }.split(separator: " ")
        guard fields.count > 4, fields[0].utf8.count == 8, Int(fields[0]) == offset, fields[2] == "n",
            let words = Int(fields[3], radix: 16), (1...999).contains(words), fields.count > 4 + 2 * words,
            let pointers = Int(fields[4 + 2 * words]), (0...9999).contains(pointers), fields.count == 5 + 2 * words + 4 * pointers
        else { throw .badSense(offset: offset, file: dataPath) }
        var hypernyms: [Int] = []
        for pointer in 0..<pointers {
            let first = 5 + 2 * words + 4 * pointer
            // "0000": from the sense, not from one of its words.
            guard fields[first] == "@" || fields[first] == "@i", fields[first + 2] == "n", fields[first + 3] == "0000" else {
                continue
            }
            guard let target = Int(fields[first + 1]) else { throw .badSense(offset: offset, file: dataPath) }
            hypernyms.append(target)
        }
        return Description(firstWord: String(fields[4]), hypernyms: hypernyms)
    }

    /// The line that begins with the word and a space. The lines are sorted by their bytes.
    private func line(of word: [UInt8]) -> String? {
        let place: Int? = index.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var low = start, high = bytes.count
            while low < high {
                var middle = low + (high - low) / 2
                while middle > low, bytes[middle - 1] != UInt8(ascii: "\n") { middle -= 1 }
                let end = Self.end(of: middle, bytes)
                let entry = bytes[middle..<end].prefix { $0 != UInt8(ascii: " ") }
                if entry.elementsEqual(word) { return middle }
                if entry.lexicographicallyPrecedes(word) { low = end + 1 } else { high = middle }
            }
            return nil
        }
        return place.map { text(of: index, from: $0) }
    }

    private func text(of file: Data, from start: Int) -> String {
        file.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            String(decoding: bytes[start..<Self.end(of: start, bytes)], as: UTF8.self)
        }
    }

    private static func end(of line: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
        bytes[line...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    }

    private static func contents(_ name: String, _ folder: URL) throws(WordNetError) -> Data {
        let url = folder.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: url.path) else { throw .missing(file: name, folder: folder.path) }
        do {
            return try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            throw .unreadable(file: url.path, reason: (error as NSError).localizedDescription)
        }
    }
}
