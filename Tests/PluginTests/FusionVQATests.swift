import Foundation
import ModelKit
import NeuralNetworks
import Tensors
import Testing

/// Every stage of small fusion models against PyTorch (Reference/fusion.py): deeper LSTM Q + norm I, its bag of words,
/// iBOWIMG, and the question alone.
@Suite struct Fusion {
    private let reference: AnswererFixture
    private static let backbone = BackboneDescription(input: [1, 1, 6], layers: [NamedLayer(nil, .flatten(.channelsLast))])

    init() throws { reference = try AnswererFixture("fusion.json") }

    private func model(
        _ hyperparameters: JSONNode, answers: Int = 3, for purpose: ParameterStore.Purpose = .inference, on backend: any Backend,
        given: @escaping GivenOrFormula.Values = { _, _ in nil }
    ) throws -> (model: any VisualQuestionAnswerer, store: ParameterStore) {
        try reference.model(
            "FusionVQA", hyperparameters, Self.backbone, answers: answers, for: purpose, on: backend, given: given)
    }

    private func ask(_ model: any VisualQuestionAnswerer) throws -> [Question] {
        try reference.questions.map { try model.reader($0) }
    }

    // MARK: Stages

    @Test(arguments: 0..<5, AnswererFixture.threads) func stages(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads), expected = try reference["models", index]
        let h = try #require(expected["hyperparameters"]), pictures = reference.pictures([1, 1, 6], on: backend)
        func expect(_ stage: String, _ found: Tensor) throws {
            expectClose(found.scalars, try numbers(expected[stage]), tolerance: 1e-4, stage)
        }
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let (model, _) = try model(h, for: purpose, on: backend)
            try expect("logits", model.answer(model.encode(pixels: pictures), ask(model)).logits)
        }
        /// What is classified, by a classifier that is the identity.
        func classified(_ changes: [JSONValue.Member], _ count: Int) throws -> Tensor {
            let (model, _) = try model(
                replacing(h, changes), answers: count, on: backend, given: GivenOrFormula.identityClassifier)
            return model.answer(model.encode(pixels: pictures), try ask(model)).logits
        }
        func width(_ stage: String) throws -> Int { try numbers(expected[stage]?.elements.first).count }
        let nothing = JSONValue.array([])
        try expect(
            "code",
            classified(
                [.init("fusion", .string("question")), .init("question_layers", nothing), .init("answer_layers", nothing)],
                width("code")))
        let q = try width("question"), v = try width("image")
        let both = try classified([.init("fusion", .string("concatenation")), .init("answer_layers", nothing)], q + v)
        try expect("question", both.sliced(axis: -1, 0..<q))
        try expect("image", both.sliced(axis: -1, q..<q + v))
        try expect("fused", classified([], width("fused")))
    }

    @Test(arguments: 0..<5, AnswererFixture.threads) func gradients(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads), expected = try reference["models", index]
        let (model, store) = try model(#require(expected["hyperparameters"]), for: .training, on: backend)
        try reference.expectGradients(of: model, store, pictures: reference.pictures([1, 1, 6], on: backend), expected)
    }

    /// Dropout comes before tanh: what it keeps is tanh of twice the sum of word and bias, never twice a tanh. The LSTM is
    /// made to hand its input on, g = tanh x and i = 1, so that the cell after one word shows it.
    @Test func dropoutThenTanh() throws {
        let width = 64, backend = PortableBackend()
        let h = try JSONDocument(
            """
            {"fusion": "question", "question": {"lstm": {"embedding": \(width), "hidden": \(width), "code": "states",
             "activation": "tanh", "bias": true, "dropout": 0.5, "lstm": {"order": "ifog"}}}}
            """, file: "h"
        ).root
        let (model, store) = try model(h, answers: 2 * width, for: .training, on: backend) { name, shape in
            switch name {
            case "encoder.layer1.input.weight":
                (0..<shape.count).map { $0 / width - 3 * width == $0 % width ? 1 : 0 }
            case "encoder.layer1.bias": (0..<shape.count).map { $0 < width ? 30 : 0 }
            default: GivenOrFormula.identityClassifier(name, shape)
            }
        }
        let question = try model.reader("color"), f = model.encode(pixels: reference.pictures([1, 1, 6], on: backend)[0..<1])
        func parameter(_ name: String) throws -> [Float] { try #require(store.all.first { $0.name == name }).value.scalars }
        let word = try parameter("encoder.word.weight"), bias = try parameter("encoder.word.bias")
        let x = (0..<width).map { word[question.words[0] * width + $0] + bias[$0] }
        func cell() -> [Float] { Array(model.answer(f, [question]).logits.scalars.prefix(width)) }
        expectClose(cell(), x.map { tanh(tanh($0)) })
        store.setMode(.training(RandomSource(seed: 4)))
        let dropped = cell()
        expectClose(dropped, zip(x, dropped).map { $1 == 0 ? 0 : tanh(tanh(2 * $0)) })
        #expect((width / 4...3 * width / 4).contains(dropped.count { $0 == 0 }))
    }

    // MARK: Several questions

    /// Questions of different lengths do not see each other, whether each has a picture of its own or all have one.
    @Test(arguments: 0..<5, [ParameterStore.Purpose.inference, .training])
    func questionsAreIndependent(_ index: Int, _ purpose: ParameterStore.Purpose) throws {
        for threads in AnswererFixture.threads {
            let backend = AnswererFixture.backend(threads)
            let (model, _) = try model(#require(reference["models", index]["hyperparameters"]), for: purpose, on: backend)
            let f = model.encode(pixels: reference.pictures([1, 1, 6], on: backend)), questions = try ask(model)
            let own = model.answer(f, questions).logits, shared = model.answer(f[1..<2], questions).logits
            #expect(own.shape == [4, 3] && shared.shape == [4, 3])
            for (n, question) in questions.enumerated() {
                expectClose(own[n].scalars, model.answer(f[n..<n + 1], [question]).logits.scalars, "question \(n)")
                expectClose(shared[n].scalars, model.answer(f[1..<2], [question]).logits.scalars, "question \(n), one picture")
            }
        }
    }

    // MARK: What a card can have wrong

    @Test(arguments: [
        (#"{"question": {"bag_of_words": {}}}"#, "fusion.json:1:1: the key 'fusion' is missing."),
        (
            #"{"fusion": "sum", "question": {"bag_of_words": {}}}"#,
            "fusion.json:1:12: fusion: 'sum' is not one of 'product', 'concatenation', 'question'."
        ),
        (
            #"{"fusion": "question", "question": {"bag_of_words": {}, "lstm": {}}}"#,
            "fusion.json:1:36: question: expected either 'lstm' or 'bag_of_words'."
        ),
        (
            #"{"fusion": "question", "question": {"bag_of_words": {"size": 2}}}"#,
            "fusion.json:1:54: question.bag_of_words.size: unknown key; "
                + "remove it, or begin it with 'x-' to keep it as a remark."
        ),
        (
            #"{"fusion": "product", "question": {"bag_of_words": {}}}"#,
            "the card's 'hyperparameters.fusion' is a product, but image_layers end in 6 numbers and question_layers in 11"
        ),
    ])
    func hyperparameters(_ json: String, _ expected: String) throws {
        let found = sentence { _ = try model(JSONDocument(json, file: "fusion.json").root, on: PortableBackend()) }
        #expect(found == expected)
    }
}
