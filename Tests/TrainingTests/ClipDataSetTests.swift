import Foundation
import Testing
import Training

@Suite struct ClipDataSets {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("zoo-clips-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func write(_ name: String, _ text: String = "") throws {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    @Test func foldersAreClasses() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["fight/b.mp4", "fight/a.MP4", "noFight/c.avi", "high_jump/d.gif", "notes/e.txt", "readme.mp4"] {
            try write(name)
        }
        let set = try ClipDataSet(folder: folder)
        #expect(set.clips.map(\.name) == ["fight/a.MP4", "fight/b.mp4", "high_jump/d.gif", "noFight/c.avi"])
        #expect(set.clips.map(\.label) == ["fight", "fight", "high jump", "no fight"])
        #expect(set.classes == ["fight", "high jump", "no fight"])
        #expect(try ClipDataSet(folder: folder, classes: ["no fight"]).clips.map(\.name) == ["noFight/c.avi"])
        #expect(
            message { _ = try ClipDataSet(folder: folder, classes: ["golf"]) }
                == "\(folder.path): holds no videos of the classes golf.")
    }

    @Test func questionsForDirections() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for n in [0, 2] { try write("clips/\(n).gif") }
        try write(
            "questions.json",
            #"[["what direction does it move?", "up", 0], ["what is red?", "circle", 0], ["which direction?", "left", 2]]"#)
        #expect(try ClipDataSet(folder: folder).clips.map(\.label) == ["up", "left"])
        try write("questions.json", #"[["what direction?", "up", 1]]"#)
        #expect(message { _ = try ClipDataSet(folder: folder) } == "\(folder.path): the image 'clips/1.gif' is missing.")
        try write("questions.json", #"[["what direction?", 1, 1]]"#)
        #expect(message { _ = try ClipDataSet(folder: folder) }?.hasPrefix("\(folder.path)/questions.json: is not what") == true)
    }

    @Test func nothingThere() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(message { _ = try ClipDataSet(folder: folder) }?.contains("holds no videos in folders of classes") == true)
        #expect(message { _ = try ClipDataSet(folder: folder.appendingPathComponent("none")) } != nil)
    }

    /// Every clip is held back once, and every part has its share of every class.
    @Test func folds() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for n in 0..<25 {
            try write("a/\(n).mp4")
            try write("b/\(n).mp4")
        }
        let set = try ClipDataSet(folder: folder), parts = (1...5).map { set.divided(.init($0, of: 5)) }
        #expect(parts.flatMap(\.held).map(\.name).sorted() == set.clips.map(\.name))
        for (others, held) in parts {
            #expect(held.count { $0.label == "a" } == 5 && held.count { $0.label == "b" } == 5)
            #expect(Set(others.map(\.name)).isDisjoint(with: held.map(\.name)) && others.count == 40)
        }
        // The same in every run and on every machine.
        #expect(set.divided(.standard).held.map(\.name) == set.divided(.init(1, of: 5)).held.map(\.name))
    }

    private func message(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }
}

@Suite struct ClipScoreTests {
    /// Worked by hand: ranks by confidence are right, wrong, right, wrong, right; three labels, all found.
    @Test func globalAveragePrecision() {
        let guesses: [[(confidence: Float, isRight: Bool)]] = [
            [(0.9, true), (0.3, false)], [(0.8, false), (0.2, true)], [(0.5, true)],
        ]
        let expected = (1.0 / 1 + 2.0 / 3 + 3.0 / 5) / 3
        #expect(abs(ClipScores.globalAveragePrecision(guesses, positives: 3) - expected) < 1e-12)
        // A label that nobody guessed counts as missed.
        #expect(abs(ClipScores.globalAveragePrecision(guesses, positives: 4) - expected * 3 / 4) < 1e-12)
        // Only the best guess of each: right, wrong, right.
        let shallow = ClipScores.globalAveragePrecision(guesses, positives: 3, depth: 1)
        #expect(abs(shallow - (1.0 + 2.0 / 3) / 3) < 1e-12)
        #expect(ClipScores.globalAveragePrecision([], positives: 0) == 0)
    }

    @Test func accuracies() {
        func answer(_ truth: String, _ guess: String) -> ClipScores.Answer {
            .init(truth: truth, guesses: [(label: guess, confidence: Float(1))])
        }
        let scores = ClipScores([answer("a", "a"), answer("a", "a"), answer("a", "b"), answer("b", "a")])
        #expect(scores.clips == 4 && scores.top1 == 0.5 && scores.mostFrequent == 0.75)
        #expect(abs(scores.meanPerClass - (2.0 / 3 + 0) / 2) < 1e-12)
    }
}
