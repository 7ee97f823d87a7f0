import Foundation
import Media
import Testing

@Suite struct Cards {
    private let card = "ModelCards/tiny.json"

    /// One thing wrong each: the exact sentence of `zoo check`, and of `zoo show` where it reads as far.
    @Test(
        arguments: [
            ("x-note", "{", 65, "tiny.json:18:1: the text ends where ',' or '}' was expected."),
            ("summery", "\"?\"", 65, "tiny.json:16:1: summery: unknown key; did you mean 'summary'?"),
            ("tags", "\"a\"", 65, "tiny.json:16:9: tags: a list was expected, not a string."),
            ("title", "12", 65, "tiny.json:5:10: title: a string was expected, not a number."),
            ("title", nil, 65, "tiny.json:1:1: the key 'title' is missing."),
            ("vocabulary", nil, 65, "tiny.json:1:1: a card for image-captioning needs the key 'vocabulary'."),
            (
                "schema_version", "2", 65,
                "tiny.json:2:19: schema_version: this zoo reads cards up to version 1, and this one has version 2; update zoo."
            ),
            (
                "backbone", #"{"model": "tiny"}"#, 65,
                "tiny.json:12:23: backbone.model: the backbones go round in a circle: tiny → tiny; "
                    + "one of them must list its layers."
            ),
            (
                "backbone", #"{"model": "vgg-17", "tap": "fc7"}"#, 65,
                "tiny.json:12:23: backbone.model: there is no model 'vgg-17' to take the backbone from; did you mean 'vgg-16'?"
            ),
        ] as [(String, String?, Int32, String)])
    func refusal(_ key: String, _ json: String?, _ status: Int32, _ sentence: String) throws {
        let place = try Workplace()
        try TinyCaptioner().with(key, json).write(to: place)
        let result = try place.zoo("check", card, "--level", "3")
        #expect(result.status == status)
        #expect(result.errors == "zoo: ModelCards/\(sentence)\n")
    }

    /// What is the same for all of them is said once.
    @Test func figuresOfOneMeasurementStandTogether() throws {
        let result = try Workplace().zoo("show", "captioner")
        #expect(result.status == 0)
        #expect(result.lines.count { $0.contains("measured-here") } == 1)
        #expect(result.lines.contains { $0.wholeMatch(of: /\ +BLEU-4 0\.\d+/) != nil }, "\(result.output)")
    }

    @Test func unreadable() throws {
        let place = try Workplace()
        try place.write("folder.json/inside", "")
        try place.write("empty.json", "")
        for (arguments, status, sentence) in [
            (["check", "no.json"], 66, "no.json: cannot be read: No such file or directory."),
            (["show", "no.json"], 66, "no.json: cannot be read: No such file or directory."),
            (["check", "folder.json"], 66, "folder.json: cannot be read: it is a folder."),
            (["show", "empty.json"], 65, "empty.json:1:1: the text is empty; a JSON object was expected."),
            (["check", "captionr"], 66, "there is no model 'captionr'; did you mean 'captioner'?"),
        ] as [([String], Int32, String)] {
            let result = try place.zoo(arguments)
            #expect(result.status == status && result.output.isEmpty)
            #expect(result.errors == "zoo: \(sentence)\n")
        }
    }

    @Test func cycleOfTwo() throws {
        let place = try Workplace()
        try TinyCaptioner().with("backbone", #"{"model": "other"}"#).write(to: place)
        try place.write(
            "ModelCards/other.json", TinyCaptioner().with("name", "\"other\"").with("backbone", #"{"model": "tiny"}"#).text)
        let result = try place.zoo("run", "tiny", "a.jpg", "--cards", ".")
        #expect(result.status == 65)
        #expect(
            result.errors
                == "zoo: FOLDER/ModelCards/other.json:12:23: backbone.model: the backbones go round in a circle: "
                + "tiny → other → tiny; one of them must list its layers.\n"
        )
    }

    @Test func wrongDigest() throws {
        let place = try Workplace(), digest = String(repeating: "0", count: 64)
        try TinyCaptioner().with("vocabulary", #"{"path": "../Weights/tiny.words.txt", "sha256": "\#(digest)", "bytes": 37}"#)
            .write(to: place)
        let result = try place.zoo("check", card)
        let found = "4682089ffa138079951141192b6867827b3f092937cd715aa3070a0a99714c98"  // sha256sum
        #expect(result.status == 65)
        #expect(
            result.errors
                == "zoo: \(card):13:24: vocabulary.path: FOLDER/Weights/tiny.words.txt: has the SHA-256 \(found), "
                + "but its card says \(digest); get the file again, or correct the card.\n"
        )
        #expect(result.lines.last?.hasPrefix("tiny: not sound, 1 error, ") ?? false)
        #expect(result.output.contains("without tensors and examples"))
    }

    @Test func soundCard() throws {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        let result = try place.zoo("check", card)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines.last?.hasSuffix("; checked up to step 7 (style).") ?? false)
        let json = try JSONSerialization.jsonObject(with: Data(place.zoo("check", card, "--json").output.utf8)) as? [String: Any]
        #expect(json?["name"] as? String == "tiny" && json?["level"] as? Int == 7)
        #expect((json?["skippedLevels"] as? [Int])?.isEmpty ?? false)
    }

    /// Step 6 runs the examples.
    @Test func examples() throws {
        let place = try Workplace()
        try place.write("a.png", TinyCaptioner.picture.pngData())
        try TinyCaptioner().write(to: place)
        let said = try place.zoo("run", card, "a.png").lines[0]
        for (text, status) in [(said, 0), ("something else", 65)] as [(String, Int32)] {
            try TinyCaptioner().with("examples", #"[{"input": {"image": "../a.png"}, "expected": {"text": "\#(text)"}}]"#).write(
                to: place)
            let result = try place.zoo("check", card)
            #expect(result.status == status)
            let sentence = "zoo: \(card):16:59: examples[0].expected: the model says '\(said)' instead of 'something else'.\n"
            #expect(result.errors == (status == 0 ? "" : sentence))
        }
    }

    @Test func showAndList() throws {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        let text = try place.zoo("show", card)
        #expect(text.status == 0)
        #expect(text.lines.first == "Tiny (tiny 1.0.0)")
        #expect(text.output.contains("Weights       FOLDER/Weights/tiny.h5"))
        let json = try JSONSerialization.jsonObject(with: Data(place.zoo("show", card, "--json").output.utf8)) as? [String: Any]
        #expect(json?["name"] as? String == "tiny")
        #expect((json?["x-files"] as? [[String: Any]])?.compactMap { $0["present"] as? Bool } == [true, true])

        let list =
            try JSONSerialization.jsonObject(
                with: Data(place.zoo("list", "--task", "image-captioning", "--json", "--cards", ".").output.utf8))
            as? [[String: Any]]
        let names = try #require(list).compactMap { $0["name"] as? String }
        #expect(names == names.sorted() && names.contains("tiny") && names.contains("captioner"))
        #expect(try #require(list).allSatisfy { $0["task"] as? String == "image-captioning" && $0.keys.count == 15 })
        let table = try place.zoo("list", "--cards", ".")
        #expect(table.lines[0].split(separator: " ") == ["NAME", "TASK", "TAKES", "PARAMETERS", "SIZE", "WEIGHTS", "SUMMARY"])
        let row = try #require(table.lines.first { $0.hasPrefix("tiny ") })
        #expect(
            row.split(separator: " ").prefix(4) == ["tiny", "image-captioning", "image", "?"]
                && row.contains(" here     A captioner"))
    }

    /// A card that cannot be read hides no other.
    @Test func brokenCardInAList() throws {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        try place.write("ModelCards/broken.json", "{")
        let result = try place.zoo("list", "--cards", ".")
        #expect(result.status == 65)
        #expect(result.output.contains("\ntiny "))
        #expect(result.errors == "zoo: FOLDER/ModelCards/broken.json:1:2: the text ends where a key or '}' was expected.\n")
    }

    @Test func registering() throws {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        let refused = try place.zoo("register", card)
        #expect(
            refused.status == 65
                && refused.errors.contains("'../Weights/tiny.h5' cannot be registered without its digest; add \"sha256\": \""))
        // The sentence tells what to add.
        func entry(_ errors: String) -> String {
            let start = errors.range(of: "add ")!.upperBound
            return String(errors[start...].dropLast(2))
        }
        var model = TinyCaptioner().with("weights", #"[{"path": "../Weights/tiny.h5", \#(entry(refused.errors))}]"#)
        try model.write(to: place)
        model["vocabulary"] = #"{"path": "../Weights/tiny.words.txt", \#(entry(try place.zoo("register", card).errors))}"#
        try model.write(to: place)
        let done = try place.zoo("register", card)
        #expect(done.status == 0 && done.errors.isEmpty)
        #expect(done.lines.first == "Registered 'tiny': FOLDER/data/zoo/tiny/ModelCards/tiny.json")
        try place.write("a.png", TinyCaptioner.picture.pngData())
        #expect(try place.zoo("run", "tiny", "a.png").status == 0)

        let again = try place.zoo("register", card)
        #expect(again.status == 73)
        #expect(
            again.errors
                == "zoo: 'tiny' is registered already (FOLDER/data/zoo/tiny); use --replace to put the new one in its place.\n")
        #expect(
            try place.zoo("register", card, "--replace").lines.first
                == "Replaced 'tiny': FOLDER/data/zoo/tiny/ModelCards/tiny.json")
        #expect(try place.zoo("unregister", "tiny").output == "Removed 'tiny': FOLDER/data/zoo/tiny\n")
        let gone = try place.zoo("unregister", "tiny")
        #expect(gone.status == 66 && gone.errors == "zoo: 'tiny' is not in the user's catalogue, and nowhere else.\n")
        let shipped = try place.zoo("unregister", "captioner")
        #expect(shipped.status == 66)
        #expect(
            shipped.errors
                == "zoo: 'captioner' is not in the user's catalogue: "
                + "it belongs to PROJECT/ModelCards/captioner.json and stays there.\n"
        )
    }

    @Test func schema() throws {
        let result = try Workplace().zoo("schema")
        #expect(result.status == 0)
        #expect(
            result.output == (try String(contentsOfFile: Project.root + "/ModelCards/schema/model-card-1.json", encoding: .utf8)))
    }
}
