import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

@Suite struct SmallLayerTests {
    let backend = OpenBLAS(threads: 1)

    @Test func linear() throws {
        let store = ParameterStore(FormulaParameters(), on: backend)
        let layer = try Linear(7, 3, in: store.root["linear"])
        let x = FormulaParameters.uniform("x", [4, 7], on: backend)
        expectClose(layer(x).scalars, LayerValues.linear)
        #expect(layer(x.reshaped([2, 2, 7])).shape == [2, 2, 3])
        #expect(store.all.map(\.name) == ["linear.bias", "linear.weight"])

        let unbiased = try Linear(7, 3, bias: false, in: ParameterStore(FormulaParameters(), on: backend).root["linear"])
        let bias = try #require(store.all.first { $0.name == "linear.bias" })
        expectClose(unbiased(x) + bias.value, layer(x))
    }

    @Test func embedding() throws {
        let store = ParameterStore(
            GivenParameters(values: ["words.weight": [0, 1, 10, 11, 20, 21]]), for: .training, on: backend)
        let words = try Embedding(3, 2, in: store.root["words"])
        #expect(words([2, 0, 2]).scalars == [20, 21, 0, 1, 20, 21])
        store.startTraining()
        // A word that stands twice gets both gradients, one that does not stand there none.
        let gradient = words([2, 0, 2]).sum.gradients()[words.weight.value]
        #expect(gradient?.scalars == [1, 1, 0, 0, 2, 2])
    }

    @Test(arguments: [0.2, 0.5, 0.9] as [Float])
    func dropout(rate: Float) {
        let store = ParameterStore(FreshParameters(seed: 1), for: .training, on: backend)
        let layer = Dropout(rate, in: store.root)
        let x = Tensor(repeating: 2, [100, 200], on: backend)
        #expect(layer(x).scalars == x.scalars)

        store.setMode(.training(RandomSource(seed: 3)))
        let y = layer(x).scalars
        let kept = y.filter { $0 != 0 }
        // Five deviations of a binomial distribution.
        let deviation = (20_000 * rate * (1 - rate)).squareRoot()
        #expect(abs(Float(kept.count) - 20_000 * (1 - rate)) < 5 * deviation)
        #expect(kept.allSatisfy { abs($0 - 2 / (1 - rate)) < 1e-5 })
        #expect(layer(x).scalars != y, "every call draws anew")
        store.setMode(.training(RandomSource(seed: 3)))
        #expect(layer(x).scalars == y, "the seed decides")

        store.setMode(.inference)
        #expect(layer(x).scalars == x.scalars)
    }

    @Test func noDropout() {
        let store = ParameterStore(FreshParameters(seed: 1), for: .training, on: backend)
        store.setMode(.training(RandomSource(seed: 3)))
        #expect(Dropout(0, in: store.root)(Tensor([1, 2], [2], on: backend)).scalars == [1, 2])
    }

    @Test(
        arguments: zip(
            Activation.allCases,
            [[0, 0.5, 7], [0, 0.5, 6], [-0.96402758, 0.46211716, 0.99999834], [0.11920292, 0.62245933, 0.99908895]] as [[Float]]))
    func activation(_ f: Activation, _ expected: [Float]) {
        expectClose(f(Tensor([-2, 0.5, 7], [3], on: backend)).scalars, expected)
    }
}

@Suite struct BatchNormalizationTests {
    let backend = OpenBLAS(threads: 1)

    private func batches() -> (first: Tensor, second: Tensor) {
        (
            FormulaParameters.uniform("first", [3, 4, 5, 6], on: backend),
            FormulaParameters.uniform("second", [3, 4, 5, 6], on: backend)
        )
    }

    private func every(_ stride: Int, _ x: Tensor) -> [Float] {
        let scalars = x.scalars
        return Swift.stride(from: 0, to: scalars.count, by: stride).map { scalars[$0] }
    }

    /// Two batches while training, then inference by the running averages, whose variance is the unbiased one.
    @Test func sameAsPyTorch() throws {
        let store = ParameterStore(FormulaParameters(), for: .training, on: backend)
        let layer = try BatchNormalization(6, epsilon: 0.001, in: store.root["normalization"])
        let (first, second) = batches()
        store.startTraining()
        _ = layer(first)
        expectClose(every(13, layer(second)), LayerValues.normalizationOfSecondBatch)
        expectClose(layer.mean.value.scalars, LayerValues.runningMean)
        expectClose(layer.variance.value.scalars, LayerValues.runningVariance)
        #expect(!layer.mean.value.isTracked && !layer.variance.value.isTracked)
        store.setMode(.inference)
        expectClose(every(13, layer(first)), LayerValues.normalizationByRunningAverages)
        expectClose(layer.mean.value.scalars, LayerValues.runningMean)
    }

    @Test func withoutScale() throws {
        let store = ParameterStore(FormulaParameters(), for: .training, on: backend)
        let layer = try BatchNormalization(6, epsilon: 0.001, scale: false, in: store.root["normalization"])
        #expect(store.all.map(\.name) == ["normalization.mean", "normalization.shift", "normalization.variance"])
        let scaled = try BatchNormalization(6, epsilon: 0.001, in: store.root["normalization"])
        let (first, _) = batches()
        func check(_ mode: String) {
            let x = layer(first) - layer.shift.value
            let y = scaled(first) - scaled.shift.value
            expectClose(x * scaled.scale!.value, y, mode)
        }
        check("inference")
        store.startTraining()
        // Both share their statistics, which the result of this batch does not depend on.
        check("training")
    }

    /// A layer none of whose parameters are trained neither normalises by the batch nor changes its averages.
    @Test func frozen() throws {
        let store = ParameterStore(FormulaParameters(), for: .training, on: backend)
        let layer = try BatchNormalization(6, epsilon: 0.001, in: store.root["normalization"])
        let (first, _) = batches()
        let inference = layer(first)
        let mean = layer.mean.value.scalars
        store.track { _ in false }
        store.setMode(.training(RandomSource(seed: 1)))
        #expect(layer(first).scalars == inference.scalars)
        #expect(layer.mean.value.scalars == mean)
    }

    /// Vectors are normalised as well, and one row has no unbiased variance.
    @Test func vectors() throws {
        let store = ParameterStore(FreshParameters(seed: 1), for: .training, on: backend)
        let layer = try BatchNormalization(2, epsilon: 0, in: store.root)
        store.startTraining()
        expectClose(layer(Tensor([1, 10, 3, 30], [2, 2], on: backend)).scalars, [-1, -1, 1, 1])
        expectClose(layer.mean.value.scalars, [0.2, 2])
        expectClose(layer.variance.value.scalars, [0.9 + 0.2, 0.9 + 20])
        let one = try BatchNormalization(2, epsilon: 1, in: store.root["one"])
        store.startTraining()
        #expect(one(Tensor([1, 10], [1, 2], on: backend)).scalars == [0, 0])
        expectClose(one.variance.value.scalars, [0.9, 0.9])
    }
}

@Suite struct ConvolutionLayerTests {
    let backend = OpenBLAS(threads: 1)
    private let geometry = ConvolutionGeometry(
        stride: (2, 1), padding: Padding(top: 1, left: 0, bottom: 1, right: 0), groups: 2)

    private func layer(
        _ source: any ParameterSource, _ purpose: ParameterStore.Purpose, bias: Bool = true, scale: Bool = true
    ) throws -> (Convolution2D, ParameterStore) {
        let store = ParameterStore(source, for: purpose, on: backend)
        let configuration = Convolution2D.Configuration(
            inputs: 6, outputs: 8, kernel: (3, 2), groups: 2, bias: bias,
            normalization: NormalizationSpec(epsilon: 0.001, scale: scale), activation: .relu6)
        return (try Convolution2D(configuration, geometry, input: [2, 9, 8, 6], in: store.root["conv"]), store)
    }

    private var x: Tensor { FormulaParameters.uniform("x", [2, 9, 8, 6], on: backend) }

    @Test func sameAsPyTorch() throws {
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let (layer, _) = try layer(FormulaParameters(), purpose)
            let y = layer(x, geometry).scalars
            expectClose(stride(from: 0, to: y.count, by: 17).map { y[$0] }, LayerValues.convolution, "\(purpose)")
        }
    }

    /// What is folded for inference computes what the separate layers of a store for training compute.
    @Test(arguments: [true, false], [true, false])
    func folding(bias: Bool, scale: Bool) throws {
        let (folded, _) = try layer(FormulaParameters(), .inference, bias: bias, scale: scale)
        let (separate, store) = try layer(FormulaParameters(), .training, bias: bias, scale: scale)
        expectClose(folded(x, geometry), separate(x, geometry))
        #expect(store.all.contains { $0.name == "conv.bias" } == bias)
        #expect(store.all.contains { $0.name == "conv.normalization.scale" } == scale)
    }

    /// A checkpoint with a weight and a bias alone was folded before; so it can even be trained on.
    @Test(arguments: [true, false])
    func foldedCheckpoint(bias: Bool) throws {
        let source = FormulaParameters(missing: { $0.contains("normalization") })
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let (layer, store) = try layer(source, purpose, bias: bias)
            #expect(store.all.map(\.name) == ["conv.bias", "conv.weight"])
            let expected = relu6(
                convolution(
                    x, try source.tensor(named: "conv.weight", shape: [8, 3, 3, 2], initializer: .he, on: backend),
                    bias: try source.tensor(named: "conv.bias", shape: [8], initializer: .he, on: backend), geometry))
            expectClose(layer(x, geometry), expected, "\(purpose)")
        }
    }

    /// Without a bias it was not folded: then the statistics are missing, and the source has to say so.
    @Test func missingStatistics() throws {
        let weight = FormulaParameters.uniform("w", [8, 3, 3, 2], on: backend).scalars
        #expect(throws: (any Error).self) { try layer(GivenParameters(values: ["conv.weight": weight]), .inference) }
    }

    @Test func depthwise() throws {
        let store = ParameterStore(FormulaParameters(), on: backend)
        let geometry = ConvolutionGeometry(padding: Padding(1), groups: 4)
        let layer = try Convolution2D(
            .init(inputs: 4, outputs: 4, kernel: (3, 3), groups: 4, normalization: NormalizationSpec(epsilon: 0.1)), geometry,
            input: [1, 6, 6, 4], in: store.root["d"])
        let training = ParameterStore(FormulaParameters(), for: .training, on: backend)
        let separate = try Convolution2D(
            .init(inputs: 4, outputs: 4, kernel: (3, 3), groups: 4, normalization: NormalizationSpec(epsilon: 0.1)), geometry,
            input: [1, 6, 6, 4], in: training.root["d"])
        let x = FormulaParameters.uniform("x", [1, 6, 6, 4], on: backend)
        #expect(store.all.first { $0.name == "d.weight" }?.value.shape == [4, 1, 3, 3])
        expectClose(layer(x, geometry), separate(x, geometry))
    }

    /// While training, the statistics of the batch count and gradients reach all parameters.
    @Test func training() throws {
        let (layer, store) = try layer(FormulaParameters(), .training)
        let before = layer(x, geometry)
        store.startTraining()
        let during = layer(x, geometry)
        #expect(relativeDifference(during.scalars, before.scalars) > 0.01)
        let gradients = during.squared.sum.gradients()
        for parameter in store.all {
            #expect((gradients[parameter.value] == nil) == parameter.isStatistic, "\(parameter.name)")
        }
    }
}

@Suite struct ParameterStoreTests {
    let backend = OpenBLAS(threads: 1)

    @Test func scopes() throws {
        let store = ParameterStore(FreshParameters(seed: 5), for: .training, on: backend)
        let a = try store.root["cnn"]["conv1"].parameter("weight", [2, 3], .he)
        let b = try store.root["cnn"]["conv1"].parameter("weight", [2, 3], .he)
        let statistic = try store.root["cnn"].statistic("mean", [3], .constant(0))
        #expect(a === b)
        #expect(store.all.map(\.name) == ["cnn.conv1.weight", "cnn.mean"])
        #expect(!a.isStatistic && statistic.isStatistic)
        a.value = Tensor.zeros([2, 3], on: backend)
        #expect(b.value.scalars == [0, 0, 0, 0, 0, 0])
    }

    @Test func tracking() throws {
        let store = ParameterStore(FreshParameters(seed: 5), for: .training, on: backend)
        let cnn = try store.root["cnn"].parameter("weight", [2], .constant(1))
        let rnn = try store.root["rnn"].parameter("weight", [2], .constant(1))
        let mean = try store.root["rnn"].statistic("mean", [2], .constant(1))
        store.track { $0.name.hasPrefix("rnn.") }
        #expect(!cnn.value.isTracked && rnn.value.isTracked && !mean.value.isTracked)
        store.track { _ in false }
        #expect(!rnn.value.isTracked)
    }

    @Test func errorsOfTheSource() throws {
        let store = ParameterStore(GivenParameters(values: ["b": [1]]), on: backend)
        #expect(throws: (any Error).self) { try store.root.parameter("a", [1], .he) }
        #expect(throws: (any Error).self) { try store.root.parameter("b", [2], .he) }
        #expect(try store.root.parameter("b", [1], .he).value.scalars == [1])
        #expect(store.root.contains("b") && !store.root["b"].contains("a"))
    }

    /// A parameter does not depend on what was made before it, only on its name and the seed.
    @Test func freshParameters() throws {
        func value(_ name: String, seed: UInt64, after others: [String] = []) throws -> [Float] {
            let store = ParameterStore(FreshParameters(seed: seed), on: backend)
            for other in others { _ = try store.root.parameter(other, [5], .he) }
            return try store.root.parameter(name, [3, 2], .uniform(0.5)).value.scalars
        }
        expectClose(try value("fc.weight", seed: 7), TrainingValues.freshParameter, tolerance: 1e-6)
        #expect(try value("fc.weight", seed: 7, after: ["a", "b"]) == value("fc.weight", seed: 7))
        #expect(try value("fc.weight", seed: 8) != value("fc.weight", seed: 7))
        #expect(try value("fd.weight", seed: 7) != value("fc.weight", seed: 7))
    }
}
