public import ModelKit
public import NeuralNetworks
public import Tensors
import Language
import Media

/// A picture as the Fisher vector of its CNN features, an LSTM that reads the question, and both together choose an answer.
///
/// The picture: Cimpoi et al., "Deep Filter Banks for Texture Recognition and Segmentation", CVPR 2015 (FV-CNN), with the
/// principal components of Fisher vectors before them. The question and what joins it: Antol et al., "VQA: Visual Question
/// Answering", ICCV 2015 ("deeper LSTM Q + norm I"), whose 4096 features of VGG the Fisher vector replaces.
public struct FisherVQA: VisualQuestionAnswerer {
    public let reader: QuestionReader
    public let answers: [String]
    private let cnn: Backbone
    private let pyramid: Pyramid
    private let pca: PrincipalComponents?
    private let fisher: FisherVector
    private let read: LSTMEncoder
    private let embedImage: Linear, embedQuestion: Linear
    private let predict: Linear
    private let drop: Dropout
    private let h: Hyperparameters

    /// How many descriptors the statistics are made of (FV-CNN: 1000 for each of 64 Gaussians).
    private static let sample = 64_000

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        (h, answers) = (hyperparameters, try assets.requiredLabels())
        reader = try QuestionReader(assets)
        pyramid = Pyramid(scales: h.scales)
        let channels = try Self.channels(backbone, h)
        cnn = try backbone.make(in: scope["cnn"])
        pca = try h.components.map { try PrincipalComponents($0, of: channels, in: scope["pca"]) }
        fisher = try FisherVector(
            h.form, components: h.gaussians, dimension: h.components ?? channels, in: scope["mixture"])
        read = try LSTMEncoder(h.question, words: reader.words, in: scope["question"])
        // VQA_LSTM_CNN begins so everywhere.
        let initializer = Initializer.uniform(0.08)
        // A Fisher vector is 1 long, whatever its width; smaller weights would take long to see it.
        embedImage = try Linear(fisher.width, h.joint, initializer: .uniform(1), in: scope["joint"]["image"])
        embedQuestion = try Linear(read.width, h.joint, initializer: initializer, in: scope["joint"]["question"])
        predict = try Linear(
            h.fusion == .product ? h.joint : 2 * h.joint, answers.count, initializer: initializer, in: scope["answer"])
        drop = Dropout(h.dropout, in: scope)
    }

    /// The scalars of a descriptor, which the backbone must give at every scale.
    private static func channels(_ backbone: BackboneDescription, _ h: Hyperparameters) throws -> Int {
        let shape = try backbone.summary().output
        guard shape.rank == 3 else {
            throw InputError.unsuitableAsset(
                "backbone", reason: "gives \(shape) and no feature map, whose pixels would be descriptors: tap a convolution")
        }
        if let wanted = h.components, wanted > shape[2] {
            throw InputError.unsuitableHyperparameter(
                "components", reason: "is \(wanted), but the backbone's descriptors have \(shape[2]) scalars")
        }
        for scale in h.scales {
            let size = Pyramid.size(backbone.input[0], backbone.input[1], at: scale)
            do {
                _ = try NetworkSummary(backbone.tapped(), input: [size.height, size.width, backbone.input[2]])
            } catch {
                let pixels = "\(size.height)×\(size.width)"
                throw InputError.unsuitableHyperparameter(
                    "scales", reason: "has \(scale), but the backbone takes no pictures of \(pixels): \(error)")
            }
        }
        return shape[2]
    }

    // MARK: The equations

    /// The descriptors of pictures at all scales, `[n, positions, channels]`.
    public func encode(pixels: Tensor) -> Tensor {
        let n = pixels.shape[0]
        return .concatenated(
            pyramid(pixels).map { level in
                let f = cnn(level)                                         // f = CNN(I)      [n, h, w, C]
                return f.reshaped([n, f.shape[1] * f.shape[2], f.shape[3]])
            }, axis: 1)
    }

    /// The Fisher vectors of pictures with descriptors `f`, `[n, positions, channels]`: `[n, width]`.
    public func condensed(_ f: Tensor) -> Tensor { fisher(pca.map { $0(f) } ?? f) }

    /// - Parameter φ: Fisher vectors.
    public func answer(_ φ: Tensor, _ questions: [Question]) -> AnswerScores {
        AnswerScores(logits: predict(drop(joint(φ, questions))))           // p = softmax(W_p z + b_p)
    }

    /// The joint codes of questions and of pictures with Fisher vectors `φ`: `[questions, …]`.
    package func joint(_ φ: Tensor, _ questions: [Question]) -> Tensor {
        let v = tanh(embedImage(drop(φ)))                                  // v = tanh(W_I φ + b_I)
        let q = tanh(embedQuestion(drop(read(questions.map(\.words)))))    // q = tanh(W_Q LSTM(Q) + b_Q)
        switch h.fusion {
        case .product: return v * q                                        // z = v ⊙ q
        case .concatenation: return .concatenated([v.broadcast(to: q.shape), q], axis: 1)
        }
    }

    // MARK: Learning

    /// Principal components, then the mixture, of descriptors drawn at random.
    public func fitStatistics(to encodings: Tensor, random: RandomSource) {
        let f = encodings.detached.reshaped([encodings.shape[0] * encodings.shape[1], encodings.shape[2]])
        let drawn = f.shape[0] <= Self.sample ? f : f.gathered(random.permutation(f.shape[0]).prefix(Self.sample).sorted())
        pca?.fit(to: drawn)
        fisher.mixture = .fitted(to: pca.map { $0(drawn) } ?? drawn, components: h.gaussians, random: random)
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_FisherVQA) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "FisherVQA", reference: "Cimpoi et al. 2015; Antol et al. 2015", model: FisherVQA.self).retainedPointer()
}
