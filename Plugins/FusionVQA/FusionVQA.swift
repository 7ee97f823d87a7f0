public import ModelKit
public import NeuralNetworks
public import Tensors

/// The baselines: one vector for the picture, one for the question, fused and classified.
///
/// Antol et al., "VQA: Visual Question Answering", ICCV 2015 (deeper LSTM Q + norm I, VQA_LSTM_CNN); Zhou et al., "Simple
/// Baseline for Visual Question Answering", 2015 (iBOWIMG). How they differ is a hyper-parameter each: ``Hyperparameters``.
public struct FusionVQA: VisualQuestionAnswerer {
    public let reader: QuestionReader
    public let answers: [String]
    private let cnn: Backbone
    private let ask: QuestionCode
    private let image: Backbone, question: Backbone, joint: Backbone
    private let predict: Linear
    private let h: Hyperparameters

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        let h = hyperparameters
        (self.h, answers, reader) = (h, try assets.requiredLabels(), try QuestionReader(assets))
        cnn = try backbone.make(in: scope["cnn"])
        ask = try QuestionCode(h.encoder, words: reader.words, in: scope["encoder"])
        image = try Backbone(h.imageLayers, input: [cnn.summary.output.count], in: scope["image"])
        question = try Backbone(h.questionLayers, input: [ask.width], in: scope["question"])
        let (v, q) = (image.summary.output.count, question.summary.output.count)
        if h.fusion == .product, v != q {
            throw InputError.unsuitableHyperparameter(
                "fusion", reason: "is a product, but image_layers end in \(v) numbers and question_layers in \(q)")
        }
        let fused = h.fusion == .concatenation ? q + v : q
        joint = try Backbone(h.answerLayers, input: [fused], in: scope["joint"])
        predict = try Linear(
            joint.summary.output.count, answers.count, bias: h.answerBias, initializer: .glorot, in: scope["answer"])
    }

    /// The picture's features, `[n, features]`, of length 1 where the card says so.
    public func encode(pixels: Tensor) -> Tensor {
        let f = cnn(pixels), rows = f.reshaped([f.shape[0], f.shape.count / f.shape[0]])
        return h.normalizesImage ? rows / sqrt(rows.squared.sum(axis: 1) + 1e-12).expanded(axis: 1) : rows
    }

    public func answer(_ f: Tensor, _ questions: [Question]) -> AnswerScores {
        let q = question(ask(questions.map(\.words)))
        let v = image(f)
        let z: Tensor
        switch h.fusion {
        case .product: z = v * q
        case .concatenation: z = .concatenated([q, v.broadcast(to: [q.shape[0], v.shape[1]])], axis: -1)
        case .question: z = q
        }
        return AnswerScores(logits: predict(joint(z)))
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_FusionVQA) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "FusionVQA", reference: "Antol et al. 2015; Zhou et al. 2015", model: FusionVQA.self).retainedPointer()
}
