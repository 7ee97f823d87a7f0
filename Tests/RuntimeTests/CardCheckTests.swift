import Checkpoints
import ModelKit
import Runtime
import Testing

@Suite struct CardChecks {
    private let folder: TemporaryFolder
    private let catalogue: Catalogue

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("ModelCards/.keep", "")
        catalogue = Catalogue([.init(.project, root: folder.path)])
    }

    private func report(
        _ text: String, upTo level: CardReport.Level = .style, tensors: CardCheck.Step? = nil, examples: CardCheck.Step? = nil
    ) throws -> CardReport {
        let path = try folder.write("ModelCards/tiny.json", text)
        return CardCheck(catalogue, tensors: tensors, examples: examples).report(on: path, upTo: level)
    }

    private func lines(_ report: CardReport) -> [String] {
        report.findings.filter { $0.severity != .note }.map {
            "\($0.level.rawValue) \($0.severity) \($0.path): \($0.message.replacing(folder.path, with: "TMP"))"
        }
    }

    @Test func stopsWhereItMakesNoSense() throws {
        let syntax = try report("{")
        #expect(syntax.level == .syntax && !syntax.isSound)
        #expect(lines(syntax) == ["1 error : the text ends where a key or '}' was expected."])
        #expect(syntax.findings[0].line == 1 && syntax.findings[0].column == 2)

        let schema = try report(CardText().with("title", "1").text)
        #expect(schema.level == .schema && schema.name == nil)
        #expect(lines(schema) == ["2 error title: a string was expected, not a number."])
        let nowhere = CardCheck(catalogue).report(on: "/nowhere.json")
        #expect(nowhere.findings[0].message == "/nowhere.json: cannot be read: No such file or directory.")
    }

    /// All unknown keys and all contradictions at once.
    @Test func listsEverything() throws {
        let text = CardText().with("tgs", "[]").with("version", "\"1\"").with("licences", "1").with("parameters_count", "-1").text
        #expect(
            lines(try report(text, upTo: .fields)) == [
                "2 error tgs: unknown key; did you mean 'tags'?", "2 error licences: unknown key; did you mean 'license'?",
                "3 error version: '1' is not a semantic version such as 1.0.0.",
                "3 error parameters_count: '-1' is not a positive number.",
            ])
    }

    @Test func otherCards() throws {
        let card = CardText().with("backbone", #"{"model": "base", "tap": "z"}"#).text
        #expect(
            lines(try report(card, upTo: .fields)) == [
                "3 error backbone.model: there is no model 'base' to take the backbone from; register its card first."
            ])
        try folder.write("ModelCards/base.json", CardText().with("name", "\"base\"").text)
        #expect(
            lines(try report(card, upTo: .fields)) == ["3 error backbone: there is no layer 'z' to tap; the layers are a."])
        try folder.write("ModelCards/base.json", CardText().with("name", "\"base\"").with("version", "\"1\"").text)
        #expect(
            lines(try report(card, upTo: .fields)) == [
                "3 error backbone: TMP/ModelCards/base.json:4:12: version: '1' is not a semantic version such as 1.0.0."
            ])
    }

    @Test func files() throws {
        #expect(
            lines(try report(CardText().text)) == [
                "4 warning weights[0].path: tiny: the file of weights 'TMP/Weights/tiny.h5' is missing. How to get it: Train it."
            ])
        try folder.write("Weights/tiny.h5", "weights")
        let digest = SHA256Digest(of: Array("weights".utf8)).description
        let undeclared = try report(CardText().text)
        #expect(undeclared.isSound)
        #expect(
            undeclared.findings.first?.message
                == "'../Weights/tiny.h5' is there, but the card does not say its digest; "
                + "add \"sha256\": \"\(digest)\", \"bytes\": 7.")
        func card(_ digest: String, _ bytes: Int) -> String {
            CardText().with("weights", #"[{"path": "../Weights/tiny.h5", "sha256": "\#(digest)", "bytes": \#(bytes)}]"#).text
        }
        #expect(lines(try report(card(digest, 7))) == [])
        #expect(
            lines(try report(card(digest, 8))) == [
                "4 error weights[0].path: TMP/Weights/tiny.h5: has 7 bytes, but its card says 8; "
                    + "get the file again, or correct the card."
            ])
        let other = String(repeating: "ab", count: 32)
        #expect(
            lines(try report(card(other, 7))) == [
                "4 error weights[0].path: TMP/Weights/tiny.h5: has the SHA-256 \(digest), but its card says \(other); "
                    + "get the file again, or correct the card."
            ])
    }

    @Test func lengths() throws {
        try folder.write("Weights/tiny.h5", "weights")
        try folder.write("Weights/answers.txt", "yes\nno\n")
        try folder.write("Weights/words.txt", "a\nb\na\n")
        let answers = CardText().with("answers", #"{"path": "../Weights/answers.txt", "size": 3, "how_to_get": "x"}"#)
        #expect(
            lines(try report(answers.text)) == [
                "4 error answers.path: TMP/Weights/answers.txt: has 2 entries, but its card says 'size': 3; correct one of them."
            ])
        let words = CardText().with(
            "vocabulary", #"{"path": "../Weights/words.txt", "size": 2, "convention": "none", "how_to_get": "x"}"#)
        let message = try #require(lines(report(words.text)).first)
        #expect(message.hasPrefix("4 error vocabulary.path: TMP/Weights/words.txt: "))
        try folder.write("Weights/words.txt", "a\nb\nc\n")
        #expect(
            lines(try report(words.text)) == [
                "4 error vocabulary.path: TMP/Weights/words.txt: has 3 entries, but its card says 'size': 2; correct one of them."
            ])
    }

    @Test func hooks() throws {
        let tensors: CardCheck.Step = { _ in [.init(.tensors, .error, "the weights lack 'a.weight'.")] }
        let examples: CardCheck.Step = { _ in [.init(.examples, .error, "reached")] }
        #expect(!lines(try report(CardText().text, tensors: tensors)).contains("5 error : the weights lack 'a.weight'."))
        try folder.write("Weights/tiny.h5", "weights")
        #expect(
            lines(try report(CardText().text, tensors: tensors, examples: examples)) == ["5 error : the weights lack 'a.weight'."]
        )
        #expect(lines(try report(CardText().text, tensors: { _ in [] }, examples: examples)) == ["6 error : reached"])
        #expect(lines(try report(CardText().text, upTo: .tensors, tensors: { _ in [] }, examples: examples)) == [])
    }

    @Test func style() throws {
        let long = "\"\(String(repeating: "long ", count: 30))\""
        #expect(
            lines(try report(CardText().with("summary", long).text)).last
                == "7 warning summary: the summary has 150 characters; a list has room for 120.")
    }
}
