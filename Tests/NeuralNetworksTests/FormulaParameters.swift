import NeuralNetworks
import Tensors

/// Parameters by a formula that Reference/formula.py computes as well, to the bit: a 32-bit hash of the scalar's index and
/// of the tensor's name, made uniform. Weights are as large as He et al. (2015) draw them; variances and scales positive.
struct FormulaParameters: ParameterSource {
    /// Names that this source pretends not to have.
    var missing: @Sendable (String) -> Bool = { _ in false }

    func contains(_ name: String) -> Bool { !missing(name) }

    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        let fanIn = shape.dimensions.dropFirst().reduce(1, *)
        return switch name.split(separator: ".").last {
        case "weight": Self.uniform(name, shape, factor: (6 / Float(fanIn)).squareRoot(), on: backend)
        case "variance", "scale": Self.uniform(name, shape, factor: 0.5, offset: 1, on: backend)
        case "bias", "shift", "mean": Self.uniform(name, shape, factor: 0.25, on: backend)
        default: Self.uniform(name, shape, on: backend)
        }
    }

    /// `offset + factor · u`, with `u` from -1 up to 1.
    static func uniform(_ name: String, _ shape: Shape, factor: Float = 1, offset: Float = 0, on backend: any Backend) -> Tensor {
        let seed = name.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        return Tensor(shape: shape, on: backend) { y in
            for i in 0..<shape.count {
                var x = UInt32(truncatingIfNeeded: i) &* 0x9E37_79B9 &+ seed
                x ^= x >> 16
                x = x &* 0x85EB_CA6B
                x ^= x >> 13
                x = x &* 0xC2B2_AE35
                x ^= x >> 16
                y[i] = (Float(x >> 8) * 0x1p-23 - 1) * factor + offset
            }
        }
    }
}
