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
    private let input: Linear, recurrentWeight: Parameter, recurrentBias: Parameter?
    /// For inference.
    private let prepared: (any PreparedGRU)?
    private let backend: any Backend

    public init(
        _ inputs: Int, _ hidden: Int, _ convention: GRUConvention, initializer: Initializer = .uniform(0.08),
        in scope: ParameterScope
    ) throws {
        (self.inputs, self.hidden, self.convention) = (inputs, hidden, convention)
        let inputWeight = try scope["input"].packedParameter("weight", [3 * hidden, inputs], initializer)
        input = try Linear(inputWeight, bias: scope.parameter("bias", [3 * hidden], .constant(0)), in: scope)
        recurrentWeight = try scope["recurrent"].packedParameter("weight", [3 * hidden, hidden], initializer)
        recurrentBias = convention.recurrentBias ? try scope["recurrent"].parameter("bias", [3 * hidden], .constant(0)) : nil
        backend = scope.backend
        prepared =
            scope.store.purpose == .inference
            ? try backend.prepareGRU(recurrent: scope.packable(recurrentWeight, bias: recurrentBias), convention) : nil
    }

    public func zeroState(rows: Int) -> Tensor { .zeros([rows, hidden], on: backend) }

    /// One step: `x [rows, inputs]`, `h [rows, hidden]` → `[rows, hidden]`.
    public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
        let a = input(x)
        if let prepared { return prepared(a, hidden: h) }
        return gruStep(a, hidden: h, recurrent: recurrentWeight.value, bias: recurrentBias?.value, convention)
    }
}
