import Foundation

/// Where an epoch stands.
public struct TrainingProgress: Sendable {
    public var epoch: Int, epochs: Int
    public var batch: Int, batches: Int
    /// The mean over the epoch so far, in nats per prediction (a word, an answer).
    public var loss: Float
    /// The losses that it is the sum of, by name, where there are several.
    public var losses: [String: Float]?
    public var perplexity: Float { Foundation.exp(loss) }
    public var predictionsPerSecond: Double
    public var secondsLeft: Double
    public var learningRate: Float
}

/// When this process took an epoch up, and where.
struct Tally {
    let started = Date()
    private let firstBatch: Int, firstPredictions: Int

    init(_ state: TrainingState) { (firstBatch, firstPredictions) = (state.batch, state.predictions ?? 0) }

    func predictionsPerSecond(_ state: TrainingState) -> Double {
        Double((state.predictions ?? 0) - firstPredictions) / Date().timeIntervalSince(started)
    }

    func progress(_ state: TrainingState, batches: Int, epochs: Int, learningRate: Float) -> TrainingProgress {
        let perBatch = Date().timeIntervalSince(started) / Double(max(state.batch - firstBatch, 1))
        let left = batches - state.batch + (epochs - state.epoch - 1) * batches
        return TrainingProgress(
            epoch: state.epoch + 1, epochs: epochs, batch: state.batch, batches: batches, loss: Float(state.meanLoss),
            losses: state.meanParts,
            predictionsPerSecond: predictionsPerSecond(state), secondsLeft: perBatch * Double(left), learningRate: learningRate)
    }
}
