import ModelKit
import Testing

@Suite struct JSONSyntax {
    /// The exact sentence for everything that is not JSON.
    @Test(arguments: [
        ("", "t.json:1:1: the text is empty; a JSON object was expected."),
        (" \n ", "t.json:1:1: the text is empty; a JSON object was expected."),
        ("{", "t.json:1:2: the text ends where a key or '}' was expected."),
        ("{\"a\": [1, 2", "t.json:1:12: a: the text ends where ',' or ']' was expected."),
        ("{\"a\": }", "t.json:1:7: a: found '}' where a value was expected."),
        ("{a: 1}", "t.json:1:2: found 'a' where a key in double quotes was expected."),
        ("{\"a\" 1}", "t.json:1:6: found '1' where ':' after a key was expected."),
        ("{\"a\": 1 \"b\": 2}", "t.json:1:9: found '\"' where ',' or '}' was expected."),
        ("{\n  \"a\": 1,\n}", "t.json:3:1: a comma stands before '}'; remove it."),
        ("{\"a\": [1, {\"b\": [2,]}]}", "t.json:1:20: a[1].b: a comma stands before ']'; remove it."),
        ("{\"a\": 1} {}", "t.json:1:10: found '{' after the end of the document."),
        ("{} // end", "t.json:1:4: JSON has no comments; put the remark under a key that begins with 'x-'."),
        ("{\n// first\n\"a\": 1}", "t.json:2:1: JSON has no comments; put the remark under a key that begins with 'x-'."),
        ("{\"a\": 1, \"b\": 2,\n \"a\": 3}", "t.json:2:2: a: the key 'a' stands here a second time; the first is in line 1."),
        ("{\"a\": 1, \"\\u0061\": 3}", "t.json:1:10: a: the key 'a' stands here a second time; the first is in line 1."),
        ("{\"a\": \"b\n\"}", "t.json:1:7: a: the string that begins here is never closed with '\"'."),
        ("[\"b", "t.json:1:2: [0]: the string that begins here is never closed with '\"'."),
        ("[\"\u{1}\"]", "t.json:1:3: [0]: the control character 0x01 inside a string; write it as \\u0001."),
        ("[\"C:\\dir\"]", "t.json:1:5: [0]: '\\d' is not an escape of JSON; a backslash itself is written '\\\\'."),
        ("[\"\\u12G4\"]", "t.json:1:3: [0]: '\\u12G4' is not an escape of JSON; a backslash itself is written '\\\\'."),
        ("[\"\\ud83dx\"]", "t.json:1:3: [0]: '\\ud83d' is half of a surrogate pair without its other half."),
        ("[01]", "t.json:1:2: [0]: '01' is not a number of JSON."),
        ("[1.]", "t.json:1:2: [0]: '1.' is not a number of JSON."),
        ("[+1]", "t.json:1:2: [0]: found '+' where a value was expected."),
        ("[1e]", "t.json:1:2: [0]: '1e' is not a number of JSON."),
        ("[-]", "t.json:1:2: [0]: '-' is not a number of JSON."),
        ("[0x10]", "t.json:1:2: [0]: '0x10' is not a number of JSON."),
        ("[NaN]", "t.json:1:2: [0]: found 'N' where a value was expected."),
        ("[True]", "t.json:1:2: [0]: found 'T' where a value was expected."),
        ("[truth]", "t.json:1:2: [0]: found 'truth' where a value was expected."),
        ("['a']", "t.json:1:2: [0]: found ''' where a value was expected."),
        ("\u{FEFF}{}", "t.json:1:1: the text begins with a byte order mark; save it as UTF-8 without one."),
        ("{\"ä\": 1, \"€𝄞\": ?}", "t.json:1:16: €𝄞: found '?' where a value was expected."),
    ])
    func refusal(_ text: String, _ sentence: String) {
        #expect(error(Array(text.utf8)) == sentence)
    }

    @Test func badUTF8() {
        #expect(
            error(Array("{\n\"a\": \"".utf8) + [0xC3, 0x28] + Array("\"}".utf8))
                == "t.json:2:7: the byte 0xC3 is not UTF-8; save the text as UTF-8.")
        #expect(error([0xFF, 0xFE, 0x7B, 0x00]) == "t.json:1:1: the byte 0xFF is not UTF-8; save the text as UTF-8.")
    }

    @Test func nesting() throws {
        let deepest = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        _ = try JSONDocument(deepest, file: "t.json")
        let tooDeep = String(repeating: "[", count: 100_000)
        let sentence = try #require(error(Array(tooDeep.utf8)))
        #expect(sentence.hasPrefix("t.json:1:257: [0][0]"))
        #expect(sentence.hasSuffix(": lists and objects are nested more than 256 deep."))
    }

    /// No prefix of a card, and no card with one byte changed, does anything but parse or throw.
    @Test func damage() throws {
        let text = Array(#"{"a": [1, -2.5e-3, true, null, "x\u00e4\n"], "b": {"c": {}, "d": []}, "é": "€"}"#.utf8)
        _ = try JSONDocument(text, file: "t.json")
        for end in text.indices { #expect(error(Array(text[..<end])) != nil) }
        for i in text.indices {
            for byte in [0, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "["), UInt8(ascii: "}"), 0x80, 0xFF] {
                var damaged = text
                damaged[i] = byte
                _ = error(damaged)
            }
        }
    }

    @Test func values() throws {
        let text = #"{"a": [1, -2.5e-3, 1E2, true, false, null], "s": "\"\\\/\b\f\n\r\t\u00e4\ud834\udd1e€", "o": {}}"#
        let value = JSONValue(try JSONDocument(text, file: "t.json").root)
        #expect(value["a"] == .array([.integer(1), .number(-0.0025), .number(100), .bool(true), .bool(false), .null]))
        #expect(value["s"] == .string("\"\\/\u{8}\u{C}\n\r\tä𝄞€"))
        #expect(value["o"] == .object([]))
        let again = JSONValue(try JSONDocument(value.text, file: "t.json").root)
        #expect(again["s"] == value["s"])
        #expect(again.text == value.text)
    }

    @Test func layout() {
        let value = JSONValue.object([
            .init("short", .array([.integer(1), .integer(2)])),
            .init("long", .array((0..<3).map { .string(String(repeating: "x", count: 8) + "\($0)") })),
        ])
        #expect(
            value.text(width: 30) == """
                {
                  "short": [1, 2],
                  "long": [
                    "xxxxxxxx0",
                    "xxxxxxxx1",
                    "xxxxxxxx2"
                  ]
                }
                """)
    }

    private func error(_ bytes: [UInt8]) -> String? {
        do throws(CardError) {
            _ = try JSONDocument(bytes, file: "t.json")
            return nil
        } catch {
            return error.description
        }
    }
}

@Suite struct JSONEditing {
    private let text = """
        {
          "name": "a",   "x-note": {"keep":   1},
            "metrics": [ 1,2 ],
          "tags": []
        }

        """

    @Test func replacesOneMember() throws {
        let metrics = JSONValue.array([.object([.init("v", .number(0.5))])])
        let edited = try JSONDocument(text, file: "t.json").replacing("metrics", with: metrics)
        #expect(String(decoding: edited, as: UTF8.self) == text.replacing("[ 1,2 ]", with: "[{\"v\": 0.5}]"))
    }

    @Test func appendsAMember() throws {
        let edited = try JSONDocument(text, file: "t.json").replacing("updated", with: .string("2025-01-31"))
        #expect(
            String(decoding: edited, as: UTF8.self)
                == text.replacing("\"tags\": []", with: "\"tags\": [],\n  \"updated\": \"2025-01-31\""))
        let line = try JSONDocument("{\"a\": 1}", file: "t.json").replacing("b", with: .bool(true))
        #expect(String(decoding: line, as: UTF8.self) == "{\"a\": 1, \"b\": true}")
        let empty = try JSONDocument("{}\n", file: "t.json").replacing("b", with: .null)
        #expect(String(decoding: empty, as: UTF8.self) == "{\n  \"b\": null\n}\n")
    }

    @Test func indentsLongValues() throws {
        let long = JSONValue.array((0..<3).map { .string(String(repeating: "x", count: 50) + "\($0)") })
        let edited = try JSONDocument(text, file: "t.json").replacing("tags", with: long)
        let value = String(decoding: edited, as: UTF8.self)
        #expect(value.contains("\"tags\": [\n    \"xxx"))
        #expect(value.hasSuffix("2\"\n  ]\n}\n"))
    }
}

@Suite struct JSONEncoding {
    struct Line: Codable, Equatable {
        enum Kind: String, Codable { case good, bad }
        struct Word: Codable, Equatable { let word: String; let logProbability: Float }
        let model: String
        let input: URLText
        let text: String?
        let words: [Word]
        let kind: Kind
        let counts: [String: Int]
        let pairs: [[Double]]
    }

    /// A single value.
    struct URLText: Codable, Equatable {
        let text: String
        init(_ text: String) { self.text = text }
        init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }

    @Test func keepsTheOrderOfProperties() throws {
        let line = Line(
            model: "m", input: .init("a.jpg"), text: nil, words: [.init(word: "dog", logProbability: -0.1)], kind: .bad,
            counts: ["a": 1], pairs: [[1, 2.5], []])
        let value = try JSONValue(encoding: line)
        #expect(
            value.text
                == #"{"model": "m", "input": "a.jpg", "words": [{"word": "dog", "logProbability": -0.1}], "kind": "bad", "#
                + #""counts": {"a": 1}, "pairs": [[1, 2.5], []]}"#)
        #expect(try JSONValue(encoding: value) == value)
        #expect(try JSONValue(encoding: [UInt64.max, 3]) == .array([.number(0x1p64), .integer(3)]))
        #expect(try JSONValue(encoding: Double.nan).text == "null")
    }

    /// A value that encodes keys as it is told.
    private struct Members: Encodable {
        let keys: [String]
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for (i, key) in keys.enumerated() { try container.encode(i, forKey: Key(stringValue: key)) }
        }
        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
    }

    @Test(arguments: [3, 15, 16, 17, 40]) func theLastValueOfAKeyTakesTheFirstOnesPlace(_ count: Int) throws {
        let keys = (0..<count).map { "k\($0)" }
        let expected = keys.enumerated().map { i, key in JSONValue.Member(key, .integer(i < 2 ? count + i : i)) }
        #expect(try JSONValue(encoding: Members(keys: keys + ["k0", "k1"])) == .object(expected))
    }

    /// Features of a network are lists of tens of thousands of numbers.
    @Test func timeIsProportionalToTheLength() throws {
        let count = 40_000
        let seconds = try processorSeconds {
            guard case .array(let elements) = try JSONValue(encoding: (0..<count).map(Float.init)),
                case .object(let members) = try JSONValue(encoding: Members(keys: (0..<count).map { "\($0)" }))
            else {
                Issue.record("another kind of value")
                return
            }
            #expect(elements.count == count && members.count == count)
        }
        #expect(seconds < 2)
    }
}
