import Foundation
import Testing
import Training

/// Values by the data set's authors' code: Reference/vqa_accuracy.py.
struct VQAAccuracyTests {
    static let answers = [
        ("", ""),
        ("yes", "yes"),
        (" Yes ", "yes"),
        ("The Dogs", "dogs"),
        ("a an the", ""),
        ("two", "2"),
        ("ten thousand", "10 thousand"),
        ("None", "0"),
        ("dont know", "don't know"),
        ("don't", "don't"),
        ("Im here", "im here"),
        ("it's", "it's"),
        ("wasnt've", "wasnt've"),
        ("couldn'tve", "couldn't've"),
        ("shouldnt've", "shouldn't've"),
        ("somebody'd", "somebodyd"),
        ("somebodyd", "somebodyd"),
        ("y'allll", "y'all'll"),
        ("twas", "'twas"),
        ("ow's'at", "'ow's'at"),
        ("she'dve", "she'd've"),
        ("3.5", "3.5"),
        ("3.", "3"),
        (".5", ".5"),
        ("1.a.2", "1a.2"),
        ("1,000", "1000"),
        ("1,000-2,000", "10002000"),
        ("a, b", "b"),
        ("a,b", "b"),
        ("red/blue", "red blue"),
        ("red /blue", "red blue"),
        ("red/ blue/green", "red bluegreen"),
        ("what?", "what"),
        ("what ?", "what"),
        ("x-ray", "x ray"),
        ("x -ray-", "x ray"),
        ("(no)", "no"),
        ("no (sign)", "no sign"),
        ("e.g. this", "eg this"),
        ("...", ""),
        ("<=.5", ".5"),
        ("[a] {b}", "b"),
        ("tab\u{9}line\u{A}end", "tab line end"),
        ("\u{9}a", ""),
        ("he said \"go\"", "he said go"),
        ("5 + 5 = 10", "5 5 10"),
        ("one's", "one's"),
        ("ONE", "1"),
        ("a_b_c", "b c"),
        ("100%", "100%"),
        ("$5.00", "$5.00"),
        ("#1", "#1"),
        ("semi;colon", "semi colon"),
        ("semi; colon;s", "semi colons"),
        ("back\\slash", "back slash"),
        ("at@home", "at home"),
        ("tick`s", "tick s"),
        ("wow!", "wow"),
        ("\u{E9}t\u{E9}, caf\u{E9}", "\u{E9}t\u{E9} caf\u{E9}"),
        ("\u{663}.\u{663}", "\u{663}\u{663}"),
        ("\u{663},\u{663}/x", "\u{663} \u{663} x"),
        ("a\u{A0}b", "b"),
        ("........................................x", "........x"),
        ("1.5.a.................................", "1.5a.."),
        ("one two three four five six seven eight nine ten zero none", "1 2 3 4 5 6 7 8 9 10 0 0"),
    ]

    @Test(arguments: answers) func normalizesAnswers(answer: String, expected: String) {
        #expect(VQAAnswer.normalized(answer) == expected)
    }

    @Test func keepsPeoplesArticlesAndNumbers() {
        #expect(VQAAnswer.withoutPunctuation("The two, red/blue.") == "The two red blue")
        #expect(VQAAnswer.withoutPunctuation("two") == "two")
        #expect(VQAAnswer.withPlainWords("  An Apple\u{85}TEN ") == "apple 10")
    }

    /// 114 entries: the original's 120 without four with capitals and two that change nothing.
    @Test func knowsAllContractions() {
        func sum(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + Int($1.value) } }
        #expect(VQAAnswer.contractions.count == 114)
        #expect(VQAAnswer.contractions.reduce(0) { $0 + sum($1.key) * sum($1.value) } == 65_553_618)
    }

    /// Worked out by hand: of ten people m agree, so m times min(1, (m − 1)/3) and 10 − m times min(1, m/3), through ten.
    @Test(arguments: [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (9, 1), (10, 1)])
    func countsOtherPeople(matches: Int, score: Double) {
        let people = (0..<10).map { $0 < matches ? "cat" : "dog \($0)" }
        #expect(abs(VQAAccuracy.score("cat", people: people.reversed()) - score) < 1e-15)
    }

    @Test func comparesAnswersOfFewerPeople() {
        #expect(VQAAccuracy.score("cat", people: []) == 0)
        // Nobody else said so.
        #expect(VQAAccuracy.score("cat", people: ["cat"]) == 0)
        // Three see three others, one sees three.
        #expect(abs(VQAAccuracy.score("cat", people: ["cat", "cat", "cat", "dog"]) - (3 * 2.0 / 3 + 1) / 4) < 1e-15)
    }

    @Test func treatsPeoplesAnswersAsTheOriginal() {
        let ten = { (answer: String) in [String](repeating: answer, count: 10) }
        // All the same: not processed, so a full stop is in the way.
        #expect(VQAAccuracy.score("yes.", people: ten("yes.")) == 0)
        #expect(VQAAccuracy.score("yes", people: ten("yes")) == 1)
        #expect(VQAAccuracy.score("yes.", people: ten("yes.").dropLast() + ["yes"]) == 1)
        // Their number words stay.
        #expect(VQAAccuracy.score("two", people: ten("two")) == 0)
        #expect(VQAAccuracy.score("Two", people: ten("2")) == 1)
        #expect(VQAAccuracy.score("the dog", people: ten("dog")) == 1)
        // é in one scalar or in two.
        #expect(VQAAccuracy.score("caf\u{E9}", people: ten("cafe\u{301}")) == 0)
    }

    @Test func agreesWithTheOriginalOnAThousandQuestions() {
        var state: UInt64 = 1
        func draw(_ count: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % count)
        }
        let words = ["yes", "no", "2", "two", "red", "red.", "a dog", "dog", "dont", "don't", "x-ray", "x ray"]
        var questions: [QuestionDataSet.Question] = [], said: [String] = []
        for id in 0..<1000 {
            let common = words[draw(12)]
            let people = (0..<10).map { _ in draw(3) > 0 ? common : words[draw(12)] }
            let questionType = ["is the", "how many", "what"][draw(3)]
            let answerType = ["yes/no", "number", "other"][draw(3)]
            questions.append(
                .init(id: id, text: "", answer: common, answers: people, questionType: questionType, answerType: answerType))
            said.append(words[draw(12)])
        }
        let accuracy = VQAAccuracy(questions, answers: said)
        #expect(accuracy.overall == 0.2006)
        #expect(accuracy.perQuestionType == ["how many": 0.2048, "what": 0.1925, "is the": 0.205])
        #expect(accuracy.perAnswerType == ["other": 0.215, "yes/no": 0.2032, "number": 0.1831])
        let first = zip(questions, said).prefix(40).map { (VQAAccuracy.score($1, people: $0.answers) * 100).rounded() }
        #expect(
            first == [
                0, 0, 30, 0, 30, 30, 30, 100, 90, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 100, 100, 0, 0, 30, 0, 0, 0, 0, 30, 30, 0,
                30, 30, 0, 30, 30, 30, 0,
            ])
    }

    /// Python 2: `round(0.125, 2)` is 0.13, `round(2.675, 2)` is 2.67, since the number is below its decimals.
    @Test(
        arguments: [
            (0.125, 13), (0.375, 38), (0.625, 63), (0.875, 88), (0.115, 12), (2.675, 267), (1.005, 100), (58.164_999, 5816),
            (58.165_001, 5817), (0, 0), (100, 10_000), (99.995, 10_000), (33.333_333_333, 3333), (0.5, 50), (0.25, 25),
        ] as [(Double, Double)])
    func roundsAsPython2(percent: Double, hundredths: Double) {
        #expect(VQAAccuracy.hundredths(ofPercent: percent) == hundredths)
    }

    @Test func leavesOutUnknownTypes() throws {
        let question = QuestionDataSet.Question(id: 1, text: "?", answer: "a b", answers: .init(repeating: "a b", count: 10))
        let accuracy = VQAAccuracy([question, question, question], answers: ["b", "a b", "c"])
        // The article goes from the predicted "a b", not from the people's.
        #expect(accuracy.overall == 0)
        #expect(accuracy.perAnswerType.isEmpty && accuracy.perQuestionType.isEmpty)
        #expect(try JSONDecoder().decode(VQAAccuracy.self, from: JSONEncoder().encode(accuracy)) == accuracy)
    }
}
