import NeuralNetworks
import Tensors

/// What is left of the frames seen so far: the states of LSTMs, or the mean or maximum of the frames' features.
///
/// It goes on where it was, so that a video of any length passes through in parts.
enum Memory: Sendable {
    case lstm(RecurrentStack)
    case pooling(Pooling)

    enum Pooling: String, Decodable, Sendable, CaseIterable { case mean, max }

    /// How far a video has been read.
    struct Progress {
        /// Frames so far.
        var frames = 0
        /// Of each layer.
        var states: [LSTM.State] = []
        /// The sum or the maximum so far, `[rows, features]`.
        var pooled: Tensor?
    }

    /// Of the result.
    func width(of features: Int) -> Int {
        switch self {
        case .lstm(let stack): stack.width
        case .pooling: features
        }
    }

    /// Some frames' features, `[steps, rows, features]` → what is known after each of them, `[steps, rows, width]`.
    func callAsFunction(_ x: Tensor, _ progress: inout Progress) -> Tensor {
        defer { progress.frames += x.shape[0] }
        switch self {
        case .lstm(let stack): return stack(x, &progress.states)
        case .pooling(let pooling):
            var known: [Tensor] = []
            for t in 0..<x.shape[0] {
                let next = progress.pooled.map { pooling.joined($0, x[t]) } ?? x[t]
                progress.pooled = next
                known.append(pooling == .mean ? next / Float(progress.frames + t + 1) : next)
            }
            return Tensor.concatenated(known, axis: 0).reshaped(x.shape)
        }
    }
}

extension Memory.Pooling {
    /// Of features so far and those of a frame, both `[rows, features]`.
    fileprivate func joined(_ a: Tensor, _ b: Tensor) -> Tensor {
        switch self {
        case .mean: return a + b
        case .max:
            let pair = Tensor.concatenated([a.expanded(axis: 1), b.expanded(axis: 1)], axis: 1).expanded(axis: 2)
            return pool(pair, PoolingGeometry(.maximum, size: (2, 1), stride: (2, 1))).reshaped(a.shape)
        }
    }
}
