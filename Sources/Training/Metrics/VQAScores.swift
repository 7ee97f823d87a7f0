/// What can be wrong with answers that are to be scored.
public enum VQAScoresError: Error, Sendable, Hashable {
    case noQuestions
    case missingAnswer(question: Int)
    case unknownQuestion(id: Int)
}

extension VQAScoresError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noQuestions: "There are no questions to score answers to."
        case .missingAnswer(let question): "The question \(question) has no answer to score; give one, if need be an empty one."
        case .unknownQuestion(let id): "There is an answer to the question \(id), which is not among those to be scored."
        }
    }
}

/// How good the answers to a set of questions are, and how good those of somebody who sees no pictures. Every measure is a
/// fraction (0.25, not 25).
public struct VQAScores: Codable, Sendable, Hashable {
    /// The measures of one source of answers.
    public struct Measures: Codable, Sendable, Hashable {
        /// How many answers are, letter by letter, the question's `answer`.
        public var accuracy: Double
        /// The same over the questions whose answer names a single thing; nil if there are none. Most DAQUAR figures are of
        /// these.
        public var singleAnswerAccuracy: Double?
        /// Accuracy with half-right answers, see `WUPS`; nil without WordNet.
        public var wups09: Double?
        public var wups00: Double?
        /// VQA's own accuracy, by question and answer type; nil unless every question has ten people's answers.
        public var vqa: VQAAccuracy?
    }

    public var questions: Int
    /// How many of them have an answer that names a single thing.
    public var singleAnswerQuestions: Int
    /// How many different answers the model gave: one that always says the same shows here first.
    public var distinctAnswers: Int
    public var model: Measures
    /// Those of the most frequent training answer; nil without training questions.
    public var mostFrequentAnswer: Measures?
    /// Those of the most frequent training answer to questions that begin with the same two words.
    public var mostFrequentByBeginning: Measures?

    /// - Parameters:
    ///   - questions: those to be scored; at least one.
    ///   - answers: the predicted answer by the question's id.
    ///   - training: the questions that the model learned from, for comparison; may be empty.
    ///   - wordNet: `WordNet.installed()`.
    /// - Throws: `VQAScoresError`; `WordNetError` if WordNet's files are damaged.
    public init(
        _ questions: [QuestionDataSet.Question], answers: [Int: String], training: [QuestionDataSet.Question], wordNet: WordNet?
    ) throws {
        guard !questions.isEmpty else { throw VQAScoresError.noQuestions }
        let ids = Set(questions.map(\.id))
        if let id = answers.keys.filter({ !ids.contains($0) }).min() { throw VQAScoresError.unknownQuestion(id: id) }
        let given = try questions.map { question in
            guard let answer = answers[question.id] else { throw VQAScoresError.missingAnswer(question: question.id) }
            return answer
        }
        self.questions = questions.count
        singleAnswerQuestions = questions.count { $0.parts.count == 1 }
        distinctAnswers = Set(given).count
        model = try Measures(questions, given, wordNet)
        guard let prior = AnswerPrior(training) else { return }
        mostFrequentAnswer = try Measures(questions, questions.map { _ in prior.mostFrequent }, wordNet)
        mostFrequentByBeginning = try Measures(questions, questions.map { prior.answer(to: $0.text) }, wordNet)
    }
}

extension VQAScores.Measures {
    fileprivate init(_ questions: [QuestionDataSet.Question], _ answers: [String], _ wordNet: WordNet?) throws {
        let count = Double(questions.count)
        let right = zip(questions, answers).map { $0.answer == $1 }
        accuracy = Double(right.count { $0 }) / count
        let single = zip(questions, right).filter { $0.0.parts.count == 1 }
        singleAnswerAccuracy = single.isEmpty ? nil : Double(single.count { $0.1 }) / Double(single.count)
        if let wordNet {
            func mean(_ measure: WUPS) throws -> Double {
                try zip(questions, answers).reduce(0) { try $0 + measure.score($1.1, truth: $1.0.answer) } / count
            }
            wups09 = try mean(WUPS(wordNet, threshold: 0.9))
            wups00 = try mean(WUPS(wordNet, threshold: 0))
        }
        if questions.allSatisfy({ $0.answers.count == 10 }) { vqa = VQAAccuracy(questions, answers: answers) }
    }
}
