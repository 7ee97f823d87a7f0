public import Tensors

/// Local response normalisation (Krizhevsky et al. 2012, §3.3) a pixel at a time: what neighbouring channels share is written
/// into a row with zeros at both ends, so that every window is a sum of shifted registers.
extension OpenBLAS {
    public func localResponseNormalization(_ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = ReadOnly(x)
        return Tensor(shape: x.shape, on: self) { y in
            let y = Shared(y)
            parallel(rows, grain: max(1, (1 << 12) / channels)) { _, range in
                withRows(1, window, channels) { memory in
                    let squares = memory.baseAddress!
                    for row in range {
                        let (x, y) = (p.base + row * channels, y.base + row * channels)
                        forEachVector(of: channels) { c, count in
                            let v = x.vector(at: c, count: count)
                            squares.store(v * v, at: window.size / 2 + c)
                        }
                        forEachVector(of: channels) { c, count in
                            let scale = window.scale(windowSum(window.size, squares, at: c))
                            y.store(x.vector(at: c, count: count) * negativePower(scale, window.beta), at: c, count: count)
                        }
                    }
                }
            }
        }
    }

    /// With `u = k + α Σ x²`: `dx = dy·u⁻ᵝ - 2αβ·x Σ dy·x·u⁻ᵝ⁻¹`, the sum over the windows that hold the channel.
    public func localResponseNormalizationGradient(_ dy: Tensor, _ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
        let channels = x.shape[-1], rows = x.shape.count / channels, p = ReadOnly(x), d = ReadOnly(dy)
        return Tensor(shape: x.shape, on: self) { dx in
            let dx = Shared(dx)
            parallel(rows, grain: max(1, (1 << 12) / channels)) { _, range in
                withRows(3, window, channels) { memory in
                    let length = memory.count / 3, half = window.size / 2
                    let squares = memory.baseAddress!, shared = squares + length, powers = shared + length
                    for row in range {
                        let (x, d, dx) = (p.base + row * channels, d.base + row * channels, dx.base + row * channels)
                        forEachVector(of: channels) { c, count in
                            let v = x.vector(at: c, count: count)
                            squares.store(v * v, at: half + c)
                        }
                        forEachVector(of: channels) { c, count in
                            let scale = window.scale(windowSum(window.size, squares, at: c))
                            let power = negativePower(scale, window.beta), product = x.vector(at: c, count: count) * power / scale
                            powers.store(power, at: c)
                            // What lies beyond the channels stays zero, even where 0 / 0 is none.
                            shared.store(d.vector(at: c, count: count) * product, at: half + c, count: count)
                        }
                        forEachVector(of: channels) { c, count in
                            let neighbours = windowSum(window.size, shared, at: c)
                            let own = d.vector(at: c, count: count) * powers.vector(at: c)
                            let v = x.vector(at: c, count: count) * (2 * window.alpha * window.beta)
                            dx.store(own - v * neighbours, at: c, count: count)
                        }
                    }
                }
            }
        }
    }
}

extension LocalResponseWindow {
    /// `u` of the sum of the squares.
    @inline(__always) fileprivate func scale(_ sum: Vector) -> Vector { sum * alpha + k }
}

/// Rows of zeros for `channels` scalars, half a window on both sides, and what a register may write beyond.
@inline(__always)
private func withRows(
    _ count: Int, _ window: LocalResponseWindow, _ channels: Int, _ body: (UnsafeMutableBufferPointer<Float>) -> Void
) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count * (channels + window.size + 16)) { memory in
        memory.initialize(repeating: 0)
        body(memory)
    }
}

@inline(__always)
private func forEachVector(of channels: Int, _ body: (_ c: Int, _ count: Int) -> Void) {
    var c = 0
    while c + 8 <= channels {
        body(c, 8)
        c += 8
    }
    if c < channels { body(c, channels - c) }
}

/// The sums of `size` neighbours, of which the first lies at `c`.
@inline(__always)
private func windowSum(_ size: Int, _ row: UnsafeMutablePointer<Float>, at c: Int) -> Vector {
    var sum = row.vector(at: c)
    for i in 1..<max(size, 1) { sum += row.vector(at: c + i) }
    return sum
}

/// `u⁻ᵝ`, by square roots where β is the ¾ of nearly every network.
@inline(__always)
private func negativePower(_ u: Vector, _ beta: Float) -> Vector {
    if beta == 0.75 {
        let root = u.squareRoot()
        return 1 / (root * root.squareRoot())
    }
    return unlimitedExponential(logarithm(u) * -beta)
}
