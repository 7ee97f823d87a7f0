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
    public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor { step(inputs(x), h) }

    /// The part of a step that does not depend on the state, `W x + b`: `[…, inputs] → […, 3·hidden]`.
    public func inputs(_ x: Tensor) -> Tensor { input(x) }

    /// The rest of a step.
    /// - Parameter inputs: what ``inputs(_:)`` gave, `[rows, 3·hidden]`.
    public func step(_ inputs: Tensor, _ h: Tensor) -> Tensor {
        if let prepared { return prepared(inputs, hidden: h) }
        return gruStep(inputs, hidden: h, recurrent: recurrentWeight.value, bias: recurrentBias?.value, convention)
    }

    /// A whole sequence `[steps, rows, inputs]` from the state `h`: every hidden state, `[steps, rows, hidden]`.
    public func sequence(_ x: Tensor, from h: Tensor) -> Tensor {
        let steps = x.shape[0], a = inputs(x)
        if prepared == nil {
            return gruSequence(a, recurrent: recurrentWeight.value, bias: recurrentBias?.value, hidden: h, convention)
        }
        var walk: [Tensor] = []
        for t in 0..<steps { walk.append(step(a[t], walk.last ?? h)) }
        return Tensor.concatenated(walk, axis: 0).reshaped([steps, h.shape[0], hidden])
    }
}
