import Checkpoints
import Foundation
import ModelKit
import Runtime

extension ModelCard {
    /// Everything that decides what a model of this card sees, for what was computed from it: taps, scales, other pictures and
    /// other frames make other encodings.
    /// - Parameter backbone: the files with its parameters.
    func sight(through backbone: [CheckpointSource.File]) throws -> String {
        let weights = try backbone.map { try SHA256Digest(ofFile: $0.checkpoint.path).description }.joined(separator: ",")
        let keys = ["backbone", "hyperparameters", "frames"].map { document.root[$0].map { JSONValue($0).text } ?? "" }
        return "\(weights) \(architecture) \(keys) \(preprocess.map { "\($0)" } ?? "")"
    }
}
