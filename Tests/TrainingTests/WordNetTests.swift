import Foundation
import Testing
import Training

/// Values by NLTK, which reads the same files: Reference/wordnet.py.
struct WordNetTests {
    /// Whether the package wordnet-base is there.
    private static let isInstalled = FileManager.default.fileExists(
        atPath: WordNet.folder.appendingPathComponent("data.noun").path)

    private struct Expected: Decodable {
        let words: [String]
        let senses: [[Int]]
        /// Exact fractions.
        let similarities: [[[Int]?]]
    }

    @Test(.enabled(if: isInstalled, "the package wordnet-base is not installed"))
    func agreesWithNLTK() throws {
        let wordNet = try #require(try WordNet.installed())
        let expected = try JSONDecoder().decode(Expected.self, from: Reference.contents("wordnet.json"))
        for (word, senses) in zip(expected.words, expected.senses) {
            #expect(try wordNet.senses(of: word) == senses, "\(word)")
        }
        var compared = 0
        for (first, row) in zip(expected.words, expected.similarities) {
            for (second, value) in zip(expected.words, row) {
                let similarity = try wordNet.similarity(first, second)
                #expect(similarity == value.map { Double($0[0]) / Double($0[1]) }, "\(first), \(second)")
                compared += 1
            }
        }
        #expect(compared == 48 * 48)
    }

    @Test(.enabled(if: isInstalled, "the package wordnet-base is not installed"))
    func findsWordsAtTheIndexsEnds() throws {
        let wordNet = try #require(try WordNet.installed())
        #expect(try wordNet.senses(of: "'hood") == [8_641_944])
        #expect(try wordNet.senses(of: "zyrian").count == 1)
        #expect(try wordNet.senses(of: "") == [])
        #expect(try wordNet.senses(of: " ") == [])
        // The licence before the index has this word.
        #expect(try wordNet.senses(of: "WordNet's") == [])
        #expect(try wordNet.senses(of: "~") == [])
    }

    @Test(.enabled(if: isInstalled && SharedData.daquar != nil, "wordnet-base or shared/data/daquar is missing"))
    func agreesWithNLTKOnDAQUAR() throws {
        let wordNet = try #require(try WordNet.installed())
        let set = try QuestionDataSet(folder: #require(SharedData.daquar), heldBack: 0)
        let answers = set.questions(.train).sorted { $0.id < $1.id }.map(\.answer)
        let start = ContinuousClock.now
        func mean(_ measure: WUPS) throws -> Double {
            try zip(answers.dropFirst(), answers).reduce(0) { try $0 + measure.score($1.0, truth: $1.1) }
                / Double(answers.count - 1)
        }
        #expect(abs(try mean(.equality) - 0.015013246983) < 1e-12)
        #expect(abs(try mean(WUPS(wordNet, threshold: 0.9)) - 0.052145835791) < 1e-12)
        #expect(abs(try mean(WUPS(wordNet, threshold: 0)) - 0.355915519568) < 1e-12)
        #expect(try mean(WUPS(wordNet, threshold: -1)) == mean(.equality))
        let elapsed = ContinuousClock.now - start
        // NLTK takes 17 seconds for it.
        #expect(elapsed < .seconds(5), "scoring took \(elapsed)")
        print("scored 6,794 answers four times in \(elapsed)")
    }

    @Test func scoresSets() throws {
        func score(_ answer: String, _ truth: String) throws -> Double { try WUPS.equality.score(answer, truth: truth) }
        #expect(try score("book, chair", "chair,book") == 1)
        #expect(try score("book,book", "book") == 1)
        #expect(try score("book", "book, chair") == 0)
        #expect(try score("book, chair", "book") == 0)
        #expect(try score("", "") == 1)
        #expect(try score("", "book") == 0)
        #expect(try score("Book", "book") == 0)
    }

    // MARK: A WordNet of seven senses

    /// `thing`; under it `animal` with `dog` and `cat` (both are a `tom`); `aim` under both `thing` and `animal`, with `fairy`
    /// and `muse`.
    ///
    /// Every description has 128 bytes, so that its place is easily told.
    private static func files(_ change: (inout [String: String]) -> Void = { _ in }) throws -> TemporaryFolder {
        func sense(_ place: Int, _ words: [String], under: [Int]) -> String {
            let names = words.map { "\($0) 0" }.joined(separator: " ")
            let pointers = under.map { "@ \(number(128 * $0)) n 0000" }.joined(separator: " ")
            let text = "\(number(128 * place)) 03 n 0\(words.count) \(names) 00\(under.count) \(pointers)"
            return text + String(repeating: " ", count: 125 - text.count) + "|x\n"
        }
        func number(_ value: Int) -> String { String(repeating: "0", count: 8 - String(value).count) + String(value) }
        var files = [
            "index.noun": """
              1 A licence that is longer than the index, so that a search which begins in the middle begins in here, and is
              2 about cat n 1 1 @ 1 0 00000099
            aim n 1 2 @ ~ 1 0 00000512
            animal n 1 1 @ 1 0 00000128
            cat n 1 1 @ 1 1 00000384
            dog n 1 1 @ 1 1 00000256
            fairy n 1 1 @ 1 0 00000640
            glass n 1 1 @ 1 1 00000128
            muse n 1 1 @ 1 0 00000768
            thing n 1 0 1 0 00000000
            tom n 2 1 @ 2 0 00000384 00000256

            """,
            "data.noun": sense(0, ["thing"], under: []) + sense(1, ["animal"], under: [0]) + sense(2, ["dog"], under: [1])
                + sense(3, ["cat", "tom"], under: [1]) + sense(4, ["aim"], under: [0, 1])
                + sense(5, ["fairy"], under: [4]) + sense(6, ["muse"], under: [4]),
            "noun.exc": "dice die\ntomcats tom cat\n",
        ]
        change(&files)
        return try TemporaryFolder(files)
    }

    @Test func findsSingulars() throws {
        let folder = try Self.files()
        let wordNet = try WordNet(folder: folder.url)
        #expect(try wordNet.senses(of: "Dogs") == [256])
        #expect(try wordNet.senses(of: "tom") == [384, 256])
        #expect(try wordNet.senses(of: "tomcats") == [384, 256, 384])
        #expect(try wordNet.senses(of: "dice") == [])
        #expect(try wordNet.senses(of: "glasses") == [128])
        // Endings go once.
        #expect(try wordNet.senses(of: "dogss") == [])
        for missing in ["about", "aardvark", "zebra", "do", "dogg", "1"] { #expect(try wordNet.senses(of: missing) == []) }
    }

    /// Worked out by hand. Depths count from 1: thing 1, animal 2; the longest way to aim goes over animal.
    @Test func comparesSenses() throws {
        let folder = try Self.files()
        let wordNet = try WordNet(folder: folder.url)
        #expect(try wordNet.similarity("dog", "cat") == 4.0 / (4 + 1 + 1))
        #expect(try wordNet.similarity("dog", "dog") == 1)
        #expect(try wordNet.similarity("dog", "animal") == 4.0 / (4 + 1))
        #expect(try wordNet.similarity("thing", "dog") == 2.0 / (2 + 2))
        #expect(try wordNet.similarity("tom", "dog") == 1)
        #expect(try wordNet.similarity("tom", "unicorn") == nil)
        #expect(try wordNet.similarity("unicorn", "unicorn") == nil)
        #expect(try wordNet.similarity("aim", "dog") == 4.0 / (4 + 1 + 1))
        #expect(try wordNet.similarity("animal", "aim") == 4.0 / (4 + 1))
        #expect(try wordNet.similarity("aim", "aim") == 1)
        #expect(try wordNet.similarity("aim", "muse") == 6.0 / (6 + 1))
        // By their shortest ways aim and animal are equally low: the first by name, "aim.n.01", counts.
        #expect(try wordNet.similarity("muse", "aim") == 6.0 / (6 + 1))
        #expect(try wordNet.similarity("muse", "fairy") == 6.0 / (6 + 1 + 1))
        #expect(try wordNet.similarity(ofSense: 384, 256) == wordNet.similarity("cat", "dog"))
    }

    @Test func weighsByTheThreshold() throws {
        let folder = try Self.files()
        let wordNet = try WordNet(folder: folder.url)
        func score(_ threshold: Double, _ answer: String, _ truth: String) throws -> Double {
            try WUPS(wordNet, threshold: threshold).score(answer, truth: truth)
        }
        // dog and cat are alike by 2/3, dog and animal by 4/5, cat and thing by 1/2.
        #expect(try score(0, "dog", "cat") == 4.0 / 6)
        #expect(try score(0.9, "dog", "cat") == 4.0 / 6 * 0.1)
        #expect(try score(0.5, "cat", "thing") == 0.5)
        #expect(try score(0.51, "cat", "thing") == 0.05)
        #expect(try score(0, "dog", "unicorn") == 0)
        #expect(try score(0.9, "unicorn", "unicorn") == 1)
        // One way round dog finds cat; the other way cat finds dog and thing finds dog at 1/2.
        #expect(try score(0, "dog", "cat, thing") == 4.0 / 6 * 0.5)
        #expect(try score(0, "cat, thing", "dog") == 4.0 / 6 * 0.5)
        #expect(try score(0.7, "dog, animal", "animal") == 0.8)
        #expect(try score(-1, "dog", "cat") == 0)
    }

    @Test func namesThePackage() throws {
        for name in ["index.noun", "data.noun", "noun.exc"] {
            let folder = try Self.files { $0[name] = nil }
            let error = #expect(throws: WordNetError.self) { try WordNet(folder: folder.url) }
            let sentence = "has no '\(name)'; WUPS compares words by WordNet 3.0, which the package wordnet-base installs."
            #expect(error?.description == "\(folder.url.path): \(sentence)")
        }
        #expect(WordNet.advice.contains("wordnet-base"))
    }

    @Test(arguments: [
        (
            "cat n 1 1 @ 1 1 00000384", "cat n 1",
            "/index.noun: the entry of 'cat' is damaged; install the package wordnet-base again."
        ),
        ("cat n 1 1 @ 1 1 00000384", "cat n -1 1 @ 1 1 00000384", "/index.noun: the entry of 'cat' is damaged"),
        ("cat n 1 1 @ 1 1 00000384", "cat n 9223372036854775807 1 @ 1 1 0", "/index.noun: the entry of 'cat' is damaged"),
        ("cat n 1 1 @ 1 1 00000384", "cat n 1 9223372036854775807 @ 1 1 0", "/index.noun: the entry of 'cat' is damaged"),
        ("cat n 1 1 @ 1 1 00000384", "cat n 2 1 @ 1 1 00000384", "/index.noun: the entry of 'cat' is damaged"),
        ("cat n 1 1 @ 1 1 00000384", "cat n 1 1 @ 1 1 over", "/index.noun: the entry of 'cat' is damaged"),
        (
            "cat n 1 1 @ 1 1 00000384", "cat n 1 1 @ 1 1 00000385",
            "/data.noun: at byte 385 there is no sense of a noun, as the index says; both files must be of one release."
        ),
        ("cat n 1 1 @ 1 1 00000384", "cat n 1 1 @ 1 1 99999999", "/data.noun: at byte 99999999 there is no sense of a noun"),
        ("cat n 1 1 @ 1 1 00000384", "cat n 1 1 @ 1 1 -384", "/data.noun: at byte -384 there is no sense of a noun"),
        ("00000384 03 n 02 cat", "00000384 03 v 02 cat", "/data.noun: at byte 384 there is no sense of a noun"),
        ("00000384 03 n 02 cat", "00000384 03 n ff cat", "/data.noun: at byte 384 there is no sense of a noun"),
        ("00000384 03 n 02 cat", "00000384 03 n 00 cat", "/data.noun: at byte 384 there is no sense of a noun"),
        ("tom 0 001 @ 00000128", "tom 0 002 @ 00000128", "/data.noun: at byte 384 there is no sense of a noun"),
        ("tom 0 001 @ 00000128", "tom 0 001 @ 0000x128", "/data.noun: at byte 384 there is no sense of a noun"),
        ("tom 0 001 @ 00000128", "tom 0 001 @ 00000129", "/data.noun: at byte 129 there is no sense of a noun"),
        (
            "tom 0 001 @ 00000128", "tom 0 001 @ 00000384",
            "/data.noun: the sense at byte 384 has no end of more general ones; install the package wordnet-base again."
        ),
        ("animal 0 001 @ 00000000", "animal 0 001 @ 00000384", "has no end of more general ones"),
    ])
    func explainsWhatIsWrongWithTheFiles(text: String, change: String, sentence: String) throws {
        let folder = try Self.files { files in
            for (name, content) in files { files[name] = content.replacingOccurrences(of: text, with: change) }
        }
        let wordNet = try WordNet(folder: folder.url)
        let error = #expect(throws: WordNetError.self) { try wordNet.similarity("cat", "dog") }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
        // What is whole is still found.
        #expect(try wordNet.senses(of: "thing") == [0])
    }

    @Test func survivesEmptyFiles() throws {
        let folder = try Self.files { $0 = ["index.noun": "", "data.noun": "", "noun.exc": ""] }
        let wordNet = try WordNet(folder: folder.url)
        #expect(try wordNet.senses(of: "cat") == [])
        #expect(try wordNet.similarity("cat", "dog") == nil)
        #expect(throws: WordNetError.badSense(offset: 0, file: folder.url.appendingPathComponent("data.noun").path)) {
            try wordNet.similarity(ofSense: 0, 0)
        }
        let licence = try Self.files { $0["index.noun"] = "  1 licence" }
        #expect(try WordNet(folder: licence.url).senses(of: "licence") == [])
    }
}
