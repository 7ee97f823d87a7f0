public import ModelKit
public import NeuralNetworks
public import Tensors

/// A question that looks at a picture more than once: every look narrows down where the answer is.
///
/// Yang, He, Gao, Deng, Smola, "Stacked Attention Networks for Image Question Answering", CVPR 2016; the authors'
/// imageqa-san. Where the two differ is a hyper-parameter: ``Hyperparameters``.
public struct StackedAttentionVQA: VisualQuestionAnswerer {
    public let reader: QuestionReader
    public let answers: [String]
    private let cnn: Backbone
    private let ask: QuestionEncoder
    private let project: Linear
    private let hops: [Attention]
    private let predict: Linear
    private let drop: Dropout
    private let h: Hyperparameters
    /// Rows and columns of the picture's regions.
    private let grid: (rows: Int, columns: Int)

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        let h = hyperparameters
        (self.h, answers, reader) = (h, try assets.requiredLabels(), try QuestionReader(assets))
        cnn = try backbone.make(in: scope["cnn"])
        let map = cnn.summary.output
        guard map.rank == 3 else {
            throw InputError.unsuitableAsset("backbone", reason: "ends in \(map), not in a feature map [rows, columns, channels]")
        }
        grid = (map[0], map[1])
        ask = try QuestionEncoder(h.question, words: reader.words, in: scope["question"])
        let d = ask.width
        project = try Linear(map[2], d, initializer: .glorot, in: scope["image"])
        hops = try (1...h.hops).map { try Attention(d, h.attention, h.equations, in: scope["hop\($0)"]) }
        predict = try Linear(d, answers.count, initializer: .glorot, in: scope["answer"])
        drop = Dropout(h.dropout, in: scope)
    }

    /// The regions of feature maps, `[n, rows · columns, channels]`.
    public func encode(pixels: Tensor) -> Tensor {
        let f = cnn(pixels)
        return f.reshaped([f.shape[0], f.shape[1] * f.shape[2], f.shape[3]])
    }

    public func answer(_ f: Tensor, _ questions: [Question]) -> AnswerScores {
        let V = tanh(project(f))                                           // v_i = tanh(W_I f_i + b_I)      (3)
        let v_Q = ask(questions.map(\.words))
        var u = v_Q                                                        // u⁰ = v_Q
        var maps: [Tensor] = []
        for (k, attend) in hops.enumerated() {
            let (context, p) = attend(V, u)
            let isLast = k == hops.count - 1
            u = context + (isLast && h.finalImageOnly ? v_Q : u)           // uᵏ = ṽᵏ + uᵏ⁻¹                 (18)
            maps.append(p)
        }
        return AnswerScores(logits: predict(drop(u)), attention: maps, grid: grid)  // p_ans = softmax(W_u u + b_u)
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_StackedAttentionVQA) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "StackedAttentionVQA", reference: "Yang et al. 2016", model: StackedAttentionVQA.self).retainedPointer()
}
