/// The set measures of Malinowski & Fritz (NIPS 2014) on answers that name things, as their `calculate_wups.py` computes them.
///
/// Of the things A and T that two answers name: min(∏ₐ maxₜ m(a, t), ∏ₜ maxₐ m(t, a)). `equality`: m is 1 for equal strings, else
/// 0. WUPS: m is 1 for equal strings, else the greatest Wu-Palmer similarity of their senses as nouns, a tenth of it where it is
/// below the threshold, and 0 where WordNet does not have one of the two. 0.9 and 0 are the usual thresholds.
public struct WUPS: Sendable {
    private let wordNet: WordNet?
    private let threshold: Double

    /// Accuracy on sets.
    public static let equality = WUPS(wordNet: nil, threshold: -1)

    /// - Parameter threshold: −1 for equality, as in the script.
    public init(_ wordNet: WordNet, threshold: Double) {
        self.init(wordNet: threshold == -1 ? nil : wordNet, threshold: threshold)
    }

    private init(wordNet: WordNet?, threshold: Double) {
        self.wordNet = wordNet
        self.threshold = threshold
    }

    /// One answer's score, 0 to 1.
    ///
    /// - Throws: `WordNetError` if WordNet's files are damaged.
    public func score(_ answer: String, truth: String) throws(WordNetError) -> Double {
        let said = QuestionDataSet.Question.parts(of: answer), right = QuestionDataSet.Question.parts(of: truth)
        return min(try product(of: right, in: said), try product(of: said, in: right))
    }

    /// How well each of the items is found among the others, multiplied.
    private func product(of items: [String], in others: [String]) throws(WordNetError) -> Double {
        var product = 1.0
        for item in items {
            var best = 0.0
            for other in others { best = max(best, try measure(item, other)) }
            product *= best
        }
        return product
    }

    private func measure(_ first: String, _ second: String) throws(WordNetError) -> Double {
        if first == second { return 1 }
        guard let wordNet, let similarity = try wordNet.similarity(first, second) else { return 0 }
        return similarity < threshold ? similarity * 0.1 : similarity
    }
}
