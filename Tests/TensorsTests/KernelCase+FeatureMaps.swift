import Tensors

extension KernelCase {
    static let convolutions = convolutionShapes.map { input, filter, geometry in
        let name = """
            convolution \(input) with \(filter), stride \(geometry.strideHeight)×\(geometry.strideWidth), \
            dilation \(geometry.dilationHeight)×\(geometry.dilationWidth), groups \(geometry.groups), \
            padding \(geometry.padding.top) \(geometry.padding.left) \(geometry.padding.bottom) \(geometry.padding.right)
            """
        return KernelCase(name: name, tolerance: 2e-5) { backend, inputs in
            let x = inputs.tensor(input)
            let w = inputs.tensor(filter)
            let bias = inputs.tensor([filter[0]])
            let dy = inputs.tensor(geometry.output(input: input, filter: filter))
            return [
                ("y", backend.convolution(x, w, bias: nil, geometry)),
                ("y with a bias", backend.convolution(x, w, bias: bias, geometry)),
                ("input gradient", backend.convolutionInputGradient(dy, w, geometry, input: input)),
                ("filter gradient", backend.convolutionFilterGradient(dy, x, geometry, filter: filter)),
            ]
        }
    }

    private static let uneven = Padding(top: 0, left: 2, bottom: 3, right: 1)
    private static let convolutionShapes: [(Shape, Shape, ConvolutionGeometry)] = [
        ([1, 1, 1, 1], [1, 1, 1, 1], ConvolutionGeometry()),
        ([2, 5, 6, 3], [4, 3, 3, 3], ConvolutionGeometry()),
        ([2, 5, 6, 3], [4, 3, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([3, 9, 8, 5], [6, 5, 3, 3], ConvolutionGeometry(stride: (2, 2), padding: Padding(1))),
        ([2, 9, 8, 5], [6, 5, 3, 2], ConvolutionGeometry(stride: (3, 2), padding: uneven)),
        ([2, 7, 7, 4], [3, 4, 5, 5], ConvolutionGeometry(stride: (1, 3), padding: Padding(4))),
        ([1, 12, 11, 4], [5, 4, 3, 3], ConvolutionGeometry(padding: Padding(2), dilation: (2, 2))),
        ([2, 12, 11, 4], [5, 4, 3, 3], ConvolutionGeometry(stride: (2, 1), padding: uneven, dilation: (2, 3))),
        ([2, 6, 6, 8], [12, 4, 3, 3], ConvolutionGeometry(padding: Padding(1), groups: 2)),
        ([2, 6, 6, 8], [12, 4, 3, 3], ConvolutionGeometry(stride: (2, 2), padding: uneven, dilation: (1, 2), groups: 2)),
        ([2, 6, 6, 8], [16, 2, 1, 1], ConvolutionGeometry(groups: 4)),
        // One filter per channel, and several: MobileNet's depth multiplier.
        ([2, 6, 7, 8], [8, 1, 3, 3], ConvolutionGeometry(padding: Padding(1), groups: 8)),
        (
            [3, 9, 9, 19], [19, 1, 3, 3],
            ConvolutionGeometry(stride: (2, 2), padding: Padding(top: 0, left: 0, bottom: 1, right: 1), groups: 19)
        ),
        ([2, 9, 9, 5], [5, 1, 5, 3], ConvolutionGeometry(padding: uneven, dilation: (1, 2), groups: 5)),
        ([2, 9, 9, 43], [43, 1, 3, 3], ConvolutionGeometry(padding: Padding(1), dilation: (1, 2), groups: 43)),
        ([2, 5, 6, 16], [16, 1, 3, 3], ConvolutionGeometry(padding: Padding(top: 3, left: 0, bottom: 0, right: 5), groups: 16)),
        (
            [2, 5, 6, 24], [24, 1, 3, 3],
            ConvolutionGeometry(stride: (2, 1), padding: Padding(top: 0, left: 4, bottom: 1, right: 3), groups: 24)
        ),
        ([2, 1, 11, 24], [24, 1, 1, 5], ConvolutionGeometry(groups: 24)),
        ([2, 6, 7, 4], [12, 1, 3, 3], ConvolutionGeometry(padding: Padding(1), groups: 4)),
        ([2, 5, 5, 2], [2, 1, 1, 1], ConvolutionGeometry(groups: 2)),
        // 1×1: a product alone, unless there is a stride or padding.
        ([3, 5, 6, 7], [9, 7, 1, 1], ConvolutionGeometry()),
        ([3, 5, 6, 7], [9, 7, 1, 1], ConvolutionGeometry(stride: (2, 2))),
        ([3, 5, 6, 7], [9, 7, 1, 1], ConvolutionGeometry(padding: Padding(1))),
        ([2, 9, 9, 6], [5, 6, 1, 7], ConvolutionGeometry(padding: Padding(top: 0, left: 3, bottom: 0, right: 3))),
        ([2, 9, 9, 6], [5, 6, 7, 1], ConvolutionGeometry(padding: Padding(top: 3, left: 0, bottom: 3, right: 0))),
        // A filter as large as the picture (a fully connected layer), and one that sees mostly padding.
        ([3, 4, 5, 6], [10, 6, 4, 5], ConvolutionGeometry()),
        ([2, 2, 2, 3], [4, 3, 3, 3], ConvolutionGeometry(padding: Padding(3))),
        ([1, 40, 40, 3], [16, 3, 7, 7], ConvolutionGeometry(stride: (2, 2), padding: Padding(3))),
        ([4, 28, 28, 32], [48, 32, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([2, 7, 7, 512], [16, 512, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([5, 14, 14, 64], [64, 1, 3, 3], ConvolutionGeometry(padding: Padding(1), groups: 64)),
        // Filter gradients by Winograd's algorithm: maps that are no multiple of a tile, of one tile, tiles in several blocks,
        // uneven padding, none.
        ([3, 13, 15, 32], [16, 32, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([40, 4, 4, 32], [64, 32, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([9, 2, 3, 16], [16, 16, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([8, 41, 38, 48], [32, 48, 3, 3], ConvolutionGeometry(padding: Padding(1))),
        ([2, 19, 18, 16], [32, 16, 3, 3], ConvolutionGeometry(padding: Padding(top: 0, left: 2, bottom: 1, right: 0))),
        ([2, 19, 18, 32], [32, 32, 3, 3], ConvolutionGeometry()),
    ]

    static let poolings = poolingShapes.flatMap { input, size, stride, padding, roundsUp in
        ([.maximum, .average(countsPadding: true), .average(countsPadding: false)] as [PoolingGeometry.Kind]).map { kind in
            let geometry = PoolingGeometry(kind, size: size, stride: stride, padding: padding, roundsUp: roundsUp)
            let name = """
                pool \(input) by \(kind) of \(size.0)×\(size.1), stride \(stride.0)×\(stride.1), padding \(padding.top) \
                \(padding.left) \(padding.bottom) \(padding.right), rounded \(roundsUp ? "up" : "down")
                """
            return KernelCase(name: name) { backend, inputs in
                let x = inputs.tensor(input)
                let y = backend.pool(x, geometry)
                let dy = inputs.tensor(y.shape)
                return [("y", y), ("dx", backend.poolGradient(dy, x, y, geometry))]
            }
        }
    }

    private static let poolingShapes: [(Shape, (Int, Int), (Int, Int), Padding, Bool)] =
        ([
            ([1, 1, 1, 1], (1, 1), (1, 1), Padding(0)), ([2, 6, 6, 5], (2, 2), (2, 2), Padding(0)),
            ([3, 7, 6, 5], (3, 3), (2, 2), Padding(0)), ([2, 7, 7, 9], (3, 3), (2, 2), Padding(1)),
            ([2, 7, 9, 17], (3, 2), (1, 3), Padding(top: 0, left: 1, bottom: 1, right: 0)),
            ([2, 5, 5, 4], (3, 3), (1, 1), Padding(1)),
            ([2, 7, 7, 8], (7, 7), (1, 1), Padding(0)), ([2, 8, 8, 3], (2, 2), (3, 3), Padding(0)),
            ([5, 28, 28, 16], (3, 3), (2, 2), Padding(top: 0, left: 0, bottom: 1, right: 1)),
            ([1, 9, 9, 50], (3, 3), (2, 2), Padding(1)), ([7, 6, 6, 35], (3, 3), (1, 1), Padding(1)),
        ] as [(Shape, (Int, Int), (Int, Int), Padding)])
        .flatMap { shape, size, stride, padding in [false, true].map { (shape, size, stride, padding, $0) } }

    static let normalizations =
        ([
            ([64, 5], 0), ([2, 3, 3, 4], 0), ([4, 20, 20, 16], 0), ([5003, 3], 0), ([4, 14, 14, 130], 0), ([1, 3], 0),
            ([600, 7], 10), ([3, 40, 40, 24], 0), ([2, 9, 9, 57], 0), ([2000, 40], 10), ([257, 12], 0), ([3, 1029], 0),
        ]
        as [(Shape, Float)]).map { shape, offset in
            // Around a mean far from zero the input itself carries a rounding error of that size.
            KernelCase(name: "batch normalisation of \(shape) around \(offset)", tolerance: 1e-5 * (1 + offset / 10)) {
                backend, inputs in
                let channels: Shape = [shape[-1]]
                let x = inputs.tensor(shape, in: offset - 1...offset + 1)
                let scale = inputs.tensor(channels, in: 0.5...2)
                let shift = inputs.tensor(channels)
                let dy = inputs.tensor(shape)
                let result = backend.batchNormalization(x, scale: scale, shift: shift, epsilon: 1e-3)
                let gradient = backend.batchNormalizationGradient(dy, x, scale: scale, result)
                return [
                    ("y", result.y), ("mean", result.mean), ("variance", result.variance),
                    ("inverse deviation", result.inverseDeviation), ("dx", gradient.dx), ("dScale", gradient.dScale),
                    ("dShift", gradient.dShift),
                ]
            }
        }
        + localResponses.flatMap { shape, size in [Float(0.75), 0.5, 1.3].map { (shape, size, $0) } }.map { shape, size, beta in
            KernelCase(name: "local response normalisation of \(shape) over \(size), to the power of \(beta)") {
                backend, inputs in
                let window = LocalResponseWindow(size: size, alpha: 0.3, beta: beta, k: 2)
                let x = inputs.tensor(shape, in: -2...2)
                let dy = inputs.tensor(shape)
                return [
                    ("y", backend.localResponseNormalization(x, window)),
                    ("dx", backend.localResponseNormalizationGradient(dy, x, window)),
                ]
            }
        }

    private static let localResponses: [(Shape, Int)] = [
        ([2, 3, 3, 8], 5), ([1, 4, 4, 3], 5), ([2, 5, 5, 33], 3), ([7, 1], 1), ([3, 2], 5), ([4, 30, 30, 96], 5), ([5, 19], 9),
    ]
}
