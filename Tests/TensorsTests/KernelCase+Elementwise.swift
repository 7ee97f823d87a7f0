import Tensors

extension KernelCase {
    static let elementwise = maps + combinations + sums + permutations

    private static let maps = UnaryFunction.allCases.flatMap { f in
        [0, 1, 7, 8, 33, 50_003].map { count in
            KernelCase(name: "map \(f) of \(count)", tolerance: 2e-6) { backend, inputs in
                let isPositive = f == .log || f == .squareRoot
                let x = inputs.tensor([count], in: isPositive ? 0.1...20 : -8...8)
                let saved = inputs.tensor([count], in: isPositive ? 0.1...3 : -1...7)
                let dy = inputs.tensor([count])
                var results = [("y", backend.map(f, x)), ("dx", backend.mapGradient(f, saved, dy))]
                if f == .exp {
                    results.append(("large", backend.map(f, inputs.tensor([count], in: 60...88.7))))
                    results.append(("small", backend.map(f, inputs.tensor([count], in: -87...(-40)))))
                }
                if f == .log || f == .squareRoot {
                    results.append(("large", backend.map(f, inputs.tensor([count], in: 1...3e38))))
                    results.append(("small", backend.map(f, inputs.tensor([count], in: 0...1e-37))))
                    results.append(("near one", backend.map(f, inputs.tensor([count], in: 0.9...1.1))))
                }
                if f == .tanh || f == .sigmoid || f == .hardSigmoid {
                    results.append(("saturated", backend.map(f, inputs.tensor([count], in: -200...200))))
                    results.append(("near zero", backend.map(f, inputs.tensor([count], in: -0.2...0.2))))
                }
                return results
            }
        }
    }

    private static let shapes: [(a: Shape, b: Shape, to: Shape?)] = [
        ([], [], nil), ([1], [1], nil), ([1, 1], [1], nil), ([5], [5], nil), ([4, 5], [4, 5], nil), ([0, 3], [3], nil),
        ([4, 5], [5], nil), ([5], [4, 5], nil), ([4, 5], [], nil), ([], [4, 5], nil), ([4, 5], [1], nil), ([1, 1], [4, 5], nil),
        ([1, 5], [3, 5], nil), ([3, 5], [1, 5], nil), ([4, 1], [1, 5], nil), ([1, 5], [4, 1], nil), ([4, 1], [4, 5], nil),
        ([2, 3, 4], [3, 1], nil), ([2, 3, 4], [1, 3, 1], nil), ([2, 1, 4], [2, 3, 1], nil), ([3, 4], [2, 3, 4], nil),
        ([2, 3, 4], [2, 1, 1], nil), ([7, 1, 1, 32], [7, 9, 9, 32], nil), ([7, 9, 9, 32], [9, 32], nil),
        ([300, 200], [200], nil), ([200], [300, 200], nil), ([300, 200], [], nil), ([], [300, 200], nil),
        ([300, 200], [300, 200], nil), ([300, 200], [300, 1], nil), ([60_001], [60_001], nil), ([60_001], [1], nil),
        ([3, 1], [], [3, 5]), ([5], [], [3, 5]), ([1, 4], [1], [3, 4]), ([], [], [2, 2]), ([3, 1], [1, 1], [3, 1]),
    ]

    private static let combinations = shapes.map { a, b, to in
        let target = to ?? .broadcast(a, b)
        return KernelCase(name: "combine \(a) with \(b) to \(target)", tolerance: 1e-6) { backend, inputs in
            let x = inputs.tensor(a)
            let y = inputs.tensor(b, in: 0.5...2)
            return BinaryFunction.allCases.map { ("\($0)", backend.combine($0, x, y, to: target)) }
        }
    }

    private static let sums =
        ([
            ([4, 5], [5]), ([4, 5], [4, 1]), ([4, 5], [1, 5]), ([4, 5], []), ([4, 5], [1, 1]), ([5, 5], [5, 1]), ([7], [7]),
            ([7], []),
            ([0, 4], [4]), ([2, 3, 4, 5], [5]), ([2, 3, 4, 5], [4, 1]), ([2, 3, 4, 5], [3, 1, 1]), ([2, 3, 4, 5], [2, 1, 1, 5]),
            ([2, 3, 4, 5], [1, 4, 5]), ([2, 3, 4, 5], [2, 3, 1, 1]), ([5003, 33], [33]), ([300, 1000], [1, 1000]),
            ([300, 1000], [300, 1]),
            ([20_000, 1], [1]), ([60_001], []), ([300, 200], [1, 1]), ([8, 49, 512], [8, 1, 512]),
        ] as [(Shape, Shape)]).map { from, to in
            KernelCase(name: "sum \(from) to \(to)") { backend, inputs in
                // Of one sign, so that the result is of the size of the terms' sum.
                [("sum", backend.sum(inputs.tensor(from, in: 0...1), to: to))]
            }
        }

    private static let permutations =
        ([
            ([7], [0]), ([3, 5], [0, 1]), ([3, 5], [1, 0]), ([1, 9], [1, 0]), ([300, 500], [1, 0]), ([2, 3, 4], [2, 0, 1]),
            ([2, 3, 4], [1, 0, 2]), ([2, 3, 4], [0, 2, 1]), ([2, 3, 4, 5], [0, 2, 3, 1]), ([2, 3, 4, 5], [0, 3, 1, 2]),
            ([2, 3, 4, 5], [3, 2, 1, 0]), ([0, 4], [1, 0]), ([70, 33], [1, 0]), ([5, 70, 33], [0, 2, 1]),
            ([20, 9, 3, 3], [0, 2, 3, 1]), ([2, 100, 3, 50], [0, 2, 3, 1]), ([7, 2, 3], [1, 2, 0]), ([3, 4, 5], [0, 1, 2]),
        ] as [(Shape, [Int])]).map { shape, axes in
            KernelCase(name: "permute \(shape) by \(axes)", tolerance: 0) { backend, inputs in
                [("permuted", backend.permute(inputs.tensor(shape), axes))]
            }
        }
}
