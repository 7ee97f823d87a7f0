import ArgumentParser
import Checkpoints
import Foundation
import Language
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model on photos with captions, questions and answers, or described regions, or on videos.",
        discussion: """
            The recipe (epochs, optimiser, schedule) is the file that the card's training.recipe names; options override it. \
            A killed training goes on where it was when the same command is given again.

            Examples:
              zoo train captioner --data flickr8k --out my-captioner.h5
              zoo train san-vqa --data daquar --seed 2 --json
              zoo train densecap --data flickr8k --time-limit 90
              zoo train video-lstm --data fights --folds 5 --seeds 3
            """)

    @Argument(help: "The card: a name of the catalogue or a path.") var card: String
    @Option(
        help: """
            The data set. For captions a Flickr8k folder, Karpathy's dataset_*.json or COCO's captions_*.json; for questions \
            DAQUAR, easy-VQA, or VQA's *_questions.json with *_annotations.json; for regions a Flickr8k folder with \
            regions.json or Visual Genome's region_descriptions.json; for videos a folder with a folder for every class.
            """) var data: String
    @Option(help: "Where the weights go. Default: where the card looks for them.") var out: String?
    @Option(help: "The recipe. Default: the card's.") var recipe: String?
    @Option(help: "Epochs, instead of the recipe's.") var epochs: Int?
    @Option(help: "Captions or questions per step, instead of the recipe's.") var batch: Int?
    @Option(help: "The first learning rate, instead of the recipe's.") var learningRate: Float?
    @Option(help: "The seed of all random numbers, instead of the recipe's.") var seed: UInt64?
    @Option(help: "A word2vec or GloVe file that the word embeddings begin with.") var wordVectors: String?
    @Option(help: "More photos for the distillation of a backbone: a folder. Repeatable.") var photos: [String] = []
    @Option(help: "Stop after so many minutes, so that the same command goes on later.") var timeLimit: Double?
    @Option(help: "Only the first so many training photos or videos.") var limit: Int?
    @Option(help: "Which part of the videos is held back, as in 2/5.") var fold: String?
    @Option(help: "Cross-validation: so many trainings on videos, each without one part of them; writes no weights.")
    var folds: Int?
    @Option(help: "Of a cross-validation: so many seeds, from the recipe's on.") var seeds: Int = 1
    @Flag(help: "Begin anew although there is a state to go on from.") var fresh = false
    @Flag(help: "Build the vocabulary and the list of answers anew from the training data.") var newVocabulary = false
    @Flag(help: "Record size and digest of the new files in the card.") var writeCard = false
    @Flag(help: "Print a JSON object per epoch.") var json = false
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        for (option, value, least) in [("--epochs", epochs, 0), ("--batch", batch, 1), ("--limit", limit, 1)] {
            if let value, value < least { throw ValidationError("\(option) must be at least \(least), not \(value)") }
        }
        for (option, value, least) in [("--folds", folds, 2), ("--seeds", seeds, 1)] {
            if let value, !(least...1000 ~= value) {
                throw ValidationError("\(option) must be from \(least) to 1000, not \(value)")
            }
        }
        if let fold, ClipDataSet.Fold(fold) == nil {
            throw ValidationError("--fold is a part and how many there are, as in 2/5, not '\(fold)'")
        }
        if fold != nil, folds != nil { throw ValidationError("--fold and --folds exclude each other; leave one out") }
        if let learningRate, !(learningRate >= 0) {
            throw ValidationError("--learning-rate must be at least 0, not \(learningRate)")
        }
    }

    func run() throws {
        let zoo = try global.zoo(), card = try zoo.catalogue.card(card)
        if folds != nil || fold != nil, card.task != .videoClassification {
            throw Failure(.usage, "\(card.name) watches no videos; leave --fold and --folds out")
        }
        let recipePath = try recipe ?? declaredRecipe(card)
        let document = try JSONDocument(contentsOf: recipePath)
        guard let weights = card.weights.first(where: { $0.role == .main }) else {
            throw TrainingError.noWeightsEntry(card.document.file)
        }
        guard let target = out ?? zoo.catalogue.candidates(for: weights, of: card).first else {
            throw TrainingError.noWeightsEntry(card.document.file)
        }
        let files = TrainingFiles(weights: target)
        // Not after an hour.
        try OutputFile.check(target)
        _ = try HDF5Library(for: files.state)
        if fresh { files.forget() }
        if document.root["distillation"] != nil {
            try distil(card, zoo, document, files)
        } else {
            try train(card, zoo, document, files)
        }
        if writeCard { try CardUpdate(card).recordFiles(weights: target, parameters: nil) }
    }

    var deadline: Date { timeLimit.map { Date().addingTimeInterval($0 * 60) } ?? .distantFuture }

    private func declaredRecipe(_ card: ModelCard) throws -> String {
        guard let path = card.training?.recipe, let resolved = card.folder.resolve(path) else {
            throw TrainingError.noRecipe(card.document.file)
        }
        return resolved
    }

    // MARK: A model

    private func train(_ card: ModelCard, _ zoo: Zoo, _ document: JSONDocument, _ files: TrainingFiles) throws {
        var recipe = try StrictJSONDecoder().decode(TrainingRecipe.self, from: document.root)
        if let epochs { recipe.epochs = epochs }
        if let batch { recipe.batch = batch }
        if let learningRate { recipe.optimizer.learningRate = learningRate }
        if let seed { recipe.seed = seed }
        let plugin = try zoo.plugins.plugin(named: card.architecture)
        if let type = plugin.model as? any RegionTrainableModel.Type {
            return try trainRegions(type, card, zoo, recipe, document, files)
        }
        guard let type = plugin.model as? any TrainableModel.Type else { throw TrainingError.notTrainable(card.architecture) }
        if let folds { return try crossValidate(card, zoo, recipe, folds: folds, files) }
        let dataSet = try TrainingData(
            data, for: card, limit: limit, samplesAnswers: recipe.answers.areSampled,
            fold: fold.flatMap { ClipDataSet.Fold($0) } ?? .standard)
        try writeWords(card, zoo, dataSet.texts, answers: dataSet.answers, recipe)
        var assets = try zoo.assets(of: card)
        if assets.tokenizer == nil { assets.tokenizer = .letters }
        try run(type, card, zoo, recipe, document, assets, dataSet, files)
    }

    private func crossValidate(
        _ card: ModelCard, _ zoo: Zoo, _ recipe: TrainingRecipe, folds: Int, _ files: TrainingFiles
    ) throws {
        let dataSet = try ClipDataSet(folder: URL(fileURLWithPath: data), classes: TrainingData.knownClasses(card))
        let validation = CrossValidation(
            card: card, zoo: zoo, recipe: recipe, dataSet: dataSet, folds: folds,
            seeds: (0..<UInt64(seeds)).map { recipe.seed + $0 })
        var all: [CrossValidation.Fold] = []
        try validation.run(encodings: files.encodings) { fold in
            all.append(fold)
            if json { return try Console.output.write(JSONValue(encoding: fold).text) }
            try Console.output.write(
                String(
                    format: "seed %d, fold %d of %d: %d videos, accuracy %.2f %%, mean per class %.2f %%", Int(fold.seed),
                    fold.fold, folds, fold.clips, fold.accuracy * 100, fold.meanPerClass * 100))
        }
        // Every video was held back once for every seed.
        let means = Dictionary(grouping: all, by: \.seed).sorted { $0.key < $1.key }.map { _, own in
            own.reduce(0) { $0 + Double($1.accuracy) * Double($1.clips) } / Double(dataSet.clips.count)
        }
        let mean = means.reduce(0, +) / Double(means.count)
        if json {
            return try Console.output.write(
                JSONValue.object([
                    .init("accuracy", .number(mean)), .init("accuracyBySeed", .array(means.map { .number($0) })),
                ]).text)
        }
        let list = means.map { String(format: "%.2f", $0 * 100) }.joined(separator: ", ")
        try Console.output.write(
            String(format: "%@ on %@, %d folds: accuracy %.2f %% (by seed: ", card.name, dataSet.name, folds, mean * 100)
                + list + ")")
    }

    /// Builds the vocabulary and the list of answers from the data where there are none yet.
    func writeWords(
        _ card: ModelCard, _ zoo: Zoo, _ texts: [String], answers: [String] = [], _ recipe: TrainingRecipe
    ) throws {
        func missing(_ file: (any CardFile)?) -> String? {
            guard let file, let path = zoo.catalogue.candidates(for: file, of: card).first else { return nil }
            return newVocabulary || !FileManager.default.fileExists(atPath: path) ? path : nil
        }
        if let file = card.vocabulary, let path = missing(file) {
            let tokenizer = file.tokenizer ?? .letters
            let vocabulary = try Vocabulary(
                counting: texts.lazy.map { tokenizer.words(in: $0) }, keeping: .atLeast(recipe.minimumCount),
                convention: file.convention)
            try vocabulary.write(to: URL(fileURLWithPath: path), as: file.format ?? .wordCounts)
            note("wrote a vocabulary of \(vocabulary.count) words to \(path)")
        }
        if !answers.isEmpty, let path = missing(card.answers) {
            let answers = recipe.answers.chosen(from: answers)
            try Data((answers.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            note("wrote \(answers.count) answers to \(path)")
        }
    }

    private func run<M: TrainableModel>(
        _ type: M.Type, _ card: ModelCard, _ zoo: Zoo, _ recipe: TrainingRecipe, _ document: JSONDocument, _ assets: Assets,
        _ dataSet: TrainingData, _ files: TrainingFiles
    ) throws {
        let backbone = try zoo.backboneFiles(of: card), learnsToSee = recipe.backbone == .trained
        let hyperparameters = try card.hyperparameters(as: M.Hyperparameters.self)
        // A backbone that learns may begin with nothing.
        let source = TransferSource(backbone: backbone, isComplete: !(learnsToSee && backbone.isEmpty), seed: recipe.seed)
        let store = ParameterStore(source, for: .training, on: zoo.backend)
        let model = try M(hyperparameters, assets: assets, parameters: store.root)
        let encodingKey =
            try "\(card.sight(through: backbone)) \(dataSet.name) "
            + "\(dataSet.training.count)+\(dataSet.development.count) views \(recipe.views) seed \(recipe.seed)"
        var encodings: EncodingCache?
        if !learnsToSee {
            // A second copy, whose backbone is folded and packed, does the encoding.
            let encoder = try M(hyperparameters, assets: assets, parameters: ParameterStore(source, on: zoo.backend).root)
            let bar = ProgressBar("encoding \(card.task.examples)")
            encodings = try EncodingCache(
                encoder, assets: assets, training: dataSet.training, development: dataSet.development, views: recipe.views,
                seed: recipe.seed, path: files.encodings, fingerprint: encodingKey
            ) { done, total in bar.update(Double(done) / Double(total), "\(done)/\(total)") }
            bar.clear()
        }
        try source.check(card: card.document.file)
        if let wordVectors { try initializeEmbedding(wordVectors, store, assets) }
        let bar = ProgressBar("training")
        let training = ModelTraining(
            recipe, model, in: store, assets: assets, encodings: encodings, training: dataSet.training,
            development: dataSet.development, decoding: try card.decoding(as: M.Decoding.self),
            drawing: { sentences, seed in
                let options: [JSONValue.Member] = [
                    .init("method", .string("sample")), .init("nbest", .integer(sentences)), .init("seed", .integer(Int(seed))),
                ]
                return try card.decoding(as: M.Decoding.self, options: options)
            }, frozenLayers: try recipe.frozenLayers(of: assets.backbone), statePath: files.state,
            fingerprint:
                "\(encodingKey) \(String(decoding: document.text, as: UTF8.self)) \(recipe.epochs) \(recipe.batch) "
                + "\(recipe.optimizer) \(assets.vocabulary?.count ?? 0)", score: dataSet.score)
        let deadline = self.deadline
        let history = try training.run(deadline: deadline) { record in
            try save(
                store, card, to: files.weights,
                "\(dataSet.name), \(dataSet.training.count) \(card.task.examples), epoch \(record.epoch)",
                withBackbone: record.includesBackbone, except: try recipe.frozenLayers(of: assets.backbone))
        } progress: { p in
            bar.update(
                Double(p.batch) / Double(p.batches),
                String(
                    format: "epoch %d/%d  loss %.3f  perplexity %.1f  %.0f %@/s  %@ left", p.epoch, p.epochs, p.loss,
                    p.perplexity, p.predictionsPerSecond, dataSet.answers.isEmpty ? "words" : "answers",
                    Figure.duration(p.secondsLeft)))
        } finished: { record in
            bar.clear()
            report(record)
        }
        conclude(history, recipe, deadline, files)
    }

    func conclude(_ history: [EpochRecord], _ recipe: TrainingRecipe, _ deadline: Date, _ files: TrainingFiles) {
        if Date() > deadline, (history.last?.epoch ?? 0) < recipe.allEpochs {
            note("stopped at the time limit; the same command goes on")
        } else if !history.isEmpty {
            note("the best weights are in \(files.weights)")
        }
    }

    /// Words that the file knows begin with its vectors; the card's embedding must have their width.
    func initializeEmbedding(_ path: String, _ store: ParameterStore, _ assets: Assets) throws {
        let isTable = { (parameter: Parameter) in ".\(parameter.name)".hasSuffix(".word.weight") }
        guard let vocabulary = assets.vocabulary, let table = store.all.first(where: isTable) else {
            throw TrainingError.noEmbedding(path)
        }
        let vectors = try WordVectors(contentsOf: URL(fileURLWithPath: path), for: vocabulary), width = table.value.shape[1]
        guard vectors.dimension == width else {
            throw TrainingError.embeddingWidth(path, found: vectors.dimension, expected: width)
        }
        let fresh = table.value.scalars, rows = table.value.shape[0]
        var scalars = vectors.table(for: vocabulary) { row in Array(fresh[row * width..<(row + 1) * width]) }
        scalars += fresh[scalars.count...]
        table.value = Tensor(scalars, [rows, width], on: store.backend)
        note("\(vectors.coverage(of: vocabulary)) of \(vocabulary.count) words begin with vectors of \(path)")
    }

    /// - Parameter layers: of the backbone that have not learnt.
    func save(
        _ store: ParameterStore, _ card: ModelCard, to path: String, _ what: String, withBackbone: Bool,
        except layers: Set<String>
    ) throws {
        let type: ElementType =
            card.weights.first { $0.role == .main }?.dtype.flatMap { ElementType(rawValue: $0.rawValue) } ?? .float32
        // A frozen backbone stays in its own file.
        let own = store.all.filter { !$0.isOfBackbone || (withBackbone && !$0.isOf(layers)) }
        _ = try Checkpoint(
            // A variance can be larger than any number in half precision.
            own.map { CheckpointTensor(name: $0.name, $0.value, elementType: $0.isStatistic ? .float32 : type) },
            attributes: ["zoo_model": card.name, "zoo_version": card.version, "zoo_trained_on": what]
        ).write(to: path)
    }

    // MARK: A backbone

    private func distil(_ card: ModelCard, _ zoo: Zoo, _ document: JSONDocument, _ files: TrainingFiles) throws {
        let plan = try StrictJSONDecoder().decode(DistillationRecipe.self, from: document.root).distillation
        let dataSet = try CaptionDataSet(folder: URL(fileURLWithPath: data))
        var paths = dataSet.trainingImages.map(\.file.path)
        for folder in photos {
            paths += try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
        }
        if let limit { paths = Array(paths.prefix(limit)) }
        let teacherCard = try zoo.catalogue.card(plan.teacher)
        // The card may have more than the distillation needs.
        let source = CheckpointSource(
            try zoo.weightFiles(of: teacherCard).map { .init($0.checkpoint, prefix: $0.prefix, isExhausted: false) })
        let teacherScope = ParameterStore(source, on: zoo.backend).root
        let whole = try zoo.catalogue.backbone(of: teacherCard).layers
        let teacher = try Backbone(whole.layers, input: whole.input, tap: plan.features.teacher, in: teacherScope)
        // The classifier is what follows the teacher's features up to the logits, applied to features that are pooled already.
        let rest = whole.layers.drop { $0.name != plan.features.teacher }.dropFirst()
        let pooled = Array(rest.drop { $0.layer != .globalAveragePool }.dropFirst().prefix { $0.layer != .softmax })
        let classifier = try Backbone(pooled, input: [teacher.summary.output[-1]], in: teacherScope)
        try source.check(card: teacherCard.document.file)
        let own = try zoo.catalogue.backbone(of: card).layers
        let store = ParameterStore(FreshParameters(seed: plan.seed), for: .training, on: zoo.backend)
        let student = try Backbone(own.layers, input: own.input, tap: plan.features.student, in: store.root)
        let distillation = try Distillation(
            plan, student: student, in: store, teacher: teacher, classifier: { classifier($0) },
            normalize: { Float($0) / 127.5 - 1 })
        let isDone = try distillation.train(
            on: paths, development: dataSet[.val].map(\.file.path), statePath: files.state, deadline: deadline
        ) {
            let type: ElementType =
                card.weights.first { $0.role == .main }?.dtype.flatMap { ElementType(rawValue: $0.rawValue) } ?? .float32
            _ = try Checkpoint(
                distillation.studentParameters.map { CheckpointTensor(name: $0.name, $0.value, elementType: type) },
                attributes: [
                    "zoo_model": card.name, "zoo_version": card.version,
                    "zoo_trained_on": "\(paths.count) photos, teacher \(plan.teacher)",
                ]
            ).write(to: files.weights)
        } report: {
            note($0)
        }
        note(isDone ? "the best weights are in \(files.weights)" : "stopped at the time limit; the same command goes on")
    }

    // MARK: What is printed

    func report(_ record: EpochRecord) {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            Console.output.draw(String(decoding: (try? encoder.encode(record)) ?? Data(), as: UTF8.self) + "\n")
        } else {
            let parts = (record.losses ?? [:]).sorted { $0.key < $1.key }.map { name, loss in
                String(format: "%@ %.4f/%.4f", name, loss, record.developmentLosses?[name] ?? .nan)
            }
            let scores = record.scores.sorted { $0.key < $1.key }
                .map { String(format: "%@ %.4g", $0.key, $0.value) }.joined(separator: "  ")
            Console.output.draw(
                String(
                    format: "epoch %d: training loss %.4f, development loss %.4f  %@  (%.0f s)\n", record.epoch,
                    record.trainingLoss, record.developmentLoss ?? .nan, (parts + [scores]).joined(separator: "  "),
                    record.seconds))
        }
    }

    func note(_ line: String) { Console.error.say(line) }
}

private struct DistillationRecipe: Decodable { let distillation: DistillationPlan }

/// The files of one training, all named after its weights.
struct TrainingFiles {
    let weights: String
    var state: String { stem + ".training.h5" }
    var encodings: String { stem + ".encodings.h5" }
    private var stem: String { weights.hasSuffix(".h5") ? String(weights.dropLast(3)) : weights }

    func forget() { for path in [state, encodings] { try? FileManager.default.removeItem(atPath: path) } }
}

extension ModelTask {
    /// What a training set holds.
    fileprivate var examples: String { inputs.contains(.video) ? "videos" : "photos" }
}
