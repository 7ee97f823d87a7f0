import Foundation
public import NeuralNetworks
import Tensors

/// What a loop of epochs and steps needs to know of a kind of training.
protocol TrainingTask: AnyObject {
    /// What one step learns from.
    associatedtype Step

    /// Called once, when the parameters have the values that the training begins or goes on with.
    func begin(isFresh: Bool, _ random: RandomSource) throws
    /// The steps of an epoch in their order, at least one.
    func plan(_ epoch: Int, _ random: RandomSource) -> [Step]
    /// The losses of a step, with the model in training mode.
    /// - Returns: `nil` where the step has nothing to teach.
    func learn(from step: Step, _ epoch: Int, _ random: RandomSource) throws -> StepOutcome?
    /// What the development set says, with the model in inference mode.
    func judge(_ epoch: Int) throws -> Verdict
}

/// What a step has to say.
struct StepOutcome {
    /// What is to be made small, of shape `[]`.
    var loss: Tensor
    /// Words, answers, or regions: what the loss is the mean of.
    var predictions: Int
    /// The losses that it is the sum of, where there are several.
    var parts: [(name: String, value: Float)] = []
}

extension StepOutcome {
    /// - Returns: `nil` of none.
    init?(meanOf outcomes: [StepOutcome]) {
        guard let first = outcomes.first else { return nil }
        let n = Float(outcomes.count)
        self.init(
            loss: outcomes.dropFirst().reduce(first.loss) { $0 + $1.loss } / n,
            predictions: outcomes.reduce(0) { $0 + $1.predictions },
            parts: first.parts.indices.map { part in
                (first.parts[part].name, outcomes.reduce(0) { $0 + $1.parts[part].value } / n)
            })
    }
}

/// What the development set says of a model: the loss, and scores that grow where any can be computed.
struct Verdict {
    var loss: Float
    /// The losses that it is the sum of, where there are several.
    var parts: [String: Float] = [:]
    var scores: [String: Float] = [:]
}

/// The epochs and steps of any training by a recipe.
///
/// Killed at any moment, it goes on where its last state was saved; the same seed gives the same weights.
struct TrainingLoop<Task: TrainingTask> {
    let recipe: TrainingRecipe
    let task: Task
    let store: ParameterStore
    /// Layers of the backbone that never learn.
    let frozenLayers: Set<String>
    let statePath: String
    /// Of all that a state belongs to.
    let fingerprint: String

    /// Trains until the recipe's epochs are done, the development set stops improving, or `deadline`.
    /// - Parameters:
    ///   - save: called when the parameters are the best so far.
    ///   - progress: called about every second.
    ///   - finished: called after every epoch.
    /// - Returns: the finished epochs.
    func run(
        deadline: Date, save: (EpochRecord) throws -> Void, progress: (TrainingProgress) -> Void,
        finished: (EpochRecord) -> Void
    ) throws -> [EpochRecord] {
        let random = RandomSource(seed: recipe.seed)
        var optimizer = recipe.makeOptimizer(), state = TrainingState()
        track(epoch: 0)
        state.fingerprint = fingerprint
        state.epochRandom = random.words
        if let saved = try TrainingState.resume(store, &optimizer, from: statePath, fingerprint: fingerprint) { state = saved }
        try task.begin(isFresh: state.epoch == 0 && state.batch == 0, random)
        var lastSave = Date()
        while state.epoch < recipe.allEpochs, !isStuck(state) {
            track(epoch: state.epoch)
            random.words = state.epochRandom
            let steps = task.plan(state.epoch, random)
            if state.batch > 0 { random.words = state.random }
            let tally = Tally(state)
            var lastProgress = Date.distantPast
            while state.batch < steps.count {
                optimizer.learningRate = learningRate(state, progress: Float(state.batch) / Float(steps.count))
                store.setMode(.training(random))
                if let outcome = try task.learn(from: steps[state.batch], state.epoch, random) {
                    step(outcome.loss, &optimizer)
                    state.add(outcome)
                }
                state.batch += 1
                state.steps = optimizer.steps
                state.random = random.words
                if Date().timeIntervalSince(lastProgress) > 1 {
                    lastProgress = Date()
                    progress(
                        tally.progress(
                            state, batches: steps.count, epochs: recipe.allEpochs, learningRate: optimizer.learningRate))
                }
                if Date().timeIntervalSince(lastSave) > 60 || Date() > deadline {
                    try state.save(store, optimizer, to: statePath)
                    lastSave = Date()
                    if Date() > deadline { return state.history }
                }
            }
            let last = learningRate(state, progress: 1 - 1 / Float(steps.count))
            let record = try close(&state, tally, learningRate: last, random)
            if isBest(record, &state) { try save(record) }
            try state.save(store, optimizer, to: statePath)
            lastSave = Date()
            finished(record)
        }
        store.setMode(.inference)
        return state.history
    }

    /// Phase 1 learns everything but the backbone; phase 2 also the backbone's filters, while its normalisation stays as the
    /// backbone's own training left it.
    private func track(epoch: Int) {
        let learnsToSee = recipe.learnsToSee(epoch), learnsAll = recipe.backbone == .trained
        store.track { parameter in
            guard parameter.isOfBackbone else { return true }
            if learnsAll { return true }
            return learnsToSee && !parameter.name.contains(".normalization.") && !parameter.isOf(frozenLayers)
        }
    }

    private func learningRate(_ state: TrainingState, progress: Float) -> Float {
        if let fineTuning = recipe.fineTuning, state.epoch >= recipe.epochs {
            let losses = state.history.dropFirst(recipe.epochs).compactMap(\.developmentLoss)
            return fineTuning.learningRate
                * fineTuning.schedule.factor(
                    epoch: Float(state.epoch - recipe.epochs) + progress, of: fineTuning.epochs, developmentLosses: losses)
        }
        if state.epoch >= recipe.epochs { return recipe.selfCritical?.learningRate ?? 0 }
        return recipe.optimizer.learningRate
            * recipe.schedule.factor(
                epoch: Float(state.epoch) + progress, of: recipe.epochs,
                developmentLosses: state.history.compactMap(\.developmentLoss))
    }

    private func step(_ loss: Tensor, _ optimizer: inout any Optimizer) {
        let gradients = loss.gradients()
        let trained = store.all.filter { $0.value.isTracked }
        let (clipped, norm) = recipe.clipping(trained.map { gradients[$0.value] ?? .zeros($0.value.shape, on: store.backend) })
        // A batch that overflowed teaches nothing.
        guard norm.isFinite else { return }
        optimizer.step(zip(trained, clipped).map { (parameter: $0, gradient: $1) })
    }

    /// Judges the epoch and moves the state to the next.
    private func close(_ state: inout TrainingState, _ tally: Tally, learningRate: Float, _ random: RandomSource) throws
        -> EpochRecord
    {
        let speed = tally.predictionsPerSecond(state)
        store.setMode(.inference)
        let verdict = try store.withoutHistory { try task.judge(state.epoch) }
        let record = EpochRecord(
            epoch: state.epoch + 1, trainingLoss: Float(state.meanLoss), developmentLoss: verdict.loss,
            losses: state.meanParts, developmentLosses: verdict.parts.isEmpty ? nil : verdict.parts,
            learningRate: learningRate, includesBackbone: recipe.learnsToSee(state.epoch),
            seconds: Date().timeIntervalSince(tally.started),
            scores: verdict.scores.merging(["predictionsPerSecond": Float(speed)]) { $1 })
        state.finishEpoch(random)
        state.history.append(record)
        return record
    }

    private func isBest(_ record: EpochRecord, _ state: inout TrainingState) -> Bool {
        let loss = record.developmentLoss ?? .infinity
        // Smaller is better for both.
        let figure = recipe.keep == .loss ? loss : -(record.scores[recipe.keep.rawValue] ?? -loss)
        guard figure < state.best?.score ?? .infinity else { return false }
        state.best = .init(epoch: record.epoch, score: figure)
        return true
    }

    private func isStuck(_ state: TrainingState) -> Bool {
        guard let best = state.best else { return false }
        return state.epoch - best.epoch >= recipe.patience
    }
}

extension TrainingRecipe {
    /// Of all phases.
    public var allEpochs: Int { epochs + (fineTuning?.epochs ?? selfCritical?.epochs ?? 0) }

    /// Whether the backbone learns in this epoch, which counts from 0.
    func learnsToSee(_ epoch: Int) -> Bool { backbone == .trained || (fineTuning != nil && epoch >= epochs) }

    /// Whether the model learns from sentences of its own in this epoch, which counts from 0.
    func isSelfCritical(_ epoch: Int) -> Bool { selfCritical != nil && epoch >= epochs }

    /// The learning rule, or two where the backbone has its own.
    func makeOptimizer() -> any Optimizer {
        guard let fineTuning, let own = fineTuning.optimizer else { return optimizer.make() }
        return BackboneOptimizer(
            own.make(), rest: optimizer.make(), ratio: own.learningRate / max(fineTuning.learningRate, .leastNormalMagnitude))
    }
}

extension Parameter {
    /// By the convention of every plugin.
    public var isOfBackbone: Bool { name.hasPrefix("cnn.") }

    /// Whether it is a parameter of one of these layers of the backbone: `cnn.stage4.a.weight` is one of `stage4.a`.
    public func isOf(_ layers: Set<String>) -> Bool {
        let path = name.split(separator: ".").dropFirst().dropLast()
        return layers.contains(path.joined(separator: "."))
            || (path.last == "normalization" && layers.contains(path.dropLast().joined(separator: ".")))
    }
}

extension ParameterStore {
    /// Runs `body` while no parameter is a leaf of the tape.
    func withoutHistory<Result>(_ body: () throws -> Result) rethrows -> Result {
        let parameters = all.filter { $0.value.isTracked }
        for parameter in parameters { parameter.value = parameter.value.detached }
        defer { for parameter in parameters { parameter.value = parameter.value.tracked } }
        return try body()
    }
}
