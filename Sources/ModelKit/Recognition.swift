import NeuralNetworks

/// What is to be seen in a video: classes in falling order of probability, and how that opinion came about.
public struct Recognition: Prediction {
    /// What the model thought when it had seen so much of the video.
    public struct Step: Codable, Sendable, Equatable {
        /// Of the frame, in seconds from the beginning.
        public let time: Float
        /// What this step says, of the classes in ``alternatives``, in that order.
        public let probabilities: [Float]
        /// What the answer would be if the video ended here, in the same order.
        public let verdict: [Float]
    }

    public let text: String
    public let alternatives: [Classes.Alternative]
    /// The moment from which on the answer stayed what it is, in seconds.
    public let decided: Float
    /// The most probable class from each of these moments on, until the next; the first at the first frame.
    public let opinions: [Opinion]
    public let steps: [Step]

    /// A class that was the most probable one for a while.
    public struct Opinion: Codable, Sendable, Equatable {
        public let from: Float
        public let text: String
    }

    /// - Parameters:
    ///   - times: of the steps, in seconds; at least one.
    ///   - probabilities: of all classes, by step.
    ///   - verdicts: likewise; the last one is the answer.
    ///   - labels: of the classes.
    ///   - count: how many classes are told.
    public init(times: [Float], probabilities: [[Float]], verdicts: [[Float]], labels: [String], count: Int) {
        let answer = Classes(verdicts.last ?? [], labels: labels, count: count), told = answer.alternatives.map(\.index)
        (text, alternatives) = (answer.text, answer.alternatives)
        steps = zip(times, zip(probabilities, verdicts)).map { time, both in
            Step(time: time, probabilities: told.map { both.0[$0] }, verdict: told.map { both.1[$0] })
        }
        var opinions: [Opinion] = [], last: Int?
        for (time, verdict) in zip(times, verdicts) {
            let best = verdict.largest(1).first
            if let best, best != last {
                opinions.append(Opinion(from: time, text: labels.indices.contains(best) ? labels[best] : "class \(best)"))
            }
            last = best
        }
        self.opinions = opinions
        decided = opinions.last?.from ?? 0
    }
}
