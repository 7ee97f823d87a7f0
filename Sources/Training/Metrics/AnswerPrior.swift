import Language

/// Answers questions without a look at the picture: what a model must beat. Counted in training questions.
public struct AnswerPrior: Sendable, Hashable {
    /// The most frequent answer of all; of equally frequent ones the first by its UTF-8 bytes.
    public let mostFrequent: String
    private let byBeginning: [String: String]

    /// Nil without questions.
    public init?(_ training: [QuestionDataSet.Question]) {
        guard let answer = Self.mostFrequent(training) else { return nil }
        mostFrequent = answer
        byBeginning = Dictionary(grouping: training) { Self.beginning(of: $0.text) }.compactMapValues(Self.mostFrequent)
    }

    /// The most frequent answer to the questions that begin with the same two words; `mostFrequent` if there are none.
    public func answer(to question: String) -> String { byBeginning[Self.beginning(of: question)] ?? mostFrequent }

    /// The first two words: "what is", "how many".
    static func beginning(of question: String) -> String {
        Tokenizer.letters.words(in: question).prefix(2).joined(separator: " ")
    }

    private static func mostFrequent(_ questions: [QuestionDataSet.Question]) -> String? {
        WordCounts(questions.map { [$0.answer] }).words(.atLeast(1)).first?.word
    }
}
