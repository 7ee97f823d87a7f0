import Foundation
import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

@Suite struct TokenPredictorTests {
    let backend = OpenBLAS(threads: 2)

    @Test(arguments: [ParameterStore.Purpose.inference, .training], WeightStorage.allCases)
    func distributions(_ purpose: ParameterStore.Purpose, _ storage: WeightStorage) throws {
        let store = ParameterStore(FormulaParameters(), for: purpose, on: backend, storage: storage)
        let predict = try TokenPredictor(6, 50, in: store.root["logits"])
        #expect(predict.tokens == 50)
        let h = FormulaParameters.uniform("h", [3, 6], on: backend), next = predict.next(after: h)
        let expected = log(softmax(predict(h)))
        for (row, found) in next.logProbabilities().enumerated() {
            for (a, b) in zip(found, expected[row].scalars) { #expect(abs(a - b) < (storage == .float32 ? 1e-5 : 0.01)) }
        }
        for (row, found) in next.mostProbable(4).enumerated() {
            let all = expected[row].scalars
            #expect(found.map(\.index) == all.largest(4))
            for candidate in found { #expect(abs(candidate.logProbability - all[candidate.index]) < 2e-3) }
        }
    }

    /// What a decoder begins with and its states are those of float32, or its words would not be.
    @Test func onlyRankedAndLargeMatricesAreRounded() throws {
        func results(_ storage: WeightStorage) throws -> [[Float]] {
            let scope = ParameterStore(FormulaParameters(), on: backend, storage: storage).root
            let x = FormulaParameters.uniform("x", [2, 6], on: backend)
            let lstm = try LSTM(6, 5, LSTMConvention(order: .ifgo), in: scope["lstm"])
            return [try Linear(6, 9, in: scope["image"])(x).scalars, lstm(x, lstm.zeroState(rows: 2)).hidden.scalars]
        }
        #expect(try results(.float16) == results(.float32))
    }

    @Test(arguments: [ParameterStore.Purpose.inference, .training])
    func embeddedInputs(_ purpose: ParameterStore.Purpose) throws {
        let store = ParameterStore(FormulaParameters(), for: purpose, on: backend)
        let words = try Embedding(30, 5, in: store.root["word"])
        let lstm = try LSTM(5, 4, LSTMConvention(order: .ifgo), in: store.root["lstm"])
        // Room for three words.
        let recall = EmbeddedInputs(words, lstm, in: store.root, memory: 3 * 16 * 4)
        for ids in [[3], [3, 3, 7], [7, 1, 29, 2, 3], [29, 2, 7, 7], [0]] {
            expectClose(recall(ids), lstm.inputs(words(ids)), tolerance: 1e-6, "\(ids)")
        }
        // What has changed is not remembered while it is being trained.
        if purpose == .training {
            store.all.first { $0.name == "word.weight" }!.value = .zeros([30, 5], on: backend)
            expectClose(recall([3]), lstm.inputs(words([3])), tolerance: 1e-6)
        }
    }
}
