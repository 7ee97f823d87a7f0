public import Tensors

extension OpenBLAS {
    public func permute(_ x: Tensor, _ axes: [Int]) -> Tensor {
        // Matrices, and stacks of them, of which rows and columns change places: what models do. The rest is the portable
        // kernel's.
        let outer = axes.indices.prefix { axes[$0] == $0 }.count, inner = Array(axes.dropFirst(outer))
        guard let turn = inner.firstIndex(of: outer), turn > 0,
            inner == Array(inner[0]..<axes.count) + Array(outer..<inner[0])
        else { return portablePermute(x, axes) }
        let shape = Shape(axes.map { x.shape[$0] }), d = x.shape.dimensions
        let stack = d[..<outer].reduce(1, *), rows = d[outer..<inner[0]].reduce(1, *), columns = d[inner[0]...].reduce(1, *)
        let p = ReadOnly(x)
        return Tensor(shape: shape, on: self) { y in
            let y = Shared(y)
            if stack >= 4 * threads || rows < 64 {
                parallel(stack, grain: max(1, (1 << 14) / max(rows * columns, 1))) { _, range in
                    for i in range {
                        let at = i * rows * columns
                        transpose(p.base + at, stride: columns, 0..<rows, columns: columns, into: y.base + at, height: rows)
                    }
                }
            } else {
                for i in 0..<stack {
                    let at = i * rows * columns
                    parallel(rows, grain: max(16, (1 << 14) / max(columns, 1))) { _, range in
                        transpose(p.base + at, stride: columns, range, columns: columns, into: y.base + at, height: rows)
                    }
                }
            }
        }
    }
}

/// `y[c · height + r] = x[r · stride + c]` for some rows, in blocks of eight by eight, sixteen columns at a time so that
/// lines that are written stay in cache until they are full.
func transpose(
    _ x: UnsafePointer<Float>, stride rowStride: Int, _ rows: Range<Int>, columns: Int, into y: UnsafeMutablePointer<Float>,
    height: Int
) {
    let wholeColumns = columns & ~7, wholeRows = rows.lowerBound &+ rows.count & ~7
    for first in stride(from: 0, to: wholeColumns, by: 16) {
        for r in stride(from: rows.lowerBound, to: wholeRows, by: 8) {
            for c in stride(from: first, to: min(first &+ 16, wholeColumns), by: 8) {
                transposeBlock(x + (r &* rowStride &+ c), rowStride, into: y + (c &* height &+ r), height)
            }
        }
    }
    // What is left on the right and at the bottom.
    for r in rows {
        for c in (r < wholeRows ? wholeColumns : 0)..<columns { y[c &* height &+ r] = x[r &* rowStride &+ c] }
    }
}

/// Eight rows of eight: three rounds of interleaving rows four apart.
@inline(__always)
private func transposeBlock(_ x: UnsafePointer<Float>, _ rowStride: Int, into y: UnsafeMutablePointer<Float>, _ columnStride: Int)
{
    var rows = InlineArray<8, Vector>(repeating: Vector(repeating: 0))
    for i in 0..<8 { rows[i] = x.vector(at: i &* rowStride) }
    rows = interleaved(interleaved(interleaved(rows)))
    for i in 0..<8 { y.store(rows[i], at: i &* columnStride) }
}

@inline(__always)
private func interleaved(_ rows: InlineArray<8, Vector>) -> InlineArray<8, Vector> {
    var mixed = rows
    for i in 0..<4 {
        mixed[2 &* i] = alternating(rows[i].lowHalf, rows[i &+ 4].lowHalf)
        mixed[2 &* i &+ 1] = alternating(rows[i].highHalf, rows[i &+ 4].highHalf)
    }
    return mixed
}

@inline(__always)
private func alternating(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> Vector {
    Vector(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3])
}
