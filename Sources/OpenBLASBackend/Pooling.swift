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
        let images = x.shape[0], input = x.shape, output = y.shape, channels = input[3]
        let (d, p, q) = (ReadOnly(dy), ReadOnly(x), ReadOnly(y))
        let isMaximum = if case .maximum = geometry.kind { true } else { false }
        // Windows of one image may overlap, its channels are independent.
        let slabs = images >= 2 * threads ? 1 : max(1, min(threads, channels / Lanes.width))
        return Tensor(shape: input, on: self) { dx in
            let dx = Shared(dx), inputs = input[1] * input[2]
            forEachTask(images * slabs) { task in
                let image = task / slabs, blocks = part(task % slabs, of: slabs, channels / Lanes.width)
                let first = blocks.lowerBound * Lanes.width
                // The channels that fill no register go with the last slab.
                let end = task % slabs == slabs - 1 ? channels : blocks.upperBound * Lanes.width
                let to = dx.base + image * inputs * channels, from = p.base + image * inputs * channels
                if slabs == 1 {
                    to.update(repeating: 0, count: inputs * channels)
                } else {
                    for pixel in 0..<inputs { (to + pixel * channels + first).update(repeating: 0, count: end - first) }
                }
                for oy in 0..<output[1] {
                    for ox in 0..<output[2] {
                        let window = PoolingWindow(oy, ox, geometry, height: input[1], width: input[2])
                        let at = ((image * output[1] + oy) * output[2] + ox) * channels
                        if isMaximum {
                            maximumGradient(
                                window, d.base + at, from, q.base + at, input[2], channels, first..<end, addingTo: to)
                        } else {
                            averageGradient(window, d.base + at, input[2], channels, first..<end, addingTo: to)
                        }
                    }
                }
            }
        }
    }
}

/// A maximum that is reached more than once gives its gradient to the first.
@inline(__always)
private func maximumGradient(
    _ window: PoolingWindow, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ width: Int,
    _ channels: Int, _ range: Range<Int>, addingTo dx: UnsafeMutablePointer<Float>
) {
    var c = range.lowerBound
    while c + Lanes.width <= range.upperBound {
        var waiting = Lanes(dy + c)
        let most = Lanes(y + c)
        for iy in window.rows {
            for ix in window.columns {
                let at = (iy * width + ix) * channels + c
                let taken = waiting.kept(where: Lanes(x + at), equals: most)
                (Lanes(dx + at) + taken).store(to: dx + at)
                waiting -= taken
            }
        }
        c += Lanes.width
    }
    while c < range.upperBound {
        var waiting = dy[c]
        for iy in window.rows {
            for ix in window.columns {
                let at = (iy * width + ix) * channels + c
                let taken: Float = x[at] == y[c] ? waiting : 0
                dx[at] += taken
                waiting -= taken
            }
        }
        c += 1
    }
}

@inline(__always)
private func averageGradient(
    _ window: PoolingWindow, _ dy: UnsafePointer<Float>, _ width: Int, _ channels: Int, _ range: Range<Int>,
    addingTo dx: UnsafeMutablePointer<Float>
) {
    let factor = 1 / Float(window.area)
    var c = range.lowerBound
    while c + Lanes.width <= range.upperBound {
        let part = Lanes(dy + c) * factor
        for iy in window.rows {
            for ix in window.columns {
                let at = (iy * width + ix) * channels + c
                (Lanes(dx + at) + part).store(to: dx + at)
            }
        }
        c += Lanes.width
    }
    while c < range.upperBound {
        for iy in window.rows { for ix in window.columns { dx[(iy * width + ix) * channels + c] += dy[c] * factor } }
        c += 1
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
