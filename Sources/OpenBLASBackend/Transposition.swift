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
                        transpose(p.base + at, 0..<rows, of: rows, columns, into: y.base + at)
                    }
                }
            } else {
                for i in 0..<stack {
                    let at = i * rows * columns
                    parallel(rows, grain: max(16, (1 << 14) / max(columns, 1))) { _, range in
                        transpose(p.base + at, range, of: rows, columns, into: y.base + at)
                    }
                }
            }
        }
    }
}

/// `y[c · height + r] = x[r · columns + c]` for some rows, in blocks whose lines stay in cache until they are full.
private func transpose(
    _ x: UnsafePointer<Float>, _ rows: Range<Int>, of height: Int, _ columns: Int, into y: UnsafeMutablePointer<Float>
) {
    let side = 16
    for r in stride(from: rows.lowerBound, to: rows.upperBound, by: side) {
        let count = min(side, rows.upperBound &- r)
        for first in stride(from: 0, to: columns, by: side) {
            for c in first..<min(first &+ side, columns) {
                let from = x + (r &* columns &+ c), to = y + (c &* height &+ r)
                for i in 0..<count { to[i] = from[i &* columns] }
            }
        }
    }
}
