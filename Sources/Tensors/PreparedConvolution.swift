/// Channels of a feature map that is being written: where a branch of a concatenation puts its result.
///
/// `@unchecked` is true because the holders of slices of one map write to disjoint channels, and nobody reads the map
/// before all are done.
public struct ChannelSlice: @unchecked Sendable {
    /// The slice's first channel of the first pixel.
    package let base: UnsafeMutablePointer<Float>
    /// From pixel to pixel, in scalars: the channels of the whole map.
    package let stride: Int

    package init(base: UnsafeMutablePointer<Float>, stride: Int) { (self.base, self.stride) = (base, stride) }

    /// The slice that begins `channels` further.
    package func advanced(by channels: Int) -> ChannelSlice { ChannelSlice(base: base + channels, stride: stride) }

    /// Copies a whole feature map here.
    package func write(_ y: Tensor) {
        let channels = y.shape[-1], pixels = y.shape.count / max(channels, 1), p = y.pointer
        for i in 0..<pixels { (base + i * stride).update(from: p + i * channels, count: channels) }
    }
}

/// A convolution whose weights a backend has brought into its own order once, to be applied many times without history,
/// with what follows it: `f(convolution(x) + residual)`.
public protocol PreparedConvolution: Sendable {
    /// What computes it, for reports: `winograd 4×4`, `matrix product`, ….
    var algorithm: String { get }

    /// - Parameters:
    ///   - geometry: that of the preparation, except that the padding may follow the input's size.
    ///   - residual: of the result's shape.
    func write(_ x: Tensor, _ geometry: ConvolutionGeometry, residual: Tensor?, into slice: ChannelSlice)

    /// `[outputs, inputs / groups, height, width]`.
    var filterShape: Shape { get }
}

extension PreparedConvolution {
    /// The result as a tensor of its own.
    public func callAsFunction(_ x: Tensor, _ geometry: ConvolutionGeometry, residual: Tensor? = nil) -> Tensor {
        let output = geometry.output(input: x.shape, filter: filterShape)
        return Tensor(shape: output, on: x.backend) { y in
            write(x, geometry, residual: residual, into: ChannelSlice(base: y, stride: output[3]))
        }
    }
}

/// How a backend may compute a convolution. All but the first hold only for some geometries.
public enum ConvolutionAlgorithm: String, Sendable, Hashable, CaseIterable, Decodable {
    case matrixProduct = "matrix_product"
    /// Winograd's minimal filtering for 3×3, two by two or four by four outputs at a time (Lavin & Gray 2016).
    case winograd2 = "winograd_2x2", winograd4 = "winograd_4x4"
}

extension Backend {
    public func prepareConvolution(
        _ weights: PackableWeights, activation: UnaryFunction?, _ geometry: ConvolutionGeometry, input: Shape,
        algorithm: ConvolutionAlgorithm?
    ) throws -> any PreparedConvolution {
        let (filter, bias) = try weights.values()
        return PlainConvolution(filter: filter, bias: bias, activation: activation, backend: self)
    }
}

/// A convolution by the backend's ordinary kernels.
private struct PlainConvolution: PreparedConvolution {
    let filter: Tensor, bias: Tensor?, activation: UnaryFunction?
    let backend: any Backend
    var algorithm: String { backend.name }
    var filterShape: Shape { filter.shape }

    func write(_ x: Tensor, _ geometry: ConvolutionGeometry, residual: Tensor?, into slice: ChannelSlice) {
        var y = backend.convolution(x.detached, filter, bias: bias, geometry)
        if let residual { y = backend.combine(.add, y, residual.detached, to: y.shape) }
        slice.write(activation.map { backend.map($0, y) } ?? y)
    }
}
