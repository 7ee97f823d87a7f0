import Checkpoints
import Foundation
import Tensors
import Testing

/// Files of ours, read back by ourselves; Reference/read_back.py reads them with h5py, NumPy and safetensors.
struct WritingTests {
    static func example(_ type: ElementType = .float32) -> Checkpoint {
        Checkpoint(
            [
                CheckpointTensor(
                    name: "cnn/conv1/weight", tensor(ramp(24), [2, 3, 2, 2]), elementType: type, attributes: ["layout": "OIHW"]),
                CheckpointTensor(name: "cnn/conv1/bias", tensor([0.5, -0.25], [2]), elementType: type),
                CheckpointTensor(name: "scale", tensor([2.5], []), elementType: type),
                CheckpointTensor(name: "empty", tensor([], [0, 3]), elementType: type),
            ],
            attributes: ["card": #"{"name": "ä"}"#, "long": String(repeating: "0123456789", count: 20_000), "none": ""])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let file: String
        let type: ElementType
        let compresses: Bool
        var testDescription: String { "\(file) \(type)\(compresses ? " compressed" : "")" }
    }
    static let cases = [
        ("a.h5", [ElementType.float32, .float16], [false, true]),
        ("a.safetensors", [.float32, .float16, .bfloat16, .float64], [false]),
        ("a.npz", [.float32, .float16, .float64], [false, true]),
    ].flatMap { file, types, options in
        types.flatMap { type in options.map { Case(file: file, type: type, compresses: $0) } }
    }

    @Test(arguments: cases)
    func `what is written is read, and written again to the same bytes`(_ test: Case) throws {
        try Files.withTemporary(test.file) { path in
            let options = WritingOptions(compresses: test.compresses)
            let size = try Self.example(test.type).write(to: path, options: options)
            #expect(try Files.bytes(path).count == size)
            let file = try Checkpoint.open(path)
            #expect(Set(file.tensors.map(\.name)) == ["cnn/conv1/weight", "cnn/conv1/bias", "scale", "empty"])
            for tensor in Self.example(test.type).tensors {
                #expect(file[tensor.name]?.elementType == test.type)
                #expect(file[tensor.name]?.shape == tensor.shape)
                #expect(try file[tensor.name]?.scalars() == tensor.scalars())
            }
            #expect(file.attributes == Self.example().attributes)
            let digest = try SHA256Digest(ofFile: path)
            try Self.example(test.type).write(to: path, options: options)
            #expect(try SHA256Digest(ofFile: path) == digest)
            let left = try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent)
            #expect(left == [test.file])
        }
    }

    @Test func `attributes of tensors are kept in HDF5`() throws {
        try Files.withTemporary("a.h5") { path in
            try Self.example().write(to: path)
            #expect(try Checkpoint.open(path)["cnn/conv1/weight"]?.attributes == ["layout": "OIHW"])
        }
    }

    @Test(arguments: ["a.h5", "a.safetensors", "a.npz"])
    func `what we write can be mapped`(name: String) throws {
        try Files.withTemporary(name) { path in
            try Checkpoint([CheckpointTensor(name: "w", tensor(ramp(5000), [5000]))]).write(to: path)
            let weight = try #require(try Checkpoint.open(path)["w"])
            let a = try weight.tensor(on: PortableBackend()), b = try weight.tensor(on: PortableBackend())
            #expect(a.withScalars { $0.baseAddress } == b.withScalars { $0.baseAddress })
            #expect(a.withScalars { Int(bitPattern: $0.baseAddress) % 64 } == 0)
        }
    }

    @Test func `many tensors in one HDF5 group`() throws {
        try Files.withTemporary("a.h5") { path in
            let tensors = (0..<500).map { CheckpointTensor(name: "layer\($0 % 7)/w\($0)", tensor([Float($0)], [1])) }
            try Checkpoint(tensors).write(to: path)
            let file = try Checkpoint.open(path)
            #expect(file.tensors.count == 500)
            for i in 0..<500 { #expect(try file["layer\(i % 7)/w\(i)"]?.scalars() == [Float(i)]) }
        }
    }

    @Test func `single arrays of NumPy`() throws {
        try Files.withTemporary("weights.npy") { path in
            try Checkpoint([CheckpointTensor(name: "w", tensor(ramp(6), [2, 3]))]).write(to: path)
            #expect(try Checkpoint.open(path)["weights"]?.scalars() == ramp(6))
        }
    }

    @Test func `a library that cannot be loaded is named`() throws {
        #expect(throws: CheckpointError.libraryMissing(path: "a.h5", library: "libnone.so.1")) {
            _ = try HDF5Library(for: "a.h5", names: ["libnone.so.1", "libnone.so.2"])
        }
        // One that is there and is another: libz comes with every Debian.
        #expect(throws: CheckpointError.libraryMissing(path: "a.h5", library: "libz.so.1")) {
            _ = try HDF5Library(for: "a.h5", names: ["libnone.so.1", "libz.so.1"])
        }
        #expect(try HDF5Library(for: "a.h5").version.contains("."))
    }

    @Test func `what the library says is in the error`() throws {
        try Files.withTemporary("a.h5") { path in
            let deep = CheckpointTensor(name: "w", tensor([1], Shape([Int](repeating: 1, count: 33))))
            #expect(
                throws: CheckpointError.unwritable(path: path, reason: "libhdf5, writing 'w': dimensionality is too large")
            ) { try Checkpoint([deep]).write(to: path) }
        }
    }

    @Test func `what cannot be stored is said before the file is touched`() throws {
        try Files.withTemporary("a.h5") { path in
            try Files.write([1, 2, 3], to: path)
            func failure(_ tensors: [CheckpointTensor], to path: String) -> String {
                do { try Checkpoint(tensors).write(to: path) } catch { return error.description }
                return "no error"
            }
            let w = tensor([1e6], [1])
            #expect(
                failure([CheckpointTensor(name: "w", w, elementType: .float16)], to: path)
                    == "\(path): tensor 'w' cannot be stored: 1000000.0 is beyond the range of float16; choose float32.")
            #expect(
                failure([CheckpointTensor(name: "a", w), CheckpointTensor(name: "a/b", w)], to: path)
                    == "\(path): tensor 'a/b' cannot be stored: 'a' is a tensor and cannot be its folder as well.")
            #expect(
                failure([CheckpointTensor(name: "a//b", w)], to: path)
                    == "\(path): tensor 'a//b' cannot be stored: HDF5 takes it for a path, and this is none.")
            #expect(
                failure([CheckpointTensor(name: "w", w, elementType: .int8)], to: path)
                    == "\(path): tensor 'w' cannot be stored: we do not write int8 to HDF5; choose float32 or float16.")
            #expect(try Files.bytes(path) == [1, 2, 3])
            #expect(
                failure([], to: "a.keras")
                    == "a.keras: checkpoints cannot be written as keras; "
                    + "choose an extension of h5, hdf5, hdf, npz, npy, safetensors."
            )
            #expect(
                failure([CheckpointTensor(name: "w", w)], to: "/nowhere/a.h5")
                    == "/nowhere/a.h5: cannot be written: No such file or directory.")
        }
    }
}
