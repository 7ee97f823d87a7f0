public import Tensors

/// The last layer of a decoder: a linear map from its state to the scores of all tokens, and their softmax.
///
/// For inference the backend prepares the weights, in the precision of the store (``ParameterStore/storage``).
public struct TokenPredictor: Sendable {
    private let linear: Linear
    private let prepared: (any PreparedLinear)?

    public init(
        _ inputs: Int, _ tokens: Int, bias: Bool = true, initializer: Initializer = .uniform(0.08), in scope: ParameterScope
    ) throws {
        linear = try Linear(inputs, tokens, bias: bias, initializer: initializer, in: scope)
        let store = scope.store
        prepared =
            store.purpose == .inference
            ? scope.backend.prepareLinear(linear.weight.value, bias: linear.bias?.value, storage: store.storage) : nil
    }

    public var tokens: Int { linear.weight.value.shape[0] }

    /// The scores: `[…, inputs] → […, tokens]`.
    public func callAsFunction(_ x: Tensor) -> Tensor { linear(x) }

    /// What comes next after the states `[rows, inputs]`.
    public func next(after x: Tensor) -> TokenDistributions {
        if let prepared { return TokenDistributions(prepared, of: x) }
        let p = log(softmax(linear(x)) + 1e-20)
        return TokenDistributions(logProbabilities: (0..<p.shape[0]).map { p[$0].scalars })
    }
}
