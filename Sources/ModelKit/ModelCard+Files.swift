public import Language

/// A file that a card names.
public protocol CardFile: Sendable {
    /// Relative to the card.
    var path: String { get }
    /// 64 lower-case hexadecimal digits.
    var sha256: String? { get }
    var bytes: Int? { get }
    /// Where the file comes from when it is not shipped: a sentence.
    var howToGet: String? { get }
}

extension ModelCard {
    /// A file of tensors.
    public struct WeightsFile: CardFile, Decodable {
        public enum Format: String, Sendable, Hashable, Codable, CaseIterable {
            case hdf5, safetensors, npz, npy
        }

        /// Which part of the model the tensors belong to.
        public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
            case main, cnn, gmm, pca, idf
        }

        public enum ElementType: String, Sendable, Hashable, Codable, CaseIterable { case float32, float16, float64 }

        public let path: String
        /// Nil: the file's content tells.
        public let format: Format?
        public let sha256: String?
        public let bytes: Int?
        public let role: Role
        public let dtype: ElementType?
        public let urls: [String]
        public let howToGet: String?
        /// What the file was made from: a name, a commit, a digest.
        public let source: String?

        private enum CodingKeys: CodingKey { case path, format, sha256, bytes, role, dtype, urls, howToGet, source }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            path = try json.decode(String.self, forKey: .path)
            format = try json.decodeIfPresent(Format.self, forKey: .format)
            sha256 = try json.decodeIfPresent(String.self, forKey: .sha256)
            bytes = try json.decodeIfPresent(Int.self, forKey: .bytes)
            role = try json.decodeIfPresent(Role.self, forKey: .role) ?? .main
            dtype = try json.decodeIfPresent(ElementType.self, forKey: .dtype)
            urls = try json.decodeIfPresent([String].self, forKey: .urls) ?? []
            howToGet = try json.decodeIfPresent(String.self, forKey: .howToGet)
            source = try json.decodeIfPresent(String.self, forKey: .source)
        }
    }

    /// The words of a model.
    public struct VocabularyFile: CardFile, Decodable {
        public let path: String
        /// Nil: the file's content tells.
        public let format: VocabularyFormat?
        public let sha256: String?
        public let bytes: Int?
        public let howToGet: String?
        /// Words, special ones included.
        public let size: Int?
        /// Which special words there are.
        public let convention: VocabularyConvention
        /// How sentences are cut into words; nil for a model that only writes.
        public let tokenizer: Tokenizer?

        private enum CodingKeys: CodingKey { case path, format, sha256, bytes, howToGet, size, convention, tokenizer }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            path = try json.decode(String.self, forKey: .path)
            format = try json.decodeIfPresent(VocabularyFormat.self, forKey: .format)
            sha256 = try json.decodeIfPresent(String.self, forKey: .sha256)
            bytes = try json.decodeIfPresent(Int.self, forKey: .bytes)
            howToGet = try json.decodeIfPresent(String.self, forKey: .howToGet)
            size = try json.decodeIfPresent(Int.self, forKey: .size)
            convention = try json.decodeIfPresent(VocabularyConvention.self, forKey: .convention) ?? .standard
            tokenizer = try json.decodeIfPresent(Tokenizer.self, forKey: .tokenizer)
        }
    }

    /// The answers or classes that a model chooses from, one per line, in the order of its outputs.
    public struct AnswersFile: CardFile, Decodable {
        public let path: String
        public let sha256: String?
        public let bytes: Int?
        public let howToGet: String?
        public let size: Int
    }

    /// Every file the card names with the path of its entry.
    public var files: [(place: [JSONPath.Component], role: String, file: any CardFile)] {
        var files: [([JSONPath.Component], String, any CardFile)] = []
        for (i, file) in weights.enumerated() {
            files.append(
                ([.key("weights"), .index(i)], file.role == .main ? "weights" : "weights (\(file.role.rawValue))", file))
        }
        if let vocabulary { files.append(([.key("vocabulary")], "the vocabulary", vocabulary)) }
        if let answers { files.append(([.key("answers")], "the answers", answers)) }
        return files
    }
}
