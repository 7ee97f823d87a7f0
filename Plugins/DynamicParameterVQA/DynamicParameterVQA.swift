import Language
public import ModelKit
public import NeuralNetworks
public import Tensors

/// A question chooses the weights with which a classifier looks at a picture: they are predicted by a GRU that reads it.
///
/// Noh, Seo & Han, "Image Question Answering using Convolutional Neural Network with Dynamic Parameter Prediction", CVPR 2016
/// (DPPnet). Where the released code says more than the paper, or something else, ``Hyperparameters`` tell.
public struct DynamicParameterVQA: VisualQuestionAnswerer {
    public let reader: QuestionReader
    public let answers: [String]
    private let cnn: Backbone
    private let embedImage: Linear
    private let readQuestion: GRUEncoder
    private let predict: Linear
    private let weights: HashedWeights
    private let bias: Parameter?
    private let normalize: BatchNormalization
    private let classify: Linear
    private let dropImage: Dropout, dropQuestion: Dropout, dropProduct: Dropout

    /// Fresh parameters begin as in the released code, but for the GRU and the word vectors, which it takes from skip-thoughts.
    public init(_ h: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        (reader, answers) = (try QuestionReader(assets), try assets.requiredLabels())
        cnn = try backbone.make(in: scope["cnn"])
        embedImage = try Linear(
            cnn.summary.output.count, h.features, initializer: .uniform(0.005), biasInitializer: .uniform(0.005),
            in: scope["image"])
        readQuestion = try GRUEncoder(h.question, words: reader.vocabulary.count, in: scope["question"])
        predict = try Linear(
            h.question.hidden, h.candidates, initializer: .normal(deviation: h.predictionDeviation),
            biasInitializer: .normal(deviation: 0.05), in: scope["candidates"])
        weights = HashedWeights(
            rows: h.outputs, columns: h.features, candidates: h.candidates, h.hash, on: scope.backend)
        let dynamic = scope["dynamic"]
        bias = h.bias ? try dynamic.parameter("bias", [h.outputs], .constant(0)) : nil
        normalize = try BatchNormalization(
            h.outputs, epsilon: 1e-5, initializer: .normal(deviation: 0.05), in: dynamic["normalization"])
        classify = try Linear(h.outputs, answers.count, initializer: .normal(deviation: 0.05), in: scope["answer"])
        dropImage = Dropout(h.imageDropout, in: scope)
        dropQuestion = Dropout(h.questionDropout, in: scope)
        dropProduct = Dropout(h.answerDropout, in: scope)
    }

    // MARK: The equations

    /// What the CNN sees, `[n, features]`.
    public func encode(pixels: Tensor) -> Tensor {
        let v = cnn(pixels)
        return v.reshaped([v.shape[0], v.shape.count / v.shape[0]])
    }

    public func answer(_ v: Tensor, _ questions: [Question]) -> AnswerScores {
        AnswerScores(logits: stages(v, questions).logits)
    }

    /// Everything on the way to the logits.
    /// - Parameter v: `[questions, features]` or `[1, features]`.
    package func stages(_ v: Tensor, _ questions: [Question]) -> Stages {
        let n = questions.count
        let f = relu(embedImage(dropImage(v)))                     // f = ReLU(W_f v + b_f)          [n or 1, I]
        let q = readQuestion(questions.map(\.words))               // q = GRU(w₁ … w_T)              [n, Q]
        let p = predict(dropQuestion(q))                           // p = W_p q + b_p                [n, K]
        let each = f.broadcast(to: [n, weights.columns])
        let g = hashedProduct(p, each, weights)                    // g_o = Σᵢ p[ψ(o,i)] ξ(o,i) fᵢ   [n, O]
        let y = relu(normalize(bias.map { g + $0.value } ?? g))    // y = ReLU(BN(g + b))
        return Stages(f: f, q: q, p: p, g: g, logits: classify(dropProduct(y)))
    }

    /// Values of ``stages(_:_:)``.
    package struct Stages { package let f: Tensor, q: Tensor, p: Tensor, g: Tensor, logits: Tensor }
}

/// The symbol the host looks for.
@c(zoo_plugin_DynamicParameterVQA) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "DynamicParameterVQA", reference: "Noh, Seo & Han 2016", model: DynamicParameterVQA.self).retainedPointer()
}
