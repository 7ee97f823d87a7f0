public import Tensors

extension OpenBLAS {
    public func batchNormalization(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> BatchNormalizationResult {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = ReadOnly(x), n = Float(rows)
        let mean = Tensor(shape: [channels], on: self) { mean in
            withPartialSums(rows, channels, into: mean) { rows, sums in
                for row in rows {
                    let x = p.base + row * channels
                    for c in 0..<channels { sums[c] += x[c] }
                }
            }
            for c in 0..<channels { mean[c] /= n }
        }
        let m = ReadOnly(mean)
        let variance = Tensor(shape: [channels], on: self) { variance in
            withPartialSums(rows, channels, into: variance) { rows, sums in
                for row in rows {
                    let x = p.base + row * channels
                    for c in 0..<channels {
                        let d = x[c] - m.base[c]
                        sums[c] += d * d
                    }
                }
            }
            for c in 0..<channels { variance[c] /= n }
        }
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
            parallel(rows, grain: max(1, (1 << 14) / channels)) { _, range in
                let (mean, factor, shift) = (m.base, f.base, t.base)
                for row in range {
                    let (x, y) = (p.base + row * channels, y.base + row * channels)
                    for c in 0..<channels { y[c] = (x[c] - mean[c]) * factor[c] + shift[c] }
                }
            }
        }
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
            withPartialSums(rows, 2 * channels, into: sums) { rows, sums in
                let shift = sums + channels
                for row in rows {
                    let (x, d) = (p.base + row * channels, d.base + row * channels)
                    for c in 0..<channels {
                        sums[c] += d[c] * (x[c] - m.base[c]) * r.base[c]
                        shift[c] += d[c]
                    }
                }
            }
        }
        let (dScale, dShift) = (sums[0], sums[1]), n = Float(rows)
        // dx = dy · a + (x - mean) · b + e, with the three rows computed once.
        let (g, h) = (dScale.pointer, dShift.pointer)
        let line = Tensor(shape: [3, channels], on: self) { line in
            for c in 0..<channels {
                let factor = s.base[c] * r.base[c]
                line[c] = factor
                line[channels + c] = -factor * r.base[c] * g[c] / n
                line[2 * channels + c] = -factor * h[c] / n
            }
        }
        let l = ReadOnly(line)
        let dx = Tensor(shape: x.shape, on: self) { dx in
            let dx = Shared(dx)
            parallel(rows, grain: max(1, (1 << 14) / channels)) { _, range in
                let a = l.base, b = a + channels, e = b + channels, mean = m.base
                for row in range {
                    let (x, d, dx) = (p.base + row * channels, d.base + row * channels, dx.base + row * channels)
                    for c in 0..<channels { dx[c] = d[c] * a[c] + (x[c] - mean[c]) * b[c] + e[c] }
                }
            }
        }
        return (dx, dScale, dShift)
    }
}
