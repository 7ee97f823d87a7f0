import Checkpoints
import Tensors
import Testing

/// Checkpoints that other people's programs wrote, against h5py, safetensors and NumPy (Reference/real_files.py).
@Suite(.enabled(if: Files.hasSharedData, "the shared data is not beside the package"))
struct RealFilesTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        let file: String
        let count: Int
        let scalars: Int
        /// Name, shape, first and last element, sum in double precision.
        let tensors: [(name: String, shape: Shape, first: Float, last: Float, sum: Double)]
        var testDescription: String { file }
    }

    static let files = [
        Expected(
            file: "keras1-squeezenet11/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5", count: 50, scalars: 722_496,
            tensors: [
                ("uniform1", [3, 3, 3, 64], 0.2572346329689026, 0.18955914676189423, -2.9973132426930533),
                ("conv1_b", [64], -0.014374157413840294, -0.02421477623283863, 2.0016083255177364),
                ("uniform2", [1, 1, 64, 16], 0.029954111203551292, -0.09221639484167099, 32.73699160356773),
                ("uniform25", [3, 3, 64, 256], 0.09164337813854218, -0.020507171750068665, -855.1462849080947),
                ("fire9/expand3x3_b", [256], 0.004464789759367704, 0.010036247782409191, 1.9432935516488214),
            ]),
        Expected(
            file: "keras2.3-easy-vqa/model.h5", count: 18, scalars: 76_093,
            tensors: [
                ("conv2d_1/kernel:0", [3, 3, 3, 8], -0.22677423059940338, 0.2950113117694855, -0.4672474552935455),
                ("conv2d_1/bias:0", [8], -0.016013771295547485, -0.1612769216299057, 0.0778672662563622),
                ("dense_6/kernel:0", [32, 13], 0.5278725624084473, 0.7080293297767639, -3.238095242995769),
                ("dense_6/bias:0", [13], -0.3903287649154663, -0.323133647441864, -2.238305104430765),
            ]),
        Expected(
            file: "keras2.12-lrcn/LRCN_model.h5", count: 13, scalars: 73_159,
            tensors: [
                ("time_distributed/kernel:0", [3, 3, 3, 16], -0.21743261814117432, 0.006781118456274271, -2.316219070315128),
                ("time_distributed/bias:0", [16], 0.029837600886821747, -0.0069234948605299, -0.42312800139188766),
                ("dense/kernel:0", [32, 7], -0.6017129421234131, 0.043686214834451675, -3.2987381607526913),
                ("dense/bias:0", [7], 0.02573833055794239, -0.027707835659384727, 0.005360348615795374),
            ]),
        Expected(
            file: "safetensors-mnist/model.safetensors", count: 2, scalars: 101_632,
            tensors: [
                ("l1.weight", [128, 784], 0.019083436578512192, -0.0261264406144619, -71.07983601350975),
                ("l2.weight", [10, 128], 0.004300938919186592, -0.047899890691041946, 2.190818136154121),
            ]),
        Expected(
            file: "mobilenet-v2/mobilenet_v2_dequant_fp32.npz", count: 106, scalars: 3_487_816,
            tensors: [
                ("001.weight", [32, 3, 3, 3], -0.30602601170539856, 0.02544155903160572, -13.844877561205067),
                ("001.bias", [32], 2.3200972080230713, 4.747906684875488, 25.546222053468227),
                ("068.weight", [1000, 1280], -0.011243811808526516, -0.0618409663438797, -41.20669481297955),
                ("068.bias", [1000], -0.016303539276123047, -0.17166668176651, 0.24554758487647632),
            ]),
    ]

    @Test(arguments: files)
    func `values are those that the writers' own libraries read`(expected: Expected) throws {
        let file = try Checkpoint.open(Files.shared(expected.file))
        #expect(file.tensors.count == expected.count)
        #expect(file.tensors.reduce(0) { $0 + $1.shape.count } == expected.scalars)
        #expect(file.tensors.first?.name == expected.tensors.first?.name)
        #expect(file.tensors.last?.name == expected.tensors.last?.name)
        for tensor in expected.tensors {
            let scalars = try file.tensor(named: tensor.name, shape: tensor.shape, on: PortableBackend()).scalars
            #expect(scalars.first == tensor.first)
            #expect(scalars.last == tensor.last)
            #expect(abs(sum(scalars) - tensor.sum) < 1e-9, "\(tensor.name)")
        }
    }

    @Test func `what Keras says about its files`() throws {
        let easy = try Checkpoint.open(Files.shared("keras2.3-easy-vqa/model.h5"))
        #expect(easy.attributes["keras_version"] == "2.3.1")
        #expect(easy.attributes["backend"] == "tensorflow")
        #expect(easy.attributes["model_config"]?.hasPrefix(#"{"class_name": "Model""#) == true)
        #expect(easy["dense_1/kernel:0"]?.attributes == ["layer": "dense_1", "layer_class": "Dense"])
        let lrcn = try Checkpoint.open(Files.shared("keras2.12-lrcn/LRCN_model.h5"))
        #expect(lrcn["time_distributed/kernel:0"]?.attributes["layer_class"] == "TimeDistributed(Conv2D)")
        #expect(lrcn["lstm/lstm_cell/kernel:0"]?.attributes["layer_class"] == "LSTM")
        let squeezenet = try Checkpoint.open(Files.shared(Self.files[0].file))
        #expect(squeezenet.attributes["keras_version"] == "1")
        #expect(squeezenet["uniform2"]?.attributes == ["layer": "fire2/squeeze1x1"])
    }

    @Test func `statistics are NumPy's`() throws {
        let tensor = try #require(try Checkpoint.open(Files.shared("safetensors-mnist/model.safetensors"))["l1.weight"])
        let statistics = try tensor.statistics()
        #expect(statistics.minimum == -0.05046209)
        #expect(statistics.maximum == 0.04517445)
        #expect(abs(statistics.mean - -71.07983601350975 / 100352) < 1e-15)
        #expect(abs(statistics.deviation - 0.020496285399041053) < 1e-12)
        #expect((statistics.nanCount, statistics.infinityCount) == (0, 0))
    }

    @Test func `the digest is sha256sum's`() throws {
        #expect(
            try SHA256Digest(ofFile: Files.shared("safetensors-mnist/model.safetensors")).description
                == "d8b0a00d4d2f36bedae34eda7afd0f061d9f102f0e978e98d34901c32d8aa6c6")
        #expect(
            SHA256Digest(of: Array("abc".utf8)).description
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `pickled objects in npy are refused`() {
        let path = Files.shared("numpy-mtcnn/det1.npy")
        #expect(
            throws: CheckpointError.refused(
                path: path, place: "the header of the array",
                reason: "it holds pickled Python objects, which could run code; save plain arrays")
        ) { try Checkpoint.open(path) }
    }

    @Test func `a Keras model becomes ours and back`() throws {
        let source = try Checkpoint.open(Files.shared("keras2.3-easy-vqa/model.h5"))
        let map = try TensorMap(
            json: """
                [{"from": "conv2d_(\\\\d)/kernel:0", "to": "cnn/conv$1/weight", "transpose": [3, 2, 0, 1]},
                 {"from": "dense_1/kernel:0", "to": "dense1/weight",
                  "reshape": [8, 8, 32, 32], "transpose": [3, 2, 0, 1], "reshape_result": [32, -1]},
                 {"from": "dense_(\\\\d)/kernel:0", "to": "dense$1/weight", "transpose": [1, 0]},
                 {"from": "conv2d_(\\\\d)/bias:0", "to": "cnn/conv$1/bias"},
                 {"from": "dense_(\\\\d)/bias:0", "to": "dense$1/bias"}]
                """, from: "rules.json")
        try Files.withTemporary("easy.h5") { path in
            let provenance = try Provenance(of: source, tool: "zoo 0.1", date: "2025-01-01")
            // With what the source says of itself, but for its layers: those are no longer there.
            let report = try source.convert(to: path, map: map, provenance: provenance, attributes: source.attributes)
            #expect(report.isFaithful)
            #expect(report.rows.count == 18)
            #expect(report.rows[0].shape == [8, 3, 3, 3])
            let converted = try Checkpoint.open(path)
            #expect(Provenance(attributes: converted.attributes) == provenance)
            #expect(converted.attributes["keras_version"] == "2.3.1" && converted.attributes["layer_names"] == nil)
            let kernel = try #require(try source["conv2d_1/kernel:0"]).scalars()
            let weight = try #require(try converted["cnn/conv1/weight"]).scalars()
            for (o, i, y, x) in [(0, 0, 0, 0), (7, 2, 1, 0), (3, 1, 2, 2)] {
                #expect(weight[((o * 3 + i) * 3 + y) * 3 + x] == kernel[((y * 3 + x) * 3 + i) * 8 + o])
            }
            let dense = try #require(try source["dense_1/kernel:0"]).scalars()
            let matrix = try #require(try converted["dense1/weight"]).scalars()
            #expect(converted["dense1/weight"]?.shape == [32, 2048])
            for (o, c, y, x) in [(0, 0, 0, 1), (31, 31, 7, 7), (5, 17, 2, 6)] {
                #expect(matrix[((o * 32 + c) * 8 + y) * 8 + x] == dense[((y * 8 + x) * 32 + c) * 32 + o])
            }
        }
    }

    @Test func `layouts of Keras are recognised`() throws {
        let lrcn = try Checkpoint.open(Files.shared("keras2.12-lrcn/LRCN_model.h5"))
        let mapped = try TensorMap.keras(lrcn).apply(to: lrcn)
        #expect(mapped.map(\.tensor.name) == lrcn.tensors.map(\.name))
        #expect(mapped.first?.tensor.shape == [16, 3, 3, 3])
        #expect(mapped.first { $0.source.name == "dense/kernel:0" }?.tensor.shape == [7, 32])
        #expect(mapped.first { $0.source.name == "lstm/lstm_cell/kernel:0" }?.tensor.shape == [128, 64])
        #expect(mapped.first { $0.source.name == "lstm/lstm_cell/bias:0" }?.tensor.shape == [128])
    }
}
