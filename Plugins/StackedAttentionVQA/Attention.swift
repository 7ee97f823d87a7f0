import NeuralNetworks
import Tensors

/// One look at the picture's regions.
struct Attention: Sendable {
    /// Whose equations.
    enum Equations: String, Decodable, Sendable, CaseIterable {
        /// `h = tanh(W_I V ⊕ (W_Q u + b))`, `p = softmax(w_P h + b_P)`, the paper's (15) and (16).
        case paper
        /// Two separate tanh, `h = tanh(W_I V + b_I) + tanh(W_Q u + b_Q)`, and a third on the scores,
        /// `p = softmax(tanh(w_P h + b_P))`: what the authors' code computes, and their weights need.
        case released
    }

    private let region: Linear, question: Linear, score: Linear
    private let equations: Equations

    /// - Parameters:
    ///   - width: d, of regions and question.
    ///   - attention: k, of the space in which they are compared.
    init(_ width: Int, _ attention: Int, _ equations: Equations, in scope: ParameterScope) throws {
        self.equations = equations
        region = try Linear(width, attention, bias: equations == .released, initializer: .glorot, in: scope["image"])
        question = try Linear(width, attention, initializer: .glorot, in: scope["question"])
        score = try Linear(attention, 1, initializer: .glorot, in: scope["score"])
    }

    /// - Parameters:
    ///   - V: regions, `[n, regions, width]` or `[1, regions, width]` for all questions.
    ///   - u: `[n, width]`.
    /// - Returns: ṽ `[n, width]` and p `[n, regions]`.
    func callAsFunction(_ V: Tensor, _ u: Tensor) -> (context: Tensor, p: Tensor) {
        let asked = question(u).expanded(axis: 1)
        let h = equations == .paper ? tanh(region(V) + asked) : tanh(region(V)) + tanh(asked)
        let e = score(h).reshaped([u.shape[0], V.shape[1]])
        let p = softmax(equations == .paper ? e : tanh(e))
        return ((p.expanded(axis: 2) * V).sum(axis: 1), p)                 // ṽ = Σ p_i v_i                   (17)
    }
}
