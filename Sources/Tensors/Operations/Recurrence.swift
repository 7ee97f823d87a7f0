/// One step of an LSTM from the sum of its input and recurrent products.
///
/// - Parameters:
///   - preactivations: `[rows, 4·hidden]`, blocks in the convention's order.
///   - cell: the previous cell, `[rows, hidden]`.
/// - Returns: the new hidden state and cell, both `[rows, hidden]`.
public func lstmStep(_ preactivations: Tensor, cell: Tensor, _ convention: LSTMConvention) -> (hidden: Tensor, cell: Tensor) {
    require(
        preactivations.shape == [cell.shape[0], 4 * cell.shape[1]], "lstmStep: \(preactivations.shape) for a cell \(cell.shape)")
    let before = cell.detached
    let step = cell.backend.lstmStep(preactivations, before, convention)
    // The two results are separate nodes of the tape, so each passes on its own part of the gradient.
    let throughHidden = Once(for: [preactivations, cell]) { (dh: Tensor) in
        dh.backend.lstmStepGradient(dh: dh, dc: nil, step, previousCell: before, convention)
    }
    let throughCell = Once(for: [preactivations, cell]) { (dc: Tensor) in
        dc.backend.lstmStepGradient(dh: nil, dc: dc, step, previousCell: before, convention)
    }
    return (
        step.hidden.recorded((preactivations, { throughHidden($0).dPreactivations }), (cell, { throughHidden($0).dCell })),
        step.cell.recorded((preactivations, { throughCell($0).dPreactivations }), (cell, { throughCell($0).dCell }))
    )
}

/// One step of a GRU from its input products with the bias.
///
///     r, z = σ(aᵣ + Uᵣ h), σ(a_z + U_z h)        h′ = z ⊙ h + (1 - z) ⊙ n
///     n = tanh(aₙ + Uₙ (r ⊙ h))   or   tanh(aₙ + r ⊙ (Uₙ h + bₙ))
///
/// - Parameters:
///   - inputs: `a`, `[rows, 3·hidden]`, blocks in the convention's order, like those of the weights.
///   - hidden: `h`, `[rows, hidden]`.
///   - recurrent: `U`, `[3·hidden, hidden]`.
///   - bias: of the recurrent product, `[3·hidden]`.
/// - Returns: `h′`, `[rows, hidden]`.
public func gruStep(
    _ inputs: Tensor, hidden h: Tensor, recurrent u: Tensor, bias: Tensor?, _ convention: GRUConvention
) -> Tensor {
    let n = h.shape[1], blocks = convention.blocks
    require(
        inputs.shape == [h.shape[0], 3 * n] && u.shape == [3 * n, n], "gruStep: \(inputs.shape) with \(u.shape) from \(h.shape)")
    func block(_ t: Tensor, _ k: Int) -> Tensor { t.sliced(axis: -1, k * n..<(k + 1) * n) }
    if convention.resetsAfterProduct {
        let uh = matmul(h, u, transposed: true, bias: bias)
        let r = sigmoid(block(inputs, blocks.reset) + block(uh, blocks.reset))
        let z = sigmoid(block(inputs, blocks.update) + block(uh, blocks.update))
        let candidate = tanh(block(inputs, blocks.candidate) + r * block(uh, blocks.candidate))
        return z * h + (1 - z) * candidate
    }
    let gates = matmul(h, u[0..<2 * n], transposed: true, bias: bias?[0..<2 * n])
    let r = sigmoid(block(inputs, blocks.reset) + block(gates, blocks.reset))
    let z = sigmoid(block(inputs, blocks.update) + block(gates, blocks.update))
    let candidate = tanh(
        block(inputs, blocks.candidate) + matmul(r * h, u[2 * n..<3 * n], transposed: true, bias: bias?[2 * n..<3 * n]))
    return z * h + (1 - z) * candidate
}

/// A whole LSTM sequence as one operation, so that its derivative needs one product per weight and not one per step.
///
///     aₜ = inputsₜ + hₜ₋₁ · Uᵀ        (hₜ, cₜ) = lstmStep(aₜ, cₜ₋₁)
///
/// - Parameters:
///   - inputs: `[steps, rows, 4·hidden]`: the input products with the bias.
///   - recurrent: `U`, `[4·hidden, hidden]`.
///   - hidden, cell: the initial states, `[rows, hidden]`.
/// - Returns: every hidden state, `[steps, rows, hidden]`.
public func lstmSequence(
    _ inputs: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor, _ convention: LSTMConvention
) -> Tensor {
    let walk = LSTMWalk(inputs, recurrent: recurrent, hidden: hidden, cell: cell, convention)
    return walk.recorded(walk.hidden, inputs, recurrent, hidden, cell) { dy in (dy, nil) }
}

/// ``lstmSequence(_:recurrent:hidden:cell:_:)`` for whoever needs the cells, too.
/// - Returns: every hidden state beside its cell, `[steps, rows, 2·hidden]`: one tensor, so that there is one way back.
public func lstmStates(
    _ inputs: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor, _ convention: LSTMConvention
) -> Tensor {
    let walk = LSTMWalk(inputs, recurrent: recurrent, hidden: hidden, cell: cell, convention), size = hidden.shape[1]
    return walk.recorded(.concatenated([walk.hidden, walk.cells], axis: -1), inputs, recurrent, hidden, cell) { dy in
        (dy.sliced(axis: -1, 0..<size), dy.sliced(axis: -1, size..<2 * size))
    }
}

/// A sequence walked forwards, with what the way back needs.
private struct LSTMWalk: Sendable {
    private let trace: [LSTMStep]
    private let u: Tensor, h0: Tensor, c0: Tensor
    private let convention: LSTMConvention

    init(_ inputs: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor, _ convention: LSTMConvention) {
        let rows = inputs.shape[1], size = hidden.shape[1], backend = inputs.backend
        require(
            inputs.shape[2] == 4 * size && recurrent.shape == [4 * size, size] && hidden.shape == [rows, size]
                && cell.shape == hidden.shape,
            "lstmSequence: \(inputs.shape) with \(recurrent.shape) from \(hidden.shape) and \(cell.shape)")
        (u, h0, c0, self.convention) = (recurrent.detached, hidden.detached, cell.detached, convention)
        let x = inputs.detached, timesU = Self.map(by: u)
        var trace: [LSTMStep] = []
        for t in 0..<inputs.shape[0] {
            let h = trace.last?.hidden ?? h0, c = trace.last?.cell ?? c0
            trace.append(backend.lstmStep(x[t] + timesU(h), c, convention))
        }
        self.trace = trace
    }

    /// `x ↦ x · weightᵀ` with weights that are packed once for all steps.
    private static func map(by weight: Tensor) -> any PreparedLinear {
        do {
            return try weight.backend.prepareLinear(PackableWeights(weight), storage: .float32, isRanked: false)
        } catch {
            preconditionFailure("weights in memory cannot be read: \(error)")
        }
    }

    private func stacked(_ parts: [Tensor]) -> Tensor {
        .concatenated(parts, axis: 0).reshaped([trace.count, h0.shape[0], h0.shape[1]])
    }
    var hidden: Tensor { stacked(trace.map(\.hidden)) }
    var cells: Tensor { stacked(trace.map(\.cell)) }

    /// `result` with its derivatives.
    /// - Parameter split: from the result's gradient to those of all hidden states and, where there are any, of all cells.
    func recorded(
        _ result: Tensor, _ inputs: Tensor, _ recurrent: Tensor, _ hidden: Tensor, _ cell: Tensor,
        split: @escaping @Sendable (Tensor) -> (hidden: Tensor, cells: Tensor?)
    ) -> Tensor {
        let gradients = Once(for: [inputs, recurrent, hidden, cell]) { (dy: Tensor) in
            let (dHidden, dCells) = split(dy)
            return gradient(dHidden, dCells)
        }
        return result.recorded(
            (inputs, { gradients($0).inputs }), (recurrent, { gradients($0).recurrent }), (hidden, { gradients($0).hidden }),
            (cell, { gradients($0).cell }))
    }

    /// Back-propagation through time.
    /// - Parameters:
    ///   - dHidden: for every hidden state, `[steps, rows, hidden]`.
    ///   - dCells: for every cell.
    private func gradient(_ dHidden: Tensor, _ dCells: Tensor?) -> (
        inputs: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor
    ) {
        let backend = dHidden.backend, steps = trace.count, rows = h0.shape[0], size = h0.shape[1]
        var dh: Tensor?, dc: Tensor?
        var da: [Tensor] = []
        let timesUTransposed = Self.map(by: u.transposed)
        for t in (0..<steps).reversed() {
            if let own = dCells?[t] { dc = dc.map { $0 + own } ?? own }
            let (dPreactivations, dCell) = backend.lstmStepGradient(
                dh: dh.map { $0 + dHidden[t] } ?? dHidden[t], dc: dc, trace[t], previousCell: t > 0 ? trace[t - 1].cell : c0,
                convention)
            da.append(dPreactivations)
            dh = timesUTransposed(dPreactivations)
            dc = dCell
        }
        let all = Tensor.concatenated(da.reversed(), axis: 0)
        let before = Tensor.concatenated([h0] + trace.dropLast().map(\.hidden), axis: 0)
        return (
            all.reshaped([steps, rows, 4 * size]),
            backend.product(all, before, transposeA: true, transposeB: false, bias: nil), dh!, dc!
        )
    }
}
