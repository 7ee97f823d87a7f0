import Foundation
import Testing
import Training

struct DenseCapScoresTests {
    private typealias Box = DenseCapScores.Box

    private let matching = METEORMatching(synonyms: nil)

    private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> DenseCapScores.Box {
        .init(x1: x, y1: y, x2: x + width, y2: y + height)
    }

    @Test func overlaps() {
        #expect(box(0, 0, 10, 10).iou(box(0, 0, 10, 10)) == 1)
        #expect(box(0, 0, 10, 10).iou(box(5, 0, 10, 10)) == 50.0 / 150)
        #expect(box(0, 0, 10, 10).iou(box(10, 0, 10, 10)) == 0)
        #expect(box(0, 0, 0, 0).iou(box(0, 0, 0, 0)) == 0)
    }

    // MARK: Worked examples

    /// Three boxes; the second detection repeats the first, the third says something else, the fourth is beside everything.
    @Test func workedExample() throws {
        let image = DenseCapScores.Image(
            marked: [
                .init(box: box(0, 0, 10, 10), phrases: ["a red ball"]), .init(box: box(20, 0, 10, 10), phrases: ["two dogs"]),
                .init(box: box(40, 0, 10, 10), phrases: ["the grass"]),
            ],
            detections: [
                .init(box: box(50, 50, 5, 5), score: -1, phrase: "the grass"),
                .init(box: box(20, 0, 10, 8), score: 1, phrase: "a cat"),
                .init(box: box(0, 0, 10, 10), score: 3, phrase: "a red ball"),
                .init(box: box(0, 0, 10, 9), score: 2, phrase: "a red ball"),
            ], proposals: [box(20, 0, 10, 5), box(40, 0, 10, 4), box(0, 0, 10, 10)])
        let scores = try DenseCapScores([image], matching: matching, recallAt: 2)
        // Right at every threshold: the first of three. Precision 1 up to the recall 1/3: t = 0 … 0.33.
        #expect(scores.cells.count == 30)
        for cell in scores.cells { #expect(abs(cell.averagePrecision - 34.0 / 101) < 1e-12) }
        #expect(abs(scores.meanAveragePrecision - 34.0 / 101) < 1e-12)
        // Whatever is said: also the third, with a precision of 2/3 up to the recall 2/3: t = 0.34 … 0.66.
        for cell in scores.localization { #expect(abs(cell.averagePrecision - (34 + 33 * 2.0 / 3) / 101) < 1e-12) }
        // An IoU of 0.5 is enough, 0.4 is not; the third proposal is not among the best two.
        let recall = try #require(scores.proposalRecall)
        #expect(recall.boxes == 2 && recall.marked == 1.0 / 3 && recall.merged == 1.0 / 3)
        #expect(scores.detectionRecall.marked == 1.0 / 3)
        #expect(scores.markedBoxes == 3 && scores.mergedBoxes == 3 && scores.detections == 4 && scores.images == 1)
        #expect(scores.distinctPhrases == 3)
        #expect(scores.meanMatching == 0.5)
    }

    /// The surer detection takes the box, although its IoU is too low.
    @Test func aBoxIsTakenWhateverTheOverlap() throws {
        let image = DenseCapScores.Image(
            marked: [.init(box: box(0, 0, 10, 10), phrases: ["a ball"])],
            detections: [
                .init(box: box(0, 0, 10, 1), score: 2, phrase: "a ball"),
                .init(box: box(0, 0, 10, 10), score: 1, phrase: "a ball"),
            ])
        let scores = try DenseCapScores([image], matching: matching)
        #expect(scores.meanAveragePrecision == 0 && scores.meanLocalization == 0)
        #expect(scores.proposalRecall == nil && scores.detectionRecall.marked == 1)
    }

    /// What overlaps nothing takes nothing.
    @Test func aBoxElsewhereTakesNone() throws {
        let image = DenseCapScores.Image(
            marked: [.init(box: box(0, 0, 10, 10), phrases: ["a ball"])],
            detections: [
                .init(box: box(20, 0, 10, 1), score: 2, phrase: "a ball"),
                .init(box: box(0, 0, 10, 10), score: 1, phrase: "a ball"),
            ])
        #expect(try DenseCapScores([image], matching: matching).meanAveragePrecision == 0.5)
    }

    /// IoUs: first and second 0.8, second and third 0.8, first and third 2/3. The second has most neighbours.
    @Test func mergesMarkedBoxes() throws {
        let marked: [DenseCapScores.Marked] = [
            .init(box: box(0, 0, 9, 10), phrases: ["a ball", "a toy"]), .init(box: box(1, 0, 9, 10), phrases: ["a red ball"]),
            .init(box: box(2, 0, 9, 10), phrases: ["a sphere"]),
        ]
        // The mean box of all three with all phrases.
        let detection = DenseCapScores.Detection(box: box(1, 0, 9, 10), score: 0, phrase: "a sphere")
        let scores = try DenseCapScores([.init(marked: marked, detections: [detection])], matching: matching)
        #expect(scores.mergedBoxes == 1 && scores.markedBoxes == 3)
        #expect(scores.meanAveragePrecision == 1)
        // Of a group that is taken nothing is left to be merged with.
        let chain = marked + [.init(box: box(3, 0, 9, 10), phrases: ["x"])]
        #expect(try DenseCapScores([.init(marked: chain, detections: [])], matching: matching).mergedBoxes == 2)
    }

    /// Scores are compared among images.
    @Test func ranksAllImagesTogether() throws {
        func image(_ phrase: String, _ score: Double) -> DenseCapScores.Image {
            .init(
                marked: [.init(box: box(0, 0, 1, 1), phrases: ["ball"])],
                detections: [.init(box: box(0, 0, 1, 1), score: score, phrase: phrase)])
        }
        // Of two, the better is wrong: a precision of 1/2 up to the recall 1/2.
        let scores = try DenseCapScores([image("ball", 1), image("car", 2)], matching: matching)
        #expect(abs(scores.meanAveragePrecision - 0.5 * 51 / 101) < 1e-12)
        let other = try DenseCapScores([image("ball", 3), image("car", 2)], matching: matching)
        #expect(abs(other.meanAveragePrecision - 51.0 / 101) < 1e-12)
    }

    @Test func nothingIsWorthNothing() throws {
        let empty = try DenseCapScores([], matching: matching)
        #expect(empty.meanAveragePrecision == 0 && empty.meanMatching == 0 && empty.detectionRecall.marked == 0)
        let silent = DenseCapScores.Image(marked: [.init(box: box(0, 0, 1, 1), phrases: ["x"])], detections: [])
        #expect(try DenseCapScores([silent], matching: matching).meanAveragePrecision == 0)
        let unmarked = DenseCapScores.Image(
            marked: [], detections: [.init(box: box(0, 0, 1, 1), score: 1, phrase: "x")])
        #expect(try DenseCapScores([unmarked], matching: matching).meanAveragePrecision == 0)
    }

    // MARK: Reference

    private struct Reference: Decodable {
        struct Image: Decodable {
            let marked: [[Double]]
            let phrases: [[String]]
            let found: [[Double]]
            let scores: [Double]
            let said: [String]
            let proposals: [[Double]]
        }
        struct Expected: Decodable {
            let cells: [[Double]]
            let localization: [Double]
            let map: Double
            let merged: Int
            let marked: Int
            let recall: Double
            let recall_merged: Double
            let proposal_recall: Double
            let proposal_recall_merged: Double
        }
        let images: [Image]
        let expected: Expected
    }

    /// Values by a script that counts pixels between corners, as the released code does: Reference/dense_captions.py.
    @Test func agreesWithNumPy() throws {
        let reference = try JSONDecoder().decode(
            Reference.self, from: TrainingTests.Reference.contents("dense_captions.json"))
        // The script's boxes are centres and sizes.
        func edges(_ b: [Double]) -> DenseCapScores.Box { box(b[0] - b[2] / 2, b[1] - b[3] / 2, b[2], b[3]) }
        let images = reference.images.map { image in
            DenseCapScores.Image(
                marked: zip(image.marked, image.phrases).map { .init(box: edges($0), phrases: $1) },
                detections: image.found.indices.map {
                    .init(box: edges(image.found[$0]), score: image.scores[$0], phrase: image.said[$0])
                }, proposals: image.proposals.map(edges))
        }
        let scores = try DenseCapScores(images, matching: matching, recallAt: 10), expected = reference.expected
        #expect(scores.mergedBoxes == expected.merged && scores.markedBoxes == expected.marked)
        for (cell, value) in zip(scores.cells, expected.cells.joined()) {
            #expect(abs(cell.averagePrecision - value) < 1e-9, "IoU \(cell.iou), METEOR \(cell.meteor)")
        }
        for (cell, value) in zip(scores.localization, expected.localization) {
            #expect(abs(cell.averagePrecision - value) < 1e-9, "IoU \(cell.iou)")
        }
        #expect(abs(scores.meanAveragePrecision - expected.map) < 1e-9)
        let recall = scores.detectionRecall, proposals = try #require(scores.proposalRecall)
        #expect(abs(recall.marked - expected.recall) < 1e-9 && abs(recall.merged - expected.recall_merged) < 1e-9)
        #expect(abs(proposals.marked - expected.proposal_recall) < 1e-9)
        #expect(abs(proposals.merged - expected.proposal_recall_merged) < 1e-9)
    }

    /// A thousand photos with 300 detections each are judged in seconds.
    @Test(.timeLimit(.minutes(1))) func isQuick() throws {
        var state: UInt64 = 3
        func number(_ limit: Double) -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 40) / Double(1 << 24) * limit
        }
        let words = ["a", "the", "dog", "dogs", "red", "big", "man", "grass", "on", "runs", "running", "ball"]
        func phrase() -> String { (0..<5).map { _ in words[Int(number(12))] }.joined(separator: " ") }
        let images = (0..<1000).map { _ in
            func anyBox() -> Box { box(number(100), number(100), 20 + number(50), 20 + number(50)) }
            return DenseCapScores.Image(
                marked: (0..<8).map { _ in .init(box: anyBox(), phrases: [phrase(), phrase()]) },
                detections: (0..<300).map { _ in .init(box: anyBox(), score: number(1), phrase: phrase()) })
        }
        let scores = try DenseCapScores(images, matching: matching)
        #expect(scores.detections == 300_000 && scores.markedBoxes == 8000)
    }
}
