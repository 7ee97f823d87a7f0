import NeuralNetworks
import Tensors

/// How many multiply–adds the machine makes with a backend's threads at its best: the yardstick beside the figures of networks.
///
/// Measured where a backend comes closest to the arithmetic's own limit: a product of square matrices, large enough for its
/// cost to vanish and small enough for the last cache. Five to fifteen per cent below what registers alone would reach.
struct MachinePeak {
    /// A multiplication and an addition count as two.
    let gigaflops: Double
    let threads: Int

    static let side = 1024
    static var description: String { "product of \(side)×\(side) matrices" }

    /// The fastest of several products within about a third of a second.
    init(of backend: any Backend, threads: Int) {
        let side = Self.side, random = RandomSource(seed: 1)
        let a = random.normal([side, side], deviation: 1, on: backend),
            b = random.normal([side, side], deviation: 1, on: backend)
        _ = matmul(a, b)
        let clock = ContinuousClock(), end = clock.now + .milliseconds(300)
        var fastest = Duration.seconds(3600), runs = 0
        while runs < 5 || clock.now < end && runs < 100 {
            fastest = min(fastest, clock.measure { _ = matmul(a, b) })
            runs += 1
        }
        gigaflops = 2 * Double(side * side * side) / (fastest / Duration.seconds(1)) / 1e9
        self.threads = threads
    }
}
