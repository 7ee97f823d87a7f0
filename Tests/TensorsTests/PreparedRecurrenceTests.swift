import Tensors
import Testing

@Suite("Prepared recurrences compute what the portable kernels compute")
struct PreparedRecurrenceTests {
    /// Units that fill no register, one, panels and a bit.
    static let sizes = [1, 7, 16, 40, 72]
    static let rows = [1, 2, 3, 5, 20]

    @Test(arguments: sizes, BackendBuild.runnable)
    func lstm(_ hidden: Int, build: BackendBuild) throws {
        for order in GateOrder.allCases {
            for (forgetBias, hardSigmoid, tanhOnCell) in [(Float(0), false, true), (1, false, false), (0.5, true, true)] {
                let convention = LSTMConvention(
                    order: order, forgetBias: forgetBias, hardSigmoid: hardSigmoid, tanhOnCell: tanhOnCell)
                func step(_ backend: any Backend, _ rows: Int) throws -> (hidden: Tensor, cell: Tensor) {
                    var inputs = Inputs(on: backend, seed: UInt64(rows))
                    let a = inputs.tensor([rows, 4 * hidden], in: -3...3), h = inputs.tensor([rows, hidden])
                    return try backend.prepareLSTM(recurrent: PackableWeights(inputs.tensor([4 * hidden, hidden])), convention)(
                        a, hidden: h, cell: inputs.tensor([rows, hidden], in: -2...2))
                }
                for rows in Self.rows {
                    let expected = try step(PortableBackend(), rows),
                        actual = try step(build.backend(threads: rows % 3 + 1), rows)
                    expectClose(actual.hidden, expected.hidden, tolerance: 1e-5, "hidden, \(convention), \(rows) rows")
                    expectClose(actual.cell, expected.cell, tolerance: 1e-5, "cell, \(convention), \(rows) rows")
                }
            }
        }
    }

    @Test(arguments: sizes, BackendBuild.runnable)
    func gru(_ hidden: Int, build: BackendBuild) throws {
        for order in GRUConvention.Order.allCases {
            for (resetsAfterProduct, hasBias) in [(true, true), (true, false), (false, true), (false, false)] {
                let convention = GRUConvention(order: order, resetsAfterProduct: resetsAfterProduct, recurrentBias: hasBias)
                func step(_ backend: any Backend, _ rows: Int) throws -> Tensor {
                    var inputs = Inputs(on: backend, seed: UInt64(rows))
                    let a = inputs.tensor([rows, 3 * hidden], in: -3...3), h = inputs.tensor([rows, hidden])
                    let u = inputs.tensor([3 * hidden, hidden])
                    let bias = hasBias ? inputs.tensor([3 * hidden]) : nil
                    return try backend.prepareGRU(recurrent: PackableWeights(u, bias: bias), convention)(a, hidden: h)
                }
                for rows in Self.rows {
                    expectClose(
                        try step(build.backend(threads: rows % 3 + 1), rows), try step(PortableBackend(), rows), tolerance: 1e-5,
                        "\(convention), \(rows) rows")
                }
            }
        }
    }
}
