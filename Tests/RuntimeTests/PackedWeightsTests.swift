import Foundation
import NeuralNetworks
import OpenBLASBackend
import Runtime
import Synchronization
import Tensors
import Testing

@Suite("Packed weights from run to run")
struct PackedWeightsTests {
    private let backend = OpenBLAS(threads: 2)

    /// Random parameters that count how often they are read.
    private final class Counted: ParameterSource {
        let reads = Mutex<[String: Int]>([:])
        func contains(_ name: String) -> Bool { true }
        func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
            reads.withLock { $0[name, default: 0] += 1 }
            return try FreshParameters(seed: 3).tensor(named: name, shape: shape, initializer: initializer, on: backend)
        }
    }

    /// Layers of every kind that is packed, more than is too small to be kept.
    private struct Layers {
        let convolution: Convolution2D, winograd: Convolution2D, depthwise: Convolution2D
        let linear: Linear, predict: TokenPredictor, lstm: LSTM, gru: GRU
        private let geometry = ConvolutionGeometry(padding: Padding(1)),
            deep = ConvolutionGeometry(padding: Padding(1), groups: 32)

        init(in scope: ParameterScope) throws {
            let input: Shape = [1, 12, 12, 32]
            convolution = try Convolution2D(
                .init(inputs: 32, outputs: 20, kernel: (3, 3), normalization: .init(epsilon: 1e-5), algorithm: .matrixProduct),
                geometry, input: input, in: scope["a"])
            winograd = try Convolution2D(
                .init(inputs: 32, outputs: 32, kernel: (3, 3), algorithm: .winograd4), geometry, input: input, in: scope["b"])
            depthwise = try Convolution2D(
                .init(inputs: 32, outputs: 32, kernel: (3, 3), groups: 32), deep, input: input, in: scope["c"])
            linear = try Linear(512, 5000, in: scope["d"])
            predict = try TokenPredictor(100, 3000, in: scope["e"])
            lstm = try LSTM(40, 50, LSTMConvention(order: .ifgo), in: scope["f"])
            gru = try GRU(
                40, 50, GRUConvention(order: .zrn, resetsAfterProduct: true, recurrentBias: true), in: scope["g"])
        }

        /// All of their results.
        func results(on backend: any Backend) -> [[Float]] {
            let random = RandomSource(seed: 5)
            func noise(_ shape: Shape) -> Tensor { random.normal(shape, deviation: 1, on: backend) }
            let x = noise([1, 12, 12, 32]), word = noise([2, 40])
            return [
                convolution(x, geometry).scalars, winograd(x, geometry).scalars, depthwise(x, deep).scalars,
                linear(noise([2, 512])).scalars, predict.next(after: noise([1, 100])).mostProbable(5)[0].map(\.logProbability),
                lstm(word, lstm.zeroState(rows: 2)).hidden.scalars, gru(word, gru.zeroState(rows: 2)).scalars,
            ]
        }
    }

    private func layers(
        _ path: String?, storage: WeightStorage = .float32
    ) throws -> (results: [[Float]], reads: [String: Int], isNew: Bool) {
        let source = Counted(), packed = path.map { PackedWeights($0, model: "layers") }
        let store = ParameterStore(source, on: backend, storage: storage, packing: packed)
        let results = try Layers(in: store.root).results(on: backend)
        return (results, source.reads.withLock { $0 }, packed?.save() ?? false)
    }

    @Test(arguments: WeightStorage.allCases) func mapped(_ storage: WeightStorage) throws {
        let folder = try TemporaryFolder(), path = folder.path + "/a/b/packed"
        let plain = try layers(nil, storage: storage), first = try layers(path, storage: storage)
        #expect(first.results == plain.results && first.isNew)
        let second = try layers(path, storage: storage)
        #expect(second.results == plain.results && !second.isNew)
        // The original weights are needed where the packed ones leave the choice in doubt.
        let large = [
            "a.weight", "b.weight", "c.weight", "d.weight", "f.input.weight", "f.recurrent.weight", "g.recurrent.weight",
        ]
        for name in large {
            #expect(first.reads[name] == 1 && second.reads[name] == nil, "\(name)")
        }
        #expect(second.reads["e.weight"] == (storage == .float32 ? nil : 1))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a/b") == ["packed"])
    }

    /// A file that is cut short, changed or something else is as good as none, and is replaced.
    @Test func damaged() throws {
        let folder = try TemporaryFolder(), path = folder.path + "/packed", good = try layers(path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var changed = bytes
        changed[100] ^= 1
        for damaged in [
            bytes.dropLast(1), bytes.prefix(4096), bytes.prefix(50), Data(), Data("zoopack1".utf8), changed, bytes + [0],
        ] {
            try Data(damaged).write(to: URL(fileURLWithPath: path))
            #expect(PackedWeights.open(path) == nil)
            let again = try layers(path)
            #expect(again.results == good.results && again.isNew)
            #expect(try layers(path).isNew == false)
        }
    }

    @Test func otherSizes() throws {
        let folder = try TemporaryFolder(), path = folder.path + "/packed", memory = PackedMemory(bytes: PackedWeights.smallest)
        let weights = PackedWeights(path, model: "m")
        weights.keep(memory, as: "a")
        #expect(weights.save())
        let mapped = PackedWeights(path, model: "m")
        #expect(mapped.memory("a", bytes: PackedWeights.smallest) != nil)
        #expect(mapped.memory("a", bytes: PackedWeights.smallest - 64) == nil && mapped.memory("b", bytes: 64) == nil)
        // What is added does not lose what was there.
        mapped.keep(PackedMemory(bytes: 64), as: "\"é\"")
        #expect(mapped.save())
        let both = PackedWeights(path, model: "m")
        #expect(both.memory("a", bytes: PackedWeights.smallest) != nil && both.memory("\"é\"", bytes: 64) != nil)
    }

    @Test func keys() throws {
        let folder = try TemporaryFolder(), weights = folder.path + "/weights"
        func key(
            _ content: String, _ description: String = "card", storage: WeightStorage = .float32, threads: Int = 2
        ) throws -> String? {
            try Data(content.utf8).write(to: URL(fileURLWithPath: weights))
            let packing = try #require(
                PackingFolder(environment: ["XDG_CACHE_HOME": folder.path], instructionSet: "avx2", threads: threads))
            return packing.weights(of: "m", description: [Array(description.utf8)], files: [weights], storage: storage)?.path
        }
        let first = try key("abc")
        #expect(first != nil)
        #expect(try key("abc") == first)
        let others = try [key("abd"), key("abc", "other"), key("abc", storage: .float16), key("abc", threads: 1)]
        #expect(Set(others + [first]).count == 5)
        let packing = try #require(PackingFolder(environment: ["HOME": folder.path], instructionSet: "", threads: 1))
        #expect(packing.path == folder.path + "/.cache/zoo")
        #expect(packing.weights(of: "m", description: [], files: [folder.path + "/none"], storage: .float32) == nil)
        #expect(PackingFolder(environment: ["XDG_CACHE_HOME": "relative"], instructionSet: "", threads: 1) == nil)
    }

    @Test func folder() throws {
        let folder = try TemporaryFolder(), weights = folder.path + "/weights"
        try Data("w".utf8).write(to: URL(fileURLWithPath: weights))
        let packing = try #require(
            PackingFolder(environment: ["XDG_CACHE_HOME": folder.path], instructionSet: "avx2", threads: 2))
        for model in ["a", "b"] {
            let packed = try #require(
                packing.weights(of: model, description: [Array(model.utf8)], files: [weights], storage: .float32))
            packed.keep(PackedMemory(bytes: PackedWeights.smallest), as: "x")
            packing.finish(packed)
        }
        #expect(Set(packing.files.map(\.model)) == ["a", "b"])
        #expect(packing.files.allSatisfy { $0.bytes > PackedWeights.smallest && $0.lastUse > 1e9 })
        packing.clear()
        #expect(packing.files.isEmpty)
    }

    /// A cache that cannot be written is no reason to fail.
    @Test func unwritable() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        let found = try layers(folder.path + "/file/packed")
        #expect(!found.isNew && found.results.count == 7)
    }
}
