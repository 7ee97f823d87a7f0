/// The transforms of Winograd's minimal filtering F(m×m, 3×3) for m = 2 and 4 (Lavin & Gray, "Fast Algorithms for
/// Convolutional Neural Networks", CVPR 2016): Bᵀ d B of the input, G g Gᵀ of the filter, Aᵀ M A of the products.
enum WinogradTransform {
    /// Bᵀ for F(2, 3).
    @inline(__always)
    static func input(_ d: InlineArray<4, Lanes>) -> InlineArray<4, Lanes> {
        [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]
    }

    /// Aᵀ for F(2, 3).
    @inline(__always)
    static func output(_ m: InlineArray<4, Lanes>) -> InlineArray<2, Lanes> { [m[0] + (m[1] + m[2]), (m[1] - m[2]) - m[3]] }

    /// Bᵀ for F(4, 3).
    @inline(__always)
    static func input(_ d: InlineArray<6, Lanes>) -> InlineArray<6, Lanes> {
        let a = d[4].addingProduct(-4, d[2]), b = d[3].addingProduct(-4, d[1]), c = d[4] - d[2], e = d[3] - d[1]
        return [
            d[4].addingProduct(-5, d[2]).addingProduct(4, d[0]), a + b, a - b, c.addingProduct(2, e), c.addingProduct(-2, e),
            d[5].addingProduct(-5, d[3]).addingProduct(4, d[1]),
        ]
    }

    /// Aᵀ for F(4, 3).
    @inline(__always)
    static func output(_ m: InlineArray<6, Lanes>) -> InlineArray<4, Lanes> {
        let s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4]
        return [m[0] + (s + t), d.addingProduct(2, e), s.addingProduct(4, t), d.addingProduct(8, e) + m[5]]
    }

    /// G for F(m, 3), `m + 2` rows of three.
    static func filter(_ m: Int) -> [[Double]] { m == 2 ? two : four }

    private static let two: [[Double]] = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
    private static let four: [[Double]] = [
        [0.25, 0, 0], [-sixth, -sixth, -sixth], [-sixth, sixth, -sixth], [sixth / 4, sixth / 2, sixth],
        [sixth / 4, -sixth / 2, sixth],
        [0, 0, 1],
    ]
    private static let sixth = 1.0 / 6.0

    /// Transforms the `P × P` pixels whose first lies at `y`, `x` (outside the map they are zeros), all channels:
    /// frequency `f` of channel `c` is written to `out[f · stride + c]`.
    @inline(__always)
    static func transformInput<let P: Int>(
        _ map: UnsafePointer<Float>, height: Int, width: Int, channels: Int, y: Int, x: Int,
        into out: UnsafeMutablePointer<Float>,
        stride: Int, _ oneDimensional: (InlineArray<P, Lanes>) -> InlineArray<P, Lanes>
    ) {
        let zero = Lanes(repeating: 0), row = width &* channels
        let isInside = y >= 0 && x >= 0 && y &+ P <= height && x &+ P <= width
        var rows = InlineArray<P, InlineArray<P, Lanes>>(repeating: .init(repeating: zero))
        var c = 0
        while c < channels {
            if isInside {
                let p = map + ((y &* width &+ x) &* channels &+ c)
                for j in 0..<P {
                    var d = InlineArray<P, Lanes>(repeating: zero)
                    for i in 0..<P { d[i] = Lanes(p + i &* row + j &* channels) }
                    let o = oneDimensional(d)
                    for i in 0..<P { rows[i][j] = o[i] }
                }
            } else {
                for j in 0..<P {
                    let ix = x &+ j
                    var d = InlineArray<P, Lanes>(repeating: zero)
                    if ix >= 0 && ix < width {
                        for i in 0..<P {
                            let iy = y &+ i
                            if iy >= 0 && iy < height { d[i] = Lanes(map + ((iy &* width &+ ix) &* channels &+ c)) }
                        }
                    }
                    let o = oneDimensional(d)
                    for i in 0..<P { rows[i][j] = o[i] }
                }
            }
            for i in 0..<P {
                let o = oneDimensional(rows[i]), to = out + (i &* P &* stride &+ c)
                for j in 0..<P { o[j].store(to: to + j &* stride) }
            }
            c &+= Lanes.width
        }
    }

    /// Transforms the products of one tile back to `M × M` outputs, of which those inside the map are written.
    @inline(__always)
    static func transformOutput<let P: Int, let M: Int>(
        _ products: UnsafePointer<Float>, stride: Int, channels: Range<Int>, into map: UnsafeMutablePointer<Float>, height: Int,
        width: Int, pixelStride: Int, y: Int, x: Int, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
        residualStride: Int,
        low: Float, high: Float, _ oneDimensional: (InlineArray<P, Lanes>) -> InlineArray<M, Lanes>
    ) {
        let zero = Lanes(repeating: 0), ny = min(M, height &- y), nx = min(M, width &- x)
        var rows = InlineArray<M, InlineArray<P, Lanes>>(repeating: .init(repeating: zero))
        var c = channels.lowerBound
        while c < channels.upperBound {
            for j in 0..<P {
                var d = InlineArray<P, Lanes>(repeating: zero)
                for i in 0..<P { d[i] = Lanes(products + ((i &* P &+ j) &* stride &+ c)) }
                let o = oneDimensional(d)
                for i in 0..<M { rows[i][j] = o[i] }
            }
            let b = Lanes(bias + c)
            for i in 0..<M where i < ny {
                let o = oneDimensional(rows[i]), pixel = (y &+ i) &* width &+ x
                let to = map + (pixel &* pixelStride &+ c)
                if let residual {
                    let from = residual + (pixel &* residualStride &+ c)
                    for j in 0..<M where j < nx {
                        ((o[j] + b) + Lanes(from + j &* residualStride)).clamped(low, high).store(to: to + j &* pixelStride)
                    }
                } else {
                    for j in 0..<M where j < nx { (o[j] + b).clamped(low, high).store(to: to + j &* pixelStride) }
                }
            }
            c &+= Lanes.width
        }
    }
}
