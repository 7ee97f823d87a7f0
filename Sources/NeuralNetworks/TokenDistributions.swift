public import Tensors

/// What comes next in some sentences: a distribution over all tokens for each, computed only as far as it is asked for.
public struct TokenDistributions: Sendable {
    private let candidates: @Sendable (Int) -> [[Candidate]]
    private let everything: @Sendable () -> [[Float]]

    /// The softmax of `x Wᵀ + b` for every row of `x`.
    init(_ map: any PreparedLinear, of x: Tensor) {
        candidates = { map.mostProbable($0, of: x) }
        everything = { logSoftmax(map(x)) }
    }

    /// - Parameter scores: of all tokens, `[rows, tokens]`.
    init(scores: Tensor) { self.init(logProbabilities: logSoftmax(scores)) }

    /// Distributions that are known in full: the natural logarithms of all tokens' probabilities, a row for every sentence.
    public init(logProbabilities rows: [[Float]]) {
        candidates = { count in
            rows.map { row in row.largest(count).map { Candidate(index: $0, logProbability: row[$0]) } }
        }
        everything = { rows }
    }

    /// For every sentence at most `count` tokens of the highest probability in falling order, of equals the one with the
    /// smaller id first.
    public func mostProbable(_ count: Int) -> [[Candidate]] { candidates(count) }

    /// The natural logarithms of all tokens' probabilities, a row for every sentence.
    public func logProbabilities() -> [[Float]] { everything() }
}

/// The rows of `log softmax`, with NeuralTalk's floor, so that no logarithm is infinite.
private func logSoftmax(_ scores: Tensor) -> [[Float]] {
    let p = log(softmax(scores) + 1e-20)
    return (0..<p.shape[0]).map { p[$0].scalars }
}
