public import Tensors

/// A vector for every word: row `id` of a table `[words, width]`.
public struct Embedding: Sendable {
    public let weight: Parameter

    /// - Parameter isTrained: whether the vectors learn, too.
    public init(
        _ words: Int, _ width: Int, initializer: Initializer = .uniform(0.08), isTrained: Bool = true, in scope: ParameterScope
    ) throws {
        weight =
            isTrained
            ? try scope.parameter("weight", [words, width], initializer)
            : try scope.statistic("weight", [words, width], initializer)
    }

    /// `ids.count` rows, `[ids, width]`. Every id must be in `0..<words`.
    public func callAsFunction(_ ids: [Int]) -> Tensor { weight.value.gathered(ids) }
}
