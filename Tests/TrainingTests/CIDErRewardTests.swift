import Language
import Testing
import Training

struct CIDErRewardTests {
    private static let photos = [
        ["A man rides a wave on a surfboard.", "a surfer on a wave", "the man is surfing in the sea"],
        ["Two dogs run in the grass!", "a dog and another dog play"], ["a child on a swing", "a girl swings"],
    ]

    /// CIDEr-D as it is measured, on sentences that end in a word for their end.
    @Test func sameAsTheMetric() throws {
        let candidates = ["a man on a wave", "two dogs run in the snow", "a red bus on a street with a red car"]
        func words(_ sentence: String) -> [String] { Tokenizer.letters.words(in: sentence) + ["</s>"] }
        let names = ["a", "b", "c"]
        let metric = try CaptionMetrics(
            references: Dictionary(uniqueKeysWithValues: zip(names, Self.photos.map { $0.map(words) })),
            candidates: Dictionary(uniqueKeysWithValues: zip(names, candidates.map(words)))
        ).cider().perImage
        let reward = CIDErReward(Self.photos)
        for (photo, candidate) in candidates.enumerated() {
            #expect(abs(Double(reward(candidate, photo: photo)) - metric[photo]) < 1e-5 * max(metric[photo], 1))
        }
    }

    @Test func wholeSentencesAreBetter() {
        let reward = CIDErReward(Self.photos)
        #expect(reward("a surfer on a wave", photo: 0) > reward("a surfer on a", photo: 0))
        #expect(reward("a surfer on a wave", photo: 0) > reward("two dogs run in the grass", photo: 0))
        #expect(reward("", photo: 0) >= 0)
        #expect(reward("zebra quagga", photo: 1) >= 0)
    }
}
