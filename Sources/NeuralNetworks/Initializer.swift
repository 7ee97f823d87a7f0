public import Tensors
import Foundation

/// How a fresh parameter begins.
public enum Initializer: Sendable, Hashable {
    case constant(Float)
    /// Uniform in ±limit.
    case uniform(Float)
    case normal(deviation: Float)
    /// Normal with variance 2 / fan-in, for layers that a rectifier follows (He et al. 2015).
    case he
    /// Uniform in ±√(6 / (fan-in + fan-out)) (Glorot & Bengio 2010).
    case glorot
    /// Uniform in ±1/√fan-in, Torch's default.
    case torch

    /// - Parameter shape: `[outputs, inputs]` or `[outputs, inputs, height, width]` where fans matter.
    public func callAsFunction(_ shape: Shape, random: RandomSource, on backend: any Backend) -> Tensor {
        let receptive = shape.rank > 2 ? shape.dimensions[2...].reduce(1, *) : 1
        let fanOut = Float((shape.rank > 0 ? shape[0] : 1) * receptive),
            fanIn = Float((shape.rank > 1 ? shape[1] : 1) * receptive)
        return switch self {
        case .constant(let value): Tensor(repeating: value, shape, on: backend)
        case .uniform(let limit): random.uniform(shape, -limit..<limit, on: backend)
        case .normal(let deviation): random.normal(shape, deviation: deviation, on: backend)
        case .he: random.normal(shape, deviation: (2 / fanIn).squareRoot(), on: backend)
        case .glorot: Initializer.uniform((6 / (fanIn + fanOut)).squareRoot())(shape, random: random, on: backend)
        case .torch: Initializer.uniform(1 / fanIn.squareRoot())(shape, random: random, on: backend)
        }
    }
}
