/// A linear map `x Wᵀ + b` whose weights a backend has brought into its own order once, to be applied many times without
/// history.
public protocol PreparedLinear: Sendable {
    /// `[rows, inputs] → [rows, outputs]`.
    func callAsFunction(_ x: Tensor) -> Tensor

    /// The outputs to which the softmax of `x Wᵀ + b` gives most, without sorting all of them.
    /// - Parameter x: `[rows, inputs]`.
    /// - Returns: for every row the `count` most probable outputs (all, if there are fewer) in falling order, of equals the
    ///   one with the smaller index first.
    func mostProbable(_ count: Int, of x: Tensor) -> [[Candidate]]
}

/// An output of a softmax.
public struct Candidate: Sendable, Hashable {
    public var index: Int
    /// The natural logarithm.
    public var logProbability: Float

    public init(index: Int, logProbability: Float) { (self.index, self.logProbability) = (index, logProbability) }
}

/// How a backend stores the weights of a prepared linear map.
public enum WeightStorage: String, Sendable, Hashable, CaseIterable, Decodable {
    case float32
    /// Half the memory to read. Where outputs are to be ranked, ``PreparedLinear/mostProbable(_:of:)`` still finds those that
    /// the float32 weights would: the ones that the rounding leaves in doubt are computed again with the original weights.
    case float16
}

extension Backend {
    public func prepareLinear(_ weights: PackableWeights, storage: WeightStorage, isRanked: Bool) throws -> any PreparedLinear {
        let (weight, bias) = try weights.values()
        return PlainLinear(weight: weight, bias: bias, backend: self)
    }
}

/// A linear map by the backend's ordinary kernels.
private struct PlainLinear: PreparedLinear {
    let weight: Tensor, bias: Tensor?
    let backend: any Backend

    func callAsFunction(_ x: Tensor) -> Tensor {
        backend.product(x.detached, weight, transposeA: false, transposeB: true, bias: bias)
    }

    func mostProbable(_ count: Int, of x: Tensor) -> [[Candidate]] {
        let y = self(x), outputs = y.shape[1]
        return (0..<y.shape[0]).map { row in
            let scores = y.pointer + row * outputs, total = logSumExp(scores, outputs)
            let order = (0..<outputs).sorted { (scores[$0], $1) > (scores[$1], $0) }
            return order.prefix(count).map { Candidate(index: $0, logProbability: scores[$0] - total) }
        }
    }
}
