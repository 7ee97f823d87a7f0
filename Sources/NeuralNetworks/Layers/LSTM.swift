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
    private let input: Linear, recurrentWeight: Parameter
    /// For inference.
    private let prepared: (any PreparedLSTM)?
    private let backend: any Backend

    public init(
        _ inputs: Int, _ hidden: Int, _ convention: LSTMConvention, initializer: Initializer = .uniform(0.08),
        in scope: ParameterScope
    ) throws {
        (self.inputs, self.hidden, self.convention) = (inputs, hidden, convention)
        let inputWeight = try scope["input"].packedParameter("weight", [4 * hidden, inputs], initializer)
        input = try Linear(inputWeight, bias: scope.parameter("bias", [4 * hidden], .constant(0)), in: scope)
        recurrentWeight = try scope["recurrent"].packedParameter("weight", [4 * hidden, hidden], initializer)
        backend = scope.backend
        prepared =
            scope.store.purpose == .inference
            ? try backend.prepareLSTM(recurrent: scope.packable(recurrentWeight, bias: nil), convention) : nil
    }

    public func zeroState(rows: Int) -> State {
        let zeros = Tensor.zeros([rows, hidden], on: backend)
        return State(hidden: zeros, cell: zeros)
    }

    /// One step for `x`, `[rows, inputs]`.
    public func callAsFunction(_ x: Tensor, _ state: State) -> State { step(inputs(x), state) }

    /// The part of a step that does not depend on the state, `W x + b`: `[…, inputs] → […, 4·hidden]`.
    public func inputs(_ x: Tensor) -> Tensor { input(x) }

    /// The rest of a step.
    /// - Parameter inputs: what ``inputs(_:)`` gave, `[rows, 4·hidden]`.
    public func step(_ inputs: Tensor, _ state: State) -> State {
        if let prepared {
            let (h, c) = prepared(inputs, hidden: state.hidden, cell: state.cell)
            return State(hidden: h, cell: c)
        }
        let a = inputs + matmul(state.hidden, recurrentWeight.value, transposed: true)
        let (h, c) = lstmStep(a, cell: state.cell, convention)
        return State(hidden: h, cell: c)
    }

    /// A whole sequence `[steps, rows, inputs]` from `state`: every hidden state, `[steps, rows, hidden]`.
    public func sequence(_ x: Tensor, from state: State) -> Tensor {
        lstmSequence(inputs(x), recurrent: recurrentWeight.value, hidden: state.hidden, cell: state.cell, convention)
    }

    /// A sequence `[steps, rows, inputs]` that goes on from `state`, and leaves there where it ends: every hidden state,
    /// `[steps, rows, hidden]`.
    public func sequence(_ x: Tensor, continuing state: inout State) -> Tensor {
        let steps = x.shape[0], rows = x.shape[1], a = inputs(x)
        if prepared == nil {
            let both = lstmStates(a, recurrent: recurrentWeight.value, hidden: state.hidden, cell: state.cell, convention)
            let end = both[steps - 1]
            state = State(hidden: end.sliced(axis: -1, 0..<hidden), cell: end.sliced(axis: -1, hidden..<2 * hidden))
            return both.sliced(axis: -1, 0..<hidden)
        }
        var walk: [Tensor] = []
        for t in 0..<steps {
            state = step(a[t], state)
            walk.append(state.hidden)
        }
        return Tensor.concatenated(walk, axis: 0).reshaped([steps, rows, hidden])
    }

    /// A whole sequence `[steps, rows, inputs]` from zero: every state, hidden and cell each `[steps · rows, hidden]`.
    public func states(_ x: Tensor) -> State {
        let steps = x.shape[0], rows = x.shape[1], start = zeroState(rows: rows), a = inputs(x)
        if prepared != nil {
            var walk: [State] = []
            for t in 0..<steps { walk.append(step(a[t], walk.last ?? start)) }
            return State(hidden: .concatenated(walk.map(\.hidden), axis: 0), cell: .concatenated(walk.map(\.cell), axis: 0))
        }
        let both = lstmStates(a, recurrent: recurrentWeight.value, hidden: start.hidden, cell: start.cell, convention)
            .reshaped([steps * rows, 2 * hidden])
        return State(hidden: both.sliced(axis: -1, 0..<hidden), cell: both.sliced(axis: -1, hidden..<2 * hidden))
    }
}
