public import Tensors

extension OpenBLAS {
    public func map(_ f: UnaryFunction, _ x: Tensor) -> Tensor {
        let p = ReadOnly(x)
        return Tensor(shape: x.shape, on: self) { y in
            let y = Shared(y)
            parallel(x.shape.count, grain: 1 << 14) { _, range in
                let (p, y) = (p.base, y.base)
                switch f {
                case .tanh: transform(range, p, y, hyperbolicTangent)
                case .sigmoid: transform(range, p, y, logistic)
                case .hardSigmoid: transform(range, p, y, hardLogistic)
                case .relu: for i in range { y[i] = p[i] > 0 ? p[i] : 0 }
                case .relu6: for i in range { y[i] = p[i] > 0 ? (p[i] < 6 ? p[i] : 6) : 0 }
                case .exp: transform(range, p, y, unlimitedExponential)
                case .log: transform(range, p, y, logarithm)
                case .square: for i in range { y[i] = p[i] * p[i] }
                case .squareRoot: transform(range, p, y, squareRoot)
                case .negate: for i in range { y[i] = -p[i] }
                }
            }
        }
    }

    public func mapGradient(_ f: UnaryFunction, _ saved: Tensor, _ dy: Tensor) -> Tensor {
        let s = ReadOnly(saved), d = ReadOnly(dy)
        return Tensor(shape: dy.shape, on: self) { dx in
            let dx = Shared(dx)
            parallel(dy.shape.count, grain: 1 << 14) { _, range in
                let (s, d, dx) = (s.base, d.base, dx.base)
                switch f {
                case .tanh: for i in range { dx[i] = d[i] * (1 - s[i] * s[i]) }
                case .sigmoid: for i in range { dx[i] = d[i] * s[i] * (1 - s[i]) }
                case .hardSigmoid: for i in range { dx[i] = 0.2 * passing(d[i], s[i], 0, 1) }
                case .relu: for i in range { dx[i] = passing(d[i], s[i], 0, .infinity) }
                case .relu6: for i in range { dx[i] = passing(d[i], s[i], 0, 6) }
                case .exp: for i in range { dx[i] = d[i] * s[i] }
                case .log: for i in range { dx[i] = d[i] / s[i] }
                case .square: for i in range { dx[i] = 2 * d[i] * s[i] }
                case .squareRoot: for i in range { dx[i] = 0.5 * d[i] / s[i] }
                case .negate: for i in range { dx[i] = -d[i] }
                }
            }
        }
    }

    public func combine(_ f: BinaryFunction, _ a: Tensor, _ b: Tensor, to shape: Shape) -> Tensor {
        // Equal shapes, a scalar, or one row for all rows: what models do. The rest is the portable kernel's.
        guard let period = Period(a.shape, b.shape, to: shape) else { return portableCombine(f, a, b, to: shape) }
        let (pa, pb) = (ReadOnly(a), ReadOnly(b))
        return Tensor(shape: shape, on: self) { y in
            let y = Shared(y)
            parallel(shape.count / period.length, grain: max(1, (1 << 14) / period.length)) { _, rows in
                // Two whole operands and scalars need no rows: one run.
                let (runs, length) = period.isFlat ? (0..<1, rows.count * period.length) : (0..<rows.count, period.length)
                for i in runs {
                    let row = rows.lowerBound + i, start = row * period.length
                    let a = pa.base + (period.aRepeats ? 0 : start), b = pb.base + (period.bRepeats ? 0 : start),
                        y = y.base + start
                    switch f {
                    case .add: run(a, period.aIsScalar, b, period.bIsScalar, y, length) { $0 + $1 }
                    case .subtract: run(a, period.aIsScalar, b, period.bIsScalar, y, length) { $0 - $1 }
                    case .multiply: run(a, period.aIsScalar, b, period.bIsScalar, y, length) { $0 * $1 }
                    case .divide: run(a, period.aIsScalar, b, period.bIsScalar, y, length) { $0 / $1 }
                    }
                }
            }
        }
    }

    public func sum(_ x: Tensor, to shape: Shape) -> Tensor {
        // Columns of a matrix, the derivative of a bias; the rest is the portable kernel's.
        let columns = x.shape.dimensions.last ?? 1
        guard shape.count == columns, columns > 1, shape.dimensions.last == columns else {
            return portableSum(x, to: shape)
        }
        let p = ReadOnly(x), rows = x.shape.count / columns
        return Tensor(shape: shape, on: self) { y in
            withPartialSums(rows, columns, into: y) { rows, sums in
                for row in rows {
                    let x = p.base + row * columns
                    for c in 0..<columns { sums[c] += x[c] }
                }
            }
        }
    }

    /// Sums of many rows into one of `width`: every thread adds up its own, in blocks of rows so that the rounding
    /// error stays that of a short sum.
    func withPartialSums(
        _ rows: Int, _ width: Int, into y: UnsafeMutablePointer<Float>,
        _ add: @Sendable (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
    ) {
        let partial = Shared(allocate(2 * threads * width))
        partial.base.update(repeating: 0, count: 2 * threads * width)
        parallel(rows, grain: max(1, (1 << 14) / width)) { part, range in
            let total = partial.base + 2 * part * width, block = total + width
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + 256, range.upperBound)
                add(start..<end, block)
                for c in 0..<width {
                    total[c] += block[c]
                    block[c] = 0
                }
                start = end
            }
        }
        for c in 0..<width {
            var sum: Float = 0
            for part in 0..<threads { sum += partial.base[2 * part * width + c] }
            y[c] = sum
        }
        deallocate(partial.base, 2 * threads * width)
    }
}

/// The gradient where the result lies between its bounds. Takes both values as arguments, which a loop must have read
/// then: a read that depends on a comparison would keep the loop from being vectorised.
@inline(__always)
private func passing(_ d: Float, _ s: Float, _ low: Float, _ high: Float) -> Float {
    let above: Float = s > low ? d : 0
    return s < high ? above : 0
}

/// How two operands repeat along the result: both whole, or one of them a single row or a single scalar.
private struct Period {
    /// The length of the shorter operand, or 1 where rows do not matter.
    let length: Int
    let aRepeats: Bool, bRepeats: Bool, aIsScalar: Bool, bIsScalar: Bool
    var isFlat: Bool { length == 1 }

    init?(_ a: Shape, _ b: Shape, to shape: Shape) {
        let whole = shape.count
        func isTail(_ s: Shape) -> Bool { s.count == 1 || Array(shape.dimensions.suffix(s.rank)) == s.dimensions }
        guard whole > 0, isTail(a), isTail(b), a.count == whole || b.count == whole else { return nil }
        aRepeats = a.count < whole
        bRepeats = b.count < whole
        aIsScalar = aRepeats && a.count == 1
        bIsScalar = bRepeats && b.count == 1
        length = aRepeats ? a.count : bRepeats ? b.count : 1
    }
}

@inline(__always)
private func run(
    _ a: UnsafePointer<Float>, _ aIsScalar: Bool, _ b: UnsafePointer<Float>, _ bIsScalar: Bool, _ y: UnsafeMutablePointer<Float>,
    _ n: Int, _ f: (Float, Float) -> Float
) {
    if aIsScalar {
        let a = a[0]
        for i in 0..<n { y[i] = f(a, b[i]) }
    } else if bIsScalar {
        let b = b[0]
        for i in 0..<n { y[i] = f(a[i], b) }
    } else {
        for i in 0..<n { y[i] = f(a[i], b[i]) }
    }
}
