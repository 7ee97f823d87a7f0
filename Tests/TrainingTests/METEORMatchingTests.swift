import Foundation
import Testing
import Training

struct METEORMatchingTests {
    private static let isInstalled = FileManager.default.fileExists(
        atPath: WordNet.folder.appendingPathComponent("data.adv").path)

    private let matching = METEORMatching(synonyms: nil)

    /// γ = 0.6, β = 0.2
    private func penalty(_ chunks: Double, _ matches: Double) -> Double { 1 - 0.6 * pow(chunks / matches, 0.2) }

    /// "the" is a function word and counts 0.25, the others 0.75.
    @Test func workedExamples() throws {
        func score(_ candidate: String, _ reference: String) throws -> Double {
            try matching.score(candidate, references: [reference])
        }
        #expect(try score("a red ball", "A red ball.") == 1)
        #expect(try score("a red ball", "two dogs") == 0)
        #expect(try score("", "two dogs") == 0)
        #expect(try score("two dogs", "") == 0)
        // Two of three words in a chunk: P = (0.25 + 0.75) / 1.75, R = 1 / 1.75.
        #expect(try abs(score("a red ball", "a red car") - 1 / 1.75 * penalty(1, 2)) < 1e-12)
        // One word longer: P = 1.75 / 2.5, R = 1; two chunks of three matches.
        let f = 0.7 / (0.85 * 0.7 + 0.15)
        #expect(try abs(score("a big red ball", "a red ball") - f * penalty(2, 3)) < 1e-12)
        // A common stem: 0.6 of the weight. All in one chunk and nothing else: no penalty.
        #expect(try abs(score("dogs", "dog") - 0.6) < 1e-12)
        #expect(try abs(score("running dogs", "runs dogs") - (0.6 * 0.75 + 0.75) / 1.5) < 1e-12)
        // Only a function word: P = R = 0.25 / 1.
        #expect(try abs(score("the dog", "the cat") - 0.25 * penalty(1, 1)) < 1e-12)
    }

    @Test func takesTheBestReference() throws {
        #expect(try matching.score("a dog", references: ["a cat", "a dog", "dogs"]) == 1)
        #expect(try matching.score("a dog", references: []) == 0)
    }

    @Test func alignsInAsFewChunksAsPossible() throws {
        // The second "the" of the reference continues the chunk.
        let one = try matching.alignment("the dog", "the cat and the dog")
        #expect(one.matches == [.init(0, 3, .exact), .init(1, 4, .exact)] && one.chunks == 1)
        // Most matches come first, even in more chunks.
        let two = try matching.alignment("dog man dogs", "dogs dog")
        #expect(two.matches == [.init(0, 1, .exact), .init(2, 0, .exact)] && two.chunks == 2)
        // Every word once.
        let three = try matching.alignment("dog dog dog", "a dog")
        #expect(three.matches.count == 1 && three.chunks == 1)
        let none = try matching.alignment("", "dog")
        #expect(none.matches.isEmpty && none.chunks == 0)
    }

    /// There are more ways to align than anybody can follow; the straight one is found.
    @Test(.timeLimit(.minutes(1))) func longRepetitions() throws {
        let text = Array(repeating: "dog", count: 60).joined(separator: " ")
        #expect(try matching.score(text, references: [text]) == 1)
        let long = (0..<300).map { "w\($0)" }.joined(separator: " ")
        #expect(try matching.score(long, references: [long]) == 1)
    }

    @Test func splitsPhrases() {
        let words = METEORMatching.words(in: "A black-and-white dog's ball , ' 2nd!")
        #expect(words == ["a", "black", "and", "white", "dog's", "ball", "2nd"])
        #expect(METEORMatching.words(in: "The man’s Café") == ["the", "man's", "café"])
    }

    private struct Expected: Decodable {
        struct Pair: Decodable {
            let candidate: String
            let reference: String
            let score: Double
        }
        let meteor: [Pair]
    }

    /// Values by a script that tries all alignments: Reference/dense_captions.py.
    @Test func agreesWithAllAlignments() throws {
        let pairs = try JSONDecoder().decode(Expected.self, from: Reference.contents("dense_captions.json")).meteor
        for pair in pairs {
            let score = try matching.score(pair.candidate, references: [pair.reference])
            #expect(abs(score - pair.score) < 1e-9, "\(pair.candidate) | \(pair.reference)")
        }
        #expect(pairs.count == 60)
    }

    @Test(.enabled(if: isInstalled, "the package wordnet-base is not installed"))
    func knowsSynonyms() throws {
        let synonyms = try #require(try WordNetSynonyms.installed())
        for (first, second) in [
            ("couch", "sofa"), ("couches", "sofa"), ("big", "large"), ("bigger", "large"), ("quickly", "rapidly"),
            ("buy", "purchased"), ("x", "x"), ("ran", "running"), ("men", "man"),
        ] {
            #expect(try synonyms.areSynonyms(first, second), "\(first), \(second)")
        }
        for (first, second) in [("dog", "cat"), ("red", "blue"), ("qwxz", "dog"), ("", "dog"), ("a_b", "'")] {
            #expect(try !synonyms.areSynonyms(first, second), "\(first), \(second)")
        }
        let matching = METEORMatching(synonyms: synonyms)
        // 0.8 of the weight; of words that have one stem, too, 0.6.
        #expect(try abs(matching.score("dogs", references: ["dog"]) - 0.6) < 1e-12)
        #expect(try abs(matching.score("couch", references: ["sofa"]) - 0.8) < 1e-12)
        #expect(try matching.alignment("big dog", "dog large").matches.map(\.kind) == [.synonym, .exact])
        #expect(matching.name != self.matching.name && matching.name.hasPrefix("METEOR-like"))
    }

    @Test func saysWhatWordNetLacks() throws {
        let folder = try TemporaryFolder(["index.noun": "", "data.noun": "", "noun.exc": ""])
        #expect(throws: WordNetError.missing(file: "index.verb", folder: folder.url.path)) {
            try WordNetSynonyms(folder: folder.url)
        }
    }
}
