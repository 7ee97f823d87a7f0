public import Tensors

/// `y = x Wᵀ + b`, with `W` of shape `[outputs, inputs]`.
///
/// For inference the backend prepares the weights, in the precision of the store (``ParameterStore/storage``).
public struct Linear: Sendable {
    private enum Weights: Sendable {
        case plain(weight: Parameter, bias: Parameter?)
        case prepared(any PreparedLinear)
    }

    public let inputs: Int, outputs: Int
    private let weights: Weights

    /// - Parameter isRanked: whether the best of ``distributions(of:)`` are what will be asked, for which coarser weights do.
    public init(
        _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .torch, isRanked: Bool = false,
        in scope: ParameterScope
    ) throws {
        let weight = try scope.packedParameter("weight", [outputs, inputs], initializer)
        let bias = bias ? try scope.parameter("bias", [outputs], .constant(0)) : nil
        try self.init(weight, bias: bias, storage: scope.store.storage, isRanked: isRanked, in: scope)
    }

    /// - Parameter weight: `[outputs, inputs]`, of the scope's store.
    init(
        _ weight: Parameter, bias: Parameter?, storage: WeightStorage = .float32, isRanked: Bool = false,
        in scope: ParameterScope
    ) throws {
        (inputs, outputs) = (weight.shape[1], weight.shape[0])
        weights =
            scope.store.purpose == .inference
            ? .prepared(
                try scope.backend.prepareLinear(scope.packable(weight, bias: bias), storage: storage, isRanked: isRanked))
            : .plain(weight: weight, bias: bias)
    }

    /// `[…, inputs] → […, outputs]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch weights {
        case .plain(let weight, let bias): return matmul(x, weight.value, transposed: true, bias: bias?.value)
        case .prepared(let map):
            let rows = x.shape.count / inputs
            return map(x.reshaped([rows, inputs])).reshaped(x.shape.replacing(axis: -1, with: outputs))
        }
    }

    /// The softmax of the result for every row of `x`, `[rows, inputs]`.
    public func distributions(of x: Tensor) -> TokenDistributions {
        switch weights {
        case .plain(let weight, let bias):
            let y = matmul(x, weight.value, transposed: true, bias: bias?.value)
            return TokenDistributions(scores: y)
        case .prepared(let map): return TokenDistributions(map, of: x)
        }
    }
}
