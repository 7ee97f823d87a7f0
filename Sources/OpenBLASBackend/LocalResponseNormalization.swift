public import Tensors

/// Local response normalisation (Krizhevsky et al. 2012, §3.3): what neighbouring channels share is written into rows with
/// zeros at both ends, so that every window is a sum of shifted registers. Some pixels take each step together: a register that
/// overlaps two that were just written would wait for both.
extension OpenBLAS {
    public func localResponseNormalization(_ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
        let channels = x.shape[-1], p = ReadOnly(x)
        return Tensor(shape: x.shape, on: self) { y in
            let y = Shared(y)
            forEachPixelBlock(x.shape.count / channels, window, channels, rowsPerPixel: 1) { pixels, memory, length in
                for (i, pixel) in pixels.enumerated() {
                    writeSquares(p.base + pixel * channels, channels, into: memory + (i * length + window.size / 2))
                }
                for (i, pixel) in pixels.enumerated() {
                    let (x, y, squares) = (p.base + pixel * channels, y.base + pixel * channels, memory + i * length)
                    forEachVector(of: channels) { c, count in
                        let scale = window.scale(windowSum(window.size, squares, at: c))
                        y.store(x.vector(at: c, count: count) * negativePower(scale, window.beta), at: c, count: count)
                    }
                }
            }
        }
    }

    /// With `u = k + α Σ x²`: `dx = dy·u⁻ᵝ - 2αβ·x Σ dy·x·u⁻ᵝ⁻¹`, the sum over the windows that hold the channel.
    public func localResponseNormalizationGradient(_ dy: Tensor, _ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
        let channels = x.shape[-1], p = ReadOnly(x), d = ReadOnly(dy), half = window.size / 2
        return Tensor(shape: x.shape, on: self) { dx in
            let dx = Shared(dx)
            // The squares, what the windows share of the gradient, and the powers.
            forEachPixelBlock(x.shape.count / channels, window, channels, rowsPerPixel: 3) { pixels, memory, length in
                for (i, pixel) in pixels.enumerated() {
                    writeSquares(p.base + pixel * channels, channels, into: memory + (3 * i * length + half))
                }
                for (i, pixel) in pixels.enumerated() {
                    let (x, d) = (p.base + pixel * channels, d.base + pixel * channels)
                    let squares = memory + 3 * i * length, shared = squares + length, powers = shared + length
                    forEachVector(of: channels) { c, count in
                        let scale = window.scale(windowSum(window.size, squares, at: c))
                        let power = negativePower(scale, window.beta), product = x.vector(at: c, count: count) * power / scale
                        powers.store(power, at: c)
                        // What lies beyond the channels stays zero, even where 0 / 0 is none.
                        shared.store(d.vector(at: c, count: count) * product, at: half + c, count: count)
                    }
                }
                for (i, pixel) in pixels.enumerated() {
                    let (x, d, dx) = (p.base + pixel * channels, d.base + pixel * channels, dx.base + pixel * channels)
                    let shared = memory + (3 * i + 1) * length, powers = shared + length
                    forEachVector(of: channels) { c, count in
                        let own = d.vector(at: c, count: count) * powers.vector(at: c)
                        let v = x.vector(at: c, count: count) * (2 * window.alpha * window.beta)
                        dx.store(own - v * windowSum(window.size, shared, at: c), at: c, count: count)
                    }
                }
            }
        }
    }

    /// Every thread takes its part of the pixels, a block at a time whose rows stay in the first-level cache.
    /// - Parameter body: gets rows of `length` scalars, zeros at first: `channels`, half a window on both sides, and what a
    ///   register may read beyond. The scalars that it does not write are zeros in every block.
    private func forEachPixelBlock(
        _ pixels: Int, _ window: LocalResponseWindow, _ channels: Int, rowsPerPixel: Int,
        _ body: @Sendable (_ pixels: Range<Int>, _ memory: UnsafeMutablePointer<Float>, _ length: Int) -> Void
    ) {
        let length = channels + window.size + 16, size = max(1, (1 << 12) / (length * rowsPerPixel))
        parallel(pixels, grain: max(1, (1 << 12) / channels)) { _, range in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: size * rowsPerPixel * length) { memory in
                memory.initialize(repeating: 0)
                for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
                    body(start..<min(start + size, range.upperBound), memory.baseAddress!, length)
                }
            }
        }
    }
}

@inline(__always)
private func writeSquares(_ x: UnsafePointer<Float>, _ channels: Int, into squares: UnsafeMutablePointer<Float>) {
    forEachVector(of: channels) { c, count in
        let v = x.vector(at: c, count: count)
        squares.store(v * v, at: c)
    }
}

extension LocalResponseWindow {
    /// `u` of the sum of the squares.
    @inline(__always) fileprivate func scale(_ sum: Vector) -> Vector { sum * alpha + k }
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
        let r = inverseSquareRoot(u)
        return r * r * inverseSquareRoot(r)
    }
    return unlimitedExponential(logarithm(u) * -beta)
}
