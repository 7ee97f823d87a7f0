import Tensors

/// A convolution of every channel with its own filter. The filter's weights for a register of channels stay in registers
/// while a line of pixels passes; lines above and below the map are read from a line of zeros.
final class DepthwiseConvolution: PreparedConvolution {
    let filterShape: Shape
    let algorithm = "depthwise"
    private let backend: OpenBLAS
    /// `[taps, channels]`, every row padded to whole registers.
    private let weights: [PaddedRow]
    private let bias: PaddedRow
    private let range: (low: Float, high: Float)
    private let dilation: (height: Int, width: Int)

    init(
        _ weights: PackableWeights, range: (low: Float, high: Float), _ g: ConvolutionGeometry, on backend: OpenBLAS
    ) throws {
        filterShape = weights.shape
        (self.backend, self.range) = (backend, range)
        dilation = (g.dilationHeight, g.dilationWidth)
        let channels = filterShape[0], taps = filterShape[2] * filterShape[3]
        var layout = PackedLayout()
        let rows = (0..<taps).map { _ in PaddedRow(count: channels, in: &layout) }
        let row = PaddedRow(count: channels, in: &layout)
        let memory = try weights.packed(as: "depthwise, \(Lanes.width)", bytes: layout.bytes) { memory, filter, bias in
            let byTap = filter.reshaped([channels, taps]).transposed
            for tap in 0..<taps { rows[tap].fill(memory, byTap[tap]) }
            row.fill(memory, bias)
        }
        self.weights = rows.map { $0.placed(in: memory) }
        self.bias = row.placed(in: memory)
    }

    func write(_ x: Tensor, _ g: ConvolutionGeometry, residual: Tensor?, into slice: ChannelSlice) {
        let line = Line(x.shape, g, filterShape, dilation), output = g.output(input: x.shape, filter: filterShape)
        let p = ReadOnly(x), r = residual.map { ReadOnly($0) }, channels = filterShape[0]
        let zeros = Tensor.zeros([x.shape[2] * channels + Lanes.width], on: backend), zeroLine = ReadOnly(zeros)
        backend.parallel(output[0] * output[1], grain: 1) { [self] _, lines in
            withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: filterShape[2]) { rows in
                for index in lines {
                    let image = index / output[1], top = index % output[1] * g.strideHeight - g.padding.top
                    for ky in 0..<filterShape[2] {
                        let iy = top + ky * dilation.height
                        rows[ky] =
                            iy >= 0 && iy < x.shape[1]
                            ? p.base + (image * x.shape[1] + iy) * x.shape[2] * channels : zeroLine.base
                    }
                    let pixel = index * output[2]
                    var c = 0
                    while c < channels {
                        let count = min(Lanes.width, channels - c)
                        let out = slice.base + pixel * slice.stride + c, from = r.map { $0.base + pixel * channels + c }
                        if count == Lanes.width, filterShape[2] == 3, filterShape[3] == 3 {
                            three(line, rows, c, into: out, slice.stride, from, channels, output[2])
                        } else {
                            any(line, rows, c, count, into: out, slice.stride, from, channels, 0..<output[2])
                        }
                        c += Lanes.width
                    }
                }
            }
        }
    }

    /// How windows move along a line.
    private struct Line {
        let width: Int, step: Int, left: Int, taps: Int, dilation: Int
        /// The outputs whose window lies inside the line.
        let inside: Range<Int>

        init(_ input: Shape, _ g: ConvolutionGeometry, _ filter: Shape, _ dilation: (height: Int, width: Int)) {
            (width, step, left, taps, self.dilation) = (input[2], g.strideWidth, g.padding.left, filter[3], dilation.width)
            let outputs = g.output(input: input, filter: filter)[2], reach = (taps - 1) * self.dilation
            let first = min(outputs, (left + step - 1) / step)
            let room = width - 1 - reach + left
            inside = first..<max(first, min(outputs, room < 0 ? 0 : room / step + 1))
        }
    }

    /// A 3×3 filter: nine registers of weights.
    @inline(__always)
    private func three(
        _ line: Line, _ rows: UnsafeMutableBufferPointer<UnsafePointer<Float>>, _ c: Int, into out: UnsafeMutablePointer<Float>,
        _ stride: Int, _ residual: UnsafePointer<Float>?, _ channels: Int, _ outputs: Int
    ) {
        any(line, rows, c, Lanes.width, into: out, stride, residual, channels, 0..<line.inside.lowerBound)
        var w = InlineArray<9, Lanes>(repeating: Lanes(repeating: 0))
        for k in 0..<9 { w[k] = Lanes(weights[k].base + c) }
        let b = Lanes(bias.base + c), tap = line.dilation * channels, step = line.step * channels
        var at = (line.inside.lowerBound * line.step - line.left) * channels + c
        let (top, middle, bottom) = (rows[0], rows[1], rows[2])
        for ox in line.inside {
            var upper = b.addingProduct(Lanes(top + at), w[0]), lower = Lanes(bottom + at) * w[6]
            var centre = Lanes(middle + at) * w[3]
            upper.addProduct(Lanes(top + at + tap), w[1])
            centre.addProduct(Lanes(middle + at + tap), w[4])
            lower.addProduct(Lanes(bottom + at + tap), w[7])
            upper.addProduct(Lanes(top + at + 2 &* tap), w[2])
            centre.addProduct(Lanes(middle + at + 2 &* tap), w[5])
            lower.addProduct(Lanes(bottom + at + 2 &* tap), w[8])
            var sum = upper + (centre + lower)
            if let residual { sum += Lanes(residual + ox &* channels) }
            sum.clamped(range.low, range.high).store(to: out + ox &* stride)
            at &+= step
        }
        any(line, rows, c, Lanes.width, into: out, stride, residual, channels, line.inside.upperBound..<outputs)
    }

    /// Any filter, and windows that reach over the line's ends.
    private func any(
        _ line: Line, _ rows: UnsafeMutableBufferPointer<UnsafePointer<Float>>, _ c: Int, _ count: Int,
        into out: UnsafeMutablePointer<Float>, _ stride: Int, _ residual: UnsafePointer<Float>?, _ channels: Int,
        _ outputs: Range<Int>
    ) {
        for ox in outputs {
            var sum = Lanes(bias.base + c)
            for kx in 0..<line.taps {
                let ix = ox * line.step - line.left + kx * line.dilation
                guard ix >= 0, ix < line.width else { continue }
                for ky in 0..<rows.count {
                    sum.addProduct(
                        Lanes(rows[ky] + ix * channels + c, count: count), Lanes(weights[ky * line.taps + kx].base + c))
                }
            }
            if let residual { sum += Lanes(residual + ox * channels, count: count) }
            sum.clamped(range.low, range.high).store(to: out + ox * stride, count: count)
        }
    }
}
