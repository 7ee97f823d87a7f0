public import Tensors

/// A gated recurrent unit (Cho et al. 2014).
///
///     r, z = σ(W x + U h + b)        h′ = z ⊙ h + (1 - z) ⊙ n
///     n = tanh(Wₙ x + bₙ + Uₙ (r ⊙ h))   or   tanh(Wₙ x + bₙ + r ⊙ (Uₙ h + bₕₙ))
///
/// Parameters: `input.weight [3·hidden, inputs]`, `recurrent.weight [3·hidden, hidden]`, `bias [3·hidden]` and, with a
/// recurrent bias, `recurrent.bias [3·hidden]`, blocks in the convention's order.
public struct GRU: Sendable {
    public let inputs: Int, hidden: Int
    public let convention: GRUConvention
    private let inputWeight: Parameter, recurrentWeight: Parameter, bias: Parameter, recurrentBias: Parameter?
    /// For inference.
    private let prepared: (any PreparedGRU)?
    private let backend: any Backend

    public init(
        _ inputs: Int, _ hidden: Int, _ convention: GRUConvention, initializer: Initializer = .uniform(0.08),
        in scope: ParameterScope
    ) throws {
        (self.inputs, self.hidden, self.convention) = (inputs, hidden, convention)
        inputWeight = try scope["input"].parameter("weight", [3 * hidden, inputs], initializer)
        recurrentWeight = try scope["recurrent"].parameter("weight", [3 * hidden, hidden], initializer)
        bias = try scope.parameter("bias", [3 * hidden], .constant(0))
        recurrentBias = convention.recurrentBias ? try scope["recurrent"].parameter("bias", [3 * hidden], .constant(0)) : nil
        backend = scope.backend
        prepared =
            scope.store.purpose == .inference
            ? backend.prepareGRU(recurrent: recurrentWeight.value, bias: recurrentBias?.value, convention) : nil
    }

    public func zeroState(rows: Int) -> Tensor { .zeros([rows, hidden], on: backend) }

    /// One step: `x [rows, inputs]`, `h [rows, hidden]` → `[rows, hidden]`.
    public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
        let a = matmul(x, inputWeight.value, transposed: true, bias: bias.value)
        if let prepared { return prepared(a, hidden: h) }
        return gruStep(a, hidden: h, recurrent: recurrentWeight.value, bias: recurrentBias?.value, convention)
    }
}
