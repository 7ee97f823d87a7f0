import Foundation
import Language
import Media
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

/// Loss, gradients and sentences of small captioners against PyTorch (Reference/captioner.py).
@Suite struct Captioners {
    /// Reference/captioner.json
    private static func reference() throws -> JSONNode {
        try JSONDocument(contentsOf: Project.tests.appending(path: "Reference/captioner.json").path).root
    }

    private static let vocabulary: Vocabulary = {
        let words = ["a", "dog", "cat", "runs", "sleeps", "on", "grass", "sofa"]
        return try! Vocabulary(words: words, convention: vocabularyConvention)
    }()
    private static let vocabularyConvention = VocabularyConvention(start: "<S>", end: "</S>", unknown: "<UNK>")
    private static let captions = ["a dog runs on grass", "cat", "a cat sleeps well on a sofa"]

    private static func features(_ n: Int, on backend: any Backend) -> Tensor {
        Tensor((0..<5).map { Float(sin(0.9 * Double(n) + 0.4 * Double($0))) }, [1, 5], on: backend)
    }

    /// The model with the parameters of the script; its backbone passes features through.
    private static func make<M: Model>(
        _ type: M.Type, _ hyperparameters: JSONNode, on backend: any Backend
    ) throws -> (M, ParameterStore) {
        let assets = Assets(
            backend: backend, backbone: BackboneDescription(input: [1, 1, 5], layers: [NamedLayer(nil, .flatten(.channelsLast))]),
            vocabulary: vocabulary, tokenizer: .whitespace)
        let store = ParameterStore(FreshParameters(seed: 1), for: .training, on: backend)
        let model = try M(
            StrictJSONDecoder().decode(M.Hyperparameters.self, from: hyperparameters), assets: assets, parameters: store.root)
        for (k, parameter) in store.all.enumerated() {
            let scalars = (0..<parameter.value.shape.count).map { i in
                let value = 0.6 * sin(1.3 * Double(k) + 0.7 * Double(i) + 0.05 * Double(i * k))
                return Float(parameter.name.hasSuffix(".variance") ? 0.1 + value * value : value)
            }
            parameter.value = Tensor(scalars, parameter.value.shape, on: backend)
        }
        return (model, store)
    }

    private static func captioner() throws -> any TrainableModel.Type {
        try #require(SampleCatalogue("captioner-first").plugin().model as? any TrainableModel.Type)
    }

    @Test(arguments: 0..<5, [0, 1]) func teacherForcing(_ index: Int, _ threads: Int) throws {
        let expected = try Self.reference().elements[index]
        let backend: any Backend = threads == 0 ? PortableBackend() : OpenBLAS(threads: threads)
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, store) = try Self.make(type, #require(expected["hyperparameters"]), on: backend)
            store.track { _ in true }
            let examples = Self.captions.compactMap { model.example(question: nil, target: $0) }
            let features = Tensor.concatenated(Self.captions.indices.map { Self.features($0, on: backend) }, axis: 0)
            let (loss, predictions) = model.loss(features, examples)
            #expect(predictions == expected["predictions"].flatMap { Int($0.source) })
            #expect(abs(loss.scalar - (try number(expected["loss"]))) < 1e-5)
            let gradients = loss.gradients(), names = try #require(expected["gradients"]).members
            let trained = store.all.filter { !$0.isStatistic }
            #expect(names.map(\.name) == trained.map(\.name))
            for (parameter, member) in zip(trained, names) {
                let gradient = try #require(gradients[parameter.value]), norm = gradient.squared.sum.scalar.squareRoot()
                let value = try number(member.value)
                #expect(abs(norm - value) < 1e-5 + 1e-4 * value, "\(member.name): \(norm), not \(value)")
            }
        }
        try check(Self.captioner())
    }

    @Test(arguments: 0..<5) func greedy(_ index: Int) throws {
        let expected = try Self.reference().elements[index], backend = OpenBLAS(threads: 1)
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, _) = try Self.make(type, #require(expected["hyperparameters"]), on: backend)
            let decoding = try StrictJSONDecoder().decode(
                M.Decoding.self, from: JSONDocument(#"{"method": "greedy", "max_length": 6}"#, file: "").root)
            let activations = model.activations(Self.features(1, on: backend), questions: [])
            let captions = try #require(model.decode(activations, decoding) as? Captions)
            let best = try #require(captions.alternatives.first), greedy = try #require(expected["greedy"])
            let tokens = try #require(greedy["tokens"]).elements.compactMap { Int($0.source) }
            #expect(best.words.map(\.word) == tokens.map { Self.vocabulary.word(for: $0) })
            for (word, p) in zip(best.words, try #require(greedy["log_probabilities"]).elements) {
                #expect(abs(word.logProbability - (try number(p))) < 1e-5)
            }
        }
        try check(Self.captioner())
    }

    /// What beam search says of a sentence is what the loss says of it.
    @Test(arguments: 0..<5) func sentencesCostTheirLoss(_ index: Int) throws {
        let expected = try Self.reference().elements[index], backend = OpenBLAS(threads: 1)
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, _) = try Self.make(type, #require(expected["hyperparameters"]), on: backend)
            let decoding = try StrictJSONDecoder().decode(
                M.Decoding.self, from: JSONDocument(#"{"beam": 4, "nbest": 4, "max_length": 5, "unknown": false}"#, file: "").root
            )
            for n in 0..<3 {
                let features = Self.features(n, on: backend)
                let captions = try #require(model.decode(model.activations(features, questions: []), decoding) as? Captions)
                #expect(captions.text == captions.alternatives.first?.text)
                #expect(captions.alternatives.map(\.logProbability) == captions.alternatives.map(\.logProbability).sorted(by: >))
                for alternative in captions.alternatives {
                    let sum = alternative.words.reduce(0) { $0 + $1.logProbability }
                    #expect(abs(sum - alternative.logProbability) < 1e-5)
                    let said = alternative.words.dropLast().map(\.word)
                    // The loss knows finished sentences of words only.
                    guard alternative.words.last?.word == "</S>", !said.isEmpty,
                        said.allSatisfy({ Self.vocabulary.id(of: $0)! < 8 }),
                        let example = model.example(question: nil, target: said.joined(separator: " "))
                    else { continue }
                    let (loss, predictions) = model.loss(features, [example])
                    #expect(abs(loss.scalar * Float(predictions) + alternative.logProbability) < 1e-4, "\(said)")
                }
            }
        }
        try check(Self.captioner())
    }

    @Test func unknownWordsAndEmptySentences() throws {
        let backend = PortableBackend(), hyperparameters = try #require(Self.reference().elements[0]["hyperparameters"])
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, _) = try Self.make(type, hyperparameters, on: backend)
            #expect(model.example(question: nil, target: " ") == nil)
            // An unknown word is learnt as such.
            let example = try #require(model.example(question: nil, target: "zebra"))
            #expect(model.loss(Self.features(0, on: backend), [example]).predictions == 2)
        }
        try check(Self.captioner())
    }

    @Test(arguments: [
        (
            #"{"inject": "last", "lstm": {"order": "ifgo"}}"#,
            "captioner.json:1:12: inject: 'last' is not one of 'first', 'every', 'initial'."
        ),
        (#"{"inject": "first"}"#, "captioner.json:1:1: the key 'lstm' is missing."),
        (
            #"{"inject": "first", "lstm": {"order": "ifgo"}, "hidden": 0}"#,
            "captioner.json:1:58: hidden: expected a whole number from 1 to 1048576, found 0."
        ),
        (
            #"{"inject": "first", "lstm": {"order": "ifgo"}, "output_dropout": 1}"#,
            "captioner.json:1:66: output_dropout: a dropout rate must be at least 0 and below 1."
        ),
        (
            #"{"inject": "first", "lstm": {"order": "ifgo"}, "hiden": 5}"#,
            "captioner.json:1:48: hiden: unknown key; did you mean 'hidden'?"
        ),
    ])
    func hyperparameters(_ json: String, _ expected: String) throws {
        func check<M: Model>(_ type: M.Type) throws {
            let found = sentence {
                _ = try StrictJSONDecoder().decode(M.Hyperparameters.self, from: JSONDocument(json, file: "captioner.json").root)
            }
            #expect(found == expected)
        }
        try check(Self.captioner())
    }

    @Test func missingAssets() throws {
        let hyperparameters = try #require(Self.reference().elements[0]["hyperparameters"]), backend = PortableBackend()
        func check<M: Model>(_ type: M.Type) throws {
            func make(_ change: (inout Assets) -> Void) -> String? {
                var assets = Assets(
                    backend: backend,
                    backbone: BackboneDescription(input: [1, 1, 5], layers: [NamedLayer(nil, .flatten(.channelsLast))]),
                    vocabulary: Self.vocabulary)
                change(&assets)
                return sentence {
                    let store = ParameterStore(FreshParameters(seed: 1), on: backend)
                    _ = try M(
                        StrictJSONDecoder().decode(M.Hyperparameters.self, from: hyperparameters), assets: assets,
                        parameters: store.root)
                }
            }
            #expect(make { _ in } == nil)
            #expect(make { $0.backbone = nil } == "the card has no 'backbone', which this model needs")
            #expect(make { $0.vocabulary = nil } == "the card has no 'vocabulary', which this model needs")
            let many = try Vocabulary(words: (1...11).map { "word\($0)" }, convention: Self.vocabularyConvention)
            #expect(make { $0.vocabulary = many } == "the card's 'vocabulary' has 14 words, but hyperparameters.outputs is 13")
            // Answers are no words to build sentences of: they neither start nor end.
            let answers = try Vocabulary(words: ["yes", "no"], convention: .none)
            #expect(make { $0.vocabulary = answers } == "the card has no 'vocabulary', which this model needs")
        }
        try check(Self.captioner())
    }
}

private func number(_ node: JSONNode?) throws -> Float { try #require(node.flatMap { Float($0.source) }) }
