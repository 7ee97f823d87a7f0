import Checkpoints
import Tensors
import Testing

/// Files that are wrong or dangerous, and the sentences that say so.
struct RefusalTests {
    static func sentence(_ path: String) -> String {
        do throws(CheckpointError) {
            let file = try Checkpoint.open(path)
            for tensor in file.tensors { _ = try tensor.scalars() }
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        (
            "soft-link.h5",
            "link 'b' of '/' is refused: it is a soft link, and only what lies in the file itself is read; "
                + "copy the data with h5repack or h5py."
        ),
        (
            "external-link.h5",
            "link 'b' of '/' is refused: it is an external link, and only what lies in the file itself is read; "
                + "copy the data with h5repack or h5py."
        ),
        ("external-data.h5", "data set 'a' is refused: its elements lie in another file; copy them with h5repack."),
        ("virtual.h5", "data set 'a' is refused: its elements lie in other files (a virtual data set); copy them with h5repack."),
        ("shared-group.h5", "group 'a/again' is refused: it is also reached under another name; copy the data with h5repack."),
        (
            "bomb.h5",
            "data set 'a' declares 17179869184 bytes from 0 stored ones, more than the limit of 1000 : 1; "
                + "the file is damaged or hostile."
        ),
        (
            "lzf.h5",
            "the filter pipeline of data set 'a' uses the filter LZF, which is not supported; "
                + "rewrite the file with `h5repack -f GZIP=4 IN OUT`."
        ),
        (
            "object.npy",
            "the header of the array is refused: it holds pickled Python objects, which could run code; save plain arrays."
        ),
        ("record.npy", "the header of the array uses records, which is not supported; save every field as an array of its own."),
        (
            "bomb.npz",
            "zip member 'a.npy' declares 2147483647 bytes from 352 stored ones, more than the limit of 1032 : 1; "
                + "the file is damaged or hostile."
        ),
    ])
    func `fixtures are refused`(name: String, sentence: String) {
        let path = Files.fixture(name)
        #expect(Self.sentence(path) == "\(path): \(sentence)")
    }

    /// A safetensors file of this header and this many bytes of data.
    static func safetensors(_ header: String, _ count: Int, length: UInt64? = nil) -> [UInt8] {
        let text = Array(header.utf8)
        return withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) } + text
            + [UInt8](repeating: 0, count: count)
    }

    @Test(arguments: [
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4,
            "tensor 'a' would end at byte 8, but there are only 4; the file is cut off or damaged, copy it again."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 12,
            "the end: 4 bytes belong to no tensor; the file is damaged, copy it again."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12,
            "tensor 'a': it begins at 4, but the one before it ends at 0; the file is damaged, copy it again."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8,
            "tensor 'a': data_offsets span 8 bytes, but F32 [3] takes 12; the file is damaged, copy it again."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4,
            "tensor 'b': it begins at 0, but the one before it ends at 4; the file is damaged, copy it again."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8,
            #"the header: the key "a" is given twice at byte 57; the file is damaged, copy it again."#
        ),
        (
            #"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1,
            "tensor 'a' uses the element type F8_E4M3, which is not supported; save it as F32, F16 or BF16."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0,
            "tensor 'a' declares 4611686018427387904×4 elements, more than the limit of 2⁴⁸ bytes; "
                + "the file is damaged or hostile."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#, 0,
            "tensor 'a' declares 0×4611686018427387904×4 elements, more than the limit of 2⁴⁸ bytes; "
                + "the file is damaged or hostile."
        ),
        (
            #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4,
            "tensor 'a': shape is not a list of extents; the file is damaged, copy it again."
        ),
        (#"{"a":1}"#, 0, "tensor 'a': it is described by an integer instead of an object; the file is damaged, copy it again."),
        (
            #"{"__metadata__":{"a":1}}"#, 0,
            "the header: __metadata__.a is an integer instead of a string; the file is damaged, copy it again."
        ),
        (#"{"a""#, 0, "the header: ':' is missing at byte 4; the file is damaged, copy it again."),
    ])
    func `safetensors that contradict themselves`(header: String, count: Int, sentence: String) throws {
        try Files.withTemporary("a.safetensors") { path in
            try Files.write(Self.safetensors(header, count), to: path)
            #expect(Self.sentence(path) == "\(path): \(sentence)")
        }
    }

    @Test func `headers longer than the limit`() throws {
        try Files.withTemporary("a.safetensors") { path in
            try Files.write(Self.safetensors("{}", 0, length: 1 << 40), to: path)
            #expect(
                Self.sentence(path)
                    == "\(path): the header declares 1099511627776 bytes, more than the limit of 100000000; "
                    + "the file is damaged or hostile."
            )
        }
    }

    @Test func `files that are no checkpoints`() throws {
        #expect(Self.sentence("/nowhere/a.h5") == "/nowhere/a.h5: cannot be read: No such file or directory.")
        #expect(Self.sentence(Files.fixture("")).hasSuffix(": cannot be read: it is a directory."))
        try Files.withTemporary("a.txt") { path in
            try Files.write(Array("hello, world".utf8), to: path)
            #expect(
                Self.sentence(path)
                    == "\(path): neither its content nor its extension is that of a checkpoint; "
                    + "known formats are \(CheckpointFormat.all.map(\.name).joined(separator: ", "))."
            )
        }
        try Files.withTemporary("a.h5") { path in
            try Files.write(Array("hello, world".utf8), to: path)
            #expect(
                Self.sentence(path)
                    == "\(path): superblock: the signature of HDF5 is missing; the file is damaged, copy it again.")
            try Files.write([], to: path)
            #expect(
                Self.sentence(path)
                    == "\(path): superblock: the signature of HDF5 is missing; the file is damaged, copy it again.")
        }
    }

    @Test func `a damaged byte in a zip member`() throws {
        try Files.withTemporary("a.npz") { path in
            try WritingTests.example().write(to: path)
            var bytes = try Files.bytes(path)
            let at = try #require(bytes.indices.first { bytes[$0...].starts(with: [0, 0, 0x80, 0xBF]) })  // -1
            bytes[at] = 1
            try Files.write(bytes, to: path)
            #expect(
                Self.sentence(path).hasPrefix("\(path): zip member 'cnn/conv1/weight.npy' has the checksum "))
        }
    }

    @Test func `tensors that are not there or of another shape`() throws {
        let path = Files.fixture("default.h5")
        let file = try Checkpoint.open(path)
        #expect(
            throws: CheckpointError.noSuchTensor(path: path, name: "cnn/conv1/wieght", similar: ["cnn/conv1/weight"])
        ) { try file.tensor(named: "cnn/conv1/wieght", shape: [2, 3], on: PortableBackend()) }
        #expect(
            CheckpointError.noSuchTensor(path: "a.h5", name: "cnn/conv1/wieght", similar: ["cnn/conv1/weight"]).description
                == "a.h5: has no tensor 'cnn/conv1/wieght'; did you mean 'cnn/conv1/weight'?")
        #expect(
            CheckpointError.noSuchTensor(path: "a.h5", name: "x", similar: []).description
                == "a.h5: has no tensor 'x'; `zoo tensors ls` shows what it has.")
        let mismatch = #expect(throws: CheckpointError.self) {
            try file.tensor(named: "cnn/conv1/weight", shape: [3, 2], on: PortableBackend())
        }
        #expect(mismatch?.description == "\(path): tensor 'cnn/conv1/weight' has the shape [2×3], but [3×2] is needed.")
    }
}
