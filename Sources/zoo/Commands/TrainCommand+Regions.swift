import Foundation
import Language
import ModelKit
import NeuralNetworks
import Runtime
import Training

/// The training of models that find and describe regions.
extension TrainCommand {
    func trainRegions<M: RegionTrainableModel>(
        _ type: M.Type, _ card: ModelCard, _ zoo: Zoo, _ recipe: TrainingRecipe, _ document: JSONDocument, _ files: TrainingFiles
    ) throws {
        if recipe.selfCritical != nil { throw TrainingError.noSentencesToJudge(document.file) }
        let dataSet = try RegionDataSet(folder: URL(fileURLWithPath: data))
        let training = Array(dataSet[.train].prefix(limit ?? .max)), development = dataSet[.val]
        guard !training.isEmpty, !development.isEmpty else { throw TrainingError.emptySplit(data) }
        try writeWords(card, zoo, training.flatMap { $0.regions.flatMap(\.phrases) }, recipe)
        var assets = try zoo.assets(of: card)
        if assets.tokenizer == nil { assets.tokenizer = .letters }
        let backbone = try zoo.backboneFiles(of: card), frozenLayers = try recipe.frozenLayers(of: assets.backbone)
        let source = TransferSource(
            backbone: backbone, isComplete: !(recipe.backbone == .trained && backbone.isEmpty), seed: recipe.seed)
        let store = ParameterStore(source, for: .training, on: zoo.backend)
        let hyperparameters = try card.hyperparameters(as: M.Hyperparameters.self)
        let model = try M(hyperparameters, assets: assets, parameters: store.root)
        // A second copy, whose backbone is folded and packed, sees the photos while the backbone is frozen.
        let eyes = try M(hyperparameters, assets: assets, parameters: ParameterStore(source, on: zoo.backend).root)
        try source.check(card: card.document.file)
        let loop = RegionTraining(
            recipe, model, in: store, eyes: eyes, assets: assets, training: training, development: development,
            frozenLayers: frozenLayers, statePath: files.state,
            fingerprint: try "\(card.sight(through: backbone)) \(dataSet.name) "
                + "\(training.count)+\(development.count) \(String(decoding: document.text, as: UTF8.self)) \(recipe.epochs) "
                + "\(recipe.batch) \(recipe.optimizer) \(recipe.seed) \(assets.vocabulary?.count ?? 0)")
        if let wordVectors { try initializeEmbedding(wordVectors, store, assets) }
        let bar = ProgressBar("training"), deadline = self.deadline
        let history = try loop.run(deadline: deadline) { record in
            try save(
                store, card, to: files.weights, "\(dataSet.name), \(training.count) photos, epoch \(record.epoch)",
                withBackbone: record.includesBackbone, except: frozenLayers)
        } progress: { p in
            bar.update(Double(p.batch) / Double(p.batches), Self.notes(p))
        } finished: { record in
            bar.clear()
            report(record)
        }
        conclude(history, recipe, deadline, files)
    }

    /// Every loss with its name, or, where there is no room, with the first letters of its words.
    private static func notes(_ p: TrainingProgress) -> [String] {
        let losses = (p.losses ?? [:]).sorted { $0.key < $1.key }
        let named = losses.map { String(format: "%@ %.3f", $0.key, $0.value) }.joined(separator: ", ")
        let short = losses.map { name, loss in
            String(format: "%@ %.3g", name.split(separator: " ").map { String($0.prefix(1)) }.joined(), loss)
        }.joined(separator: " ")
        let left = Figure.duration(p.secondsLeft)
        return [
            String(
                format: "epoch %d/%d  loss %.3f (%@)  %.1f photos/s  %@ left", p.epoch, p.epochs, p.loss, named,
                p.predictionsPerSecond, left),
            "epoch \(p.epoch)/\(p.epochs)  \(short)  \(left) left", "\(p.epoch)/\(p.epochs) \(short) \(left)",
        ]
    }
}
