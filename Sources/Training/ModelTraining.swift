public import Foundation
public import ModelKit
public import NeuralNetworks
import Tensors

/// The training of any ``ModelKit/TrainableModel``: a phase on cached encodings of a frozen backbone, then, if the recipe
/// asks for it, one in which the backbone learns too, or one in which the model learns from sentences of its own. A recipe
/// may also train the backbone from the first epoch on.
///
/// Killed at any moment, it goes on where its last state was saved; the same seed gives the same weights.
public final class ModelTraining<M: TrainableModel>: TrainingTask {
    private let recipe: TrainingRecipe
    private let model: M
    private let store: ParameterStore
    private let assets: Assets
    /// As the backbone left them until ``run(deadline:save:progress:finished:)`` condenses them.
    private var encodings: EncodingCache?
    private var hasRun = false
    private let examples: [TrainingRecord], development: [TrainingRecord]
    /// What the model says about each development photo (a caption, an answer to every question) is scored by this.
    private let score: (([[String]]) throws -> [String: Float])?
    private let decoding: M.Decoding
    /// How so many sentences are drawn at random, by a seed.
    private let drawing: (_ sentences: Int, _ seed: UInt64) throws -> M.Decoding
    private lazy var reward = CIDErReward(examples.map(\.captions))
    private let frozenLayers: Set<String>
    private let statePath: String
    private let fingerprint: String

    /// - Parameters:
    ///   - model: made from `store`, whose parameters begin fresh or from earlier weights.
    ///   - encodings: of `training` in every view and of `development`, by the frozen backbone; nil where the recipe trains it
    ///     from the beginning.
    ///   - decoding: how the development photos are captioned, or answers about them chosen.
    ///   - drawing: how so many sentences are drawn at random, by a seed; for self-critical training.
    ///   - frozenLayers: of the backbone, by name: they do not learn when the rest of it does.
    ///   - score: from what is said about each development photo to named scores, higher is better.
    public init(
        _ recipe: TrainingRecipe, _ model: M, in store: ParameterStore, assets: Assets, encodings: EncodingCache?,
        training: [TrainingRecord], development: [TrainingRecord], decoding: M.Decoding,
        drawing: @escaping (_ sentences: Int, _ seed: UInt64) throws -> M.Decoding, frozenLayers: Set<String> = [],
        statePath: String, fingerprint: String, score: (([[String]]) throws -> [String: Float])? = nil
    ) {
        precondition(encodings != nil || recipe.backbone == .trained, "a frozen backbone needs encodings")
        (self.recipe, self.model, self.store, self.assets, self.encodings) = (recipe, model, store, assets, encodings)
        (examples, self.development, self.decoding, self.drawing, self.score) = (training, development, decoding, drawing, score)
        (self.frozenLayers, self.statePath, self.fingerprint) = (frozenLayers, statePath, fingerprint)
    }

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
        precondition(!hasRun, "a training runs once: its encodings are condensed by then")
        hasRun = true
        let loop = TrainingLoop(
            recipe: recipe, task: self, store: store, frozenLayers: frozenLayers, statePath: statePath,
            fingerprint: fingerprint)
        return try loop.run(deadline: deadline, save: save, progress: progress, finished: finished)
    }

    func begin(isFresh: Bool, _ random: RandomSource) {
        if isFresh, let encodings {
            model.fitStatistics(to: encodings.sample(recipe.statisticsPhotos, RandomSource(seed: recipe.seed)), random: random)
        }
        encodings = encodings?.mapped(model.condensed)
    }

    /// A photo and one of its lessons.
    typealias Pair = (photo: Int, lesson: Int)

    /// What one step learns from.
    private struct Batch {
        var examples: [M.Example] = []
        /// `[examples, …]`, computed only for a batch that has any.
        var encodings: () -> Tensor = { fatalError("an empty batch") }
        var weights: [Float] = []
    }

    func plan(_ epoch: Int, _ random: RandomSource) -> [[Pair]] {
        if recipe.isSelfCritical(epoch), let critic = recipe.selfCritical {
            let photos = random.permutation(examples.count).map { Pair(photo: $0, lesson: 0) }
            return Self.chunks(photos, max(1, recipe.batch / critic.samples))
        }
        if recipe.learnsToSee(epoch) { return wholePhotos(random) }
        let pairs = examples.indices.flatMap { photo in examples[photo].lessons.indices.map { Pair(photo: photo, lesson: $0) } }
        return Self.chunks(order(of: pairs, recipe.batch, random).map { pairs[$0] }, recipe.batch)
    }

    /// Parts of the same size, without a smaller one at the end.
    private static func chunks(_ pairs: [Pair], _ size: Int) -> [[Pair]] {
        if pairs.count <= size { return [pairs] }
        return (0..<pairs.count / size).map { Array(pairs[$0 * size..<($0 + 1) * size]) }
    }

    /// Photos in random order with all their lessons, together a batch or a little more: what the backbone makes of a photo
    /// serves all that is to be learnt about it.
    private func wholePhotos(_ random: RandomSource) -> [[Pair]] {
        var batches: [[Pair]] = [], batch: [Pair] = []
        for photo in random.permutation(examples.count) {
            batch += examples[photo].lessons.indices.map { (photo, $0) }
            if batch.count >= recipe.batch {
                batches.append(batch)
                batch = []
            }
        }
        return batches.isEmpty ? [batch] : batches
    }

    func learn(from pairs: [Pair], _ epoch: Int, _ random: RandomSource) throws -> StepOutcome? {
        let critic = recipe.isSelfCritical(epoch) ? recipe.selfCritical : nil
        let batch =
            try critic.map { try ownSentences(pairs.map(\.photo), $0.samples, random) } ?? self.batch(pairs, epoch, random)
        if batch.examples.isEmpty { return nil }
        let (loss, predictions) = model.loss(batch.encodings(), batch.examples, weights: batch.weights)
        return StepOutcome(loss: loss, predictions: predictions)
    }

    /// Examples with their encodings: from the cache while the backbone is frozen, through the backbone otherwise.
    private func batch(_ pairs: [Pair], _ epoch: Int, _ random: RandomSource) throws -> Batch {
        let learnsToSee = recipe.learnsToSee(epoch)
        // Through the backbone a photo is seen once in a batch, from the cache once for every lesson.
        var seen: [Int: (row: Int, view: Int)] = [:], views: [(photo: Int, view: Int)] = []
        var batch = Batch(), rows: [Int] = []
        for (photo, lesson) in pairs {
            let known = learnsToSee ? seen[photo] : nil, view = known?.view ?? random.index(below: recipe.views)
            let lesson = Self.lesson(examples[photo].lessons[lesson], view)
            let target = lesson.targets.count > 1 ? lesson.targets[random.index(below: lesson.targets.count)] : lesson.targets[0]
            guard let example = model.example(question: lesson.question, target: target) else { continue }
            if known == nil {
                seen[photo] = (views.count, view)
                views.append((photo, view))
            }
            batch.examples.append(example)
            rows.append(known?.row ?? views.count - 1)
        }
        batch.weights = [Float](repeating: 1, count: rows.count)
        if let encodings, !learnsToSee {
            let all = views.map { encodings.training($0.photo, view: $0.view) }
            batch.encodings = { .concatenated(all, axis: 0) }
            return batch
        }
        let records = views.map { examples[$0.photo] }, augmentations = views.map { Augmentation(view: $0.view, random) }
        let assets = assets, model = model, places = rows
        let observations: [M.Observation] = try concurrently(records.count) {
            try observation(records[$0], augmentations[$0], assets)
        }
        batch.encodings = {
            let encoded = model.condensed(model.encode(observations)), rest = encoded.shape.dimensions.dropFirst()
            let count = observations.count
            return encoded.reshaped([count, encoded.shape.count / count]).gathered(places)
                .reshaped(Shape([places.count] + rest))
        }
        return batch
    }

    /// A lesson in the words that fit a view.
    private static func lesson(_ lesson: TrainingRecord.Lesson, _ view: Int) -> TrainingRecord.Lesson {
        view == 1 ? lesson.mirrored : lesson
    }

    /// All pairs in random order, but so that the texts of a batch are about equally long: a batch takes as many steps as its
    /// longest text.
    private func order(of pairs: [Pair], _ size: Int, _ random: RandomSource) -> [Int] {
        let shuffled = random.permutation(pairs.count), pool = 50 * size
        // The name of a class is not read word by word, and sorted by it batches would be of one class.
        if assets.vocabulary == nil { return shuffled }
        return stride(from: 0, to: shuffled.count, by: pool).flatMap { start in
            let part = shuffled[start..<min(start + pool, shuffled.count)].map { pair in
                let lesson = examples[pairs[pair].photo].lessons[pairs[pair].lesson]
                return (pair, words: (lesson.question ?? lesson.targets[0]).utf8.count { $0 == UInt8(ascii: " ") })
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
    private func ownSentences(_ photos: [Int], _ count: Int, _ random: RandomSource) throws -> Batch {
        store.setMode(.inference)
        guard let encodings else { return Batch() }
        let reward = reward, model = model, views = photos.map { encodings.training($0, view: random.index(below: recipe.views)) }
        let drawings = try photos.map { _ in try drawing(count, UInt64(random.index(below: 1 << 30))) }
        let sentences = try store.withoutHistory {
            try concurrently(photos.count) { model.decode(model.activations(views[$0], questions: []), drawings[$0]).texts }
        }
        var batch = Batch(), rows: [Tensor] = []
        for (i, photo) in photos.enumerated() {
            let rewards = sentences[i].map { reward($0, photo: photo) }, sum = rewards.reduce(0, +)
            for (sentence, own) in zip(sentences[i], rewards) {
                let advantage = own - (sum - own) / Float(max(rewards.count - 1, 1))
                guard advantage != 0, let example = model.example(question: nil, target: sentence) else { continue }
                batch.examples.append(example)
                batch.weights.append(advantage)
                rows.append(views[i])
            }
        }
        let all = rows
        batch.encodings = { .concatenated(all, axis: 0) }
        return batch
    }

    /// What the model says about each development photo.
    private func answers(_ encodings: [Tensor]) throws -> [[String]] {
        let (model, decoding, development) = (model, decoding, development)
        return try concurrently(encodings.count) { photo in
            model.decode(model.activations(encodings[photo], questions: development[photo].questions), decoding).parts.map(\.text)
        }
    }

    /// Every development photo through the backbone, as it was or as it is now, each `[1, …]`.
    private func developmentEncodings(throughBackbone: Bool) throws -> [Tensor] {
        if let encodings, !throughBackbone { return development.indices.map(encodings.development) }
        return try stride(from: 0, to: development.count, by: 32).flatMap { start in
            let part = Array(development[start..<min(start + 32, development.count)]), assets = assets
            let encoded = model.condensed(
                model.encode(try concurrently(part.count) { try observation(part[$0], .none, assets) }))
            return part.indices.map { encoded[$0..<$0 + 1] }
        }
    }

    func judge(_ epoch: Int) throws -> Verdict {
        let known = try developmentEncodings(throughBackbone: recipe.learnsToSee(epoch))
        var sum = 0.0, predictions = 0
        let pairs = development.indices.flatMap { photo in development[photo].lessons.map { (photo: photo, lesson: $0) } }
        for start in stride(from: 0, to: pairs.count, by: recipe.batch) {
            let batch = pairs[start..<min(start + recipe.batch, pairs.count)].compactMap { photo, lesson in
                model.example(question: lesson.question, target: lesson.targets[0]).map { (known[photo], $0) }
            }
            guard !batch.isEmpty else { continue }
            let (loss, count) = model.loss(.concatenated(batch.map(\.0), axis: 0), batch.map(\.1))
            sum += Double(loss.scalar) * Double(count)
            predictions += count
        }
        return Verdict(loss: Float(sum / Double(max(predictions, 1))), scores: try score.map { try $0(answers(known)) } ?? [:])
    }
}

/// A photo as the backbone sees it.
private func observation<Observation: ModelInput>(
    _ record: TrainingRecord, _ view: Augmentation, _ assets: Assets
) throws -> Observation {
    var request = try record.request()
    // The picture itself as a run of the model would see it.
    if view != .none { request.look { view($0) } }
    return try Observation(request, assets: assets)
}
