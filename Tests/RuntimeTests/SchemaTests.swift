import Foundation
import Language
import ModelKit
import NeuralNetworks
import Testing

/// The published schema and the decoder are two descriptions of one format: these tests hold them together.
@Suite struct Schema {
    private let validator: SchemaValidator
    private let specimen: JSONDocument

    init() throws {
        let document = try JSONDocument(contentsOf: Project.cards + "/schema/model-card-1.json")
        validator = SchemaValidator(root: JSONValue(document.root))
        specimen = try JSONDocument(contentsOf: Project.specimen)
    }

    @Test(arguments: Project.cardNames)
    func shippedCard(_ name: String) throws {
        let card = try ModelCard(contentsOf: "\(Project.cards)/\(name).json")
        #expect(try validator.errors(JSONValue(card.document.root)) == [])
    }

    @Test func specimenIsValid() throws {
        #expect(try validator.errors(JSONValue(specimen.root)) == [])
        _ = try ModelCard(contentsOf: Project.specimen)
    }

    /// Every object of the specimen is asked for exactly the keys that the schema gives it, and has each of them at least
    /// once, so that nothing is left out of the comparison.
    @Test func sameKeys() throws {
        let watch = KeyWatch()
        _ = try StrictJSONDecoder().decode(ModelCard.self, from: specimen.root, watch: watch)
        var compared = 0
        func compare(_ node: JSONNode, _ schema: JSONValue) {
            let schema = validator.resolved(schema)
            if let asked = watch.askedKeys(of: node) {
                let known = properties(schema, of: node)
                #expect(asked == Set(known.keys), "\(node.path)")
                compared += 1
                for member in node.members { if let property = known[member.name] { compare(member.value, property) } }
            } else if let items = items(schema) {
                for element in node.elements { compare(element, items) }
            }
        }
        compare(specimen.root, validator.root)
        #expect(compared > 45)
    }

    /// Each layer, step and tokenizer of the schema stands in the specimen.
    @Test(arguments: ["layer", "step"]) func specimenIsComplete(_ definition: String) throws {
        guard case .array(let branches)? = validator.root["$defs"]?[definition]?["oneOf"] else {
            Issue.record("no branches")
            return
        }
        for branch in branches {
            guard let operation = branch["properties"]?["op"]?["const"], case .string(let name) = operation else { continue }
            #expect(
                String(decoding: specimen.text, as: UTF8.self).contains("\"op\": \"\(name)\"") || name == "global_average_pool")
        }
    }

    /// Enumerations of the schema are those of the types.
    @Test func sameChoices() {
        func choices(_ path: String...) -> [String] {
            let node = path.reduce(validator.root) { node, key in
                key == "items" ? node["items"] ?? .null : node["properties"]?[key] ?? .null
            }
            guard case .array(let values)? = node["enum"] else { return [] }
            return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        }
        #expect(choices("task") == ModelTask.allCases.map(\.rawValue))
        #expect(choices("vocabulary", "format") == VocabularyFormat.allCases.map(\.rawValue))
        #expect(choices("weights", "items", "format") == ModelCard.WeightsFile.Format.allCases.map(\.rawValue))
        #expect(choices("weights", "items", "role") == ModelCard.WeightsFile.Role.allCases.map(\.rawValue))
        #expect(choices("weights", "items", "dtype") == ModelCard.WeightsFile.ElementType.allCases.map(\.rawValue))
        #expect(
            choices("metrics", "items", "provenance", "kind") == ModelCard.Metric.Provenance.Kind.allCases.map(\.rawValue))
        #expect(choices("license", "commercial_use") == ModelCard.License.CommercialUse.allCases.map(\.rawValue))
    }

    /// A card that lacks one member, or has another value in its place, or one member more: what the schema refuses the
    /// decoder refuses, and what the decoder refuses for its form the schema refuses.
    @Test func sameRefusals() throws {
        let original = JSONValue(specimen.root)
        var refused = 0
        for path in Self.paths(original) where !path.components.isEmpty {
            let replacements: [JSONValue?] = [
                nil, .null, .bool(true), .number(-1.5), .string("zz"), .array([]), .object([.init("zz", .integer(1))]),
            ]
            // What is inside of an architecture's own section is its own affair.
            if [.key("hyperparameters"), .key("decoding")].contains(path.components[0]), path.components.count > 1 { continue }
            if path.components[0] == .key("x-remark") { continue }
            for replacement in replacements {
                let changed = Self.replacing(original, path.components[...], replacement)
                let schemaErrors = try validator.errors(changed)
                let (isRefused, isForm, sentence) = Self.decode(changed)
                if !schemaErrors.isEmpty {
                    refused += 1
                    #expect(isRefused, "only the schema refuses \(path) = \(replacement?.text ?? "nothing"): \(schemaErrors)")
                } else {
                    #expect(!isForm, "only the decoder refuses \(path) = \(replacement?.text ?? "nothing"): \(sentence)")
                }
            }
        }
        #expect(refused > 1000)
    }

    /// What the numbers of a layer must be, the schema tells a reader in the words of the decoder.
    @Test(
        arguments: [
            (#"{"op": "local_response_normalization", "size": 5, "alpha": 1, "beta": 1}"#, nil),
            (
                #"{"op": "local_response_normalization", "size": 4, "alpha": 1, "beta": 1}"#,
                "the window must have a middle: an odd number of channels"
            ),
            (#"{"op": "batch_normalization", "name": "a", "epsilon": 0}"#, nil),
            (#"{"op": "batch_normalization", "name": "a", "epsilon": -1e-9}"#, "ε must not be negative"),
            (
                #"{"op": "convolution", "name": "a", "outputs": 2, "kernel": 3, "normalization": {"epsilon": -1e-9}}"#,
                "ε must not be negative"
            ),
        ] as [(String, String?)])
    func sameWords(_ layer: String, _ sentence: String?) throws {
        let layer = try JSONDocument(layer, file: "t.json").root
        let isValid = try validator.errors(JSONValue(layer), #require(validator.root["$defs"]?["layer"])).isEmpty
        #expect(isValid == (sentence == nil))
        do throws(CardError) {
            _ = try StrictJSONDecoder().decode(NamedLayer.self, from: layer)
            #expect(sentence == nil)
        } catch {
            #expect(error.message == "\(sentence ?? "").")
            let schema = try String(contentsOfFile: Project.cards + "/schema/model-card-1.json", encoding: .utf8)
            let isTold = schema.lowercased().contains((sentence ?? "?").lowercased())
            #expect(isTold)
        }
    }

    // MARK: -

    private static func decode(_ value: JSONValue) -> (isRefused: Bool, isForm: Bool, String) {
        do throws(CardError) {
            let document = try JSONDocument(value.text, file: "specimen.json")
            _ = try ModelCard(document, folder: CardFolder(ofCard: "/zoo/ModelCards/specimen.json"))
            return (false, false, "")
        } catch {
            switch error {
            case .unknownKey, .missingKey, .wrongType, .null, .notOneOf:
                // A crop needs 'size' or 'box', whichever its mode says; the schema leaves that to the decoder.
                let isKnownGap = error.description.contains("preprocess[2]")
                return (true, !isKnownGap, error.description)
            default: return (true, false, error.description)
            }
        }
    }

    private static func paths(_ value: JSONValue) -> [JSONPath] {
        switch value {
        case .object(let members):
            [JSONPath()] + members.flatMap { member in paths(member.value).map { JSONPath([.key(member.key)] + $0.components) } }
        case .array(let elements):
            [JSONPath()] + elements.enumerated().flatMap { i, e in paths(e).map { JSONPath([.index(i)] + $0.components) } }
        default: [JSONPath()]
        }
    }

    private static func replacing(
        _ value: JSONValue, _ path: ArraySlice<JSONPath.Component>, _ replacement: JSONValue?
    ) -> JSONValue {
        guard let first = path.first else { return replacement ?? value }
        let rest = path.dropFirst()
        switch (first, value) {
        case (.key(let key), .object(let members)):
            return .object(
                members.compactMap { member in
                    guard member.key == key else { return member }
                    if rest.isEmpty, replacement == nil { return nil }
                    return .init(key, replacing(member.value, rest, replacement))
                })
        case (.index(let index), .array(var elements)):
            if rest.isEmpty, replacement == nil {
                elements.remove(at: index)
            } else {
                elements[index] = replacing(elements[index], rest, replacement)
            }
            return .array(elements)
        default: return value
        }
    }

    private func items(_ schema: JSONValue) -> JSONValue? {
        if let items = schema["items"] { return items }
        guard case .array(let branches)? = schema["anyOf"] ?? schema["oneOf"] else { return nil }
        return branches.lazy.map { validator.resolved($0) }.compactMap { $0["items"] }.first
    }

    /// The properties that the schema gives to an object: of the branches whose fixed values are those of the object.
    private func properties(_ schema: JSONValue, of node: JSONNode) -> [String: JSONValue] {
        var branches = [schema]
        if case .array(let alternatives)? = schema["oneOf"] ?? schema["anyOf"], schema["properties"] == nil {
            branches = alternatives.map(validator.resolved).filter { branch in
                guard case .object(let properties)? = branch["properties"] else { return false }
                return properties.allSatisfy { property in
                    let value = node[property.key].map { JSONValue($0) }
                    if let fixed = property.value["const"] {
                        return value == fixed || value == nil && property.key == "depthwise"
                    }
                    if property.key == "kind", case .array(let kinds)? = property.value["enum"] {
                        return value.map(kinds.contains) ?? false
                    }
                    return true
                }
            }
        }
        var found: [String: JSONValue] = [:]
        for case .object(let properties)? in branches.map({ $0["properties"] }) {
            for property in properties { found[property.key] = property.value }
        }
        return found
    }
}
