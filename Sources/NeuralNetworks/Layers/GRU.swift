public import Tensors

/// What differs between the GRUs of the frameworks.
public struct GRUConvention: Sendable, Hashable {
    public enum Order: String, Sendable, Hashable, CaseIterable, Codable {
        /// Reset, update, candidate: PyTorch, cuDNN, skip-thoughts, TensorFlow.
        case rzn
        /// Update, reset, candidate: Keras.
        case zrn
    }
    public var order: Order
    /// Whether the reset gate multiplies the recurrent product (PyTorch, cuDNN, skip-thoughts, DPPnet, Keras'
    /// `reset_after`) or the hidden state before it (Cho et al. 2014, TensorFlow, older Keras).
    public var resetsAfterProduct: Bool
    /// Whether the recurrent product has a bias of its own, which only matters with ``resetsAfterProduct``.
    public var recurrentBias: Bool

    public init(order: Order, resetsAfterProduct: Bool, recurrentBias: Bool = false) {
        (self.order, self.resetsAfterProduct, self.recurrentBias) = (order, resetsAfterProduct, recurrentBias)
    }
}

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
    }

    public func zeroState(rows: Int) -> Tensor { .zeros([rows, hidden], on: backend) }

    /// One step: `x [rows, inputs]`, `h [rows, hidden]` → `[rows, hidden]`.
    public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
        let wx = matmul(x, inputWeight.value, transposed: true, bias: bias.value)
        let u = recurrentWeight.value, n = hidden
        func block(_ t: Tensor, _ k: Int) -> Tensor { t.sliced(axis: -1, k * n..<(k + 1) * n) }
        let (resetBlock, updateBlock) = convention.order == .rzn ? (0, 1) : (1, 0)
        if convention.resetsAfterProduct {
            let uh = matmul(h, u, transposed: true, bias: recurrentBias?.value)
            let r = sigmoid(block(wx, resetBlock) + block(uh, resetBlock))
            let z = sigmoid(block(wx, updateBlock) + block(uh, updateBlock))
            let candidate = tanh(block(wx, 2) + r * block(uh, 2))
            return z * h + (1 - z) * candidate
        }
        let gates = matmul(h, u[0..<2 * n], transposed: true, bias: recurrentBias?.value[0..<2 * n])
        let r = sigmoid(block(wx, resetBlock) + block(gates, resetBlock))
        let z = sigmoid(block(wx, updateBlock) + block(gates, updateBlock))
        let candidate = tanh(
            block(wx, 2) + matmul(r * h, u[2 * n..<3 * n], transposed: true, bias: recurrentBias?.value[2 * n..<3 * n]))
        return z * h + (1 - z) * candidate
    }
}
