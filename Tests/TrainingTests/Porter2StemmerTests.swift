import Foundation
import Testing
import Training

/// Values by Snowball's own code: Reference/porter2.py.
struct Porter2StemmerTests {
    @Test func agreesWithSnowball() throws {
        let stems = try JSONDecoder().decode([String: String].self, from: Reference.contents("porter2.json"))
        let stemmer = Porter2Stemmer()
        for (word, stem) in stems { #expect(stemmer.stem(word) == stem, "\(word)") }
        #expect(stems.count == 371)
    }

    /// Pairs of the algorithm's description.
    @Test(arguments: [
        ("consolingly", "consol"), ("knightly", "knight"), ("generically", "generic"), ("communism", "communism"),
        ("hopping", "hop"), ("hoping", "hope"), ("luxuriating", "luxuri"), ("gas", "gas"), ("kiwis", "kiwi"), ("ties", "tie"),
        ("cries", "cri"), ("say", "say"), ("skies", "sky"), ("dogs'", "dog"), ("", ""), ("été", "été"),
    ])
    func stems(word: String, stem: String) { #expect(Porter2Stemmer().stem(word) == stem) }
}
