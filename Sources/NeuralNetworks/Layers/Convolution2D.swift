public import Tensors

/// A convolution over feature maps `[n, h, w, c]`, with the normalisation and the activation that follow it.
///
/// For inference the normalisation is folded into the filter when the layer is made, and the backend prepares the result;
/// a checkpoint that was folded before (`weight` and `bias`, no `normalization.*`) is accepted as it is.
public struct Convolution2D: Sendable {
    public struct Configuration: Sendable, Hashable {
        public var inputs: Int, outputs: Int
        public var kernel: (Int, Int) { (kernelHeight, kernelWidth) }
        public var kernelHeight: Int, kernelWidth: Int
        public var groups: Int
        public var bias: Bool
        public var normalization: NormalizationSpec?
        public var activation: Activation?
        /// What the backend computes it with, where it can; `nil`: what it expects to be fastest.
        public var algorithm: ConvolutionAlgorithm?

        public init(
            inputs: Int, outputs: Int, kernel: (Int, Int), groups: Int = 1, bias: Bool = true,
            normalization: NormalizationSpec? = nil, activation: Activation? = nil, algorithm: ConvolutionAlgorithm? = nil
        ) {
            (self.inputs, self.outputs, self.groups, self.bias) = (inputs, outputs, groups, bias)
            (kernelHeight, kernelWidth) = kernel
            self.normalization = normalization
            self.activation = activation
            self.algorithm = algorithm
        }
    }

    private enum Weights: Sendable {
        case plain(filter: Parameter, bias: Parameter?)
        case normalized(filter: Parameter, bias: Parameter?, BatchNormalization)
        case prepared(any PreparedConvolution)
    }

    private let weights: Weights
    private let activation: Activation?

    /// - Parameters:
    ///   - geometry: how the filter will move.
    ///   - input: the shape feature maps will mostly have.
    public init(
        _ configuration: Configuration, _ geometry: ConvolutionGeometry, input: Shape, in scope: ParameterScope
    ) throws {
        let c = configuration, isInference = scope.store.purpose == .inference
        activation = c.activation
        let shape: Shape = [c.outputs, c.inputs / c.groups, c.kernelHeight, c.kernelWidth]
        let filter = try scope.packedParameter("weight", shape, .he)
        func prepared(_ weights: PackableWeights) throws -> Weights {
            .prepared(
                try scope.backend.prepareConvolution(
                    weights, activation: c.activation?.function, geometry, input: input, algorithm: c.algorithm))
        }
        guard let normalization = c.normalization, !Self.isFolded(scope) else {
            let hasBias = c.bias || c.normalization != nil
            let bias = hasBias ? try scope.parameter("bias", [c.outputs], .constant(0)) : nil
            weights = isInference ? try prepared(scope.packable(filter, bias: bias)) : .plain(filter: filter, bias: bias)
            return
        }
        let bias = c.bias ? try scope.parameter("bias", [c.outputs], .constant(0)) : nil
        let layer = try BatchNormalization(
            c.outputs, epsilon: normalization.epsilon, scale: normalization.scale, in: scope["normalization"])
        if isInference {
            weights = try prepared(
                scope.packable(filter) {
                    let (factor, offset) = layer.line
                    return (
                        try filter.read() * factor.reshaped([c.outputs, 1, 1, 1]),
                        bias.map { $0.value * factor + offset } ?? offset
                    )
                })
        } else {
            weights = .normalized(filter: filter, bias: bias, layer)
        }
    }

    private static func isFolded(_ scope: ParameterScope) -> Bool {
        !scope["normalization"].contains("shift") && scope.contains("bias")
    }

    /// - Parameter residual: added before the activation.
    public func callAsFunction(_ x: Tensor, _ geometry: ConvolutionGeometry, residual: Tensor? = nil) -> Tensor {
        var y: Tensor
        switch weights {
        case .plain(let filter, let bias): y = convolution(x, filter.value, bias: bias?.value, geometry)
        case .normalized(let filter, let bias, let normalize):
            y = normalize(convolution(x, filter.value, bias: bias?.value, geometry))
        case .prepared(let convolution): return convolution(x, geometry, residual: residual)
        }
        if let residual { y = y + residual }
        return activation.map { $0(y) } ?? y
    }

    /// Writes the result into the channels of a larger feature map. For inference only.
    func write(_ x: Tensor, _ geometry: ConvolutionGeometry, into slice: ChannelSlice) {
        if case .prepared(let convolution) = weights { return convolution.write(x, geometry, residual: nil, into: slice) }
        slice.write(self(x, geometry))
    }

    /// What the backend computes it with.
    var algorithm: String? { if case .prepared(let convolution) = weights { convolution.algorithm } else { nil } }
}

/// The batch normalisation of a convolution, as a card states it.
public struct NormalizationSpec: Sendable, Hashable, Decodable {
    public var epsilon: Float
    /// Whether there is a γ.
    public var scale: Bool

    public init(epsilon: Float, scale: Bool = true) {
        self.epsilon = epsilon
        self.scale = scale
    }

    private enum CodingKeys: CodingKey { case epsilon, scale }
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        epsilon = try values.decode(Float.self, forKey: .epsilon)
        guard epsilon >= 0 else {
            throw DecodingError.dataCorruptedError(forKey: .epsilon, in: values, debugDescription: "ε must not be negative")
        }
        scale = try values.decodeIfPresent(Bool.self, forKey: .scale) ?? true
    }
}

/// A function applied to every scalar of a layer's result.
public enum Activation: String, Sendable, Hashable, CaseIterable, Decodable {
    case relu, relu6, tanh, sigmoid

    var function: UnaryFunction {
        switch self {
        case .relu: .relu
        case .relu6: .relu6
        case .tanh: .tanh
        case .sigmoid: .sigmoid
        }
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: Tensors.relu(x)
        case .relu6: Tensors.relu6(x)
        case .tanh: Tensors.tanh(x)
        case .sigmoid: Tensors.sigmoid(x)
        }
    }
}
