public import Tensors

/// One layer of a backbone as a card states it: a series–parallel list of these is a whole CNN.
public indirect enum LayerSpec: Sendable, Hashable {
    case convolution(ConvolutionSpec)
    case linear(LinearSpec)
    case activation(Activation)
    case softmax
    case dropout(rate: Float)
    case pool(PoolingSpec)
    /// The mean over all pixels, `[n, h, w, c] → [n, c]`.
    case globalAveragePool
    case flatten(FlattenOrder)
    case batchNormalization(NormalizationSpec)
    case localResponseNormalization(LocalResponseSpec)
    /// `activation(main(x) + shortcut(x))`; an empty shortcut is the identity (He et al. 2016).
    case residual(main: [NamedLayer], shortcut: [NamedLayer], activation: Activation?)
    /// Branches side by side, joined along the channels (Szegedy et al. 2015).
    case concatenate([[NamedLayer]])
}

/// A layer with the name that its parameters and taps are addressed by.
public struct NamedLayer: Sendable, Hashable {
    public var name: String?
    public var layer: LayerSpec
    public init(_ name: String? = nil, _ layer: LayerSpec) {
        self.name = name
        self.layer = layer
    }
}

public struct ConvolutionSpec: Sendable, Hashable {
    /// `nil` for a depthwise convolution: as many as there are inputs.
    public var outputs: Int?
    public var kernel: Extent
    public var stride: Extent
    public var padding: PaddingSpec
    public var dilation: Extent
    /// `nil` for a depthwise convolution: as many as there are inputs.
    public var groups: Int?
    public var bias: Bool
    public var normalization: NormalizationSpec?
    public var activation: Activation?
    /// What the backend is to compute it with, where it can; `nil`: what it expects to be fastest.
    public var algorithm: ConvolutionAlgorithm?
}

public struct LinearSpec: Sendable, Hashable {
    public var outputs: Int
    public var bias: Bool
    public var activation: Activation?
}

public struct PoolingSpec: Sendable, Hashable {
    public var kind: PoolingGeometry.Kind
    public var size: Extent
    public var stride: Extent
    public var padding: PaddingSpec
    public var roundsUp: Bool
}

public struct LocalResponseSpec: Sendable, Hashable {
    public var size: Int
    public var alpha: Float
    public var beta: Float
    public var k: Float
    /// Caffe, Torch and PyTorch divide α by the window's size; TensorFlow does not.
    public var dividesAlpha: Bool

    var window: LocalResponseWindow {
        LocalResponseWindow(size: size, alpha: dividesAlpha ? alpha / Float(size) : alpha, beta: beta, k: k)
    }
}

/// In which order the scalars of a feature map become a vector.
public enum FlattenOrder: String, Sendable, Hashable, CaseIterable, Decodable {
    /// Channels outermost: Caffe, Torch, PyTorch.
    case channelsFirst = "CHW"
    /// Channels innermost: TensorFlow, Keras.
    case channelsLast = "HWC"
}

/// A height and a width.
public struct Extent: Sendable, Hashable {
    public var height: Int, width: Int
    public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
    var pair: (Int, Int) { (height, width) }
}

public enum PaddingSpec: Sendable, Hashable {
    case fixed(Padding)
    /// See ``Tensors/Padding/same(height:width:kernel:stride:dilation:)``.
    case same

    func padding(_ input: Shape, kernel: Extent, stride: Extent, dilation: Extent = Extent(1, 1)) -> Padding {
        switch self {
        case .fixed(let padding): padding
        case .same:
            .same(height: input[1], width: input[2], kernel: kernel.pair, stride: stride.pair, dilation: dilation.pair)
        }
    }
}
