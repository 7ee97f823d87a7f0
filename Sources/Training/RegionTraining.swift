public import Foundation
public import ModelKit
public import NeuralNetworks
import Media
import Tensors

/// The training of a ``ModelKit/RegionTrainableModel``: at first on what a frozen backbone sees, then, if the recipe asks for
/// it, with the backbone. A step learns from as many photos as the recipe's batch says (DenseCap's released code: one).
///
/// Killed at any moment, it goes on where its last state was saved; the same seed gives the same weights.
public final class RegionTraining<M: RegionTrainableModel>: TrainingTask {
    private let recipe: TrainingRecipe
    private let model: M
    private let store: ParameterStore
    /// Sees what the frozen backbone does, but faster.
    private let eyes: M
    private let assets: Assets
    private let training: [RegionDataSet.Image], development: [RegionDataSet.Image]
    private let frozenLayers: Set<String>
    private let statePath: String
    private let fingerprint: String

    /// - Parameters:
    ///   - model: made from `store`, whose parameters begin fresh or from earlier weights.
    ///   - eyes: a model with the same backbone, for inference.
    ///   - frozenLayers: of the backbone, by name: they do not learn when the rest of it does.
    public init(
        _ recipe: TrainingRecipe, _ model: M, in store: ParameterStore, eyes: M, assets: Assets,
        training: [RegionDataSet.Image], development: [RegionDataSet.Image], frozenLayers: Set<String>, statePath: String,
        fingerprint: String
    ) {
        (self.recipe, self.model, self.store, self.eyes, self.assets) = (recipe, model, store, eyes, assets)
        (self.training, self.development, self.frozenLayers) = (training, development, frozenLayers)
        (self.statePath, self.fingerprint) = (statePath, fingerprint)
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
        let loop = TrainingLoop(
            recipe: recipe, task: self, store: store, frozenLayers: frozenLayers, statePath: statePath,
            fingerprint: fingerprint)
        return try loop.run(deadline: deadline, save: save, progress: progress, finished: finished)
    }

    func begin(isFresh: Bool, _ random: RandomSource) throws {
        guard isFresh else { return }
        let photos = random.permutation(training.count).prefix(recipe.statisticsPhotos).sorted()
        let (training, eyes, assets) = (training, eyes, assets)
        let maps = try photos.map { photo in eyes.encode(try M.Input(Request(of: training[photo]), assets: assets)) }
        // Pictures that keep their proportions have maps of different sizes.
        let alike = maps.filter { $0.shape == maps[0].shape }
        model.fitStatistics(to: .concatenated(alike, axis: 0), random: random)
    }

    func plan(_ epoch: Int, _ random: RandomSource) -> [[Int]] {
        let photos = random.permutation(training.count)
        return stride(from: 0, to: photos.count, by: recipe.batch).map { start in
            Array(photos[start..<min(start + recipe.batch, photos.count)])
        }
    }

    func learn(from photos: [Int], _ epoch: Int, _ random: RandomSource) throws -> StepOutcome? {
        let outcomes = try photos.compactMap { photo in
            let view = Augmentation(view: random.index(below: recipe.views), random)
            return try losses(training[photo], view, seeing: recipe.learnsToSee(epoch), random)
        }
        return StepOutcome(meanOf: outcomes)
    }

    /// - Parameter seeing: whether the backbone is a part of what learns.
    private func losses(
        _ image: RegionDataSet.Image, _ view: Augmentation, seeing: Bool, _ random: RandomSource
    ) throws -> StepOutcome? {
        var request = try Request(of: image)
        // The picture itself as a run of the model would see it.
        if view != .none { request.image = request.image.map { view($0) } }
        guard let picture = request.image else { return nil }
        let marks: [Mark] = image.regions.compactMap { region in
            let phrase = region.phrases[random.index(below: region.phrases.count)]
            return view.seen(region.box).map { box in
                Mark(box: box.scaled(width: Float(picture.width), height: Float(picture.height)), phrase: view.told(phrase))
            }
        }
        let input = try M.Input(request, assets: assets)
        guard let lesson = model.lesson(input, marks) else { return nil }
        let terms = model.losses((seeing ? model : eyes).encode(input), lesson, random: random)
        return StepOutcome(loss: terms.total, predictions: 1, parts: terms.map { ($0.name, $0.value.scalar) })
    }

    /// The mean losses over all photos, without dropout, with the same draws every time.
    func judge(_ epoch: Int) throws -> Verdict {
        let random = RandomSource(seed: recipe.seed)
        var sum = TrainingState()
        for image in development {
            if let outcome = try losses(image, .none, seeing: recipe.learnsToSee(epoch), random) { sum.add(outcome) }
        }
        return Verdict(loss: Float(sum.meanLoss), parts: sum.meanParts ?? [:])
    }
}

extension Request {
    fileprivate init(of image: RegionDataSet.Image) throws {
        self.init(name: image.file.path, image: try Image(contentsOf: image.file.path))
    }
}

extension Augmentation {
    /// What is left of a box, in parts of the view's sides; `nil` where the view shows less than half of it.
    /// - Parameter box: in parts of the photo's sides.
    fileprivate func seen(_ box: RegionDataSet.Box) -> Regions.Rectangle? {
        let box = Regions.Rectangle(x: Float(box.x), y: Float(box.y), width: Float(box.width), height: Float(box.height))
        let left = max(box.x, crop.x), right = min(box.x + box.width, crop.x + crop.width)
        let top = max(box.y, crop.y), bottom = min(box.y + box.height, crop.y + crop.height)
        guard right > left, bottom > top, 2 * (right - left) * (bottom - top) >= box.width * box.height else { return nil }
        let x = (left - crop.x) / crop.width, width = (right - left) / crop.width
        return .init(
            x: isFlipped ? 1 - x - width : x, y: (top - crop.y) / crop.height, width: width,
            height: (bottom - top) / crop.height)
    }

    /// A phrase as it is right for the view.
    fileprivate func told(_ phrase: String) -> String { isFlipped ? TrainingRecord.Lesson.mirrored(phrase) : phrase }
}

extension Regions.Rectangle {
    fileprivate func scaled(width: Float, height: Float) -> Self {
        .init(x: x * width, y: y * height, width: self.width * width, height: self.height * height)
    }
}
