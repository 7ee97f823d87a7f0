public import Tensors

/// Batch normalisation, a block of rows at a time: what a block needs twice is still in cache the second time.
extension OpenBLAS {
    public func batchNormalization(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> BatchNormalizationResult {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = ReadOnly(x)
        var squares: Tensor?
        let mean = Tensor(shape: [channels], on: self) { mean in
            squares = Tensor(shape: [channels], on: self) { moments(p, rows, channels, mean: mean, squares: $0) }
        }
        let m = ReadOnly(mean), sums = squares!.pointer, n = Float(rows)
        let variance = Tensor(shape: [channels], on: self) { v in for c in 0..<channels { v[c] = sums[c] / n } }
        withExtendedLifetime(squares) {}
        let v = variance.pointer
        let inverse = Tensor(shape: [channels], on: self) { r in
            for c in 0..<channels { r[c] = 1 / (v[c] + epsilon).squareRoot() }
        }
        // y = (x - mean) · factor + shift; the mean first, or its digits would be lost where it exceeds the deviation.
        let s = scale.pointer, r = inverse.pointer, t = ReadOnly(shift)
        let factors = Tensor(shape: [channels], on: self) { factor in
            for c in 0..<channels { factor[c] = r[c] * s[c] }
        }
        let f = ReadOnly(factors)
        let y = Tensor(shape: x.shape, on: self) { y in
            let y = Shared(y)
            forEachBlock(rows, channels) { _, rows in
                forEachColumns(of: channels) {
                    Columns<2>.scaleColumns(rows, channels, at: $0, Lanes.width, p.base, m.base, f.base, t.base, into: y.base)
                } single: {
                    Columns<1>.scaleColumns(rows, channels, at: $0, Lanes.width, p.base, m.base, f.base, t.base, into: y.base)
                } half: {
                    Columns<1>.scaleColumns(rows, channels, at: $0, Lanes.width / 2, p.base, m.base, f.base, t.base, into: y.base)
                } rest: {
                    Columns<1>.scaleColumns(rows, channels, at: $0, $1, p.base, m.base, f.base, t.base, into: y.base)
                }
            }
        }
        withExtendedLifetime((scale, factors)) {}
        return BatchNormalizationResult(y: y, mean: mean, variance: variance, inverseDeviation: inverse)
    }

    public func batchNormalizationGradient(_ dy: Tensor, _ x: Tensor, scale: Tensor, _ result: BatchNormalizationResult)
        -> (dx: Tensor, dScale: Tensor, dShift: Tensor)
    {
        let channels = x.shape[-1], rows = x.shape.count / channels
        let (p, d, m, r, s) = (
            ReadOnly(x), ReadOnly(dy), ReadOnly(result.mean), ReadOnly(result.inverseDeviation), ReadOnly(scale)
        )
        let sums = Tensor(shape: [2, channels], on: self) { sums in
            let partial = Shared(allocate(threads * 2 * channels))
            partial.base.update(repeating: 0, count: threads * 2 * channels)
            forEachBlock(rows, channels) { thread, rows in
                let own = partial.base + thread * 2 * channels
                forEachColumns(of: channels) {
                    Columns<2>.addGradientSums(rows, channels, at: $0, Lanes.width, d.base, p.base, m.base, to: own)
                } single: {
                    Columns<1>.addGradientSums(rows, channels, at: $0, Lanes.width, d.base, p.base, m.base, to: own)
                } half: {
                    Columns<1>.addGradientSums(rows, channels, at: $0, Lanes.width / 2, d.base, p.base, m.base, to: own)
                } rest: {
                    Columns<1>.addGradientSums(rows, channels, at: $0, $1, d.base, p.base, m.base, to: own)
                }
            }
            for c in 0..<channels {
                var (scale, shift) = (Float(0), Float(0))
                for thread in 0..<threads {
                    scale += partial.base[thread * 2 * channels + c]
                    shift += partial.base[(thread * 2 + 1) * channels + c]
                }
                sums[c] = scale * r.base[c]
                sums[channels + c] = shift
            }
            deallocate(partial.base, threads * 2 * channels)
        }
        let (dScale, dShift) = (sums[0], sums[1]), n = Float(rows)
        // dx = (dy - mean dy) · a + (x - mean) · b, with the three rows computed once.
        let (g, h) = (dScale.pointer, dShift.pointer)
        let line = Tensor(shape: [3, channels], on: self) { line in
            for c in 0..<channels {
                let factor = s.base[c] * r.base[c]
                line[c] = factor
                line[channels + c] = -factor * r.base[c] * g[c] / n
                line[2 * channels + c] = h[c] / n
            }
        }
        let l = ReadOnly(line)
        let dx = Tensor(shape: x.shape, on: self) { dx in
            let dx = Shared(dx)
            forEachBlock(rows, channels) { _, rows in
                forEachColumns(of: channels) {
                    Columns<2>.combineColumns(rows, channels, at: $0, Lanes.width, d.base, p.base, m.base, l.base, into: dx.base)
                } single: {
                    Columns<1>.combineColumns(rows, channels, at: $0, Lanes.width, d.base, p.base, m.base, l.base, into: dx.base)
                } half: {
                    Columns<1>.combineColumns(
                        rows, channels, at: $0, Lanes.width / 2, d.base, p.base, m.base, l.base, into: dx.base)
                } rest: {
                    Columns<1>.combineColumns(rows, channels, at: $0, $1, d.base, p.base, m.base, l.base, into: dx.base)
                }
            }
        }
        withExtendedLifetime((sums, line)) {}
        return (dx, dScale, dShift)
    }

    /// The mean of every column and the sum of squared differences from it, in one pass over memory: the moments of a block
    /// of rows, then those of all blocks together (Chan, Golub & LeVeque 1983).
    private func moments(
        _ x: ReadOnly<Float>, _ rows: Int, _ channels: Int, mean: UnsafeMutablePointer<Float>,
        squares: UnsafeMutablePointer<Float>
    ) {
        let partial = Shared(allocate(threads * 2 * channels)), counts = Shared(allocate(threads))
        partial.base.update(repeating: 0, count: threads * 2 * channels)
        counts.base.update(repeating: 0, count: threads)
        forEachBlock(rows, channels) { thread, rows in
            let mean = partial.base + thread * 2 * channels, count = counts.base[thread]
            forEachColumns(of: channels) {
                Columns<2>.addMoments(rows, channels, at: $0, Lanes.width, x.base, count, mean, mean + channels)
            } single: {
                Columns<1>.addMoments(rows, channels, at: $0, Lanes.width, x.base, count, mean, mean + channels)
            } half: {
                Columns<1>.addMoments(rows, channels, at: $0, Lanes.width / 2, x.base, count, mean, mean + channels)
            } rest: {
                Columns<1>.addMoments(rows, channels, at: $0, $1, x.base, count, mean, mean + channels)
            }
            counts.base[thread] = count + Float(rows.count)
        }
        mean.update(from: partial.base, count: channels)
        squares.update(from: partial.base + channels, count: channels)
        var count = counts.base[0]
        for thread in 1..<max(threads, 1) where counts.base[thread] > 0 {
            let (m, s, n) = (
                partial.base + thread * 2 * channels, partial.base + (thread * 2 + 1) * channels, counts.base[thread]
            )
            for c in 0..<channels {
                let difference = m[c] - mean[c]
                mean[c] += difference * (n / (count + n))
                squares[c] += s[c] + difference * difference * (n * count / (count + n))
            }
            count += n
        }
        deallocate(partial.base, threads * 2 * channels)
        deallocate(counts.base, threads)
    }

    /// Every thread takes its part of the rows, a block that stays in its first-level cache at a time.
    private func forEachBlock(_ rows: Int, _ channels: Int, _ body: @Sendable (_ thread: Int, _ rows: Range<Int>) -> Void) {
        let size = max(16, (1 << 13) / channels)
        parallel(rows, grain: max(1, (1 << 14) / channels)) { thread, range in
            for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
                body(thread, start..<min(start + size, range.upperBound))
            }
        }
    }
}

/// Two registers of columns at a time, then one, half of one, and what is left. Each has a body of its own, in which the
/// number of columns is a constant.
@inline(__always)
private func forEachColumns(
    of channels: Int, _ body: (_ c: Int) -> Void, single: (_ c: Int) -> Void, half: (_ c: Int) -> Void,
    rest: (_ c: Int, _ count: Int) -> Void
) {
    var c = 0
    while c + 2 * Lanes.width <= channels {
        body(c)
        c += 2 * Lanes.width
    }
    if c + Lanes.width <= channels {
        single(c)
        c += Lanes.width
    }
    if c + Lanes.width / 2 <= channels {
        half(c)
        c += Lanes.width / 2
    }
    if c < channels { rest(c, channels - c) }
}

#if ZOO_AVX512
    private typealias HalfLanes = SIMD8<Float>
#elseif ZOO_AVX2
    private typealias HalfLanes = SIMD4<Float>
#else
    private typealias HalfLanes = SIMD2<Float>
#endif

/// The first `count` scalars, and zeros.
@inline(__always)
private func load(_ memory: UnsafePointer<Float>, _ count: Int) -> Lanes {
    if count == Lanes.width { return Lanes(memory) }
    #if ZOO_AVX512
        if count == 8 { return Lanes(lowHalf: memory.vector(at: 0), highHalf: Vector(repeating: 0)) }
    #endif
    return Lanes(memory, count: count)
}

@inline(__always)
private func store(_ v: Lanes, _ memory: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == Lanes.width { return v.store(to: memory) }
    #if ZOO_AVX512
        if count == 8 { return memory.store(v.lowHalf, at: 0) }
    #endif
    v.store(to: memory, count: count)
}

/// `V` registers of columns, of the last of which `count` scalars are there: their rows pass while what belongs to the columns
/// stays in registers.
private enum Columns<let V: Int> {
    /// `y = (x - mean) · factor + shift`.
    @inline(__always)
    static func scaleColumns(
        _ rows: Range<Int>, _ channels: Int, at c: Int, _ count: Int, _ x: UnsafePointer<Float>, _ mean: UnsafePointer<Float>,
        _ factor: UnsafePointer<Float>, _ shift: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
    ) {
        let n = Lanes.width
        var (m, f, s) = (zeros, zeros, zeros)
        for j in 0..<V {
            m[j] = load(mean + (c &+ j &* n), count)
            f[j] = load(factor + (c &+ j &* n), count)
            s[j] = load(shift + (c &+ j &* n), count)
        }
        for row in rows {
            let at = row &* channels &+ c
            for j in 0..<V {
                store(s[j].addingProduct(load(x + (at &+ j &* n), count) - m[j], f[j]), y + (at &+ j &* n), count)
            }
        }
    }

    /// Adds Σ dy·(x - mean) to the first row of `sums` and Σ dy to the second.
    @inline(__always)
    static func addGradientSums(
        _ rows: Range<Int>, _ channels: Int, at c: Int, _ count: Int, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
        _ mean: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>
    ) {
        let n = Lanes.width
        var (m, scale, shift) = (zeros, zeros, zeros)
        for j in 0..<V { m[j] = load(mean + (c &+ j &* n), count) }
        for row in rows {
            let at = row &* channels &+ c
            for j in 0..<V {
                let d = load(dy + (at &+ j &* n), count)
                // Not `addProduct`, which the compiler takes apart here.
                scale[j] += d * (load(x + (at &+ j &* n), count) - m[j])
                shift[j] += d
            }
        }
        for j in 0..<V {
            let to = sums + (c &+ j &* n)
            store(load(to, count) + scale[j], to, count)
            store(load(to + channels, count) + shift[j], to + channels, count)
        }
    }

    /// `dx = (dy - line[2]) · line[0] + (x - mean) · line[1]`.
    @inline(__always)
    static func combineColumns(
        _ rows: Range<Int>, _ channels: Int, at c: Int, _ count: Int, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
        _ mean: UnsafePointer<Float>, _ line: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>
    ) {
        let n = Lanes.width
        var (m, a, b, e) = (zeros, zeros, zeros, zeros)
        for j in 0..<V {
            let from = line + (c &+ j &* n)
            m[j] = load(mean + (c &+ j &* n), count)
            a[j] = load(from, count)
            b[j] = load(from + channels, count)
            e[j] = load(from + 2 &* channels, count)
        }
        for row in rows {
            let at = row &* channels &+ c
            for j in 0..<V {
                let d = load(dy + (at &+ j &* n), count) - e[j], difference = load(x + (at &+ j &* n), count) - m[j]
                store((d * a[j]).addingProduct(difference, b[j]), dx + (at &+ j &* n), count)
            }
        }
    }

    /// Joins the moments of some rows with those of the `before` rows that `mean` and `squares` are of.
    @inline(__always)
    static func addMoments(
        _ rows: Range<Int>, _ channels: Int, at c: Int, _ count: Int, _ x: UnsafePointer<Float>, _ before: Float,
        _ mean: UnsafeMutablePointer<Float>, _ squares: UnsafeMutablePointer<Float>
    ) {
        let n = Lanes.width, own = Float(rows.count)
        var (m, s) = (zeros, zeros)
        for row in rows { for j in 0..<V { m[j] += load(x + (row &* channels &+ c &+ j &* n), count) } }
        for j in 0..<V { m[j] *= 1 / own }
        for row in rows {
            for j in 0..<V {
                let difference = load(x + (row &* channels &+ c &+ j &* n), count) - m[j]
                s[j].addProduct(difference, difference)
            }
        }
        let share = own / (before + own)
        for j in 0..<V {
            let (toMean, toSquares) = (mean + (c &+ j &* n), squares + (c &+ j &* n)), old = load(toMean, count)
            let difference = m[j] - old
            store(old.addingProduct(difference, Lanes(repeating: share)), toMean, count)
            store(load(toSquares, count) + s[j] + difference * difference * (before * share), toSquares, count)
        }
    }

    @inline(__always) private static var zeros: InlineArray<V, Lanes> { .init(repeating: Lanes(repeating: 0)) }
}
