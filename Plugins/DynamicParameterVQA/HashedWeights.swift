package import Tensors

/// Which candidate stands where in a matrix, and with which sign: the hashing trick (Chen et al., "Compressing Neural
/// Networks with the Hashing Trick", ICML 2015).
///
///     W(o, i) = p[ψ(o, i)] · ξ(o, i)        ψ in 0 ..< K        ξ in {-1, +1}
///
/// Both are hashes of the place alone: worked out once, they hold for every question.
package struct HashedWeights: Sendable {
    /// ψ and ξ of one place: the index and, in the highest bit, where a float has its sign, whether ξ is -1.
    struct Entry {
        private let bits: UInt32
        init(index: UInt32, isNegative: UInt32) { bits = index | isNegative << 31 }
        var index: Int { Int(bits & 0x7FFF_FFFF) }
        var signBit: UInt32 { bits & 0x8000_0000 }
    }

    package let rows: Int, columns: Int
    /// K.
    package let candidates: Int
    /// Row by row.
    let entries: [Entry]

    /// - Parameter backend: whose threads share the work.
    package init(rows: Int, columns: Int, candidates: Int, _ keys: HashKeys = HashKeys(), on backend: any Backend) {
        require(
            rows > 0 && columns > 0 && 1...1 << 31 ~= candidates, "\(rows)×\(columns) hashed weights of \(candidates) candidates")
        (self.rows, self.columns, self.candidates) = (rows, columns, candidates)
        let names = (0..<max(rows, columns)).map(PlaceName.init)
        let (indexTag, signTag) = (Array(keys.indexTag.utf8), Array(keys.signTag.utf8))
        entries = Array(unsafeUninitializedCapacity: rows * columns) { buffer, count in
            nonisolated(unsafe) let entries = buffer.baseAddress!
            backend.forEachPart(ofRows: rows, width: columns) { part in
                let key = PlaceKey(longestTag: max(indexTag.count, signTag.count))
                for row in part {
                    let start = key.write(row: names[row])
                    for column in 0..<columns {
                        let end = key.write(names[column], at: start)
                        let index = xxHash32(key.ended(by: indexTag, at: end), seed: keys.seed) % UInt32(candidates)
                        let sign = xxHash32(key.ended(by: signTag, at: end), seed: keys.seed)
                        // An odd hash is +1.
                        (entries + (row * columns + column)).initialize(to: Entry(index: index, isNegative: ~sign & 1))
                    }
                }
            }
            count = rows * columns
        }
    }

    /// ψ.
    package func index(_ row: Int, _ column: Int) -> Int { entries[row * columns + column].index }
    /// ξ.
    package func sign(_ row: Int, _ column: Int) -> Float { entries[row * columns + column].signBit == 0 ? 1 : -1 }
}

/// How a row or column n, counted from 1, is written in a key: the digits of n, n + 1 and n + 2.
private struct PlaceName {
    let digits: SIMD32<UInt8>, count: Int

    /// - Parameter place: counted from 0, below 2²⁴, so that the digits have room.
    init(_ place: Int) {
        var digits = SIMD32<UInt8>(), count = 0
        for n in place + 1...place + 3 {
            for digit in "\(n)".utf8 {
                digits[count] = digit
                count += 1
            }
        }
        (self.digits, self.count) = (digits, count)
    }
}

/// Memory for the text that is hashed, `123_234idxW` for row 1 and column 2. There are millions of them, so every part is
/// written only where it changes.
private struct PlaceKey: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer

    init(longestTag: Int) {
        memory = .allocate(byteCount: 2 * MemoryLayout<SIMD32<UInt8>>.size + 1 + longestTag, alignment: 1)
    }
    deinit { memory.deallocate() }

    /// - Returns: where the column begins.
    func write(row: PlaceName) -> Int {
        let end = write(row, at: 0)
        memory[end] = UInt8(ascii: "_")
        return end + 1
    }

    /// Also writes behind the digits, where the next part will stand.
    /// - Returns: where the digits end.
    func write(_ name: PlaceName, at start: Int) -> Int {
        memory.storeBytes(of: name.digits, toByteOffset: start, as: SIMD32<UInt8>.self)
        return start + name.count
    }

    func ended(by tag: [UInt8], at end: Int) -> UnsafeRawBufferPointer {
        for i in tag.indices { memory[end + i] = tag[i] }
        return UnsafeRawBufferPointer(rebasing: memory[..<(end + tag.count)])
    }
}
