import ModelKit
import NeuralNetworks
import Tensors
import Testing

/// Every stage of small stacked attention networks against PyTorch (Reference/san.py).
///
/// Stages that a model does not tell are seen through a classifier that is the identity, and through parameters that take
/// away what is added to them.
@Suite struct StackedAttention {
    private let reference: AnswererFixture
    private static let backbone = BackboneDescription(input: [2, 3, 4], layers: [NamedLayer(nil, .dropout(rate: 0))])
    /// The width of questions and regions.
    private static let width = 5
    private static let zeros = GivenOrFormula.zeros

    init() throws { reference = try AnswererFixture("san.json") }

    private func model(
        _ hyperparameters: JSONNode, answers: Int = 3, for purpose: ParameterStore.Purpose = .inference, on backend: any Backend,
        given: @escaping GivenOrFormula.Values = { _, _ in nil }
    ) throws -> (model: any VisualQuestionAnswerer, store: ParameterStore) {
        try reference.model(
            "StackedAttentionVQA", hyperparameters, Self.backbone, answers: answers, for: purpose, on: backend, given: given)
    }

    private func ask(_ model: any VisualQuestionAnswerer) throws -> [Question] {
        try reference.questions.map { try model.reader($0) }
    }

    // MARK: Stages

    /// Both encoders in all their conventions.
    @Test(arguments: 0..<5, AnswererFixture.threads) func questionCodes(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads)
        let h = try replacing(#require(reference["models", 8 * index]["hyperparameters"]), [.init("hops", .integer(1))])
        // Regions that are zero add nothing.
        let (model, _) = try model(h, answers: Self.width, on: backend) { name, shape in
            name.hasPrefix("image.") ? Self.zeros(shape) : GivenOrFormula.identityClassifier(name, shape)
        }
        let codes = model.answer(model.encode(pixels: reference.pictures([2, 3, 4], on: backend)), try ask(model)).logits
        expectClose(codes.scalars, try numbers(reference["codes", index]), tolerance: 1e-4)
    }

    /// One region at a time: then all attention is on it. A question that is zero adds nothing.
    @Test(arguments: [0, 24], AnswererFixture.threads) func regions(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads)
        let h = try replacing(#require(reference["models", index]["hyperparameters"]), [.init("hops", .integer(1))])
        let (model, _) = try model(h, answers: Self.width, on: backend) { name, shape in
            name.hasPrefix("question.") ? Self.zeros(shape) : GivenOrFormula.identityClassifier(name, shape)
        }
        let f = model.encode(pixels: reference.pictures([2, 3, 4], on: backend)), questions = try ask(model)
        #expect(f.shape == [4, 6, 4])
        for picture in 0..<4 {
            let seen = (0..<6).flatMap { region in
                model.answer(f[picture..<picture + 1].sliced(axis: 1, region..<region + 1), [questions[0]]).logits.scalars
            }
            expectClose(seen, try numbers(reference["regions", picture]), tolerance: 1e-4, "picture \(picture)")
        }
    }

    /// Where every look goes, what it brings and what the question has become; then the answer.
    @Test(arguments: 0..<40, AnswererFixture.threads) func looks(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads), expected = try reference["models", index]
        let h = try #require(expected["hyperparameters"]), looks = try #require(expected["looks"]).elements
        let pictures = reference.pictures([2, 3, 4], on: backend)
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let (model, _) = try model(h, for: purpose, on: backend)
            let scores = model.answer(model.encode(pixels: pictures), try ask(model))
            #expect(scores.grid == (2, 3) && scores.attention.count == looks.count)
            for (weights, look) in zip(scores.attention, looks) {
                expectClose(weights.scalars, try numbers(look["weights"]), tolerance: 1e-4, "p, \(purpose)")
            }
            expectClose(scores.logits.scalars, try numbers(expected["logits"]), tolerance: 1e-4, "logits, \(purpose)")
        }
        let code = try numbers(reference["codes", #require(expected["encoder"].flatMap { Int($0.source) })])
        let addsToCode = h["final_image_only"]?.source == "true"
        var before = code
        for (k, look) in looks.enumerated() {
            let isLast = k == looks.count - 1
            let shortened = try replacing(
                h, [.init("hops", .integer(k + 1)), .init("final_image_only", .bool(addsToCode && isLast))])
            let (model, _) = try model(shortened, answers: Self.width, on: backend, given: GivenOrFormula.identityClassifier)
            let u = model.answer(model.encode(pixels: pictures), try ask(model)).logits.scalars
            expectClose(u, try numbers(look["u"]), tolerance: 1e-4, "u, look \(k + 1)")
            let context = zip(u, addsToCode && isLast ? code : before).map(-)
            expectClose(context, try numbers(look["context"]), tolerance: 1e-4, "context, look \(k + 1)")
            before = u
        }
    }

    @Test(arguments: 0..<40, AnswererFixture.threads) func gradients(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads), expected = try reference["models", index]
        let (model, store) = try model(#require(expected["hyperparameters"]), for: .training, on: backend)
        try reference.expectGradients(of: model, store, pictures: reference.pictures([2, 3, 4], on: backend), expected)
    }

    // MARK: Several questions

    /// Questions of different lengths do not see each other, whether each has a picture of its own or all have one.
    @Test(arguments: [0, 6, 11, 18, 27, 33, 39], [ParameterStore.Purpose.inference, .training])
    func questionsAreIndependent(_ index: Int, _ purpose: ParameterStore.Purpose) throws {
        for threads in AnswererFixture.threads {
            let backend = AnswererFixture.backend(threads)
            let (model, _) = try model(#require(reference["models", index]["hyperparameters"]), for: purpose, on: backend)
            let f = model.encode(pixels: reference.pictures([2, 3, 4], on: backend)), questions = try ask(model)
            func compare(_ all: AnswerScores, _ f: (Int) -> Tensor) {
                for (n, question) in questions.enumerated() {
                    let alone = model.answer(f(n), [question])
                    expectClose(all.logits[n].scalars, alone.logits[0].scalars, "question \(n)")
                    for (together, weights) in zip(all.attention, alone.attention) {
                        expectClose(together[n].scalars, weights[0].scalars, "attention of question \(n)")
                    }
                }
            }
            compare(model.answer(f, questions)) { f[$0..<$0 + 1] }
            compare(model.answer(f[1..<2], questions)) { _ in f[1..<2] }
        }
    }

    // MARK: What a card can have wrong

    @Test(arguments: [
        (#"{}"#, "san.json:1:1: the key 'question' is missing."),
        (#"{"question": {}}"#, "san.json:1:14: question: expected either 'lstm' or 'convolution'."),
        (
            #"{"question": {"lstm": {"embedding": 3, "hidden": 5}}}"#,
            "san.json:1:23: question.lstm: the key 'lstm' is missing."
        ),
        (
            #"{"question": {"convolution": {"embedding": 3, "unigrams": 1, "bigrams": 0, "trigrams": 2}}}"#,
            "san.json:1:73: question.convolution.bigrams: expected a whole number from 1 to 1048576, found 0."
        ),
        (
            #"{"question": {"lstm": {"embedding": 3, "hidden": 5, "lstm": {"order": "ifog"}}}, "hopz": 2}"#,
            "san.json:1:82: hopz: unknown key; did you mean 'hops'?"
        ),
        (
            #"{"question": {"lstm": {"embedding": 3, "hidden": 5, "lstm": {"order": "ifog"}}}, "hops": 17}"#,
            "san.json:1:90: hops: expected a whole number from 1 to 16, found 17."
        ),
        (
            #"{"question": {"lstm": {"embedding": 3, "hidden": 5, "lstm": {"order": "ifog"}}}, "equations": "code"}"#,
            "san.json:1:95: equations: 'code' is not one of 'paper', 'released'."
        ),
    ])
    func hyperparameters(_ json: String, _ expected: String) throws {
        let found = sentence { _ = try model(JSONDocument(json, file: "san.json").root, on: PortableBackend()) }
        #expect(found == expected)
    }

    @Test func backboneWithoutRegions() throws {
        let flat = BackboneDescription(input: [2, 3, 4], layers: [NamedLayer(nil, .globalAveragePool)])
        let h = try #require(reference["models", 0]["hyperparameters"])
        let found = sentence { _ = try reference.model("StackedAttentionVQA", h, flat, on: PortableBackend()) }
        #expect(found == "the card's 'backbone' ends in [4], not in a feature map [rows, columns, channels]")
    }
}
