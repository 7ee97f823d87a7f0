import Tensors

extension KernelCase {
    /// Matrix products `[m, k] · [k, n]` with every combination of transposes, with and without a bias.
    static let products = [
        (1, 1, 1), (1, 0, 3), (3, 0, 2), (1, 7, 5), (5, 1, 7), (3, 4, 1), (17, 33, 9), (31, 31, 31), (33, 65, 34), (64, 128, 48),
        // Rows divided among the threads, columns divided, and the inner axis divided (a small result of long sums).
        (200, 64, 100), (20, 100, 300), (8, 5000, 12), (16, 2048, 16), (15, 1000, 15),
        // Copied into tiles: depths of one part and of several, a narrow last panel, rows that fill no tile, more rows than are
        // copied at a time.
        (150, 130, 70), (97, 600, 65), (240, 256, 32), (100, 512, 300), (130, 300, 17), (16_500, 9, 20),
        // Vectors times matrices.
        (1, 300, 513), (1, 64, 5000), (1, 9000, 40), (1, 9000, 17), (300, 400, 1), (1, 9001, 1), (5000, 20, 1), (2, 50, 700),
    ].map { m, k, n in
        KernelCase(name: "product \(m)×\(k)×\(n)") { backend, inputs in
            var results: [(label: String, result: Tensor)] = []
            for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
                let a = inputs.tensor(transposeA ? [k, m] : [m, k])
                let b = inputs.tensor(transposeB ? [n, k] : [k, n])
                for bias in [nil, inputs.tensor([n])] {
                    let label = "\(transposeA ? "aᵀ" : "a") · \(transposeB ? "bᵀ" : "b")\(bias == nil ? "" : " + bias")"
                    results.append(
                        (label, backend.product(a, b, transposeA: transposeA, transposeB: transposeB, bias: bias)))
                }
            }
            return results
        }
    }
}
