import Tensors

/// The derivatives of a convolution of every channel with its own filter.
extension OpenBLAS {
    func depthwiseInputGradient(_ dy: Tensor, _ filter: Tensor, _ unfolding: Unfolding) -> Tensor {
        let taps = filter.reshaped([filter.shape[0], filter.shape[2] * filter.shape[3]]).transposed
        let (w, d) = (ReadOnly(taps), ReadOnly(dy)), channels = unfolding.input[3]
        return Tensor(shape: unfolding.input, on: self) { dx in
            let dx = Shared(dx)
            parallel(unfolding.input.count / channels, grain: 64) { _, range in
                var windows = Taps(unfolding, .overPixels)
                for pixel in range {
                    windows.move(over: pixel)
                    windows.sum(d.base, w.base, into: dx.base + pixel * channels, channels)
                }
            }
        }
    }

    func depthwiseFilterGradient(_ dy: Tensor, _ x: Tensor, _ unfolding: Unfolding) -> Tensor {
        let (d, p) = (ReadOnly(dy), ReadOnly(x)), channels = unfolding.input[3],
            kernel = unfolding.filter[2] * unfolding.filter[3]
        let sums = Tensor(shape: [kernel, channels], on: self) { dw in
            withPartialSums(unfolding.pixels, kernel * channels, into: dw) { range, sums in
                var window = Taps(unfolding, .underWindows)
                for pixel in range {
                    window.move(to: pixel)
                    window.addProducts(of: p.base, and: d.base + pixel * channels, to: sums, channels)
                }
            }
        }
        return sums.transposed.reshaped(unfolding.filter)
    }
}

/// The pairs of a pixel and a weight that one sum runs over: the pixels under one window, or the windows over one pixel.
private struct Taps {
    private let unfolding: Unfolding
    private var count = 0
    /// Where the channels of each pixel begin in its feature map, less `shift`, and of its weights in the taps.
    private var offsets: [Int], weights: [Int]
    private var shift = 0
    /// The last pixel and its column; at first one that has no right neighbour.
    private var pixel = -2, column = 0
    /// The columns whose taps are all there: those of neighbours are the same, only further right.
    private let inner: ClosedRange<Int>?

    enum Direction { case underWindows, overPixels }

    init(_ unfolding: Unfolding, _ direction: Direction) {
        self.unfolding = unfolding
        let kernel = unfolding.filter[2] * unfolding.filter[3]
        offsets = [Int](repeating: 0, count: kernel)
        weights = offsets
        let g = unfolding.geometry, reach = (unfolding.filter[3] - 1) * g.dilationWidth
        let (inputs, outputs) = (unfolding.input[2], unfolding.output[2])
        let columns =
            switch direction {
            case .underWindows:
                (0..<outputs).filter {
                    let left = $0 * g.strideWidth - g.padding.left
                    return left >= 0 && left + reach < inputs
                }
            case .overPixels:
                // With a stride, neighbours have different weights.
                (0..<(g.strideWidth == 1 ? inputs : 0)).filter {
                    let right = $0 + g.padding.left
                    return right - reach >= 0 && right < outputs
                }
            }
        inner = columns.first.map { $0...columns.last! }
    }

    /// The pixels of the input under the window of an output pixel.
    @inline(__always)
    mutating func move(to pixel: Int) {
        let g = unfolding.geometry, (height, width, channels) = (unfolding.input[1], unfolding.input[2], unfolding.input[3])
        if slide(to: pixel, by: g.strideWidth * channels) { return }
        let ox = pixel % unfolding.output[2], line = pixel / unfolding.output[2]
        let oy = line % unfolding.output[1], image = line / unfolding.output[1]
        count = 0
        for ky in 0..<unfolding.filter[2] {
            let iy = oy * g.strideHeight - g.padding.top + ky * g.dilationHeight
            guard iy >= 0, iy < height else { continue }
            for kx in 0..<unfolding.filter[3] {
                let ix = ox * g.strideWidth - g.padding.left + kx * g.dilationWidth
                guard ix >= 0, ix < width else { continue }
                offsets[count] = ((image * height + iy) * width + ix) * channels
                weights[count] = (ky * unfolding.filter[3] + kx) * channels
                count += 1
            }
        }
        (self.pixel, column, shift) = (pixel, ox, 0)
    }

    /// The pixels of the output whose windows lie over an input pixel.
    @inline(__always)
    mutating func move(over pixel: Int) {
        let g = unfolding.geometry, (height, width, channels) = (unfolding.output[1], unfolding.output[2], unfolding.input[3])
        if slide(to: pixel, by: channels) { return }
        let ix = pixel % unfolding.input[2], line = pixel / unfolding.input[2]
        let iy = line % unfolding.input[1], image = line / unfolding.input[1]
        count = 0
        for ky in 0..<unfolding.filter[2] {
            let y = iy + g.padding.top - ky * g.dilationHeight, oy = y / g.strideHeight
            guard y >= 0, oy < height, oy * g.strideHeight == y else { continue }
            for kx in 0..<unfolding.filter[3] {
                let x = ix + g.padding.left - kx * g.dilationWidth, ox = x / g.strideWidth
                guard x >= 0, ox < width, ox * g.strideWidth == x else { continue }
                offsets[count] = ((image * height + oy) * width + ox) * channels
                weights[count] = (ky * unfolding.filter[3] + kx) * channels
                count += 1
            }
        }
        (self.pixel, column, shift) = (pixel, ix, 0)
    }

    @inline(__always)
    private mutating func slide(to next: Int, by step: Int) -> Bool {
        guard let inner, next == pixel + 1, inner.contains(column), inner.contains(column + 1) else { return false }
        pixel = next
        column += 1
        shift += step
        return true
    }

    /// The sum of all pairs' products, channel by channel.
    @inline(__always)
    func sum(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
        _ channels: Int
    ) {
        let x = x + shift
        var c = 0
        while c + 16 <= channels {
            sum(SIMD16<Float>.self, x, w, into: y, at: c)
            c += 16
        }
        while c + 8 <= channels {
            sum(Vector.self, x, w, into: y, at: c)
            c += 8
        }
        while c < channels {
            var sum: Float = 0
            for i in 0..<count { sum += x[offsets[i] + c] * w[weights[i] + c] }
            y[c] = sum
            c += 1
        }
    }

    @inline(__always)
    private func sum<V: SIMD>(
        _: V.Type, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, at c: Int
    ) where V.Scalar == Float {
        var sum = V(repeating: 0)
        for i in 0..<count {
            sum +=
                UnsafeRawPointer(x + offsets[i] + c).loadUnaligned(as: V.self)
                * UnsafeRawPointer(w + weights[i] + c).loadUnaligned(as: V.self)
        }
        UnsafeMutableRawPointer(y + c).storeBytes(of: sum, as: V.self)
    }

    /// Adds to the sum of every weight its pixel's scalars times those of `y`, channel by channel.
    @inline(__always)
    func addProducts(
        of x: UnsafePointer<Float>, and y: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, _ channels: Int
    ) {
        let x = x + shift
        var c = 0
        while c + 16 <= channels {
            let factor = UnsafeRawPointer(y + c).loadUnaligned(as: SIMD16<Float>.self)
            for i in 0..<count {
                let sum = UnsafeMutableRawPointer(sums + weights[i] + c)
                sum.storeBytes(
                    of: sum.loadUnaligned(as: SIMD16<Float>.self)
                        + factor * UnsafeRawPointer(x + offsets[i] + c).loadUnaligned(as: SIMD16<Float>.self),
                    as: SIMD16<Float>.self)
            }
            c += 16
        }
        while c < channels {
            for i in 0..<count { sums[weights[i] + c] += y[c] * x[offsets[i] + c] }
            c += 1
        }
    }
}
