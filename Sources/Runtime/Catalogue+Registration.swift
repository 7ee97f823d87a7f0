import Checkpoints
public import ModelKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What registering a card did.
public struct Registration: Sendable, Hashable, Codable {
    public let name: String
    /// The card in the user's catalogue.
    public let path: String
    /// The files that were copied, verified by their SHA-256.
    public let files: [String]
    /// Where files are to be put that were not there and that the card says how to get.
    public let missing: [String]
    public let replaced: Bool
    /// Cards of other sources that are hidden by this one now.
    public let shadows: [String]
}

extension Catalogue {
    /// Copies a card and its files into the user's catalogue, as a small catalogue of its own
    /// (`NAME/ModelCards/NAME.json`, `NAME/Weights/…`): complete or not at all, because the folder is renamed into its
    /// place when everything in it has been verified.
    ///
    /// - Throws: what reading a card can throw, and `CardError.alreadyRegistered`, `.missingFile`, `.missingDigest`,
    ///   `.wrongSize`, `.wrongDigest`, `.noUserCatalogue`, `.unwritable`.
    @discardableResult
    public func register(_ cardPath: String, replace: Bool = false) throws(CardError) -> Registration {
        let card = try ModelCard(contentsOf: cardPath)
        guard let user else { throw .noUserCatalogue }
        let target = user.root + "/" + card.name
        let exists = FileStatus.isFolder(target)
        guard !exists || replace else { throw .alreadyRegistered(name: card.name, path: target) }

        try Folder.create(user.root)
        let temporary = "\(user.root)/.register-\(card.name)-\(UInt32.random(in: 0...UInt32.max))"
        try Folder.create(temporary)
        var files: [String] = []
        var missing: [String] = []
        do throws(CardError) {
            try copyFiles(of: card, to: temporary, &files, &missing)
            try Folder.write(card.document.text, to: "\(temporary)/\(CardFolder.cards)/\(card.name).json")
            try Folder.synchronize(temporary)
            if exists {
                try Folder.exchange(temporary, target)
            } else if rename(temporary, target) != 0 {
                // Somebody else registered the same name meanwhile.
                if errno == ENOTEMPTY || errno == EEXIST { throw .alreadyRegistered(name: card.name, path: target) }
                throw .unwritable(path: target, reason: lastSystemError())
            }
        } catch {
            Folder.remove(temporary)
            throw error
        }
        if exists { Folder.remove(temporary) }  // what was there before
        try Folder.synchronize(user.root)
        let path = "\(target)/\(CardFolder.cards)/\(card.name).json"
        return Registration(
            name: card.name, path: path, files: files.map { target + "/" + $0 }, missing: missing.map { target + "/" + $0 },
            replaced: exists, shadows: (paths()[card.name] ?? []).map(\.path).filter { $0 != path })
    }

    /// - Parameters:
    ///   - files: receives the copied files, relative to the folder.
    ///   - missing: receives those that were not there.
    private func copyFiles(
        of card: ModelCard, to folder: String, _ files: inout [String], _ missing: inout [String]
    ) throws(CardError) {
        try Folder.create(folder + "/" + CardFolder.cards)
        func target(_ path: String) -> String { CardFolder.normalized(CardFolder.cards + "/" + path) }
        for (components, role, file) in card.files {
            let place = card.document.place(of: components + [.key("path")])
            guard let source = candidates(for: file, of: card).first(where: FileStatus.isFile) else {
                guard file.howToGet != nil else {
                    let path = card.folder.resolve(file.path) ?? file.path
                    throw .missingFile(card: card.name, path: path, role: role, howToGet: nil)
                }
                missing.append(target(file.path))
                continue
            }
            if let bytes = file.bytes, let size = FileStatus.size(source), size != bytes {
                throw .wrongSize(path: source, expected: bytes, found: size)
            }
            let copy = folder + "/" + target(file.path)
            try Folder.copy(source, to: copy)
            // The digest of the copy, not of the original: what was verified is what will be used.
            let digest = try Self.digest(copy)
            guard let expected = file.sha256 else {
                throw .missingDigest(place, path: file.path, bytes: FileStatus.size(copy) ?? 0, digest: digest)
            }
            guard digest == expected else { throw .wrongDigest(path: source, expected: expected, found: digest) }
            files.append(target(file.path))
        }
        for path in card.examples.flatMap({ [$0.input.image, $0.input.video] }).compactMap(\.self) {
            guard let source = card.folder.resolve(path), FileStatus.isFile(source), !files.contains(target(path)) else {
                continue
            }
            try Folder.copy(source, to: folder + "/" + target(path))
            files.append(target(path))
        }
    }

    /// Lower-case hexadecimal SHA-256 of a file.
    static func digest(_ path: String) throws(CardError) -> String {
        do {
            return try SHA256Digest(ofFile: path).description
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }

    /// Removes a model from the user's catalogue, its files included.
    ///
    /// - Returns: the path of what was removed.
    /// - Throws: `CardError.notRegistered` where the name belongs to another source or to none.
    @discardableResult
    public func unregister(_ name: String) throws(CardError) -> String {
        guard let user else { throw .noUserCatalogue }
        guard ModelCard.isName(name) else { throw .notRegistered(name: name, path: nil) }
        let folder = user.root + "/" + name
        let card = "\(user.root)/\(CardFolder.cards)/\(name).json"
        if FileStatus.isFile("\(folder)/\(CardFolder.cards)/\(name).json") {
            // Out of sight at once; removing file by file could be interrupted.
            let removed = "\(user.root)/.remove-\(name)-\(UInt32.random(in: 0...UInt32.max))"
            guard rename(folder, removed) == 0 else { throw .unwritable(path: folder, reason: lastSystemError()) }
            Folder.remove(removed)
            return folder
        }
        if FileStatus.isFile(card) {  // put there by hand
            guard unlink(card) == 0 else { throw .unwritable(path: card, reason: lastSystemError()) }
            return card
        }
        throw .notRegistered(name: name, path: path(of: name))
    }
}
