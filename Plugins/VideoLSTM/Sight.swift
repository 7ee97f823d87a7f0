package import Tensors

/// What is seen of a frame.
package enum Sight: String, Decodable, Sendable, CaseIterable {
    /// What the CNN makes of it, f_t.
    case features
    /// `[f_t, f_t − f_{t−1}]`.
    case differences
    /// How much every feature changes from the frame before, `|f_t − f_{t−1}|`, in the mean over the places of a feature map:
    /// movement, wherever it is. Sudhakaran and Lanz ("Learning to Detect Violent Videos Using Convolutional Long Short-Term
    /// Memory", AVSS 2017) give the CNN itself the differences of frames.
    case changes

    /// Of what is seen, for a CNN that ends in `map` without the batch axis.
    package func width(of map: Shape) -> Int {
        switch self {
        case .features: map.count
        case .differences: 2 * map.count
        case .changes: map[-1]
        }
    }

    /// - Parameters:
    ///   - f: of successive frames of one video, `[n, …]`.
    ///   - before: that of the frame before them, `[1, …]`; nil at the beginning, where nothing differs. Afterwards the last.
    /// - Returns: `[n, width]`.
    package func callAsFunction(_ f: Tensor, after before: inout Tensor?) -> Tensor {
        let n = f.shape[0]
        if self == .features { return f.reshaped([n, f.shape.count / n]) }
        let change = f - .concatenated([before ?? f[0..<1], f[0..<n - 1]], axis: 0)
        before = f[n - 1..<n]
        if self == .changes {
            let places = change.shape.count / n / f.shape[-1]
            return (relu(change) + relu(-change)).reshaped([n, places, f.shape[-1]]).mean(axis: 1)
        }
        return Tensor.concatenated([f, change].map { $0.reshaped([n, f.shape.count / n]) }, axis: -1)
    }
}
