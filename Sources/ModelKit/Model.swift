public import NeuralNetworks
public import Tensors

/// One architecture of the zoo, as a paper describes it.
///
/// A card gives it hyper-parameters and assets, a scope gives it parameters; what it computes is a function of those.
public protocol Model: Sendable {
    /// The `hyperparameters` of a card.
    associatedtype Hyperparameters: Decodable & Sendable
    /// What the model sees of a request: pixels, a question's words.
    associatedtype Input: ModelInput
    associatedtype Activations
    /// How an answer is chosen from the activations: the `decoding` of a card, overridden by options of a run.
    associatedtype Decoding: Decodable & Sendable
    associatedtype Output: Prediction

    init(_ hyperparameters: Hyperparameters, assets: Assets, parameters: ParameterScope) throws

    /// The equations of the paper.
    func forward(_ input: Input) -> Activations
    /// From numbers to an answer: arg max, beam search, non-maximum suppression.
    func decode(_ activations: Activations, _ decoding: Decoding) -> Output
}

/// A model that learns from pairs of an input and a text: a caption, an answer.
public protocol TrainableModel: Model {
    associatedtype Example: Sendable

    /// What the backbone makes of an input: computed once and cached as long as the backbone does not change.
    func encode(_ input: Input) -> Tensor
    /// The rest of ``Model/forward(_:)``: what follows from the encoding.
    func activations(_ encoding: Tensor) -> Activations
    /// - Returns: `nil` if the text teaches nothing, because no word of it is known.
    func example(_ encoding: Tensor, target: String) -> Example?
    /// The loss that training makes small, a tensor of shape `[]`, and how many predictions (words, answers) it is
    /// the mean of.
    /// - Parameter weights: how much the losses of each example count.
    func loss(_ batch: [Example], weights: [Float]) -> (value: Tensor, predictions: Int)
}

extension TrainableModel {
    /// The loss in which all examples count alike.
    public func loss(_ batch: [Example]) -> (value: Tensor, predictions: Int) {
        loss(batch, weights: [Float](repeating: 1, count: batch.count))
    }
}

/// What a model takes, made from a request by the card's preprocessing.
public protocol ModelInput: Sendable {
    /// The parts of a request that the model needs, for `zoo list` and for the sentence when one is missing.
    static var parts: [Request.Part] { get }
    init(_ request: Request, assets: Assets) throws(InputError)
}
