extension JSONValue {
    /// Any `Encodable` as JSON: members in the order in which the type encodes them, which is the order of its
    /// properties. Names stay as they are.
    public init(encoding value: some Encodable) throws {
        let slot = ValueSlot()
        try slot.encode(value, path: [])
        self = slot.value
    }
}

/// A place in the tree that is being made.
private final class ValueSlot {
    private enum Kind { case nothing, value(JSONValue), object, array }

    private var kind = Kind.nothing
    /// The elements of a list or the values of an object.
    private var slots: [ValueSlot] = []
    private var keys: [String] = []
    /// For objects of many members, where looking through all of them for each would be slow.
    private var positions: [String: Int] = [:]

    var value: JSONValue {
        switch kind {
        case .nothing: .object([])
        case .value(let value): value
        case .array: .array(slots.map(\.value))
        case .object: .object(zip(keys, slots).map { JSONValue.Member($0, $1.value) })
        }
    }

    func set(_ value: JSONValue) { kind = .value(value) }

    func becomeObject() { if case .object = kind {} else { become(.object) } }
    func becomeArray() { if case .array = kind {} else { become(.array) } }

    private func become(_ kind: Kind) {
        self.kind = kind
        (slots, keys, positions) = ([], [], [:])
    }

    /// The slot of a member; a second value for a key takes the first one's place.
    func member(_ key: String) -> ValueSlot {
        guard case .object = kind else { preconditionFailure("not an object") }
        if let i = position(of: key) { return slots[i] }
        if keys.count >= Self.few { positions[key] = keys.count }
        keys.append(key)
        return append()
    }

    private func position(of key: String) -> Int? {
        guard keys.count >= Self.few else { return keys.firstIndex(of: key) }
        if positions.isEmpty { for (i, key) in keys.enumerated() { positions[key] = i } }
        return positions[key]
    }

    private static let few = 16

    func element() -> ValueSlot {
        guard case .array = kind else { preconditionFailure("not a list") }
        return append()
    }

    private func append() -> ValueSlot {
        let slot = ValueSlot()
        slots.append(slot)
        return slot
    }

    var count: Int { if case .array = kind { slots.count } else { 0 } }

    func encode<T: Encodable>(_ value: T, path: [any CodingKey]) throws {
        try value.encode(to: SlotEncoder(slot: self, codingPath: path))
    }

    func set(_ number: some BinaryInteger) { set(Int(exactly: number).map(JSONValue.integer) ?? .number(Double(number))) }
    /// Not the nearest double, but the double with the same decimal digits: 0.1 stays 0.1.
    func set(_ number: Float) { set(.number(Double("\(number)") ?? Double(number))) }
}

private struct SlotEncoder: Encoder {
    let slot: ValueSlot
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        slot.becomeObject()
        return KeyedEncodingContainer(SlotMembers<Key>(slot: slot, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        slot.becomeArray()
        return SlotElements(slot: slot, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SlotScalar(slot: slot, codingPath: codingPath) }
}

private struct SlotMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: ValueSlot
    let codingPath: [any CodingKey]

    private func slot(_ key: Key) -> ValueSlot { slot.member(key.stringValue) }
    private func encoder(_ key: any CodingKey) -> SlotEncoder {
        SlotEncoder(slot: slot.member(key.stringValue), codingPath: codingPath + [key])
    }

    mutating func encodeNil(forKey key: Key) { slot(key).set(.null) }
    mutating func encode(_ value: Bool, forKey key: Key) { slot(key).set(.bool(value)) }
    mutating func encode(_ value: String, forKey key: Key) { slot(key).set(.string(value)) }
    mutating func encode(_ value: Double, forKey key: Key) { slot(key).set(.number(value)) }
    mutating func encode(_ value: Float, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: Int, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: Int8, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: Int16, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: Int32, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: Int64, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: UInt, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: UInt8, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: UInt16, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: UInt32, forKey key: Key) { slot(key).set(value) }
    mutating func encode(_ value: UInt64, forKey key: Key) { slot(key).set(value) }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try slot(key).encode(value, path: codingPath + [key])
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder(key).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key).unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { encoder(PathKey(stringValue: "super")) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
}

private struct SlotElements: UnkeyedEncodingContainer {
    let slot: ValueSlot
    let codingPath: [any CodingKey]
    var count: Int { slot.count }

    private func encoder() -> SlotEncoder {
        let key = PathKey(intValue: count)
        return SlotEncoder(slot: slot.element(), codingPath: codingPath + [key])
    }

    mutating func encodeNil() { slot.element().set(.null) }
    mutating func encode(_ value: Bool) { slot.element().set(.bool(value)) }
    mutating func encode(_ value: String) { slot.element().set(.string(value)) }
    mutating func encode(_ value: Double) { slot.element().set(.number(value)) }
    mutating func encode(_ value: Float) { slot.element().set(value) }
    mutating func encode(_ value: Int) { slot.element().set(value) }
    mutating func encode(_ value: Int8) { slot.element().set(value) }
    mutating func encode(_ value: Int16) { slot.element().set(value) }
    mutating func encode(_ value: Int32) { slot.element().set(value) }
    mutating func encode(_ value: Int64) { slot.element().set(value) }
    mutating func encode(_ value: UInt) { slot.element().set(value) }
    mutating func encode(_ value: UInt8) { slot.element().set(value) }
    mutating func encode(_ value: UInt16) { slot.element().set(value) }
    mutating func encode(_ value: UInt32) { slot.element().set(value) }
    mutating func encode(_ value: UInt64) { slot.element().set(value) }
    mutating func encode<T: Encodable>(_ value: T) throws {
        let path = codingPath + [PathKey(intValue: count)]
        try slot.element().encode(value, path: path)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoder().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { encoder() }
}

private struct SlotScalar: SingleValueEncodingContainer {
    let slot: ValueSlot
    let codingPath: [any CodingKey]

    mutating func encodeNil() { slot.set(.null) }
    mutating func encode(_ value: Bool) { slot.set(.bool(value)) }
    mutating func encode(_ value: String) { slot.set(.string(value)) }
    mutating func encode(_ value: Double) { slot.set(.number(value)) }
    mutating func encode(_ value: Float) { slot.set(value) }
    mutating func encode(_ value: Int) { slot.set(value) }
    mutating func encode(_ value: Int8) { slot.set(value) }
    mutating func encode(_ value: Int16) { slot.set(value) }
    mutating func encode(_ value: Int32) { slot.set(value) }
    mutating func encode(_ value: Int64) { slot.set(value) }
    mutating func encode(_ value: UInt) { slot.set(value) }
    mutating func encode(_ value: UInt8) { slot.set(value) }
    mutating func encode(_ value: UInt16) { slot.set(value) }
    mutating func encode(_ value: UInt32) { slot.set(value) }
    mutating func encode(_ value: UInt64) { slot.set(value) }
    mutating func encode<T: Encodable>(_ value: T) throws { try slot.encode(value, path: codingPath) }
}
