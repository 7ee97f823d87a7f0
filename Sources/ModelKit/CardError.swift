/// What can be wrong with a card, or with a catalogue of cards.
public enum CardError: Error, Sendable, Hashable {
    /// A place in the text of a card. Line and column count from 1.
    public struct Place: Sendable, Hashable, CustomStringConvertible {
        public let file: String
        public let line: Int
        public let column: Int
        /// `weights[0].sha256`; empty for the whole document.
        public let path: String

        public var description: String { "\(file):\(line):\(column):" + (path.isEmpty ? "" : " \(path):") }
    }

    // Reading
    case unreadable(path: String, reason: String)
    case tooLarge(path: String, bytes: Int, limit: Int)
    case syntax(Place, JSONProblem)

    // Decoding
    case unknownKey(Place, suggestion: String?)
    case missingKey(Place, key: String)
    case wrongType(Place, expected: String, found: String)
    case null(Place)
    case outOfRange(Place, number: String, type: String)
    case notOneOf(Place, found: String, allowed: [String])
    case wrongCount(Place, expected: Int, found: Int)
    /// What a type's own initialiser said.
    case invalid(Place, reason: String)

    // Across fields
    case unsupportedVersion(Place, version: Int, supported: Int)
    case malformed(Place, found: String, expected: String)
    /// `name` is not what the file is called.
    case nameDiffersFromFile(Place, name: String, file: String)
    case missingForTask(Place, key: String, task: String)
    case duplicate(Place, value: String)
    /// A file of weights that nobody can verify or find.
    case unverifiable(Place, path: String)
    case leavesCatalogue(Place, path: String, root: String)
    case absolutePath(Place, path: String)
    case inputSizeDiffers(Place, preprocessed: [Int], input: [Int])

    // Files of a card
    case missingFile(card: String, path: String, role: String, howToGet: String?)
    case wrongSize(path: String, expected: Int, found: Int)
    case wrongDigest(path: String, expected: String, found: String)
    /// A vocabulary or a list of answers with another number of entries than its card says.
    case wrongLength(path: String, expected: Int, found: Int)
    /// A file that is there, with the right digest, but is no such thing.
    case unusable(path: String, reason: String)
    /// Registering needs the digest of every file.
    case missingDigest(Place, path: String, bytes: Int, digest: String)

    // Catalogue
    case notFound(name: String, suggestion: String?, folders: [String])
    case missingBackbone(Place, name: String, suggestion: String?)
    case backboneCycle(Place, names: [String])
    case noBackbone(card: String)
    case alreadyRegistered(name: String, path: String)
    case notRegistered(name: String, path: String?)
    case noUserCatalogue
    case noSchema
    case unwritable(path: String, reason: String)
}

extension CardError {
    /// Where in a card the error lies.
    public var place: Place? {
        switch self {
        case .syntax(let place, _), .unknownKey(let place, _), .missingKey(let place, _), .wrongType(let place, _, _),
            .null(let place), .outOfRange(let place, _, _), .notOneOf(let place, _, _), .wrongCount(let place, _, _),
            .invalid(let place, _), .unsupportedVersion(let place, _, _), .malformed(let place, _, _),
            .nameDiffersFromFile(let place, _, _), .missingForTask(let place, _, _), .duplicate(let place, _),
            .unverifiable(let place, _), .leavesCatalogue(let place, _, _), .absolutePath(let place, _),
            .inputSizeDiffers(let place, _, _), .missingDigest(let place, _, _, _), .missingBackbone(let place, _, _),
            .backboneCycle(let place, _):
            place
        case .unreadable, .tooLarge, .missingFile, .wrongSize, .wrongDigest, .wrongLength, .unusable, .notFound, .noBackbone,
            .alreadyRegistered, .notRegistered, .noUserCatalogue, .noSchema, .unwritable:
            nil
        }
    }
}

extension CardError: CustomStringConvertible {
    public var description: String { place.map { "\($0) \(message)" } ?? message }

    /// The sentence without the place.
    public var message: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)."
        case .tooLarge(let path, let bytes, let limit):
            "\(path): is \(bytes) bytes long; a JSON text may have at most \(limit)."
        case .syntax(_, let problem): "\(problem)."

        case .unknownKey(_, let suggestion?): "unknown key; did you mean '\(suggestion)'?"
        case .unknownKey(_, nil): "unknown key; remove it, or begin it with 'x-' to keep it as a remark."
        case .missingKey(_, let key): "the key '\(key)' is missing."
        case .wrongType(_, let expected, let found): "\(expected) was expected, not \(found)."
        case .null: "null is not a value here; leave the key out."
        case .outOfRange(_, let number, let type): "\(number) is out of the range of \(type)."
        case .notOneOf(_, let found, let allowed): Self.notOneOf(found, allowed)
        case .wrongCount(_, 1, let found): "1 element was expected, not \(found)."
        case .wrongCount(_, let expected, let found): "\(expected) elements were expected, not \(found)."
        case .invalid(_, let reason): "\(reason)."

        case .unsupportedVersion(_, let version, let supported):
            version > supported
                ? "this zoo reads cards up to version \(supported), and this one has version \(version); update zoo."
                : "there is no version \(version) of the card format; write \(supported)."
        case .malformed(_, let found, let expected): "'\(found)' is not \(expected)."
        case .nameDiffersFromFile(_, let name, let file):
            "the card is called '\(name)' but its file '\(file)'; rename one of them, for models are found by their file."
        case .missingForTask(_, let key, let task): "a card for \(task) needs the key '\(key)'."
        case .duplicate(_, let value): "'\(value)' stands here a second time."
        case .unverifiable(_, let path):
            "'\(path)' has neither 'sha256' and 'bytes' nor 'how_to_get'; a reader can neither verify nor find it."
        case .leavesCatalogue(_, let path, let root):
            "'\(path)' leaves the catalogue '\(root)'; put the file into its folder Weights."
        case .absolutePath(_, let path): "'\(path)' is an absolute path; paths are relative to the card."
        case .inputSizeDiffers(_, let preprocessed, let input):
            "the preprocessing makes pictures of \(Self.size(preprocessed)), but the backbone's input is \(Self.size(input))."

        case .missingFile(let card, let path, let role, let howToGet):
            "\(card): the file of \(role) '\(path)' is missing"
                + (howToGet.map { ". How to get it: \($0)" } ?? "; put it there, or register the model again.")
        case .wrongSize(let path, let expected, let found):
            "\(path): has \(found) bytes, but its card says \(expected); get the file again, or correct the card."
        case .wrongDigest(let path, let expected, let found):
            "\(path): has the SHA-256 \(found), but its card says \(expected); get the file again, or correct the card."
        case .wrongLength(let path, let expected, let found):
            "\(path): has \(found) entries, but its card says 'size': \(expected); correct one of them."
        case .unusable(let path, let reason): "\(path): \(reason)."
        case .missingDigest(_, let path, let bytes, let digest):
            "'\(path)' cannot be registered without its digest; add \"sha256\": \"\(digest)\", \"bytes\": \(bytes)."

        case .notFound(let name, let suggestion, let folders):
            "there is no model '\(name)'"
                + (suggestion.map { "; did you mean '\($0)'?" }
                    ?? (folders.isEmpty ? "." : "; looked in \(folders.joined(separator: ", "))."))
        case .missingBackbone(_, let name, let suggestion):
            "there is no model '\(name)' to take the backbone from"
                + (suggestion.map { "; did you mean '\($0)'?" } ?? "; register its card first.")
        case .backboneCycle(_, let names):
            "the backbones go round in a circle: \(names.joined(separator: " → ")); one of them must list its layers."
        case .noBackbone(let card): "\(card): the card has no backbone."
        case .alreadyRegistered(let name, let path):
            "'\(name)' is registered already (\(path)); use --replace to put the new one in its place."
        case .notRegistered(let name, let path?):
            "'\(name)' is not in the user's catalogue: it belongs to \(path) and stays there."
        case .notRegistered(let name, nil): "'\(name)' is not in the user's catalogue, and nowhere else."
        case .noUserCatalogue: "there is no user's catalogue: neither XDG_DATA_HOME nor HOME is set."
        case .noSchema:
            "the schema 'ModelCards/schema/model-card-1.json' is neither in the project nor in the installation; "
                + "install zoo again."
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)."
        }
    }

    private static func notOneOf(_ found: String, _ allowed: [String]) -> String {
        if allowed.isEmpty { return "'\(found)' is not a value that this key can have." }
        let list = "'\(found)' is not one of \(allowed.map { "'\($0)'" }.joined(separator: ", "))"
        return list + (Suggestion.nearest(to: found, in: allowed).map { "; did you mean '\($0)'?" } ?? ".")
    }

    private static func size(_ size: [Int]) -> String { size.map(String.init).joined(separator: " × ") }
}
