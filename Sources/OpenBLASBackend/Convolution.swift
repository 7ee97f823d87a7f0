public import Tensors

/// Convolutions of training: forwards through the same kernels as prepared ones, backwards as matrix products over
/// unfolded tiles (im2col), a tile of output pixels at a time so that it stays in cache.
extension OpenBLAS {
    public func convolution(_ x: Tensor, _ filter: Tensor, bias: Tensor?, _ g: ConvolutionGeometry) -> Tensor {
        let weights = PackableWeights(filter, bias: bias)
        // Reading weights that are in memory throws nothing.
        let convolution = try! prepareConvolution(weights, activation: nil, g, input: x.shape, algorithm: nil)
        return convolution(x, g, residual: nil)
    }

    public func convolutionFilterGradient(_ dy: Tensor, _ x: Tensor, _ g: ConvolutionGeometry, filter: Shape) -> Tensor {
        let unfolding = Unfolding(x.shape, filter, g), outputs = filter[0]
        if unfolding.isPointwise {
            let pixels = unfolding.pixels
            return product(
                dy.reshaped([pixels, outputs]), x.reshaped([pixels, x.shape[3]]), transposeA: true, transposeB: false, bias: nil
            ).reshaped(filter)
        }
        if unfolding.isDepthwise { return depthwiseFilterGradient(dy, x, unfolding) }
        if let tile = unfolding.winogradTile(threads: threads) {
            let gradient = WinogradFilterGradient(dy, x, g, tile: tile, on: self)
            return Tensor(shape: filter, on: self) { gradient.write(into: $0) }
        }
        let d = ReadOnly(dy), p = ReadOnly(x), size = filter.count
        let packed = Tensor(shape: filter, on: self) { dw in
            // Every thread sums over its own pixels.
            let sums = Shared(allocate(threads * size))
            sums.base.update(repeating: 0, count: threads * size)
            parallel(unfolding.pixels, grain: 64) { part, range in
                let tile = allocate(unfolding.tile * unfolding.depth)
                for group in 0..<g.groups {
                    let first = group * unfolding.outputsPerGroup
                    forEachTile(of: range, unfolding.tile) { pixels in
                        unfolding.unfold(pixels, group, p.base, into: tile)
                        gemm(
                            true, false, unfolding.outputsPerGroup, unfolding.depth, pixels.count,
                            d.base + pixels.lowerBound * outputs + first, outputs, tile, unfolding.depth,
                            sums.base + part * size + first * unfolding.depth, unfolding.depth, beta: 1)
                    }
                }
                deallocate(tile, unfolding.tile * unfolding.depth)
            }
            dw.update(from: sums.base, count: size)
            for part in 1..<max(threads, 1) { for i in 0..<size { dw[i] += sums.base[part * size + i] } }
            deallocate(sums.base, threads * size)
        }
        return unfolding.unpacked(packed)
    }

    public func convolutionInputGradient(_ dy: Tensor, _ filter: Tensor, _ g: ConvolutionGeometry, input: Shape) -> Tensor {
        let unfolding = Unfolding(input, filter.shape, g), outputs = filter.shape[0]
        if unfolding.isPointwise {
            return product(
                dy.reshaped([unfolding.pixels, outputs]), filter.reshaped([outputs, input[3]]), transposeA: false,
                transposeB: false,
                bias: nil
            ).reshaped(input)
        }
        if unfolding.isDepthwise { return depthwiseInputGradient(dy, filter, unfolding) }
        if let adjoint = g.adjoint(filter.shape) {
            return convolution(dy, filter.detached.rotated(on: self), bias: nil, adjoint)
        }
        let packed = unfolding.packed(filter), w = ReadOnly(packed), d = ReadOnly(dy)
        let perImage = unfolding.output[1] * unfolding.output[2]
        return Tensor(shape: input, on: self) { dx in
            let dx = Shared(dx)
            // Neighbouring windows overlap, so a thread takes whole images.
            parallel(input[0]) { _, images in
                (dx.base + images.lowerBound * input.count / input[0]).update(
                    repeating: 0, count: images.count * input.count / input[0])
                let tile = allocate(unfolding.tile * unfolding.depth)
                for group in 0..<g.groups {
                    let first = group * unfolding.outputsPerGroup
                    forEachTile(of: images.lowerBound * perImage..<images.upperBound * perImage, unfolding.tile) { pixels in
                        gemm(
                            false, false, pixels.count, unfolding.depth, unfolding.outputsPerGroup,
                            d.base + pixels.lowerBound * outputs + first, outputs, w.base + first * unfolding.depth,
                            unfolding.depth,
                            tile, unfolding.depth, beta: 0)
                        unfolding.fold(pixels, group, tile, addingTo: dx.base)
                    }
                }
                deallocate(tile, unfolding.tile * unfolding.depth)
            }
        }
    }
}

extension ConvolutionGeometry {
    /// How the rotated filter moves over a gradient to give the gradient of the input: known where the stride is 1.
    fileprivate func adjoint(_ filter: Shape) -> ConvolutionGeometry? {
        guard strideHeight == 1, strideWidth == 1, groups == 1 else { return nil }
        let (tall, wide) = ((filter[2] - 1) * dilationHeight, (filter[3] - 1) * dilationWidth)
        let padding = Padding(
            top: tall - self.padding.top, left: wide - self.padding.left, bottom: tall - self.padding.bottom,
            right: wide - self.padding.right)
        guard min(padding.top, padding.left, padding.bottom, padding.right) >= 0 else { return nil }
        return ConvolutionGeometry(padding: padding, dilation: (dilationHeight, dilationWidth))
    }
}

extension Tensor {
    /// A filter `[outputs, inputs, height, width]` turned by half a turn, as `[inputs, outputs, height, width]`.
    fileprivate func rotated(on backend: OpenBLAS) -> Tensor {
        let (outputs, inputs, taps) = (shape[0], shape[1], shape[2] * shape[3]), w = ReadOnly(self)
        return Tensor(shape: [inputs, outputs, shape[2], shape[3]], on: backend) { y in
            let y = Shared(y)
            backend.parallel(inputs, grain: max(1, (1 << 14) / max(outputs * taps, 1))) { _, range in
                for o in 0..<outputs {
                    for i in range {
                        let from = w.base + (o * inputs + i) * taps, to = y.base + (i * outputs + o) * taps
                        for t in 0..<taps { to[t] = from[taps - 1 - t] }
                    }
                }
            }
        }
    }
}

private func forEachTile(of range: Range<Int>, _ size: Int, _ body: (Range<Int>) -> Void) {
    var start = range.lowerBound
    while start < range.upperBound {
        let end = min(start + size, range.upperBound)
        body(start..<end)
        start = end
    }
}

/// How a convolution's windows become rows of a matrix: a row per output pixel, its scalars in the order
/// (kernel row, kernel column, channel), in which a channels-last picture holds them in runs.
struct Unfolding: Sendable {
    let input: Shape, filter: Shape, output: Shape
    let geometry: ConvolutionGeometry
    let channelsPerGroup: Int, outputsPerGroup: Int
    /// Scalars in a row.
    let depth: Int
    /// Rows of the whole batch.
    let pixels: Int
    /// Rows unfolded at a time: about 1 MB, half of a core's second-level cache or less.
    let tile: Int

    init(_ input: Shape, _ filter: Shape, _ geometry: ConvolutionGeometry) {
        self.input = input
        self.filter = filter
        self.geometry = geometry
        output = geometry.output(input: input, filter: filter)
        channelsPerGroup = filter[1]
        outputsPerGroup = filter[0] / geometry.groups
        depth = filter[1] * filter[2] * filter[3]
        pixels = output[0] * output[1] * output[2]
        tile = max(16, min(max(pixels, 1), (1 << 18) / max(depth, 1)))
    }

    var isPointwise: Bool {
        filter[2] == 1 && filter[3] == 1 && geometry.groups == 1 && geometry.strideHeight == 1 && geometry.strideWidth == 1
            && geometry.padding == Padding(0)
    }
    var isDepthwise: Bool { geometry.groups > 1 && filter[1] == 1 && filter[0] == geometry.groups }

    /// The tile of ``WinogradFilterGradient`` that a simple model of the machine expects to be fastest; nil where nothing is
    /// gained, or where it does not fit.
    func winogradTile(threads: Int) -> Int? {
        guard WinogradConvolution.fits(filter, geometry) else { return nil }
        let (outputs, channels) = (Double(filter[0]), Double(filter[1]))
        // Nanoseconds of one thread: multiply-adds at half their peak, scalars to and from the last-level cache.
        func cost(products: Double, moved: Double) -> Double { products / 50 + moved / 4 }
        func winograd(_ m: Int) -> Double {
            let tiles = Double(output[0] * ((output[1] + m - 1) / m) * ((output[2] + m - 1) / m)),
                points = Double((m + 2) * (m + 2))
            return cost(
                products: tiles * points * channels * outputs,
                moved: points * (2 * tiles * (channels + outputs) + 2 * channels * outputs))
        }
        let direct = cost(products: Double(pixels * depth) * outputs, moved: Double(pixels * depth))
        return [4, 2].filter { winograd($0) < direct }.min { winograd($0) < winograd($1) }
    }

    /// `[outputs, channels, kh, kw]` → `[outputs, kh, kw, channels]`, the order of the rows.
    func packed(_ filter: Tensor) -> Tensor { filter.detached.permuted([0, 2, 3, 1]) }

    /// The inverse of ``packed(_:)`` for a gradient that has the filter's count.
    func unpacked(_ packed: Tensor) -> Tensor {
        packed.reshaped([filter[0], filter[2], filter[3], filter[1]]).permuted([0, 3, 1, 2])
    }

    func unfold(_ pixels: Range<Int>, _ group: Int, _ x: UnsafePointer<Float>, into tile: UnsafeMutablePointer<Float>) {
        var row = tile
        forEachRun(pixels, group) { at, count, inside in
            if inside {
                row.update(from: x + at, count: count)
            } else {
                row.update(repeating: 0, count: count)
            }
            row += count
        }
    }

    func fold(_ pixels: Range<Int>, _ group: Int, _ tile: UnsafePointer<Float>, addingTo x: UnsafeMutablePointer<Float>) {
        var row = tile
        forEachRun(pixels, group) { at, count, inside in
            if inside {
                let to = x + at
                for i in 0..<count { to[i] += row[i] }
            }
            row += count
        }
    }

    /// The scalars under every window in the order of the rows, as runs that are contiguous in the picture (`inside`,
    /// from `at`) or in its padding.
    @inline(__always)
    private func forEachRun(_ pixels: Range<Int>, _ group: Int, _ body: (_ at: Int, _ count: Int, _ inside: Bool) -> Void) {
        let (height, width, channels) = (input[1], input[2], input[3])
        let (rows, columns) = (filter[2], filter[3]), first = group * channelsPerGroup
        let (outputHeight, outputWidth) = (output[1], output[2])
        // Neighbouring pixels of a line are one run if all their channels are wanted.
        let joins = geometry.dilationWidth == 1 && geometry.groups == 1
        var ox = pixels.lowerBound % outputWidth, line = pixels.lowerBound / outputWidth
        for _ in pixels {
            let top = line % outputHeight * geometry.strideHeight - geometry.padding.top, image = line / outputHeight
            let left = ox * geometry.strideWidth - geometry.padding.left
            // The columns of the filter that lie in the picture, if they are neighbours.
            let start = min(columns, max(0, -left)), end = max(start, min(columns, width - left))
            for ky in 0..<rows {
                let iy = top + ky * geometry.dilationHeight
                let at = ((image * height + iy) * width + left) * channels + first
                if iy < 0 || iy >= height {
                    body(0, columns * channelsPerGroup, false)
                } else if joins {
                    if start > 0 { body(0, start * channels, false) }
                    if end > start { body(at + start * channels, (end - start) * channels, true) }
                    if end < columns { body(0, (columns - end) * channels, false) }
                } else {
                    for kx in 0..<columns {
                        let ix = left + kx * geometry.dilationWidth
                        body(at + kx * geometry.dilationWidth * channels, channelsPerGroup, ix >= 0 && ix < width)
                    }
                }
            }
            ox += 1
            if ox == outputWidth { (ox, line) = (0, line + 1) }
        }
    }
}
