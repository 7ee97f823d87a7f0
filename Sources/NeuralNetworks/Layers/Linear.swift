public import Tensors

/// `y = x Wᵀ + b`, with `W` of shape `[outputs, inputs]`.
///
/// For inference the backend prepares the weights: large ones, and those that outputs are ranked by, in the precision of the
/// store (``ParameterStore/storage``).
public struct Linear: Sendable {
    private enum Weights: Sendable {
        case plain(weight: Parameter, bias: Parameter?)
        case prepared(any PreparedLinear)
    }

    public let inputs: Int, outputs: Int
    /// Weights of a matrix that takes milliseconds to read, like the first two fully connected layers of VGG.
    private static let large = 1 << 22
    private let weights: Weights

    /// - Parameter isRanked: whether the best of ``distributions(of:)`` are what will be asked, for which coarser weights do.
    public init(
        _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .torch,
        biasInitializer: Initializer = .constant(0), isRanked: Bool = false, in scope: ParameterScope
    ) throws {
        let weight = try scope.packedParameter("weight", [outputs, inputs], initializer)
        let bias = bias ? try scope.parameter("bias", [outputs], biasInitializer) : nil
        // Rounding what a decoder begins with would change its words: only what is read for long is worth it.
        let storage = isRanked || weight.shape.count >= Self.large ? scope.store.storage : .float32
        try self.init(weight, bias: bias, storage: storage, isRanked: isRanked, in: scope)
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
        case .plain: TokenDistributions(scores: self(x))
        case .prepared(let map): TokenDistributions(map, of: x)
        }
    }
}
