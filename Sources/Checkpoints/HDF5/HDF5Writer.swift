import Synchronization
import Tensors

/// Writes HDF5 through the C library, which is opened for it: groups for the components of names, one data set per tensor,
/// texts as attributes.
///
/// The bytes depend on tensors, attributes and options alone: no times are kept. Uncompressed tensors are contiguous,
/// little-endian and aligned to 64 bytes, so that they can be mapped.
enum HDF5Writer {
    /// Debian's libhdf5 is built without its own lock, and its state (open identifiers, error stack) belongs to the
    /// process, not to a file. The lock guards that state; this is why it, too, belongs to the process.
    private static let lock = Mutex(())

    static func write(_ checkpoint: Checkpoint, to path: String, _ options: WritingOptions) throws(CheckpointError) -> Int {
        try check(checkpoint, path)
        let library = try HDF5Library(for: path)
        return try AtomicFile.write(path) { temporary throws(CheckpointError) in
            // `withLock` takes bodies with typed errors, but tensors are read inside: reading never takes this lock.
            try lock.withLock { _ throws(CheckpointError) in
                var file = try HDF5OutputFile(temporary, library, path: path, compresses: options.compresses)
                for tensor in checkpoint.tensors { try file.add(tensor) }
                for (name, text) in checkpoint.attributes.sorted(by: { $0.key < $1.key }) { try file.add(attribute: name, text) }
                try file.close()
            }
            return try FileMemory(mapping: temporary).count
        }
    }

    /// Checks what the library would answer with a riddle.
    private static func check(_ checkpoint: Checkpoint, _ path: String) throws(CheckpointError) {
        let names = Set(checkpoint.tensors.map(\.name))
        for tensor in checkpoint.tensors {
            func unstorable(_ reason: String) -> CheckpointError { .unstorable(path: path, name: tensor.name, reason: reason) }
            guard tensor.elementType == .float32 || tensor.elementType == .float16 else {
                throw unstorable("we do not write \(tensor.elementType) to HDF5; choose float32 or float16")
            }
            let components = tensor.name.split(separator: "/", omittingEmptySubsequences: false)
            guard !components.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.utf8.contains(0) }) else {
                throw unstorable("HDF5 takes it for a path, and this is none")
            }
            var prefix = ""
            for component in components.dropLast() {
                prefix += (prefix.isEmpty ? "" : "/") + component
                if names.contains(prefix) { throw unstorable("'\(prefix)' is a tensor and cannot be its folder as well") }
            }
        }
        var texts = 0
        for attributes in [checkpoint.attributes] + checkpoint.tensors.map(\.attributes) {
            for (name, text) in attributes {
                guard !text.utf8.contains(0) else {
                    throw .unwritable(
                        path: path, reason: "the attribute \(JSON.quoted(name)) contains a NUL, which HDF5 texts cannot")
                }
                texts += text.utf8.count
            }
        }
        guard texts <= Limits.textLength / 2 else {
            throw .unwritable(path: path, reason: "\(texts) bytes of attributes, more than the limit of \(Limits.textLength / 2)")
        }
        for name in checkpoint.attributes.keys where name.isEmpty || name.contains("/") || name.utf8.contains(0) {
            throw .unwritable(path: path, reason: "\(JSON.quoted(name)) cannot be the name of an attribute")
        }
    }
}

/// An open HDF5 file of the C library. All calls are made under ``HDF5Writer``'s lock.
private struct HDF5OutputFile: ~Copyable {
    private typealias Identifier = HDF5Library.Identifier

    private let library: HDF5Library
    private var file: Identifier = -1
    private let path: String
    private let compresses: Bool
    /// Identifiers to be closed, the last first.
    private var lists: [Identifier] = []
    private let linkList: Identifier
    private let half: Identifier

    init(_ temporary: String, _ library: HDF5Library, path: String, compresses: Bool) throws(CheckpointError) {
        self.library = library
        self.path = path
        self.compresses = compresses
        let status = library.start()
        let create = library.createList(library[.fileCreation]), access = library.createList(library[.fileAccess])
        linkList = library.createList(library[.linkCreation])
        // IEEE half: sign in bit 15, five bits of exponent, ten of mantissa.
        half = library.copyType(library[.float32])
        lists = [create, access, linkList]
        guard status >= 0, library.setTracksTimes(create, false) >= 0, library.setAlignment(access, 1024, 64) >= 0,
            library.setCreatesGroups(linkList, 1) >= 0, library.setFields(half, 15, 10, 5, 0, 10) >= 0,
            library.setSize(half, 2) >= 0, library.setExponentBias(half, 15) >= 0
        else { throw failure("preparing") }
        file = library.createFile(temporary, HDF5Library.truncate, create, access)
        guard file >= 0 else { throw failure("creating the file") }
    }

    deinit {
        for list in lists { _ = library.closeList(list) }
        _ = library.closeType(half)
        if file >= 0 { _ = library.closeFile(file) }
    }

    mutating func close() throws(CheckpointError) {
        let status = library.closeFile(file)
        file = -1
        guard status >= 0 else { throw failure("closing the file") }
    }

    private func failure(_ activity: String) -> CheckpointError {
        let message = library.lastError
        return .unwritable(path: path, reason: "libhdf5, \(activity): \(message.isEmpty ? "no reason given" : message)")
    }

    private func space(_ extents: [Int]) -> Identifier {
        extents.isEmpty
            ? library.createScalarSpace(HDF5Library.scalar)
            : library.createSpace(CInt(extents.count), extents.map { UInt64($0) }, nil)
    }

    mutating func add(_ tensor: CheckpointTensor) throws(CheckpointError) {
        let activity = "writing '\(tensor.name)'"
        let type = tensor.elementType == .float32 ? library[.float32] : half
        let extents = tensor.shape.dimensions
        let space = space(extents)
        // At once: the next call forgets the error of the last.
        guard space >= 0 else { throw failure(activity) }
        defer { _ = library.closeSpace(space) }
        let list = library.createList(library[.datasetCreation])
        guard list >= 0 else { throw failure(activity) }
        defer { _ = library.closeList(list) }
        guard library.setTracksTimes(list, false) >= 0 else { throw failure(activity) }
        if compresses, tensor.shape.count > 0, !extents.isEmpty {
            let chunk = Self.chunk(extents, elementSize: tensor.elementType.size)
            guard library.setChunk(list, CInt(chunk.count), chunk.map { UInt64($0) }) >= 0, library.setShuffle(list) >= 0,
                library.setDeflate(list, 6) >= 0
            else { throw failure(activity) }
        }
        let elements = try tensor.encoded(for: path)
        let dataset = library.createDataset(file, tensor.name, type, space, linkList, list, HDF5Library.byDefault)
        guard dataset >= 0 else { throw failure(activity) }
        defer { _ = library.closeDataset(dataset) }
        if elements.count > 0 {
            // The same type in memory and in the file: no conversion.
            let whole = HDF5Library.byDefault
            guard elements.withBytes({ library.write(dataset, type, whole, whole, whole, $0.baseAddress) }) >= 0 else {
                throw failure(activity)
            }
        }
        for (name, text) in tensor.attributes.sorted(by: { $0.key < $1.key }) { try add(attribute: name, text, to: dataset) }
    }

    /// Whole rows of about a mebibyte.
    private static func chunk(_ extents: [Int], elementSize: Int) -> [Int] {
        var chunk = extents, bytes = extents.reduce(elementSize, *)
        for axis in extents.indices where bytes > 1 << 20 {
            let one = bytes / chunk[axis]
            chunk[axis] = max(1, (1 << 20) / one)
            bytes = one * chunk[axis]
        }
        return chunk
    }

    /// A text about the whole.
    mutating func add(attribute name: String, _ text: String) throws(CheckpointError) { try add(attribute: name, text, to: file) }

    /// A scalar text of variable length in UTF-8, which h5py reads as `str`: it lies in the global heap, so that it may
    /// be longer than the 64 KiB of an object header.
    private func add(attribute name: String, _ text: String, to object: Identifier) throws(CheckpointError) {
        let activity = "writing the attribute '\(name)'"
        let type = library.copyType(library[.text]), space = library.createScalarSpace(HDF5Library.scalar)
        defer {
            _ = library.closeType(type)
            _ = library.closeSpace(space)
        }
        guard type >= 0, space >= 0, library.setSize(type, HDF5Library.variableSize) >= 0,
            library.setCharacterSet(type, HDF5Library.utf8) >= 0
        else { throw failure(activity) }
        let attribute = library.createAttribute(object, name, type, space, HDF5Library.byDefault, HDF5Library.byDefault)
        guard attribute >= 0 else { throw failure(activity) }
        defer { _ = library.closeAttribute(attribute) }
        let status = text.withCString { characters in
            withUnsafePointer(to: characters) { library.writeAttribute(attribute, type, $0) }
        }
        guard status >= 0 else { throw failure(activity) }
    }
}
