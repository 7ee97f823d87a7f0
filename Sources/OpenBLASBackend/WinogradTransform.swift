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

    // MARK: The derivative for the filter: Gᵀ [(A dY Aᵀ) ⊙ (Bᵀ d B)] G, summed over all tiles.

    /// A for F(2, 3).
    @inline(__always)
    static func gradient(_ d: InlineArray<2, Lanes>) -> InlineArray<4, Lanes> { [d[0], d[0] + d[1], d[0] - d[1], -d[1]] }

    /// A for F(4, 3).
    @inline(__always)
    static func gradient(_ d: InlineArray<4, Lanes>) -> InlineArray<6, Lanes> {
        let even = d[0] + d[2], odd = d[1] + d[3]
        let a = d[0].addingProduct(4, d[2]), b = (d[1] + d[1]).addingProduct(8, d[3])
        return [d[0], even + odd, even - odd, a + b, a - b, d[3]]
    }

    /// Gᵀ for F(2, 3).
    @inline(__always)
    static func filterGradient(_ u: InlineArray<4, Lanes>) -> InlineArray<3, Lanes> {
        let sum = (u[1] + u[2]) * 0.5
        return [u[0] + sum, (u[1] - u[2]) * 0.5, sum + u[3]]
    }

    /// Gᵀ for F(4, 3).
    @inline(__always)
    static func filterGradient(_ u: InlineArray<6, Lanes>) -> InlineArray<3, Lanes> {
        let sixth: Float = 1 / 6, near = (u[1] + u[2]) * -sixth, far = u[3] + u[4]
        return [
            near.addingProduct(0.25, u[0]).addingProduct(0.25 * sixth, far),
            ((u[2] - u[1]) * sixth).addingProduct(0.5 * sixth, u[3] - u[4]), near.addingProduct(sixth, far) + u[5],
        ]
    }

    /// Transforms the `M × M` pixels of a result's gradient whose first lies at `y`, `x` (outside the map they are zeros),
    /// all channels: frequency `f` of channel `c` is written to `out[f · stride + c]`.
    @inline(__always)
    static func transformGradient<let M: Int, let P: Int>(
        _ map: UnsafePointer<Float>, height: Int, width: Int, channels: Int, y: Int, x: Int,
        into out: UnsafeMutablePointer<Float>, stride: Int,
        _ oneDimensional: (InlineArray<M, Lanes>) -> InlineArray<P, Lanes>
    ) {
        let zero = Lanes(repeating: 0), ny = min(M, height &- y), nx = min(M, width &- x)
        var rows = InlineArray<P, InlineArray<M, Lanes>>(repeating: .init(repeating: zero))
        var c = 0
        while c < channels {
            let p = map + ((y &* width &+ x) &* channels &+ c)
            for j in 0..<M {
                var d = InlineArray<M, Lanes>(repeating: zero)
                if j < nx { for i in 0..<M where i < ny { d[i] = Lanes(p + (i &* width &+ j) &* channels) } }
                let o = oneDimensional(d)
                for i in 0..<P { rows[i][j] = o[i] }
            }
            for i in 0..<P {
                let o = oneDimensional(rows[i]), to = out + (i &* P &* stride &+ c)
                for j in 0..<P { o[j].store(to: to + j &* stride) }
            }
            c &+= Lanes.width
        }
    }

    /// Transforms the products' sums of one pair of an output and `Lanes.width` channels back to nine taps,
    /// `out[9 · lane + tap]`.
    @inline(__always)
    static func transformFilterGradient<let P: Int>(
        _ sums: UnsafePointer<Float>, stride: Int, into out: UnsafeMutablePointer<Float>,
        _ oneDimensional: (InlineArray<P, Lanes>) -> InlineArray<3, Lanes>
    ) {
        var rows = InlineArray<3, InlineArray<P, Lanes>>(repeating: .init(repeating: Lanes(repeating: 0)))
        for j in 0..<P {
            var d = InlineArray<P, Lanes>(repeating: Lanes(repeating: 0))
            for i in 0..<P { d[i] = Lanes(sums + (i &* P &+ j) &* stride) }
            let o = oneDimensional(d)
            for i in 0..<3 { rows[i][j] = o[i] }
        }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 9 * Lanes.width) { taps in
            let taps = taps.baseAddress!
            for i in 0..<3 {
                let o = oneDimensional(rows[i])
                for j in 0..<3 { o[j].store(to: taps + (3 &* i &+ j) &* Lanes.width) }
            }
            for lane in 0..<Lanes.width { for tap in 0..<9 { out[9 &* lane &+ tap] = taps[tap &* Lanes.width &+ lane] } }
        }
    }

    // MARK: The filter

    /// One frequency of the filter, as the panel of `outputs`: `panel[c · width + output]`.
    /// - Parameters:
    ///   - taps: the filter as `[channels, 9, allOutputs]`.
    ///   - weights: of the nine taps in this frequency: (G g Gᵀ)[i, j] = Σ G[i, a] G[j, b] g[a, b].
    static func packFilter(
        _ taps: UnsafePointer<Float>, channels: Int, allOutputs: Int, outputs: Range<Int>, weights: [Double],
        into panel: UnsafeMutablePointer<Float>, width: Int
    ) {
        // Relative to the largest, all weights are powers of two: only sums are rounded, and the result once.
        let unit = weights.reduce(0) { max($0, abs($1)) }
        // Most frequencies are made of one tap or three.
        let used = weights.indices.filter { weights[$0] != 0 }
        withUnsafeTemporaryAllocation(of: (offset: Int, weight: Float).self, capacity: 9) { terms in
            for (i, tap) in used.enumerated() {
                terms.initializeElement(at: i, to: (tap * allOutputs, Float(weights[tap] / unit)))
            }
            for c in 0..<channels {
                let from = taps + (c &* 9 &* allOutputs &+ outputs.lowerBound), to = panel + c &* width
                var o = 0
                while o < outputs.count {
                    var sum = Lanes(repeating: 0)
                    for i in 0..<used.count {
                        sum.addProduct(Lanes(repeating: terms[i].weight), Lanes(from + (terms[i].offset &+ o)))
                    }
                    (sum * Float(unit)).store(to: to + o)
                    o &+= Lanes.width
                }
            }
        }
    }
}
