public import NeuralNetworks
public import Tensors

/// A model that learns what is where in a picture: from boxes, each with a phrase.
public protocol RegionTrainableModel: Model where Output == Regions {
    /// What one picture teaches.
    associatedtype Lesson: Sendable

    /// - Parameter marks: in pixels of the input's original.
    /// - Returns: `nil` if there is nothing to be learnt, because no word of any phrase is known.
    func lesson(_ input: Input, _ marks: [Mark]) -> Lesson?
    /// What the backbone makes of a picture: `[1, height, width, channels]`.
    func encode(_ input: Input) -> Tensor
    /// The losses of a step, of which training makes the weighted sum small.
    /// - Parameters:
    ///   - encoding: of the lesson's picture.
    ///   - random: draws what a step looks at.
    func losses(_ encoding: Tensor, _ lesson: Lesson, random: RandomSource) -> [LossTerm]
    /// Sets what follows from the data without being learned step by step, once, before the first step of a training.
    /// - Parameter encodings: of training pictures, which have the same size: `[pictures, height, width, channels]`.
    func fitStatistics(to encodings: Tensor, random: RandomSource)
}

extension RegionTrainableModel {
    /// Most models learn everything.
    public func fitStatistics(to encodings: Tensor, random: RandomSource) {}
}

/// A part of a picture that somebody has marked and described.
public struct Mark: Sendable, Equatable {
    public var box: Regions.Rectangle
    public var phrase: String
    public init(box: Regions.Rectangle, phrase: String) { (self.box, self.phrase) = (box, phrase) }
}

/// One of the losses that a step makes small together.
public struct LossTerm: Sendable {
    /// As logs call it.
    public let name: String
    /// Of shape `[]`.
    public let value: Tensor
    /// How much it counts.
    public let weight: Float
    public init(_ name: String, _ value: Tensor, weight: Float) { (self.name, self.value, self.weight) = (name, value, weight) }
}

extension [LossTerm] {
    /// The sum that training makes small.
    public var total: Tensor {
        precondition(!isEmpty, "a step without losses")
        return dropFirst().reduce(self[0].weight * self[0].value) { $0 + $1.weight * $1.value }
    }
}
