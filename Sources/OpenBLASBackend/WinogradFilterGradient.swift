import Tensors

/// The derivative of a 3×3 convolution of stride 1 for its filter by Winograd's minimal filtering (Lavin & Gray 2016): the
/// transposed steps of the convolution. For every frequency one product, of the transformed gradient's tiles with the
/// transformed input's; only the sum over all tiles is transformed back.
struct WinogradFilterGradient: Sendable {
    /// Outputs along a side of a tile, 2 or 4.
    let m: Int
    private let backend: OpenBLAS
    private let dy: ReadOnly<Float>, x: ReadOnly<Float>
    private let input: Shape, output: Shape, padding: Padding
    /// Tiles in a column, in a row, and in all.
    private let rows: Int, columns: Int, tiles: Int

    init(_ dy: Tensor, _ x: Tensor, _ g: ConvolutionGeometry, tile m: Int, on backend: OpenBLAS) {
        (self.m, self.backend) = (m, backend)
        (self.dy, self.x) = (ReadOnly(dy), ReadOnly(x))
        (input, output, padding) = (x.shape, dy.shape, g.padding)
        (rows, columns) = ((output[1] + m - 1) / m, (output[2] + m - 1) / m)
        tiles = rows * columns * output[0]
    }

    private var frequencies: Int { (m + 2) * (m + 2) }

    /// - Parameter dw: `[outputs, channels, 3, 3]`.
    func write(into dw: UnsafeMutablePointer<Float>) {
        let (channels, outputs) = (input[3], output[3]), size = outputs * channels
        // Tiles that are transformed before they are multiplied: few enough to stay in the last-level cache, unless the sums
        // themselves, which every such block reads and writes, are larger.
        let scalars = max(1 << 20, 2 * frequencies * size)
        let blocks = max(1, tiles * frequencies * (channels + outputs) / scalars)
        let largest = (tiles + blocks - 1) / blocks
        let inputStride = oddLines(largest * channels), gradientStride = oddLines(largest * outputs)
        let memory = backend.allocate(frequencies * (inputStride + gradientStride + size))
        let v = Shared(memory), d = Shared(v.base + frequencies * inputStride),
            sums = Shared(d.base + frequencies * gradientStride)
        for block in 0..<blocks {
            let range = part(block, of: blocks, tiles), parts = min(max(1, range.count), 8 * backend.threads)
            backend.forEachTask(parts) { task in
                let own = part(task, of: parts, range.count)
                transform(
                    range.lowerBound + own.lowerBound..<range.lowerBound + own.upperBound,
                    input: v.base + own.lowerBound * channels, inputStride, gradient: d.base + own.lowerBound * outputs,
                    gradientStride)
            }
            backend.forEachTask(frequencies) { f in
                gemm(
                    true, false, outputs, channels, range.count, d.base + f * gradientStride, outputs, v.base + f * inputStride,
                    channels, sums.base + f * size, channels, beta: block == 0 ? 0 : 1)
            }
        }
        let dw = Shared(dw)
        backend.parallel(outputs) { _, range in
            for o in range {
                for c in stride(from: 0, to: channels, by: Lanes.width) {
                    let from = sums.base + (o * channels + c), to = dw.base + (o * channels + c) * 9
                    if m == 4 {
                        WinogradTransform.transformFilterGradient(from, stride: size, into: to) {
                            (u: InlineArray<6, Lanes>) in WinogradTransform.filterGradient(u)
                        }
                    } else {
                        WinogradTransform.transformFilterGradient(from, stride: size, into: to) {
                            (u: InlineArray<4, Lanes>) in WinogradTransform.filterGradient(u)
                        }
                    }
                }
            }
        }
        backend.deallocate(memory, frequencies * (inputStride + gradientStride + size))
    }

    private func transform(
        _ range: Range<Int>, input v: UnsafeMutablePointer<Float>, _ inputStride: Int,
        gradient d: UnsafeMutablePointer<Float>, _ gradientStride: Int
    ) {
        let (height, width, channels, outputs) = (input[1], input[2], input[3], output[3])
        for (i, tile) in range.enumerated() {
            let inImage = tile % (rows * columns), image = tile / (rows * columns)
            let y = inImage / columns * m, x = inImage % columns * m
            let map = self.x.base + image * height * width * channels
            let gradient = dy.base + image * output[1] * output[2] * outputs
            if m == 4 {
                WinogradTransform.transformInput(
                    map, height: height, width: width, channels: channels, y: y - padding.top, x: x - padding.left,
                    into: v + i * channels, stride: inputStride
                ) { (d: InlineArray<6, Lanes>) in WinogradTransform.input(d) }
                WinogradTransform.transformGradient(
                    gradient, height: output[1], width: output[2], channels: outputs, y: y, x: x, into: d + i * outputs,
                    stride: gradientStride
                ) { (d: InlineArray<4, Lanes>) -> InlineArray<6, Lanes> in WinogradTransform.gradient(d) }
            } else {
                WinogradTransform.transformInput(
                    map, height: height, width: width, channels: channels, y: y - padding.top, x: x - padding.left,
                    into: v + i * channels, stride: inputStride
                ) { (d: InlineArray<4, Lanes>) in WinogradTransform.input(d) }
                WinogradTransform.transformGradient(
                    gradient, height: output[1], width: output[2], channels: outputs, y: y, x: x, into: d + i * outputs,
                    stride: gradientStride
                ) { (d: InlineArray<2, Lanes>) -> InlineArray<4, Lanes> in WinogradTransform.gradient(d) }
            }
        }
    }
}
