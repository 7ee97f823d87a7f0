import Checkpoints
import Foundation
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Training

/// Trains a model of videos several times, each time without one part of the data, and asks it about that part.
///
/// The videos are encoded once for all trainings. What counts is the model after the last epoch: to choose the best one by the
/// part that is held back would flatter it.
struct CrossValidation {
    struct Fold: Encodable {
        let seed: UInt64
        let fold: Int
        let clips: Int
        let accuracy: Float
        let meanPerClass: Float
    }

    let card: ModelCard
    let zoo: Zoo
    let recipe: TrainingRecipe
    let dataSet: ClipDataSet
    let folds: Int
    let seeds: [UInt64]

    /// - Parameter finished: called after every training.
    func run(encodings path: String, finished: (Fold) throws -> Void) throws {
        let plugin = try zoo.plugins.plugin(named: card.architecture)
        guard let type = plugin.model as? any TrainableModel.Type else { throw TrainingError.notTrainable(card.architecture) }
        try run(type, path, finished)
    }

    private func run<M: TrainableModel>(_ type: M.Type, _ path: String, _ finished: (Fold) throws -> Void) throws {
        let backbone = try zoo.backboneFiles(of: card), assets = try zoo.assets(of: card)
        let hyperparameters = try card.hyperparameters(as: M.Hyperparameters.self), data = TrainingData(undivided: dataSet)
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("zoo-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let learnsToSee = recipe.backbone == .trained
        var encodings: EncodingCache?
        if !learnsToSee {
            let source = TransferSource(backbone: backbone, isComplete: true, seed: 1)
            let encoder = try M(hyperparameters, assets: assets, parameters: ParameterStore(source, on: zoo.backend).root)
            let bar = ProgressBar("encoding videos")
            encodings = try EncodingCache(
                encoder, assets: assets, training: data.training, development: [], views: recipe.views, seed: 1, path: path,
                fingerprint: try "\(card.sight(through: backbone)) \(dataSet.name) \(dataSet.clips.count) "
                    + "views \(recipe.views) undivided"
            ) { done, total in bar.update(Double(done) / Double(total), "\(done)/\(total)") }
        }
        let places = Dictionary(uniqueKeysWithValues: dataSet.clips.enumerated().map { ($0.element.name, $0.offset) })
        for seed in seeds {
            for number in 1...folds {
                let (others, held) = dataSet.divided(.init(number, of: folds))
                let (own, left) = (others.compactMap { places[$0.name] }, held.compactMap { places[$0.name] })
                var recipe = recipe
                (recipe.seed, recipe.patience) = (seed, 10_000)
                let source = TransferSource(backbone: backbone, isComplete: !(learnsToSee && backbone.isEmpty), seed: seed)
                let store = ParameterStore(source, for: .training, on: zoo.backend)
                let training = ModelTraining(
                    recipe, try M(hyperparameters, assets: assets, parameters: store.root), in: store, assets: assets,
                    encodings: encodings?.divided(training: own, development: left), training: own.map { data.training[$0] },
                    development: left.map { data.training[$0] }, decoding: try card.decoding(as: M.Decoding.self),
                    drawing: { _, _ in try card.decoding(as: M.Decoding.self) }, statePath: "\(scratch)/\(seed)-\(number).h5",
                    fingerprint: "\(seed) \(number)",
                    score: { TrainingData.accuracies($0.map { $0[0] }, truth: held.map(\.label)) })
                let bar = ProgressBar("training, seed \(seed), fold \(number)")
                let history = try training.run(
                    save: { _ in },
                    progress: { bar.update(Double($0.epoch) / Double($0.epochs), "epoch \($0.epoch)/\($0.epochs)") },
                    finished: { _ in })
                bar.clear()
                let scores = history.last?.scores ?? [:]
                try finished(
                    Fold(
                        seed: seed, fold: number, clips: held.count, accuracy: scores["accuracy"] ?? 0,
                        meanPerClass: scores["meanPerClass"] ?? 0))
            }
        }
    }
}
