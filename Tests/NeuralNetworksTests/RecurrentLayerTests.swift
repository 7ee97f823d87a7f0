import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

/// One step from hidden size 2 and input size 2, worked out by hand for gates whose weights all differ: a wrong order of
/// the gates changes the result, whichever two are exchanged.
///
/// With gate number k, row r, column q: `W[r, q] = 0.1 (k + 1) + 0.05 r - 0.02 q`,
/// `U[r, q] = 0.07 (k + 1) - 0.03 r + 0.01 q`, `b[r] = 0.1 k - 0.1 r`. An LSTM's gates i, f, o, g are numbers 0 to 3, a
/// GRU's r, z, n are numbers 0 to 2.
private struct GoldenStep {
    /// - Parameter gates: the number of the gate in each block.
    static func parameters(_ gates: [Int], recurrentBias: [Float]? = nil) -> GivenParameters {
        func weights(_ first: Float, _ row: Float, _ column: Float) -> [Float] {
            gates.flatMap { k in
                (0..<2).flatMap { r in (0..<2).map { q in first * Float(k + 1) + row * Float(r) + column * Float(q) } }
            }
        }
        var values = [
            "rnn.input.weight": weights(0.1, 0.05, -0.02), "rnn.recurrent.weight": weights(0.07, -0.03, 0.01),
            "rnn.bias": gates.flatMap { k in (0..<2).map { 0.1 * Float(k) - 0.1 * Float($0) } },
        ]
        values["rnn.recurrent.bias"] = recurrentBias
        return GivenParameters(values: values)
    }
    static func x(_ backend: any Backend) -> Tensor { Tensor([0.5, -1], [1, 2], on: backend) }
    static func h(_ backend: any Backend) -> Tensor { Tensor([0.1, 0.2], [1, 2], on: backend) }
    static func c(_ backend: any Backend) -> Tensor { Tensor([-0.3, 0.4], [1, 2], on: backend) }
}

@Suite struct LSTMTests {
    let backend = OpenBLAS(threads: 1)

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

    private func convention(_ golden: Golden, _ order: GateOrder) -> LSTMConvention {
        LSTMConvention(
            order: order, forgetBias: golden.forgetBias, hardSigmoid: golden.hardSigmoid, tanhOnCell: golden.tanhOnCell)
    }

    @Test(arguments: golden, GateOrder.allCases)
    func goldenStep(golden: Golden, order: GateOrder) throws {
        // Spelled out, so that the table under test is not used.
        let gates: [Int] =
            switch order {
            case .ifog: [0, 1, 2, 3]
            case .ifgo: [0, 1, 3, 2]
            case .igfo: [0, 3, 1, 2]
            }
        let store = ParameterStore(GoldenStep.parameters(gates), on: backend)
        let lstm = try LSTM(2, 2, convention(golden, order), in: store.root["rnn"])
        let state = lstm(GoldenStep.x(backend), .init(hidden: GoldenStep.h(backend), cell: GoldenStep.c(backend)))
        expectClose(state.cell.scalars, golden.cell, tolerance: 1e-6, "cell")
        expectClose(state.hidden.scalars, golden.hidden, tolerance: 1e-6, "hidden")
    }

    @Test(arguments: golden, GateOrder.allCases)
    func sequenceIsRepeatedSteps(golden: Golden, order: GateOrder) throws {
        let lstm = try LSTM(5, 7, convention(golden, order), in: ParameterStore(FormulaParameters(), on: backend).root["rnn"])
        let x = FormulaParameters.uniform("x", [4, 3, 5], on: backend)
        let start = LSTM.State(
            hidden: FormulaParameters.uniform("h", [3, 7], on: backend),
            cell: FormulaParameters.uniform("c", [3, 7], on: backend))
        let all = lstm.sequence(x, from: start)
        #expect(all.shape == [4, 3, 7])
        var state = start
        for t in 0..<4 {
            state = lstm(x[t], state)
            expectClose(all[t], state.hidden, tolerance: 1e-6, "step \(t)")
        }
    }

    @Test func sameAsPyTorch() throws {
        let store = ParameterStore(FormulaParameters(), on: backend)
        let lstm = try LSTM(5, 4, LSTMConvention(order: .ifgo), in: store.root["lstm"])
        let hidden = lstm.sequence(FormulaParameters.uniform("sequence", [6, 2, 5], on: backend), from: lstm.zeroState(rows: 2))
        expectClose(hidden.scalars, LayerValues.lstm, tolerance: 1e-5)
        #expect(store.all.map(\.name) == ["lstm.bias", "lstm.input.weight", "lstm.recurrent.weight"])
        #expect(store.all.map(\.value.shape) == [[16], [16, 5], [16, 4]])
    }

    @Test func gatheredStates() throws {
        let state = LSTM.State(
            hidden: Tensor([1, 2, 3, 4, 5, 6], [3, 2], on: backend), cell: Tensor([10, 20, 30, 40, 50, 60], [3, 2], on: backend))
        let beams = state.gathered([2, 0, 0, 1])
        #expect(beams.hidden.scalars == [5, 6, 1, 2, 1, 2, 3, 4])
        #expect(beams.cell.scalars == [50, 60, 10, 20, 10, 20, 30, 40])
    }

    /// Steps and the sequence also have the same derivatives.
    @Test func sequenceHasTheGradientsOfSteps() throws {
        func gradients(_ run: (LSTM, Tensor) -> Tensor) throws -> [Tensor] {
            let store = ParameterStore(FormulaParameters(), for: .training, on: backend)
            let lstm = try LSTM(3, 4, LSTMConvention(order: .ifgo, forgetBias: 1), in: store.root["rnn"])
            store.startTraining()
            let gradients = run(lstm, FormulaParameters.uniform("x", [3, 2, 3], on: backend)).squared.sum.gradients()
            return store.all.map { gradients[$0.value]! }
        }
        let bySteps = try gradients { lstm, x in
            var state = lstm.zeroState(rows: 2)
            var hidden: [Tensor] = []
            for t in 0..<3 {
                state = lstm(x[t], state)
                hidden.append(state.hidden)
            }
            return Tensor.concatenated(hidden, axis: 0)
        }
        let bySequence = try gradients { lstm, x in lstm.sequence(x, from: lstm.zeroState(rows: 2)) }
        for (a, b) in zip(bySteps, bySequence) { expectClose(b, a) }
    }

    @Test func spec() throws {
        let full = try LSTMSpec(json: #"{"order": "igfo", "forget_bias": 1, "hard_sigmoid": true, "tanh_on_cell": false}"#)
        #expect(full.convention == LSTMConvention(order: .igfo, forgetBias: 1, hardSigmoid: true, tanhOnCell: false))
        #expect(try LSTMSpec(json: #"{"order": "ifog"}"#).convention == LSTMConvention(order: .ifog))
        #expect(throws: DecodingError.self) { try LSTMSpec(json: #"{"order": "ijfo"}"#) }
        #expect(throws: DecodingError.self) { try LSTMSpec(json: "{}") }
    }
}

@Suite struct GRUTests {
    let backend = OpenBLAS(threads: 1)

    /// The gates of each block, spelled out.
    private func gates(_ order: GRUConvention.Order) -> [Int] {
        switch order {
        case .rzn: [0, 1, 2]
        case .zrn: [1, 0, 2]
        }
    }

    private func step(_ convention: GRUConvention, recurrentBias: [Float]? = nil) throws -> [Float] {
        let parameters = GoldenStep.parameters(gates(convention.order), recurrentBias: recurrentBias)
        let gru = try GRU(2, 2, convention, in: ParameterStore(parameters, on: backend).root["rnn"])
        return gru(GoldenStep.x(backend), GoldenStep.h(backend)).scalars
    }

    @Test(arguments: GRUConvention.Order.allCases)
    func goldenStep(order: GRUConvention.Order) throws {
        expectClose(
            try step(.init(order: order, resetsAfterProduct: false)), [0.100277644, 0.081824722], tolerance: 1e-6, "reset before")
        expectClose(
            try step(.init(order: order, resetsAfterProduct: true)), [0.100982519, 0.081513472], tolerance: 1e-6, "reset after")
        expectClose(
            try step(
                .init(order: order, resetsAfterProduct: true, recurrentBias: true), recurrentBias: [0, 0, 0, 0, 0.05, -0.05]),
            [0.112882074, 0.069507056], tolerance: 1e-6, "reset after, with a bias")
    }

    /// Where the reset gate comes before the product, two biases are one.
    @Test func recurrentBiasBeforeTheProduct() throws {
        let convention = GRUConvention(order: .zrn, resetsAfterProduct: false)
        let extra: [Float] = [0.3, -0.2, 0.1, 0.2, -0.1, 0.4]
        var shifted = GoldenStep.parameters(gates(.zrn))
        shifted.values["rnn.bias"] = zip(shifted.values["rnn.bias"]!, extra).map { $0 + $1 }
        let gru = try GRU(2, 2, convention, in: ParameterStore(shifted, on: backend).root["rnn"])
        var twice = convention
        twice.recurrentBias = true
        expectClose(
            try step(twice, recurrentBias: extra), gru(GoldenStep.x(backend), GoldenStep.h(backend)).scalars, tolerance: 1e-6)
    }

    @Test func sameAsPyTorch() throws {
        let store = ParameterStore(FormulaParameters(), on: backend)
        let convention = GRUConvention(order: .rzn, resetsAfterProduct: true, recurrentBias: true)
        let gru = try GRU(5, 4, convention, in: store.root["gru"])
        let x = FormulaParameters.uniform("sequence", [6, 2, 5], on: backend)
        var h = gru.zeroState(rows: 2)
        var hidden: [Float] = []
        for t in 0..<6 {
            h = gru(x[t], h)
            hidden += h.scalars
        }
        expectClose(hidden, LayerValues.gru, tolerance: 1e-5)
        #expect(store.all.map(\.name) == ["gru.bias", "gru.input.weight", "gru.recurrent.bias", "gru.recurrent.weight"])
    }

    @Test(arguments: [0, 1, 2], [ParameterStore.Purpose.inference, .training])
    func sequenceIsTheSameAsPyTorch(threads: Int, purpose: ParameterStore.Purpose) throws {
        let backend: any Backend = threads == 0 ? PortableBackend() : OpenBLAS(threads: threads)
        let store = ParameterStore(FormulaParameters(), for: purpose, on: backend)
        let convention = GRUConvention(order: .rzn, resetsAfterProduct: true, recurrentBias: true)
        let gru = try GRU(5, 4, convention, in: store.root["gru"])
        let all = gru.sequence(FormulaParameters.uniform("sequence", [6, 2, 5], on: backend), from: gru.zeroState(rows: 2))
        #expect(all.shape == [6, 2, 4])
        expectClose(all.scalars, LayerValues.gru, tolerance: 1e-5)
    }

    /// Whatever the convention.
    @Test(arguments: GRUConvention.Order.allCases, [true, false])
    func sequenceIsRepeatedSteps(order: GRUConvention.Order, resetsAfterProduct: Bool) throws {
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let store = ParameterStore(FormulaParameters(), for: purpose, on: backend)
            let gru = try GRU(5, 7, GRUConvention(order: order, resetsAfterProduct: resetsAfterProduct), in: store.root["rnn"])
            let x = FormulaParameters.uniform("x", [4, 3, 5], on: backend)
            var h = FormulaParameters.uniform("h", [3, 7], on: backend)
            let all = gru.sequence(x, from: h)
            for t in 0..<4 {
                h = gru(x[t], h)
                expectClose(all[t], h, tolerance: 1e-6, "step \(t)")
            }
        }
    }

    @Test func spec() throws {
        let full = try GRUSpec(json: #"{"order": "zrn", "resets_after_product": false, "recurrent_bias": true}"#)
        #expect(full.convention == GRUConvention(order: .zrn, resetsAfterProduct: false, recurrentBias: true))
        let plain = try GRUSpec(json: #"{"order": "rzn", "resets_after_product": true}"#)
        #expect(plain.convention == GRUConvention(order: .rzn, resetsAfterProduct: true))
        #expect(throws: DecodingError.self) { try GRUSpec(json: #"{"order": "nzr", "resets_after_product": true}"#) }
        #expect(throws: DecodingError.self) { try GRUSpec(json: #"{"order": "rzn"}"#) }
    }
}

@Suite struct GRUEncoderTests {
    private static let convention = #""gru": {"order": "rzn", "resets_after_product": true}"#

    /// A sentence's code is the last state of the GRU on that sentence alone, whatever stands beside it.
    @Test(arguments: [ParameterStore.Purpose.inference, .training])
    func sentencesOfDifferentLengths(purpose: ParameterStore.Purpose) throws {
        let backend = OpenBLAS(threads: 1), store = ParameterStore(FormulaParameters(), for: purpose, on: backend)
        let spec = try GRUEncoder.Spec(json: "{\"embedding\": 3, \"hidden\": 4, \(Self.convention)}")
        let encode = try GRUEncoder(spec, words: 6, in: store.root)
        #expect(store.all.map(\.name) == ["gru.bias", "gru.input.weight", "gru.recurrent.weight", "word.weight"])
        let sentences = [[1, 5, 0], [2], [4, 4, 3, 1, 0, 5], [0, 2]], codes = encode(sentences)
        #expect(codes.shape == [4, 4])
        let word = try Embedding(6, 3, in: store.root["word"]), gru = try GRU(3, 4, spec.gru.convention, in: store.root["gru"])
        for (row, sentence) in sentences.enumerated() {
            expectClose(codes[row..<row + 1], encode([sentence]), tolerance: 1e-6, "beside others")
            var h = gru.zeroState(rows: 1)
            for id in sentence { h = gru(word([id]), h) }
            expectClose(codes[row..<row + 1], h, tolerance: 1e-6, "word by word")
        }
    }

    @Test func wordsThatDoNotLearn() throws {
        let backend = OpenBLAS(threads: 1), store = ParameterStore(FormulaParameters(), for: .training, on: backend)
        let spec = try GRUEncoder.Spec(json: "{\"embedding\": 3, \"hidden\": 4, \"trains_words\": false, \(Self.convention)}")
        let encode = try GRUEncoder(spec, words: 6, in: store.root)
        store.startTraining()
        let gradients = encode([[1, 2], [3]]).sum.gradients()
        let learning = store.all.filter { gradients[$0.value] != nil }.map(\.name)
        #expect(learning == ["gru.bias", "gru.input.weight", "gru.recurrent.weight"])
    }

    @Test func spec() throws {
        let plain = try GRUEncoder.Spec(json: "{\"embedding\": 3, \"hidden\": 4, \(Self.convention)}")
        #expect(plain.trainsWords && plain.dropout == 0)
        #expect(throws: DecodingError.self) { try GRUEncoder.Spec(json: "{\"embedding\": 0, \"hidden\": 4, \(Self.convention)}") }
        #expect(throws: DecodingError.self) { try GRUEncoder.Spec(json: #"{"embedding": 3, "hidden": 4}"#) }
        #expect(throws: DecodingError.self) {
            try GRUEncoder.Spec(json: "{\"embedding\": 3, \"hidden\": 4, \"dropout\": 1, \(Self.convention)}")
        }
    }
}
