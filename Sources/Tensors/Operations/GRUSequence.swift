/// A whole GRU sequence as one operation, so that its derivative needs one product per weight and not one per step:
/// ``gruStep(_:hidden:recurrent:bias:_:)`` of every step's inputs.
///
/// - Parameters:
///   - inputs: `[steps, rows, 3·hidden]`: the input products with the bias, blocks in the convention's order.
///   - recurrent: `U`, `[3·hidden, hidden]`.
///   - bias: of the recurrent product, `[3·hidden]`.
///   - hidden: the initial state, `[rows, hidden]`.
/// - Returns: every hidden state, `[steps, rows, hidden]`.
public func gruSequence(
    _ inputs: Tensor, recurrent: Tensor, bias: Tensor?, hidden: Tensor, _ convention: GRUConvention
) -> Tensor {
    let steps = inputs.shape[0], rows = inputs.shape[1], n = hidden.shape[1]
    require(
        inputs.shape[2] == 3 * n && recurrent.shape == [3 * n, n] && hidden.shape == [rows, n]
            && (bias == nil || bias!.shape == [3 * n]),
        "gruSequence: \(inputs.shape) with \(recurrent.shape) from \(hidden.shape)")
    guard convention.resetsAfterProduct else {
        // No model that is trained here is of this kind.
        var states: [Tensor] = []
        for t in 0..<steps {
            states.append(gruStep(inputs[t], hidden: states.last ?? hidden, recurrent: recurrent, bias: bias, convention))
        }
        return Tensor.concatenated(states, axis: 0).reshaped([steps, rows, n])
    }
    let walk = GRUWalk(inputs.detached, recurrent.detached, bias: bias?.detached, from: hidden.detached, convention)
    let leaves = [inputs, recurrent, hidden] + (bias.map { [$0] } ?? [])
    let gradients = Once(for: leaves) { (dh: Tensor) in walk.gradient(dh) }
    var partials: [(input: Tensor, pullback: TapeNode.Pullback)] = [
        (inputs, { gradients($0).inputs }), (recurrent, { gradients($0).recurrent }), (hidden, { gradients($0).hidden }),
    ]
    if let bias { partials.append((bias, { gradients($0).products.summed(to: [3 * n]) })) }
    return walk.states.recorded(partials)
}

/// A sequence walked forwards, with what the way back needs.
///
///     u = U h + b        r, z = σ(aᵣ + uᵣ), σ(a_z + u_z)        c = tanh(a_c + r ⊙ u_c)        h′ = c + z ⊙ (h - c)
private struct GRUWalk: Sendable {
    private struct Step: Sendable {
        /// r and z in the convention's order, `[rows, 2·hidden]`.
        let gates: Tensor
        /// u_c, c and h′, all `[rows, hidden]`.
        let product: Tensor, candidate: Tensor, hidden: Tensor
    }

    private let trace: [Step]
    private let u: Tensor, h0: Tensor
    private let blocks: (reset: Int, update: Int, candidate: Int)

    init(_ inputs: Tensor, _ u: Tensor, bias: Tensor?, from h0: Tensor, _ convention: GRUConvention) {
        (self.u, self.h0, blocks) = (u, h0, convention.blocks)
        var trace: [Step] = []
        for t in 0..<inputs.shape[0] {
            trace.append(Self.step(inputs[t], u, bias, trace.last?.hidden ?? h0, convention.blocks))
        }
        self.trace = trace
    }

    var states: Tensor {
        .concatenated(trace.map(\.hidden), axis: 0).reshaped([trace.count, h0.shape[0], h0.shape[1]])
    }

    /// - Parameter a: `[rows, 3·hidden]`. In both orders the candidate's block is the last.
    private static func step(
        _ a: Tensor, _ u: Tensor, _ bias: Tensor?, _ h: Tensor, _ blocks: (reset: Int, update: Int, candidate: Int)
    ) -> Step {
        let backend = h.backend, rows = h.shape[0], n = h.shape[1]
        let uh = backend.product(h, u, transposeA: false, transposeB: true, bias: bias)
        nonisolated(unsafe) let (a0, u0, h0) = (a.pointer, uh.pointer, h.pointer)
        var product: Tensor?
        let sums = Tensor(shape: [rows, 2 * n], on: backend) { sums in
            nonisolated(unsafe) let sums = sums
            product = Tensor(shape: [rows, n], on: backend) { product in
                nonisolated(unsafe) let product = product
                backend.forEachPart(ofRows: rows, width: 3 * n) { part in
                    for row in part {
                        let a = a0 + row * 3 * n, u = u0 + row * 3 * n, sums = sums + row * 2 * n
                        for j in 0..<2 * n { sums[j] = a[j] + u[j] }
                        (product + row * n).update(from: u + 2 * n, count: n)
                    }
                }
            }
        }
        let gates = backend.map(.sigmoid, sums)
        nonisolated(unsafe) let (g0, p0) = (gates.pointer, product!.pointer)
        let candidate = backend.map(
            .tanh,
            Tensor(shape: [rows, n], on: backend) { sums in
                nonisolated(unsafe) let sums = sums
                backend.forEachPart(ofRows: rows, width: n) { part in
                    for row in part {
                        let a = a0 + row * 3 * n + 2 * n, r = g0 + row * 2 * n + blocks.reset * n
                        let u = p0 + row * n, sums = sums + row * n
                        for j in 0..<n { sums[j] = a[j] + r[j] * u[j] }
                    }
                }
            })
        nonisolated(unsafe) let c0 = candidate.pointer
        let hidden = Tensor(shape: [rows, n], on: backend) { next in
            nonisolated(unsafe) let next = next
            backend.forEachPart(ofRows: rows, width: n) { part in
                for row in part {
                    let z = g0 + row * 2 * n + blocks.update * n
                    let c = c0 + row * n, h = h0 + row * n, next = next + row * n
                    for j in 0..<n { next[j] = c[j] + z[j] * (h[j] - c[j]) }
                }
            }
        }
        withExtendedLifetime((a, uh, h, gates, product, candidate)) {}
        return Step(gates: gates, product: product!, candidate: candidate, hidden: hidden)
    }

    /// Back-propagation through time.
    /// - Parameter dStates: for every hidden state, `[steps, rows, hidden]`.
    /// - Returns: for the inputs; for the recurrent products U h + b, `[steps · rows, 3·hidden]`; for U; for the initial state.
    func gradient(_ dStates: Tensor) -> (inputs: Tensor, products: Tensor, recurrent: Tensor, hidden: Tensor) {
        let backend = dStates.backend, steps = trace.count, rows = h0.shape[0], n = h0.shape[1]
        var dh: Tensor?
        var da: [Tensor] = [], du: [Tensor] = []
        for t in (0..<steps).reversed() {
            let step = stepGradient(dh.map { $0 + dStates[t] } ?? dStates[t], trace[t], t > 0 ? trace[t - 1].hidden : h0)
            da.append(step.da)
            du.append(step.du)
            dh = step.dh + backend.product(step.du, u, transposeA: false, transposeB: false, bias: nil)
        }
        let products = Tensor.concatenated(du.reversed(), axis: 0)
        let before = Tensor.concatenated([h0] + trace.dropLast().map(\.hidden), axis: 0)
        return (
            Tensor.concatenated(da.reversed(), axis: 0).reshaped([steps, rows, 3 * n]), products,
            backend.product(products, before, transposeA: true, transposeB: false, bias: nil), dh!
        )
    }

    /// - Parameters:
    ///   - dh: for h′.
    ///   - h: the state before.
    /// - Returns: for a and for u, `[rows, 3·hidden]`; and for h where it does not pass through u, `[rows, hidden]`.
    private func stepGradient(_ dh: Tensor, _ step: Step, _ h: Tensor) -> (da: Tensor, du: Tensor, dh: Tensor) {
        let backend = dh.backend, rows = h.shape[0], n = h.shape[1], blocks = blocks
        nonisolated(unsafe) let (dh0, h0, g0) = (dh.pointer, h.pointer, step.gates.pointer)
        nonisolated(unsafe) let (p0, c0) = (step.product.pointer, step.candidate.pointer)
        var du: Tensor?, direct: Tensor?
        let da = Tensor(shape: [rows, 3 * n], on: backend) { da in
            nonisolated(unsafe) let da0 = da
            du = Tensor(shape: [rows, 3 * n], on: backend) { du in
                nonisolated(unsafe) let du0 = du
                direct = Tensor(shape: [rows, n], on: backend) { direct in
                    nonisolated(unsafe) let direct0 = direct
                    backend.forEachPart(ofRows: rows, width: 3 * n) { part in
                        for row in part {
                            let (dh, h, u, c) = (dh0 + row * n, h0 + row * n, p0 + row * n, c0 + row * n)
                            let r = g0 + row * 2 * n + blocks.reset * n, z = g0 + row * 2 * n + blocks.update * n
                            let da = da0 + row * 3 * n, du = du0 + row * 3 * n, direct = direct0 + row * n
                            let dr = da + blocks.reset * n, dz = da + blocks.update * n, dc = da + blocks.candidate * n
                            let duc = du + blocks.candidate * n
                            for j in 0..<n {
                                let slope = dh[j] * (1 - z[j]) * (1 - c[j] * c[j])
                                dc[j] = slope
                                duc[j] = slope * r[j]
                                dr[j] = slope * u[j] * r[j] * (1 - r[j])
                                dz[j] = dh[j] * (h[j] - c[j]) * z[j] * (1 - z[j])
                                direct[j] = dh[j] * z[j]
                            }
                            du.update(from: da, count: 2 * n)
                        }
                    }
                }
            }
        }
        withExtendedLifetime((dh, h, step)) {}
        return (da, du!, direct!)
    }
}
