public import Foundation
public import ModelKit
public import NeuralNetworks
import Tensors

/// Where an epoch stands.
public struct TrainingProgress: Sendable {
    public var epoch: Int, epochs: Int
    public var batch: Int, batches: Int
    /// The mean over the epoch so far, in nats per word.
    public var loss: Float
    public var perplexity: Float { Foundation.exp(loss) }
    public var wordsPerSecond: Double
    public var secondsLeft: Double
    public var learningRate: Float
}

/// The training of any ``ModelKit/TrainableModel``: a phase on cached encodings of a frozen backbone, then, if the recipe
/// asks for it, one in which the backbone learns too, or one in which the model learns from sentences of its own.
///
/// Killed at any moment, it goes on where its last state was saved; the same seed gives the same weights.
public final class ModelTraining<M: TrainableModel> {
    /// What the development set says of a model: the loss, and a score that grows where one can be computed.
    public struct Verdict: Sendable {
        public var loss: Float
        public var scores: [String: Float]
    }

    private let recipe: TrainingRecipe
    private let model: M
    private let store: ParameterStore
    private let assets: Assets
    private let encodings: EncodingCache
    private let examples: [TrainingRecord], development: [TrainingRecord]
    /// Captions of development photos chosen by the model are scored by this.
    private let score: (([String]) throws -> [String: Float])?
    private let decoding: M.Decoding
    /// How so many sentences are drawn at random, by a seed.
    private let drawing: (_ sentences: Int, _ seed: UInt64) throws -> M.Decoding
    private lazy var reward = CIDErReward(examples.map(\.texts))
    private let statePath: String
    private let fingerprint: String

    /// - Parameters:
    ///   - model: made from `store`, whose parameters begin fresh or from earlier weights.
    ///   - encodings: of `training` in every view and of `development`, by the frozen backbone.
    ///   - decoding: how the development photos are captioned.
    ///   - drawing: how so many sentences are drawn at random, by a seed; for self-critical training.
    ///   - score: from one caption per development photo to named scores, higher is better.
    public init(
        _ recipe: TrainingRecipe, _ model: M, in store: ParameterStore, assets: Assets, encodings: EncodingCache,
        training: [TrainingRecord], development: [TrainingRecord], decoding: M.Decoding,
        drawing: @escaping (_ sentences: Int, _ seed: UInt64) throws -> M.Decoding, statePath: String, fingerprint: String,
        score: (([String]) throws -> [String: Float])? = nil
    ) {
        (self.recipe, self.model, self.store, self.assets, self.encodings) = (recipe, model, store, assets, encodings)
        (examples, self.development, self.decoding, self.drawing, self.score) = (training, development, decoding, drawing, score)
        (self.statePath, self.fingerprint) = (statePath, fingerprint)
    }

    private var epochs: Int { recipe.epochs + (recipe.fineTuning?.epochs ?? recipe.selfCritical?.epochs ?? 0) }

    /// A parameter of the backbone, by the convention of every plugin.
    private static func isBackbone(_ parameter: Parameter) -> Bool { parameter.name.hasPrefix("cnn.") }

    /// Trains until the recipe's epochs are done, the development set stops improving, or `deadline`.
    /// - Parameters:
    ///   - save: called when the parameters are the best so far.
    ///   - progress: called about every second.
    ///   - finished: called after every epoch.
    /// - Returns: the finished epochs.
    @discardableResult
    public func run(
        deadline: Date = .distantFuture, save: (EpochRecord) throws -> Void, progress: (TrainingProgress) -> Void,
        finished: (EpochRecord) -> Void
    ) throws -> [EpochRecord] {
        let random = RandomSource(seed: recipe.seed)
        var optimizer = recipe.optimizer.make(), state = TrainingState()
        track(epoch: 0)
        state.fingerprint = fingerprint
        state.epochRandom = random.words
        if let saved = try TrainingState.resume(store, &optimizer, from: statePath, fingerprint: fingerprint) { state = saved }
        let pairs = examples.indices.flatMap { photo in examples[photo].texts.indices.map { (photo: photo, text: $0) } }
        var lastSave = Date()
        while state.epoch < epochs, !isStuck(state) {
            track(epoch: state.epoch)
            random.words = state.epochRandom
            let critic = isSelfCritical(state.epoch) ? recipe.selfCritical : nil
            let size = critic.map { max(1, recipe.batch / $0.samples) } ?? recipe.batch
            let order = critic == nil ? order(of: pairs, size, random) : random.permutation(examples.count)
            let batches = max(1, order.count / size)
            if state.batch > 0 { random.words = state.random }
            let tally = Tally(state)
            var lastProgress = Date.distantPast
            while state.batch < batches {
                optimizer.learningRate = learningRate(state, progress: Float(state.batch) / Float(batches))
                let chosen = order[state.batch * size..<min((state.batch + 1) * size, order.count)]
                let (batch, weights): ([M.Example], [Float])
                if let critic {
                    (batch, weights) = try ownSentences(Array(chosen), critic.samples, random)
                } else {
                    store.setMode(.training(random))
                    batch = try chosen.compactMap { try example(pairs[$0].photo, pairs[$0].text, state, random) }
                    weights = [Float](repeating: 1, count: batch.count)
                }
                if !batch.isEmpty {
                    let (loss, predictions) = model.loss(batch, weights: weights)
                    step(loss, &optimizer)
                    state.add(loss.scalar, over: predictions)
                }
                state.batch += 1
                state.steps = optimizer.steps
                state.random = random.words
                if Date().timeIntervalSince(lastProgress) > 1 {
                    lastProgress = Date()
                    progress(tally.progress(state, batches: batches, epochs: epochs, learningRate: optimizer.learningRate))
                }
                if Date().timeIntervalSince(lastSave) > 60 || Date() > deadline {
                    try state.save(store, optimizer, to: statePath)
                    lastSave = Date()
                    if Date() > deadline { return state.history }
                }
            }
            let record = try close(&state, tally, learningRate: learningRate(state, progress: 1 - 1 / Float(batches)), random)
            if isBest(record, &state) { try save(record) }
            try state.save(store, optimizer, to: statePath)
            finished(record)
        }
        store.setMode(.inference)
        return state.history
    }

    /// A caption with its photo: from the cache while the backbone is frozen, through the backbone afterwards.
    private func example(_ photo: Int, _ text: Int, _ state: TrainingState, _ random: RandomSource) throws -> M.Example? {
        let encoding =
            isFineTuning(state.epoch)
            ? try encode(examples[photo], Augmentation(random))
            : encodings.training(photo, view: random.index(below: recipe.views))
        return model.example(encoding, target: examples[photo].texts[text])
    }

    /// All pairs in random order, but so that the texts of a batch are about equally long: a batch takes as many steps as its
    /// longest text.
    private func order(of pairs: [(photo: Int, text: Int)], _ size: Int, _ random: RandomSource) -> [Int] {
        let shuffled = random.permutation(pairs.count), pool = 50 * size
        return stride(from: 0, to: shuffled.count, by: pool).flatMap { start in
            let part = shuffled[start..<min(start + pool, shuffled.count)].map { pair in
                (pair, words: examples[pairs[pair].photo].texts[pairs[pair].text].utf8.count { $0 == UInt8(ascii: " ") })
            }
            let sorted = part.sorted { ($0.words, $0.0) < ($1.words, $1.0) }.map(\.0)
            return random.permutation((sorted.count + size - 1) / size).flatMap { batch in
                sorted[batch * size..<min((batch + 1) * size, sorted.count)]
            }
        }
    }

    /// Sentences that the model draws for photos, each weighted by how much its reward is above the mean of the others'.
    ///
    /// They are drawn and learned from without dropout, so that both see the same probabilities.
    private func ownSentences(_ photos: [Int], _ count: Int, _ random: RandomSource) throws -> ([M.Example], [Float]) {
        store.setMode(.inference)
        let reward = reward, model = model, views = photos.map { encodings.training($0, view: random.index(below: recipe.views)) }
        let drawings = try photos.map { _ in try drawing(count, UInt64(random.index(below: 1 << 30))) }
        let sentences = try withoutHistory {
            try concurrently(photos.count) { model.decode(model.activations(views[$0]), drawings[$0]).texts }
        }
        var batch: [M.Example] = [], weights: [Float] = []
        for (i, photo) in photos.enumerated() {
            let rewards = sentences[i].map { reward($0, photo: photo) }, sum = rewards.reduce(0, +)
            for (sentence, own) in zip(sentences[i], rewards) {
                let advantage = own - (sum - own) / Float(max(rewards.count - 1, 1))
                guard advantage != 0, let example = model.example(views[i], target: sentence) else { continue }
                batch.append(example)
                weights.append(advantage)
            }
        }
        return (batch, weights)
    }

    /// Runs `body` while no parameter is a leaf of the tape.
    private func withoutHistory<Result>(_ body: () throws -> Result) rethrows -> Result {
        let parameters = store.all.filter { $0.value.isTracked }
        for parameter in parameters { parameter.value = parameter.value.detached }
        defer { for parameter in parameters { parameter.value = parameter.value.tracked } }
        return try body()
    }

    /// Judges the epoch and moves the state to the next.
    private func close(_ state: inout TrainingState, _ tally: Tally, learningRate: Float, _ random: RandomSource) throws
        -> EpochRecord
    {
        let speed = tally.wordsPerSecond(state), isFineTuning = isFineTuning(state.epoch)
        let verdict = try judge(isFineTuning: isFineTuning)
        let record = EpochRecord(
            epoch: state.epoch + 1, trainingLoss: Float(state.meanLoss), developmentLoss: verdict.loss,
            learningRate: learningRate,
            includesBackbone: isFineTuning, seconds: Date().timeIntervalSince(tally.started),
            scores: verdict.scores.merging(["wordsPerSecond": Float(speed)]) { $1 })
        state.finishEpoch(random)
        state.history.append(record)
        return record
    }

    private func isBest(_ record: EpochRecord, _ state: inout TrainingState) -> Bool {
        let loss = record.developmentLoss ?? .infinity
        // Smaller is better for both.
        let figure = recipe.keep == .cider ? -(record.scores["cider"] ?? -loss) : loss
        guard figure < state.best?.score ?? .infinity else { return false }
        state.best = .init(epoch: record.epoch, score: figure)
        return true
    }

    private func isFineTuning(_ epoch: Int) -> Bool { recipe.fineTuning != nil && epoch >= recipe.epochs }
    private func isSelfCritical(_ epoch: Int) -> Bool { recipe.selfCritical != nil && epoch >= recipe.epochs }

    /// Phase 1 learns everything but the backbone; phase 2 also the backbone's filters. Its normalisation stays as it is,
    /// because the statistics of one photo at a time would not do.
    private func track(epoch: Int) {
        let learnsToSee = isFineTuning(epoch)
        store.track { !Self.isBackbone($0) || (learnsToSee && !$0.name.contains(".normalization.")) }
    }

    private func learningRate(_ state: TrainingState, progress: Float) -> Float {
        if state.epoch >= recipe.epochs { return recipe.fineTuning?.learningRate ?? recipe.selfCritical?.learningRate ?? 0 }
        return recipe.optimizer.learningRate
            * recipe.schedule.factor(
                epoch: Float(state.epoch) + progress, of: recipe.epochs,
                developmentLosses: state.history.compactMap(\.developmentLoss))
    }

    /// A photo through the backbone as it is now.
    private func encode(_ record: TrainingRecord, _ view: Augmentation) throws -> Tensor {
        var request = try record.request()
        request.image = request.image.map { view($0) }
        return model.encode(try M.Input(request, assets: assets))
    }

    private func captions(of encodings: [Tensor]) throws -> [String] {
        let (model, decoding) = (model, decoding)
        return try concurrently(encodings.count) { model.decode(model.activations(encodings[$0]), decoding).text }
    }

    private func isStuck(_ state: TrainingState) -> Bool {
        guard let best = state.best else { return false }
        return state.epoch - best.epoch >= recipe.patience
    }

    private func step(_ loss: Tensor, _ optimizer: inout any Optimizer) {
        let gradients = loss.gradients()
        let trained = store.all.filter { $0.value.isTracked }
        let (clipped, norm) = recipe.clipping(trained.map { gradients[$0.value] ?? .zeros($0.value.shape, on: store.backend) })
        // A batch that overflowed teaches nothing.
        guard norm.isFinite else { return }
        optimizer.step(zip(trained, clipped).map { (parameter: $0, gradient: $1) })
    }

    /// The development set, without dropout.
    private func judge(isFineTuning: Bool) throws -> Verdict {
        store.setMode(.inference)
        return try withoutHistory {
            let known = try development.indices.map { i in
                isFineTuning ? try encode(development[i], .none) : encodings.development(i)
            }
            var sum = 0.0, words = 0
            let pairs = development.indices.flatMap { photo in development[photo].texts.map { (photo, $0) } }
            for start in stride(from: 0, to: pairs.count, by: recipe.batch) {
                let batch = pairs[start..<min(start + recipe.batch, pairs.count)].compactMap { photo, text in
                    model.example(known[photo], target: text)
                }
                guard !batch.isEmpty else { continue }
                let (loss, predictions) = model.loss(batch)
                sum += Double(loss.scalar) * Double(predictions)
                words += predictions
            }
            return Verdict(loss: Float(sum / Double(max(words, 1))), scores: try score.map { try $0(captions(of: known)) } ?? [:])
        }
    }
}

/// When this process took an epoch up, and where.
private struct Tally {
    let started = Date()
    private let firstBatch: Int, firstPredictions: Int

    init(_ state: TrainingState) { (firstBatch, firstPredictions) = (state.batch, state.predictions ?? 0) }

    func wordsPerSecond(_ state: TrainingState) -> Double {
        Double((state.predictions ?? 0) - firstPredictions) / Date().timeIntervalSince(started)
    }

    func progress(_ state: TrainingState, batches: Int, epochs: Int, learningRate: Float) -> TrainingProgress {
        let perBatch = Date().timeIntervalSince(started) / Double(max(state.batch - firstBatch, 1))
        let left = batches - state.batch + (epochs - state.epoch - 1) * batches
        return TrainingProgress(
            epoch: state.epoch + 1, epochs: epochs, batch: state.batch, batches: batches, loss: Float(state.meanLoss),
            wordsPerSecond: wordsPerSecond(state), secondsLeft: perBatch * Double(left), learningRate: learningRate)
    }
}
