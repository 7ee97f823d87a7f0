import Foundation
import Media
import Tensors
import Testing

@Suite struct Run {
    private func workplace(_ model: TinyCaptioner = TinyCaptioner()) throws -> Workplace {
        let place = try Workplace()
        try model.write(to: place)
        let picture = TinyCaptioner.picture
        try place.write("photos/a.jpg", picture.jpegData())
        try place.write("photos/b.png", picture.pngData())
        try place.write("photos/inside/c.png", picture.pngData())
        try place.write("photos/notes.txt", "not a picture")
        return place
    }

    private let card = "ModelCards/tiny.json"

    @Test func oneInputGivesOnlyTheCaption() throws {
        let result = try workplace().zoo("run", card, "photos/a.jpg")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines.count == 1)
        #expect(!result.output.contains("photos/a.jpg"))
    }

    @Test func severalInputsAreNamed() throws {
        let place = try workplace()
        let one = try place.zoo("run", card, "photos/b.png").lines[0]
        let result = try place.zoo("run", card, "photos/b.png", "photos", "photos/inside/c.png")
        #expect(result.status == 0)
        #expect(
            result.lines.map { $0.prefix { $0 != ":" } } == [
                "photos/b.png", "photos/a.jpg", "photos/b.png", "photos/inside/c.png",
            ])
        #expect(result.lines[0] == "photos/b.png: \(one)")
        #expect(result.lines[2] == result.lines[0])
        let recursive = try place.zoo("run", card, "photos", "--recursive")
        #expect(recursive.lines.map { $0.prefix { $0 != ":" } } == ["photos/a.jpg", "photos/b.png", "photos/inside/c.png"])
        let listed = try place.zoo(["run", card, "-"], input: "photos/a.jpg\n\nphotos/b.png\n")
        #expect(listed.lines == recursive.lines.dropLast())
    }

    /// Found by its name in a folder of `--cards`, and by its alias.
    @Test(arguments: ["tiny", "small"]) func byName(_ name: String) throws {
        let place = try workplace(TinyCaptioner().with("aliases", "[\"small\"]"))
        #expect(try place.zoo("run", name, "photos/a.jpg", "--cards", ".").status == 0)
    }

    @Test func alternativesHaveLogProbabilities() throws {
        let result = try workplace().zoo("run", card, "photos/a.jpg", "--nbest", "3", "--beam", "5")
        #expect(result.status == 0)
        #expect(result.lines.count == 3)
        let numbers = result.lines.compactMap { $0.split(separator: " ").first.flatMap { Double($0) } }
        #expect(numbers.count == 3 && numbers == numbers.sorted(by: >) && numbers[0] < 0)
    }

    @Test func jsonIsALineForEveryInput() throws {
        let place = try workplace()
        let result = try place.zoo("run", card, "photos/a.jpg", "missing.jpg", "photos/b.png", "--json", "--nbest", "2")
        #expect(result.status == 65 && result.errors.isEmpty)
        #expect(result.lines.count == 3)
        #expect(result.lines[0].hasPrefix(#"{"model": "tiny", "input": "photos/a.jpg", "text": ""#))
        #expect(
            result.lines[1]
                == #"{"model": "tiny", "input": "missing.jpg", "error": "missing.jpg: there is no such file; check the path."}"#)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(result.lines[2].utf8)) as? [String: Any])
        let alternatives = try #require(object["alternatives"] as? [[String: Any]])
        #expect(alternatives.count == 2)
        #expect(alternatives[0]["text"] as? String == object["text"] as? String)
        let words = try #require(alternatives[0]["words"] as? [[String: Any]])
        let sum = words.reduce(0) { $0 + ($1["logProbability"] as? Double ?? .nan) }
        #expect(abs(sum - (alternatives[0]["logProbability"] as? Double ?? .nan)) < 1e-4)
    }

    @Test func samplingRepeatsWithItsSeed() throws {
        let place = try workplace()
        func sample(_ seed: String) throws -> String {
            try place.zoo("run", card, "photos/a.jpg", "--sample", "--seed", seed, "--nbest", "4", "--temperature", "2").output
        }
        #expect(try sample("1") == sample("1"))
        #expect(try Set(["1", "2", "3"].map(sample)).count > 1)
    }

    // MARK: Pictures that are none

    static let pictures: [(name: String, status: Int32, sentence: String)] = [
        ("missing.jpg", 66, "missing.jpg: there is no such file; check the path."),
        ("empty.jpg", 65, "empty.jpg: is empty (0 bytes); copy or download it again."),
        ("truncated.jpg", 65, "truncated.jpg: the JPEG data ends too early; copy or download the file again."),
        ("truncated.png", 65, "truncated.png: the PNG data ends too early; copy or download the file again."),
        (
            "huge.png", 65,
            "huge.png: is 20000×20000 pixels (400 megapixels), more than the limit of 100 megapixels; scale it down first."
        ),
        (
            "text.jpg", 65,
            "text.jpg: is not an image in a known format (it begins with 'no picture'); use JPEG, PNG, WebP, GIF, BMP or TIFF."
        ),
        ("none", 66, "none: there is no picture in this folder; name another one, or add --recursive for the folders inside."),
    ]

    private func damaged() throws -> Workplace {
        let place = try workplace(), picture = TinyCaptioner.picture
        let (jpeg, png) = (try picture.jpegData(), try picture.pngData())
        try place.write("empty.jpg", [])
        try place.write("truncated.jpg", Array(jpeg.prefix(jpeg.count / 2)))
        try place.write("truncated.png", Array(png.prefix(png.count / 2)))
        try place.write("huge.png", TinyCaptioner.png(declaring: 20_000, 20_000))
        try place.write("text.jpg", "no picture\n")
        try place.write("none/notes.txt", "no picture\n")
        return place
    }

    @Test func eachIsRefusedWithASentence() throws {
        let place = try damaged()
        for (name, status, sentence) in Self.pictures {
            let result = try place.zoo("run", card, name)
            #expect(result.status == status, "\(name)")
            #expect(result.errors == "zoo: \(sentence)\n")
            #expect(result.output.isEmpty)
        }
    }

    @Test func noneStopsTheOthers() throws {
        let result = try damaged().zoo(["run", card, "photos/a.jpg"] + Self.pictures.map(\.name) + ["photos/b.png"])
        #expect(result.status == 65)
        #expect(result.lines.map { $0.prefix { $0 != ":" } } == ["photos/a.jpg", "photos/b.png"])
        #expect(result.errors == Self.pictures.map { "zoo: \($0.sentence)\n" }.joined())
    }

    /// One pixel is a picture, and a name is not a format.
    @Test func oddPicturesAreTaken() throws {
        let place = try workplace()
        try place.write("one.png", Image(width: 1, height: 1, pixels: [9, 9, 9]).pngData())
        try place.write("really-a-png.jpg", TinyCaptioner.picture.pngData())
        let result = try place.zoo("run", card, "one.png", "really-a-png.jpg", "photos/b.png")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines[1].split(separator: ":")[1] == result.lines[2].split(separator: ":")[1])
    }

    // MARK: Weights that do not fit

    static let advice = "convert it again with the rules of this card (zoo convert --rename)."
    static let weights: [(change: @Sendable (inout TinyCaptioner) -> Void, sentence: String)] = [
        ({ $0.tensors.removeLast() }, "the file lacks 'logits.bias': \(advice)"),
        ({ $0.tensors.append(("extra", [3])) }, "the file has 'extra', which the model does not know: \(advice)"),
        ({ $0.tensors[2].shape = [4, 3] }, "the file has 'image.weight' as [4×3] where the model needs [4×2]: \(advice)"),
        ({ $0.broken = "word.weight" }, "the file has values that are not finite numbers in 'word.weight': \(advice)"),
    ]

    @Test(arguments: weights.indices) func weightsAreChecked(_ row: Int) throws {
        var model = TinyCaptioner()
        Self.weights[row].change(&model)
        let place = try workplace(model)
        let result = try place.zoo("run", card, "photos/a.jpg")
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(result.errors == "zoo: FOLDER/Weights/tiny.h5: \(Self.weights[row].sentence)\n")
        let check = try place.zoo("check", card, "--level", "5")
        #expect(check.status == 65)
        #expect(check.errors == "zoo: \(card):14:12: weights: FOLDER/Weights/tiny.h5: \(Self.weights[row].sentence)\n")
    }

    @Test func damagedFiles() throws {
        let place = try workplace()
        let weights = try place.bytes("Weights/tiny.h5")
        try place.write("Weights/tiny.h5", Array(weights.dropLast(1000)))
        let cut = try place.zoo("run", card, "photos/a.jpg")
        #expect(cut.status == 65)
        #expect(
            cut.errors
                == "zoo: FOLDER/Weights/tiny.h5: the HDF5 file would end at byte \(weights.count), "
                + "but there are only \(weights.count - 1000); the file is cut off or damaged, copy it again.\n"
        )
        try FileManager.default.removeItem(atPath: place.path + "/Weights/tiny.h5")
        let missing = try place.zoo("run", card, "photos/a.jpg")
        #expect(missing.status == 66)
        #expect(
            missing.errors
                == "zoo: tiny: the file of weights 'FOLDER/Weights/tiny.h5' or 'FOLDER/data/zoo/Weights/tiny.h5' is missing. "
                + "How to get it: Train it.\n"
        )
    }

    /// Full-size models come without weights and say how to get them.
    @Test(arguments: ["show-and-tell", "neuraltalk2"]) func publishedModels(_ name: String) throws {
        let place = try workplace()
        let result = try place.zoo("run", name, "photos/a.jpg")
        guard result.status != 0 else { return }  // somebody has them
        #expect(result.status == 66)
        #expect(
            result.errors.hasPrefix(
                "zoo: \(name): the file of weights 'PROJECT/Weights/\(name).h5' or 'FOLDER/data/zoo/Weights/\(name).h5' is "
                    + "missing. How to get it: "
            ))
    }

    /// The names of classes are a file of their own, which may be missing.
    @Test func classesWithoutNames() throws {
        var model = TinyCaptioner()
        for (key, json) in [
            ("task", "\"image-classification\""), ("architecture", "\"ImageClassifier\""), ("hyperparameters", nil),
            ("decoding", nil), ("vocabulary", nil),
            ("answers", #"{"path": "../Weights/tiny.classes.txt", "size": 2, "how_to_get": "Write it."}"#),
        ] { model[key] = json }
        model.tensors = [("a.weight", [2, 3, 3, 3]), ("a.bias", [2])]
        let place = try workplace(model)
        let result = try place.zoo("run", card, "photos", "--nbest", "2")
        #expect(result.status == 0)
        #expect(result.lines.count == 6)
        #expect(
            result.lines.filter { !$0.hasPrefix("photos/") }.allSatisfy { $0.hasSuffix("  class 0") || $0.hasSuffix("  class 1") }
        )
        #expect(
            result.errors == "zoo: classes have numbers instead of names: tiny: the file of the answers "
                + "'FOLDER/Weights/tiny.classes.txt' or 'FOLDER/data/zoo/Weights/tiny.classes.txt' is missing. "
                + "How to get it: Write it.\n")
        let check = try place.zoo("check", card, "--level", "4")
        #expect(check.output.contains(": warning: answers.path: tiny: the file of the answers '"))
        try place.write("Weights/tiny.classes.txt", "cat\ndog\n")
        let named = try place.zoo("run", card, "photos/a.jpg")
        #expect(named.errors.isEmpty && ["cat", "dog"].contains(named.lines[0]))
    }

    // MARK: Options

    @Test(arguments: [
        (["--beam", "0"], "--beam: expected a whole number from 1 to 1000, found 0."),
        (["--set", "bean=4"], "--set bean=4: tiny has no such option; did you mean --set beam=…?"),
        (["--set", "zzzzz=4"], "--set zzzzz=4: tiny has no such option; leave it out."),
        (
            ["--set", "method=greedi"],
            "--set method=greedi: 'greedi' is not one of 'greedy', 'beam', 'sample'; did you mean 'greedy'?"
        ),
        (["--set", "beam=wide"], "--set beam=wide: an integer was expected, not a string."),
        (
            ["--set", "beam"],
            "--set beam: write key=value, as in --set max_length=12. See 'zoo run --help' for more information."
        ),
        (["--beam", "2", "--set", "beam=3"], "the option 'beam' is given twice; leave one out."),
        (
            ["--beam", "2", "--sample"],
            "--sample and --beam exclude each other; leave one out. See 'zoo run --help' for more information."
        ),
        (["--temperature=-1", "--sample"], "--temperature: a temperature must be above 0."),
        (["--question", "What?"], "tiny takes no question; leave --question out."),
        (["--threads", "0"], "--threads must be a number from 1 to 1024, not 0. See 'zoo run --help' for more information."),
        (["--bean", "2"], "Unknown option '--bean'. Did you mean '--beam'? See 'zoo run --help' for more information."),
    ])
    func wrongOptions(_ options: [String], _ sentence: String) throws {
        let result = try workplace().zoo(["run", card, "photos/a.jpg"] + options)
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(result.errors == "zoo: \(sentence)\n")
    }
}
