import Tensors

extension DifferentiableOperation {
    static let all = elementwise + arithmetic + reductions + shaping + products + rows + featureMaps + recurrences

    // MARK: scalars

    /// Away from the kinks of the piecewise functions: at -2.5, 0, 2.5 and 6.
    private static let smooth: [Float] = [-7.3, -3.1, -2.2, -0.9, -0.11, 0.13, 0.8, 1.7, 2.3, 2.8, 4.4, 5.8, 6.3]

    private static let elementwise = [
        scalars("tanh", tanh), scalars("sigmoid", sigmoid), scalars("hardSigmoid", hardSigmoid), scalars("relu", relu),
        scalars("relu6", relu6), scalars("exp") { exp($0 * 0.3) }, scalars("squared") { $0.squared }, scalars("negated") { -$0 },
        scalars("log") { log($0.squared + 0.5) }, scalars("sqrt") { sqrt($0.squared + 0.5) },
    ]

    private static func scalars(_ name: String, _ f: @escaping @Sendable (Tensor) -> Tensor) -> DifferentiableOperation {
        DifferentiableOperation(name: name, inputs: { [Tensor(smooth, [13], on: $0.backend)] }) { f($0[0]) }
    }

    private static let broadcasts: [(Shape, Shape)] = [
        ([3, 4], [3, 4]), ([3, 4], [4]), ([4], [3, 4]), ([3, 4], []), ([], [3, 4]), ([3, 1], [1, 4]), ([2, 3, 4], [3, 1]),
        ([2, 1, 4], [1, 3, 1]), ([1, 1], [2, 1, 3]), ([5], [5]), ([], []),
    ]

    private static let arithmetic =
        broadcasts.flatMap { a, b in
            [
                pair(a, "+", b) { $0 + $1 }, pair(a, "-", b) { $0 - $1 }, pair(a, "*", b) { $0 * $1 },
                pair(a, "/", b) { $0 / $1 },
            ]
        } + [
            onPicture("x + 3") { $0 + 3 }, onPicture("3 + x") { 3 + $0 }, onPicture("x - 3") { $0 - 3 },
            onPicture("3 - x") { 3 - $0 },
            onPicture("x * 3") { $0 * 3 }, onPicture("3 * x") { 3 * $0 }, onPicture("x / 3") { $0 / 3 },
            onPicture("3 / x") { 3 / $0 },
            onPicture("x * x + x") { $0 * $0 + $0 },
        ]

    private static func pair(
        _ a: Shape, _ name: String, _ b: Shape, _ f: @escaping @Sendable (Tensor, Tensor) -> Tensor
    ) -> DifferentiableOperation {
        DifferentiableOperation(name: "\(a) \(name) \(b)", inputs: { [$0.tensor(a), $0.tensor(b, in: 1...2)] }) {
            f($0[0], $0[1])
        }
    }

    // MARK: shapes

    private static let reductions = [
        onPicture("summed to [4]") { $0.summed(to: [4]) }, onPicture("summed to [2×1×4]") { $0.summed(to: [2, 1, 4]) },
        onPicture("summed to [3×1]") { $0.summed(to: [3, 1]) }, onPicture("summed to []") { $0.summed(to: []) },
        onPicture("broadcast") { $0.broadcast(to: [5, 2, 3, 4]) }, onPicture("sum along 0") { $0.sum(axis: 0) },
        onPicture("sum along 1") { $0.sum(axis: 1) },
        onPicture("sum along -1") { $0.sum(axis: -1) }, onPicture("mean along 1") { $0.mean(axis: 1) },
        onPicture("mean along -1") { $0.mean(axis: -1) },
        onPicture("sum") { $0.sum }, onPicture("mean") { $0.mean },
        onPicture("broadcast along the middle") { $0.summed(to: [2, 1, 4]).broadcast(to: [2, 6, 4]) },
    ]

    private static let shaping = [
        onPicture("reshaped") { $0.reshaped([6, 4]) }, onPicture("expanded") { $0.expanded(axis: 1) * $0 },
        onPicture("permuted") { $0.permuted([2, 0, 1]) },
        onPicture("permuted otherwise") { $0.permuted([0, 2, 1]) }, onPicture("transposed") { $0.reshaped([6, 4]).transposed },
        onPicture("a range of rows") { $0[1..<2] }, onPicture("one row") { $0[1] },
        onPicture("one row twice") { $0[1] * $0[1] + $0[0] },
        onPicture("an empty range and a row") { Tensor.concatenated([$0[1..<1], $0], axis: 0) },
        onPicture("sliced along 0") { $0.sliced(axis: 0, 0..<1) }, onPicture("sliced along 1") { $0.sliced(axis: 1, 1..<3) },
        onPicture("sliced along -1") { $0.sliced(axis: -1, 2..<3) },
        onPicture("concatenated along 0") { Tensor.concatenated([$0, $0[0..<1], $0 * $0], axis: 0) },
        onPicture("concatenated along 1") { Tensor.concatenated([$0.sliced(axis: 1, 1..<2), $0 * $0], axis: 1) },
        onPicture("concatenated along -1") { Tensor.concatenated([$0 * $0, $0.sliced(axis: 2, 0..<3)], axis: -1) },
        DifferentiableOperation(name: "gathered", inputs: { [$0.tensor([5, 3])] }) { $0[0].gathered([4, 1, 1, 0, 4, 4]) },
        DifferentiableOperation(name: "concatenated with another", inputs: { [$0.tensor([2, 3]), $0.tensor([2, 1])] }) {
            Tensor.concatenated($0, axis: 1)
        },
    ]

    private static func onPicture(_ name: String, _ f: @escaping @Sendable (Tensor) -> Tensor) -> DifferentiableOperation {
        DifferentiableOperation(name: name, inputs: { [$0.tensor([2, 3, 4], in: 0.5...1.5)] }) { f($0[0]) }
    }

    // MARK: rows

    private static let products: [DifferentiableOperation] = [
        DifferentiableOperation(name: "matmul", inputs: { [$0.tensor([3, 5]), $0.tensor([5, 4])] }) { matmul($0[0], $0[1]) },
        DifferentiableOperation(name: "matmul of a stack", inputs: { [$0.tensor([2, 3, 5]), $0.tensor([5, 4])] }) {
            matmul($0[0], $0[1])
        },
        DifferentiableOperation(name: "matmul of a vector", inputs: { [$0.tensor([5]), $0.tensor([5, 4])] }) {
            matmul($0[0], $0[1])
        },
        DifferentiableOperation(name: "matmul, transposed", inputs: { [$0.tensor([3, 5]), $0.tensor([4, 5])] }) {
            matmul($0[0], $0[1], transposed: true)
        },
        DifferentiableOperation(
            name: "matmul, transposed, with a bias", inputs: { [$0.tensor([2, 3, 5]), $0.tensor([4, 5]), $0.tensor([4])] }
        ) { matmul($0[0], $0[1], transposed: true, bias: $0[2]) },
        DifferentiableOperation(name: "matmul with a bias", inputs: { [$0.tensor([3, 5]), $0.tensor([5, 4]), $0.tensor([4])] }) {
            matmul($0[0], $0[1], bias: $0[2])
        },
        DifferentiableOperation(name: "matmul of a matrix by itself", inputs: { [$0.tensor([4, 4])] }) { matmul($0[0], $0[0]) },
    ]

    private static let rows: [DifferentiableOperation] = [
        DifferentiableOperation(name: "softmax", inputs: { [$0.tensor([3, 9], in: -2...2)] }) { softmax($0[0]) },
        DifferentiableOperation(name: "softmax of a stack", inputs: { [$0.tensor([2, 2, 4], in: -2...2)] }) { softmax($0[0]) },
        DifferentiableOperation(name: "cross entropy", inputs: { [$0.tensor([4, 9], in: -2...2)] }) {
            crossEntropy($0[0], [8, 0, 3, 3])
        },
        DifferentiableOperation(name: "cross entropy with rows that do not count", inputs: { [$0.tensor([4, 5], in: -2...2)] }) {
            crossEntropy($0[0], [-1, 4, -1, 0])
        },
    ]

    // MARK: feature maps

    private static let featureMaps = convolutions + poolings + normalizations

    private static let convolutions =
        ([
            ("convolution", [2, 4, 5, 3], [4, 3, 3, 3], ConvolutionGeometry(padding: Padding(1))),
            (
                "strided convolution", [2, 6, 5, 2], [3, 2, 3, 2],
                ConvolutionGeometry(stride: (2, 3), padding: Padding(top: 0, left: 1, bottom: 2, right: 1))
            ),
            ("dilated convolution", [1, 7, 7, 2], [3, 2, 3, 3], ConvolutionGeometry(padding: Padding(1), dilation: (2, 3))),
            ("grouped convolution", [2, 4, 4, 6], [4, 3, 3, 3], ConvolutionGeometry(padding: Padding(1), groups: 2)),
            (
                "depthwise convolution", [2, 4, 5, 9], [9, 1, 3, 3],
                ConvolutionGeometry(stride: (2, 1), padding: Padding(1), groups: 9)
            ),
            (
                "depthwise convolution with a multiplier", [2, 4, 4, 3], [6, 1, 3, 3],
                ConvolutionGeometry(padding: Padding(1), groups: 3)
            ),
            ("pointwise convolution", [2, 3, 3, 4], [5, 4, 1, 1], ConvolutionGeometry()),
        ] as [(String, Shape, Shape, ConvolutionGeometry)]).map { name, input, filter, geometry in
            DifferentiableOperation(
                name: name, inputs: { [$0.tensor(input), $0.tensor(filter), $0.tensor([filter[0]])] }, step: 0.1
            ) { convolution($0[0], $0[1], bias: $0[2], geometry) }
        }

    private static let poolings =
        ([
            ("maximum", .maximum, (2, 2), (2, 2), Padding(0), false),
            ("overlapping maximum, rounded up", .maximum, (3, 3), (2, 2), Padding(1), true),
            ("average", .average(countsPadding: false), (3, 2), (1, 2), Padding(1), false),
            ("average that counts padding", .average(countsPadding: true), (3, 3), (2, 2), Padding(1), true),
        ] as [(String, PoolingGeometry.Kind, (Int, Int), (Int, Int), Padding, Bool)]).map {
            name, kind, size, stride, padding, roundsUp in
            let geometry = PoolingGeometry(kind, size: size, stride: stride, padding: padding, roundsUp: roundsUp)
            return DifferentiableOperation(name: "pooling: \(name)", inputs: { [$0.distinct([2, 6, 5, 3])] }) {
                pool($0[0], geometry)
            }
        } + [
            DifferentiableOperation(name: "global average", inputs: { [$0.tensor([2, 3, 4, 5])] }) { $0[0].globalAverage }
        ]

    private static let normalizations =
        ([[12, 3], [2, 3, 3, 9]] as [Shape]).map { shape in
            DifferentiableOperation(
                name: "batch normalisation of \(shape)",
                inputs: { [$0.tensor(shape, in: 0...3), $0.tensor([shape[-1]], in: 0.5...2), $0.tensor([shape[-1]])] }
            ) { batchNormalization($0[0], scale: $0[1], shift: $0[2], epsilon: 1e-3).y }
        }
        + [3, 5].map { size in
            DifferentiableOperation(
                name: "local response normalisation over \(size)", inputs: { [$0.tensor([1, 2, 2, 7], in: -2...2)] }
            ) {
                localResponseNormalization($0[0], LocalResponseWindow(size: size, alpha: 0.4, beta: 0.75, k: 1))
            }
        }

    // MARK: sequences

    private static let recurrences = lstms + grus

    private static let grus =
        GRUConvention.Order.allCases.flatMap { order in
            [true, false].map { resetsAfterProduct in
                let convention = GRUConvention(order: order, resetsAfterProduct: resetsAfterProduct, recurrentBias: true)
                return DifferentiableOperation(
                    name: "GRU sequence, \(order.rawValue), reset \(resetsAfterProduct ? "after" : "before") the product",
                    inputs: {
                        [$0.tensor([4, 2, 9]), $0.tensor([9, 3]), $0.tensor([9]), $0.tensor([2, 3], in: -0.9...0.9)]
                    }
                ) { gruSequence($0[0], recurrent: $0[1], bias: $0[2], hidden: $0[3], convention) }
            }
        } + [
            DifferentiableOperation(
                name: "GRU sequence, the last state, without a bias",
                inputs: { [$0.tensor([3, 2, 9]), $0.tensor([9, 3]), $0.tensor([2, 3], in: -0.9...0.9)] }
            ) {
                let convention = GRUConvention(order: .rzn, resetsAfterProduct: true)
                return gruSequence($0[0], recurrent: $0[1], bias: nil, hidden: $0[2], convention)[2]
            }
        ]

    /// The hard sigmoid has kinks at ±2.5, and all pre-activations, forget bias included, stay within them.
    private static let lstms =
        LSTMConvention.all.flatMap { convention in
            [
                DifferentiableOperation(
                    name: "LSTM step, \(convention.name)", inputs: { [$0.tensor([2, 12], in: -1.4...1.4), $0.tensor([2, 3])] }
                ) {
                    let (hidden, cell) = lstmStep($0[0], cell: $0[1], convention)
                    return Tensor.concatenated([hidden, cell], axis: 1)
                },
                DifferentiableOperation(
                    name: "LSTM sequence, \(convention.name)",
                    inputs: {
                        [
                            $0.tensor([4, 2, 12]), $0.tensor([12, 3], in: -0.3...0.3), $0.tensor([2, 3], in: -0.9...0.9),
                            $0.tensor([2, 3]),
                        ]
                    }
                ) { lstmSequence($0[0], recurrent: $0[1], hidden: $0[2], cell: $0[3], convention) },
                DifferentiableOperation(
                    name: "LSTM states, \(convention.name)",
                    inputs: {
                        [
                            $0.tensor([4, 2, 12]), $0.tensor([12, 3], in: -0.3...0.3), $0.tensor([2, 3], in: -0.9...0.9),
                            $0.tensor([2, 3]),
                        ]
                    }
                ) { lstmStates($0[0], recurrent: $0[1], hidden: $0[2], cell: $0[3], convention) },
            ]
        } + [
            DifferentiableOperation(
                name: "LSTM steps in a chain",
                inputs: { [$0.tensor([2, 12]), $0.tensor([3, 12]), $0.tensor([2, 3]), $0.tensor([2, 3])] }
            ) {
                let convention = LSTMConvention(order: .ifgo)
                var (hidden, cell) = ($0[2], $0[3])
                for _ in 0..<3 { (hidden, cell) = lstmStep($0[0] + matmul(hidden, $0[1]), cell: cell, convention) }
                return Tensor.concatenated([hidden, cell], axis: 1)
            },
            // Only one of the two results is used further.
            DifferentiableOperation(name: "LSTM step, hidden only", inputs: { [$0.tensor([2, 12]), $0.tensor([2, 3])] }) {
                lstmStep($0[0], cell: $0[1], LSTMConvention(order: .ifog)).hidden
            },
            DifferentiableOperation(name: "LSTM step, cell only", inputs: { [$0.tensor([2, 12]), $0.tensor([2, 3])] }) {
                lstmStep($0[0], cell: $0[1], LSTMConvention(order: .igfo)).cell * 1
            },
            DifferentiableOperation(
                name: "LSTM sequence, part of the states",
                inputs: { [$0.tensor([4, 2, 12]), $0.tensor([12, 3], in: -0.3...0.3), $0.tensor([2, 3]), $0.tensor([2, 3])] }
            ) { lstmSequence($0[0], recurrent: $0[1], hidden: $0[2], cell: $0[3], LSTMConvention(order: .ifog))[1..<3] },
        ]
}
