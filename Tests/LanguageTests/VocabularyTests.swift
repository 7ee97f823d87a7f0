import Foundation
import Language
import Testing

struct VocabularyTests {
    static let captions = [
        ["a", "dog", "runs", "."], ["a", "dog", "and", "a", "cat", "."], ["the", "cat", "sleeps", "."], ["a", "bird", "."],
    ]

    @Test func countsAsIm2txt() throws {
        // a 4, . 4, <S> 4, </S> 4, cat 2, dog 2; ties in the order of their bytes.
        let vocabulary = try Vocabulary(counting: Self.captions, keeping: .atLeast(2), convention: .im2txt)
        #expect(vocabulary.words == [".", "</S>", "<S>", "a", "cat", "dog", "<UNK>"])
        #expect(vocabulary.counts == [4, 4, 4, 4, 2, 2, 0])
        #expect(vocabulary.startID == 2 && vocabulary.endID == 1 && vocabulary.unknownID == 6 && vocabulary.paddingID == nil)
        #expect(vocabulary.sentenceIDs(of: ["a", "zebra", "."]) == [2, 3, 6, 0, 1])
        #expect(vocabulary.words(for: [2, 3, 5, 99, 1, 0, 0]) == ["a", "dog", "<UNK>"])
        #expect(vocabulary.word(for: 11999) == "<UNK>" && vocabulary.word(for: -1) == "<UNK>")
    }

    @Test func countsAsNeuralTalk2() throws {
        let vocabulary = try Vocabulary(counting: Self.captions, keeping: .moreThan(2), convention: .neuralTalk2)
        #expect(vocabulary.words == ["<null>", ".", "a", "UNK", "<S>"])
        #expect(vocabulary.startID == 4 && vocabulary.endID == 4 && vocabulary.paddingID == 0 && vocabulary.unknownID == 3)
        #expect(vocabulary.sentenceIDs(of: ["a", "dog", "."], maximumWords: 2) == [4, 2, 3, 4])
        #expect(vocabulary.words(for: [4, 2, 1, 4, 2]) == ["a", "."])
    }

    @Test func countsAsOurs() throws {
        let vocabulary = try Vocabulary(counting: Self.captions, keeping: .atLeast(1), maximumWords: 3)
        #expect(vocabulary.words == ["<pad>", "<start>", "<end>", "<unk>", ".", "a", "cat"])
        #expect(vocabulary.counts == [0, 4, 4, 7, 4, 4, 2])
        #expect(vocabulary.words(for: [1, 5, 0, 3, 2, 4]) == ["a", "<unk>"])
        #expect(vocabulary.coverage(of: [["a", "zebra"], ["a", "cat"]]) == 0.75)
    }

    @Test func dropsUnknownWords() throws {
        let vocabulary = try Vocabulary(words: [".", "a", "dog"], convention: .neuralTalk)
        #expect(vocabulary.ids(of: ["a", "black", "dog"]) == [1, 2])
        #expect(vocabulary.id(of: "black") == nil && vocabulary.unknownID == nil)
        #expect(vocabulary.startID == 0 && vocabulary.endID == 0)
        #expect(vocabulary.words(for: [0, 1, 2, 0, 1]) == ["a", "dog"])
        #expect(vocabulary.word(for: 3) == "<unk>")
    }

    @Test func specialWordsInCaptionsAreNotCountedTwice() throws {
        let vocabulary = try Vocabulary(counting: [["a", "<unk>", "<start>"], ["a"]], keeping: .atLeast(1))
        #expect(vocabulary.words == ["<pad>", "<start>", "<end>", "<unk>", "a"])
    }

    @Test func doesNotDependOnHashes() throws {
        let words = (0..<500).map { "w\($0 % 50)" }
        let first = try Vocabulary(counting: [words], keeping: .atLeast(1))
        for _ in 0..<5 { #expect(try Vocabulary(counting: [words.shuffled()], keeping: .atLeast(1)) == first) }
    }

    // MARK: Files

    @Test func readsWordCounts() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("word_counts.txt", "a 969108\n<S> 586368\n</S> 586368\n. 440479\non 213612\n")
        let vocabulary = try Vocabulary(contentsOf: file, convention: .im2txt)
        #expect(vocabulary.count == 6)
        #expect(vocabulary.id(of: "on") == 4 && vocabulary.id(of: "zebra") == 5)
        #expect(vocabulary.startID == 1 && vocabulary.endID == 2)
        #expect(vocabulary.counts == [969108, 586368, 586368, 440479, 213612, 0])
    }

    @Test(arguments: [
        #"{"1": "a", "2": "dog", "3": "UNK"}"#,
        #"{"ix_to_word": {"3": "UNK", "1": "a", "2": "dog"}, "images": [{"split": "val"}]}"#,
        #"["a", "dog", "UNK"]"#, #"{"a": 1, "dog": 2, "UNK": 3}"#, #"{"word_index": {"UNK": 2, "a": 0, "dog": 1}}"#,
    ])
    func readsJSON(json: String) throws {
        let folder = try TemporaryFolder()
        let vocabulary = try Vocabulary(contentsOf: folder.file("v.json", json), convention: .neuralTalk2)
        #expect(vocabulary.words == ["<null>", "a", "dog", "UNK", "<S>"])
        #expect(vocabulary.startID == 4 && vocabulary.unknownID == 3)
    }

    @Test(arguments: VocabularyFormat.allCases, [VocabularyConvention.standard, .im2txt, .neuralTalk2, .none])
    func writesWhatItReads(format: VocabularyFormat, convention: VocabularyConvention) throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent(format == .json ? "v.json" : "v.txt")
        let vocabulary = try Vocabulary(
            counting: Self.captions + [["é", "'s", "\"", "4"]], keeping: .atLeast(1), convention: convention)
        try vocabulary.write(to: file, as: format)
        let read = try Vocabulary(contentsOf: file, convention: convention)
        #expect(read.words == vocabulary.words)
        #expect(read.startID == vocabulary.startID && read.endID == vocabulary.endID && read.unknownID == vocabulary.unknownID)
        #expect(read.paddingID == vocabulary.paddingID)
        if format == .wordCounts { #expect(read == vocabulary) }
    }

    /// As cards spell them.
    @Test func namesOfFormats() { #expect(VocabularyFormat.allCases.map(\.rawValue) == ["word_counts", "words", "json"]) }

    @Test func readsPlainWordsAndWindowsLines() throws {
        let folder = try TemporaryFolder()
        let vocabulary = try Vocabulary(contentsOf: folder.file("v.txt", "hot dog\r\nice cream 5\r\n7\r\n"), convention: .none)
        #expect(vocabulary.words == ["hot dog", "ice cream 5", "7"])
        #expect(vocabulary.startID == nil && vocabulary.sentenceIDs(of: ["7", "8"]) == [2])
    }

    @Test(arguments: [
        ("v.txt", nil, "", "v.txt: holds no words."),
        ("v.txt", nil, "a\n\nb\n", "v.txt, line 2: is empty"),
        ("v.txt", nil, "a\nb\na\n", "v.txt, line 3: the word 'a' stands in line 1 already."),
        ("v.txt", VocabularyFormat.wordCounts, "a 5\nb five\n", "v.txt, line 2: 'five' is not a count"),
        ("v.txt", .wordCounts, "a 5\nb\n", "v.txt, line 2: '' is not a count"),
        ("v.txt", .wordCounts, "a -5\n", "v.txt, line 1: '-5' is not a count"),
        ("v.json", nil, "{", "v.json: is not valid JSON"),
        ("v.json", nil, "[]", "v.json: holds no words."),
        ("v.json", nil, "[1]", "v.json: holds something else"),
        ("v.json", nil, #"{"1": "a", "3": "b"}"#, "v.json: no word has the id 2, although there are 2 words."),
        ("v.json", nil, #"{"x": "a"}"#, "v.json: 'x' is not an id"),
        ("v.json", nil, #"{"a": -1}"#, "v.json: '-1' is not an id"),
        ("v.json", nil, #"{"a": 1.5}"#, "v.json: "),
        ("v.json", nil, #"{"a": 1, "b": 1}"#, "v.json: no word has the id 2"),
    ])
    func explainsWhatIsWrong(name: String, format: VocabularyFormat?, content: String, sentence: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file(name, content)
        let error = #expect(throws: VocabularyError.self) { try Vocabulary(contentsOf: file, format: format, convention: .none) }
        #expect(
            error?.description.replacingOccurrences(of: folder.url.path + "/", with: "").hasPrefix(sentence) == true, "\(error!)")
    }

    @Test func refusesBytesThatAreNoText() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("v.txt", Data([0x61, 0x0A, 0xFF, 0xFE, 0x0A]))
        #expect(throws: VocabularyError.notText(file: file.path, line: 2)) { try Vocabulary(contentsOf: file) }
        let missing = folder.url.appendingPathComponent("none.txt")
        #expect(throws: VocabularyError.unreadable(file: missing.path, reason: "there is no such file")) {
            try Vocabulary(contentsOf: missing)
        }
        #expect(throws: VocabularyError.self) { try Vocabulary(contentsOf: folder.url) }
    }

    @Test func tellsCanonicallyEquivalentWordsApart() throws {
        let vocabulary = try Vocabulary(words: ["caf\u{E9}", "cafe\u{301}"], convention: .none)
        #expect(vocabulary.count == 2 && vocabulary.id(of: "cafe\u{301}") == 0)
    }

    @Test(arguments: [
        (#""im2txt""#, VocabularyConvention.im2txt), (#""neuraltalk2""#, .neuralTalk2), (#""neuraltalk""#, .neuralTalk),
        (#""none""#, .none),
        (
            #"{"start": "<s>", "end": "</s>", "unknown": "?", "placement": "last"}"#,
            VocabularyConvention(start: "<s>", end: "</s>", unknown: "?", placement: .last)
        ),
    ])
    func comesFromACard(json: String, convention: VocabularyConvention) throws {
        #expect(try JSONDecoder().decode(VocabularyConvention.self, from: Data(json.utf8)) == convention)
        #expect(try JSONDecoder().decode(VocabularyConvention.self, from: JSONEncoder().encode(convention)) == convention)
    }

    @Test func minimumCountComesFromACard() throws {
        #expect(try JSONDecoder().decode(MinimumCount.self, from: Data(#"{"moreThan": 5}"#.utf8)) == .moreThan(5))
        #expect(try JSONDecoder().decode(MinimumCount.self, from: Data(#"{"atLeast": 4}"#.utf8)) == .atLeast(4))
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(MinimumCount.self, from: Data("{}".utf8)) }
    }
}
