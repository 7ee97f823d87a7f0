extension Backend {
    public func convolution(_ x: Tensor, _ filter: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor {
        let shape = geometry.output(input: x.shape, filter: filter.shape), p = x.pointer, w = filter.pointer
        return Tensor(shape: shape, on: self) { y in
            let outputs = shape[3]
            for i in 0..<shape.count { y[i] = bias.map { $0.pointer[i % outputs] } ?? 0 }
            forEachTap(input: x.shape, filter: filter.shape, output: shape, geometry) { out, input, tap in
                y[out] += p[input] * w[tap]
            }
        }
    }

    public func convolutionInputGradient(_ dy: Tensor, _ filter: Tensor, _ geometry: ConvolutionGeometry, input: Shape) -> Tensor
    {
        let d = dy.pointer, w = filter.pointer
        return Tensor(shape: input, on: self) { dx in
            dx.update(repeating: 0, count: input.count)
            forEachTap(input: input, filter: filter.shape, output: dy.shape, geometry) { out, input, tap in
                dx[input] += d[out] * w[tap]
            }
        }
    }

    public func convolutionFilterGradient(_ dy: Tensor, _ x: Tensor, _ geometry: ConvolutionGeometry, filter: Shape) -> Tensor {
        let d = dy.pointer, p = x.pointer
        return Tensor(shape: filter, on: self) { dw in
            dw.update(repeating: 0, count: filter.count)
            forEachTap(input: x.shape, filter: filter, output: dy.shape, geometry) { out, input, tap in
                dw[tap] += d[out] * p[input]
            }
        }
    }
}

/// Every (output, input, filter) triple of scalars that meet in a convolution: its definition.
@inline(__always)
private func forEachTap(
    input: Shape, filter: Shape, output: Shape, _ g: ConvolutionGeometry, _ body: (_ out: Int, _ input: Int, _ tap: Int) -> Void
) {
    let (height, width, channels) = (input[1], input[2], input[3])
    let (outputs, perGroup, kernelHeight, kernelWidth) = (filter[0], filter[1], filter[2], filter[3])
    let outputsPerGroup = outputs / g.groups
    for n in 0..<output[0] {
        for oy in 0..<output[1] {
            for ox in 0..<output[2] {
                for ky in 0..<kernelHeight {
                    let iy = oy * g.strideHeight + ky * g.dilationHeight - g.padding.top
                    guard iy >= 0, iy < height else { continue }
                    for kx in 0..<kernelWidth {
                        let ix = ox * g.strideWidth + kx * g.dilationWidth - g.padding.left
                        guard ix >= 0, ix < width else { continue }
                        let pixel = ((n * height + iy) * width + ix) * channels
                        let out = ((n * output[1] + oy) * output[2] + ox) * outputs
                        for o in 0..<outputs {
                            let group = o / outputsPerGroup
                            for c in 0..<perGroup {
                                body(
                                    out + o, pixel + group * perGroup + c,
                                    ((o * perGroup + c) * kernelHeight + ky) * kernelWidth + kx)
                            }
                        }
                    }
                }
            }
        }
    }
}
