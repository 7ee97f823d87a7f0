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
/// - Returns: every hidden state, `[steps, rows, hidden]`, and the last cell, which carries no gradient.
public func lstmSequence(
    _ inputs: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor, _ convention: LSTMConvention
) -> (hidden: Tensor, cell: Tensor) {
    let steps = inputs.shape[0], rows = inputs.shape[1], size = hidden.shape[1], backend = inputs.backend
    require(
        inputs.shape[2] == 4 * size && recurrent.shape == [4 * size, size] && hidden.shape == [rows, size]
            && cell.shape == hidden.shape,
        "lstmSequence: \(inputs.shape) with \(recurrent.shape) from \(hidden.shape) and \(cell.shape)")
    let (u, h0, c0, x) = (recurrent.detached, hidden.detached, cell.detached, inputs.detached)
    var trace: [LSTMStep] = []
    for t in 0..<steps {
        let h = trace.last?.hidden ?? h0, c = trace.last?.cell ?? c0
        let a = x[t] + backend.product(h, u, transposeA: false, transposeB: true, bias: nil)
        trace.append(backend.lstmStep(a, c, convention))
    }
    let states = Tensor.concatenated(trace.map(\.hidden), axis: 0).reshaped([steps, rows, size])
    let walked = trace
    let gradients = Once(for: [inputs, recurrent, hidden, cell]) { (dy: Tensor) in
        LSTMSequenceGradient(dy, walked, recurrent: u, hidden: h0, cell: c0, convention)
    }
    let y = states.recorded(
        (inputs, { gradients($0).inputs }), (recurrent, { gradients($0).recurrent }), (hidden, { gradients($0).hidden }),
        (cell, { gradients($0).cell }))
    return (y, trace.last?.cell ?? c0)
}

/// Back-propagation through time of ``lstmSequence(_:recurrent:hidden:cell:_:)``.
private struct LSTMSequenceGradient: Sendable {
    let inputs: Tensor, recurrent: Tensor, hidden: Tensor, cell: Tensor

    init(_ dy: Tensor, _ trace: [LSTMStep], recurrent u: Tensor, hidden h0: Tensor, cell c0: Tensor, _ convention: LSTMConvention)
    {
        let backend = dy.backend, steps = trace.count, rows = h0.shape[0], size = h0.shape[1]
        var dh: Tensor?, dc: Tensor?
        var da: [Tensor] = []
        for t in (0..<steps).reversed() {
            let upstream = dh.map { $0 + dy[t] } ?? dy[t]
            let (dPreactivations, dCell) = backend.lstmStepGradient(
                dh: upstream, dc: dc, trace[t], previousCell: t > 0 ? trace[t - 1].cell : c0, convention)
            da.append(dPreactivations)
            dh = backend.product(dPreactivations, u, transposeA: false, transposeB: false, bias: nil)
            dc = dCell
        }
        let all = Tensor.concatenated(da.reversed(), axis: 0)
        let before = Tensor.concatenated([h0] + trace.dropLast().map(\.hidden), axis: 0)
        inputs = all.reshaped([steps, rows, 4 * size])
        recurrent = backend.product(all, before, transposeA: true, transposeB: false, bias: nil)
        hidden = dh!
        cell = dc!
    }
}
