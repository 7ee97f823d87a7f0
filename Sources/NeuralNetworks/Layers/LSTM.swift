public import Tensors

/// A long short-term memory (Hochreiter & Schmidhuber 1997; the equations of each framework: ``LSTMConvention``).
///
///     a = W x + U h + b        four blocks of `hidden` rows in the convention's order
///     c′ = f ⊙ c + i ⊙ g       h′ = o ⊙ tanh c′
///
/// Parameters: `input.weight [4·hidden, inputs]`, `recurrent.weight [4·hidden, hidden]`, `bias [4·hidden]` (frameworks
/// with two biases add them up).
public struct LSTM: Sendable {
    public struct State: Sendable {
        /// Both `[rows, hidden]`.
        public var hidden: Tensor, cell: Tensor
        public init(hidden: Tensor, cell: Tensor) { (self.hidden, self.cell) = (hidden, cell) }

        /// The states of the given rows, in that order: how beam search reorders its beams.
        public func gathered(_ rows: [Int]) -> State { State(hidden: hidden.gathered(rows), cell: cell.gathered(rows)) }
    }

    public let inputs: Int, hidden: Int
    public let convention: LSTMConvention
    private let inputWeight: Parameter, recurrentWeight: Parameter, bias: Parameter
    private let backend: any Backend

    public init(
        _ inputs: Int, _ hidden: Int, _ convention: LSTMConvention, initializer: Initializer = .uniform(0.08),
        in scope: ParameterScope
    ) throws {
        (self.inputs, self.hidden, self.convention) = (inputs, hidden, convention)
        inputWeight = try scope["input"].parameter("weight", [4 * hidden, inputs], initializer)
        recurrentWeight = try scope["recurrent"].parameter("weight", [4 * hidden, hidden], initializer)
        bias = try scope.parameter("bias", [4 * hidden], .constant(0))
        backend = scope.backend
    }

    public func zeroState(rows: Int) -> State {
        let zeros = Tensor.zeros([rows, hidden], on: backend)
        return State(hidden: zeros, cell: zeros)
    }

    /// One step for `x`, `[rows, inputs]`.
    public func callAsFunction(_ x: Tensor, _ state: State) -> State {
        let a = matmul(x, inputWeight.value, transposed: true, bias: bias.value)
            + matmul(state.hidden, recurrentWeight.value, transposed: true)
        let (h, c) = lstmStep(a, cell: state.cell, convention)
        return State(hidden: h, cell: c)
    }

    /// A whole sequence `[steps, rows, inputs]` from `state`: every hidden state, `[steps, rows, hidden]`.
    public func sequence(_ x: Tensor, from state: State) -> Tensor {
        let a = matmul(x, inputWeight.value, transposed: true, bias: bias.value)
        return lstmSequence(a, recurrent: recurrentWeight.value, hidden: state.hidden, cell: state.cell, convention).hidden
    }
}
