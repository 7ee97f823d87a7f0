import Foundation

extension Backend {
    public func batchNormalization(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> BatchNormalizationResult {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = x.pointer
        let mean = columnSums(rows, channels) { total, row in
            for c in 0..<channels { total[c] += Double(p[row * channels + c]) }
        } finish: {
            Float($0 / Double(rows))
        }
        let m = mean.pointer
        let variance = columnSums(rows, channels) { total, row in
            for c in 0..<channels {
                let d = Double(p[row * channels + c] - m[c])
                total[c] += d * d
            }
        } finish: {
            Float($0 / Double(rows))
        }
        let v = variance.pointer
        let inverse = Tensor(shape: [channels], on: self) { r in
            for c in 0..<channels { r[c] = 1 / (v[c] + epsilon).squareRoot() }
        }
        let (r, s, t) = (inverse.pointer, scale.pointer, shift.pointer)
        let y = Tensor(shape: x.shape, on: self) { y in
            for row in 0..<rows {
                let (p, y) = (p + row * channels, y + row * channels)
                for c in 0..<channels { y[c] = (p[c] - m[c]) * r[c] * s[c] + t[c] }
            }
        }
        return BatchNormalizationResult(y: y, mean: mean, variance: variance, inverseDeviation: inverse)
    }

    public func batchNormalizationGradient(_ dy: Tensor, _ x: Tensor, scale: Tensor, _ result: BatchNormalizationResult)
        -> (dx: Tensor, dScale: Tensor, dShift: Tensor)
    {
        let channels = x.shape[-1], rows = x.shape.count / channels
        let (p, d, m, r, s) = (x.pointer, dy.pointer, result.mean.pointer, result.inverseDeviation.pointer, scale.pointer)
        let dShift = columnSums(rows, channels) { total, row in
            for c in 0..<channels { total[c] += Double(d[row * channels + c]) }
        } finish: {
            Float($0)
        }
        let dScale = columnSums(rows, channels) { total, row in
            for c in 0..<channels { total[c] += Double(d[row * channels + c] * (p[row * channels + c] - m[c]) * r[c]) }
        } finish: {
            Float($0)
        }
        let (a, b) = (dScale.pointer, dShift.pointer), n = Float(rows)
        let dx = Tensor(shape: x.shape, on: self) { dx in
            for row in 0..<rows {
                let at = row * channels
                for c in 0..<channels {
                    let normalized = (p[at + c] - m[c]) * r[c]
                    dx[at + c] = s[c] * r[c] * (d[at + c] - b[c] / n - normalized * a[c] / n)
                }
            }
        }
        return (dx, dScale, dShift)
    }

    private func columnSums(
        _ rows: Int, _ channels: Int, _ add: (UnsafeMutablePointer<Double>, Int) -> Void, finish: (Double) -> Float
    ) -> Tensor {
        var totals = [Double](repeating: 0, count: channels)
        totals.withUnsafeMutableBufferPointer { totals in
            for row in 0..<rows { add(totals.baseAddress!, row) }
        }
        return Tensor(totals.map(finish), [channels], on: self)
    }

    public func localResponseNormalization(_ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = x.pointer
        return Tensor(shape: x.shape, on: self) { y in
            for row in 0..<rows {
                let (p, y) = (p + row * channels, y + row * channels)
                for c in 0..<channels { y[c] = p[c] * pow(windowSum(p, c, channels, window), -window.beta) }
            }
        }
    }

    /// With `u = k + α Σ x²`: `dx = dy·u⁻ᵝ - 2αβ·x Σ dy·x·u⁻ᵝ⁻¹`, the sum over the windows that hold the channel.
    public func localResponseNormalizationGradient(_ dy: Tensor, _ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = x.pointer, d = dy.pointer, half = window.size / 2
        return Tensor(shape: x.shape, on: self) { dx in
            var sums = [Float](repeating: 0, count: channels)
            for row in 0..<rows {
                let (p, d, dx) = (p + row * channels, d + row * channels, dx + row * channels)
                for c in 0..<channels { sums[c] = windowSum(p, c, channels, window) }
                for c in 0..<channels {
                    var shared: Float = 0
                    for j in max(0, c - half)..<min(channels, c + half + 1) {
                        shared += d[j] * p[j] * pow(sums[j], -window.beta - 1)
                    }
                    dx[c] = d[c] * pow(sums[c], -window.beta) - 2 * window.alpha * window.beta * p[c] * shared
                }
            }
        }
    }
}

private func windowSum(_ x: UnsafePointer<Float>, _ channel: Int, _ channels: Int, _ window: LocalResponseWindow) -> Float {
    var sum: Float = 0
    for c in max(0, channel - window.size / 2)..<min(channels, channel + window.size / 2 + 1) { sum += x[c] * x[c] }
    return window.k + window.alpha * sum
}
