import Foundation
import Media
import Testing

/// `zoo run` with questions.
@Suite struct Answering {
    private func workplace(_ model: some TinyModel = TinyVQA()) throws -> Workplace {
        let place = try Workplace()
        try model.write(to: place)
        for name in ["photos/a.png", "photos/b.png"] { try place.write(name, TinyCaptioner.picture.pngData()) }
        return place
    }

    private let card = "ModelCards/tiny.json", photo = "photos/a.png"

    private func objects(_ result: Outcome) throws -> [[String: Any]] {
        try result.lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }

    /// The answers of an object with their probabilities.
    private func answers(_ object: [String: Any]) throws -> [(text: String, probability: Double)] {
        try #require(object["answers"] as? [[String: Any]]).map { answer in
            #expect(Set(answer.keys) == ["text", "probability"])
            return (try #require(answer["text"] as? String), try #require(answer["probability"] as? Double))
        }
    }

    // MARK: What is printed

    @Test func oneQuestionGivesOnlyTheAnswer() throws {
        let result = try workplace().zoo("run", card, photo, "--question", "What is it?")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines.count == 1 && TinyVQA.answers.contains(result.lines[0]))
    }

    @Test func severalQuestionsAreALineEach() throws {
        let place = try workplace()
        func ask(_ question: String) throws -> String { try place.zoo("run", card, photo, "-q", question).lines[0] }
        let both = try place.zoo("run", card, photo, "-q", "what is it", "-q", "what color")
        #expect(both.status == 0 && both.errors.isEmpty)
        #expect(try both.lines == ["what is it: \(ask("what is it"))", "what color: \(ask("what color"))"])
        let all = try place.zoo("run", card, "photos", "-q", "what is it", "-q", "what color")
        #expect(all.lines == ["a", "b"].flatMap { name in both.lines.map { "photos/\(name).png: \($0)" } })
    }

    @Test func alternativesHaveProbabilities() throws {
        let result = try workplace().zoo("run", card, photo, "-q", "what is it", "-q", "what color", "--top", "3")
        #expect(result.status == 0 && result.lines.count == 8)
        #expect(result.lines[0] == "what is it:" && result.lines[4] == "what color:")
        let numbers = result.lines[1...3].compactMap { $0.split(separator: " ").first.flatMap { Double($0) } }
        #expect(numbers.count == 3 && numbers == numbers.sorted(by: >) && numbers.allSatisfy { 0...1 ~= $0 })
        #expect(
            try workplace().zoo("run", card, photo, "-q", "what is it", "--nbest", "3").lines.map { "  " + $0 }
                == Array(result.lines[1...3]))
    }

    @Test func jsonIsAnObjectForEveryQuestion() throws {
        let result = try workplace().zoo("run", card, photo, "-q", "what is it", "-q", "what color", "--json")
        #expect(result.status == 0 && result.errors.isEmpty && result.lines.count == 2)
        for (object, (line, question)) in zip(try objects(result), zip(result.lines, ["what is it", "what color"])) {
            #expect(Set(object.keys) == ["model", "input", "question", "text", "answers", "confident", "attention"])
            #expect(line.hasPrefix(#"{"model": "tiny", "input": "photos/a.png", "question": "\#(question)", "text": ""#))
            let answers = try answers(object), p = answers.map(\.probability)
            #expect(answers.first?.text == object["text"] as? String && object["confident"] as? Bool == true)
            #expect(Set(answers.map(\.text)) == Set(TinyVQA.answers))
            #expect(p == p.sorted(by: >) && abs(p.reduce(0, +) - 1) < 1e-5)
            let looks = try #require(object["attention"] as? [[String: Any]])
            #expect(looks.count == 2)
            for look in looks {
                let weights = try #require(look["weights"] as? [Double])
                #expect(look["rows"] as? Int == 4 && look["columns"] as? Int == 4 && weights.count == 16)
                #expect(abs(weights.reduce(0, +) - 1) < 1e-5)
            }
        }
        // A model that does not look says nothing of it.
        let blind = try workplace(TinyVQA.withoutAttention).zoo("run", card, photo, "-q", "what is it", "--json")
        #expect(try Set(objects(blind)[0].keys) == ["model", "input", "question", "text", "answers", "confident"])
    }

    // MARK: Choosing

    @Test func choicesShareTheProbability() throws {
        let place = try workplace()
        func ask(_ options: String...) throws -> [(text: String, probability: Double)] {
            try answers(objects(place.zoo(["run", card, photo, "-q", "what is it", "--json"] + options))[0])
        }
        let all = try ask(), some = try ask("--choices", "two, red", "--choices", "blue")
        #expect(some.map(\.text) == all.map(\.text).filter { $0 != "table" })
        #expect(abs(some.reduce(0) { $0 + $1.probability } - 1) < 1e-5)
        let share = all.filter { $0.text != "table" }.reduce(0) { $0 + $1.probability }
        for (text, probability) in some {
            let before = try #require(all.first { $0.text == text }).probability
            #expect(abs(probability - before / share) < 1e-5)
        }
        #expect(try place.zoo("run", card, photo, "-q", "what is it", "--choices", "table").lines == ["table"])
    }

    @Test func notSureEnough() throws {
        let place = try workplace()
        func ask(_ options: String...) throws -> Outcome { try place.zoo(["run", card, photo, "-q", "what is it"] + options) }
        let said = try ask().lines[0]
        #expect(try ask("--min-confidence", "0").lines == [said])
        #expect(try ask("--min-confidence", "1").lines == ["I do not know"])
        // What it would have said is told when asked for.
        #expect(
            try ask("--min-confidence", "1", "--top", "2").lines == ["I do not know"] + ask("--top", "2").lines.map { "  " + $0 })
        let object = try objects(ask("--min-confidence", "1", "--json"))[0]
        #expect(object["text"] as? String == "I do not know" && object["confident"] as? Bool == false)
        #expect(try answers(object).first?.text == said)
    }

    // MARK: A picture of the looks

    /// Three panels of 448 × 299 and two gaps of 8; below them a caption of one line; a gap between questions.
    @Test func overlay() throws {
        let place = try workplace()
        func size(_ questions: String...) throws -> [Int] {
            let result = try place.zoo(
                ["run", card, photo, "--overlay", "looks.png"] + questions.flatMap { ["--question", $0] })
            #expect(result.status == 0 && result.errors.isEmpty && result.lines.count == questions.count)
            let picture = try Image(contentsOf: place.path + "/looks.png")
            return [picture.width, picture.height]
        }
        #expect(try place.zoo("run", card, photo, "-q", "what is it", "--overlay", "looks.png").status == 0)
        #expect(try place.bytes("looks.png").prefix(4) == [0x89, 0x50, 0x4E, 0x47])
        #expect(try size("what is it") == [3 * 448 + 2 * 8, 299 + 17])
        #expect(try size("what is it", "what color") == [3 * 448 + 2 * 8, 2 * (299 + 17) + 8])
    }

    // MARK: What is refused

    static let refusals: [(arguments: [String], status: Int32, sentence: String)] = [
        ([], 64, "tiny answers questions; ask one with --question \"…\"."),
        (["-q", ""], 64, "the question has no words; ask something, as in --question \"what is on the table?\"."),
        (["-q", " ?"], 64, "the question has no words; ask something, as in --question \"what is on the table?\"."),
        (
            ["-q", "zebras gallop"], 65,
            "this model knows none of the words of \"zebras gallop\"; ask in the words it was trained on."
        ),
        (
            ["-q", String(repeating: "what ", count: 10_000)], 65,
            "the question has 10000 words, and this model reads at most 100; shorten it."
        ),
        (
            ["-q", "what is it", "--choices", "red,bleu"], 64,
            "'bleu' is no answer that this model can give; did you mean 'blue'?"
        ),
        (
            ["-q", "what is it", "--choices", "xylophone"], 64,
            "'xylophone' is no answer that this model can give; leave it out."
        ),
        (["-q", "what is it", "--choices", ","], 64, "--choices: at least one choice was expected."),
        (["-q", "what is it", "--top", "0"], 64, "--top: expected a whole number from 1 to 1000, found 0."),
        (["-q", "what is it", "--nbest", "0"], 64, "--nbest: expected a whole number from 1 to 1000, found 0."),
        (
            ["-q", "what is it", "--min-confidence", "1.5"], 64,
            "--min-confidence: expected a probability from 0 to 1, found 1.5."
        ),
        (
            ["-q", "what is it", "--min-confidence=-0.5"], 64,
            "--min-confidence: expected a probability from 0 to 1, found -0.5."
        ),
        (["-q", "what is it", "--beam", "3"], 64, "--beam: tiny has no such option; leave it out."),
        (["-q", "what is it", "--sample"], 64, "--sample: tiny has no such option; leave it out."),
        (
            ["-q", "what is it", "photos/b.png", "--overlay", "looks.png"], 64,
            "--overlay is for one picture; name a single file."
        ),
        (
            ["-q", "what is it", "--overlay", "looks.jpg"], 64,
            "--overlay: looks.jpg would be a PNG file; end its name in .png."
        ),
        (
            ["-q", "what is it", "--overlay", "nowhere/looks.png"], 73,
            "nowhere/looks.png: cannot be written, because its folder is not there; make it first."
        ),
    ]

    @Test(arguments: refusals.indices) func refusal(_ row: Int) throws {
        let (arguments, status, sentence) = Self.refusals[row]
        let result = try workplace().zoo(["run", card, photo] + arguments)
        #expect(result.status == status && result.output.isEmpty)
        #expect(result.errors == "zoo: \(sentence)\n")
    }

    /// Said once, however many pictures there are.
    @Test func wrongQuestionAboutManyPictures() throws {
        let result = try workplace().zoo("run", card, "photos", "-q", "what is it", "-q", "zebras", "--json")
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(
            result.errors
                == "zoo: this model knows none of the words of \"zebras\"; ask in the words it was trained on.\n")
    }

    @Test func missingPicture() throws {
        let place = try workplace()
        let result = try place.zoo("run", card, "missing.jpg", "-q", "what is it")
        #expect(result.status == 66 && result.output.isEmpty)
        #expect(result.errors == "zoo: missing.jpg: there is no such file; check the path.\n")
        let json = try place.zoo("run", card, "missing.jpg", photo, "-q", "what is it", "-q", "what color", "--json")
        #expect(json.status == 65 && json.errors.isEmpty && json.lines.count == 3)
        #expect(
            json.lines[0]
                == #"{"model": "tiny", "input": "missing.jpg", "error": "missing.jpg: there is no such file; check the path."}"#)
    }

    @Test func overlayWithoutAttention() throws {
        let sentence = "zoo: tiny does not say where it looks; leave --overlay out.\n"
        let place = try workplace(TinyVQA.withoutAttention)
        let result = try place.zoo("run", card, photo, "-q", "what is it", "--overlay", "looks.png")
        #expect(result.status == 64 && result.output.isEmpty && result.errors == sentence)
        let captions = try workplace(TinyCaptioner()).zoo("run", card, photo, "--overlay", "looks.png")
        #expect(captions.status == 64 && captions.output.isEmpty && captions.errors == sentence)
        #expect(!FileManager.default.fileExists(atPath: place.path + "/looks.png"))
    }

    @Test(arguments: [
        (["--question", "what is it"], "tiny takes no question; leave --question out."),
        (["--choices", "red"], "--choices: tiny has no such option; leave it out."),
        (["--min-confidence", "0.5"], "--min-confidence: tiny has no such option; leave it out."),
    ])
    func captionersDoNotAnswer(_ options: [String], _ sentence: String) throws {
        let result = try workplace(TinyCaptioner()).zoo(["run", card, photo] + options)
        #expect(result.status == 64 && result.output.isEmpty && result.errors == "zoo: \(sentence)\n")
    }

    /// The answers are needed, unlike a classifier's names.
    @Test func missingAnswers() throws {
        let place = try workplace()
        try FileManager.default.removeItem(atPath: place.path + "/Weights/tiny.answers.txt")
        let result = try place.zoo("run", card, photo, "-q", "what is it")
        #expect(result.status == 66 && result.output.isEmpty)
        #expect(
            result.errors
                == "zoo: tiny: the file of the answers 'FOLDER/Weights/tiny.answers.txt' or "
                + "'FOLDER/data/zoo/Weights/tiny.answers.txt' is missing. How to get it: Train it.\n")
    }
}
