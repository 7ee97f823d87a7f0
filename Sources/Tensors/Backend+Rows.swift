import Foundation

extension Backend {
    public func softmax(_ x: Tensor) -> Tensor {
        let n = x.shape[-1], rows = x.shape.count / max(n, 1), p = x.pointer
        return Tensor(shape: x.shape, on: self) { y in
            for row in 0..<rows { softmaxRow(p + row * n, y + row * n, n) }
        }
    }

    public func softmaxGradient(_ y: Tensor, _ dy: Tensor) -> Tensor {
        let n = y.shape[-1], rows = y.shape.count / max(n, 1), p = y.pointer, d = dy.pointer
        return Tensor(shape: y.shape, on: self) { dx in
            for row in 0..<rows {
                let (p, d, dx) = (p + row * n, d + row * n, dx + row * n)
                var dot: Float = 0
                for i in 0..<n { dot += p[i] * d[i] }
                for i in 0..<n { dx[i] = p[i] * (d[i] - dot) }
            }
        }
    }

    public func crossEntropy(_ logits: Tensor, _ targets: [Int]) -> (losses: Tensor, probabilities: Tensor) {
        let n = logits.shape[-1], probabilities = softmax(logits), p = probabilities.pointer, x = logits.pointer
        let losses = Tensor(shape: [targets.count], on: self) { losses in
            for (row, target) in targets.enumerated() {
                guard target >= 0 else { losses[row] = 0; continue }
                let probability = p[row * n + target]
                // From the logits where the probability is rounded to nothing.
                losses[row] = probability > 1e-20 ? -log(probability) : logSumExp(x + row * n, n) - x[row * n + target]
            }
        }
        return (losses, probabilities)
    }

    public func crossEntropyGradient(_ probabilities: Tensor, _ targets: [Int], _ dy: Tensor) -> Tensor {
        let n = probabilities.shape[-1], p = probabilities.pointer, d = dy.pointer
        return Tensor(shape: probabilities.shape, on: self) { dx in
            for (row, target) in targets.enumerated() {
                let (p, dx) = (p + row * n, dx + row * n)
                let scale = target < 0 ? 0 : d[row]
                for i in 0..<n { dx[i] = scale * p[i] }
                if target >= 0 { dx[target] -= scale }
            }
        }
    }

    public func gather(_ table: Tensor, _ indices: [Int]) -> Tensor {
        let n = table.shape[1], p = table.pointer
        return Tensor(shape: [indices.count, n], on: self) { y in
            for (row, index) in indices.enumerated() { (y + row * n).update(from: p + index * n, count: n) }
        }
    }

    public func scatterAdd(_ dy: Tensor, _ indices: [Int], rows: Int) -> Tensor {
        let n = dy.shape[1], d = dy.pointer
        return Tensor(shape: [rows, n], on: self) { y in
            y.update(repeating: 0, count: rows * n)
            for (row, index) in indices.enumerated() {
                let (to, from) = (y + index * n, d + row * n)
                for i in 0..<n { to[i] += from[i] }
            }
        }
    }
}

private func softmaxRow(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ n: Int) {
    var top = -Float.infinity, sum: Float = 0
    for i in 0..<n { top = max(top, x[i]) }
    for i in 0..<n {
        y[i] = exp(x[i] - top)
        sum += y[i]
    }
    for i in 0..<n { y[i] /= sum }
}

/// `log Σ exp x`, without overflow.
func logSumExp(_ x: UnsafePointer<Float>, _ n: Int) -> Float {
    var top = -Float.infinity, sum: Float = 0
    for i in 0..<n { top = max(top, x[i]) }
    for i in 0..<n { sum += exp(x[i] - top) }
    return top + log(sum)
}
