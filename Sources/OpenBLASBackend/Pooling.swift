public import Tensors

/// Pooling a line of outputs at a time, a register of channels across.
extension OpenBLAS {
    public func pool(_ x: Tensor, _ geometry: PoolingGeometry) -> Tensor {
        let output = geometry.output(input: x.shape), p = ReadOnly(x), channels = output[3], input = x.shape
        let isMaximum = if case .maximum = geometry.kind { true } else { false }
        return Tensor(shape: output, on: self) { y in
            let y = Shared(y)
            parallel(output[0] * output[1], grain: max(1, (1 << 12) / max(output[2] * channels, 1))) { _, lines in
                for line in lines {
                    let image = p.base + line / output[1] * input[1] * input[2] * channels
                    for ox in 0..<output[2] {
                        let window = PoolingWindow(line % output[1], ox, geometry, height: input[1], width: input[2])
                        let out = y.base + (line * output[2] + ox) * channels
                        if isMaximum {
                            maximum(window, image, input[2], channels, into: out)
                        } else {
                            average(window, image, input[2], channels, into: out)
                        }
                    }
                }
            }
        }
    }

    public func poolGradient(_ dy: Tensor, _ x: Tensor, _ y: Tensor, _ geometry: PoolingGeometry) -> Tensor {
        let images = max(x.shape[0], 1), inputs = x.shape.count / images, outputs = y.shape.count / images
        let (d, p, q) = (ReadOnly(dy), ReadOnly(x), ReadOnly(y))
        return Tensor(shape: x.shape, on: self) { dx in
            let dx = Shared(dx)
            parallel(x.shape[0]) { _, range in
                for n in range {
                    poolImageGradient(
                        d.base + n * outputs, p.base + n * inputs, q.base + n * outputs, dx.base + n * inputs, geometry, x.shape,
                        y.shape)
                }
            }
        }
    }
}

@inline(__always)
private func maximum(
    _ window: PoolingWindow, _ x: UnsafePointer<Float>, _ width: Int, _ channels: Int, into out: UnsafeMutablePointer<Float>
) {
    var c = 0
    while c + Lanes.width <= channels {
        var most = Lanes(repeating: -.infinity)
        for iy in window.rows {
            for ix in window.columns {
                let value = Lanes(x + (iy * width + ix) * channels + c)
                most = most.raised(to: value)
            }
        }
        most.store(to: out + c)
        c += Lanes.width
    }
    while c < channels {
        var most = -Float.infinity
        for iy in window.rows { for ix in window.columns { most = max(most, x[(iy * width + ix) * channels + c]) } }
        out[c] = most
        c += 1
    }
}

@inline(__always)
private func average(
    _ window: PoolingWindow, _ x: UnsafePointer<Float>, _ width: Int, _ channels: Int, into out: UnsafeMutablePointer<Float>
) {
    let factor = 1 / Float(window.area)
    var c = 0
    while c + Lanes.width <= channels {
        var sum = Lanes(repeating: 0)
        for iy in window.rows { for ix in window.columns { sum += Lanes(x + (iy * width + ix) * channels + c) } }
        (sum * factor).store(to: out + c)
        c += Lanes.width
    }
    while c < channels {
        var sum: Float = 0
        for iy in window.rows { for ix in window.columns { sum += x[(iy * width + ix) * channels + c] } }
        out[c] = sum * factor
        c += 1
    }
}
