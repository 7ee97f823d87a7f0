import Tensors

/// A few rows times a panel: what a decoder multiplies at every word. The time goes into reading the weights, so every
/// weight is read once, and `U` steps of the sum are kept apart, or one row would wait for its own additions.
private enum FewRowsTile<let R: Int, let V: Int, let U: Int> {
    @inline(__always)
    static func multiply<Weight: PanelWeight>(
        _ rows: UnsafePointer<Float>, stride: Int, depth: Int, panel: UnsafePointer<Weight>, bias: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        let n = Lanes.width
        var sums = InlineArray<U, InlineArray<R, InlineArray<V, Lanes>>>(
            repeating: .init(repeating: .init(repeating: Lanes(repeating: 0))))
        for j in 0..<V {
            let b = Lanes(bias + j &* n)
            for i in 0..<R { sums[0][i][j] = b }
        }
        var p = 0, weights = panel
        while p &+ U <= depth {
            for u in 0..<U {
                var w = InlineArray<V, Lanes>(repeating: Lanes(repeating: 0))
                for j in 0..<V { w[j] = Weight.lanes(weights + (u &* V &+ j) &* n) }
                for i in 0..<R {
                    let x = Lanes(repeating: rows[i &* stride &+ p &+ u])
                    for j in 0..<V { sums[u][i][j].addProduct(x, w[j]) }
                }
            }
            weights += U &* V &* n
            p &+= U
        }
        while p < depth {
            for j in 0..<V {
                let w = Weight.lanes(weights + j &* n)
                for i in 0..<R { sums[0][i][j].addProduct(Lanes(repeating: rows[i &* stride &+ p]), w) }
            }
            weights += V &* n
            p &+= 1
        }
        for i in 0..<R {
            for j in 0..<V {
                var sum = sums[0][i][j]
                for u in 1..<U { sum += sums[u][i][j] }
                sum.store(to: out + i &* outStride + j &* n)
            }
        }
    }
}

/// The rows that a decoder multiplies with its weights.
final class FewRows: Sendable {
    let count: Int, depth: Int
    /// From row to row, in scalars.
    let stride: Int
    /// The tensor, or a copy of it.
    private let memory: Tensor
    var base: UnsafePointer<Float> { memory.pointer }

    /// - Parameter x: `[rows, depth]`.
    init(_ x: Tensor) {
        let (count, depth) = (x.shape[0], x.shape[1])
        (self.count, self.depth) = (count, depth)
        if count <= fewestForTiles {
            (stride, memory) = (depth, x.detached)
        } else {
            let stride = oddLines(depth), p = x.pointer
            memory = Tensor(shape: [count, stride], on: x.backend) { copy in
                for row in 0..<count { (copy + row * stride).update(from: p + row * depth, count: depth) }
            }
            self.stride = stride
        }
    }

    /// The rows in bfloat16, `pairs` words each and `stride` words apart.
    func withPairs(_ body: (_ base: UnsafePointer<BFloat16Pair>, _ pairs: Int, _ stride: Int) -> Void) {
        let pairs = (depth + 1) / 2, stride = oddLines(pairs)
        withUnsafeTemporaryAllocation(of: BFloat16Pair.self, capacity: count * stride) { words in
            for row in 0..<count {
                let x = base + row * self.stride
                for p in 0..<pairs { words[row * stride + p] = BFloat16Pair(x + 2 * p, count: min(2, depth - 2 * p)) }
            }
            body(words.baseAddress!, pairs, stride)
        }
    }
}

/// `rows · panelᵀ + bias`; whole registers are written, the panel's padding with them.
func multiplyFewRows<Weight: PanelWeight>(
    _ rows: FewRows, _ panel: Panel<Weight>, bias: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, outStride: Int
) {
    if panel.vectors == 1 {
        multiplyFewRows(rows, panel.weights, bias, out, outStride, InlineArray<1, Void>(repeating: ()))
    } else {
        multiplyFewRows(rows, panel.weights, bias, out, outStride, InlineArray<2, Void>(repeating: ()))
    }
}

private let fewestForTiles = 3

@inline(__always)
private func multiplyFewRows<Weight: PanelWeight, let V: Int>(
    _ rows: FewRows, _ panel: UnsafePointer<Weight>, _ bias: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>,
    _ outStride: Int, _ vectors: InlineArray<V, Void>
) {
    let (base, stride, depth) = (rows.base, rows.stride, rows.depth)
    switch rows.count {
    case 0: return
    case 1:
        FewRowsTile<1, V, 4>.multiply(
            base, stride: stride, depth: depth, panel: panel, bias: bias, into: out, outStride: outStride)
    case 2:
        FewRowsTile<2, V, 2>.multiply(
            base, stride: stride, depth: depth, panel: panel, bias: bias, into: out, outStride: outStride)
    case 3:
        FewRowsTile<3, V, 2>.multiply(
            base, stride: stride, depth: depth, panel: panel, bias: bias, into: out, outStride: outStride)
    default: multiplyTiles(rows, panel, bias, out, outStride, vectors)
    }
}

/// In tiles, a part of the depth at a time: that part of the panel stays in the first-level cache for all of them.
private func multiplyTiles<Weight: PanelWeight, let V: Int>(
    _ rows: FewRows, _ panel: UnsafePointer<Weight>, _ bias: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>,
    _ outStride: Int, _: InlineArray<V, Void>
) {
    let width = V * Lanes.width, block = (1 << 12) / (tileVectors * Lanes.width), count = rows.count
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: count) { begin in
        for i in 0..<count { begin[i] = rows.base + i * rows.stride }
        withUnsafeTemporaryAllocation(byteCount: block * width * MemoryLayout<Float>.stride, alignment: 64) { memory in
            let widened = memory.baseAddress!.bindMemory(to: Float.self, capacity: block * width)
            for first in stride(from: 0, to: rows.depth, by: block) {
                let length = min(block, rows.depth - first), weights = panel + first * width
                var part = UnsafePointer(widened)
                if Weight.self == Float.self {
                    part = UnsafeRawPointer(weights).assumingMemoryBound(to: Float.self)
                } else {
                    for i in stride(from: 0, to: length * width, by: Lanes.width) {
                        Weight.lanes(weights + i).store(to: widened + i)
                    }
                }
                withUnsafePointer(to: first) { offset in
                    multiplyPanel(
                        ScatteredRows(begin: begin.baseAddress!, taps: 1, offsets: offset, length: length), 0..<count,
                        panel: part, vectors: V, into: out, stride: outStride, columns: width,
                        Epilogue(bias: bias, accumulates: first > 0))
                }
            }
        }
    }
}
