import Foundation
import Media
import Testing

/// `zoo run`, `eval` and `train` with videos, which are folders of frames here.
@Suite struct Watching {
    private let card = "ModelCards/tiny.json"

    /// `clips/dark` and `clips/light` hold six frames each.
    private func workplace(_ model: TinyVideo = TinyVideo()) throws -> Workplace {
        let place = try Workplace()
        try model.write(to: place)
        for (name, light) in [("dark", 20), ("light", 200)] { try clip("clips/\(name)", light, in: place) }
        return place
    }

    private func clip(_ name: String, _ light: Int, in place: Workplace) throws {
        for t in 0..<6 {
            let gray = UInt8(light + 5 * t)
            try place.write("\(name)/\(t).png", Image(width: 12, height: 10, color: Color(gray, gray, UInt8(t * 40))).pngData())
        }
    }

    private func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func classesAndStory() throws {
        let result = try workplace().zoo("run", card, "clips/dark")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines.count == 3)
        #expect(result.lines[0].wholeMatch(of: /\ {3}0\.\d{4} {2}(dark|light)/) != nil, "\(result.lines[0])")
        #expect(result.lines[2].hasPrefix("           over time: "))
        let top = try workplace().zoo("run", card, "clips/dark", "--top", "1")
        #expect(top.lines.count == 2 && top.lines[0] == result.lines[0])
    }

    @Test func json() throws {
        let result = try workplace().zoo("run", card, "clips/light", "--json")
        let said = try object(result.lines[0]), steps = try #require(said["steps"] as? [[String: Any]])
        // The middles of four parts of six frames, at 25 frames a second: 0, 2, 3, 5.
        #expect(steps.compactMap { $0["time"] as? Double }.map { ($0 * 25).rounded() } == [0, 2, 3, 5])
        let alternatives = try #require(said["alternatives"] as? [[String: Any]])
        #expect(alternatives.compactMap { $0["probability"] as? Double }.reduce(0, +).rounded() == 1)
        #expect(said["text"] as? String == alternatives[0]["text"] as? String)
        #expect(said["decided"] is Double && said["opinions"] is [[String: Any]])
    }

    @Test func every() throws {
        let place = try workplace()
        func count(_ interval: String) throws -> Int? {
            let result = try place.zoo("run", card, "clips/dark", "--json", "--every", interval)
            return (try object(result.lines[0])["steps"] as? [[String: Any]])?.count
        }
        #expect(try count("1f") == 6)
        #expect(try count("2f") == 3)
        #expect(try count("0.08s") == 3)
        #expect(try count("80ms") == 3)
        #expect(try count("100") == 1)
    }

    @Test func timeline() throws {
        let place = try workplace(), result = try place.zoo("run", card, "clips/dark", "--timeline", "out.png")
        #expect(result.status == 0)
        let picture = try Image(contentsOf: place.path + "/out.png")
        #expect(picture.width == 1280)
        // The frames' grey, the two curves' colours, and white paper.
        func count(_ color: Color) -> Int {
            (0..<picture.height).reduce(0) { sum, y in sum + (0..<picture.width).count { picture[$0, y] == color } }
        }
        #expect(count(.white) > 300_000)
        #expect(count(Color(0, 114, 178)) > 500 && count(Color(213, 94, 0)) > 500)
    }

    @Test func severalClips() throws {
        let place = try workplace()
        let result = try place.zoo("run", card, "clips/dark", "clips/light", "nowhere.mp4", "--json")
        #expect(result.status == 65 && result.lines.count == 3)
        #expect(try object(result.lines[2])["error"] as? String == "nowhere.mp4: there is no such file; check the path.")
        // Inside of a folder they are found, if that is wanted.
        #expect(try place.zoo("run", card, "clips", "--recursive", "--json").lines.count == 2)
    }

    @Test(arguments: [
        (["clips"], 66, "clips: there is no video and no frame of one in this folder; name another one, or add --recursive"),
        (["nowhere.mp4"], 66, "nowhere.mp4: there is no such file; check the path."),
        (["empty.mp4"], 65, "empty.mp4: is empty (0 bytes); copy or download it again."),
        (["clips/dark", "--every", "0"], 64, "--every must be seconds from 0.001s to 86400s, milliseconds (200ms) or frames"),
        (["clips/dark", "--every", "often"], 64, "--every must be seconds"),
        (["clips/dark", "clips/light", "--timeline", "a.png"], 64, "--timeline is for one video; name a single file."),
        (["clips/dark", "--timeline", "a.jpg"], 64, "--timeline: a.jpg would be a PNG file; end its name in .png."),
        (["clips/dark", "--timeline", "none/a.png"], 73, "none/a.png: cannot be written, because its folder is not there"),
        (["clips/dark", "--question", "why?"], 64, "tiny takes no question; leave --question out."),
        (["clips/dark", "--overlay", "a.png"], 64, "tiny does not say where it looks; leave --overlay out."),
    ]) func refusals(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
        let place = try workplace()
        try place.write("empty.mp4", "")
        let result = try place.zoo(["run", card] + arguments)
        #expect(result.status == status && result.output.isEmpty)
        #expect(result.errors.hasPrefix("zoo: \(sentence)"), "\(result.errors)")
        #expect(result.errors.count { $0 == "\n" } == 1)
    }

    /// A picture is damaged midway: what comes before it does not make an answer.
    @Test func damagedFrame() throws {
        let place = try workplace()
        try place.write("clips/dark/3.png", "not a picture")
        let result = try place.zoo("run", card, "clips/dark")
        #expect(result.status == 65 && result.output.isEmpty && result.errors.hasPrefix("zoo: clips/dark/3.png: "))
    }

    @Test func photosAreNoVideos() throws {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        let result = try place.zoo("run", card, "a.png", "--every", "1s")
        #expect(result.status == 64)
        #expect(result.errors == "zoo: tiny watches no videos; leave --every and --timeline out.\n")
        #expect(try place.zoo("eval", card, "--data", ".", "--fold", "1/5").status == 64)
        let order = try place.zoo("eval", card, "--data", ".", "--frame-order", "reversed")
        #expect(order.status == 64 && order.errors == "zoo: tiny watches no videos; leave --frame-order out.\n")
        #expect(try place.zoo("train", card, "--data", ".", "--folds", "5").status == 64)
    }

    @Test(arguments: [
        (["eval", "ModelCards/tiny.json", "--data", ".", "--fold", "6/5"], "--fold is a part and how many there are, as in 2/5"),
        (["train", "ModelCards/tiny.json", "--data", ".", "--fold", "2"], "--fold is a part and how many there are, as in 2/5"),
        (["train", "ModelCards/tiny.json", "--data", ".", "--folds", "1"], "--folds must be from 2 to 1000, not 1"),
        (
            ["train", "ModelCards/tiny.json", "--data", ".", "--folds", "2", "--fold", "1/2"],
            "--fold and --folds exclude each other"
        ),
    ]) func foldOptions(_ arguments: [String], _ sentence: String) throws {
        let result = try workplace().zoo(arguments)
        #expect(result.status == 64 && result.errors.hasPrefix("zoo: \(sentence)"), "\(result.errors)")
    }

    @Test func unknownOrder() throws {
        let result = try workplace().zoo("eval", card, "--data", "clips", "--frame-order", "sideways")
        #expect(result.status == 64 && result.errors.contains("--frame-order"))
    }

    @Test func noData() throws {
        let place = try workplace()
        for command in [["eval"], ["train"]] {
            let result = try place.zoo(command + [card, "--data", "clips"])
            #expect(result.status == 66, "\(result.errors)")
            #expect(result.errors.contains("clips: holds no videos of the classes dark, light."), "\(result.errors)")
        }
    }
}

/// The shipped model of directions on the clips that it was not trained on.
@Suite(.enabled(if: MovingShapes.areHere, "needs ../shared/data/moving-shapes")) struct DirectionsOfMotion {
    /// Backwards everything moves the other way, and of shuffled frames only the axis can be told.
    @Test(arguments: [("", 0.95...1), ("reversed", 0...0.15), ("shuffled", 0.35...0.7)])
    func orderIsWhatItLearnt(_ order: String, _ expected: ClosedRange<Double>) throws {
        let card = Project.root + "/ModelCards/motion-lstm.json"
        let options = order.isEmpty ? [] : ["--frame-order", order]
        let result = try Workplace().zoo(["eval", card, "--data", MovingShapes.path, "--limit", "150", "--json"] + options)
        #expect(result.status == 0, "\(result.errors)")
        let scores = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        let accuracy = try #require(scores?["top1"] as? Double)
        #expect(expected.contains(accuracy), "\(accuracy)")
    }
}

private enum MovingShapes {
    static let path = URL(fileURLWithPath: Project.root + "/../shared/data/moving-shapes").standardizedFileURL.path
    static let areHere = FileManager.default.fileExists(atPath: path)
}
