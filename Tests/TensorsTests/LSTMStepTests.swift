import OpenBLASBackend
import Tensors
import Testing

/// One step from hidden size 2 and input size 2, worked out by hand for gates whose weights all differ: a wrong order of
/// the gates changes the result, whichever two are exchanged.
///
/// With gate number k = 0, 1, 2, 3 for i, f, o, g and row r, column q:
/// `W[r, q] = 0.1 (k + 1) + 0.05 r - 0.02 q`, `U[r, q] = 0.07 (k + 1) - 0.03 r + 0.01 q`, `b[r] = 0.1 k - 0.1 r`.
@Suite("A golden LSTM step in every convention")
struct LSTMStepTests {
    struct Golden: Sendable {
        var forgetBias: Float = 0, hardSigmoid = false, tanhOnCell = true
        let cell: [Float], hidden: [Float]
    }
    static let golden = [
        Golden(cell: [-0.053586502, 0.226411343], hidden: [-0.028571711, 0.111365798]),
        Golden(forgetBias: 1, cell: [-0.121824402, 0.320238601], hidden: [-0.064697794, 0.154938755]),
        Golden(hardSigmoid: true, cell: [-0.052557044, 0.228311022], hidden: [-0.027672088, 0.112257411]),
        Golden(tanhOnCell: false, cell: [-0.053586502, 0.226411343], hidden: [-0.028599054, 0.113262275]),
    ]

    @Test(arguments: golden, GateOrder.allCases)
    func step(golden: Golden, order: GateOrder) {
        for backend in [PortableBackend(), OpenBLAS(threads: 1)] as [any Backend] {
            // Which of i, f, o, g stands in each block, spelled out so that the table under test is not used.
            let gates: [Int] =
                switch order {
                case .ifog: [0, 1, 2, 3]
                case .ifgo: [0, 1, 3, 2]
                case .igfo: [0, 3, 1, 2]
                }
            func weights(_ first: Float, _ row: Float, _ column: Float) -> Tensor {
                Tensor(
                    gates.flatMap { k in
                        (0..<2).flatMap { r in (0..<2).map { q in first * Float(k + 1) + row * Float(r) + column * Float(q) } }
                    }, [8, 2], on: backend)
            }
            let bias = Tensor(gates.flatMap { k in (0..<2).map { 0.1 * Float(k) - 0.1 * Float($0) } }, [8], on: backend)
            let x = Tensor([0.5, -1], [1, 2], on: backend)
            let h = Tensor([0.1, 0.2], [1, 2], on: backend)
            let c = Tensor([-0.3, 0.4], [1, 2], on: backend)
            let a = matmul(x, weights(0.1, 0.05, -0.02), transposed: true, bias: bias)
            let u = weights(0.07, -0.03, 0.01)
            let convention = LSTMConvention(
                order: order, forgetBias: golden.forgetBias, hardSigmoid: golden.hardSigmoid, tanhOnCell: golden.tanhOnCell)

            let (hidden, cell) = lstmStep(a + matmul(h, u, transposed: true), cell: c, convention)
            expectClose(cell.scalars, golden.cell, tolerance: 1e-6, "cell on \(backend.name)")
            expectClose(hidden.scalars, golden.hidden, tolerance: 1e-6, "hidden on \(backend.name)")

            let states = lstmStates(a.expanded(axis: 0), recurrent: u, hidden: h, cell: c, convention)
            expectClose(states.scalars, golden.hidden + golden.cell, tolerance: 1e-6, "sequence on \(backend.name)")
        }
    }
}
