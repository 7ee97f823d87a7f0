import NeuralNetworks
import Tensors

/// An upper bound of every number that follows from a list of layers, in floating point, where nothing overflows: a card
/// with absurd sizes is refused before they are multiplied exactly.
struct NetworkBound {
    /// Of scalars in feature maps and of multiply–adds, all layers together.
    private(set) var total = 0.0
    private var height: Double
    private var width: Double
    private var channels: Double

    /// Far beyond any network, and far from overflow.
    static let limit = 0x1p60

    init(_ layers: [NamedLayer], input: Shape) {
        (height, width, channels) = (Double(input[0]), Double(input[1]), Double(input[2]))
        follow(layers)
    }

    private mutating func follow(_ layers: [NamedLayer]) {
        for layer in layers { follow(layer.layer) }
    }

    private mutating func follow(_ layer: LayerSpec) {
        switch layer {
        case .convolution(let spec):
            grow(spec.padding)
            let outputs = spec.outputs.map(Double.init) ?? channels
            total += outputs * channels * Double(spec.kernel.height) * Double(spec.kernel.width) * height * width
            channels = outputs
        case .pool(let spec): grow(spec.padding)
        case .linear(let spec):
            total += height * width * channels * Double(spec.outputs)
            (height, width, channels) = (1, 1, Double(spec.outputs))
        case .residual(let main, let shortcut, _):
            let before = self
            follow(main)
            branch(from: before) { $0.follow(shortcut) }
        case .concatenate(let branches):
            let before = self
            var joined = 0.0
            for layers in branches {
                branch(from: before) { $0.follow(layers) }
                joined += channels
            }
            channels = joined
        case .activation, .softmax, .dropout, .globalAveragePool, .flatten, .batchNormalization, .localResponseNormalization:
            break
        }
        total += height * width * channels
    }

    /// Another way from an earlier place; the counts go on.
    private mutating func branch(from start: NetworkBound, _ body: (inout NetworkBound) -> Void) {
        let total = total
        self = start
        self.total = total
        body(&self)
    }

    private mutating func grow(_ padding: PaddingSpec) {
        guard case .fixed(let padding) = padding else { return }
        // One more than the padding, because pooling may round up.
        height += Double(padding.top + padding.bottom + 1)
        width += Double(padding.left + padding.right + 1)
    }
}
