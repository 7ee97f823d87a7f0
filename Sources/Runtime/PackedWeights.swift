package import Checkpoints
import ModelKit
public import Tensors
import Synchronization

/// The packed weights of one model: what an earlier run packed is mapped from a file, what this run packs is added to it.
///
/// The file: `zoopack1`, the length of a JSON header as a little-endian 64-bit integer, the header's SHA-256 in hexadecimal,
/// the header, and the memories, each from a multiple of ``alignment``. The header is
/// `{"model": …, "entries": [{"name", "offset", "bytes"}, …], "size": …}`, with offsets from the file's beginning.
public final class PackedWeights: PackingCache {
    package let path: String
    private let model: String
    private let mapped: [String: PackedMemory]
    private let fresh = Mutex<[(name: String, memory: PackedMemory)]>([])

    private static let signature = Array("zoopack1".utf8)
    /// A page: the widest registers are aligned, and no memory shares a page with another.
    private static let alignment = 4096
    /// Less than this is packed sooner than it is found.
    package static let smallest = 4 << 20

    /// - Parameters:
    ///   - path: the file. Where there is none, or one that is damaged, nothing is mapped.
    ///   - model: told by `zoo cache`.
    package init(_ path: String, model: String) {
        (self.path, self.model) = (path, model)
        var mapped: [String: PackedMemory] = [:]
        if let (file, header) = Self.open(path) {
            for entry in header.entries {
                let bytes = UnsafeRawBufferPointer(start: file.base + entry.offset, count: entry.bytes)
                mapped[entry.name] = PackedMemory(borrowing: bytes, owner: file)
            }
        }
        self.mapped = mapped
    }

    public func memory(_ name: String, bytes: Int) -> PackedMemory? {
        guard let memory = mapped[name], memory.withBytes(\.count) == bytes else { return nil }
        return memory
    }

    public func keep(_ memory: PackedMemory, as name: String) { fresh.withLock { $0.append((name, memory)) } }

    /// Writes the file anew if this run has packed something worth it.
    /// - Returns: whether there is a new file. One that cannot be written is only a slower next run.
    package func save() -> Bool {
        let fresh = fresh.withLock { $0 }, names = Set(fresh.map(\.name))
        if fresh.isEmpty { return false }
        let all = fresh + mapped.filter { !names.contains($0.key) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        guard all.reduce(0, { $0 + $1.memory.withBytes(\.count) }) >= Self.smallest else { return false }
        do {
            try Folder.create(CardFolder.parent(of: path))
            try AtomicFile.write(path) { temporary throws(CheckpointError) in try write(all, to: temporary) }
            return true
        } catch {
            return false
        }
    }

    private func write(_ all: [(name: String, memory: PackedMemory)], to temporary: String) throws(CheckpointError) {
        func aligned(_ offset: Int) -> Int { (offset + Self.alignment - 1) / Self.alignment * Self.alignment }
        // The offsets are in the header, whose length depends on them: they begin behind room for the longest.
        let room = aligned(1024 + all.reduce(0) { $0 + $1.name.utf8.count * 2 + 96 })
        var entries: [JSONValue] = [], offset = room
        for (name, memory) in all {
            let bytes = memory.withBytes(\.count)
            entries.append(
                .object([.init("name", .string(name)), .init("offset", .integer(offset)), .init("bytes", .integer(bytes))]))
            offset = aligned(offset + bytes)
        }
        let header = Array(
            JSONValue.object([
                .init("model", .string(model)), .init("entries", .array(entries)), .init("size", .integer(offset)),
            ]).text.utf8)
        var file = try FileWriter(temporary, path: path)
        try file.append(Self.signature)
        try file.append(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
        try file.append(Array(SHA256Digest(of: header).description.utf8))
        try file.append(header)
        for (_, memory) in all {
            try file.append(
                [UInt8](repeating: 0, count: max(0, (file.offset < room ? room : aligned(file.offset)) - file.offset)))
            try memory.withBytes { bytes throws(CheckpointError) in try file.append(bytes) }
        }
        try file.append([UInt8](repeating: 0, count: offset - file.offset))
    }

    // MARK: Reading

    /// What a file says of itself.
    package struct Header {
        struct Entry {
            let name: String
            let offset: Int, bytes: Int
        }
        let model: String
        let entries: [Entry]
    }

    /// The file and its header; nil where anything about it is in doubt.
    package static func open(_ path: String) -> (file: FileMemory, header: Header)? {
        guard let file = try? FileMemory(mapping: path) else { return nil }
        let bytes = file.bytes, start = signature.count + 8 + 64
        guard bytes.has(signature),
            let length: UInt64 = try? bytes.integer(at: signature.count, "header"), length < 16 << 20,
            let digest = try? bytes.slice(at: signature.count + 8, count: 64, "digest"),
            let header = try? bytes.slice(at: start, count: Int(length), "header"),
            SHA256Digest(of: header.array).description == digest.text,
            let root = try? JSONDocument(header.array, file: path).root,
            let model = root["model"]?.string, let size = root["size"].flatMap({ Int($0.source) }), size == bytes.count
        else { return nil }
        var entries: [Header.Entry] = []
        for entry in root["entries"]?.elements ?? [] {
            guard let name = entry["name"]?.string, let offset = entry["offset"].flatMap({ Int($0.source) }),
                let count = entry["bytes"].flatMap({ Int($0.source) }), offset % alignment == 0,
                (try? bytes.check(offset, count, name)) != nil
            else { return nil }
            entries.append(.init(name: name, offset: offset, bytes: count))
        }
        return (file, Header(model: model, entries: entries))
    }
}
