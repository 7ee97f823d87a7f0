import COpenBLAS
import Tensors

/// A convolution of every channel with its own filter. Lines above and below the map are read from a line of zeros.
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
                    let pixel = index * output[2], out = slice.base + pixel * slice.stride
                    let from = r.map { $0.base + pixel * channels }
                    let whole = filterShape[2] == 3 && filterShape[3] == 3 ? channels / Lanes.width * Lanes.width : 0
                    if whole > 0 {
                        three(
                            line, rows, zeros: zeroLine.base, into: out, slice.stride, from, channels: whole, of: channels,
                            output[2])
                    }
                    for c in stride(from: whole, to: channels, by: Lanes.width) {
                        any(
                            line, rows, c, min(Lanes.width, channels - c), into: out + c, slice.stride, from.map { $0 + c },
                            channels, output[2])
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

    /// A 3×3 filter; taps beyond the ends of a line read zeros.
    /// - Parameter channels: those that fill whole registers.
    private func three(
        _ line: Line, _ rows: UnsafeMutableBufferPointer<UnsafePointer<Float>>, zeros: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>, _ stride: Int, _ residual: UnsafePointer<Float>?, channels: Int, of all: Int,
        _ outputs: Int
    ) {
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 18) { pointers in
            let taps = pointers.baseAddress!, filters = taps + 9
            for k in 0..<9 { filters[k] = weights[k].base }
            func write(_ range: Range<Int>) {
                if range.isEmpty { return }
                for k in 0..<9 {
                    let ix = range.lowerBound * line.step - line.left + k % 3 * line.dilation
                    taps[k] = 0 <= ix && ix < line.width ? rows[k / 3] + ix * all : zeros
                }
                Self.line(
                    taps, line.step * all, filters, bias.base, self.range.low, self.range.high,
                    residual.map { $0 + range.lowerBound * all }, all, out + range.lowerBound * stride, stride, channels,
                    range.count)
            }
            for ox in 0..<line.inside.lowerBound { write(ox..<ox + 1) }
            write(line.inside)
            for ox in line.inside.upperBound..<outputs { write(ox..<ox + 1) }
        }
    }

    #if ZOO_AVX512
        private static let line = zoo_depthwise_line16
    #elseif ZOO_AVX2
        private static let line = zoo_depthwise_line8
    #else
        private static let line = zoo_depthwise_line4
    #endif

    /// Any filter, and the channels that fill no register.
    private func any(
        _ line: Line, _ rows: UnsafeMutableBufferPointer<UnsafePointer<Float>>, _ c: Int, _ count: Int,
        into out: UnsafeMutablePointer<Float>, _ stride: Int, _ residual: UnsafePointer<Float>?, _ channels: Int, _ outputs: Int
    ) {
        for ox in 0..<outputs {
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
