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
    /// - Throws: where the input is read while it is looked at, as a video is, and cannot be read further.
    func forward(_ input: Input) throws -> Activations
    /// From numbers to an answer: arg max, beam search, non-maximum suppression.
    func decode(_ activations: Activations, _ decoding: Decoding) -> Output
    /// Whether this model can decode so: options of a run may name what only another model knows.
    func check(_ decoding: Decoding) throws(InputError)
}

extension Model {
    public func check(_ decoding: Decoding) throws(InputError) {}
}

/// A model that learns from pairs of an input and a text: a caption, an answer to a question.
public protocol TrainableModel: Model {
    associatedtype Example: Sendable
    /// What the backbone looks at: the input without what is asked about it.
    associatedtype Observation: ModelInput = Input

    /// What the backbone makes of some inputs, `[observations, …]`: computed once and cached as long as it does not change.
    func encode(_ observations: [Observation]) -> Tensor
    /// What follows from encodings by fixed statistics, before anything is learnt: computed once, when a training begins.
    /// Most models have nothing of the kind.
    func condensed(_ encodings: Tensor) -> Tensor
    /// The rest of ``Model/forward(_:)``: what follows from the condensed encoding of one observation, `[1, …]`.
    /// - Parameter questions: what is asked about it; none where the task has no questions.
    func activations(_ encoding: Tensor, questions: [String]) -> Activations
    /// - Parameter question: what `target` is the answer to, if the task has questions.
    /// - Returns: `nil` if the text teaches nothing, because no word of it is known.
    func example(question: String?, target: String) -> Example?
    /// The loss that training makes small, a tensor of shape `[]`, and how many predictions (words, answers) it is
    /// the mean of.
    /// - Parameters:
    ///   - encodings: condensed ones of each example's observation, `[examples, …]`.
    ///   - weights: how much the losses of each example count.
    func loss(_ encodings: Tensor, _ batch: [Example], weights: [Float]) -> (value: Tensor, predictions: Int)
    /// Sets what follows from the data without being learned step by step (principal components, a mixture of Gaussians),
    /// once, before the first step of a training.
    /// - Parameter encodings: of training pictures, `[pictures, …]`.
    func fitStatistics(to encodings: Tensor, random: RandomSource)
}

extension TrainableModel {
    /// The loss in which all examples count alike.
    public func loss(_ encodings: Tensor, _ batch: [Example]) -> (value: Tensor, predictions: Int) {
        loss(encodings, batch, weights: [Float](repeating: 1, count: batch.count))
    }

    /// Most models learn everything.
    public func fitStatistics(to encodings: Tensor, random: RandomSource) {}
    public func condensed(_ encodings: Tensor) -> Tensor { encodings }
}

/// What a model takes, made from a request by the card's preprocessing.
public protocol ModelInput: Sendable {
    /// The parts of a request that the model needs, for `zoo list` and for the sentence when one is missing.
    static var parts: [Request.Part] { get }
    /// The parts that it takes and can do without.
    static var optionalParts: [Request.Part] { get }
    init(_ request: Request, assets: Assets) throws(InputError)
}

extension ModelInput {
    public static var optionalParts: [Request.Part] { [] }
}
