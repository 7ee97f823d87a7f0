import DynamicParameterVQA
import Foundation
import Language
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

@Suite("XXH32 and the hashes of places")
struct HashTests {
    /// The vectors of the reference implementation's own check: the first bytes of a fixed sequence, without and with a seed.
    @Test(
        arguments: [
            (0, 0x02CC_5D05, 0x36B7_8AE7), (1, 0xCF65_B03E, 0xB454_5AA4), (14, 0x1208_E7E2, 0x6AF1_D1FE),
            (222, 0x5BD1_1DBD, 0x5880_3C5F),
        ] as [(Int, UInt32, UInt32)])
    func vectors(_ count: Int, _ unseeded: UInt32, _ seeded: UInt32) {
        let prime: UInt32 = 0x9E37_79B1
        var state = UInt64(prime), bytes: [UInt8] = []
        for _ in 0..<count {
            bytes.append(UInt8(state >> 56))
            state &*= 0x9E37_79B1_85EB_CA8D
        }
        #expect(bytes.withUnsafeBytes { xxHash32($0, seed: 0) } == unseeded)
        #expect(bytes.withUnsafeBytes { xxHash32($0, seed: prime) } == seeded)
    }

    @Test(
        arguments: [
            ("a", 0x550D_7456), ("abc", 0x32D1_53FF), ("Nobody inspects the spammish repetition", 0xE229_3B2F),
        ] as [(String, UInt32)])
    func texts(_ text: String, _ expected: UInt32) {
        #expect(Array(text.utf8).withUnsafeBytes { xxHash32($0, seed: 0) } == expected)
    }

    /// Every length around a stripe of 16 bytes at every alignment is what the text itself gives.
    @Test func unaligned() {
        for count in 0...40 {
            let text = (0..<count).map { UInt8($0 * 37 & 255) }, expected = text.withUnsafeBytes { xxHash32($0, seed: 7) }
            for shift in 1..<4 {
                let shifted = [UInt8](repeating: 9, count: shift) + text
                #expect(shifted.withUnsafeBytes { xxHash32(UnsafeRawBufferPointer(rebasing: $0[shift...]), seed: 7) } == expected)
            }
        }
    }

    /// What HasherME.lua gives, whose rows, columns and indices count from 1.
    @Test(arguments: [0, 1, 3])
    func released(threads: Int) {
        let backend: any Backend = threads == 0 ? PortableBackend() : OpenBLAS(threads: threads)
        let weights = HashedWeights(rows: 2000, columns: 2000, candidates: 40_000, on: backend)
        for (o, i, index, sign) in Self.places {
            #expect(weights.index(o - 1, i - 1) == index - 1, "ψ(\(o), \(i))")
            #expect(weights.sign(o - 1, i - 1) == sign, "ξ(\(o), \(i))")
        }
    }
    private static let places: [(Int, Int, Int, Float)] = [
        (1, 1, 38821, -1), (1, 2, 1160, -1), (2, 1, 23033, -1), (1, 2000, 4618, -1), (2000, 1, 8990, 1), (2000, 2000, 29260, -1),
        (123, 456, 13631, 1),
    ]

    /// Against keys put together as text.
    @Test func anyKeys() {
        let keys = HashKeys(seed: 5, indexTag: "index of W", signTag: "")
        let weights = HashedWeights(rows: 12, columns: 101, candidates: 7, keys, on: OpenBLAS(threads: 2))
        func hash(_ row: Int, _ column: Int, _ tag: String) -> UInt32 {
            let text = "\(row + 1)\(row + 2)\(row + 3)_\(column + 1)\(column + 2)\(column + 3)\(tag)"
            return Array(text.utf8).withUnsafeBytes { xxHash32($0, seed: 5) }
        }
        for row in 0..<12 {
            for column in 0..<101 {
                #expect(weights.index(row, column) == Int(hash(row, column, "index of W") % 7))
                #expect(weights.sign(row, column) == (hash(row, column, "") % 2 == 1 ? 1 : -1))
            }
        }
    }
}

@Suite("Products with hashed weights")
struct HashedProductTests {
    static let backends: [any Backend] = [PortableBackend(), OpenBLAS(threads: 1), OpenBLAS(threads: 3)]

    private static func drawn(_ shape: Shape, _ seed: UInt64, on backend: any Backend) -> Tensor {
        RandomSource(seed: seed).uniform(shape, -1..<1, on: backend)
    }

    /// One row, registers full and not; more candidates than places and fewer; and enough for several threads.
    @Test(arguments: [(1, 3, 5, 4), (2, 5, 3, 40), (8, 4, 7, 3), (11, 6, 1, 1), (19, 150, 70, 300)], 0..<3)
    func values(_ size: (Int, Int, Int, Int), _ backend: Int) {
        let (n, rows, columns, candidates) = size, on = Self.backends[backend]
        let weights = HashedWeights(rows: rows, columns: columns, candidates: candidates, on: on)
        let p = Self.drawn([n, candidates], 1, on: on).tracked, f = Self.drawn([n, columns], 2, on: on).tracked
        let direction = Self.drawn([n, rows], 3, on: on)
        let g = hashedProduct(p, f, weights), gradients = (g * direction).sum.gradients()
        #expect(g.shape == [n, rows])

        let (ps, fs, ds) = (p.scalars, f.scalars, direction.scalars)
        var expected = [Double](repeating: 0, count: n * rows)
        var dp = [Double](repeating: 0, count: n * candidates), df = [Double](repeating: 0, count: n * columns)
        for k in 0..<n {
            for o in 0..<rows {
                for i in 0..<columns {
                    let at = k * candidates + weights.index(o, i), sign = Double(weights.sign(o, i))
                    expected[k * rows + o] += sign * Double(ps[at]) * Double(fs[k * columns + i])
                    dp[at] += sign * Double(fs[k * columns + i]) * Double(ds[k * rows + o])
                    df[k * columns + i] += sign * Double(ps[at]) * Double(ds[k * rows + o])
                }
            }
        }
        expectNear(g, expected, "g")
        expectNear(gradients[p], dp, "dp")
        expectNear(gradients[f], df, "df")
    }

    @Test(arguments: 0..<3) func differenceQuotients(_ backend: Int) throws {
        let on = Self.backends[backend], weights = HashedWeights(rows: 6, columns: 4, candidates: 5, on: on)
        let inputs = [Self.drawn([3, 5], 4, on: on), Self.drawn([3, 4], 5, on: on)], direction = Self.drawn([3, 6], 6, on: on)
        let leaves = inputs.map(\.tracked)
        let gradients = (hashedProduct(leaves[0], leaves[1], weights) * direction).sum.gradients()
        for (number, input) in inputs.enumerated() {
            let scalars = input.scalars
            let quotients = scalars.indices.map { i in
                func value(_ step: Float) -> Double {
                    var moved = scalars, arguments = inputs
                    moved[i] += step
                    arguments[number] = Tensor(moved, input.shape, on: on)
                    let g = hashedProduct(arguments[0], arguments[1], weights)
                    return zip(g.scalars, direction.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                }
                // Linear in each input, so a large step is exact.
                return (value(0.5) - value(-0.5)) / 1
            }
            expectNear(gradients[leaves[number]], quotients, "input \(number)")
        }
    }

    /// Only what is tracked gets a derivative.
    @Test func oneOfTwo() throws {
        let on = Self.backends[2], weights = HashedWeights(rows: 3, columns: 4, candidates: 5, on: on)
        let p = Self.drawn([2, 5], 7, on: on), f = Self.drawn([2, 4], 8, on: on), leaf = p.tracked
        #expect(!hashedProduct(p, f, weights).isTracked)
        let alone = hashedProduct(leaf, f, weights).sum.gradients()
        let other = f.tracked, both = hashedProduct(leaf, other, weights).sum.gradients()
        #expect(try #require(alone[leaf]).scalars == #require(both[leaf]).scalars)
    }

    private func expectNear(
        _ actual: Tensor?, _ expected: [Double], _ label: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard let actual, actual.shape.count == expected.count else {
            Issue.record("\(label): \(actual?.shape ?? [])", sourceLocation: sourceLocation)
            return
        }
        let largest = expected.map(abs).max() ?? 0
        let difference = zip(actual.scalars, expected).map { abs(Double($0) - $1) }.max() ?? 0
        #expect(difference <= 1e-5 * largest, "\(label)", sourceLocation: sourceLocation)
    }
}

/// Every stage, the loss and its gradients against PyTorch (Reference/dppnet.py).
@Suite("DPPnet agrees with PyTorch")
struct DPPnetTests {
    private static func reference() throws -> JSONNode {
        try JSONDocument(contentsOf: Project.tests.appending(path: "Reference/dppnet.json").path).root
    }
    static let backends: [any Backend] = [PortableBackend(), OpenBLAS(threads: 1), OpenBLAS(threads: 2)]

    private static func assets(_ backend: any Backend) -> Assets {
        Assets(
            backend: backend,
            backbone: BackboneDescription(input: [1, 1, 7], layers: [NamedLayer(nil, .flatten(.channelsLast))]),
            vocabulary: try! Vocabulary(words: (0..<10).map { "word\($0)" }, convention: .none), tokenizer: .whitespace,
            labels: ["a", "b", "c", "d"])
    }

    private static func features(_ n: Int, on backend: any Backend) -> Tensor {
        Tensor((0..<7).map { Float(sin(0.9 * Double(n) + 0.4 * Double($0))) }, [1, 7], on: backend)
    }

    /// The model with the parameters of the script.
    private static func make(
        for purpose: ParameterStore.Purpose, on backend: any Backend
    ) throws -> (model: DynamicParameterVQA, store: ParameterStore, questions: [Question]) {
        let reference = try reference()
        func parameters(_ name: String, _ k: Int, _ shape: Shape) -> [Float] {
            (0..<shape.count).map { i in
                let value = 0.6 * sin(1.3 * Double(k) + 0.7 * Double(i) + 0.05 * Double(i * k))
                return Float(name.hasSuffix(".variance") ? 0.1 + value * value : value)
            }
        }
        let hyperparameters = try StrictJSONDecoder().decode(
            DynamicParameterVQA.Hyperparameters.self, from: #require(reference["hyperparameters"]))
        let names = ParameterStore(FreshParameters(seed: 1), for: .training, on: backend)
        _ = try DynamicParameterVQA(hyperparameters, assets: assets(backend), parameters: names.root)
        let source = GivenParameters(
            Dictionary(
                uniqueKeysWithValues: names.all.enumerated().map { k, p in (p.name, parameters(p.name, k, p.shape)) }))
        let store = ParameterStore(source, for: purpose, on: backend)
        let model = try DynamicParameterVQA(hyperparameters, assets: assets(backend), parameters: store.root)
        let questions = try #require(reference["questions"]).elements.map { question in
            Question(text: question.source, words: question.elements.compactMap { Int($0.source) })
        }
        return (model, store, questions)
    }

    @Test(arguments: 0..<3, [ParameterStore.Purpose.inference, .training])
    func stages(_ backend: Int, _ purpose: ParameterStore.Purpose) throws {
        let on = Self.backends[backend], expected = try #require(Self.reference()["stages"])
        let (model, _, questions) = try Self.make(for: purpose, on: on)
        let stages = model.stages(Self.features(5, on: on), questions)
        for (name, stage) in [("f", stages.f), ("q", stages.q), ("p", stages.p), ("g", stages.g), ("logits", stages.logits)] {
            let rows = try #require(expected[name]).elements
            let values = rows.flatMap { $0.elements.compactMap { Float($0.source) } }
            #expect(stage.shape == [rows.count, values.count / rows.count])
            let largest = values.map(abs).max() ?? 0
            let difference = zip(stage.scalars, values).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference <= 1e-5 * largest, "\(name)")
        }
        // A row for every question is the same as one row for all.
        let repeated = model.answer(.concatenated([Tensor](repeating: Self.features(5, on: on), count: 3), axis: 0), questions)
        #expect(
            zip(repeated.logits.scalars, stages.logits.scalars).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test(arguments: 0..<3) func lossAndGradients(_ backend: Int) throws {
        let on = Self.backends[backend], expected = try Self.reference()
        let (model, store, questions) = try Self.make(for: .training, on: on)
        store.setMode(.training(RandomSource(seed: 1)))
        store.track { _ in true }
        let targets = try #require(expected["targets"]).elements.compactMap { Int($0.source) }
        let pictures = Tensor.concatenated((0..<3).map { Self.features(3 * $0, on: on) }, axis: 0)
        let (loss, predictions) = model.loss(pictures, zip(questions, targets).map { QuestionAnswer(question: $0, answer: $1) })
        #expect(predictions == 3)
        #expect(abs(loss.scalar - (try number(expected["loss"]))) < 1e-5)
        let gradients = loss.gradients(), norms = try #require(expected["gradients"]).members
        let trained = store.all.filter { !$0.isStatistic }
        #expect(norms.map(\.name) == trained.map(\.name))
        for (parameter, member) in zip(trained, norms) {
            let norm = try #require(gradients[parameter.value]).squared.sum.scalar.squareRoot(), value = try number(member.value)
            #expect(abs(norm - value) < 1e-5 + 1e-4 * value, "\(member.name): \(norm), not \(value)")
        }
    }

    private static let question =
        #""question": {"embedding": 4, "hidden": 5, "gru": {"order": "rzn", "resets_after_product": true}}"#

    @Test(arguments: [
        (#"{}"#, "dppnet.json:1:1: the key 'question' is missing."),
        (
            #"{"question": {"embedding": 4, "hidden": 5, "gru": {"order": "rzn"}}}"#,
            "dppnet.json:1:51: question.gru: the key 'resets_after_product' is missing."
        ),
        (
            #"{"question": {"embedding": 4, "hidden": 0, "gru": {"order": "rzn", "resets_after_product": true}}}"#,
            "dppnet.json:1:41: question.hidden: expected a whole number from 1 to 1048576, found 0."
        ),
        (
            #"{"candidates": 0, \#(question)}"#,
            "dppnet.json:1:16: candidates: expected a whole number from 1 to 1048576, found 0."
        ),
        (
            #"{"features": 10000, "outputs": 10000, \#(question)}"#,
            "dppnet.json:1:14: features: a dynamic layer of 10000×10000 has more than 67108864 weights."
        ),
        (
            #"{"hash": {"sed": 4}, \#(question)}"#,
            "dppnet.json:1:11: hash.sed: unknown key; did you mean 'seed'?"
        ),
    ])
    func hyperparameters(_ json: String, _ expected: String) {
        let found = sentence {
            _ = try StrictJSONDecoder().decode(
                DynamicParameterVQA.Hyperparameters.self, from: JSONDocument(json, file: "dppnet.json").root)
        }
        #expect(found == expected)
    }

    @Test func releasedDefaults() throws {
        let json = #"{"question": {"embedding": 620, "hidden": 2400, "gru": {"order": "rzn", "resets_after_product": true}}}"#
        let h = try StrictJSONDecoder().decode(
            DynamicParameterVQA.Hyperparameters.self, from: JSONDocument(json, file: "dppnet.json").root)
        #expect((h.features, h.outputs, h.candidates) == (2000, 2000, 40_000))
        #expect((h.imageDropout, h.questionDropout, h.answerDropout) == (0.5, 0.5, 0.5))
        #expect(h.bias && h.predictionDeviation == 0 && h.question.trainsWords)
    }

    @Test func missingAssets() throws {
        let hyperparameters = try StrictJSONDecoder().decode(
            DynamicParameterVQA.Hyperparameters.self, from: #require(Self.reference()["hyperparameters"]))
        func make(_ change: (inout Assets) -> Void) -> String? {
            var assets = Self.assets(PortableBackend())
            change(&assets)
            return sentence {
                let store = ParameterStore(FreshParameters(seed: 1), on: PortableBackend())
                _ = try DynamicParameterVQA(hyperparameters, assets: assets, parameters: store.root)
            }
        }
        #expect(make { _ in } == nil)
        #expect(make { $0.backbone = nil } == "the card has no 'backbone', which this model needs")
        #expect(make { $0.vocabulary = nil } == "the card has no 'vocabulary', which this model needs")
        #expect(make { $0.labels = [] } == "the card has no 'answers', which this model needs")
    }
}

/// Parameters with known values.
private struct GivenParameters: ParameterSource {
    let values: [String: [Float]]
    init(_ values: [String: [Float]]) { self.values = values }
    func contains(_ name: String) -> Bool { values[name] != nil }
    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        Tensor(try #require(values[name]), shape, on: backend)
    }
}

private func number(_ node: JSONNode?) throws -> Float { try #require(node.flatMap { Float($0.source) }) }
