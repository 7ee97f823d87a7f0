import Foundation
import Testing
import Training

struct VQAScoresTests {
    private typealias Question = QuestionDataSet.Question

    private static func question(_ id: Int, _ text: String, _ answer: String, people: [String]? = nil, type: String? = nil)
        -> Question
    {
        Question(id: id, text: text, answer: answer, answers: people ?? [answer], questionType: type, answerType: type)
    }

    private static let questions = [
        question(1, "What is on the desk?", "book, lamp"), question(2, "what IS red", "chair"),
        question(3, "how many chairs", "2"),
        question(4, "is it", "yes"),
    ]
    private static let training = [
        question(11, "what is it", "chair"), question(12, "What is this", "table"), question(13, "what is that", "table"),
        question(14, "how many", "2"), question(15, "how many tables", "3"), question(16, "who", "2"),
        question(17, "what's it", "2"),
    ]

    @Test func countsRightAnswers() throws {
        let scores = try VQAScores(
            Self.questions, answers: [1: "book, lamp", 2: "table", 3: "2", 4: "2"], training: [], wordNet: nil)
        #expect(scores.questions == 4 && scores.singleAnswerQuestions == 3 && scores.distinctAnswers == 3)
        #expect(scores.model.accuracy == 0.5)
        #expect(scores.model.singleAnswerAccuracy == 1.0 / 3)
        #expect(scores.model.wups09 == nil && scores.model.wups00 == nil && scores.model.vqa == nil)
        #expect(scores.mostFrequentAnswer == nil && scores.mostFrequentByBeginning == nil)
    }

    /// 2 is the most frequent answer. "what is" tables, "how many" 2 (as often as 3, but first), "is it" never asked.
    @Test func comparesWithPriors() throws {
        let prior = try #require(AnswerPrior(Self.training))
        #expect(prior.mostFrequent == "2")
        #expect(Self.questions.map { prior.answer(to: $0.text) } == ["table", "table", "2", "2"])
        #expect(prior.answer(to: "What's that?") == "2")
        #expect(prior.answer(to: "") == "2")
        #expect(AnswerPrior([]) == nil)
        let scores = try VQAScores(
            [Self.question(2, "what is red", "table")] + Self.questions.dropFirst(2), answers: [2: "", 3: "", 4: ""],
            training: Self.training, wordNet: nil)
        #expect(scores.model.accuracy == 0 && scores.distinctAnswers == 1)
        #expect(scores.mostFrequentAnswer?.accuracy == 1.0 / 3)
        #expect(scores.mostFrequentByBeginning?.accuracy == 2.0 / 3)
    }

    @Test func reportsVQAsAccuracyOfTenPeople() throws {
        let ten = ["yes", "yes", "no", "no", "no", "no", "maybe", "maybe", "maybe", "cat"]
        var questions = [
            Self.question(1, "is it", "no", people: ten, type: "yes/no"),
            Self.question(2, "what", "no", people: ten, type: "other"),
        ]
        let said = [1: "Yes.", 2: "no"]
        let scores = try VQAScores(questions, answers: said, training: [questions[0]], wordNet: nil)
        #expect(scores.model.accuracy == 0.5)
        #expect(scores.model.vqa?.overall == 0.8)
        #expect(scores.model.vqa?.perAnswerType == ["yes/no": 0.6, "other": 1])
        #expect(scores.model.vqa?.perQuestionType == ["yes/no": 0.6, "other": 1])
        #expect(scores.mostFrequentAnswer?.vqa?.overall == 1)
        #expect(try JSONDecoder().decode(VQAScores.self, from: JSONEncoder().encode(scores)) == scores)
        questions.append(Self.question(3, "what", "no"))
        #expect(try VQAScores(questions, answers: [1: "", 2: "", 3: ""], training: [], wordNet: nil).model.vqa == nil)
    }

    @Test func refusesIncompleteInput() {
        func error(_ questions: [Question], _ answers: [Int: String]) -> VQAScoresError? {
            #expect(throws: VQAScoresError.self) {
                try VQAScores(questions, answers: answers, training: Self.training, wordNet: nil)
            }
        }
        #expect(error([], [:])?.description == "There are no questions to score answers to.")
        #expect(
            error(Self.questions, [1: "a", 2: "a", 4: "a"])?.description
                == "The question 3 has no answer to score; give one, if need be an empty one.")
        #expect(
            error(Self.questions, [1: "a", 2: "a", 3: "a", 4: "a", 9: "a", 8: "b"])?.description
                == "There is an answer to the question 8, which is not among those to be scored.")
    }

    /// What the priors are worth on the images held back, by Reference/held_back.py.
    @Test(.enabled(if: SharedData.daquar != nil, "shared/data/daquar is missing"))
    func findsDAQUARsPriors() throws {
        let set = try QuestionDataSet(folder: #require(SharedData.daquar))
        let questions = set.questions(.val)
        let said = Dictionary(uniqueKeysWithValues: questions.map { ($0.id, $0.answer) })
        let start = ContinuousClock.now
        let scores = try VQAScores(questions, answers: said, training: set.questions(.train), wordNet: WordNet.installed())
        let elapsed = ContinuousClock.now - start
        #expect(scores.questions == 686 && scores.singleAnswerQuestions == 609)
        #expect(scores.model.accuracy == 1 && scores.model.singleAnswerAccuracy == 1)
        #expect(scores.model.wups00 ?? 1 == 1 && scores.model.wups09 ?? 1 == 1)
        #expect(scores.mostFrequentAnswer?.accuracy == 36.0 / 686)
        #expect(scores.mostFrequentByBeginning?.accuracy == 72.0 / 686)
        #expect(scores.mostFrequentByBeginning?.singleAnswerAccuracy == 72.0 / 609)
        let priors = [scores.mostFrequentAnswer, scores.mostFrequentByBeginning].compactMap(\.self)
        for prior in priors {
            print("DAQUAR's prior: \(prior.accuracy), \(prior.wups09 ?? .nan), \(prior.wups00 ?? .nan) in \(elapsed)")
        }
    }

    @Test(.enabled(if: SharedData.easyVQA != nil, "shared/data/easy-vqa is missing"))
    func findsEasyVQAsPriors() throws {
        let set = try QuestionDataSet(folder: #require(SharedData.easyVQA))
        let questions = set.questions(.val)
        let said = Dictionary(uniqueKeysWithValues: questions.map { ($0.id, "blue") })
        let scores = try VQAScores(questions, answers: said, training: set.questions(.train), wordNet: nil)
        #expect(scores.questions == 3811 && scores.singleAnswerQuestions == 3811 && scores.distinctAnswers == 1)
        #expect(scores.mostFrequentAnswer?.accuracy == 1392.0 / 3811)
        #expect(scores.mostFrequentByBeginning?.accuracy == 1779.0 / 3811)
    }
}
