import NeuralNetworks
import Tensors

/// Features with mean 0 and deviation 1 over photos, channel by channel: what a small network learns from fastest. The paper
/// has nothing of the kind.
struct Standardization: Sendable {
    private let mean: Parameter, deviation: Parameter

    init(_ channels: Int, in scope: ParameterScope) throws {
        mean = try scope.statistic("mean", [channels], .constant(0))
        deviation = try scope.statistic("deviation", [channels], .constant(1))
    }

    /// - Parameter U: `[…, channels]`.
    func callAsFunction(_ U: Tensor) -> Tensor { (U - mean.value) / deviation.value }

    /// Takes mean and deviation from feature maps, `[photos, h, w, channels]`.
    func fit(to maps: Tensor) {
        let channels = maps.shape[-1], n = Double(maps.shape.count / channels)
        var sums = [Double](repeating: 0, count: channels), squares = sums
        maps.withScalars { s in
            for (i, x) in s.enumerated() {
                sums[i % channels] += Double(x)
                squares[i % channels] += Double(x) * Double(x)
            }
        }
        let means = sums.map { $0 / n }
        // A channel that is always the same stays small instead of growing without bound.
        let deviations = zip(squares, means).map { Float(max($0 / n - $1 * $1, 1e-4).squareRoot()) }
        mean.value = Tensor(means.map { Float($0) }, [channels], on: maps.backend)
        deviation.value = Tensor(deviations, [channels], on: maps.backend)
    }
}
