import Checkpoints
import Foundation
import ModelKit
public import Tensors

/// Where packed weights are kept from run to run: `$XDG_CACHE_HOME/zoo`, or `~/.cache/zoo`.
///
/// A file's name is a digest of everything that its content depends on: the SHA-256 of the weights' files, the text of the
/// cards, the instruction set, the threads (they decide which algorithm is fastest), the precision, and the version of
/// packing. Anything may be removed at any time.
public struct PackingFolder: Sendable {
    public let path: String
    /// What the backend was compiled for, and with how many threads it runs.
    private let machine: String
    /// Above this the files that were used least recently go.
    private static let limit = 4 << 30
    /// To be raised whenever a kernel packs otherwise under the same name.
    private static let version = 1

    /// - Returns: nil where the environment names no folder.
    public init?(environment: [String: String], instructionSet: String, threads: Int) {
        // XDG Base Directory Specification: a relative path is to be ignored.
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
            path = CardFolder.normalized(cache + "/zoo")
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            path = CardFolder.normalized(home + "/.cache/zoo")
        } else {
            return nil
        }
        machine = "\(instructionSet), \(threads) threads"
    }

    /// The packed weights of a model.
    /// - Parameters:
    ///   - description: the texts of its cards, and whatever else the layers depend on.
    ///   - files: with its weights.
    ///   - storage: of large matrices.
    /// - Returns: nil where a file cannot be read.
    public func weights(
        of model: String, description: [[UInt8]], files: [String], storage: WeightStorage
    ) -> PackedWeights? {
        var key = ["\(Self.version)", machine, storage.rawValue] + description.map { SHA256Digest(of: $0).description }
        for file in files {
            guard let digest = digest(of: file) else { return nil }
            key.append(digest)
        }
        let name = SHA256Digest(of: key.joined(separator: "\u{0}").utf8).description
        return PackedWeights("\(path)/packed/\(name)", model: model)
    }

    // MARK: Digests

    /// The digest of a file, remembered as long as nothing about the file changes.
    private func digest(of file: String) -> String? {
        guard let identity = FileStatus.identity(file) else { return nil }
        let note = "\(path)/digests/\(SHA256Digest(of: identity.description.utf8))"
        if let known = try? String(contentsOfFile: note, encoding: .utf8), known.utf8.count == 64 { return known }
        guard let digest = try? SHA256Digest(ofFile: file).description else { return nil }
        // A file that has just been written might be written again within the same tick of its clock.
        if identity.age > 2 {
            _ = try? AtomicFile.write(made(note)) { temporary throws(CheckpointError) in
                var writer = try FileWriter(temporary, path: note)
                try writer.append(Array(digest.utf8))
            }
        }
        return digest
    }

    /// The path, in a folder that is there.
    private func made(_ path: String) -> String {
        try? Folder.create(CardFolder.parent(of: path))
        return path
    }

    // MARK: What is there

    /// A file with packed weights.
    public struct File: Sendable {
        public let path: String
        public let model: String
        public let bytes: Int
        /// In seconds since 1970.
        public let lastUse: Double
    }

    /// The files, the last used first.
    public var files: [File] {
        FileStatus.names(in: path + "/packed").compactMap { name in
            let path = "\(path)/packed/\(name)"
            guard let bytes = FileStatus.size(path), let use = FileStatus.modification(path) else { return nil }
            return File(path: path, model: PackedWeights.open(path)?.header.model ?? "?", bytes: bytes, lastUse: use)
        }.sorted { ($0.lastUse, $0.path) > ($1.lastUse, $1.path) }
    }

    /// Removes everything.
    public func clear() {
        for folder in ["packed", "digests"] { Folder.remove("\(path)/\(folder)") }
    }

    /// Writes what a model's layers have packed, when they are all made and nothing was wrong with their weights; removes the
    /// files that were used least recently where there are too many.
    public func finish(_ weights: PackedWeights) {
        let isNew = weights.save()
        utimes(weights.path, nil)
        guard isNew else { return }
        var total = 0
        for file in files {
            total += file.bytes
            if total > Self.limit, file.path != weights.path { Folder.remove(file.path) }
        }
    }
}
