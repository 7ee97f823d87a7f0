public import Tensors

/// The last layer of a decoder: a linear map from its state to the scores of all tokens, and their softmax.
public struct TokenPredictor: Sendable {
    private let linear: Linear

    public init(
        _ inputs: Int, _ tokens: Int, bias: Bool = true, initializer: Initializer = .uniform(0.08), in scope: ParameterScope
    ) throws {
        linear = try Linear(inputs, tokens, bias: bias, initializer: initializer, isRanked: true, in: scope)
    }

    public var tokens: Int { linear.outputs }

    /// The scores: `[…, inputs] → […, tokens]`.
    public func callAsFunction(_ x: Tensor) -> Tensor { linear(x) }

    /// What comes next after the states `[rows, inputs]`.
    public func next(after x: Tensor) -> TokenDistributions { linear.distributions(of: x) }
}
