import Checkpoints
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Runtime
import Synchronization
import Tensors
import Testing

/// What is expected of any architecture. A new one is tested by its folder and its sample being there.
@Suite struct EveryPlugin {
    @Test(arguments: Sample.all) func freshParameters(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        func check<M: Model>(_ type: M.Type) throws {
            let source = CountingParameters(), backend = PortableBackend()
            let store = ParameterStore(source, for: .training, on: backend)
            let assets = try catalogue.zoo(on: backend).assets(of: catalogue.card)
            _ = try M(catalogue.card.hyperparameters(as: M.Hyperparameters.self), assets: assets, parameters: store.root)
            let parameters = store.all
            #expect(!parameters.isEmpty)
            #expect(source.names.sorted() == parameters.map(\.name).sorted(), "a parameter was made twice, or without its scope")
            for parameter in parameters {
                #expect(parameter.name.wholeMatch(of: /[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*/) != nil, "\(parameter.name) is no path")
                #expect(
                    parameter.value.scalars.allSatisfy { $0.isFinite }, "\(parameter.name) begins with values that are not finite"
                )
            }
            // Counted by hand in the card: two layers of one name would share their weights unnoticed.
            let count = parameters.filter { !$0.isStatistic }.reduce(0) { $0 + $1.value.shape.count }
            #expect(count == catalogue.card.parametersCount)
        }
        try check(catalogue.plugin().model)
    }

    @Test(arguments: Sample.all) func saysSomething(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        func check<M: Model>(_ type: M.Type) throws {
            let answers = try (1...8).map { try catalogue.answer(type, seed: $0, picture: 0, on: OpenBLAS(threads: 1)) }
            #expect(answers.contains { !$0.text.isEmpty }, "none of eight models with fresh parameters says anything")
        }
        try check(catalogue.plugin().model)
    }

    @Test(arguments: Sample.all) func sameOnEveryBackend(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        func check<M: Model>(_ type: M.Type) throws {
            for n in 0..<3 {
                let seed = UInt64(n + 1), portable = try catalogue.answer(type, seed: seed, picture: n, on: PortableBackend())
                for threads in [1, 2] {
                    let other = try catalogue.answer(type, seed: seed, picture: n, on: OpenBLAS(threads: threads))
                    #expect(try difference(portable.json, other.json) == nil, "OpenBLAS with \(threads) threads, picture \(n)")
                    // To the bit.
                    #expect(try catalogue.answer(type, seed: seed, picture: n, on: OpenBLAS(threads: threads)).json == other.json)
                }
            }
        }
        try check(catalogue.plugin().model)
    }

    @Test(arguments: Sample.all) func refusesAnEmptyRequest(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        func check<M: Model>(_ type: M.Type) throws {
            let (_, _, assets) = try catalogue.make(type, on: PortableBackend())
            #expect(throws: InputError.self) { _ = try M.Input(Request(name: "nothing"), assets: assets) }
            #expect(!M.Input.parts.isEmpty)
        }
        try check(catalogue.plugin().model)
    }

    @Test(arguments: Sample.all) func weightsInAndOut(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample), backend = OpenBLAS(threads: 1)
        func check<M: Model>(_ type: M.Type) throws {
            let (_, store, _) = try catalogue.make(type, seed: 5, on: backend)
            try Checkpoint(store.all.map { CheckpointTensor(name: $0.name, $0.value) }).write(to: catalogue.weights)
            let loaded = try catalogue.zoo(on: backend).load(catalogue.card.name)
            #expect(loaded.parts == M.Input.parts)
            let session = try loaded.session()
            for n in 0..<2 {
                let prediction = try session(catalogue.request(n, for: type))
                #expect(try json(prediction) == catalogue.answer(type, seed: 5, picture: n, on: backend).json)
            }
            let wrong = sentence { _ = try loaded.session(options: [.init("no_such_option", .integer(1))]) }
            #expect(wrong?.hasPrefix("<options>:1:") == true && wrong?.contains("no_such_option: unknown key") == true)
        }
        try check(catalogue.plugin().model)
    }

    // MARK: Learning

    @Test(arguments: Sample.all) func gradients(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        /// Of the loss of four examples, the backbone included.
        func gradients<M: TrainableModel>(_ type: M.Type, on backend: any Backend) throws -> (loss: Float, [String: [Float]]) {
            let (model, store, assets) = try catalogue.make(type, seed: 3, for: .training, on: backend)
            store.setMode(.training(RandomSource(seed: 5)))
            store.track { _ in true }
            let (pictures, examples) = try catalogue.lessons(model, assets)
            let (loss, predictions) = model.loss(model.condensed(model.encode(pictures)), examples)
            #expect(loss.shape == [])
            #expect(predictions > 0)
            let gradients = loss.gradients()
            var result: [String: [Float]] = [:]
            for parameter in store.all where !parameter.isStatistic {
                result[parameter.name] = try #require(gradients[parameter.value], "\(parameter.name) learns nothing").scalars
            }
            return (loss.scalar, result)
        }
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (loss, portable) = try gradients(type, on: PortableBackend())
            #expect(loss.isFinite && loss > 0)
            for (name, gradient) in portable {
                #expect(gradient.allSatisfy { $0.isFinite }, "the gradient of \(name) is not finite")
                #expect(gradient.contains { $0 != 0 }, "the gradient of \(name) is zero")
            }
            for threads in [1, 2] {
                let (otherLoss, other) = try gradients(type, on: OpenBLAS(threads: threads))
                #expect(abs(otherLoss - loss) < 1e-4 * loss)
                for (name, gradient) in portable {
                    let largest = gradient.map(abs).max() ?? 0, found = try #require(other[name])
                    let difference = zip(gradient, found).map { abs($0 - $1) }.max() ?? 0
                    #expect(difference <= 1e-3 * largest + 1e-6, "\(name) with \(threads) threads")
                }
            }
        }
        if let type = try catalogue.plugin().model as? any TrainableModel.Type { try check(type) }
    }

    @Test(arguments: Sample.all) func learnsFourExamples(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, store, assets) = try catalogue.make(type, seed: 3, for: .training, on: OpenBLAS(threads: 1))
            let (pictures, examples) = try catalogue.lessons(model, assets), encodings = model.condensed(model.encode(pictures))
            store.track { !$0.name.hasPrefix("cnn.") }
            var optimizer = Adam(learningRate: 0.02), losses: [Float] = []
            for _ in 0...30 {
                let loss = model.loss(encodings, examples).value, gradients = loss.gradients()
                losses.append(loss.scalar)
                optimizer.step(
                    store.all.compactMap { parameter in gradients[parameter.value].map { (parameter: parameter, gradient: $0) } })
            }
            #expect(losses[30] < 0.8 * losses[0], "\(losses)")
        }
        if let type = try catalogue.plugin().model as? any TrainableModel.Type { try check(type) }
    }

    @Test(arguments: Sample.all) func encodingAndTheRestAreForward(_ sample: Sample) throws {
        let catalogue = try SampleCatalogue(sample)
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, _, assets) = try catalogue.make(type, on: OpenBLAS(threads: 1))
            let request = catalogue.request(1, for: type), input = try M.Input(request, assets: assets)
            let observation = try M.Observation(request, assets: assets)
            let decoding = try catalogue.card.decoding(as: M.Decoding.self)
            let whole = model.decode(try model.forward(input), decoding),
                encoding = model.condensed(model.encode([observation])),
                parts = model.decode(model.activations(encoding, questions: request.questions), decoding)
            #expect(try json(whole) == json(parts))
        }
        if let type = try catalogue.plugin().model as? any TrainableModel.Type { try check(type) }
    }
}

/// Fresh parameters that remember what they were asked for.
private final class CountingParameters: ParameterSource {
    private let fresh = FreshParameters(seed: 1)
    private let asked = Mutex<[String]>([])
    var names: [String] { asked.withLock { $0 } }

    func contains(_ name: String) -> Bool { fresh.contains(name) }
    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        asked.withLock { $0.append(name) }
        return try fresh.tensor(named: name, shape: shape, initializer: initializer, on: backend)
    }
}
