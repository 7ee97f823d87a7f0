/// The portable defaults and nothing else: correct on any machine, and the definition of what every kernel means.
public struct PortableBackend: Backend {
    public let name = "portable"
    public init() {}
}

extension Backend {
    public func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64).bindMemory(
            to: Float.self, capacity: max(count, 1))
    }
    public func deallocate(_ memory: UnsafeMutablePointer<Float>, _ count: Int) {
        UnsafeMutableRawPointer(memory).deallocate()
    }

    public func forEachPart(of count: Int, _ body: @Sendable (Range<Int>) -> Void) { body(0..<count) }

    /// Runs `body` over parts of `0..<rows`, on as many threads as so many rows of `width` scalars are worth.
    package func forEachPart(ofRows rows: Int, width: Int, _ body: @Sendable (Range<Int>) -> Void) {
        forEachPart(of: rows * width) { part in
            // The rows that begin in this part.
            let rows = (part.lowerBound + width - 1) / width..<(part.upperBound + width - 1) / width
            if !rows.isEmpty { body(rows) }
        }
    }

    public func product(_ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool, bias: Tensor?) -> Tensor {
        let rows = transposeA ? a.shape[1] : a.shape[0], inner = transposeA ? a.shape[0] : a.shape[1]
        let columns = transposeB ? b.shape[0] : b.shape[1]
        let (rowStep, innerStepA) = transposeA ? (1, rows) : (inner, 1)
        let (innerStepB, columnStep) = transposeB ? (1, inner) : (columns, 1)
        let (pa, pb) = (a.pointer, b.pointer)
        return Tensor(shape: [rows, columns], on: self) { y in
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum = bias.map { $0.pointer[column] } ?? 0
                    for i in 0..<inner { sum += pa[row * rowStep + i * innerStepA] * pb[i * innerStepB + column * columnStep] }
                    y[row * columns + column] = sum
                }
            }
        }
    }

    public func permute(_ x: Tensor, _ axes: [Int]) -> Tensor { portablePermute(x, axes) }

    /// The default under a name of its own, so that a backend that overrides it can fall back on it.
    package func portablePermute(_ x: Tensor, _ axes: [Int]) -> Tensor {
        let shape = Shape(axes.map { x.shape[$0] }), from = x.shape.strides
        let steps = axes.map { from[$0] }, p = x.pointer
        return Tensor(shape: shape, on: self) { y in
            forEachRun(of: shape, steps) { start, offset, length, step in
                for i in 0..<length { y[start + i] = p[offset + i * step] }
            }
        }
    }
}

/// Walks `shape` in row-major order, a run along the last axis at a time: `body(start, offset, length, step)` where
/// `offset` and `step` address an array with the given `steps` per axis.
func forEachRun(of shape: Shape, _ steps: [Int], _ body: (_ start: Int, _ offset: Int, _ length: Int, _ step: Int) -> Void) {
    guard shape.count > 0 else { return }
    guard let length = shape.dimensions.last else { return body(0, 0, 1, 0) }
    let outer = shape.rank - 1
    var index = [Int](repeating: 0, count: outer), offset = 0, start = 0
    while true {
        body(start, offset, length, steps[outer])
        start += length
        var axis = outer - 1
        while axis >= 0 {
            index[axis] += 1
            offset += steps[axis]
            if index[axis] < shape.dimensions[axis] { break }
            offset -= steps[axis] * shape.dimensions[axis]
            index[axis] = 0
            axis -= 1
        }
        if axis < 0 { return }
    }
}
