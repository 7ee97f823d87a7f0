/// XXH32, a fast hash that gives the same 32 bits on every machine
/// (Collet, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
package func xxHash32(_ bytes: UnsafeRawBufferPointer, seed: UInt32) -> UInt32 {
    let (p1, p2, p3): (UInt32, UInt32, UInt32) = (0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D)
    let (p4, p5): (UInt32, UInt32) = (0x27D4_EB2F, 0x1656_67B1)
    let count = bytes.count
    var at = 0, h = seed &+ p5
    if count >= 16 {
        // Four sums over every fourth word.
        var (a, b, c, d) = (seed &+ p1 &+ p2, seed &+ p2, seed, seed &- p1)
        while at + 16 <= count {
            a = (a &+ bytes.word(at) &* p2).rotated(13) &* p1
            b = (b &+ bytes.word(at + 4) &* p2).rotated(13) &* p1
            c = (c &+ bytes.word(at + 8) &* p2).rotated(13) &* p1
            d = (d &+ bytes.word(at + 12) &* p2).rotated(13) &* p1
            at += 16
        }
        h = a.rotated(1) &+ b.rotated(7) &+ c.rotated(12) &+ d.rotated(18)
    }
    h = h &+ UInt32(truncatingIfNeeded: count)
    while at + 4 <= count {
        h = (h &+ bytes.word(at) &* p3).rotated(17) &* p4
        at += 4
    }
    while at < count {
        h = (h &+ UInt32(bytes[at]) &* p5).rotated(11) &* p1
        at += 1
    }
    h = (h ^ (h >> 15)) &* p2
    h = (h ^ (h >> 13)) &* p3
    return h ^ (h >> 16)
}

extension UnsafeRawBufferPointer {
    fileprivate func word(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

extension UInt32 {
    fileprivate func rotated(_ bits: UInt32) -> UInt32 { (self &<< bits) | (self &>> (32 - bits)) }
}
