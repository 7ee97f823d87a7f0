/// What can be wrong with a file of word vectors. Lines count from 1, offsets are bytes from the file's start.
public enum WordVectorsError: Error, Sendable, Hashable {
    case unreadable(file: String, reason: String)
    case empty(file: String)
    case badHeader(String, file: String)
    case lineTooLong(file: String, line: Int, limit: Int)
    case tooFewFields(file: String, line: Int, expected: Int, found: Int)
    case badNumber(String, file: String, line: Int)
    case wrongCount(file: String, announced: Int, found: Int)
    /// A binary file that is shorter than its header says it must be.
    case truncated(file: String, offset: Int)
    case tooSmall(file: String, bytes: Int, count: Int, dimension: Int)
    case wordTooLong(file: String, offset: Int, limit: Int)
    case notFinite(word: String, file: String, offset: Int)
    case unlikelyDimension(Int, file: String)
}

extension WordVectorsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)."
        case .empty(let file): "\(file): holds no word vectors."
        case .badHeader(let text, let file):
            "\(file), line 1: '\(text)' is neither the header 'words dimension' of word2vec nor a word with its vector (GloVe)."
        case .lineTooLong(let file, let line, let limit):
            "\(file), line \(line): is longer than \(limit) bytes; "
                + "no text file of word vectors is (is it word2vec's binary form?)."
        case .tooFewFields(let file, let line, let expected, let found):
            "\(file), line \(line): holds \(found) fields, but a word and \(expected) numbers are needed."
        case .badNumber(let text, let file, let line): "\(file), line \(line): '\(text)' is not a finite number."
        case .wrongCount(let file, let announced, let found):
            "\(file): the header announces \(announced) words, but there are \(found); the file may be cut off."
        case .truncated(let file, let offset):
            "\(file), byte \(offset): ends in the middle of a word or vector; fetch the file again."
        case .tooSmall(let file, let bytes, let count, let dimension):
            "\(file): \(bytes) bytes cannot hold the announced \(count) words of \(dimension) numbers; the file may be cut off."
        case .wordTooLong(let file, let offset, let limit):
            "\(file), byte \(offset): a word is longer than \(limit) bytes; the header's dimension does not fit the file."
        case .notFinite(let word, let file, let offset):
            "\(file), byte \(offset): the vector of '\(word)' holds an infinite or undefined number."
        case .unlikelyDimension(let dimension, let file):
            "\(file), line 1: vectors of \(dimension) numbers are not read (1 to 65536 are)."
        }
    }
}
