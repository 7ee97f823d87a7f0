extension Backend {
    public func pool(_ x: Tensor, _ geometry: PoolingGeometry) -> Tensor {
        let shape = geometry.output(input: x.shape), channels = shape[3], p = x.pointer
        return Tensor(shape: shape, on: self) { y in
            for n in 0..<shape[0] {
                poolImage(p + n * x.shape.count / shape[0], y + n * shape.count / shape[0], geometry, x.shape, shape, channels)
            }
        }
    }

    public func poolGradient(_ dy: Tensor, _ x: Tensor, _ y: Tensor, _ geometry: PoolingGeometry) -> Tensor {
        let (d, p, q) = (dy.pointer, x.pointer, y.pointer)
        let images = x.shape[0], inputs = x.shape.count / images, outputs = y.shape.count / images
        return Tensor(shape: x.shape, on: self) { dx in
            for n in 0..<images {
                poolImageGradient(
                    d + n * outputs, p + n * inputs, q + n * outputs, dx + n * inputs, geometry, x.shape, y.shape)
            }
        }
    }
}

/// The pixels under one window of one image.
package struct PoolingWindow {
    package let rows: Range<Int>, columns: Range<Int>
    /// What an average divides by.
    package let area: Int

    package init(_ oy: Int, _ ox: Int, _ g: PoolingGeometry, height: Int, width: Int) {
        let top = oy * g.strideHeight - g.padding.top, left = ox * g.strideWidth - g.padding.left
        rows = max(top, 0)..<max(max(top, 0), min(top + g.height, height))
        columns = max(left, 0)..<max(max(left, 0), min(left + g.width, width))
        switch g.kind {
        case .average(countsPadding: true):
            // Caffe: the window is cut at the padded picture's edge before its area is taken.
            let bottom = min(top + g.height, height + g.padding.bottom), right = min(left + g.width, width + g.padding.right)
            area = (bottom - top) * (right - left)
        default: area = rows.count * columns.count
        }
    }
}

private func poolImage(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ g: PoolingGeometry, _ input: Shape, _ output: Shape,
    _ channels: Int
) {
    for oy in 0..<output[1] {
        for ox in 0..<output[2] {
            let window = PoolingWindow(oy, ox, g, height: input[1], width: input[2])
            let out = y + (oy * output[2] + ox) * channels
            if case .maximum = g.kind {
                out.update(repeating: -.infinity, count: channels)
                for iy in window.rows {
                    for ix in window.columns {
                        let from = x + (iy * input[2] + ix) * channels
                        for c in 0..<channels { out[c] = from[c] > out[c] ? from[c] : out[c] }
                    }
                }
            } else {
                out.update(repeating: 0, count: channels)
                for iy in window.rows {
                    for ix in window.columns {
                        let from = x + (iy * input[2] + ix) * channels
                        for c in 0..<channels { out[c] += from[c] }
                    }
                }
                let scale = 1 / Float(window.area)
                for c in 0..<channels { out[c] *= scale }
            }
        }
    }
}

/// The derivative of ``poolImage(_:_:_:_:_:_:)``; a maximum reached more than once gives its gradient to the first.
package func poolImageGradient(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    _ g: PoolingGeometry, _ input: Shape, _ output: Shape
) {
    let channels = input[3]
    dx.update(repeating: 0, count: input[1] * input[2] * channels)
    var pending = [Float](repeating: 0, count: channels)
    for oy in 0..<output[1] {
        for ox in 0..<output[2] {
            let window = PoolingWindow(oy, ox, g, height: input[1], width: input[2])
            let at = (oy * output[2] + ox) * channels
            if case .maximum = g.kind {
                for c in 0..<channels { pending[c] = dy[at + c] }
                for iy in window.rows {
                    for ix in window.columns {
                        let pixel = (iy * input[2] + ix) * channels
                        // Without branches, so that it can be vectorised.
                        for c in 0..<channels {
                            let waiting = pending[c], taken: Float = x[pixel + c] == y[at + c] ? waiting : 0
                            dx[pixel + c] += taken
                            pending[c] = waiting - taken
                        }
                    }
                }
            } else {
                let scale = 1 / Float(window.area)
                for iy in window.rows {
                    for ix in window.columns {
                        let pixel = (iy * input[2] + ix) * channels
                        for c in 0..<channels { dx[pixel + c] += scale * dy[at + c] }
                    }
                }
            }
        }
    }
}
