public import Tensors

extension OpenBLAS {
    public func prepareConvolution(
        _ weights: PackableWeights, activation: UnaryFunction?, _ geometry: ConvolutionGeometry, input: Shape,
        algorithm: ConvolutionAlgorithm?
    ) throws -> any PreparedConvolution {
        let range: (low: Float, high: Float)
        switch activation {
        case nil: range = (-.infinity, .infinity)
        case .relu: range = (0, .infinity)
        case .relu6: range = (0, 6)
        case .some(let f):
            let linear = try prepareConvolution(weights, activation: nil, geometry, input: input, algorithm: algorithm)
            return Activated(convolution: linear, f: f, backend: self)
        }
        let filter = weights.shape, outputs = filter[0], channels = filter[1]
        if geometry.groups > 1, channels == 1, outputs == geometry.groups {
            return try DepthwiseConvolution(weights, range: range, geometry, on: self)
        }
        switch algorithm ?? fastest(filter, geometry, input) {
        case .winograd4 where WinogradConvolution.fits(filter, geometry):
            return try WinogradConvolution(weights, range: range, tile: 4, on: self)
        case .winograd2 where WinogradConvolution.fits(filter, geometry):
            return try WinogradConvolution(weights, range: range, tile: 2, on: self)
        default: return try PackedConvolution(weights, range: range, geometry, on: self)
        }
    }

    /// What a simple model of the machine says is fastest: it is the same on every run, which a timing would not be.
    private func fastest(_ filter: Shape, _ g: ConvolutionGeometry, _ input: Shape) -> ConvolutionAlgorithm {
        guard WinogradConvolution.fits(filter, g), input.rank == 4 else { return .matrixProduct }
        let output = g.output(input: input, filter: filter)
        return ConvolutionAlgorithm.allCases.min { cost($0, filter, output) < cost($1, filter, output) }!
    }

    /// About how many nanoseconds a convolution takes.
    private func cost(_ algorithm: ConvolutionAlgorithm, _ filter: Shape, _ output: Shape) -> Double {
        let (outputs, channels) = (Double(filter[0]), Double(filter[1])), images = Double(output[0])
        // Multiplications and weights per nanosecond: half a fused multiply-add peak, and weights from memory.
        let speed = 50.0 * Double(threads), bandwidth = 4.0 * Double(min(threads, 2))
        func winograd(_ m: Int) -> Double {
            let tiles = images * Double(((output[1] + m - 1) / m) * ((output[2] + m - 1) / m)), points = Double((m + 2) * (m + 2))
            let moved = tiles * points * (2 * channels + 2 * outputs)
            return tiles * points * channels * outputs / speed + points * channels * outputs / bandwidth + moved
                / (8 * Double(threads))
        }
        switch algorithm {
        case .matrixProduct:
            let pixels = images * Double(output[1] * output[2])
            return pixels * 9 * channels * outputs / speed + 9 * channels * outputs / bandwidth
        case .winograd2: return winograd(2)
        case .winograd4: return winograd(4)
        }
    }
}

/// A convolution followed by a function that is no mere limit.
private struct Activated: PreparedConvolution {
    let convolution: any PreparedConvolution
    let f: UnaryFunction
    let backend: OpenBLAS
    var algorithm: String { convolution.algorithm }
    var filterShape: Shape { convolution.filterShape }

    func write(_ x: Tensor, _ geometry: ConvolutionGeometry, residual: Tensor?, into slice: ChannelSlice) {
        slice.write(backend.map(f, convolution(x, geometry, residual: residual)))
    }
}
