import Tensors

/// A 3×3 convolution of stride 1 by Winograd's minimal filtering: for every frequency a product of all tiles' channels
/// with the transformed filter, a quarter (or half) of the multiplications.
final class WinogradConvolution: PreparedConvolution {
    let filterShape: Shape
    /// Outputs along a side of a tile, 2 or 4.
    private let m: Int
    private let backend: OpenBLAS
    /// The transformed filter, one matrix `outputs × channels` per frequency.
    private let panels: [Panels<Float>]
    private let bias: PaddedRow
    private let range: (low: Float, high: Float)

    var algorithm: String { "winograd \(m)×\(m)" }

    static func fits(_ filter: Shape, _ g: ConvolutionGeometry) -> Bool {
        filter[2] == 3 && filter[3] == 3 && g.strideHeight == 1 && g.strideWidth == 1 && g.dilationHeight == 1
            && g.dilationWidth == 1
            && g.groups == 1 && filter[0] % Lanes.width == 0 && filter[1] % Lanes.width == 0
    }

    init(_ weights: PackableWeights, range: (low: Float, high: Float), tile m: Int, on backend: OpenBLAS) throws {
        let filter = weights.shape
        filterShape = filter
        (self.m, self.backend, self.range) = (m, backend, range)
        let (outputs, channels) = (filter[0], filter[1]), g = WinogradTransform.filter(m), side = m + 2
        var layout = PackedLayout()
        let panels = (0..<side * side).map { _ in Panels<Float>(outputs: outputs, depth: channels, in: &layout) }
        let row = PaddedRow(count: outputs, in: &layout)
        let memory = try weights.packed(as: "winograd \(m), \(Lanes.width)", bytes: layout.bytes) { memory, filter, bias in
            let transposed = backend.permute(filter.reshaped([outputs, channels * 9]), [1, 0]), taps = ReadOnly(transposed)
            for frequency in 0..<side * side {
                let (i, j) = (frequency / side, frequency % side), factors = (0..<9).map { g[i][$0 / 3] * g[j][$0 % 3] }
                panels[frequency].fill(memory, on: backend) { panel, range, width in
                    WinogradTransform.packFilter(
                        taps.base, channels: channels, allOutputs: outputs, outputs: range, weights: factors, into: panel,
                        width: width)
                }
            }
            row.fill(memory, bias)
        }
        self.panels = panels.map { $0.placed(in: memory) }
        self.bias = row.placed(in: memory)
    }

    func write(_ x: Tensor, _ g: ConvolutionGeometry, residual: Tensor?, into slice: ChannelSlice) {
        let work = Work(self, x, g, residual, slice)
        if work.tiles < 2 * backend.threads * work.block { work.runByFrequency() } else { work.runByTile() }
    }

    /// One application.
    private struct Work: Sendable {
        let convolution: WinogradConvolution
        let x: ReadOnly<Float>, input: Shape
        let output: Shape, padding: Padding
        let slice: ChannelSlice
        let residual: ReadOnly<Float>?
        /// Tiles in a column, in a row, and in all.
        let rows: Int, columns: Int, tiles: Int
        /// Tiles that one task takes through all steps, so that what it makes of them stays in cache.
        let block: Int

        init(
            _ convolution: WinogradConvolution, _ x: Tensor, _ g: ConvolutionGeometry, _ residual: Tensor?, _ slice: ChannelSlice
        ) {
            self.convolution = convolution
            (self.x, input) = (ReadOnly(x), x.shape)
            output = g.output(input: x.shape, filter: convolution.filterShape)
            (padding, self.slice) = (g.padding, slice)
            self.residual = residual.map { ReadOnly($0) }
            let m = convolution.m
            (rows, columns) = ((output[1] + m - 1) / m, (output[2] + m - 1) / m)
            tiles = rows * columns * output[0]
            let scalars = (m + 2) * (m + 2) * (input[3] + output[3])
            block = max(24, min(48, (1600 << 8) / scalars / tileRows * tileRows))
        }

        private var m: Int { convolution.m }
        private var frequencies: Int { (m + 2) * (m + 2) }
        private var backend: OpenBLAS { convolution.backend }

        /// Every task takes a block of tiles through all three steps.
        func runByTile() {
            let threads = backend.threads, blocks = ((tiles + block - 1) / block + threads - 1) / threads * threads
            let size = (tiles + blocks - 1) / blocks
            let inputStride = oddLines(size * input[3]), productStride = oddLines(size * output[3])
            backend.forEachTask(blocks) { task in
                let range = part(task, of: blocks, tiles)
                let v = backend.allocate(frequencies * inputStride), products = backend.allocate(frequencies * productStride)
                transformInput(range, into: v, inputStride)
                for frequency in 0..<frequencies {
                    multiply(
                        frequency, count: range.count, panels: 0..<convolution.panels[0].count, v, inputStride, products,
                        productStride)
                }
                transformOutput(range, channels: 0..<output[3], products, productStride)
                backend.deallocate(v, frequencies * inputStride)
                backend.deallocate(products, frequencies * productStride)
            }
        }

        /// Too few tiles for blocks: the threads share the frequencies.
        func runByFrequency() {
            let inputStride = oddLines(tiles * input[3]), productStride = oddLines(tiles * output[3])
            let memory = backend.allocate(frequencies * (inputStride + productStride))
            let v = Shared(memory), products = Shared(memory + frequencies * inputStride)
            let parts = min(tiles, 4 * backend.threads), panels = convolution.panels[0].count, halves = min(2, panels)
            backend.forEachTask(parts) { task in
                let range = part(task, of: parts, tiles)
                transformInput(range, into: v.base + range.lowerBound * input[3], inputStride)
            }
            backend.forEachTask(frequencies * halves) { task in
                multiply(
                    task / halves, count: tiles, panels: part(task % halves, of: halves, panels), v.base, inputStride,
                    products.base,
                    productStride)
            }
            backend.forEachTask(parts) { task in
                let range = part(task, of: parts, tiles)
                transformOutput(range, channels: 0..<output[3], products.base + range.lowerBound * output[3], productStride)
            }
            backend.deallocate(memory, frequencies * (inputStride + productStride))
        }

        private func place(_ tile: Int) -> (image: Int, y: Int, x: Int) {
            let inImage = tile % (rows * columns)
            return (tile / (rows * columns), inImage / columns * m, inImage % columns * m)
        }

        private func transformInput(_ range: Range<Int>, into v: UnsafeMutablePointer<Float>, _ stride: Int) {
            let (height, width, channels) = (input[1], input[2], input[3])
            for (i, tile) in range.enumerated() {
                let (image, y, x) = place(tile), to = v + i * channels
                let map = self.x.base + image * height * width * channels
                if m == 4 {
                    WinogradTransform.transformInput(
                        map, height: height, width: width, channels: channels, y: y - padding.top, x: x - padding.left, into: to,
                        stride: stride
                    ) { (d: InlineArray<6, Lanes>) in WinogradTransform.input(d) }
                } else {
                    WinogradTransform.transformInput(
                        map, height: height, width: width, channels: channels, y: y - padding.top, x: x - padding.left, into: to,
                        stride: stride
                    ) { (d: InlineArray<4, Lanes>) in WinogradTransform.input(d) }
                }
            }
        }

        /// `products[frequency] = v[frequency] · filter[frequency]ᵀ`, `count` tiles by the outputs of `panels`.
        private func multiply(
            _ frequency: Int, count: Int, panels: Range<Int>, _ v: UnsafePointer<Float>, _ inputStride: Int,
            _ products: UnsafeMutablePointer<Float>, _ productStride: Int
        ) {
            let channels = input[3], outputs = output[3], matrix = convolution.panels[frequency]
            let parts = (channels + 511) / 512
            withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: count) { rows in
                for i in 0..<count { rows[i] = v + (frequency * inputStride + i * channels) }
                for index in panels {
                    let panel = matrix[index], column = panel.outputs.lowerBound
                    for p in 0..<parts {
                        let depth = part(p, of: parts, channels)
                        withUnsafePointer(to: depth.lowerBound) { offset in
                            multiplyPanel(
                                ScatteredRows(begin: rows.baseAddress!, taps: 1, offsets: offset, length: depth.count), 0..<count,
                                panel: panel.weights + depth.lowerBound * panel.vectors * Lanes.width, vectors: panel.vectors,
                                into: products + frequency * productStride + column, stride: outputs,
                                columns: panel.outputs.count,
                                Epilogue(accumulates: p > 0))
                        }
                    }
                }
            }
        }

        private func transformOutput(_ range: Range<Int>, channels: Range<Int>, _ products: UnsafePointer<Float>, _ stride: Int) {
            let (height, width, outputs) = (output[1], output[2], output[3])
            for (i, tile) in range.enumerated() {
                let (image, y, x) = place(tile), from = products + i * outputs
                let map = slice.base + image * height * width * slice.stride
                let r = residual.map { $0.base + image * height * width * outputs }
                if m == 4 {
                    WinogradTransform.transformOutput(
                        from, stride: stride, channels: channels, into: map, height: height, width: width,
                        pixelStride: slice.stride,
                        y: y, x: x, bias: convolution.bias.base, residual: r, residualStride: outputs, low: convolution.range.low,
                        high: convolution.range.high
                    ) { (d: InlineArray<6, Lanes>) -> InlineArray<4, Lanes> in WinogradTransform.output(d) }
                } else {
                    WinogradTransform.transformOutput(
                        from, stride: stride, channels: channels, into: map, height: height, width: width,
                        pixelStride: slice.stride,
                        y: y, x: x, bias: convolution.bias.base, residual: r, residualStride: outputs, low: convolution.range.low,
                        high: convolution.range.high
                    ) { (d: InlineArray<4, Lanes>) -> InlineArray<2, Lanes> in WinogradTransform.output(d) }
                }
            }
        }
    }
}
