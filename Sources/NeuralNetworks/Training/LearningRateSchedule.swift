import Foundation

/// How the learning rate changes while training goes on.
public enum LearningRateSchedule: Sendable, Hashable {
    case constant
    /// Multiplied by `factor` after every `epochs` (im2txt: 0.5 every 8).
    case step(factor: Float, epochs: Float)
    /// Halved when the development loss has not improved for `patience` epochs.
    case plateau(factor: Float, patience: Int)
    /// Falls along half a cosine to `floor` times the first rate at the last epoch (Loshchilov & Hutter 2017).
    case cosine(floor: Float)

    /// The rate as a multiple of the first.
    /// - Parameters:
    ///   - epoch: how many epochs have passed, with fractions.
    ///   - epochs: how many there will be.
    ///   - developmentLosses: the loss on the development set after every epoch so far.
    public func factor(epoch: Float, of epochs: Int, developmentLosses: [Float]) -> Float {
        switch self {
        case .constant: return 1
        case .step(let factor, let length): return pow(factor, (epoch / length).rounded(.down))
        case .cosine(let floor):
            return floor + (1 - floor) * 0.5 * (1 + cos(.pi * min(1, epoch / Float(max(epochs, 1)))))
        case .plateau(let factor, let patience):
            var best = Float.infinity, waited = 0, rate: Float = 1
            for loss in developmentLosses {
                if loss < best {
                    best = loss
                    waited = 0
                } else {
                    waited += 1
                    if waited >= patience {
                        rate *= factor
                        waited = 0
                    }
                }
            }
            return rate
        }
    }
}

/// `{"kind": "step", "factor": 0.5, "epochs": 8}`
extension LearningRateSchedule: Decodable {
    private enum Kind: String, Decodable, CaseIterable { case constant, step, plateau, cosine }
    private enum CodingKeys: CodingKey { case kind, factor, epochs, patience, floor }
    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys, _ fallback: Float) throws -> Float {
            try json.decodeIfPresent(Float.self, forKey: key) ?? fallback
        }
        func refuse(_ key: CodingKeys, _ sentence: String) -> DecodingError {
            DecodingError.dataCorruptedError(forKey: key, in: json, debugDescription: sentence)
        }
        switch try json.decode(Kind.self, forKey: .kind) {
        case .constant: self = .constant
        case .step:
            let epochs = try json.decode(Float.self, forKey: .epochs)
            guard epochs > 0 else { throw refuse(.epochs, "a step must last longer than 0 epochs") }
            self = .step(factor: try number(.factor, 0.5), epochs: epochs)
        case .plateau:
            let patience = try json.decodeIfPresent(Int.self, forKey: .patience) ?? 1
            guard patience >= 1 else { throw refuse(.patience, "patience must last at least 1 epoch") }
            self = .plateau(factor: try number(.factor, 0.5), patience: patience)
        case .cosine: self = .cosine(floor: try number(.floor, 0))
        }
    }
}
