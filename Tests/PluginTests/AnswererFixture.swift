import Foundation
import Language
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Testing

/// The words, questions and parameters of Reference/parity.py, small models with them, and what its scripts computed.
struct AnswererFixture {
    let json: JSONNode
    let questions: [String]
    /// The right answers, by index.
    let targets: [Int]
    private let vocabulary: Vocabulary

    /// - Parameter name: of a file in Reference/.
    init(_ name: String) throws {
        let json = try JSONDocument(contentsOf: Project.tests.appending(path: "Reference/\(name)").path).root
        self.json = json
        func texts(_ key: String) throws -> [String] { try #require(json[key]).elements.compactMap(\.string) }
        questions = try texts("questions")
        targets = try #require(json["targets"]).elements.compactMap { Int($0.source) }
        vocabulary = try Vocabulary(
            words: texts("words"), convention: VocabularyConvention(start: nil, end: nil, unknown: "<unk>"))
    }

    subscript(key: String, index: Int) -> JSONNode { get throws { try #require(json[key]).elements[index] } }

    /// What models are compared on: 0 is the portable backend, other numbers OpenBLAS with so many threads.
    static let threads = [0, 1, 2]
    static func backend(_ threads: Int) -> any Backend { threads == 0 ? PortableBackend() : fastestBackend(threads: threads) }

    /// The first dimension is the questions'.
    func pictures(_ shape: Shape, on backend: any Backend) -> Tensor {
        FormulaParameters.uniform("pictures", Shape([questions.count] + shape.dimensions), on: backend)
    }

    /// A model with the scripts' parameters, whose backbone hands pictures through.
    /// - Parameters:
    ///   - given: parameters that are others than the scripts'.
    func model(
        _ architecture: String, _ hyperparameters: JSONNode, _ backbone: BackboneDescription, answers: Int = 3,
        for purpose: ParameterStore.Purpose = .inference, on backend: any Backend,
        given: @escaping GivenOrFormula.Values = { _, _ in nil }
    ) throws -> (model: any VisualQuestionAnswerer, store: ParameterStore) {
        let plugin = try PluginTable(builtIn: Project.plugins).plugin(named: architecture)
        let type = try #require(plugin.model as? any VisualQuestionAnswerer.Type)
        let assets = Assets(
            backend: backend, backbone: backbone, vocabulary: vocabulary, tokenizer: .whitespace,
            labels: (0..<answers).map { "answer \($0)" })
        let store = ParameterStore(GivenOrFormula(given: given), for: purpose, on: backend)
        func make<M: VisualQuestionAnswerer>(_ type: M.Type) throws -> any VisualQuestionAnswerer {
            let decoded = try StrictJSONDecoder().decode(M.Hyperparameters.self, from: hyperparameters)
            return try M(decoded, assets: assets, parameters: store.root)
        }
        return (try make(type), store)
    }

    /// The loss of all questions and its gradients against the script's.
    func expectGradients(
        of model: any VisualQuestionAnswerer, _ store: ParameterStore, pictures: Tensor, _ expected: JSONNode
    ) throws {
        store.track { _ in true }
        func check<M: VisualQuestionAnswerer>(_ model: M) throws {
            let examples = try zip(questions, targets).map { question, target in
                try #require(model.example(question: question, target: model.answers[target]))
            }
            let (loss, predictions) = model.loss(model.encode(pixels: pictures), examples)
            #expect(predictions == questions.count)
            expectClose([loss.scalar], try numbers(expected["loss"]), "loss")
            try expectGradientLengths(of: loss, store, expected)
        }
        try check(model)
    }
}

/// The lengths of a loss's gradients against those that a script lists, every parameter's.
func expectGradientLengths(of loss: Tensor, _ store: ParameterStore, _ expected: JSONNode) throws {
    let gradients = loss.gradients(), norms = try #require(expected["gradients"]).members
    #expect(norms.map(\.name) == store.all.map(\.name))
    for (parameter, member) in zip(store.all, norms) {
        let gradient = try #require(gradients[parameter.value], "\(member.name) learns nothing")
        let norm = gradient.squared.sum.scalar.squareRoot(), value = try numbers(member.value)[0]
        #expect(abs(norm - value) < 1e-6 + 1e-4 * value, "\(member.name): \(norm), not \(value)")
    }
}

/// The formula's parameters but for those that a test sets.
struct GivenOrFormula: ParameterSource {
    typealias Values = @Sendable (_ name: String, _ shape: Shape) -> [Float]?
    let given: Values

    func contains(_ name: String) -> Bool { true }

    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        if let scalars = given(name, shape) { return Tensor(scalars, shape, on: backend) }
        return try FormulaParameters().tensor(named: name, shape: shape, initializer: initializer, on: backend)
    }

    /// Makes the classifier the identity, so that a model with as many answers as numbers to classify shows these.
    static let identityClassifier: Values = { name, shape in
        switch name {
        case "answer.weight": (0..<shape.count).map { $0 % (shape[1] + 1) == 0 ? 1 : 0 }
        case "answer.bias": zeros(shape)
        default: nil
        }
    }

    static func zeros(_ shape: Shape) -> [Float] { [Float](repeating: 0, count: shape.count) }
}

/// The numbers of a list of any depth, or of a single one.
func numbers(_ node: JSONNode?) throws -> [Float] {
    let node = try #require(node)
    if let number = Float(node.source) { return [number] }
    return try node.elements.flatMap { try numbers($0) }
}

/// An object with other values at some keys.
func replacing(_ node: JSONNode, _ members: [JSONValue.Member]) throws -> JSONNode {
    let kept = node.members.filter { member in !members.contains { $0.key == member.name } }
    let object = JSONValue.object(kept.map { JSONValue.Member($0.name, JSONValue($0.value)) } + members)
    return try JSONDocument(object.text, file: "hyperparameters").root
}
