import NeuralNetworks
import Tensors

/// Two learning rules side by side: one for the backbone, another for everything else, as in DenseCap's paper (§4: stochastic
/// gradient descent with momentum for the CNN, Adam for the rest).
struct BackboneOptimizer: Optimizer {
    private var backbone: any Optimizer
    private var rest: any Optimizer
    /// The backbone's learning rate in parts of the other.
    private let ratio: Float

    init(_ backbone: any Optimizer, rest: any Optimizer, ratio: Float) {
        (self.backbone, self.rest, self.ratio) = (backbone, rest, ratio)
    }

    /// Of the rest.
    var learningRate: Float {
        get { rest.learningRate }
        set {
            rest.learningRate = newValue
            backbone.learningRate = newValue * ratio
        }
    }

    var steps: Int {
        get { rest.steps }
        set { rest.steps = newValue }
    }

    var slots: [String: [String: Tensor]] {
        get {
            var slots = rest.slots
            for (name, slot) in backbone.slots { slots[Self.prefix + name] = slot }
            // It begins later than the rest. Whole numbers are exact up to 2²⁴, more steps than any training takes.
            if backbone.steps > 0, let backend = slots.values.first?.values.first?.backend {
                slots[Self.count] = ["steps": Tensor([Float(backbone.steps)], [1], on: backend)]
            }
            return slots
        }
        set {
            rest.slots = newValue.filter { !$0.key.hasPrefix(Self.prefix) }
            backbone.slots = [:]
            for (name, slot) in newValue where name.hasPrefix(Self.prefix) && name != Self.count {
                backbone.slots[String(name.dropFirst(Self.prefix.count))] = slot
            }
            backbone.steps = newValue[Self.count]?["steps"].map { Int($0.scalars[0]) } ?? 0
        }
    }

    private static let prefix = "backbone-"
    private static let count = prefix + "count"

    mutating func step(_ updates: [(parameter: Parameter, gradient: Tensor)]) {
        let own = updates.filter { $0.parameter.isOfBackbone }
        if !own.isEmpty { backbone.step(own) }
        rest.step(updates.filter { !$0.parameter.isOfBackbone })
    }
}
