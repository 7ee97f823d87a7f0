import Tensors

/// A convolution as a matrix product whose left rows are the windows themselves, read where they lie: nothing is
/// unfolded, only the padding is made real, by one copy of the input.
final class PackedConvolution: PreparedConvolution {
    let filterShape: Shape
    let algorithm = "matrix product"
    private let backend: OpenBLAS
    /// A block of rows for each group.
    private let panels: [Panels<Float>]
    private let biases: [PaddedRow]
    private let range: (low: Float, high: Float)
    private let groups: Int
    private let dilation: (height: Int, width: Int)

    /// Scalars of a row that are multiplied before the next row is looked at, so that they stay in the first-level cache.
    private static let depthBlock = 512
    /// Output pixels of a task: their windows' scalars of one such block stay in the second-level cache.
    private static let rowBlock = 96

    init(
        _ weights: PackableWeights, range: (low: Float, high: Float), _ g: ConvolutionGeometry, on backend: OpenBLAS
    ) throws {
        let filter = weights.shape
        filterShape = filter
        self.backend = backend
        self.range = range
        (groups, dilation) = (g.groups, (g.dilationHeight, g.dilationWidth))
        let outputs = filter[0] / g.groups, channels = filter[1], taps = filter[2] * filter[3]
        var layout = PackedLayout()
        let panels = (0..<g.groups).map { _ in Panels<Float>(outputs: outputs, depth: taps * channels, in: &layout) }
        let biases = (0..<g.groups).map { _ in PaddedRow(count: outputs, in: &layout) }
        let memory = try weights.packed(as: "matrix product, \(g.groups) groups, \(Lanes.width)", bytes: layout.bytes) {
            memory, filter, bias in
            let w = ReadOnly(filter)
            for group in 0..<g.groups {
                panels[group].fill(memory, on: backend) { panel, range, width in
                    let from = w.base + (group * outputs + range.lowerBound) * channels * taps
                    pack(from, outputs: range.count, channels: channels, taps: taps, into: panel, width: width)
                }
                biases[group].fill(memory, bias.map { $0[group * outputs..<(group + 1) * outputs] })
            }
        }
        self.panels = panels.map { $0.placed(in: memory) }
        self.biases = biases.map { $0.placed(in: memory) }
    }

    func write(_ x: Tensor, _ g: ConvolutionGeometry, residual: Tensor?, into slice: ChannelSlice) {
        let output = g.output(input: x.shape, filter: filterShape)
        let padded = backend.padded(x.detached, g.padding), p = ReadOnly(padded), r = residual.map { ReadOnly($0) }
        let (height, width, channels) = (padded.shape[1], padded.shape[2], padded.shape[3])
        let perGroup = filterShape[1], outputs = filterShape[0] / groups
        // Neighbouring taps of a filter's row are neighbours in memory too, so that the row is one run.
        let joins = groups == 1 && dilation.width == 1
        let length = joins ? filterShape[3] * channels : perGroup
        var offsets: [Int] = []
        for ky in 0..<filterShape[2] {
            for kx in 0..<(joins ? 1 : filterShape[3]) {
                offsets.append((ky * dilation.height * width + kx * dilation.width) * channels)
            }
        }
        let segments = Segment.split(taps: offsets.count, length: length, limit: Self.depthBlock)
        let pixels = output[0] * output[1] * output[2], count = panels[0].count
        let (rowParts, panelParts) = backend.grid(pixels, Self.rowBlock, count)
        let outputWidth = output[2], outputHeight = output[1], outputChannels = filterShape[0]
        let (stepY, stepX) = (g.strideHeight * width * channels, g.strideWidth * channels)
        backend.forEachTask(rowParts * panelParts * groups) { [self, offsets] task in
            let group = task / (rowParts * panelParts), rest = task % (rowParts * panelParts)
            let pixels = part(rest / panelParts, of: rowParts, pixels), range = part(rest % panelParts, of: panelParts, count)
            withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: pixels.count) { rows in
                var ox = pixels.lowerBound % outputWidth, line = pixels.lowerBound / outputWidth
                for i in 0..<pixels.count {
                    rows[i] =
                        p.base
                        + (line / outputHeight * height * width * channels + line % outputHeight * stepY + ox * stepX + group
                            * perGroup)
                    ox += 1
                    if ox == outputWidth { (ox, line) = (0, line + 1) }
                }
                let first = slice.base + pixels.lowerBound * slice.stride + group * outputs
                offsets.withUnsafeBufferPointer { offsets in
                    for segment in segments {
                        for index in range {
                            let panel = panels[group][index], column = panel.outputs.lowerBound
                            var epilogue = Epilogue(bias: biases[group].base + column, accumulates: !segment.isFirst)
                            if segment.isLast {
                                (epilogue.low, epilogue.high) = self.range
                                epilogue.residual = r.map {
                                    $0.base + pixels.lowerBound * outputChannels + group * outputs + column
                                }
                                epilogue.residualStride = outputChannels
                            }
                            segment.withOffsets(offsets) { offsets in
                                multiplyPanel(
                                    ScatteredRows(
                                        begin: rows.baseAddress!, taps: segment.taps, offsets: offsets, length: segment.length),
                                    0..<pixels.count, panel: panel.weights + segment.depth * panel.vectors * Lanes.width,
                                    vectors: panel.vectors, into: first + column, stride: slice.stride,
                                    columns: panel.outputs.count,
                                    epilogue)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `[outputs, channels, taps]` → `[taps, channels, outputs]`, the last axis `width` long.
private func pack(
    _ filter: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int, into panel: UnsafeMutablePointer<Float>, width: Int
) {
    // A few channels at a time, so that the lines that are written stay in cache until they are full.
    for start in stride(from: 0, to: channels, by: 16) {
        for o in 0..<outputs {
            for c in start..<min(start + 16, channels) {
                let from = filter + (o * channels + c) * taps
                for t in 0..<taps { panel[(t * channels + c) * width + o] = from[t] }
            }
        }
    }
}

/// A part of the sum of a convolution that is computed for many outputs before the next part is.
private struct Segment {
    let firstTap: Int, taps: Int
    /// Scalars of every tap, from `start`.
    let start: Int, length: Int
    /// Where in a panel its weights begin, in rows.
    let depth: Int
    let isFirst: Bool, isLast: Bool

    static func split(taps: Int, length: Int, limit: Int) -> [Segment] {
        if length >= limit {
            let parts = (length + limit - 1) / limit
            return (0..<taps).flatMap { tap in
                (0..<parts).map { p in
                    let range = part(p, of: parts, length)
                    return Segment(
                        firstTap: tap, taps: 1, start: range.lowerBound, length: range.count,
                        depth: tap * length + range.lowerBound,
                        isFirst: tap == 0 && p == 0, isLast: tap == taps - 1 && p == parts - 1)
                }
            }
        }
        let parts = (taps * length + limit - 1) / limit
        return (0..<parts).map { p in
            let range = part(p, of: parts, taps)
            return Segment(
                firstTap: range.lowerBound, taps: range.count, start: 0, length: length, depth: range.lowerBound * length,
                isFirst: p == 0, isLast: p == parts - 1)
        }
    }

    @inline(__always)
    func withOffsets(_ offsets: UnsafeBufferPointer<Int>, _ body: (UnsafePointer<Int>) -> Void) {
        if start == 0 { return body(offsets.baseAddress! + firstTap) }
        withUnsafePointer(to: offsets[firstTap] + start, body)
    }
}

/// The `index`th of `count` nearly equal parts of `0..<total`.
func part(_ index: Int, of count: Int, _ total: Int) -> Range<Int> { total * index / count..<total * (index + 1) / count }

extension OpenBLAS {
    /// The feature map with its padding as real zeros; itself where there is none.
    func padded(_ x: Tensor, _ padding: Padding) -> Tensor {
        if padding == Padding(0) { return x }
        let (images, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let shape: Shape = [images, height + padding.top + padding.bottom, width + padding.left + padding.right, channels]
        let p = ReadOnly(x), row = shape[2] * channels
        return Tensor(shape: shape, on: self) { y in
            let y = Shared(y)
            parallel(images * shape[1], grain: max(1, (1 << 13) / max(row, 1))) { _, lines in
                for line in lines {
                    let to = y.base + line * row, iy = line % shape[1] - padding.top
                    if iy < 0 || iy >= height {
                        to.update(repeating: 0, count: row)
                        continue
                    }
                    let from = p.base + (line / shape[1] * height + iy) * width * channels
                    to.update(repeating: 0, count: padding.left * channels)
                    (to + padding.left * channels).update(from: from, count: width * channels)
                    (to + (padding.left + width) * channels).update(repeating: 0, count: padding.right * channels)
                }
            }
        }
    }

    /// Into how many parts rows and panels are divided: rows so that a part stays in cache, panels so that every thread
    /// gets its share where there are few rows.
    func grid(_ rows: Int, _ rowBlock: Int, _ panels: Int) -> (rows: Int, panels: Int) {
        let rowParts = max(1, (rows + rowBlock - 1) / rowBlock)
        if threads == 1 { return (rowParts, 1) }
        var panelParts = 1
        while rowParts * panelParts < 4 * threads, panelParts < panels { panelParts += 1 }
        while rowParts * panelParts % threads != 0, rowParts * panelParts < 8 * threads, panelParts < panels { panelParts += 1 }
        return (rowParts, panelParts)
    }
}
