/// The largest tile, in registers across and rows: twelve sums, enough to hide the latency of a multiply-add, which fill
/// the sixteen registers of AVX2 together with the weights and a broadcast. A larger one would suit AVX-512, but the
/// compiler no longer unrolls it.
let tileVectors = 2
let tileRows = 6

/// What happens to the sums of a tile besides multiplying.
struct Epilogue {
    /// What the sums begin with, a row as wide as the panel; `nil` for zeros.
    var bias: UnsafePointer<Float>?
    /// Whether the sums begin with what is in the output already.
    var accumulates = false
    /// Added at the end, with `residualStride` scalars from row to row.
    var residual: UnsafePointer<Float>?
    var residualStride = 0
    /// What the result is limited to at the end.
    var low = -Float.infinity, high = Float.infinity
}

/// The left matrix of a product: rows that lie anywhere, so that the windows of a convolution need no copy.
struct ScatteredRows {
    /// Where the rows begin.
    var begin: UnsafePointer<UnsafePointer<Float>>
    /// A row consists of `taps` runs of `length` scalars; run `t` begins `offsets[t]` after the row's beginning.
    var taps: Int
    var offsets: UnsafePointer<Int>
    var length: Int
}

/// A block of `R` rows by `V` registers of a matrix product whose sums stay in registers.
///
/// The right matrix is a panel: for every step of the sum, `V` registers of weights beside each other (see ``Panels``).
/// Every loop over `R` and `V` is short enough for the compiler to unroll it whole: one that it did not unroll would
/// index the sums at run time and so force them into memory.
enum Tile<let R: Int, let V: Int> {
    @inline(__always)
    static func multiply(
        _ rows: ScatteredRows, at row: Int, panel: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, stride: Int,
        _ epilogue: Epilogue
    ) {
        let n = Lanes.width
        var sums = InlineArray<R, InlineArray<V, Lanes>>(repeating: .init(repeating: Lanes(repeating: 0)))
        if epilogue.accumulates {
            for i in 0..<R { for j in 0..<V { sums[i][j] = Lanes(out + i &* stride + j &* n) } }
        } else if let bias = epilogue.bias {
            for j in 0..<V {
                let b = Lanes(bias + j &* n)
                for i in 0..<R { sums[i][j] = b }
            }
        }
        var weights = panel
        for t in 0..<rows.taps {
            var a = InlineArray<R, UnsafePointer<Float>>(repeating: panel)
            for i in 0..<R { a[i] = rows.begin[row &+ i] + rows.offsets[t] }
            for p in 0..<rows.length {
                var w = InlineArray<V, Lanes>(repeating: Lanes(repeating: 0))
                for j in 0..<V { w[j] = Lanes(weights + j &* n) }
                for i in 0..<R {
                    let x = Lanes(repeating: a[i][p])
                    for j in 0..<V { sums[i][j].addProduct(x, w[j]) }
                }
                weights += V &* n
            }
        }
        if let residual = epilogue.residual {
            for i in 0..<R { for j in 0..<V { sums[i][j] += Lanes(residual + i &* epilogue.residualStride + j &* n) } }
        }
        if epilogue.low > -.infinity {
            let low = Lanes(repeating: epilogue.low)
            for i in 0..<R { for j in 0..<V { sums[i][j] = sums[i][j].raised(to: low) } }
        }
        if epilogue.high < .infinity {
            let high = Lanes(repeating: epilogue.high)
            for i in 0..<R { for j in 0..<V { sums[i][j] = sums[i][j].lowered(to: high) } }
        }
        for i in 0..<R { for j in 0..<V { sums[i][j].store(to: out + i &* stride + j &* n) } }
    }
}

/// `rows[first..<first + count] · panel`, in tiles of nearly equal height.
/// - Parameter columns: how many of the panel's columns are written.
func multiplyPanel(
    _ rows: ScatteredRows, _ range: Range<Int>, panel: UnsafePointer<Float>, vectors: Int, into out: UnsafeMutablePointer<Float>,
    stride: Int, columns: Int, _ epilogue: Epilogue
) {
    if range.isEmpty { return }
    if columns < vectors &* Lanes.width {
        return multiplyNarrow(rows, range, panel: panel, vectors: vectors, into: out, stride: stride, columns: columns, epilogue)
    }
    switch vectors {
    case 1: multiplyTiles(rows, range, panel, out, stride, epilogue, InlineArray<1, Void>(repeating: ()))
    default: multiplyTiles(rows, range, panel, out, stride, epilogue, InlineArray<2, Void>(repeating: ()))
    }
}

@inline(__always)
private func multiplyTiles<let V: Int>(
    _ rows: ScatteredRows, _ range: Range<Int>, _ panel: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ stride: Int,
    _ epilogue: Epilogue, _: InlineArray<V, Void>
) {
    let tiles = (range.count &+ tileRows &- 1) / tileRows, height = range.count / tiles, higher = range.count &- height &* tiles
    var row = range.lowerBound, out = out, e = epilogue
    for tile in 0..<tiles {
        let r = tile < higher ? height &+ 1 : height
        switch r {
        case 1: Tile<1, V>.multiply(rows, at: row, panel: panel, into: out, stride: stride, e)
        case 2: Tile<2, V>.multiply(rows, at: row, panel: panel, into: out, stride: stride, e)
        case 3: Tile<3, V>.multiply(rows, at: row, panel: panel, into: out, stride: stride, e)
        case 4: Tile<4, V>.multiply(rows, at: row, panel: panel, into: out, stride: stride, e)
        case 5: Tile<5, V>.multiply(rows, at: row, panel: panel, into: out, stride: stride, e)
        default: Tile<6, V>.multiply(rows, at: row, panel: panel, into: out, stride: stride, e)
        }
        if let residual = e.residual { e.residual = residual + r &* e.residualStride }
        row &+= r
        out += r &* stride
    }
}

/// A panel whose last columns are padding: the tiles are written beside the output, from where the true columns are copied.
private func multiplyNarrow(
    _ rows: ScatteredRows, _ range: Range<Int>, panel: UnsafePointer<Float>, vectors: Int, into out: UnsafeMutablePointer<Float>,
    stride: Int, columns: Int, _ epilogue: Epilogue
) {
    let width = vectors * Lanes.width
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * tileRows * width) { memory in
        memory.initialize(repeating: 0)
        let (sums, addends) = (memory.baseAddress!, memory.baseAddress! + tileRows * width)
        for first in Swift.stride(from: range.lowerBound, to: range.upperBound, by: tileRows) {
            let count = min(tileRows, range.upperBound - first), done = first - range.lowerBound
            var e = epilogue
            for i in 0..<count {
                if epilogue.accumulates { (sums + i * width).update(from: out + (done + i) * stride, count: columns) }
                if let residual = epilogue.residual {
                    (addends + i * width).update(from: residual + (done + i) * epilogue.residualStride, count: columns)
                }
            }
            if epilogue.residual != nil { (e.residual, e.residualStride) = (UnsafePointer(addends), width) }
            multiplyPanel(
                rows, first..<first + count, panel: panel, vectors: vectors, into: sums, stride: width, columns: width, e)
            for i in 0..<count { (out + (done + i) * stride).update(from: sums + i * width, count: columns) }
        }
    }
}
