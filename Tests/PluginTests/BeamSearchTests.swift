import Foundation
import ModelKit
import NeuralNetworks
import Testing

/// Beam search on small tables against Reference/beam_search.py, and sampling from them.
@Suite struct BeamSearch {
    // MARK: The published beam searches

    @Test(arguments: Search.Convention.allCases) func conventions(_ convention: Search.Convention) throws {
        let reference = try Reference.read()
        var compared = 0
        for (number, test) in reference.cases.enumerated() where test.convention == convention.rawValue {
            let table = reference.table(test.table)
            var search = test.search
            search.nbest = test.beam
            let found = table.say(search, start: test.start)
            #expect(found.map(\.tokens) == test.sentences.map(\.tokens), "case \(number)")
            for (mine, theirs) in zip(found, test.sentences) { #expect(abs(mine.score - theirs.score) < 1e-5, "case \(number)") }
            for mine in found {
                #expect(mine.tokens.count == mine.logProbabilities.count)
                #expect(mine.isFinished == (mine.tokens.last == table.end))
                if test.lengthNormalization == nil || test.lengthNormalization == 0 || !mine.isFinished {
                    #expect(mine.score == mine.logProbability)
                }
            }
            // Fewer answers are the first of more, though the search may end earlier.
            for count in 1..<test.beam {
                search.nbest = count
                #expect(table.say(search, start: test.start) == Array(found.prefix(count)), "case \(number), \(count) best")
            }
            compared += 1
        }
        #expect(compared > 100)
    }

    @Test(arguments: Search.Convention.allCases) func greedyIsABeamOfOne(_ convention: Search.Convention) throws {
        let reference = try Reference.read()
        for index in reference.tables.indices {
            for length in [1, 3, 20] {
                let table = reference.table(index)
                let greedy = table.say(Search(method: .greedy, convention: convention, beam: 5, maximumLength: length))
                #expect(greedy == table.say(Search(method: .beam, convention: convention, beam: 1, maximumLength: length)))
                // Word by word.
                var tokens: [Int] = [], before = 0
                while tokens.count < length, tokens.last != table.end {
                    let row = table.logProbabilities[before][tokens.last ?? 0]
                    before = tokens.last ?? 0
                    tokens.append(row.firstIndex(of: row.max()!)!)
                }
                // im2txt passes over words of almost no probability, which no other word beats here.
                #expect(greedy.map(\.tokens) == [tokens])
            }
        }
    }

    /// As soon as no open sentence can win, the decoder is not asked again.
    @Test(arguments: Search.Convention.allCases) func endsWhenDecided(_ convention: Search.Convention) {
        // The end has half of the probability, each of two words a quarter.
        let table = Table(words: 4, end: 1, unknown: 2) { _, _ in [-20, -0.693147, -1.386294, -1.386294] }
        var steps = 0
        let found = table.say(Search(convention: convention, beam: 3, maximumLength: 100)) { steps += 1 }
        #expect(found.map(\.tokens) == [[1]])
        #expect(steps == 1)
        steps = 0
        _ = table.say(Search(convention: convention, beam: 3, maximumLength: 100, lengthNormalization: 0.5)) { steps += 1 }
        #expect(steps > 1)
    }

    @Test func widensForMoreAnswers() throws {
        let table = try Reference.read().table(0)
        let narrow = table.say(Search(beam: 2, maximumLength: 4, nbest: 5)),
            wide = table.say(Search(beam: 5, maximumLength: 4, nbest: 5))
        #expect(narrow == wide)
        #expect(narrow.map(\.score) == narrow.map(\.score).sorted(by: >))
    }

    // MARK: Sampling

    @Test func samplesRepeat() throws {
        let table = try Reference.read().table(0).normalized
        func sample(_ seed: UInt64) -> [[Int]] {
            table.say(Search(method: .sample, maximumLength: 8, seed: seed, nbest: 6)).map(\.tokens)
        }
        #expect(sample(7) == sample(7))
        #expect(sample(7) != sample(8))
        // Not one random sequence six times, shifted.
        #expect(Set(sample(7)).count > 3)
        let best = table.say(Search(method: .sample, maximumLength: 8, seed: 7, nbest: 6))
        #expect(best.map(\.score) == best.map(\.score).sorted(by: >))
    }

    /// Frequencies of first and second words within five standard deviations of their probabilities.
    @Test(arguments: [Float(1), 0.5, 2]) func samplingFrequencies(_ temperature: Float) throws {
        let table = try Reference.read().table(1).normalized, count = 4000
        let found = table.say(
            Search(method: .sample, maximumLength: 2, temperature: temperature, seed: 3, nbest: count, unknown: false))
        #expect(found.count == count)
        func check(_ sampled: [Int], _ row: [Float]) {
            let weights = row.enumerated().map { $0 == table.unknown ? 0 : exp(Double($1 / temperature)) },
                sum = weights.reduce(0, +)
            for (word, weight) in weights.enumerated() {
                let p = weight / sum, frequency = Double(sampled.count { $0 == word }) / Double(sampled.count)
                #expect(
                    abs(frequency - p) <= 5 * (p * (1 - p) / Double(sampled.count)).squareRoot(),
                    "word \(word): \(frequency), not \(p)")
            }
        }
        check(found.map { $0.tokens[0] }, table.logProbabilities[0][0])
        // Given the first word: the state goes with the sentence.
        let second = found.filter { $0.tokens[0] == 3 && $0.tokens.count == 2 }.map { $0.tokens[1] }
        #expect(second.count > 200)
        check(second, table.logProbabilities[0][3])
    }

    /// Where the temperature makes every probability round to zero, the most probable word remains.
    @Test func coldSamplingIsGreedy() throws {
        let table = try Reference.read().table(0).normalized
        let greedy = table.say(Search(method: .greedy, maximumLength: 8))
        for seed in 0..<5 {
            #expect(table.say(Search(method: .sample, maximumLength: 8, temperature: 1e-6, seed: UInt64(seed))) == greedy)
        }
    }

    // MARK: What a card can say

    @Test(arguments: [
        (#"{"beam": 0}"#, "<options>:1:10: beam: expected a whole number from 1 to 1000, found 0."),
        (#"{"max_length": 1001}"#, "<options>:1:16: max_length: expected a whole number from 1 to 1000, found 1001."),
        (#"{"nbest": -1}"#, "<options>:1:11: nbest: expected a whole number from 1 to 1000, found -1."),
        (#"{"temperature": 0}"#, "<options>:1:17: temperature: a temperature must be above 0."),
        (
            #"{"length_normalization": -0.5}"#,
            "<options>:1:26: length_normalization: a length normalisation must be from 0 to 10."
        ),
        (#"{"method": "beem"}"#, "<options>:1:12: method: 'beem' is not one of 'greedy', 'beam', 'sample'; did you mean 'beam'?"),
        (
            #"{"convention": "neuraltalk3"}"#,
            "<options>:1:16: convention: 'neuraltalk3' is not one of 'im2txt', 'neuraltalk2', 'neuraltalk'; "
                + "did you mean 'neuraltalk2'?"
        ),
        (#"{"beams": 3}"#, "<options>:1:2: beams: unknown key; did you mean 'beam'?"),
        (#"{"seed": -1}"#, "<options>:1:10: seed: -1 is out of the range of UInt64."),
    ])
    func refusals(_ json: String, _ expected: String) throws {
        let found = sentence { _ = try StrictJSONDecoder().decode(Search.self, from: JSONDocument(json, file: "<options>").root) }
        #expect(found == expected)
    }
}

/// A language model: the log-probabilities of the next word, given the last two.
private struct Table {
    var logProbabilities: [[[Float]]]
    let end: Int, unknown: Int

    init(_ logProbabilities: [[[Float]]], end: Int, unknown: Int) {
        (self.logProbabilities, self.end, self.unknown) = (logProbabilities, end, unknown)
    }

    init(words: Int, end: Int, unknown: Int, _ row: (Int, Int) -> [Float]) {
        self.init((0..<words).map { a in (0..<words).map { row(a, $0) } }, end: end, unknown: unknown)
    }

    /// Rows that are probabilities.
    var normalized: Table {
        Table(
            logProbabilities.map { rows in
                rows.map { row in
                    let sum = log(row.reduce(0) { $0 + exp($1) })
                    return row.map { $0 - sum }
                }
            }, end: end, unknown: unknown)
    }

    /// The word before the last, for every sentence.
    struct State: DecoderState {
        var before: [Int]
        func gathered(_ rows: [Int]) -> State { State(before: rows.map { before[$0] }) }
    }

    func say(_ search: Search, start: Int = 0, asked: () -> Void = {}) -> [Hypothesis] {
        search(start: start, end: end, unknown: unknown, state: State(before: [start])) { tokens, state in
            asked()
            #expect(tokens.count == state.before.count, "a state for every sentence")
            let rows = zip(state.before, tokens).map { logProbabilities[$0][$1] }
            return (TokenDistributions(logProbabilities: rows), State(before: tokens))
        }
    }
}

/// Reference/beam_search.json
private struct Reference: Decodable {
    struct Case: Decodable {
        struct Sentence: Decodable {
            let tokens: [Int]
            let score: Float
        }
        let table: Int, beam: Int, max_length: Int, start: Int
        let unknown: Bool
        let convention: String
        let length_normalization: Float?
        let sentences: [Sentence]

        var lengthNormalization: Float? { length_normalization }
        var search: Search {
            Search(
                convention: .init(rawValue: convention)!, beam: beam, maximumLength: max_length,
                lengthNormalization: length_normalization ?? 0, unknown: unknown)
        }
    }
    let words: Int, end: Int, unknown: Int
    /// Sixty-fourths.
    let tables: [[[[Int]]]]
    let cases: [Case]

    static func read() throws -> Reference {
        try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: Project.tests.appending(path: "Reference/beam_search.json")))
    }

    func table(_ index: Int) -> Table {
        Table(tables[index].map { rows in rows.map { row in row.map { Float($0) / 64 } } }, end: end, unknown: unknown)
    }
}
