public import Media
public import Tensors

/// One model as data: what it is, what it is made of, where its files are, how good it is and whose it is.
///
/// The format is described in `ModelCards/schema/model-card-1.json` (`zoo schema`). A card is strict JSON; keys that begin
/// with `x-` are free, every other unknown key is an error. Which values belong together is checked by ``problems()``.
public struct ModelCard: Sendable {
    /// The version of the format that this program reads.
    public static let formatVersion = 1

    public let schema: String?
    public let schemaVersion: Int
    /// What the model is called on the command line: `[a-z0-9][a-z0-9._-]{0,63}`, the card's file without `.json`.
    public let name: String
    /// Semantic version of the model.
    public let version: String
    public let title: String
    /// One line.
    public let summary: String
    /// Markdown.
    public let description: String?
    public let aliases: [String]
    public let task: ModelTask
    /// The plugin: `[A-Za-z][A-Za-z0-9]*`.
    public let architecture: String
    /// Left as it stands for the plugin's own type: ``hyperparameters(as:)``.
    public let hyperparameters: JSONNode?
    /// How answers are chosen by default, left as it stands: ``decoding(as:options:)``.
    public let decoding: JSONNode?
    public let backbone: BackboneSource?
    /// Which frames of a video are looked at.
    public let frames: FrameSelection?
    public let preprocess: Preprocessing?
    public let vocabulary: VocabularyFile?
    public let answers: AnswersFile?
    public let weights: [WeightsFile]
    /// How large matrices are kept in memory while the model runs.
    public let storage: WeightStorage
    /// Weights and biases, without running statistics.
    public let parametersCount: Int?
    public let examples: [Example]
    public let metrics: [Metric]
    public let training: Training?
    public let license: License
    public let origin: Origin?
    public let papers: [Paper]
    /// BibTeX.
    public let citation: String?
    public let considerations: Considerations?
    public let tags: [String]
    /// `YYYY-MM-DD`.
    public let created: String?
    public let updated: String?

    /// The card's text.
    public let document: JSONDocument
    /// Where the card's files are looked for.
    public let folder: CardFolder

    enum CodingKeys: String, CodingKey, CaseIterable {
        case schema = "$schema"
        case schemaVersion, name, version, title, summary, description, aliases, task, architecture, hyperparameters
        case decoding, backbone, frames, preprocess, vocabulary, answers, weights, storage, parametersCount, examples, metrics
        case training, license, origin, papers, citation, considerations, tags, created, updated
    }

    /// Reads a card; its files are not looked at.
    ///
    /// - Throws: `CardError` with file, line and column of the first thing that is wrong in the text, an unknown key among
    ///   it, or across its fields.
    public init(contentsOf path: String) throws(CardError) {
        let document = try JSONDocument(contentsOf: path)
        try self.init(document, folder: CardFolder(ofCard: path))
    }

    /// - Parameter folder: where the card's relative paths begin.
    public init(_ document: JSONDocument, folder: CardFolder) throws(CardError) {
        let card = try Self.decode(document, folder: folder)
        if let unknown = card.unknownKeys.first { throw unknown }
        if let problem = card.card.problems().first { throw problem }
        self = card.card
    }

    /// The card with the keys nobody knows, both before they become errors: `zoo check` lists all of them.
    package static func decode(
        _ document: JSONDocument, folder: CardFolder
    ) throws(CardError) -> (card: ModelCard, unknownKeys: [CardError]) {
        // A newer format may have anything in it: say so before complaining about it.
        if let version = document.root["schema_version"], version.kind == .number, version.source != "\(formatVersion)" {
            throw .unsupportedVersion(version.place, version: Int(version.source) ?? 0, supported: formatVersion)
        }
        var decoder = StrictJSONDecoder()
        decoder.userInfo[folderKey] = folder
        var unknown: [CardError] = []
        let card = try decoder.decode(ModelCard.self, from: document.root, unknownKeys: &unknown)
        return (card, unknown)
    }

    private static var folderKey: CodingUserInfoKey { CodingUserInfoKey(rawValue: "zoo.card.folder")! }

    /// The plugin's own hyper-parameters, decoded as strictly as the card. A card without any is like one with `{}`.
    public func hyperparameters<T: Decodable>(as type: T.Type) throws(CardError) -> T {
        try StrictJSONDecoder().decode(type, from: object(hyperparameters))
    }

    /// How answers are chosen: the card's `decoding` with members replaced by the options of a run.
    ///
    /// - Parameter options: members of the same object; errors in them are told at `<options>`.
    public func decoding<T: Decodable>(as type: T.Type, options: [JSONValue.Member] = []) throws(CardError) -> T {
        let node = try object(decoding)
        guard !options.isEmpty else { return try StrictJSONDecoder().decode(type, from: node) }
        // First without the options, so that what is wrong in the card is told at its place in the card.
        _ = try StrictJSONDecoder().decode(type, from: node)
        let names = Set(options.map(\.key))
        let kept = node.members.filter { !names.contains($0.name) }.map { JSONValue.Member($0.name, JSONValue($0.value)) }
        let merged = try JSONDocument(JSONValue.object(kept + options).text, file: "<options>")
        return try StrictJSONDecoder().decode(type, from: merged.root)
    }

    private func object(_ node: JSONNode?) throws(CardError) -> JSONNode {
        if let node { return node }
        return try JSONDocument("{}", file: document.file).root
    }

    /// The place of a value in the card's text, for errors; of what is nearest where the card lacks it.
    public func place(_ components: JSONPath.Component...) -> CardError.Place {
        document.place(of: components)
    }
}

extension ModelCard: Decodable {
    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func list<T: Decodable>(_ key: CodingKeys) throws -> [T] { try json.decodeIfPresent([T].self, forKey: key) ?? [] }
        func text(_ key: CodingKeys) throws -> String? { try json.decodeIfPresent(String.self, forKey: key) }
        func object(_ key: CodingKeys) throws -> JSONNode? {
            let node = try json.decodeIfPresent(JSONNode.self, forKey: key)
            if let node, node.kind != .object { throw CardError.wrongType(node.place, expected: "an object", found: node.noun) }
            return node
        }

        schema = try text(.schema)
        schemaVersion = try json.decode(Int.self, forKey: .schemaVersion)
        name = try json.decode(String.self, forKey: .name)
        version = try json.decode(String.self, forKey: .version)
        title = try json.decode(String.self, forKey: .title)
        summary = try json.decode(String.self, forKey: .summary)
        description = try text(.description)
        aliases = try list(.aliases)
        task = try json.decode(ModelTask.self, forKey: .task)
        architecture = try json.decode(String.self, forKey: .architecture)
        hyperparameters = try object(.hyperparameters)
        decoding = try object(.decoding)
        backbone = try json.decodeIfPresent(BackboneSource.self, forKey: .backbone)
        frames = try json.decodeIfPresent(FrameSelection.self, forKey: .frames)
        preprocess = try json.decodeIfPresent(Preprocessing.self, forKey: .preprocess)
        vocabulary = try json.decodeIfPresent(VocabularyFile.self, forKey: .vocabulary)
        answers = try json.decodeIfPresent(AnswersFile.self, forKey: .answers)
        weights = try json.decode([WeightsFile].self, forKey: .weights)
        storage = try json.decodeIfPresent(WeightStorage.self, forKey: .storage) ?? .float32
        parametersCount = try json.decodeIfPresent(Int.self, forKey: .parametersCount)
        examples = try list(.examples)
        metrics = try list(.metrics)
        training = try json.decodeIfPresent(Training.self, forKey: .training)
        license = try json.decode(License.self, forKey: .license)
        origin = try json.decodeIfPresent(Origin.self, forKey: .origin)
        papers = try list(.papers)
        citation = try text(.citation)
        considerations = try json.decodeIfPresent(Considerations.self, forKey: .considerations)
        tags = try list(.tags)
        created = try text(.created)
        updated = try text(.updated)

        let node = try JSONNode(from: decoder)
        document = node.document
        folder = decoder.userInfo[Self.folderKey] as? CardFolder ?? CardFolder(ofCard: node.document.file)
    }
}
