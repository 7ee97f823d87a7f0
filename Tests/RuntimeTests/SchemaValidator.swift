import ModelKit

/// The part of JSON Schema 2020-12 that our schema uses; any other keyword is an error, so that nothing goes unchecked.
struct SchemaValidator {
    struct UnknownKeyword: Error { let keyword: String }

    let root: JSONValue
    private let patterns = Patterns()

    init(root: JSONValue) { self.root = root }

    /// Compiled once each.
    private final class Patterns {
        private var known: [String: Regex<AnyRegexOutput>] = [:]

        func callAsFunction(_ pattern: String) throws -> Regex<AnyRegexOutput> {
            if let regex = known[pattern] { return regex }
            let regex = try Regex(pattern)
            known[pattern] = regex
            return regex
        }
    }

    /// The paths at which the value breaks the schema; empty when it is valid.
    func errors(_ value: JSONValue) throws -> [String] { try errors(value, root, "") }

    /// The same for a value of a part of the schema.
    func errors(_ value: JSONValue, _ schema: JSONValue) throws -> [String] { try errors(value, schema, "") }

    func resolved(_ schema: JSONValue) -> JSONValue {
        guard case .string(let reference)? = schema["$ref"] else { return schema }
        return reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] ?? .null }
    }

    private static let remarks: Set = [
        "$schema", "$id", "title", "description", "$defs", "properties", "patternProperties", "then",
    ]

    private func errors(_ value: JSONValue, _ schema: JSONValue, _ path: String) throws -> [String] {
        guard case .object(let keywords) = schema else { return [] }  // `true`
        var errors: [String] = []
        func check(_ isValid: Bool, _ keyword: String) { if !isValid { errors.append("\(path): \(keyword)") } }
        for keyword in keywords where !Self.remarks.contains(keyword.key) {
            let argument = keyword.value
            switch (keyword.key, argument) {
            case ("$ref", _): errors += try self.errors(value, resolved(schema), path)
            case ("type", .string(let type)): check(Self.matches(value, type), "type")
            case ("const", _): check(value == argument, "const")
            case ("enum", .array(let values)): check(values.contains(value), "enum")
            case ("required", .array(let keys)):
                guard case .object = value else { continue }
                for case .string(let key) in keys where value[key] == nil { check(false, "required \(key)") }
            case ("additionalProperties", .bool(false)):
                guard case .object(let members) = value else { continue }
                for member in members {
                    if let property = schema["properties"]?[member.key] {
                        errors += try self.errors(member.value, property, path + "/" + member.key)
                    } else if !member.key.hasPrefix("x-") {
                        check(false, "additionalProperties \(member.key)")
                    }
                }
            case ("items", _):
                guard case .array(let elements) = value else { continue }
                for (i, element) in elements.enumerated() { errors += try self.errors(element, argument, "\(path)/\(i)") }
            case ("minItems", .integer(let n)): if case .array(let elements) = value { check(elements.count >= n, "minItems") }
            case ("maxItems", .integer(let n)): if case .array(let elements) = value { check(elements.count <= n, "maxItems") }
            case ("uniqueItems", .bool(true)):
                if case .array(let elements) = value { check(Set(elements).count == elements.count, "uniqueItems") }
            case ("minimum", .integer(let n)): if let number = Self.number(value) { check(number >= Double(n), "minimum") }
            case ("maximum", .integer(let n)): if let number = Self.number(value) { check(number <= Double(n), "maximum") }
            case ("exclusiveMaximum", .integer(let n)):
                if let number = Self.number(value) { check(number < Double(n), "maximum") }
            case ("multipleOf", .integer(let n)):
                if let number = Self.number(value) { check((number / Double(n)).rounded() == number / Double(n), "multipleOf") }
            case ("pattern", .string(let pattern)):
                if case .string(let text) = value { check(try text.contains(patterns(pattern)), "pattern") }
            case ("oneOf", .array(let branches)):
                let matching = try branches.filter { try self.errors(value, $0, path).isEmpty }
                check(matching.count == 1, "oneOf (\(matching.count) match)")
            case ("anyOf", .array(let branches)):
                check(try branches.contains { try self.errors(value, $0, path).isEmpty }, "anyOf")
            case ("allOf", .array(let branches)): for branch in branches { errors += try self.errors(value, branch, path) }
            case ("not", _): check(try !self.errors(value, argument, path).isEmpty, "not")
            case ("if", _):
                if try conditionHolds(value, argument), let then = schema["then"] { errors += try self.errors(value, then, path) }
            default: throw UnknownKeyword(keyword: keyword.key)
            }
        }
        return errors
    }

    /// Our conditions look at properties without closing the object.
    private func conditionHolds(_ value: JSONValue, _ condition: JSONValue) throws -> Bool {
        guard case .object(let properties)? = condition["properties"] else { return true }
        return try properties.allSatisfy { property in
            guard let member = value[property.key] else { return true }
            return try errors(member, property.value, "").isEmpty
        }
    }

    private static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    private static func matches(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("integer", .integer),
            ("number", .integer), ("number", .number):
            true
        case ("integer", .number(let number)): number.rounded() == number
        default: false
        }
    }
}
