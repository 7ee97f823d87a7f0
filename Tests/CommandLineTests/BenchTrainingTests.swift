import Foundation
import Testing

@Suite struct BenchTraining {
    private let card = "ModelCards/tiny.json"

    private func workplace() throws -> Workplace {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        return place
    }

    @Test func jsonHasEverything() throws {
        let result = try workplace().zoo(
            "bench", card, "--training", "--repetitions", "3", "--batch", "2", "--threads", "1", "--json")
        #expect(result.status == 0 && result.errors.isEmpty)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(json["model"] as? String == "tiny" && json["input"] as? [Int] == [2, 8, 8, 3])
        #expect(json["repetitions"] as? Int == 3 && json["threads"] as? Int == 1)
        #expect((json["milliseconds"] as? [String: Double])?["median"] ?? 0 > 0)
        #expect(json["gradientNorm"] as? Double ?? 0 > 0)
        // The loss is a mean of squares, so small steps down its gradient make it smaller.
        let losses = try #require(json["losses"] as? [Double])
        #expect(losses.count == 3 && losses[1] < losses[0] && losses[2] < losses[1])
    }

    @Test func textNamesTheFigures() throws {
        let result = try workplace().zoo("bench", card, "--training", "--repetitions", "2")
        #expect(result.status == 0 && result.errors.isEmpty)
        for word in ["tiny: training on 1×8×8×3, ", "Step ", "Pictures ", "Loss "] {
            #expect(result.lines.contains { $0.contains(word) })
        }
    }

    @Test(arguments: [["--layers"], ["--cold"], ["--save-output", "y.npy"]])
    func excludesWhatItDoesNotMeasure(_ options: [String]) throws {
        let result = try workplace().zoo(["bench", card, "--training"] + options)
        #expect(result.status == 64 && result.errors.contains("--training times whole steps"))
    }
}
