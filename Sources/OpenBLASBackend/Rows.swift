public import Tensors
import Foundation

extension OpenBLAS {
    public func softmax(_ x: Tensor) -> Tensor {
        let n = x.shape[-1], rows = x.shape.count / max(n, 1), p = ReadOnly(x)
        return Tensor(shape: x.shape, on: self) { y in
            let y = Shared(y)
            parallel(rows, grain: max(1, (1 << 13) / max(n, 1))) { _, range in
                for row in range { softmaxRow(p.base + row * n, y.base + row * n, n) }
            }
        }
    }

    public func softmaxGradient(_ y: Tensor, _ dy: Tensor) -> Tensor {
        let n = y.shape[-1], rows = y.shape.count / max(n, 1), p = ReadOnly(y), d = ReadOnly(dy)
        return Tensor(shape: y.shape, on: self) { dx in
            let dx = Shared(dx)
            parallel(rows, grain: max(1, (1 << 14) / max(n, 1))) { _, range in
                for row in range {
                    let (p, d, dx) = (p.base + row * n, d.base + row * n, dx.base + row * n)
                    var dot: Float = 0
                    for i in 0..<n { dot += p[i] * d[i] }
                    for i in 0..<n { dx[i] = p[i] * (d[i] - dot) }
                }
            }
        }
    }

    public func crossEntropyGradient(_ probabilities: Tensor, _ targets: [Int], _ dy: Tensor) -> Tensor {
        let n = probabilities.shape[-1], p = ReadOnly(probabilities), d = ReadOnly(dy)
        return Tensor(shape: probabilities.shape, on: self) { dx in
            let dx = Shared(dx)
            parallel(targets.count, grain: max(1, (1 << 14) / n)) { _, rows in
                for row in rows {
                    let (p, dx) = (p.base + row * n, dx.base + row * n)
                    let scale = targets[row] < 0 ? 0 : d.base[row]
                    for i in 0..<n { dx[i] = scale * p[i] }
                    if targets[row] >= 0 { dx[targets[row]] -= scale }
                }
            }
        }
    }
}

extension OpenBLAS {
    public func gather(_ table: Tensor, _ indices: [Int]) -> Tensor {
        let n = table.shape[1], p = ReadOnly(table)
        return Tensor(shape: [indices.count, n], on: self) { y in
            let y = Shared(y)
            parallel(indices.count, grain: max(1, (1 << 14) / max(n, 1))) { _, rows in
                for row in rows { (y.base + row * n).update(from: p.base + indices[row] * n, count: n) }
            }
        }
    }

    public func scatterAdd(_ dy: Tensor, _ indices: [Int], rows: Int) -> Tensor {
        let n = dy.shape[1], d = ReadOnly(dy)
        return Tensor(shape: [rows, n], on: self) { y in
            let y = Shared(y)
            // Rows may come more than once, so a thread takes columns, whole cache lines of them.
            parallel((n + 15) / 16, grain: max(1, (1 << 14) / max(16 * (rows + indices.count), 1))) { _, lines in
                let first = lines.lowerBound * 16, width = min(n, lines.upperBound * 16) - first
                for row in 0..<rows { (y.base + row * n + first).update(repeating: 0, count: width) }
                for (row, index) in indices.enumerated() {
                    let (to, from) = (y.base + index * n + first, d.base + row * n + first)
                    for i in 0..<width { to[i] += from[i] }
                }
            }
        }
    }
}

private func softmaxRow(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ n: Int) {
    var tops = Vector(repeating: -.infinity), i = 0
    while i + 8 <= n {
        let v = x.vector(at: i)
        tops = tops.replacing(with: v, where: v .> tops)
        i += 8
    }
    var top = tops.max()
    while i < n {
        top = max(top, x[i])
        i += 1
    }
    var sums = Vector(repeating: 0), sum: Float = 0
    i = 0
    while i + 8 <= n {
        let e = exponential(x.vector(at: i) - top)
        y.store(e, at: i)
        sums += e
        i += 8
    }
    while i < n {
        y[i] = exp(x[i] - top)
        sum += y[i]
        i += 1
    }
    let scale = 1 / (sum + sums.sum())
    for i in 0..<n { y[i] *= scale }
}
