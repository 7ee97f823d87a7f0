public import Tensors

/// `y = (x - mean) / √(variance + ε) · scale + shift` for every channel, by the statistics of the batch while training
/// and by their running averages afterwards (Ioffe & Szegedy 2015).
public struct BatchNormalization: Sendable {
    /// γ; absent where a framework leaves it out because a linear layer follows (slim's `scale=False`).
    public let scale: Parameter?
    /// β.
    public let shift: Parameter
    public let mean: Parameter
    public let variance: Parameter
    public let epsilon: Float
    /// How much of the running average one batch replaces.
    public let momentum: Float
    private let mode: SharedMode

    /// - Parameter initializer: of the scale.
    public init(
        _ channels: Int, epsilon: Float, scale: Bool = true, initializer: Initializer = .constant(1), momentum: Float = 0.1,
        in scope: ParameterScope
    ) throws {
        self.scale = scale ? try scope.parameter("scale", [channels], initializer) : nil
        shift = try scope.parameter("shift", [channels], .constant(0))
        mean = try scope.statistic("mean", [channels], .constant(0))
        variance = try scope.statistic("variance", [channels], .constant(1))
        self.epsilon = epsilon
        self.momentum = momentum
        mode = scope.mode
    }

    /// Any shape whose last axis is the channels.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        // Without trained parameters below or here there is nothing to learn from the batch: a frozen layer stays as it is.
        guard case .training = mode.value, shift.value.isTracked else {
            let (factor, offset) = line
            return x * factor + offset
        }
        let (y, batchMean, batchVariance) = batchNormalization(
            x, scale: scale?.value ?? Tensor(repeating: 1, shift.value.shape, on: x.backend), shift: shift.value,
            epsilon: epsilon)
        let samples = Float(x.shape.count / x.shape[-1])
        mean.value = mean.value * (1 - momentum) + batchMean * momentum
        variance.value = variance.value * (1 - momentum) + batchVariance * (momentum * samples / max(samples - 1, 1))
        return y
    }

    /// The layer as `y = x · factor + offset`, both `[channels]`.
    var line: (factor: Tensor, offset: Tensor) {
        let inverse = 1 / sqrt(variance.value + epsilon)
        let factor = scale.map { inverse * $0.value } ?? inverse
        return (factor, shift.value - mean.value * factor)
    }
}
