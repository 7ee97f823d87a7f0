public import ModelKit
import NeuralNetworks
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the models are: the cards of the project or of the installation, then the user's own, then those in folders
/// named on the command line.
///
/// A card found later hides an earlier one of the same name: the nearer to the user, the stronger. Nothing is kept in
/// memory; a question is answered by looking at the folders.
public struct Catalogue: Sendable {
    /// A folder with cards. Its layout is `ModelCards/` and `Weights/`.
    public struct Source: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable, Codable { case project, installation, user, folder }

        public let kind: Kind
        /// Absolute.
        public let root: String

        public init(_ kind: Kind, root: String) {
            self.kind = kind
            self.root = root
        }
    }

    /// In the order of the search.
    public let sources: [Source]

    public init(_ sources: [Source]) { self.sources = sources }

    /// The catalogue as the environment describes it.
    ///
    /// - The project is the nearest folder around the executable that holds `Package.swift` and `ModelCards`; the
    ///   installation is `PREFIX/share/zoo` for the executable `PREFIX/bin/zoo`; where neither is there, a `ModelCards` in
    ///   the current directory counts as a project.
    /// - The user's catalogue is `$XDG_DATA_HOME/zoo`, or `$HOME/.local/share/zoo`. It may be missing.
    /// - Parameters:
    ///   - executable: the path of the program, links followed.
    ///   - folders: of `--cards`; each is a folder with `ModelCards` in it or a folder of cards.
    public init(environment: [String: String], executable: String, currentDirectory: String, folders: [String] = []) {
        var sources: [Source] = []
        if let shipped = Self.shipped(executable: executable, currentDirectory: currentDirectory) { sources.append(shipped) }
        if let user = Self.userRoot(environment) { sources.append(Source(.user, root: user)) }
        for folder in folders {
            let absolute = folder.hasPrefix("/") ? folder : currentDirectory + "/" + folder
            sources.append(Source(.folder, root: CardFolder.normalized(absolute)))
        }
        self.init(sources)
    }

    private static func shipped(executable: String, currentDirectory: String) -> Source? {
        var folder = CardFolder.parent(of: executable)
        if CardFolder.name(of: folder) == "bin" {
            let root = CardFolder.parent(of: folder) + "/share/zoo"
            if FileStatus.isFolder(root + "/" + CardFolder.cards) { return Source(.installation, root: root) }
        }
        while folder != "/", folder != "." {
            if FileStatus.isFolder(folder + "/" + CardFolder.cards), FileStatus.isFile(folder + "/Package.swift") {
                return Source(.project, root: folder)
            }
            folder = CardFolder.parent(of: folder)
        }
        return FileStatus.isFolder(currentDirectory + "/" + CardFolder.cards) ? Source(.project, root: currentDirectory) : nil
    }

    /// XDG Base Directory Specification: a relative `XDG_DATA_HOME` is to be ignored.
    private static func userRoot(_ environment: [String: String]) -> String? {
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return CardFolder.normalized(data + "/zoo") }
        if let home = environment["HOME"], home.hasPrefix("/") { return CardFolder.normalized(home + "/.local/share/zoo") }
        return nil
    }

    var user: Source? { sources.last { $0.kind == .user } }

    // MARK: Finding cards

    /// Paths of all cards by name, the strongest last.
    func paths() -> [String: [(path: String, source: Source)]] {
        var paths: [String: [(String, Source)]] = [:]
        for source in sources {
            for folder in source.cardFolders() {
                for file in FileStatus.names(in: folder) where file.hasSuffix(".json") && !file.hasPrefix(".") {
                    paths[String(file.dropLast(5)), default: []].append((folder + "/" + file, source))
                }
            }
        }
        return paths
    }

    /// The path of the card of that name or alias; nil where there is none.
    public func path(of name: String) -> String? {
        guard ModelCard.isName(name) else { return nil }
        for source in sources.reversed() {
            for folder in source.cardFolders(of: name).reversed() {
                let path = folder + "/\(name).json"
                if FileStatus.isFile(path) { return path }
            }
        }
        return summaries().cards.last { $0.aliases.contains(name) }?.path
    }

    /// The names of all cards, sorted.
    public var names: [String] { paths().keys.sorted() }

    /// Reads a card by its name, its alias, or its path (which has a '/' or ends in `.json`).
    ///
    /// - Throws: `CardError.notFound` with the name that was probably meant, and all that reading a card can throw.
    public func card(_ nameOrPath: String) throws(CardError) -> ModelCard {
        try ModelCard(contentsOf: cardPath(nameOrPath))
    }

    /// The path of a card given by its name, its alias or its path.
    public func cardPath(_ nameOrPath: String) throws(CardError) -> String {
        if nameOrPath.contains("/") || nameOrPath.hasSuffix(".json") { return nameOrPath }
        guard let path = path(of: nameOrPath) else {
            let folders = sources.map { $0.cardFolders().first ?? $0.root }
            throw .notFound(name: nameOrPath, suggestion: Suggestion.nearest(to: nameOrPath, in: names), folders: folders)
        }
        return path
    }

    /// The text of the JSON Schema of cards.
    public func schema() throws(CardError) -> [UInt8] {
        for source in sources where source.kind == .project || source.kind == .installation {
            let path = "\(source.root)/\(CardFolder.cards)/schema/model-card-1.json"
            if FileStatus.isFile(path) { return try readFile(path, limit: JSONDocument.maximumBytes) }
        }
        throw .noSchema
    }

    // MARK: Finding files

    /// Where a file of a card may lie: beside the card, and at the same place in the user's catalogue, so that weights for
    /// an installed card need no right to write there.
    public func candidates(for file: any CardFile, of card: ModelCard) -> [String] {
        guard let path = card.folder.resolve(file.path) else { return [] }
        var candidates = [path]
        if let user, user.root != card.folder.root, !card.folder.root.hasPrefix(user.root + "/") {
            candidates.append(user.root + "/" + card.folder.relativeToRoot(path))
        }
        return candidates
    }

    /// The path of a file of a card.
    ///
    /// - Throws: `CardError.missingFile` with the way to get it.
    public func locate(_ file: any CardFile, role: String, of card: ModelCard) throws(CardError) -> String {
        let candidates = candidates(for: file, of: card)
        if let found = candidates.first(where: FileStatus.isFile) { return found }
        let path = candidates.joined(separator: "' or '")
        throw .missingFile(card: card.name, path: path, role: role, howToGet: file.howToGet)
    }

    // MARK: Backbones

    /// A backbone with the card that lists its layers.
    public struct ResolvedBackbone: Sendable {
        public let layers: BackboneDescription
        /// The card with the layers; its weights are the backbone's where the asking card has none of its own.
        public let card: ModelCard
    }

    /// Follows `{"model": …}` to the card that lists layers. The tap of the asking card is the strongest.
    ///
    /// - Throws: `CardError.missingBackbone` and `.backboneCycle` with the place of the reference.
    public func backbone(of card: ModelCard) throws(CardError) -> ResolvedBackbone {
        var card = card
        var tap: String?, input: Shape?, stride: Int?
        let asked = card
        var names = [card.name]
        while true {
            switch card.backbone {
            case nil: throw .noBackbone(card: card.name)
            case .layers(var layers):
                layers.tap = tap ?? layers.tap
                if let stride {
                    do throws(LayerError) {
                        layers.layers = try layers.tapped().finer(outputStride: stride)
                    } catch {
                        throw .invalid(asked.place(.key("backbone"), .key("output_stride")), reason: error.description)
                    }
                }
                if let input {
                    layers.input = input
                    guard layers.isComputable, (try? layers.summary()) != nil else {
                        throw .invalid(
                            asked.place(.key("backbone"), .key("input")),
                            reason: "the layers of '\(card.name)' do not take pictures of \(input)")
                    }
                }
                return ResolvedBackbone(layers: layers, card: card)
            case .model(let name, let ownInput, let ownTap, let ownStride):
                tap = tap ?? ownTap
                stride = stride ?? ownStride
                input = input ?? ownInput
                let place = card.place(.key("backbone"), .key("model"))
                guard let path = path(of: name) else {
                    throw .missingBackbone(place, name: name, suggestion: Suggestion.nearest(to: name, in: self.names))
                }
                let next = try ModelCard(contentsOf: path)
                names.append(next.name)
                guard !names.dropLast().contains(next.name) else { throw .backboneCycle(place, names: names) }
                card = next
            }
        }
    }
}

extension Catalogue.Source {
    /// The folders of this source that hold cards. In the user's catalogue, every registered model is a small catalogue
    /// of its own: `zoo/NAME/ModelCards/NAME.json`, `zoo/NAME/Weights/…`.
    func cardFolders() -> [String] {
        switch kind {
        case .project, .installation: return [root + "/" + CardFolder.cards]
        case .folder:
            let inside = root + "/" + CardFolder.cards
            return [FileStatus.isFolder(inside) ? inside : root]
        case .user:
            let registered = FileStatus.names(in: root).filter(ModelCard.isName).map { "\(root)/\($0)/\(CardFolder.cards)" }
            return [root + "/" + CardFolder.cards] + registered
        }
    }

    /// The folders where a card of this name may be.
    func cardFolders(of name: String) -> [String] {
        kind == .user ? [root + "/" + CardFolder.cards, "\(root)/\(name)/\(CardFolder.cards)"] : cardFolders()
    }
}
