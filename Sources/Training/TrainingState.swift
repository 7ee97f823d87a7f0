public import NeuralNetworks
import Checkpoints
import Foundation
import Tensors

/// What a killed training continues from: parameters, the optimiser's memory, the random numbers and the position.
///
/// Kept in a file of its own beside the weights, so that a reader of the weights never meets it.
struct TrainingState: Codable {
    /// Epochs finished.
    var epoch = 0
    /// Batches finished in the current epoch.
    var batch = 0
    /// The loss summed over the predictions of these batches, and their number; states of earlier versions lack them.
    var sum: Double? = 0
    var predictions: Int? = 0
    /// The losses that it is the sum of, each summed in the same way, where there are several.
    var parts: [String: Double]?
    /// The learning rule's step count.
    var steps = 0
    /// The random source at the beginning of the current epoch, from which its batches are drawn again.
    var epochRandom: [UInt64] = []
    /// The random source now.
    var random: [UInt64] = []
    var history: [EpochRecord] = []
    /// The best development score so far and the epoch it was reached in.
    var best: Best?
    /// What the training was started with; a different start is not resumed.
    var fingerprint = ""

    /// The mean loss of the current epoch so far.
    var meanLoss: Double { (sum ?? 0) / Double(max(predictions ?? 0, 1)) }

    /// The same of each of the losses that it is the sum of.
    var meanParts: [String: Float]? { parts?.mapValues { Float($0 / Double(max(predictions ?? 0, 1))) } }

    mutating func add(_ loss: Float, over predictions: Int, parts: [(name: String, value: Float)] = []) {
        // A batch that overflowed taught nothing.
        guard loss.isFinite else { return }
        let n = Double(predictions)
        sum = (sum ?? 0) + Double(loss) * n
        self.predictions = (self.predictions ?? 0) + predictions
        for (name, value) in parts { self.parts = (self.parts ?? [:]).merging([name: Double(value) * n], uniquingKeysWith: +) }
    }

    mutating func add(_ outcome: StepOutcome) {
        add(outcome.loss.scalar, over: outcome.predictions, parts: outcome.parts)
    }

    /// Goes on to the next epoch.
    mutating func finishEpoch(_ random: RandomSource) {
        epoch += 1
        (batch, sum, predictions, parts) = (0, 0, 0, nil)
        epochRandom = random.words
    }

    struct Best: Codable {
        var epoch: Int
        var score: Float
    }
}

/// One finished epoch, for the log and for the schedules that look back.
public struct EpochRecord: Codable, Sendable {
    public var epoch: Int
    public var trainingLoss: Float
    public var developmentLoss: Float?
    /// The losses that each is the sum of, by name, where there are several.
    public var losses: [String: Float]?
    public var developmentLosses: [String: Float]?
    public var learningRate: Float
    /// Whether the backbone was trained too, so that its parameters belong to the result.
    public var includesBackbone = false
    public var seconds: Double
    /// Further figures of the task: `bleu4`, `cider`, `cosine`.
    public var scores: [String: Float] = [:]
}

extension EpochRecord {
    /// States written before there was fine-tuning do not say whether there was any.
    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        epoch = try json.decode(Int.self, forKey: .epoch)
        trainingLoss = try json.decode(Float.self, forKey: .trainingLoss)
        developmentLoss = try json.decodeIfPresent(Float.self, forKey: .developmentLoss)
        losses = try json.decodeIfPresent([String: Float].self, forKey: .losses)
        developmentLosses = try json.decodeIfPresent([String: Float].self, forKey: .developmentLosses)
        learningRate = try json.decode(Float.self, forKey: .learningRate)
        includesBackbone = try json.decodeIfPresent(Bool.self, forKey: .includesBackbone) ?? false
        seconds = try json.decode(Double.self, forKey: .seconds)
        scores = try json.decode([String: Float].self, forKey: .scores)
    }
}

extension TrainingState {
    private static let attribute = "zoo_training_state"

    /// Writes state, parameters and the optimiser's memory to `path` in one atomic step.
    func save(_ store: ParameterStore, _ optimizer: any Optimizer, to path: String) throws {
        var tensors = store.all.map { CheckpointTensor(name: "parameters/" + $0.name, $0.value) }
        for (slot, values) in optimizer.slots.sorted(by: { $0.key < $1.key }) {
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                tensors.append(CheckpointTensor(name: "optimizer/\(slot)/\(name)", value))
            }
        }
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let json = String(decoding: try encoder.encode(self), as: UTF8.self)
        try Checkpoint(tensors, attributes: [Self.attribute: json]).write(to: path)
    }

    /// Reads a state back into the store and the optimiser.
    /// - Returns: `nil` where there is no file.
    /// - Throws: ``TrainingStateError`` for the state of a training that was started differently: it may be hours of work.
    static func resume(_ store: ParameterStore, _ optimizer: inout any Optimizer, from path: String, fingerprint: String) throws
        -> TrainingState?
    {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let checkpoint = try Checkpoint.open(path)
        guard let json = checkpoint.attributes[attribute] else { throw TrainingStateError.notAState(path) }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let state = try decoder.decode(TrainingState.self, from: Data(json.utf8))
        guard state.fingerprint == fingerprint else {
            throw TrainingStateError.ofAnotherTraining(path, epochs: state.epoch)
        }
        for parameter in store.all {
            let value = try checkpoint.tensor(
                named: "parameters/" + parameter.name, shape: parameter.value.shape, on: store.backend)
            parameter.value = parameter.value.isTracked ? value.tracked : value
        }
        optimizer.steps = state.steps
        optimizer.slots = [:]
        for tensor in checkpoint.tensors where tensor.name.hasPrefix("optimizer/") {
            let path = tensor.name.split(separator: "/", maxSplits: 2)
            optimizer.slots[String(path[1]), default: [:]][String(path[2])] = try tensor.tensor(on: store.backend)
        }
        return state
    }
}

extension RandomSource {
    var words: [UInt64] {
        get { (0..<4).map { state[$0] } }
        set { state = State(newValue[0], newValue[1], newValue[2], newValue[3]) }
    }
}
