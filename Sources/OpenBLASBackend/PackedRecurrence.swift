public import Tensors

extension OpenBLAS {
    public func prepareLSTM(recurrent: PackableWeights, _ convention: LSTMConvention) throws -> any PreparedLSTM {
        try PackedLSTM(recurrent, convention, on: self)
    }

    public func prepareGRU(recurrent: PackableWeights, _ convention: GRUConvention) throws -> any PreparedGRU {
        try PackedGRU(recurrent, convention, on: self)
    }
}

/// The recurrent weights of one gate.
private struct Gate: Sendable {
    /// Where its block begins in a row of input products.
    let offset: Int
    let panels: Panels<Float>
    let bias: PaddedRow

    /// One for every block, in their order.
    /// - Parameter recurrent: `[blocks·hidden, hidden]`.
    static func pack(_ recurrent: PackableWeights, on backend: OpenBLAS) throws -> [Gate] {
        let n = recurrent.shape[1]
        var layout = PackedLayout()
        let gates = (0..<recurrent.shape[0] / n).map { block in
            Gate(
                offset: block * n, panels: Panels(outputs: n, depth: n, in: &layout), bias: PaddedRow(count: n, in: &layout))
        }
        let memory = try recurrent.packed(as: "recurrence, \(Lanes.width)", bytes: layout.bytes) { memory, weight, bias in
            for gate in gates {
                gate.panels.fill(memory, from: weight.pointer + gate.offset * n, on: backend)
                gate.bias.fill(memory, bias.map { $0[gate.offset..<gate.offset + n] })
            }
        }
        return gates.map {
            Gate(offset: $0.offset, panels: $0.panels.placed(in: memory), bias: $0.bias.placed(in: memory))
        }
    }
}

extension OpenBLAS {
    /// Multiplies `hidden`, `[rows, n]`, with the weights of gates, a panel of units a task, and hands the products of eight
    /// units at a time to `body` as long as they are in cache.
    @inline(__always)
    fileprivate func multiply<let G: Int>(
        _ hidden: Tensor, _ gates: InlineArray<G, Gate>,
        _ body: @Sendable (_ row: Int, _ unit: Int, _ count: Int, _ products: InlineArray<G, Vector>) -> Void
    ) {
        let h = FewRows(hidden), rows = h.count, width = Panels<Float>.width
        forEachTask(gates[0].panels.count) { task in
            let units = gates[0].panels[task].outputs
            withUnsafeTemporaryAllocation(of: Float.self, capacity: G * rows * width) { memory in
                for k in 0..<G {
                    multiplyFewRows(
                        h, gates[k].panels[task], bias: gates[k].bias.base + units.lowerBound,
                        into: memory.baseAddress! + k * rows * width, outStride: width)
                }
                var products = InlineArray<G, Vector>(repeating: Vector(repeating: 0))
                for row in 0..<rows {
                    for first in stride(from: 0, to: units.count, by: 8) {
                        for k in 0..<G { products[k] = memory.baseAddress!.vector(at: (k * rows + row) * width + first) }
                        body(row, units.lowerBound + first, min(8, units.count - first), products)
                    }
                }
            }
        }
    }
}

/// An LSTM step in one pass over the recurrent weights.
final class PackedLSTM: PreparedLSTM {
    private let input: Gate, forget: Gate, output: Gate, candidate: Gate
    private let convention: LSTMConvention
    private let backend: OpenBLAS

    init(_ recurrent: PackableWeights, _ convention: LSTMConvention, on backend: OpenBLAS) throws {
        (self.convention, self.backend) = (convention, backend)
        let gates = try Gate.pack(recurrent, on: backend), blocks = convention.order.blocks
        (input, forget) = (gates[blocks.input], gates[blocks.forget])
        (output, candidate) = (gates[blocks.output], gates[blocks.candidate])
    }

    func callAsFunction(_ inputs: Tensor, hidden: Tensor, cell: Tensor) -> (hidden: Tensor, cell: Tensor) {
        let n = hidden.shape[1], (inputs, before) = (ReadOnly(inputs), ReadOnly(cell))
        var next: Tensor?
        let shown = Tensor(shape: hidden.shape, on: backend) { shown in
            next = Tensor(shape: hidden.shape, on: backend) { next in
                let (shown, next) = (Shared(shown), Shared(next))
                backend.multiply(hidden, [input, forget, output, candidate]) { row, unit, count, products in
                    let x = inputs.base + (row * 4 * n + unit), at = row * n + unit
                    func gate(_ a: Vector) -> Vector { convention.hardSigmoid ? hardLogistic(a) : logistic(a) }
                    let i = gate(products[0] + x.vector(at: input.offset, count: count))
                    let f = gate(products[1] + x.vector(at: forget.offset, count: count) + convention.forgetBias)
                    let o = gate(products[2] + x.vector(at: output.offset, count: count))
                    let g = hyperbolicTangent(products[3] + x.vector(at: candidate.offset, count: count))
                    let c = f * before.base.vector(at: at, count: count) + i * g
                    next.base.store(c, at: at, count: count)
                    shown.base.store(o * (convention.tanhOnCell ? hyperbolicTangent(c) : c), at: at, count: count)
                }
            }
        }
        return (shown, next!)
    }
}

/// A GRU step in one pass over the recurrent weights, or in two where the candidate needs the whole reset state.
final class PackedGRU: PreparedGRU {
    private let reset: Gate, update: Gate, candidate: Gate
    private let convention: GRUConvention
    private let backend: OpenBLAS

    init(_ recurrent: PackableWeights, _ convention: GRUConvention, on backend: OpenBLAS) throws {
        (self.convention, self.backend) = (convention, backend)
        let gates = try Gate.pack(recurrent, on: backend), blocks = convention.blocks
        (reset, update, candidate) = (gates[blocks.reset], gates[blocks.update], gates[blocks.candidate])
    }

    func callAsFunction(_ inputs: Tensor, hidden: Tensor) -> Tensor {
        convention.resetsAfterProduct ? resettingProduct(inputs, hidden) : resettingState(inputs, hidden)
    }

    private func resettingProduct(_ inputs: Tensor, _ hidden: Tensor) -> Tensor {
        let n = hidden.shape[1], (inputs, h) = (ReadOnly(inputs), ReadOnly(hidden))
        return Tensor(shape: hidden.shape, on: backend) { next in
            let next = Shared(next)
            backend.multiply(hidden, [reset, update, candidate]) { row, unit, count, products in
                let x = inputs.base + (row * 3 * n + unit), at = row * n + unit
                let r = logistic(products[0] + x.vector(at: reset.offset, count: count))
                let z = logistic(products[1] + x.vector(at: update.offset, count: count))
                let c = hyperbolicTangent(x.vector(at: candidate.offset, count: count) + r * products[2])
                next.base.store(c + z * (h.base.vector(at: at, count: count) - c), at: at, count: count)
            }
        }
    }

    private func resettingState(_ inputs: Tensor, _ hidden: Tensor) -> Tensor {
        let n = hidden.shape[1], (inputs, h) = (ReadOnly(inputs), ReadOnly(hidden))
        var kept: Tensor?
        let z = Tensor(shape: hidden.shape, on: backend) { z in
            kept = Tensor(shape: hidden.shape, on: backend) { kept in
                let (z, kept) = (Shared(z), Shared(kept))
                backend.multiply(hidden, [reset, update]) { row, unit, count, products in
                    let x = inputs.base + (row * 3 * n + unit), at = row * n + unit
                    let r = logistic(products[0] + x.vector(at: reset.offset, count: count))
                    kept.base.store(r * h.base.vector(at: at, count: count), at: at, count: count)
                    z.base.store(
                        logistic(products[1] + x.vector(at: update.offset, count: count)), at: at, count: count)
                }
            }
        }
        let open = ReadOnly(z)
        return Tensor(shape: hidden.shape, on: backend) { next in
            let next = Shared(next)
            backend.multiply(kept!, [candidate]) { row, unit, count, products in
                let x = inputs.base + (row * 3 * n + unit), at = row * n + unit
                let c = hyperbolicTangent(products[0] + x.vector(at: candidate.offset, count: count))
                next.base.store(
                    c + open.base.vector(at: at, count: count) * (h.base.vector(at: at, count: count) - c), at: at,
                    count: count)
            }
        }
    }
}
