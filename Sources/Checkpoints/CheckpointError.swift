/// One case for every way in which a checkpoint can be wrong; the description says which file, where in it, and what
/// to do about it.
public enum CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operating system does not let us read the file.
    case unreadable(path: String, reason: String)
    /// The operating system does not let us write the file.
    case unwritable(path: String, reason: String)
    /// Neither content nor extension is one that we know.
    case unknownFormat(path: String, known: [String])
    /// The format can be read, but is not one that we write.
    case notWritable(path: String, format: String, writable: [String])
    /// A structure reaches beyond the end of the file, or of the block it lies in.
    case truncated(path: String, place: String, end: Int, available: Int)
    /// Bytes that contradict the format's definition.
    case malformed(path: String, place: String, problem: String)
    /// Legal, but beyond what this reader understands.
    case unsupported(path: String, place: String, feature: String, remedy: String)
    /// Legal, but not safe to follow: links out of the file, pickled objects, encrypted members.
    case refused(path: String, place: String, reason: String)
    /// A declared size is absurd: it was not allocated.
    case tooLarge(path: String, place: String, declared: String, limit: String)
    /// The stored checksum and the bytes disagree.
    case corrupt(path: String, place: String, expected: String, found: String)
    case noSuchTensor(path: String, name: String, similar: [String])
    case shapeMismatch(path: String, name: String, expected: [Int], found: [Int])
    /// A tensor that the output's format cannot hold.
    case unstorable(path: String, name: String, reason: String)
    /// This machine lacks the library that writes the format.
    case libraryMissing(path: String, library: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)."
        case .unwritable(let path, let reason):
            "\(path): cannot be written: \(reason)."
        case .unknownFormat(let path, let known):
            "\(path): neither its content nor its extension is that of a checkpoint; "
                + "known formats are \(known.joined(separator: ", "))."
        case .notWritable(let path, let format, let writable):
            "\(path): checkpoints cannot be written as \(format); choose an extension of \(writable.joined(separator: ", "))."
        case .truncated(let path, let place, let end, let available):
            "\(path): \(place) would end at byte \(end), but there are only \(available); "
                + "the file is cut off or damaged, copy it again."
        case .malformed(let path, let place, let problem):
            "\(path): \(place): \(problem); the file is damaged, copy it again."
        case .unsupported(let path, let place, let feature, let remedy):
            "\(path): \(place) uses \(feature), which is not supported; \(remedy)."
        case .refused(let path, let place, let reason):
            "\(path): \(place) is refused: \(reason)."
        case .tooLarge(let path, let place, let declared, let limit):
            "\(path): \(place) declares \(declared), more than the limit of \(limit); the file is damaged or hostile."
        case .corrupt(let path, let place, let expected, let found):
            "\(path): \(place) has the checksum \(found), but \(expected) is recorded; the file is damaged, copy it again."
        case .noSuchTensor(let path, let name, let similar) where similar.isEmpty:
            "\(path): has no tensor '\(name)'; `zoo tensors ls` shows what it has."
        case .noSuchTensor(let path, let name, let similar):
            "\(path): has no tensor '\(name)'; did you mean \(similar.map { "'\($0)'" }.joined(separator: " or "))?"
        case .shapeMismatch(let path, let name, let expected, let found):
            "\(path): tensor '\(name)' has the shape \(Self.text(found)), but \(Self.text(expected)) is needed."
        case .unstorable(let path, let name, let reason):
            "\(path): tensor '\(name)' cannot be stored: \(reason)."
        case .libraryMissing(let path, let library):
            "\(path): writing it needs \(library), which cannot be loaded; "
                + "install it with 'apt install \(HDF5Library.debianPackage)', or write .safetensors or .npz."
        }
    }

    private static func text(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: "×") + "]" }
}
