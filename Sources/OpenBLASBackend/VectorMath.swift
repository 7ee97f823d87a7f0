/// Eight floats at a time.
typealias Vector = SIMD8<Float>

extension UnsafePointer<Float> {
    @inline(__always) func vector(at i: Int) -> Vector {
        UnsafeRawPointer(self + i).loadUnaligned(as: Vector.self)
    }

    /// The first `count` scalars, and zeros.
    @inline(__always) func vector(at i: Int, count: Int) -> Vector {
        if count == 8 { return vector(at: i) }
        var v = Vector(repeating: 0)
        for lane in 0..<count { v[lane] = self[i + lane] }
        return v
    }
}
extension UnsafeMutablePointer<Float> {
    @inline(__always) func vector(at i: Int) -> Vector { UnsafePointer(self).vector(at: i) }
    @inline(__always) func store(_ v: Vector, at i: Int) { UnsafeMutableRawPointer(self + i).storeBytes(of: v, as: Vector.self) }

    /// Stores the first `count` scalars.
    @inline(__always) func store(_ v: Vector, at i: Int, count: Int) {
        if count == 8 { return store(v, at: i) }
        for lane in 0..<count { self[i + lane] = v[lane] }
    }
}

/// `eˣ` to 2 units in the last place, for results that are normal numbers: what lies further out is limited to them.
@inline(__always) func exponential(_ x: Vector) -> Vector {
    let (n, p) = exponentialParts(x.replacing(with: -87, where: x .< -87).replacing(with: 88, where: x .> 88))
    return p * powerOfTwo(n)
}

/// `eˣ` to 2 units in the last place for all `x`.
@inline(__always) func unlimitedExponential(_ x: Vector) -> Vector {
    let (n, p) = exponentialParts(x.replacing(with: -104, where: x .< -104).replacing(with: 89, where: x .> 89))
    // In two factors, because the power of two may be too large or too small for a number of its own.
    let half = n &>> 1
    return p * powerOfTwo(half) * powerOfTwo(n &- half)
}

/// `eˣ = 2ⁿ · e^r` with `|r| ≤ ln 2 / 2`: n, and `e^r` by its series to the sixth power.
@inline(__always) private func exponentialParts(_ x: Vector) -> (n: SIMD8<Int32>, p: Vector) {
    // Adding 1.5 · 2²³ rounds to an integer, which then stands in the low bits.
    let magic = Vector(repeating: 12_582_912)
    let shifted = x * 1.442_695_04 + magic
    let n = shifted - magic
    let r = (x - n * 0.693_359_375) - n * -2.121_944_4e-4
    var p = Vector(repeating: 1.987_569_1e-4)
    p = p * r + 1.398_199_95e-3
    p = p * r + 8.333_452e-3
    p = p * r + 4.166_579_6e-2
    p = p * r + 1.666_666_5e-1
    p = p * r + 5.000_000_1e-1
    p = p * r * r + r + 1
    return (unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- 0x4B40_0000, p)
}

@inline(__always) private func powerOfTwo(_ n: SIMD8<Int32>) -> Vector { unsafeBitCast((n &+ 127) &<< 23, to: Vector.self) }

/// `ln x` to 2 units in the last place: `x = 2ᵉ · m` with `√½ ≤ m < √2`, `ln m` by a polynomial (Moshier, Cephes `logf`).
@inline(__always) func logarithm(_ x: Vector) -> Vector {
    // Subnormal numbers are scaled up, or they would have no exponent.
    let isSmall = x .< 1.175_494_4e-38
    let scaled = x.replacing(with: x * 8_388_608, where: isSmall)
    let bits = unsafeBitCast(scaled, to: SIMD8<Int32>.self)
    var e = Vector((bits &>> 23) &- 126)
    e -= Vector(repeating: 0).replacing(with: 23, where: isSmall)
    // The mantissa, from ½ to 1.
    var m = unsafeBitCast((bits & 0x007F_FFFF) | 0x3F00_0000, to: Vector.self)
    let isLow = m .< 0.707_106_77
    e -= Vector(repeating: 0).replacing(with: 1, where: isLow)
    m += Vector(repeating: 0).replacing(with: m, where: isLow) - 1
    let square = m * m
    var p = Vector(repeating: 7.037_683_6e-2)
    p = p * m - 1.151_461e-1
    p = p * m + 1.167_699_9e-1
    p = p * m - 1.242_014_1e-1
    p = p * m + 1.424_932_3e-1
    p = p * m - 1.666_805_8e-1
    p = p * m + 2.000_071_5e-1
    p = p * m - 2.499_999_4e-1
    p = p * m + 3.333_333_1e-1
    let tail = (p * m * square + e * -2.121_944_4e-4) - square * 0.5
    let y = (m + tail) + e * 0.693_359_375
    // Zero, negative numbers, infinity and what is no number.
    return y.replacing(with: -.infinity, where: x .== 0).replacing(with: .nan, where: x .< 0)
        .replacing(with: x, where: .!(x .< .infinity))
}

/// `1 / √x` to 3 units in the last place for positive normal numbers, by three steps of Newton's from a first guess made of the
/// bits (Lomont 2003). The compiler takes `squareRoot()` of a vector apart.
@inline(__always) func inverseSquareRoot(_ x: Vector) -> Vector {
    let half = x * 0.5
    var r = unsafeBitCast(0x5F37_59DF &- (unsafeBitCast(x, to: SIMD8<Int32>.self) &>> 1), to: Vector.self)
    r *= 1.5 - half * r * r
    r *= 1.5 - half * r * r
    r *= 1.5 - half * r * r
    return r
}

/// `√x` to 1 unit in the last place.
@inline(__always) func squareRoot(_ x: Vector) -> Vector {
    // Subnormal numbers are scaled up, or the first guess would be none.
    let isSmall = x .< 1.175_494_4e-38
    let scaled = x.replacing(with: x * 16_777_216, where: isSmall)
    let r = inverseSquareRoot(scaled), s = scaled * r
    var y = s + (scaled - s * s) * (r * 0.5)
    y.replace(with: y * (1 / 4096), where: isSmall)
    return y.replacing(with: .nan, where: x .< 0).replacing(with: x, where: (x .== 0) .| (.!(x .< .infinity)))
}

@inline(__always) func logistic(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

/// `tanh x`; near zero by its series, where the quotient of exponentials would lose digits.
@inline(__always) func hyperbolicTangent(_ x: Vector) -> Vector {
    let far = 1 - 2 / (exponential(x + x) + 1)
    let square = x * x
    let near = x + x * square * (-0.333_333_33 + square * (0.133_333_33 - square * 0.053_968_254))
    return far.replacing(with: near, where: square .< 0.01)
}

@inline(__always) func hardLogistic(_ x: Vector) -> Vector {
    let y = x * 0.2 + 0.5
    return y.replacing(with: 0, where: y .< 0).replacing(with: 1, where: y .> 1)
}

/// `y[i] = f(x[i])` for a range; the last few scalars pass through a padded vector.
@inline(__always) func transform(
    _ range: Range<Int>, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ f: (Vector) -> Vector
) {
    var i = range.lowerBound
    while i + 8 <= range.upperBound {
        y.store(f(x.vector(at: i)), at: i)
        i += 8
    }
    let rest = range.upperBound - i
    if rest > 0 { y.store(f(x.vector(at: i, count: rest)), at: i, count: rest) }
}
