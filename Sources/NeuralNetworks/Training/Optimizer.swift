public import Tensors
import Foundation

/// A rule by which gradients move parameters. State is a value with named tensors, so that training can be resumed.
public protocol Optimizer: Sendable {
    /// The learning rate of the next step; a schedule changes it.
    var learningRate: Float { get set }
    /// What the rule remembers of past gradients: slot name → parameter name → tensor.
    var slots: [String: [String: Tensor]] { get set }
    /// Steps taken so far.
    var steps: Int { get set }
    /// Moves every parameter that has a gradient.
    mutating func step(_ updates: [(parameter: Parameter, gradient: Tensor)])
}

extension Optimizer {
    /// The remembered tensor of a parameter, zeros at first.
    fileprivate func slot(_ name: String, _ parameter: Parameter) -> Tensor {
        slots[name]?[parameter.name] ?? .zeros(parameter.value.shape, on: parameter.value.backend)
    }
    fileprivate mutating func set(_ name: String, _ parameter: Parameter, _ value: Tensor) {
        slots[name, default: [:]][parameter.name] = value
    }
}

/// `w ← w - η v`, `v ← μ v + g`: stochastic gradient descent, with momentum if μ > 0.
public struct SGD: Optimizer {
    public var learningRate: Float
    public var momentum: Float
    public var slots: [String: [String: Tensor]] = [:]
    public var steps = 0

    public init(learningRate: Float, momentum: Float = 0) { (self.learningRate, self.momentum) = (learningRate, momentum) }

    public mutating func step(_ updates: [(parameter: Parameter, gradient: Tensor)]) {
        steps += 1
        for (parameter, gradient) in updates {
            let w = parameter.value.detached, (rate, momentum) = (learningRate, momentum)
            guard momentum > 0 else {
                parameter.value = (w - gradient * rate).tracked
                continue
            }
            let v = slot("momentum", parameter), n = w.shape.count
            // One pass over the parameters instead of one per operation, as in Adam.
            nonisolated(unsafe) let (p, g, old) = (v.pointer, gradient.pointer, w.pointer)
            var newVelocity: Tensor?
            let moved = Tensor(shape: w.shape, on: w.backend) { memory in
                nonisolated(unsafe) let moved = memory
                newVelocity = Tensor(shape: w.shape, on: w.backend) { memory in
                    nonisolated(unsafe) let velocity = memory
                    w.backend.forEachPart(of: n) { range in
                        for i in range {
                            let a = momentum * p[i] + g[i]
                            velocity[i] = a
                            moved[i] = old[i] - rate * a
                        }
                    }
                }
            }
            withExtendedLifetime((v, gradient, w)) {}
            set("momentum", parameter, newVelocity!)
            parameter.value = moved.tracked
        }
    }
}

/// `w ← w - η g / √(s + ε)`, `s ← ρ s + (1 - ρ) g²` (Hinton's lecture 6e; ε inside the root as in NeuralTalk).
public struct RMSProp: Optimizer {
    public var learningRate: Float
    public var decay: Float, epsilon: Float
    public var slots: [String: [String: Tensor]] = [:]
    public var steps = 0

    public init(learningRate: Float, decay: Float = 0.999, epsilon: Float = 1e-8) {
        (self.learningRate, self.decay, self.epsilon) = (learningRate, decay, epsilon)
    }

    public mutating func step(_ updates: [(parameter: Parameter, gradient: Tensor)]) {
        steps += 1
        for (parameter, gradient) in updates {
            let s = slot("square", parameter) * decay + gradient.squared * (1 - decay)
            set("square", parameter, s)
            parameter.value = (parameter.value.detached - gradient / sqrt(s + epsilon) * learningRate).tracked
        }
    }
}

/// Adam (Kingma & Ba 2015, algorithm 1 with the efficient order at the end of §2: ε is added to √v before the bias
/// correction, as in NeuralTalk2).
///
///     m ← β₁ m + (1 - β₁) g      v ← β₂ v + (1 - β₂) g²
///     w ← w - η √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε)
public struct Adam: Optimizer {
    public var learningRate: Float
    public var beta1: Float, beta2: Float, epsilon: Float
    /// Decoupled weight decay (Loshchilov & Hutter 2019): `w ← w - η λ w` beside the step. Vectors (biases) are spared.
    public var weightDecay: Float
    public var slots: [String: [String: Tensor]] = [:]
    public var steps = 0

    public init(learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0) {
        (self.learningRate, self.beta1, self.beta2, self.epsilon) = (learningRate, beta1, beta2, epsilon)
        self.weightDecay = weightDecay
    }

    public mutating func step(_ updates: [(parameter: Parameter, gradient: Tensor)]) {
        steps += 1
        let t = Float(steps), rate = learningRate * (1 - pow(beta2, t)).squareRoot() / (1 - pow(beta1, t))
        for (parameter, gradient) in updates {
            let (m, v) = (slot("mean", parameter), slot("square", parameter)), w = parameter.value.detached
            let decay = w.shape.rank > 1 ? 1 - learningRate * weightDecay : 1, n = w.shape.count
            // One pass over the parameters instead of one per operation: a step is bound by memory. The threads read and write
            // disjoint parts.
            nonisolated(unsafe) let (p, q, g, old) = (m.pointer, v.pointer, gradient.pointer, w.pointer)
            let (b1, b2, e) = (beta1, beta2, epsilon)
            var newMean: Tensor?, newSquare: Tensor?
            let moved = Tensor(shape: w.shape, on: w.backend) { memory in
                nonisolated(unsafe) let moved = memory
                newMean = Tensor(shape: w.shape, on: w.backend) { memory in
                    nonisolated(unsafe) let mean = memory
                    newSquare = Tensor(shape: w.shape, on: w.backend) { memory in
                        nonisolated(unsafe) let square = memory
                        w.backend.forEachPart(of: n) { range in
                            for i in range {
                                let a = b1 * p[i] + (1 - b1) * g[i]
                                let b = b2 * q[i] + (1 - b2) * g[i] * g[i]
                                mean[i] = a
                                square[i] = b
                                moved[i] = old[i] * decay - rate * a / (b.squareRoot() + e)
                            }
                        }
                    }
                }
            }
            withExtendedLifetime((m, v, gradient, w)) {}
            set("mean", parameter, newMean!)
            set("square", parameter, newSquare!)
            parameter.value = moved.tracked
        }
    }
}
