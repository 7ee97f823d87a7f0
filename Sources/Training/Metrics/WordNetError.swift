/// What can be wrong with WordNet's files.
public enum WordNetError: Error, Sendable, Hashable {
    case missing(file: String, folder: String)
    case unreadable(file: String, reason: String)
    /// An entry of the index that is not of its form.
    case badEntry(word: String, file: String)
    /// A place in the data where no noun's sense is described.
    case badSense(offset: Int, file: String)
    /// A sense that is its own hypernym, or one too far from the root.
    case endless(offset: Int, file: String)
}

extension WordNetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let file, let folder):
            "\(folder): has no '\(file)'; WUPS compares words by WordNet 3.0, which the package wordnet-base installs."
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)."
        case .badEntry(let word, let file):
            "\(file): the entry of '\(word)' is damaged; install the package wordnet-base again."
        case .badSense(let offset, let file):
            "\(file): at byte \(offset) there is no sense of a noun, as the index says; both files must be of one release."
        case .endless(let offset, let file):
            "\(file): the sense at byte \(offset) has no end of more general ones; install the package wordnet-base again."
        }
    }
}
