import Foundation
import Media
import Testing

/// `zoo run` and `zoo eval` with models of regions.
@Suite struct DescribingRegions {
    private func workplace() throws -> Workplace {
        let place = try Workplace()
        try TinyRegions().write(to: place)
        for name in ["photos/a.png", "photos/b.png"] { try place.write(name, TinyCaptioner.picture.pngData()) }
        return place
    }

    /// A place where a captioner is "tiny".
    private func captioner() throws -> Workplace {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        try place.write("photos/a.png", TinyCaptioner.picture.pngData())
        return place
    }

    private let card = "ModelCards/tiny.json", photo = "photos/a.png"

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    // MARK: Text and JSON

    @Test func everyRegionIsALine() throws {
        let place = try workplace()
        let result = try place.zoo("run", card, photo)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect((1...4).contains(result.lines.count))
        for line in result.lines {
            #expect(line.wholeMatch(of: /[01]\.\d\d  \( *-?\d+, *-?\d+, *\d+, *\d+\)  .*/) != nil, "\(line)")
        }
        let probabilities = result.lines.compactMap { Double($0.prefix(4)) }
        #expect(probabilities == probabilities.sorted(by: >))
        #expect(try place.zoo("run", card, photo, "--top", "1").lines == Array(result.lines.prefix(1)))
        let both = try place.zoo("run", card, photo, "photos/b.png")
        let indented = result.lines.map { "  " + $0 }
        #expect(both.lines == ["photos/a.png:"] + indented + ["photos/b.png:"] + indented)
    }

    @Test func jsonHasRegions() throws {
        let result = try workplace().zoo("run", card, photo, "--json")
        let regions = try #require(object(result.output)["regions"] as? [[String: Any]])
        #expect(result.status == 0 && !regions.isEmpty)
        for region in regions { #expect(Set(region.keys) == ["text", "logProbability", "score", "box"]) }
    }

    @Test func helpHasExamples() throws {
        #expect(try workplace().zoo("run", "--help").output.contains("zoo run densecap photo.jpg --overlay regions.png"))
        #expect(try workplace().zoo("eval", "--help").output.contains("zoo eval densecap --data flickr8k --baseline random"))
    }

    // MARK: Given boxes

    @Test func boxesAreDescribedInTheirOrder() throws {
        let place = try workplace()
        try place.write("boxes.json", #"[[30, 20, 30, 20], {"x": 0, "y": 1.5, "width": 10, "height": 12}, [-5, -5, 70, 50]]"#)
        let result = try place.zoo("run", card, photo, "--boxes", "boxes.json", "--json")
        #expect(result.status == 0 && result.errors.isEmpty)
        let regions = try #require(object(result.output)["regions"] as? [[String: Any]])
        let boxes = regions.compactMap { $0["box"] as? [String: Double] }
        #expect(boxes.map { $0["x"] } == [30, 0, -5] && boxes.map { $0["y"] } == [20, 1.5, -5])
        #expect(boxes.map { $0["width"] } == [30, 10, 70] && boxes.map { $0["height"] } == [20, 12, 50])
    }

    static let boxes: [(text: String, sentence: String)] = [
        ("[]", "boxes.json: there is no box in the list; write one, as in [[10, 20, 100, 50]]."),
        ("{}", "boxes.json: expected a list of boxes, as in [[10, 20, 100, 50]]."),
        (
            "[[1, 2, 3, 4],\n [1, 2, 3]]",
            "boxes.json:2:2: box 2: expected four numbers, [x, y, w, h] or {\"x\", \"y\", \"width\", \"height\"}, not [1, 2, 3]."
        ),
        (
            #"[{"x": 1, "y": 2, "w": 3, "height": 4}]"#,
            "boxes.json:1:2: box 1: expected four numbers, [x, y, w, h] or {\"x\", \"y\", \"width\", \"height\"}, "
                + "not {\"x\": 1, \"y\": 2, \"w\": 3, \"height\": 4}."
        ),
        (
            #"[[1, "2", 3, 4]]"#,
            "boxes.json:1:2: box 1: expected four numbers, [x, y, w, h] or {\"x\", \"y\", \"width\", \"height\"}, "
                + "not [1, \"2\", 3, 4]."
        ),
        ("[[1, 2, 3, 0]]", "boxes.json:1:2: box 1: has no area; width and height must be greater than 0."),
        (
            "[[1, 2, 3, 4], [60, 2, 3, 4]]",
            "boxes.json:1:16: box 2: lies outside of the picture, which is 60×40 pixels; correct it."
        ),
    ]

    @Test(arguments: boxes.indices) func wrongBoxesAreNamed(_ row: Int) throws {
        let place = try workplace(), (text, sentence) = Self.boxes[row]
        try place.write("boxes.json", text)
        let result = try place.zoo("run", card, photo, "--boxes", "boxes.json")
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(result.errors == "zoo: \(sentence)\n")
    }

    @Test func unreadableBoxes() throws {
        let place = try workplace()
        let missing = try place.zoo("run", card, photo, "--boxes", "missing.json")
        #expect(missing.status == 66 && missing.errors.hasPrefix("zoo: missing.json"))
        try place.write("boxes.json", "[[1, 2")
        let cut = try place.zoo("run", card, photo, "--boxes", "boxes.json")
        #expect(cut.status == 65 && cut.errors.hasPrefix("zoo: boxes.json:1:"))
        #expect(cut.errors.split(separator: "\n").count == 1)
    }

    // MARK: The viewer's file

    @Test func viewerResults() throws {
        let place = try workplace()
        let result = try place.zoo("run", card, photo, "missing.png", "photos/b.png", "--format", "densecap-vis")
        #expect(result.status == 65)
        #expect(result.errors == "zoo: missing.png: there is no such file; check the path.\n")
        let object = try object(result.output)
        #expect(Set(object.keys) == ["results", "opt"])
        #expect((object["opt"] as? [String: Any])?["model"] as? String == "tiny")
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.map { $0["img_name"] as? String } == ["a.png", "b.png"])
        let json = try self.object(try place.zoo("run", card, photo, "--json").output)
        let regions = try #require(json["regions"] as? [[String: Any]])
        for one in results {
            #expect(Set(one.keys) == ["img_name", "boxes", "scores", "captions"])
            #expect(one["captions"] as? [String] == regions.compactMap { $0["text"] as? String })
            #expect(one["scores"] as? [Double] == regions.compactMap { $0["score"] as? Double })
            let boxes = try #require(one["boxes"] as? [[Double]])
            for (numbers, region) in zip(boxes, regions) {
                let box = try #require(region["box"] as? [String: Double])
                #expect(numbers == ["x", "y", "width", "height"].compactMap { box[$0] })
            }
        }
        let written = try place.zoo("run", card, "photos", "--format", "densecap-vis", "--out", "results.json")
        #expect(written.status == 0 && written.output.isEmpty)
        #expect(try String(decoding: place.bytes("results.json"), as: UTF8.self) == result.output)
    }

    // MARK: Pictures

    @Test func overlayIsADrawing() throws {
        let place = try workplace()
        let result = try place.zoo("run", card, photo, "--overlay", "regions.png")
        #expect(result.status == 0 && !result.lines.isEmpty)
        let drawn = try Image(contentsOf: place.path + "/regions.png")
        #expect(drawn.width == 960 && drawn.height == 640)
        let plain = TinyCaptioner.picture.resized(width: 960, height: 640)
        #expect(drawn != plain)
    }

    // MARK: What does not go together

    static let refused: [(arguments: [String], sentence: String)] = [
        (
            ["photos/a.png", "--format", "densecap-vis", "--json"],
            "--format densecap-vis and --json exclude each other; leave one out."
        ),
        (["photos", "--boxes", "boxes.json"], "--boxes is for one picture; name a single file."),
        (["photos", "--overlay", "x.png"], "--overlay is for one picture; name a single file."),
        (["photos/a.png", "-q", "what"], "tiny takes no question; leave --question out."),
    ]

    @Test(arguments: refused.indices) func combinationsAreRefused(_ row: Int) throws {
        let place = try workplace(), (arguments, sentence) = Self.refused[row]
        try place.write("boxes.json", "[[1, 2, 3, 4]]")
        let result = try place.zoo(["run", card] + arguments)
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(result.errors == "zoo: \(sentence)\n")
    }

    @Test func otherModelsRefuse() throws {
        let place = try captioner()
        try place.write("boxes.json", "[[1, 2, 3, 4]]")
        for (option, value) in [("--boxes", "boxes.json"), ("--format", "densecap-vis")] {
            let result = try place.zoo("run", card, photo, option, value)
            #expect(result.status == 64 && result.output.isEmpty)
            #expect(result.errors == "zoo: tiny describes no regions; leave \(option) out.\n")
        }
        let measured = try place.zoo("eval", card, "--data", "photos", "--baseline", "random")
        #expect(measured.status == 64)
        #expect(measured.errors == "zoo: tiny describes no regions; leave --baseline out.\n")
        #expect(try place.zoo("run", card, photo, "--format", "svg").status == 64)
        #expect(try place.zoo("run", card, photo, "--out", "x.json").status == 64)
    }

    // MARK: Measuring

    private func data(_ place: Workplace) throws {
        for name in ["a", "b", "c"] { try place.write("data/images/\(name).png", TinyCaptioner.picture.pngData()) }
        try place.write("data/train.txt", "a.png\n")
        try place.write("data/dev.txt", "b.png\nc.png\n")
        let regions = #"[{"entity": "1", "boxes": [[0, 0, 30, 40], [10, 5, 60, 40]], "phrases": ["a dog", "dog"]}]"#
        try place.write(
            "data/regions.json",
            "["
                + ["a", "b", "c"].map { #"{"image": "\#($0).png", "W": 60, "H": 40, "regions": \#(regions)}"# }
                .joined(separator: ",") + "]")
    }

    @Test func measuresRegions() throws {
        let place = try workplace()
        try data(place)
        let result = try place.zoo(
            "eval", card, "--data", "data", "--baseline", "random", "--write-card", "--captions", "said.jsonl")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.hasPrefix("tiny on Flickr8k val, 2 photos, METEOR-like"))
        for name in ["mAP, METEOR-like", "AP at IoU 0.5, boxes only", "recall@100 of proposals", "random boxes: mAP"] {
            #expect(result.lines.contains { $0.hasPrefix(name) }, "\(name)")
        }
        let lines = try String(decoding: place.bytes("said.jsonl"), as: UTF8.self).split(separator: "\n")
        let said = try lines.map { try object(String($0)) }
        #expect(said.map { $0["image"] as? String } == ["b.png", "c.png"])
        #expect(said.allSatisfy { ($0["regions"] as? [[String: Any]])?.isEmpty == false })
        let written = try object(String(decoding: place.bytes(card), as: UTF8.self))
        let metrics = try #require(written["metrics"] as? [[String: Any]])
        #expect(metrics.contains { $0["name"] as? String == "mAP, METEOR-like" })
        // What the model itself reaches.
        #expect(!metrics.contains { ($0["name"] as? String)?.hasPrefix("random boxes") == true })
        #expect(try place.zoo("check", card).status == 0)

        let measuring = ["eval", card, "--data", "data", "--json", "--limit", "1", "--baseline", "random"]
        let json = try place.zoo(measuring)
        let scores = try object(json.output)
        #expect(scores["images"] as? Int == 1 && scores["markedBoxes"] as? Int == 2)
        #expect((scores["cells"] as? [Any])?.count == 30)
        let other = try #require(scores["randomBoxes"] as? [String: Any])
        #expect(other["detections"] as? Int == scores["detections"] as? Int)
        // The same boxes every time.
        #expect(try place.zoo(measuring).output == json.output)
        #expect(try object(place.zoo("eval", card, "--data", "data", "--json").output)["randomBoxes"] == nil)
    }

    // MARK: Training

    /// A backbone that is trained from nothing, since the tiny one has no weights of its own.
    private static let recipe =
        #"{"epochs": 2, "batch": 2, "optimizer": {"kind": "adam", "learning_rate": 0.01}, "backbone": "trained", "min_count": 1}"#

    @Test func trains() throws {
        let place = try workplace()
        try data(place)
        try place.write("recipe.json", Self.recipe)
        let train = ["train", card, "--data", "data", "--recipe", "recipe.json", "--out", "new.h5", "--json"]
        let result = try place.zoo(train)
        #expect(result.status == 0, "\(result.errors)")
        let names = ["box decay", "boxes", "captions", "objectness", "proposal boxes", "proposal objectness"]
        for line in result.lines {
            let losses = try #require(try object(line)["losses"] as? [String: Double])
            #expect(losses.keys.sorted() == names)
        }
        #expect(result.lines.count == 2)
        #expect(try place.zoo("eval", card, "--data", "data", "--weights", "new.h5").status == 0)
        // The same command is done; another recipe is not to be had at this one's cost.
        #expect(try place.zoo(train).status == 0)
        let other = try place.zoo(train + ["--epochs", "3"])
        #expect(other.status == 64 && other.errors.contains("new.training.h5: is the state of another training"))
        #expect(try place.zoo(train + ["--epochs", "3", "--fresh"]).lines.count == 3)
    }

    /// Every loss is on the line, on a narrow terminal by its initials.
    @Test(arguments: [
        (80, #"[12]/2 +bd \S+ b \S+ c \S+ o \S+ pb \S+ po \S+ +\d+:\d\d"#), (220, #"captions \d+\.\d{3}, objectness"#),
    ])
    func progressLine(_ columns: Int, _ expected: String) throws {
        let place = try workplace(), terminal = try Terminal(columns: UInt16(columns))
        try data(place)
        try place.write("recipe.json", Self.recipe)
        let result = try place.zoo(
            ["train", card, "--data", "data", "--recipe", "recipe.json", "--out", "new.h5"], errors: terminal.program)
        let screen = terminal.text()
        let line = try screen.firstMatch(of: Regex(expected))
        #expect(result.status == 0 && line != nil, "\(screen)")
    }

    @Test func sentencesOfItsOwnTeachNothing() throws {
        let place = try workplace()
        try data(place)
        try place.write(
            "recipe.json",
            Self.recipe.replacingOccurrences(
                of: #""backbone": "trained""#, with: #""self_critical": {"epochs": 1, "learning_rate": 0.1, "samples": 2}"#))
        let result = try place.zoo("train", card, "--data", "data", "--recipe", "recipe.json")
        #expect(result.status == 65 && result.errors.hasPrefix("zoo: recipe.json: self_critical: "))
    }

    @Test func namesWhatTheDataLacks() throws {
        let place = try workplace()
        let none = try place.zoo("eval", card, "--data", "photos")
        #expect(none.status == 65 && none.errors.contains("photos: holds no regions that are known; expected one of: Flickr8k"))
        #expect(try place.zoo("eval", card, "--data", "nowhere").status == 66)
        try data(place)
        let split = try place.zoo("eval", card, "--data", "data", "--split", "test")
        #expect(split.status == 66 && split.errors.contains("it has train, val"))
    }
}
