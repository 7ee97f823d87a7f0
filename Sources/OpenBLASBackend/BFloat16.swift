/// Two numbers in bfloat16, the upper halves of 32-bit floats, as instructions that multiply pairs take them.
struct BFloat16Pair: BitwiseCopyable, Sendable {
    let bits: UInt32

    /// The first `count` (1 or 2) numbers at `x`, rounded, and zero.
    @inline(__always)
    init(_ x: UnsafePointer<Float>, count: Int) {
        bits = Self.rounded(x[0]) | (count == 2 ? Self.rounded(x[1]) << 16 : 0)
    }

    /// The nearest number in bfloat16, of two the even one.
    @inline(__always)
    static func nearest(_ x: Float) -> Float { Float(bitPattern: rounded(x) << 16) }

    @inline(__always)
    private static func rounded(_ x: Float) -> UInt32 {
        // A number that is none would round to another kind.
        if x.isNaN { return 0x7FC0 }
        let bits = x.bitPattern
        return (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
    }
}
