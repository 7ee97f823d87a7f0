/// An LSTM whose recurrent weights a backend has brought into its own order once: one step is one kernel.
public protocol PreparedLSTM: Sendable {
    /// - Parameters:
    ///   - inputs: the input products with the bias, `[rows, 4·hidden]`, blocks in the convention's order.
    ///   - hidden, cell: the previous states, `[rows, hidden]`.
    func callAsFunction(_ inputs: Tensor, hidden: Tensor, cell: Tensor) -> (hidden: Tensor, cell: Tensor)
}

/// A GRU whose recurrent weights a backend has brought into its own order once.
public protocol PreparedGRU: Sendable {
    /// - Parameters:
    ///   - inputs: the input products with the bias, `[rows, 3·hidden]`, blocks in the convention's order.
    ///   - hidden: the previous state, `[rows, hidden]`.
    func callAsFunction(_ inputs: Tensor, hidden: Tensor) -> Tensor
}

extension Backend {
    public func prepareLSTM(recurrent: PackableWeights, _ convention: LSTMConvention) throws -> any PreparedLSTM {
        PlainLSTM(recurrent: try recurrent.values().weight, convention: convention, backend: self)
    }

    public func prepareGRU(recurrent: PackableWeights, _ convention: GRUConvention) throws -> any PreparedGRU {
        let (weight, bias) = try recurrent.values()
        return PlainGRU(recurrent: weight, bias: bias, convention: convention)
    }
}

/// An LSTM by the backend's ordinary kernels.
private struct PlainLSTM: PreparedLSTM {
    let recurrent: Tensor, convention: LSTMConvention
    let backend: any Backend

    func callAsFunction(_ inputs: Tensor, hidden: Tensor, cell: Tensor) -> (hidden: Tensor, cell: Tensor) {
        let products = backend.product(hidden.detached, recurrent, transposeA: false, transposeB: true, bias: nil)
        let step = backend.lstmStep(
            backend.combine(.add, inputs.detached, products, to: inputs.shape), cell.detached, convention)
        return (step.hidden, step.cell)
    }
}

/// A GRU by the backend's ordinary kernels.
private struct PlainGRU: PreparedGRU {
    let recurrent: Tensor, bias: Tensor?, convention: GRUConvention

    func callAsFunction(_ inputs: Tensor, hidden: Tensor) -> Tensor {
        gruStep(inputs.detached, hidden: hidden.detached, recurrent: recurrent, bias: bias, convention)
    }
}
