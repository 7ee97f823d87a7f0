import OpenBLASBackend
import Tensors
import Testing

/// Values and gradients that PyTorch computed: see `Reference/torch_values.py`, which draws the same inputs.
@Suite("Values and gradients agree with PyTorch")
struct PyTorchTests {
    typealias Values = PyTorchValues
    static let backends: [any Backend] = [PortableBackend(), OpenBLAS(threads: 2)]

    @Test(arguments: [0, 1])
    func groupedConvolution(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([2, 5, 6, 4], 7, on).tracked
        let w = ramp([6, 2, 3, 3], 5, on).tracked
        let b = ramp([6], 3, on).tracked
        let y = convolution(x, w, bias: b, ConvolutionGeometry(stride: (2, 2), padding: Padding(1), groups: 2))
        let gradients = (y * ramp(y.shape, 11, on)).sum.gradients()
        expectClose(y.scalars, Values.convolution, tolerance: 1e-6, "y")
        expectClose(try #require(gradients[x]).scalars, Values.convolutionDX, tolerance: 1e-6, "dx")
        expectClose(try #require(gradients[w]).scalars, Values.convolutionDW, tolerance: 1e-6, "dw")
        expectClose(try #require(gradients[b]).scalars, Values.convolutionDBias, tolerance: 1e-6, "dbias")
    }

    @Test(arguments: [0, 1])
    func depthwiseConvolution(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([1, 6, 6, 3], 7, on).tracked
        let w = ramp([6, 1, 3, 3], 5, on).tracked
        let padding = Padding(top: 2, left: 1, bottom: 2, right: 1)
        let y = convolution(x, w, ConvolutionGeometry(stride: (1, 2), padding: padding, dilation: (2, 1), groups: 3))
        let gradients = (y * ramp(y.shape, 11, on)).sum.gradients()
        expectClose(y.scalars, Values.depthwise, tolerance: 1e-6, "y")
        expectClose(try #require(gradients[x]).scalars, Values.depthwiseDX, tolerance: 1e-6, "dx")
        expectClose(try #require(gradients[w]).scalars, Values.depthwiseDW, tolerance: 1e-6, "dw")
    }

    struct Pooling: Sendable, CustomTestStringConvertible {
        let name: String, geometry: PoolingGeometry, y: [Float], dx: [Float]
        var testDescription: String { name }
    }
    static let poolings = [
        Pooling(
            name: "max_pool2d(3, 2, 1, ceil_mode)",
            geometry: PoolingGeometry(.maximum, size: (3, 3), stride: (2, 2), padding: Padding(1), roundsUp: true),
            y: Values.maximum, dx: Values.maximumDX),
        Pooling(
            name: "max_pool2d(2, 2, ceil_mode)",
            geometry: PoolingGeometry(.maximum, size: (2, 2), stride: (2, 2), roundsUp: true),
            y: Values.maximumNarrow, dx: Values.maximumNarrowDX),
        Pooling(
            name: "avg_pool2d(3, 2, 1, ceil_mode, not count_include_pad)",
            geometry: PoolingGeometry(
                .average(countsPadding: false), size: (3, 3), stride: (2, 2), padding: Padding(1), roundsUp: true),
            y: Values.average, dx: Values.averageDX),
        Pooling(
            name: "avg_pool2d(3, 2, 1, ceil_mode, count_include_pad)",
            geometry: PoolingGeometry(
                .average(countsPadding: true), size: (3, 3), stride: (2, 2), padding: Padding(1), roundsUp: true),
            y: Values.averagePadded, dx: Values.averagePaddedDX),
        Pooling(
            name: "avg_pool2d((2, 3), (2, 1), (0, 1), count_include_pad)",
            geometry: PoolingGeometry(
                .average(countsPadding: true), size: (2, 3), stride: (2, 1),
                padding: Padding(top: 0, left: 1, bottom: 0, right: 1)),
            y: Values.averageDown, dx: Values.averageDownDX),
    ]

    @Test(arguments: poolings, [0, 1])
    func pools(pooling: Pooling, backend: Int) throws {
        let on = Self.backends[backend]
        let x = Tensor((0..<168).map { Float($0 * 67 % 169) / 84 - 1 }, [2, 6, 7, 2], on: on).tracked
        let y = pool(x, pooling.geometry)
        let gradients = (y * ramp(y.shape, 11, on)).sum.gradients()
        expectClose(y.scalars, pooling.y, tolerance: 1e-6, "y")
        expectClose(try #require(gradients[x]).scalars, pooling.dx, tolerance: 1e-6, "dx")
    }

    @Test(arguments: [0, 1])
    func normalisesBatches(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([2, 3, 3, 3], 7, on).tracked
        let s = ramp([3], 4, on).tracked
        let t = ramp([3], 3, on).tracked
        let (y, mean, variance) = batchNormalization(x, scale: s, shift: t, epsilon: 1e-3)
        let gradients = (y * ramp(y.shape, 11, on)).sum.gradients()
        expectClose(y.scalars, Values.batchNormalization, tolerance: 3e-6, "y")
        // PyTorch's running variance is the unbiased one: by n - 1 = 17 and not by n.
        expectClose(mean.scalars, Values.batchNormalizationMean, tolerance: 3e-6, "mean")
        expectClose((variance * 18 / 17).scalars, Values.batchNormalizationUnbiasedVariance, tolerance: 3e-6, "variance")
        expectClose(try #require(gradients[x]).scalars, Values.batchNormalizationDX, tolerance: 3e-6, "dx")
        expectClose(try #require(gradients[s]).scalars, Values.batchNormalizationDScale, tolerance: 3e-6, "dscale")
        expectClose(try #require(gradients[t]).scalars, Values.batchNormalizationDShift, tolerance: 3e-6, "dshift")
    }

    @Test(arguments: [0, 1])
    func lstmCell(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([3, 4], 7, on).tracked
        let h = ramp([3, 2], 5, on).tracked
        let c = ramp([3, 2], 3, on).tracked
        let w = ramp([8, 4], 4, on).tracked
        let u = ramp([8, 2], 6, on).tracked
        let b = ramp([8], 9, on).tracked
        let b2 = ramp([8], 8, on).tracked
        let a = matmul(x, w, transposed: true, bias: b) + matmul(h, u, transposed: true, bias: b2)
        let (hidden, cell) = lstmStep(a, cell: c, LSTMConvention(order: .ifgo))
        let gradients = ((hidden * ramp([3, 2], 11, on)).sum + (cell * ramp([3, 2], 13, on)).sum).gradients()
        expectClose(hidden.scalars, Values.lstmHidden, tolerance: 2e-6, "hidden")
        expectClose(cell.scalars, Values.lstmCell, tolerance: 2e-6, "cell")
        for (leaf, expected, label) in [
            (x, Values.lstmDX, "dx"), (h, Values.lstmDHidden, "dh"), (c, Values.lstmDCell, "dc"), (w, Values.lstmDInput, "dw"),
            (u, Values.lstmDRecurrent, "du"), (b, Values.lstmDBias, "db"), (b2, Values.lstmDBias, "db2"),
        ] {
            expectClose(try #require(gradients[leaf]).scalars, expected, tolerance: 3e-6, label)
        }
    }

    @Test(arguments: [0, 1])
    func lstmStates(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([4, 3, 4], 7, on).tracked
        let h = ramp([3, 2], 5, on).tracked
        let c = ramp([3, 2], 3, on).tracked
        let w = ramp([8, 4], 4, on).tracked
        let u = ramp([8, 2], 6, on).tracked
        let a = matmul(x, w, transposed: true, bias: ramp([8], 9, on) + ramp([8], 8, on))
        let states = lstmSequence(a, recurrent: u, hidden: h, cell: c, LSTMConvention(order: .ifgo))
        let both = Tensors.lstmStates(a, recurrent: u, hidden: h, cell: c, LSTMConvention(order: .ifgo))
        let gradients = (states * ramp([4, 3, 2], 11, on)).sum.gradients()
        expectClose(states.scalars, Values.sequenceHidden, tolerance: 2e-6, "hidden")
        expectClose(both.sliced(axis: -1, 0..<2).scalars, Values.sequenceHidden, tolerance: 2e-6, "hidden beside cells")
        expectClose(both[3].sliced(axis: -1, 2..<4).scalars, Values.sequenceCell, tolerance: 2e-6, "cell")
        for (leaf, expected, label) in [
            (x, Values.sequenceDX, "dx"), (h, Values.sequenceDHidden, "dh"), (c, Values.sequenceDCell, "dc"),
            (w, Values.sequenceDInput, "dw"), (u, Values.sequenceDRecurrent, "du"),
        ] {
            expectClose(try #require(gradients[leaf]).scalars, expected, tolerance: 3e-6, label)
        }
    }

    @Test(arguments: [0, 1])
    func gruSequence(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([4, 3, 4], 7, on).tracked
        let h = ramp([3, 2], 5, on).tracked
        let w = ramp([6, 4], 4, on).tracked
        let u = ramp([6, 2], 6, on).tracked
        let b = ramp([6], 9, on).tracked
        let b2 = ramp([6], 8, on).tracked
        let a = matmul(x, w, transposed: true, bias: b)
        let convention = GRUConvention(order: .rzn, resetsAfterProduct: true, recurrentBias: true)
        let states = Tensors.gruSequence(a, recurrent: u, bias: b2, hidden: h, convention)
        let gradients = (states * ramp([4, 3, 2], 11, on)).sum.gradients()
        expectClose(states.scalars, Values.gru, tolerance: 2e-6, "hidden")
        for (leaf, expected, label) in [
            (x, Values.gruDX, "dx"), (h, Values.gruDHidden, "dh"), (w, Values.gruDInput, "dw"), (u, Values.gruDRecurrent, "du"),
            (b, Values.gruDBias, "db"), (b2, Values.gruDRecurrentBias, "db2"),
        ] {
            expectClose(try #require(gradients[leaf]).scalars, expected, tolerance: 3e-6, label)
        }
    }

    @Test(arguments: [0, 1])
    func entropy(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = (ramp([4, 5], 7, on) * 3).tracked
        let losses = crossEntropy(x, [2, -100, 0, 4])
        let gradients = (losses * ramp([4], 11, on)).sum.gradients()
        expectClose(losses.scalars, Values.crossEntropy, tolerance: 2e-6, "losses")
        expectClose(try #require(gradients[x]).scalars, Values.crossEntropyDX, tolerance: 2e-6, "dx")
        expectClose(softmax(x).scalars, Values.crossEntropySoftmax, tolerance: 2e-6, "softmax")
    }

    @Test(arguments: [0, 1])
    func localResponse(_ backend: Int) throws {
        let on = Self.backends[backend]
        let x = ramp([1, 2, 3, 7], 7, on).tracked
        // PyTorch divides α = 2 by the size.
        let y = localResponseNormalization(x, LocalResponseWindow(size: 5, alpha: 2.0 / 5, beta: 0.75, k: 1.5))
        let gradients = (y * ramp(y.shape, 11, on)).sum.gradients()
        expectClose(y.scalars, Values.localResponse, tolerance: 2e-6, "y")
        expectClose(try #require(gradients[x]).scalars, Values.localResponseDX, tolerance: 2e-6, "dx")
    }

    @Test(arguments: [0, 1])
    func scalars(_ backend: Int) {
        let points: [Float] = [-9, -3, -1.5, -0.05, 0, 1e-4, 0.07, 0.3, 2, 5.5, 9, 40]
        let x = Tensor(points, [12], on: Self.backends[backend])
        for (y, expected, label) in [
            (tanh(x), Values.tanh, "tanh"), (sigmoid(x), Values.sigmoid, "sigmoid"), (relu6(x), Values.relu6, "relu6"),
        ] {
            // Every scalar to its own accuracy: small results must be as good as large ones.
            for (a, e) in zip(y.scalars, expected) { expectClose([a], [e], tolerance: 1e-6, label) }
        }
    }
}

/// See the function of the same name in `Reference/torch_values.py`.
private func ramp(_ shape: Shape, _ step: Int, _ backend: any Backend) -> Tensor {
    Tensor((0..<shape.count).map { Float(Double($0 * step % 19) / 9 - 1) }, shape, on: backend)
}
