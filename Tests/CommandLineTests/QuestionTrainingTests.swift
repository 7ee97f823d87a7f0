import Foundation
import Media
import Testing

/// `zoo train` and `zoo eval` on questions about a dozen pictures in DAQUAR's form.
@Suite struct QuestionTraining {
    private let card = "ModelCards/tiny.json"

    /// Red and blue pictures, two questions about each.
    private static func writeData(_ place: Workplace, images: Bool = true) throws {
        var table = "image\tquestion\tanswer\n"
        for n in 0..<12 {
            let isRed = n % 2 == 0, color: [UInt8] = isRed ? [220, 30, 30] : [30, 30, 220]
            let pixels = (0..<16 * 12).flatMap { i in i % 16 < n ? color.map { $0 / 2 } : color }
            if images { try place.write("data/images/p\(n).png", Image(width: 16, height: 12, pixels: pixels).pngData()) }
            table += "p\(n).png\twhat color is it ?\t\(isRed ? "red" : "blue")\np\(n).png\tis it red\t\(isRed ? "yes" : "no")\n"
        }
        try place.write("data/train.tsv", table)
    }

    /// A card without words, answers and weights.
    private func workplace(_ model: some TinyModel = TinyVQA()) throws -> Workplace {
        let place = try Workplace()
        try model.write(to: place)
        try FileManager.default.removeItem(atPath: place.path + "/Weights")
        try FileManager.default.createDirectory(atPath: place.path + "/Weights", withIntermediateDirectories: false)
        try Self.writeData(place)
        return place
    }

    private func text(_ name: String, _ place: Workplace) throws -> String {
        String(decoding: try place.bytes(name), as: UTF8.self)
    }

    private let done = "zoo: the best weights are in FOLDER/Weights/tiny.h5\n"

    @Test func oneEpoch() throws {
        let place = try workplace()
        let result = try place.zoo("train", card, "--data", "data", "--epochs", "1", "--json")
        #expect(result.status == 0)
        #expect(
            result.errors
                == "zoo: wrote a vocabulary of 6 words to FOLDER/Weights/tiny.words.txt\n"
                + "zoo: wrote 4 answers to FOLDER/Weights/tiny.answers.txt\n" + done)
        #expect(try text("Weights/tiny.answers.txt", place) == "blue\nno\nred\nyes\n")
        let words = try text("Weights/tiny.words.txt", place).split(separator: "\n")
        #expect(words.first == "<unk>" && Set(words) == ["<unk>", "is", "it", "color", "red", "what"])
        let epoch = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(epoch["epoch"] as? Int == 1 && epoch["trainingLoss"] as? Double ?? 0 > 0)
        #expect((epoch["scores"] as? [String: Double])?["accuracy"] != nil)
        // It can be asked now, in the words that it has learnt.
        let answer = try place.zoo("run", card, "data/images/p0.png", "-q", "What color is it?")
        #expect(answer.status == 0 && ["blue", "no", "red", "yes"].contains(answer.lines[0]))
        #expect(try place.zoo("check", card).status == 0)
    }

    /// Killed by its time limit after every step, it ends where it would have ended.
    @Test func goesOn() throws {
        let place = try workplace()
        let first = try place.zoo("train", card, "--data", "data", "--time-limit", "0")
        #expect(first.status == 0 && first.output.isEmpty)
        #expect(first.errors.hasSuffix("zoo: stopped at the time limit; the same command goes on\n"))
        for _ in 0..<2 {
            let next = try place.zoo("train", card, "--data", "data", "--time-limit", "0")
            #expect(next.errors == "zoo: stopped at the time limit; the same command goes on\n")
        }
        let end = try place.zoo("train", card, "--data", "data")
        #expect(end.status == 0 && end.errors == done)
        #expect(end.lines.map { String($0.prefix(8)) } == ["epoch 1:", "epoch 2:"])
        let again = try place.zoo("train", card, "--data", "data")
        #expect(again.status == 0 && again.output.isEmpty && again.errors == done)
        let whole = try place.zoo("train", card, "--data", "data", "--out", "whole.h5")
        #expect(whole.errors == "zoo: the best weights are in whole.h5\n")
        #expect(try place.zoo("tensors", "diff", "Weights/tiny.h5", "whole.h5").output == "The 20 tensors are equal.\n")
        // Another seed is another training.
        _ = try place.zoo("train", card, "--data", "data", "--out", "other.h5", "--seed", "2")
        #expect(try place.zoo("tensors", "diff", "other.h5", "whole.h5").status == 1)
    }

    @Test func wordVectors() throws {
        let place = try workplace()
        try place.write("vectors.txt", "red 1 2 3 4\nwhat 0 0 0 1\nzebra 1 1 1 1\n")
        let result = try place.zoo(
            "train", card, "--data", "data", "--epochs", "1", "--word-vectors", "vectors.txt")
        #expect(result.status == 0 && result.errors.contains("zoo: 2 of 6 words begin with vectors of vectors.txt\n"))
        try place.write("narrow.txt", "red 1 2 3\nwhat 0 0 0\n")
        let refused = try place.zoo("train", card, "--data", "data", "--word-vectors", "narrow.txt")
        #expect(refused.status == 65)
        #expect(
            refused.errors
                == "zoo: narrow.txt: the vectors have 3 numbers and the card's embedding 4: "
                + "change hyperparameters.embedding or take other vectors.\n")
    }

    // MARK: Measuring

    @Test func accuracy() throws {
        let place = try workplace()
        #expect(try place.zoo("train", card, "--data", "data", "--epochs", "1").status == 0)
        let result = try place.zoo("eval", card, "--data", "data", "--answers", "answers.jsonl")
        #expect(result.status == 0)
        #expect(result.lines[0].hasPrefix("tiny on DAQUAR val, 4 questions about 2 photos, "))
        let shares = ["0.00 %", "25.00 %", "50.00 %", "75.00 %", "100.00 %"]
        #expect(result.lines[1].hasPrefix("accuracy  ") && shares.contains { result.lines[1].hasSuffix("  " + $0) })
        #expect(result.lines.contains { $0.hasPrefix("most frequent answer: accuracy  ") })
        let said = try text("answers.jsonl", place).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(said.count == 4)
        #expect(said.allSatisfy { Set($0.keys) == ["question_id", "image", "question", "answer", "truth"] })
        let right = said.count { $0["answer"] as? String == $0["truth"] as? String }
        #expect(result.lines[1].hasSuffix("  \(shares[right])"))

        let json = try place.zoo("eval", card, "--data", "data", "--split", "train", "--limit", "3", "--json")
        let scores = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(scores["questions"] as? Int == 6)
        #expect((scores["model"] as? [String: Any])?["accuracy"] as? Double != nil)
    }

    @Test func recordsInTheCard() throws {
        let place = try workplace()
        #expect(try place.zoo("train", card, "--data", "data", "--epochs", "1", "--write-card").status == 0)
        #expect(try place.zoo("eval", card, "--data", "data", "--write-card").status == 0)
        let written = try JSONSerialization.jsonObject(with: Data(place.bytes("ModelCards/tiny.json"))) as? [String: Any]
        let metric = try #require((written?["metrics"] as? [[String: Any]])?.first)
        #expect(metric["name"] as? String == "accuracy" && metric["verified"] as? Bool == true)
        let dataSet = try #require(metric["dataset"] as? [String: Any])
        #expect(dataSet["id"] as? String == "DAQUAR" && dataSet["split"] as? String == "val" && dataSet["size"] as? Int == 4)
        #expect(((written?["weights"] as? [[String: Any]])?.first)?["sha256"] is String)
        #expect(try place.zoo("check", card).status == 0)
    }

    // MARK: What is refused

    private static let known =
        "holds no questions that are known; expected one of: DAQUAR (images/, train.tsv), "
        + "easy-VQA (train/questions.json and train/images/, or questions.json and images/), "
        + "VQA (…OpenEnded_mscoco_train2014_questions.json, …mscoco_train2014_annotations.json and the images)."

    static let refusals: [(arguments: [String], status: Int32, sentence: String)] = [
        (["train", "--data", "nowhere"], 66, "FOLDER/nowhere: is not a folder."),
        (["eval", "--data", "nowhere"], 66, "FOLDER/nowhere: is not a folder."),
        (["train", "--data", "ModelCards"], 65, "FOLDER/ModelCards: \(known)"),
        (["eval", "--data", "ModelCards"], 65, "FOLDER/ModelCards: \(known)"),
        (["train", "--data", "blind/data"], 66, "FOLDER/blind/data/images: 12 images are missing, the first is 'p0.png'."),
        (["eval", "--data", "blind/data"], 66, "FOLDER/blind/data/images: 12 images are missing, the first is 'p0.png'."),
        (
            ["eval", "--data", "data", "--split", "test"], 66,
            "data: the data set has no photos of the split 'test'; it has train, val."
        ),
        (
            ["eval", "--data", "data", "--split", "dev"], 64,
            "--split is one of train, restval, val, test, not 'dev'. See 'zoo eval --help' for more information."
        ),
        (
            ["eval", "--data", "data", "--limit", "0"], 64,
            "--limit must be at least 1, not 0. See 'zoo eval --help' for more information."
        ),
        (
            ["eval", "--data", "data", "--beam", "3"], 64,
            "tiny chooses its answers and has no beam; leave --beam out."
        ),
        (
            ["eval", "--data", "data", "--answers", "no/a.jsonl"], 73,
            "no/a.jsonl: cannot be written, because its folder is not there; make it first."
        ),
        (
            ["train", "--data", "data", "--limit=-1"], 64,
            "--limit must be at least 1, not -1. See 'zoo train --help' for more information."
        ),
        (
            ["train", "--data", "data", "--batch", "0"], 64,
            "--batch must be at least 1, not 0. See 'zoo train --help' for more information."
        ),
        (
            ["train", "--data", "data", "--learning-rate=-1"], 64,
            "--learning-rate must be at least 0, not -1.0. See 'zoo train --help' for more information."
        ),
        (
            ["train", "--data", "data", "--out", "no/tiny.h5"], 73,
            "no/tiny.h5: cannot be written, because its folder is not there; make it first."
        ),
    ]

    @Test(arguments: refusals.indices) func refusal(_ row: Int) throws {
        let (arguments, status, sentence) = Self.refusals[row]
        let place = try Workplace()
        try TinyVQA().write(to: place)
        try Self.writeData(place)
        try place.write("blind/data/train.tsv", place.bytes("data/train.tsv"))
        let result = try place.zoo([arguments[0], card] + arguments.dropFirst())
        #expect(result.status == status)
        // Without WordNet a measurement says that first.
        #expect(result.errors.split(separator: "\n").last.map(String.init) == "zoo: \(sentence)")
    }

    @Test func multipleChoiceOfACaptioner() throws {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        let result = try place.zoo("eval", card, "--data", "data", "--multiple-choice")
        #expect(result.status == 64 && result.errors == "zoo: tiny takes no questions; leave --multiple-choice out.\n")
    }
}
