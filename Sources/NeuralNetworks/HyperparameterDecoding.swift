/// What the hyper-parameters of cards have in common.
extension KeyedDecodingContainer {
    /// The size of a layer: a whole number from 1 to about a million.
    public func decodeSize(_ key: Key) throws -> Int { try checkedSize(decode(Int.self, forKey: key), key, 1 << 20) }

    public func decodeSizeIfPresent(_ key: Key, upTo limit: Int = 1 << 20) throws -> Int? {
        try decodeIfPresent(Int.self, forKey: key).map { try checkedSize($0, key, limit) }
    }

    private func checkedSize(_ value: Int, _ key: Key, _ limit: Int) throws -> Int {
        guard 1...limit ~= value else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "expected a whole number from 1 to \(limit), found \(value)")
        }
        return value
    }

    /// The share of scalars that dropout sets to zero.
    public func decodeDropoutIfPresent(_ key: Key) throws -> Float? {
        guard let value = try decodeIfPresent(Float.self, forKey: key) else { return nil }
        guard 0 <= value, value < 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "a dropout rate must be at least 0 and below 1")
        }
        return value
    }
}
