import Foundation

/// VQA's accuracy (Antol et al., ICCV 2015, §2) as its authors' `vqaEvaluation/vqaEval.py` computes it.
///
/// For each of the ten people min(1, matches among the other nine / 3); an answer's score is the mean of the ten: 0.3, 0.6,
/// 0.9, 1 for 1, 2, 3, 4 or more matches. All values are fractions with four digits behind the point, 0.5816 where the original
/// prints 58.16.
public struct VQAAccuracy: Codable, Sendable, Hashable {
    /// Over all questions.
    public let overall: Double
    /// Over the questions of each answer type ("yes/no", "number", "other").
    public let perAnswerType: [String: Double]
    /// Over the questions of each question type ("how many", …).
    public let perQuestionType: [String: Double]

    /// - Parameters:
    ///   - questions: at least one.
    ///   - answers: the predicted ones, as the model gives them, in the same order.
    public init(_ questions: [QuestionDataSet.Question], answers: [String]) {
        precondition(!questions.isEmpty && questions.count == answers.count)
        var all = Sum(), answerTypes: [String: Sum] = [:], questionTypes: [String: Sum] = [:]
        for (question, answer) in zip(questions, answers) {
            let score = Self.score(answer, people: question.answers)
            all.add(score)
            if let type = question.answerType { answerTypes[type, default: Sum()].add(score) }
            if let type = question.questionType { questionTypes[type, default: Sum()].add(score) }
        }
        overall = all.mean
        perAnswerType = answerTypes.mapValues(\.mean)
        perQuestionType = questionTypes.mapValues(\.mean)
    }

    /// One answer's score, not rounded; 0 without people.
    ///
    /// People's answers lose their punctuation, if they are not all the same, but keep articles and number words: a predicted
    /// "two" is compared as "2" and does not match their "two".
    public static func score(_ answer: String, people: [String]) -> Double {
        guard let first = people.first else { return 0 }
        let answer = VQAAnswer.normalized(answer)
        let agree = people.allSatisfy { isSame($0, first) }
        let matches = people.map { isSame(agree ? $0 : VQAAnswer.withoutPunctuation($0), answer) }
        let count = matches.count { $0 }
        let sum = matches.reduce(0.0) { $0 + min(1, Double($1 ? count - 1 : count) / 3) }
        return sum / Double(people.count)
    }

    /// Swift's strings are equal where only their composition differs, as in é; Python's are not.
    private static func isSame(_ first: String, _ second: String) -> Bool { first.utf8.elementsEqual(second.utf8) }

    private struct Sum {
        private var sum = 0.0
        private var count = 0

        mutating func add(_ score: Double) {
            sum += score
            count += 1
        }

        var mean: Double { VQAAccuracy.hundredths(ofPercent: 100 * sum / Double(count)) / 10_000 }
    }

    /// Python 2's `round(percent, 2)`, times 100: the nearest to the exact value of the number, of two equally near ones the
    /// larger. Only odd eighths lie in the middle.
    package static func hundredths(ofPercent percent: Double) -> Double {
        let eighths = percent * 8
        if eighths == eighths.rounded(), eighths.remainder(dividingBy: 2) != 0 { return (eighths * 12.5).rounded(.up) }
        // Formatting rounds the exact value, a multiplication by 100 not.
        return ((Double(String(format: "%.2f", percent)) ?? percent) * 100).rounded()
    }
}
