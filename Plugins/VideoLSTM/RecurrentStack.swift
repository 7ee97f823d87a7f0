import NeuralNetworks
import Tensors

/// One to five LSTMs on top of each other, each perhaps with a second one that reads the video backwards.
struct RecurrentStack: Sendable {
    struct Spec: Decodable, Sendable {
        var hidden: Int
        var layers: Int
        var convention: LSTMConvention
        var isBidirectional: Bool
        /// Between layers.
        var dropout: Float

        private enum CodingKeys: String, CodingKey {
            case hidden, layers, dropout, lstm
            case isBidirectional = "bidirectional"
        }

        init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            hidden = try json.decodeSize(.hidden)
            layers = try json.decodeSizeIfPresent(.layers, upTo: 5) ?? 1
            convention = try json.decode(LSTMSpec.self, forKey: .lstm).convention
            isBidirectional = try json.decodeIfPresent(Bool.self, forKey: .isBidirectional) ?? false
            dropout = try json.decodeDropoutIfPresent(.dropout) ?? 0
        }
    }

    let width: Int
    let isBidirectional: Bool
    private let forward: [LSTM], backward: [LSTM]
    private let drop: Dropout

    init(_ spec: Spec, features: Int, in scope: ParameterScope) throws {
        width = spec.isBidirectional ? 2 * spec.hidden : spec.hidden
        isBidirectional = spec.isBidirectional
        let width = width
        func stack(_ name: String) throws -> [LSTM] {
            try (1...spec.layers).map { n in
                try LSTM(n == 1 ? features : width, spec.hidden, spec.convention, initializer: .glorot, in: scope["\(name)\(n)"])
            }
        }
        forward = try stack("layer")
        backward = spec.isBidirectional ? try stack("backward") : []
        drop = Dropout(spec.dropout, in: scope)
    }

    /// `[steps, rows, features] → [steps, rows, width]`.
    /// - Parameter states: where the forward LSTMs stand; empty at the beginning. A backward LSTM begins at the last of `x`,
    ///   which therefore must be the whole video.
    func callAsFunction(_ x: Tensor, _ states: inout [LSTM.State]) -> Tensor {
        if states.isEmpty { states = forward.map { $0.zeroState(rows: x.shape[1]) } }
        var y = x
        for (n, layer) in forward.enumerated() {
            if n > 0 { y = drop(y) }
            let ahead = layer.sequence(y, continuing: &states[n])
            if isBidirectional {
                var end = backward[n].zeroState(rows: x.shape[1])
                y = .concatenated([ahead, backward[n].sequence(y.reversed, continuing: &end).reversed], axis: -1)
            } else {
                y = ahead
            }
        }
        return y
    }
}

extension Tensor {
    /// The entries of the first axis in the opposite order.
    fileprivate var reversed: Tensor {
        reshaped([shape[0], shape.count / shape[0]]).gathered((0..<shape[0]).reversed()).reshaped(shape)
    }
}
