/// The order of an LSTM's gates along the `4·hidden` axis, named after input, forget, output and candidate.
public enum GateOrder: String, Sendable, Hashable, CaseIterable, Codable {
    /// NeuralTalk, NeuralTalk2, SAN, Caffe, torch-rnn.
    case ifog
    /// PyTorch, cuDNN, Keras.
    case ifgo
    /// TensorFlow (`i, j, f, o`).
    case igfo

    /// The block of each gate.
    package var blocks: (input: Int, forget: Int, output: Int, candidate: Int) {
        switch self {
        case .ifog: (0, 1, 2, 3)
        case .ifgo: (0, 1, 3, 2)
        case .igfo: (0, 2, 3, 1)
        }
    }
}

/// What differs between the LSTMs of the frameworks beyond the layout of their weights.
public struct LSTMConvention: Sendable, Hashable {
    public var order: GateOrder
    /// Added to the forget gate at run time (TensorFlow: 1), not stored in the bias.
    public var forgetBias: Float
    /// The gates' function: `max(0, min(1, 0.2 x + 0.5))` in Keras up to 2.2, the logistic function elsewhere.
    public var hardSigmoid: Bool
    /// `h = o · tanh c`; without it `h = o · c` (NeuralTalk, SAN).
    public var tanhOnCell: Bool
    public init(order: GateOrder, forgetBias: Float = 0, hardSigmoid: Bool = false, tanhOnCell: Bool = true) {
        (self.order, self.forgetBias, self.hardSigmoid, self.tanhOnCell) = (order, forgetBias, hardSigmoid, tanhOnCell)
    }
}

/// What differs between the GRUs of the frameworks.
public struct GRUConvention: Sendable, Hashable {
    public enum Order: String, Sendable, Hashable, CaseIterable, Codable {
        /// Reset, update, candidate: PyTorch, cuDNN, skip-thoughts, TensorFlow.
        case rzn
        /// Update, reset, candidate: Keras.
        case zrn
    }
    public var order: Order
    /// Whether the reset gate multiplies the recurrent product (PyTorch, cuDNN, skip-thoughts, DPPnet, Keras'
    /// `reset_after`) or the hidden state before it (Cho et al. 2014, TensorFlow, older Keras).
    public var resetsAfterProduct: Bool
    /// Whether the recurrent product has a bias of its own, which only matters with ``resetsAfterProduct``.
    public var recurrentBias: Bool

    public init(order: Order, resetsAfterProduct: Bool, recurrentBias: Bool = false) {
        (self.order, self.resetsAfterProduct, self.recurrentBias) = (order, resetsAfterProduct, recurrentBias)
    }

    /// The block of each gate.
    package var blocks: (reset: Int, update: Int, candidate: Int) { order == .rzn ? (0, 1, 2) : (1, 0, 2) }
}
