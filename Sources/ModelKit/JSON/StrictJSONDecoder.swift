/// Decodes `Decodable` types and accepts nothing that they do not ask for.
///
/// While a type decodes itself, the decoder writes down which keys it asks each object for. A key that nobody asked for
/// is an error that names its place and the key that was probably meant:
/// `captioner.json:14:7: hyperparameters.hopz: unknown key; did you mean 'hops'?`
///
/// - Keys that begin with `x-` are free everywhere.
/// - Keys are written in snake case: a type that asks for `hiddenSize` is given `hidden_size`.
/// - `null` is not a way to leave a member out; leave it out. (A value whose type decodes null, such as `JSONValue`
///   or an element `Int?` of a list, may be null.)
/// - A list of which a type reads only the first elements has too many.
/// - Enumerations with raw strings that are `CaseIterable` say which values there are.
/// - An error that a type throws itself (`DecodingError` or its own) is told with its place.
public struct StrictJSONDecoder: Sendable {
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    /// Off for a look at a few members only, as in a list of all cards.
    package var rejectsUnknownKeys = true

    public init() {}

    /// - Throws: the first thing that is wrong; a wrong value before an unknown key.
    public func decode<T: Decodable>(_ type: T.Type = T.self, from node: JSONNode) throws(CardError) -> T {
        let watch = KeyWatch()
        let value = try decode(type, from: node, watch: watch)
        if rejectsUnknownKeys, let first = watch.leftovers(in: node.document).first { throw first.error }
        return value
    }

    /// Decodes and lists every key that nobody asked for.
    package func decode<T: Decodable>(
        _ type: T.Type = T.self, from node: JSONNode, unknownKeys: inout [CardError]
    ) throws(CardError) -> T {
        let watch = KeyWatch()
        let value = try decode(type, from: node, watch: watch)
        unknownKeys = watch.leftovers(in: node.document).map(\.error)
        return value
    }

    /// Decodes and tells which keys each object was asked for: the test that the schema and the decoder agree.
    package func decode<T: Decodable>(_ type: T.Type, from node: JSONNode, watch: KeyWatch) throws(CardError) -> T {
        let decoder = NodeDecoder(node, watch, self)
        do {
            return try decoder.decode(type)
        } catch {
            throw decoder.cardError(error)
        }
    }
}

/// Which keys the objects of a document were asked for, and how much of the lists was read.
package final class KeyWatch {
    /// By the index of the object.
    private var asked: [Int: Set<String>] = [:]
    /// Objects whose keys were enumerated: dictionaries.
    private var enumerated: Set<Int> = []
    /// By the index of the list: the most elements that somebody read.
    private var read: [Int: Int] = [:]

    package init() {}

    func open(_ object: JSONNode) { asked[object.index, default: []].formUnion([]) }
    func ask(_ object: JSONNode, for key: String) { asked[object.index, default: []].insert(key) }
    func enumerate(_ object: JSONNode) { enumerated.insert(object.index) }
    func isEnumerated(_ object: JSONNode) -> Bool { enumerated.contains(object.index) }
    func read(_ list: JSONNode, upTo count: Int) { read[list.index] = max(read[list.index] ?? 0, count) }

    /// The keys an object was asked for; nil when nobody opened it.
    package func askedKeys(of object: JSONNode) -> Set<String>? { asked[object.index] }

    /// A value that nobody asked for. What is to be said about it is worked out when somebody wants to know: its place
    /// takes a walk through the document, and the key that was probably meant a look at all others.
    struct Leftover {
        fileprivate enum Problem {
            case key(JSONNode.Member, asked: Set<String>)
            case list(JSONNode, read: Int)
        }

        fileprivate let problem: Problem

        /// Orders by the place in the text.
        fileprivate var index: Int {
            switch problem {
            case .key(let member, _): member.key.index
            case .list(let list, _): list.index
            }
        }

        var error: CardError {
            switch problem {
            case .key(let member, let asked):
                .unknownKey(member.key.place, suggestion: Suggestion.nearest(to: member.name, in: asked.sorted()))
            case .list(let list, let read): .wrongCount(list.place, expected: read, found: list.count)
            }
        }
    }

    /// Every key that nobody asked for and every list that was not read to its end, in the order of the text.
    func leftovers(in document: JSONDocument) -> [Leftover] {
        var found: [Leftover] = []
        for (index, keys) in asked {
            for member in JSONNode(document: document, index: index).members
            where !keys.contains(member.name) && !member.name.hasPrefix("x-") {
                found.append(Leftover(problem: .key(member, asked: keys)))
            }
        }
        for (index, count) in read {
            let list = JSONNode(document: document, index: index)
            if count > 0, count < list.count { found.append(Leftover(problem: .list(list, read: count))) }
        }
        return found.sorted { $0.index < $1.index }
    }
}
