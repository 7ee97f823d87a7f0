import ModelKit
import Testing

@Suite struct StrictDecoding {
    struct Hyperparameters: Decodable, Equatable {
        enum Fusion: String, Decodable, CaseIterable { case sum, product, concatenation }
        struct Hop: Decodable, Equatable {
            let size: Int
            let dropout: Float?
        }
        let hiddenSize: Int
        let hops: [Hop]
        let fusion: Fusion
        let words: [String: Int]?
        let scale: Double?
    }

    @Test func decodes() throws {
        let value = try decode(
            Hyperparameters.self,
            """
            {"hidden_size": 8, "hops": [{"size": 1e1}, {"size": 2, "dropout": 0.5, "x-y": 1}], "fusion": "sum",
             "x-z": {"a": null}, "words": {"fooBar": 1, "foo_bar": 2}}
            """)
        #expect(
            value
                == Hyperparameters(
                    hiddenSize: 8, hops: [.init(size: 10, dropout: nil), .init(size: 2, dropout: 0.5)], fusion: .sum,
                    words: ["fooBar": 1, "foo_bar": 2], scale: nil))
    }

    @Test(arguments: [
        // Unknown and missing keys
        (#"{"hidden_size": 8, "hopz": [], "fusion": "sum"}"#, "t.json:1:20: hopz: unknown key; did you mean 'hops'?"),
        (#"{"hiddenSize": 8, "hops": [], "fusion": "sum"}"#, "t.json:1:2: hiddenSize: unknown key; did you mean 'hidden_size'?"),
        (#"{"hidden_size": 8, "hops": [], "fusion": "sum", "scal": 1}"#, "t.json:1:49: scal: unknown key; did you mean 'scale'?"),
        (
            #"{"hidden_size": 8, "hops": [{"size": 1, "dorpout": 0.5}], "fusion": "sum"}"#,
            "t.json:1:41: hops[0].dorpout: unknown key; did you mean 'dropout'?"
        ),
        (
            #"{"hidden_size": 8, "hops": [], "fusion": "sum", "colour": 1}"#,
            "t.json:1:49: colour: unknown key; remove it, or begin it with 'x-' to keep it as a remark."
        ),
        (#"{"hops": [], "fusion": "sum"}"#, "t.json:1:1: the key 'hidden_size' is missing."),
        (#"{"hidden_size": 8, "hops": [{}], "fusion": "sum"}"#, "t.json:1:29: hops[0]: the key 'size' is missing."),
        // Types
        (#"[]"#, "t.json:1:1: an object was expected, not a list."),
        (#"{"hidden_size": "8"}"#, "t.json:1:17: hidden_size: an integer was expected, not a string."),
        (#"{"hidden_size": 8.5}"#, "t.json:1:17: hidden_size: an integer was expected, not the number 8.5."),
        (#"{"hidden_size": null}"#, "t.json:1:17: hidden_size: an integer was expected, not null."),
        (#"{"hidden_size": true}"#, "t.json:1:17: hidden_size: an integer was expected, not a truth value."),
        (#"{"hidden_size": 8, "hops": {}}"#, "t.json:1:28: hops: a list was expected, not an object."),
        (#"{"hidden_size": 8, "hops": [[]]}"#, "t.json:1:29: hops[0]: an object was expected, not a list."),
        (
            #"{"hidden_size": 8, "hops": [{"size": 1, "dropout": "a"}]}"#,
            "t.json:1:52: hops[0].dropout: a number was expected, not a string."
        ),
        (
            #"{"hidden_size": 8, "hops": [{"size": 1, "dropout": null}]}"#,
            "t.json:1:52: hops[0].dropout: null is not a value here; leave the key out."
        ),
        // Ranges
        (#"{"hidden_size": 9223372036854775808}"#, "t.json:1:17: hidden_size: 9223372036854775808 is out of the range of Int."),
        (#"{"hidden_size": 1e30}"#, "t.json:1:17: hidden_size: 1e30 is out of the range of Int."),
        (
            #"{"hidden_size": 8, "hops": [], "fusion": "sum", "scale": 1e999}"#,
            "t.json:1:58: scale: 1e999 is out of the range of Double."
        ),
        // Enumerations
        (
            #"{"hidden_size": 8, "hops": [], "fusion": "prodct"}"#,
            "t.json:1:42: fusion: 'prodct' is not one of 'sum', 'product', 'concatenation'; did you mean 'product'?"
        ),
        (
            #"{"hidden_size": 8, "hops": [], "fusion": "maximum"}"#,
            "t.json:1:42: fusion: 'maximum' is not one of 'sum', 'product', 'concatenation'."
        ),
        (#"{"hidden_size": 8, "hops": [], "fusion": 3}"#, "t.json:1:42: fusion: a string was expected, not a number."),
    ])
    func refusal(_ text: String, _ sentence: String) { #expect(error(Hyperparameters.self, text) == sentence) }

    // MARK: Other ways to decode

    /// A type that tries one form after the other, and one whose initialiser throws an error of its own.
    enum Side: Decodable, Equatable {
        struct Odd: Error, CustomStringConvertible {
            let number: Int
            var description: String { "\(number) is odd" }
        }
        case one(Int), pair(Int, Int)

        init(from decoder: any Decoder) throws {
            if let number = try? decoder.singleValueContainer().decode(Int.self) {
                guard number % 2 == 0 else { throw Odd(number: number) }
                self = .one(number)
                return
            }
            var list = try decoder.unkeyedContainer()
            self = .pair(try list.decode(Int.self), try list.decode(Int.self))
        }
    }

    struct Sides: Decodable { let side: Side }

    @Test(arguments: [
        (#"{"side": 3}"#, "t.json:1:10: side: 3 is odd."),
        (#"{"side": [1]}"#, "t.json:1:10: side: 2 elements were expected, not 1."),
        (#"{"side": [1, 2, 3]}"#, "t.json:1:10: side: 2 elements were expected, not 3."),
        (#"{"side": [1, "2"]}"#, "t.json:1:14: side[1]: an integer was expected, not a string."),
        (#"{"side": "2"}"#, "t.json:1:10: side: a list was expected, not a string."),
    ])
    func ownInitializer(_ text: String, _ sentence: String) { #expect(error(Sides.self, text) == sentence) }

    @Test func severalForms() throws {
        #expect(try decode(Sides.self, #"{"side": 4}"#).side == .one(4))
        #expect(try decode(Sides.self, #"{"side": [1, 2]}"#).side == .pair(1, 2))
    }

    /// A `DecodingError` without anything of ours in it, thrown for a key.
    struct Rate: Decodable {
        let rate: Double
        private enum CodingKeys: CodingKey { case rate }
        init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            rate = try json.decode(Double.self, forKey: .rate)
            if rate > 1 {
                throw DecodingError.dataCorruptedError(forKey: .rate, in: json, debugDescription: "a rate is at most 1.")
            }
        }
    }

    @Test func decodingErrors() {
        #expect(error([Rate].self, "[{\"rate\": 1},\n {\"rate\": 2}]") == "t.json:2:11: [1].rate: a rate is at most 1.")
    }

    /// Nested containers, super decoders and enumerations with associated values.
    struct Nested: Decodable, Equatable {
        enum Shape: Decodable, Equatable {
            case circle(radius: Int)
            case nothing
        }
        let a: Int
        let b: [Int]
        let shape: Shape
        private enum CodingKeys: CodingKey { case outer, shape }
        private enum Inner: CodingKey { case a, list }
        init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            let inner = try json.nestedContainer(keyedBy: Inner.self, forKey: .outer)
            a = try inner.decode(Int.self, forKey: .a)
            var list = try inner.nestedUnkeyedContainer(forKey: .list)
            var numbers: [Int] = []
            while !list.isAtEnd { numbers.append(try list.decode(Int.self)) }
            b = numbers
            shape = try json.decode(Shape.self, forKey: .shape)
        }
    }

    @Test func nestedContainers() throws {
        let value = try decode(Nested.self, #"{"outer": {"a": 1, "list": [2, 3]}, "shape": {"circle": {"radius": 4}}}"#)
        #expect((value.a, value.b, value.shape) == (1, [2, 3], .circle(radius: 4)))
        #expect(
            error(Nested.self, #"{"outer": {"a": 1, "list": [2, 3], "lost": 1}, "shape": {"nothing": {}}}"#)
                == "t.json:1:36: outer.lost: unknown key; did you mean 'list'?")
        #expect(
            error(Nested.self, #"{"outer": {"a": 1, "list": []}, "shape": {"circle": {"radius": 4, "x": 1}}}"#)
                == "t.json:1:67: shape.circle.x: unknown key; remove it, or begin it with 'x-' to keep it as a remark.")
    }

    /// A part that is decoded later, by somebody else, is as strict and tells places in the same file.
    @Test func deferred() throws {
        struct Card: Decodable {
            let title: String
            let hyperparameters: JSONNode
        }
        let card = try decode(
            Card.self, "{\"title\": \"t\",\n \"hyperparameters\": {\n  \"hidden_size\": 8, \"hopz\": [], \"fusion\": \"sum\"}}")
        #expect(throws: CardError.self) { try StrictJSONDecoder().decode(Hyperparameters.self, from: card.hyperparameters) }
        do throws(CardError) {
            _ = try StrictJSONDecoder().decode(Hyperparameters.self, from: card.hyperparameters)
        } catch {
            #expect(error.description == "t.json:3:21: hyperparameters.hopz: unknown key; did you mean 'hops'?")
        }
    }

    @Test func manyKeys() {
        let text = "{" + (0..<2000).map { "\"k\($0)\": \($0)" }.joined(separator: ",") + "}"
        #expect(throws: Never.self) { try decode([String: Int].self, text) }
    }

    /// What nobody asked for is looked into only as far as somebody wants to know about it.
    @Test(arguments: [false, true]) func manyUnknownKeys(_ areRejected: Bool) throws {
        struct Title: Decodable { let title: String }
        let members = (0..<20_000).map { "\n\"k\($0)\": [\($0)]" }.joined(separator: ",")
        let document = try JSONDocument("{\"title\": \"t\",\(members)}", file: "t.json")
        var decoder = StrictJSONDecoder()
        decoder.rejectsUnknownKeys = areRejected
        let seconds = processorSeconds {
            do throws(CardError) {
                #expect(try decoder.decode(Title.self, from: document.root).title == "t")
                #expect(!areRejected)
            } catch {
                #expect(areRejected && error.description.hasPrefix("t.json:2:1: k0: unknown key"))
            }
        }
        #expect(seconds < 2)
    }

    @Test(arguments: [("hopz", "hops"), ("Hidden-Size", "hidden_size"), ("fsuion", "fusion"), ("zebra", nil)])
    func suggestions(_ word: String, _ nearest: String?) {
        #expect(Suggestion.nearest(to: word, in: ["hops", "hidden_size", "fusion"]) == nearest)
    }

    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws(CardError) -> T {
        try StrictJSONDecoder().decode(type, from: JSONDocument(text, file: "t.json").root)
    }

    private func error<T: Decodable>(_ type: T.Type, _ text: String) -> String? {
        do throws(CardError) {
            _ = try decode(type, text)
            return nil
        } catch {
            return error.description
        }
    }
}
