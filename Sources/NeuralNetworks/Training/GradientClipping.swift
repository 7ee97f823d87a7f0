public import Tensors
import Foundation

/// What keeps one bad batch from throwing a recurrent network off.
public enum GradientClipping: Sendable, Hashable {
    case none
    /// Scales all gradients together when their common length exceeds the limit (im2txt; Pascanu et al. 2013).
    case globalNorm(Float)
    /// Limits every single derivative (NeuralTalk, NeuralTalk2).
    case value(Float)

    /// - Returns: the gradients and the length they had together.
    public func callAsFunction(_ gradients: [Tensor]) -> (clipped: [Tensor], norm: Float) {
        var squares = 0.0
        for gradient in gradients {
            gradient.withScalars { scalars in
                guard let p = UnsafeRawPointer(scalars.baseAddress) else { return }
                let width = MemoryLayout<SIMD16<Float>>.stride, end = scalars.count * MemoryLayout<Float>.stride
                var at = 0
                // Short sums in single precision, the long one in double.
                while at + width <= end {
                    var sums = SIMD16<Float>(repeating: 0)
                    let stop = min(end - width, at + 255 * width)
                    while at <= stop {
                        let x = p.loadUnaligned(fromByteOffset: at, as: SIMD16<Float>.self)
                        sums += x * x
                        at += width
                    }
                    squares += Double(sums.sum())
                }
                for i in at / MemoryLayout<Float>.stride..<scalars.count { squares += Double(scalars[i] * scalars[i]) }
            }
        }
        let norm = Float(squares.squareRoot())
        switch self {
        case .none: return (gradients, norm)
        case .globalNorm(let limit): return (norm > limit ? gradients.map { $0 * (limit / norm) } : gradients, norm)
        case .value(let limit):
            return (
                gradients.map { gradient in
                    Tensor(shape: gradient.shape, on: gradient.backend) { y in
                        gradient.withScalars { x in for i in x.indices { y[i] = max(-limit, min(limit, x[i])) } }
                    }
                }, norm
            )
        }
    }
}

/// `{"kind": "global_norm", "limit": 5}`
extension GradientClipping: Decodable {
    private enum Kind: String, Decodable, CaseIterable {
        case none, value
        case globalNorm = "global_norm"
    }
    private enum CodingKeys: CodingKey { case kind, limit }
    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func limit() throws -> Float {
            let limit = try json.decode(Float.self, forKey: .limit)
            guard limit > 0 else {
                throw DecodingError.dataCorruptedError(forKey: .limit, in: json, debugDescription: "a limit must be above 0")
            }
            return limit
        }
        switch try json.decode(Kind.self, forKey: .kind) {
        case .none: self = .none
        case .value: self = .value(try limit())
        case .globalNorm: self = .globalNorm(try limit())
        }
    }
}
