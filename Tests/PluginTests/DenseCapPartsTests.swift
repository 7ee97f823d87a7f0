import DenseCap
import Foundation
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

/// Reference/densecap.json, which densecap.py computed with NumPy and PyTorch.
private struct Reference: Decodable {
    struct Clipping: Decodable {
        let boxes: [[Float]], corners: [[Float]], clipped: [[Float]]
        let valid: [Bool]
    }
    struct Overlaps: Decodable {
        let boxes: [[Float]], others: [[Float]], ious: [[Float]]
    }
    struct Transforms: Decodable {
        let anchors: [[Float]], transforms: [[Float]], direction: [[Float]], boxes: [[Float]]
        let dAnchors: [[Float]], dTransforms: [[Float]]
        let others: [[Float]], between: [[Float]], dBetweenAnchors: [[Float]], dOthers: [[Float]]
    }
    struct AnchorGrid: Decodable {
        let rows: Int, columns: Int
        let map: [[[Float]]]
        let flat: [[Float]]
    }
    struct Field: Decodable {
        /// Kernel, stride, padding, dilation.
        let layers: [[Int]]
        let centres: [Float]
    }
    struct Suppression: Decodable {
        struct Case: Decodable {
            let threshold: Float
            let limit: Int
            let kept: [Int]
        }
        let boxes: [[Float]]
        let scores: [Float]
        let cases: [Case]
    }
    struct Pooling: Decodable {
        let width: Int, height: Int
        let features: [[[[Float]]]], boxes: [[Float]], direction: [[[[Float]]]], pooled: [[[[Float]]]]
        let dFeatures: [[[[Float]]]], dBoxes: [[Float]]
    }
    struct Sampler: Decodable {
        struct Case: Decodable {
            let regions: [[Float]]
            let insideOnly: Bool
            let positives: [Int], negatives: [Int], nearest: [Int]
        }
        let width: Int, height: Int
        let low: Float, high: Float
        let boxes: [[Float]]
        let cases: [Case]
    }
    struct Loss: Decodable {
        let value: Float
        let inputs: [[[Float]]], gradients: [[[Float]]]
        let boxes: [[Float]]?
    }
    let clipping: Clipping
    let overlaps: Overlaps
    let transforms: Transforms
    let anchors: AnchorGrid
    let fields: [String: Field]
    let suppression: Suppression
    let pooling: [Pooling]
    let sampler: Sampler
    let losses: [String: Loss]

    static func read() throws -> Reference {
        try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: Project.tests.appending(path: "Reference/densecap.json")))
    }
}

/// What every part is tested on.
private let backends: [any Backend] = [PortableBackend(), OpenBLAS(threads: 1), OpenBLAS(threads: 3)]

private func matrix(_ rows: [[Float]], on backend: any Backend) -> Tensor {
    Tensor(rows.flatMap { $0 }, [rows.count, rows.first?.count ?? 0], on: backend)
}

private func map(_ maps: [[[[Float]]]], on backend: any Backend) -> Tensor {
    let shape = Shape([maps.count, maps[0].count, maps[0][0].count, maps[0][0][0].count])
    return Tensor(maps.flatMap { $0.flatMap { $0.flatMap { $0 } } }, shape, on: backend)
}

private func boxes(_ rows: [[Float]]) -> [Box] { rows.map { Box(x: $0[0], y: $0[1], width: $0[2], height: $0[3]) } }

private func scalars(_ boxes: [Box]) -> [Float] { boxes.flatMap { [$0.x, $0.y, $0.width, $0.height] } }

@Suite("DenseCap: boxes") struct DenseCapBoxTests {
    @Test func corners() throws {
        let reference = try Reference.read().clipping
        for (box, expected) in zip(boxes(reference.boxes), reference.corners) {
            let c = box.corners
            expectClose([c.x1, c.y1, c.x2, c.y2], expected, "\(box)")
            // The released way back makes it a pixel smaller, around the same centre.
            let back = Box(between: c)
            expectClose(scalars([back]), [box.x, box.y, box.width - 1, box.height - 1], "\(box)")
        }
        #expect(Box(x: 3, y: 5, width: 1, height: 3).corners == Box.Corners(x1: 3, y1: 4, x2: 3, y2: 6))
    }

    @Test func clipping() throws {
        let reference = try Reference.read().clipping
        for (number, box) in boxes(reference.boxes).enumerated() {
            let clipped = box.clipped(width: 40, height: 30)
            #expect((clipped != nil) == reference.valid[number], "box \(number)")
            if let clipped { expectClose(scalars([clipped]), reference.clipped[number], "box \(number)") }
        }
        #expect(reference.valid.contains(false))
    }

    @Test func inside() {
        #expect(Box(x: 20.5, y: 15.5, width: 40, height: 30).isInside(width: 40, height: 30))
        for (dx, dy) in [(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)] as [(Float, Float)] {
            #expect(!Box(x: 20.5 + dx, y: 15.5 + dy, width: 40, height: 30).isInside(width: 40, height: 30))
        }
    }

    @Test func intersectionsOverUnions() throws {
        let reference = try Reference.read().overlaps
        let found = Box.intersectionsOverUnions(boxes(reference.boxes), boxes(reference.others))
        expectClose(found, reference.ious.flatMap { $0 })
        // 3×3 and 3×3, of which they share a column: corners 2 apart in height, 0 in width.
        let a = Box(x: 2, y: 2, width: 3, height: 3), b = Box(x: 4, y: 2, width: 3, height: 3)
        #expect(Box.intersectionsOverUnions([a], [a, b]) == [4 / 14, 0])
    }

    @Test func tensors() {
        let list = [Box(x: 1, y: 2, width: 3, height: 4), Box(x: 5, y: 6, width: 7, height: 8)]
        let tensor = Box.tensor(list, on: PortableBackend())
        #expect(tensor.shape == [2, 4] && tensor.scalars == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(Box.list(tensor) == list)
        #expect(Box.list(Box.tensor([], on: PortableBackend())).isEmpty)
    }
}

@Suite("DenseCap: anchors and transforms") struct DenseCapTransformTests {
    @Test(arguments: 0..<3) func transforms(_ backend: Int) throws {
        let reference = try Reference.read().transforms, on = backends[backend]
        let anchors = matrix(reference.anchors, on: on).tracked, t = matrix(reference.transforms, on: on).tracked
        let direction = matrix(reference.direction, on: on)
        let found = BoxTransform.boxes(t, of: anchors)
        expectClose(found.scalars, reference.boxes.flatMap { $0 }, "boxes")
        let gradients = (found * direction).sum.gradients()
        expectClose(try #require(gradients[anchors]).scalars, reference.dAnchors.flatMap { $0 }, "of anchors")
        expectClose(try #require(gradients[t]).scalars, reference.dTransforms.flatMap { $0 }, "of transforms")
        // And back.
        expectClose(
            BoxTransform.between(anchors, and: found).scalars, reference.transforms.flatMap { $0 }, tolerance: 1e-4, "back")
    }

    @Test(arguments: 0..<3) func between(_ backend: Int) throws {
        let reference = try Reference.read().transforms, on = backends[backend]
        let anchors = matrix(reference.anchors, on: on).tracked, others = matrix(reference.others, on: on).tracked
        let found = BoxTransform.between(anchors, and: others)
        expectClose(found.scalars, reference.between.flatMap { $0 }, "between")
        let gradients = (found * matrix(reference.direction, on: on)).sum.gradients()
        expectClose(try #require(gradients[anchors]).scalars, reference.dBetweenAnchors.flatMap { $0 }, "of anchors")
        expectClose(try #require(gradients[others]).scalars, reference.dOthers.flatMap { $0 }, "of boxes")
    }

    @Test func anchors() throws {
        let reference = try Reference.read().anchors, on = PortableBackend()
        let axis = ReceptiveField.Axis(start: 8.5, step: 16), anchors = Anchors()
        let found = anchors(
            rows: reference.rows, columns: reference.columns, ReceptiveField(vertical: axis, horizontal: axis), on: on)
        #expect(found.shape == [72, 4])
        #expect(found.scalars == reference.flat.flatMap { $0 })
        // The order of what convolutions say.
        #expect(anchors.inOrder(map([reference.map], on: on)).scalars == reference.flat.flatMap { $0 })
    }

    @Test(arguments: ["vgg", "mixed"]) func receptiveFields(_ name: String) throws {
        let reference = try #require(try Reference.read().fields[name])
        let layers = reference.layers.enumerated().map { number, layer in
            let (kernel, stride, padding, dilation) = (layer[0], layer[1], layer[2], layer[3])
            return kernel == 2
                ? #"{"op": "max_pool", "size": \#(kernel), "stride": \#(stride)}"#
                : #"{"op": "convolution", "name": "c\#(number)", "outputs": 1, "kernel": \#(kernel), "stride": \#(stride), "#
                    + #""padding": \#(padding), "dilation": \#(dilation)}"#
        }
        let network = try JSONDecoder().decode([NamedLayer].self, from: Data("[\(layers.joined(separator: ", "))]".utf8))
        let field = ReceptiveField(network, input: [300, 200, 3])
        for axis in [field.vertical, field.horizontal] {
            #expect((0..<3).map { axis.centre(of: $0) } == reference.centres)
        }
    }

    /// Where `same` padding is odd, its pixel is after the picture: a side of even length begins to look at its first pixel.
    @Test func fieldOfSamePadding() throws {
        let layer = #"{"op": "convolution", "name": "c", "outputs": 1, "kernel": 3, "stride": 2, "padding": "same"}"#
        let network = try JSONDecoder().decode([NamedLayer].self, from: Data("[\(layer)]".utf8))
        let field = ReceptiveField(network, input: [8, 7, 3])
        #expect(field.vertical == ReceptiveField.Axis(start: 2, step: 2))
        #expect(field.horizontal == ReceptiveField.Axis(start: 1, step: 2))
    }
}

@Suite("DenseCap: non-maximum suppression") struct DenseCapSuppressionTests {
    @Test func cases() throws {
        let reference = try Reference.read().suppression, list = boxes(reference.boxes)
        for test in reference.cases {
            let found = NonMaximumSuppression(threshold: test.threshold, limit: test.limit)(list, scores: reference.scores)
            #expect(found == test.kept, "\(test.threshold), at most \(test.limit)")
            if found.count < test.limit {
                #expect(NonMaximumSuppression(threshold: test.threshold)(list, scores: reference.scores) == test.kept)
            }
        }
    }

    /// 10×10 pixels each, of which neighbours share half: an intersection of 50 in a union of 150.
    @Test func thresholdIsKept() {
        let list = (0..<4).map { Box(x: 5.5 + 5 * Float($0), y: 5.5, width: 10, height: 10) }, scores: [Float] = [0, 3, 2, 1]
        #expect(NonMaximumSuppression(threshold: Float(50) / 150)(list, scores: scores) == [1, 2, 3, 0])
        #expect(NonMaximumSuppression(threshold: (Float(50) / 150).nextDown)(list, scores: scores) == [1, 3])
    }

    @Test func ties() {
        let apart = (0..<20).map { Box(x: Float(100 * $0), y: 5, width: 10, height: 10) }
        #expect(NonMaximumSuppression(threshold: 0.5)(apart, scores: [Float](repeating: 0.5, count: 20)) == Array(0..<20))
        let alike = [Box](repeating: apart[3], count: 20)
        #expect(NonMaximumSuppression(threshold: 0.5)(alike, scores: [Float](repeating: -1, count: 20)) == [0])
        #expect(NonMaximumSuppression(threshold: 0.5)(Array(apart.prefix(4)), scores: [0, -0.0, -1, 0]) == [0, 1, 3, 2])
        #expect(NonMaximumSuppression(threshold: 0.5)([], scores: []).isEmpty)
        #expect(NonMaximumSuppression(threshold: 0.5, limit: 0)(apart, scores: [Float](repeating: 1, count: 20)).isEmpty)
    }

    /// Ten thousand proposals against the definition.
    @Test func many() {
        let random = RandomSource(seed: 4), count = 10_000
        let list = (0..<count).map { _ in
            Box(
                x: 720 * random.uniform(), y: 540 * random.uniform(), width: 1 + 200 * random.uniform(),
                height: 1 + 200 * random.uniform())
        }
        let scores = (0..<count).map { _ in random.uniform() }
        let found = NonMaximumSuppression(threshold: 0.7, limit: 1000)(list, scores: scores)
        var kept: [Int] = []
        for i in list.indices.sorted(by: { scores[$0] > scores[$1] }) where kept.count < 1000 {
            let a = list[i].corners
            let isCovered = kept.contains { k in
                let b = list[k].corners
                let width = max(0, min(a.x2, b.x2) - max(a.x1, b.x1) + 1), height = max(0, min(a.y2, b.y2) - max(a.y1, b.y1) + 1)
                let (areaA, areaB) = ((a.x2 - a.x1 + 1) * (a.y2 - a.y1 + 1), (b.x2 - b.x1 + 1) * (b.y2 - b.y1 + 1))
                return width * height / (areaA + areaB - width * height) > 0.7
            }
            if !isCovered { kept.append(i) }
        }
        #expect(found == kept)
    }
}

@Suite("DenseCap: bilinear pooling") struct DenseCapPoolingTests {
    @Test(arguments: 0..<2, 0..<3) func values(_ number: Int, _ backend: Int) throws {
        let reference = try Reference.read().pooling[number], on = backends[backend]
        let features = map(reference.features, on: on).tracked, boxes = matrix(reference.boxes, on: on).tracked
        let expected = map(reference.pooled, on: on)
        let pool = BilinearPooling(rows: expected.shape[1], columns: expected.shape[2])
        let found = pool(features, boxes, in: .init(height: reference.height, width: reference.width))
        #expect(found.shape == expected.shape)
        expectClose(found.scalars, expected.scalars, "pooled")
        let gradients = (found * map(reference.direction, on: on)).sum.gradients()
        expectClose(
            try #require(gradients[features]).scalars, map(reference.dFeatures, on: on).scalars, "of the features")
        expectClose(try #require(gradients[boxes]).scalars, reference.dBoxes.flatMap { $0 }, tolerance: 1e-4, "of the boxes")
    }

    /// The picture itself, in as many points as the map has pixels, is the map.
    @Test(arguments: 0..<3) func identity(_ backend: Int) {
        let on = backends[backend], features = RandomSource(seed: 1).uniform([1, 5, 7, 9], -1..<1, on: on)
        let whole = Box.tensor([Box(x: 50.5, y: 40.5, width: 100, height: 80)], on: on)
        let found = BilinearPooling(rows: 5, columns: 7)(features, whole, in: .init(height: 80, width: 100))
        expectClose(found.scalars, features.scalars, tolerance: 1e-5)
    }

    /// Finite differences. The grids stay off the lines where the derivative jumps.
    @Test(arguments: 0..<3) func differenceQuotients(_ backend: Int) throws {
        let on = backends[backend], random = RandomSource(seed: 2), picture = BilinearPooling.Picture(height: 61, width: 61)
        let pool = BilinearPooling(rows: 3, columns: 3), direction = random.uniform([2, 3, 3, 10], -1..<1, on: on)
        let inputs = [
            random.uniform([1, 4, 4, 10], -1..<1, on: on),
            Box.tensor([Box(x: 28, y: 33, width: 12, height: 17), Box(x: 10, y: 52, width: 9, height: 11)], on: on),
        ]
        func value(_ inputs: [Tensor]) -> Double {
            let v = pool(inputs[0], inputs[1], in: picture)
            return zip(v.scalars, direction.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let leaves = inputs.map(\.tracked)
        let gradients = (pool(leaves[0], leaves[1], in: picture) * direction).sum.gradients()
        for (number, step) in [Float(0.5), 0.125].enumerated() {
            let scalars = inputs[number].scalars
            let quotients = scalars.indices.map { i in
                let ends = [step, -step].map { step in
                    var moved = scalars, arguments = inputs
                    moved[i] += step
                    arguments[number] = Tensor(moved, inputs[number].shape, on: on)
                    return value(arguments)
                }
                return Float((ends[0] - ends[1]) / Double(2 * step))
            }
            let found = try #require(gradients[leaves[number]]).scalars
            expectClose(found, quotients, tolerance: number == 0 ? 1e-5 : 2e-3, "input \(number)")
        }
    }

    /// Enough for every thread to have its part: to the bit what one thread makes of it.
    @Test func threads() throws {
        func results(on backend: any Backend) throws -> [[Float]] {
            let random = RandomSource(seed: 3)
            let features = random.uniform([1, 9, 12, 130], -1..<1, on: backend).tracked
            let list = (0..<200).map { _ in
                Box(
                    x: 192 * random.uniform(), y: 144 * random.uniform(), width: 1 + 90 * random.uniform(),
                    height: 1 + 90 * random.uniform())
            }
            let boxes = Box.tensor(list, on: backend).tracked
            let v = BilinearPooling(rows: 7, columns: 7)(features, boxes, in: .init(height: 144, width: 192))
            let gradients = (v * v).sum.gradients()
            return [v.scalars, try #require(gradients[features]).scalars, try #require(gradients[boxes]).scalars]
        }
        let expected = try results(on: backends[0])
        #expect(try results(on: backends[1]) == expected)
        #expect(try results(on: backends[2]) == expected)
    }

    /// Boxes that are no numbers, or lie nowhere near the picture, show nothing and stop nothing.
    @Test func nowhere() throws {
        let on = backends[2], features = Tensor(repeating: 1, [1, 4, 4, 8], on: on).tracked
        let list = [Box(x: .nan, y: 5, width: 5, height: 5), Box(x: 1e30, y: 5, width: 5, height: 5)]
        let boxes = Box.tensor(list, on: on).tracked
        let v = BilinearPooling(rows: 2, columns: 2)(features, boxes, in: .init(height: 20, width: 20))
        #expect(v.scalars.allSatisfy { $0 == 0 })
        let gradients = v.sum.gradients()
        #expect(try #require(gradients[features]).scalars.allSatisfy { $0 == 0 })
        let none = BilinearPooling(rows: 2, columns: 2)(
            features, Box.tensor([], on: on), in: .init(height: 20, width: 20))
        #expect(none.shape == [0, 2, 2, 8])
    }

    @Test func onlyWhatIsTracked() {
        let on = PortableBackend(), features = Tensor(repeating: 1, [1, 4, 4, 8], on: on)
        let boxes = Box.tensor([Box(x: 10, y: 10, width: 6, height: 6)], on: on), pool = BilinearPooling(rows: 2, columns: 2)
        #expect(!pool(features, boxes, in: .init(height: 20, width: 20)).isTracked)
        #expect(pool(features, boxes.tracked, in: .init(height: 20, width: 20)).isTracked)
    }
}

@Suite("DenseCap: sampling of boxes") struct DenseCapSamplerTests {
    @Test func candidates() throws {
        let reference = try Reference.read().sampler, list = boxes(reference.boxes)
        for (number, test) in reference.cases.enumerated() {
            let sampler = BoxSampler(
                lowThreshold: reference.low, highThreshold: reference.high, insideOnly: test.insideOnly)
            let found = sampler.candidates(
                list, regions: boxes(test.regions), width: reference.width, height: reference.height)
            #expect(found.positives == test.positives, "case \(number)")
            #expect(found.negatives == test.negatives, "case \(number)")
            #expect(found.regions == test.nearest, "case \(number)")
        }
    }

    /// No more positives than half, none twice; negatives twice only where they are few.
    @Test func draws() throws {
        let reference = try Reference.read().sampler, list = boxes(reference.boxes), test = reference.cases[1]
        let regions = boxes(test.regions), all = Set(test.positives), others = Set(test.negatives)
        func sample(_ count: Int, _ seed: UInt64) -> BoxSampler.Sample {
            BoxSampler(count: count, lowThreshold: reference.low, highThreshold: reference.high, insideOnly: false)(
                list, regions: regions, width: reference.width, height: reference.height, random: RandomSource(seed: seed))
        }
        let few = sample(8, 1)
        #expect(few.positives.count == 4 && Set(few.positives).count == 4 && all.isSuperset(of: few.positives))
        #expect(few.negatives.count == 4 && Set(few.negatives).count == 4 && others.isSuperset(of: few.negatives))
        #expect(few.regions == few.positives.map { test.nearest[$0] })
        let many = sample(256, 1)
        #expect(many.positives.sorted() == test.positives)
        #expect(many.negatives.count == 256 - test.positives.count && Set(many.negatives) == others)
        #expect(sample(8, 1) == few)
        #expect((2..<8).contains { sample(8, $0) != few })
        // Every one of them, sooner or later.
        let drawn = (0..<100).map { sample(8, UInt64($0)) }
        #expect(Set(drawn.flatMap(\.positives)) == all && Set(drawn.flatMap(\.negatives)) == others)
    }

    /// The one box there is must be what the region looks like, and nothing is left to be a negative.
    @Test func oneBox() {
        let found = BoxSampler()(
            [Box(x: 500, y: 5, width: 3, height: 3)], regions: [Box(x: 5, y: 5, width: 3, height: 3)], width: 10, height: 10,
            random: RandomSource(seed: 1))
        #expect(found.positives == [0] && found.regions == [0] && found.negatives.isEmpty)
    }
}

@Suite("DenseCap: losses") struct DenseCapLossTests {
    private func check(
        _ name: String, _ backend: Int, _ loss: (_ inputs: [Tensor], _ reference: Reference.Loss) throws -> Tensor
    ) throws {
        let reference = try #require(try Reference.read().losses[name]), on = backends[backend]
        let inputs = reference.inputs.map { matrix($0, on: on).tracked }
        let found = try loss(inputs, reference), gradients = found.gradients()
        #expect(found.shape == [])
        expectClose([found.scalar], [reference.value], "\(name)")
        for (number, input) in inputs.enumerated() {
            let gradient = try #require(gradients[input]).scalars
            expectClose(gradient, reference.gradients[number].flatMap { $0 }, "\(name), input \(number)")
        }
    }

    @Test(arguments: 0..<3) func smooth(_ backend: Int) throws { try check("smooth", backend) { x, _ in smoothL1(x[0]) } }

    @Test(arguments: 0..<3) func regression(_ backend: Int) throws {
        try check("regression", backend) { x, reference in
            boxRegressionLoss(x[0], x[1], matrix(try #require(reference.boxes), on: x[0].backend))
        }
    }

    @Test(arguments: 0..<3) func proposals(_ backend: Int) throws {
        try check("proposals", backend) { x, _ in proposalLoss(positives: x[0], negatives: x[1]) }
    }

    @Test(arguments: 0..<3) func logistic(_ backend: Int) throws {
        try check("logistic", backend) { x, _ in logisticLoss(x[0], positives: 3) }
    }

    @Test func extremes() {
        let on = PortableBackend()
        #expect(smoothL1(Tensor([0.5, -1, 3, 0], [2, 2], on: on)).scalar == (0.125 + 0.5 + 2.5) / 4)
        // No overflow.
        #expect(logisticLoss(Tensor([-1000, 1000], [2, 1], on: on), positives: 1).scalar == 1000)
        // Where all would have to change too much, nothing is learnt.
        let far = Tensor([1000, 1, 1, 1], [1, 4], on: on), near = Tensor([0, 1, 1, 1], [1, 4], on: on)
        #expect(boxRegressionLoss(near, near, far).scalar == 0)
        let score = Tensor([2, 2], [1, 2], on: on), none = Tensor.zeros([0, 2], on: on)
        expectClose([proposalLoss(positives: score, negatives: none).scalar], [0.6931472])
    }

    @Test func weights() {
        func loss(_ value: Float) -> Tensor { Tensor([value], [], on: PortableBackend()) }
        let losses = Losses(
            proposalObjectness: loss(1), proposalBoxes: loss(10), objectness: loss(100), boxes: loss(1000),
            captions: loss(10_000), boxDecay: loss(100_000))
        expectClose([losses.terms(Losses.Weights()).total.scalar], [0.1 + 0.5 + 10 + 100 + 10_000 + 5])
    }
}
