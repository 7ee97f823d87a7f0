/// How the predictions p₁ … p_T of all steps become one (Ng et al., section 3.4; LRCN takes the mean).
package enum StepFusion: String, Decodable, Sendable, CaseIterable {
    case last
    case mean
    /// The largest of every class, divided by their sum so that the result is a distribution.
    case max
    /// Weights that grow linearly, t / T: late steps have seen more.
    case linear

    /// How much the loss of each step counts in training; together 1. Whatever wins the maximum is known only afterwards, so
    /// all steps learn alike for it.
    package func weights(_ steps: Int) -> [Float] {
        let T = Float(steps)
        return switch self {
        case .last: (1...steps).map { $0 == steps ? 1 : 0 }
        case .mean, .max: [Float](repeating: 1 / T, count: steps)
        case .linear: (1...steps).map { 2 * Float($0) / (T * (T + 1)) }
        }
    }

    /// The answers that the first 1, 2, … T steps give.
    /// - Parameter p: the steps' probabilities of every class.
    package func verdicts(_ p: [[Float]]) -> [[Float]] {
        var sum = [Float](repeating: 0, count: p.first?.count ?? 0)
        return p.enumerated().map { t, step in
            switch self {
            case .last: return step
            case .mean: for k in sum.indices { sum[k] += step[k] }
            case .max: for k in sum.indices { sum[k] = Swift.max(sum[k], step[k]) }
            case .linear: for k in sum.indices { sum[k] += Float(t + 1) * step[k] }
            }
            let total = sum.reduce(0, +)
            return sum.map { $0 / total }
        }
    }
}
