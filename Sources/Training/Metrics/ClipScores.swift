/// How well classes of videos are recognised. Every measure is a fraction.
public struct ClipScores: Codable, Sendable, Hashable {
    /// What a model says about one video: classes, the most probable first.
    public struct Answer: Sendable {
        public let truth: String
        public let guesses: [(label: String, confidence: Float)]
        public init(truth: String, guesses: [(label: String, confidence: Float)]) {
            (self.truth, self.guesses) = (truth, guesses)
        }
    }

    public let clips: Int
    /// How often the most probable class is the right one.
    public let top1: Double
    /// The mean over the classes of how many of their videos are recognised.
    public let meanPerClass: Double
    /// Global average precision, YouTube-8M's measure, over the 20 most probable classes of every video.
    public let gap20: Double
    /// The share of the most frequent class: what one reaches without looking.
    public let mostFrequent: Double

    /// - Parameter answers: at least one.
    public init(_ answers: [Answer]) {
        let count = Double(answers.count)
        clips = answers.count
        top1 = Double(answers.count { $0.guesses.first?.label == $0.truth }) / count
        let classes = Dictionary(grouping: answers, by: \.truth)
        meanPerClass =
            classes.values.reduce(0) { sum, own in
                sum + Double(own.count { $0.guesses.first?.label == $0.truth }) / Double(own.count)
            } / Double(classes.count)
        mostFrequent = Double(classes.values.map(\.count).max() ?? 0) / count
        gap20 = Self.globalAveragePrecision(
            answers.map { answer in answer.guesses.map { ($0.confidence, $0.label == answer.truth) } }, positives: answers.count)
    }

    /// All videos' best guesses in one list, the most confident first; of every right one the precision down to it, summed and
    /// divided by how many right ones there could be (YouTube-8M, `average_precision_calculator.py`).
    ///
    /// Equal confidences keep their order; the original shuffles them first.
    /// - Parameters:
    ///   - guesses: of every video, in falling order of confidence.
    ///   - positives: the labels of all videos, those among them that nobody guessed.
    ///   - depth: how many guesses count for every video.
    public static func globalAveragePrecision(
        _ guesses: [[(confidence: Float, isRight: Bool)]], positives: Int, depth: Int = 20
    ) -> Double {
        let all = guesses.flatMap { $0.prefix(depth) }.enumerated()
            .sorted { ($1.element.confidence, $0.offset) < ($0.element.confidence, $1.offset) }
        var right = 0, sum = 0.0
        for (rank, guess) in all.enumerated() where guess.element.isRight {
            right += 1
            sum += Double(right) / Double(rank + 1)
        }
        return positives == 0 ? 0 : sum / Double(positives)
    }
}
