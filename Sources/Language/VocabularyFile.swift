public import Foundation

/// The forms in which vocabularies are stored.
public enum VocabularyFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// im2txt's `word_counts.txt`: `word count` per line; the line's number from 0 is the id.
    case wordCounts = "word_counts"
    /// One word per line.
    case words
    /// A list of words, or an object id → word (NeuralTalk2's `ix_to_word`), or an object word → id; written as a list.
    case json
}

extension Vocabulary {
    /// No vocabulary is larger; NeuralTalk2's JSON carries the list of images, too.
    static let maximumBytes = 256 << 20

    /// Reads a vocabulary; the format follows from the content if none is given.
    ///
    /// Ids from 1 (NeuralTalk2) are kept: the convention's padding becomes id 0. Without padding the first word gets id 0.
    public init(
        contentsOf url: URL, format: VocabularyFormat? = nil, convention: VocabularyConvention = .standard
    ) throws(VocabularyError) {
        let file = url.path
        let data: Data
        do {
            let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= Self.maximumBytes else {
                throw VocabularyError.tooLarge(file: file, bytes: size, limit: Self.maximumBytes)
            }
            data = try Data(contentsOf: url)
        } catch let error as VocabularyError {
            throw error
        } catch {
            throw .unreadable(file: file, reason: FileError.reason(error))
        }
        try self.init(data: data, file: file, format: format, convention: convention)
    }

    /// Reads a vocabulary from a file's bytes; `file` names it in errors.
    public init(
        data: Data, file: String, format: VocabularyFormat? = nil, convention: VocabularyConvention = .standard
    ) throws(VocabularyError) {
        if format == .json || (format == nil && file.lowercased().hasSuffix(".json")) {
            try self.init(words: try VocabularyJSON.words(in: data, file: file), counts: nil, convention: convention, file: file)
            return
        }
        let lines = try Self.lines(of: data, file: file)
        var words: [String] = []
        words.reserveCapacity(lines.count)
        let counted: Bool
        switch format {
        case .wordCounts: counted = true
        case .words: counted = false
        default: counted = lines.allSatisfy { Self.fields(of: $0).count == 2 && Int(Self.fields(of: $0)[1]) != nil }
        }
        guard counted else {
            for (index, line) in lines.enumerated() {
                guard !line.isEmpty else { throw .emptyLine(file: file, line: index + 1) }
                words.append(line)
            }
            try self.init(words: words, counts: nil, convention: convention, file: file)
            return
        }
        var counts: [Int] = []
        for (index, line) in lines.enumerated() {
            let fields = Self.fields(of: line)
            guard let word = fields.first else { throw .emptyLine(file: file, line: index + 1) }
            guard fields.count >= 2, let count = Int(fields[fields.count - 1]), count >= 0 else {
                throw .badCount(fields.count >= 2 ? String(fields[fields.count - 1]) : "", file: file, line: index + 1)
            }
            words.append(String(word))
            counts.append(count)
        }
        try self.init(words: words, counts: counts, convention: convention, file: file)
    }

    private static func fields(of line: String) -> [Substring] {
        line.unicodeScalars.split { $0 == " " || $0 == "\t" }.map { Substring($0) }
    }

    private static func lines(of data: Data, file: String) throws(VocabularyError) -> [String] {
        var lines: [String] = []
        for bytes in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let trimmed = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
            guard let line = String(validating: trimmed, as: UTF8.self) else { throw .notText(file: file, line: lines.count + 1) }
            lines.append(line)
        }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// The file's bytes. `word_counts` writes 0 for words that were never counted.
    public func data(as format: VocabularyFormat, file: String = "vocabulary") throws(VocabularyError) -> Data {
        if format == .json {
            do {
                return try JSONSerialization.data(withJSONObject: words, options: [.prettyPrinted, .withoutEscapingSlashes])
                    + Data("\n".utf8)
            } catch {
                throw .unwritable(file: file, reason: FileError.reason(error))
            }
        }
        var text = ""
        for (id, word) in words.enumerated() {
            guard !word.isEmpty,
                !word.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\r" || (format == .wordCounts && $0.isBlank) })
            else {
                throw .unwritableWord(word, file: file)
            }
            text += format == .wordCounts ? "\(word) \(counts?[id] ?? 0)\n" : "\(word)\n"
        }
        return Data(text.utf8)
    }

    /// Writes the vocabulary, special words included, so that reading it by the same convention gives it back. The file
    /// appears whole or not at all.
    public func write(to url: URL, as format: VocabularyFormat) throws(VocabularyError) {
        let data = try data(as: format, file: url.path)
        do {
            // Foundation's atomic option writes beside the file and renames.
            try data.write(to: url, options: .atomic)
        } catch {
            throw .unwritable(file: url.path, reason: FileError.reason(error))
        }
    }
}
