import Checkpoints
import Foundation
import Tensors
import Testing

struct TensorTransformTests {
    @Test func `axes are those of NumPy`() throws {
        // np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).ravel()
        let transform = TensorTransform(transpose: [2, 0, 1])
        #expect(try transform.result(of: [2, 3, 4]) == [4, 2, 3])
        #expect(
            transform.apply(to: (0..<24).map(Float.init), [2, 3, 4])
                == [0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23])
    }

    @Test func `channels are reversed on axis 1`() throws {
        let transform = TensorTransform(reverseChannels: true)
        #expect(transform.apply(to: (0..<12).map(Float.init), [2, 3, 2]) == [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7])
    }

    @Test func `reshape, transpose, reshape`() throws {
        // np.arange(8).reshape(2, 2, 2).transpose(2, 1, 0).reshape(2, 4)
        let transform = TensorTransform(reshape: [2, 2, -1], transpose: [2, 1, 0], reshapeResult: [2, -1])
        #expect(try transform.result(of: [8]) == [2, 4])
        #expect(transform.apply(to: (0..<8).map(Float.init), [8]) == [0, 4, 2, 6, 1, 5, 3, 7])
    }

    @Test func `depthwise kernels of Keras`() throws {
        // np.arange(12).reshape(2, 1, 3, 2).transpose(2, 3, 0, 1).reshape(6, 1, 2, 1).ravel()
        let transform = KerasLayout.depthwiseConvolution2D.transform(of: [2, 1, 3, 2])
        #expect(try transform.result(of: [2, 1, 3, 2]) == [6, 1, 2, 1])
        #expect(transform.apply(to: (0..<12).map(Float.init), [2, 1, 3, 2]) == [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11])
    }

    @Test func `what does not fit`() {
        func sentence(_ transform: TensorTransform, _ shape: Shape) -> String {
            do throws(TransformError) { _ = try transform.result(of: shape) } catch { return error.description }
            return "no error"
        }
        #expect(sentence(.init(transpose: [0, 0]), [2, 3]) == "transpose [0, 0] is not an order of the 2 axes of [2×3]")
        #expect(sentence(.init(reshape: [4, -1]), [2, 3]) == "reshape [4, -1] does not hold the 6 elements of [2×3]")
        #expect(sentence(.init(reshape: [-1, -1]), [2, 3]) == "reshape [-1, -1] does not hold the 6 elements of [2×3]")
        #expect(
            sentence(.init(reverseChannels: true), [2, 4])
                == "reverse_channels needs an extent of 3 on axis 1, but the shape is [2×4]")
    }
}

struct TensorMapTests {
    static let source = Checkpoint([
        CheckpointTensor(name: "conv1/kernel", tensor(ramp(12), [1, 2, 2, 3])),
        CheckpointTensor(name: "conv1/bias", tensor(ramp(3), [3])),
        CheckpointTensor(name: "conv1/step", tensor([7], [])),
    ])

    static func sentence(_ rules: String) -> String {
        do throws(TensorMapError) {
            let mapped = try TensorMap(json: rules, from: "rules.json").apply(to: source)
            return mapped.map { "\($0.tensor.name) \($0.tensor.shape)" }.joined(separator: ", ")
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        ("[]", "conv1/kernel [1×2×2×3], conv1/bias [3], conv1/step []"),
        (
            #"[{"from": "(.*)/kernel", "to": "cnn/$1/weight", "transpose": [3, 2, 0, 1]}, {"from": ".*/step", "drop": true}]"#,
            "cnn/conv1/weight [3×2×1×2], conv1/bias [3]"
        ),
        (#"[{"from": "conv(\\d)/(.).*", "to": "$2$1$$$0"}]"#, "k1$conv1/kernel [1×2×2×3], b1$conv1/bias [3], s1$conv1/step []"),
        (
            #"[{"from": "conv2", "to": "x"}]"#,
            "rule 1 ('conv2') matches no tensor; remove it, or look at the names with `zoo tensors ls`."
        ),
        (
            #"[{"from": "conv1/.*", "to": "x"}]"#,
            "'conv1/kernel' and 'conv1/bias' would both be named 'x'; give one of them another name or drop it."
        ),
        (
            #"[{"from": ".*bias", "to": "x", "transpose": [1, 0]}]"#,
            "rule 1, tensor 'conv1/bias': transpose [1, 0] is not an order of the 1 axes of [3]."
        ),
        ("{}", "rules.json: a list of rules is expected, not an object."),
        ("[", "rules.json: not JSON: the text ends where a value should begin at byte 1."),
        ("[1]", "rules.json: rule 1: an object is expected, not an integer."),
        (#"[{"to": "x"}]"#, "rules.json: rule 1: 'from' is missing."),
        (#"[{"from": "x"}]"#, #"rules.json: rule 1: 'to' is missing; to leave the tensor out, say "drop": true."#),
        (
            #"[{"from": "x", "too": "y"}]"#,
            "rules.json: rule 1: unknown key 'too'; "
                + "a rule has from, to, transpose, reshape, reverse_channels, reshape_result, drop."
        ),
        (
            #"[{"from": "x", "to": "y", "transpose": "10"}]"#,
            "rules.json: rule 1: 'transpose' must be a list of integers, not a string."
        ),
        (#"[{"from": "x", "to": "y", "transpose": [1.5]}]"#, "rules.json: rule 1: 'transpose' must list integers, not a number."),
        (#"[{"from": "x", "to": "y", "drop": true}]"#, "rules.json: rule 1: 'drop' stands beside 'from' alone."),
        (#"[{"from": "(", "to": "y"}]"#, "rules.json: rule 1: '(' is not a regular expression."),
        (#"[{"from": "(.)x", "to": "$2"}]"#, "rules.json: rule 1: '$2' uses $2, but '(.)x' has 1 groups."),
        (#"[{"from": "x", "to": "a$"}]"#, "rules.json: rule 1: 'a$': a dollar stands before a digit or a second dollar."),
    ])
    func `rules`(rules: String, result: String) { #expect(Self.sentence(rules) == result) }
}

struct ConversionTests {
    @Test func `a conversion reports what it did`() throws {
        try Files.withTemporary("out.safetensors") { path in
            let source = try Checkpoint.open(Files.fixture("default.h5"))
            let map = TensorMap([
                .init(from: "cnn/(.*)", to: "net/$1"), .init(from: "types/.*", to: nil),
                .init(from: "empty|unwritten|scalar", to: "rest/$0"),
            ])
            let provenance = try Provenance(of: source, tool: "zoo 0.1", date: "2025-01-01")
            let report = try source.convert(
                to: path, map: map, elementType: .float16, provenance: provenance, attributes: ["card": "{}"])
            #expect(report.rows.map(\.name) == ["net/bias", "net/conv1/weight", "rest/empty", "rest/scalar", "rest/unwritten"])
            #expect(report.rows.map(\.rule) == [1, 1, 3, 3, 3])
            #expect(report.rows[1].sourceType == .float32)
            #expect(report.dropped.count == 14)
            #expect(report.isFaithful)
            #expect(report.sha256 == (try SHA256Digest(ofFile: path).description))
            let output = try Checkpoint.open(path)
            #expect(output.attributes["card"] == "{}")
            #expect(output.attributes["source_file"] == "default.h5")
            #expect(output.attributes["source_sha256"] == (try SHA256Digest(ofFile: source.path).description))
            // The report is what a command prints as JSON.
            let json = try JSONEncoder().encode(report)
            #expect(try JSONDecoder().decode(ConversionReport.self, from: json) == report)
        }
    }

    @Test func `rounding is measured`() throws {
        try Files.withTemporary("out.h5") { path in
            let source = Checkpoint([CheckpointTensor(name: "w", tensor([1.0001, 1e-7, .nan, -.infinity], [4]))])
            let report = try source.convert(to: path, elementType: .float16)
            #expect(report.isFaithful)
            #expect(abs(report.rows[0].maximalDifference - 1e-4) < 1e-6)
            let values = try #require(try Checkpoint.open(path)["w"]).scalars()
            // np.float16([1.0001, 1e-7]).astype('f4')
            #expect(values[0] == 1 && values[1] == 1.1920929e-07 && values[2].isNaN && values[3] == -.infinity)
        }
    }

    @Test func `a file that is not what was meant is noticed`() throws {
        try Files.withTemporary("out.h5") { path in
            let w = CheckpointTensor(name: "w", tensor([1, 2], [2]))
            try Checkpoint([CheckpointTensor(name: "w", tensor([1, 2.5], [2]))]).write(to: path)
            let result = try Checkpoint.open(path).verify(against: [w, CheckpointTensor(name: "v", tensor([1], [1]))])
            #expect(result[0] == (0.5, false))
            #expect(result[1] == (.infinity, false))
        }
    }
}

struct StatisticsTests {
    @Test func `of finite values, with the others counted`() throws {
        let statistics = try CheckpointTensor(name: "w", tensor([0, 1, -3, .nan, .infinity, 0, -0.0], [7])).statistics()
        #expect(statistics.minimum == -3 && statistics.maximum == 1)
        #expect(statistics.mean == -0.4)
        #expect(abs(statistics.deviation - 1.3564659966250536) < 1e-12)  // np.std([0, 1, -3, 0, 0])
        #expect((statistics.nanCount, statistics.infinityCount, statistics.zeroCount) == (1, 1, 3))
    }

    @Test func `differences`() throws {
        let a = Checkpoint([
            CheckpointTensor(name: "same", tensor([1, .nan], [2])),
            CheckpointTensor(name: "other", tensor([1, 2, 3, 4], [2, 2])),
            CheckpointTensor(name: "shape", tensor([1, 2], [2])), CheckpointTensor(name: "only a", tensor([1], [1])),
        ])
        let b = Checkpoint([
            CheckpointTensor(name: "same", tensor([1, .nan], [2])),
            CheckpointTensor(name: "other", tensor([1, 2, 3.5, 5], [2, 2])),
            CheckpointTensor(name: "shape", tensor([1, 2], [2, 1])), CheckpointTensor(name: "only b", tensor([1], [1])),
        ])
        let difference = try CheckpointDifference(between: a, and: b)
        #expect(difference.missing == ["only b"] && difference.extra == ["only a"])
        #expect(difference.misshaped.map { [$0.first, $0.second] } == [[[2], [2, 1]]])
        #expect(difference.rows.count == 2)
        #expect(difference.rows[0].count == 0 && difference.rows[0].firstIndex == nil)
        let row = difference.rows[1]
        #expect(row.maximalAbsolute == 1 && row.maximalRelative == 0.2 && row.count == 2)
        #expect(row.firstIndex == [1, 0] && row.firstValues == [3, 3.5])
        #expect(!difference.areEqual)
        #expect(try CheckpointDifference(between: a, and: a).areEqual)
    }
}
