public import ModelKit
public import NeuralNetworks
public import Tensors
import Checkpoints
import Foundation
import Language

/// Cards, plugins and a backend: everything that is needed to run a model by name.
public struct Zoo: Sendable {
    public let catalogue: Catalogue
    public let plugins: PluginTable
    public let backend: any Backend
    /// Where packed weights are kept from run to run; nil: nowhere.
    public let packing: PackingFolder?

    public init(catalogue: Catalogue, plugins: PluginTable, backend: any Backend, packing: PackingFolder? = nil) {
        (self.catalogue, self.plugins, self.backend, self.packing) = (catalogue, plugins, backend, packing)
    }

    /// A model with its weights, ready to run.
    /// - Parameters:
    ///   - parameters: where the values come from instead of the card's files.
    ///   - weights: a file to be read in place of the card's main one.
    ///   - storage: how large matrices are kept, instead of what the card says.
    /// - Throws: ``ModelKit/CardError``, ``PluginError``, ``WeightsError``, or what the card's files throw.
    public func load(
        _ nameOrPath: String, parameters: (any ParameterSource)? = nil, weights: String? = nil, storage: WeightStorage? = nil
    ) throws -> LoadedModel {
        let card = try catalogue.card(nameOrPath)
        let plugin = try plugins.plugin(named: card.architecture)
        let files = parameters == nil ? try weightFiles(of: card, main: weights) : [], source = CheckpointSource(files)
        let storage = storage ?? card.storage
        let packed = parameters == nil ? try packedWeights(of: card, files, storage) : nil
        let store = ParameterStore(parameters ?? source, on: backend, storage: storage, packing: packed)
        func make<M: Model>(_ type: M.Type) throws -> LoadedModel {
            let assets = try assets(of: card), nameless = missingClassNames(of: card), model: M
            do {
                model = try M(card.hyperparameters(as: M.Hyperparameters.self), assets: assets, parameters: store.root)
            } catch InputError.missingAsset("answers") where nameless != nil {
                throw nameless!  // this one cannot do without
            }
            try source.check(card: card.document.file)
            // Not before: what is wrong with the weights must not be kept.
            if let packed { packing?.finish(packed) }
            let notes = nameless.map { ["classes have numbers instead of names: \($0)"] } ?? []
            return LoadedModel(model, card: card, assets: assets, notes: notes)
        }
        return try make(plugin.model)
    }

    private func packedWeights(
        of card: ModelCard, _ files: [CheckpointSource.File], _ storage: WeightStorage
    ) throws -> PackedWeights? {
        var cards = [card.document.text]
        if case .model = card.backbone { cards.append(try catalogue.backbone(of: card).card.document.text) }
        return packing?.weights(of: card.name, description: cards, files: files.map(\.checkpoint.path), storage: storage)
    }

    /// The backbone, vocabulary and other files of a card. A classifier without the file of its classes has no labels.
    public func assets(of card: ModelCard) throws -> Assets {
        var assets = Assets(backend: backend, preprocessing: card.preprocess)
        assets.frames = card.frames
        if card.backbone != nil { assets.backbone = try catalogue.backbone(of: card).layers }
        if let file = card.vocabulary {
            let path = try catalogue.locate(file, role: "the vocabulary", of: card)
            assets.vocabulary = try Vocabulary(
                contentsOf: URL(fileURLWithPath: path), format: file.format, convention: file.convention)
            assets.tokenizer = file.tokenizer
        }
        if let file = card.answers, missingClassNames(of: card) == nil {
            let path = try catalogue.locate(file, role: "the answers", of: card)
            assets.labels = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline).map(String.init)
        }
        return assets
    }

    /// That the file with the names of a classifier's classes is missing: the classes of a picture can be told by their
    /// numbers, whereas an answer to a question is nothing without its words.
    private func missingClassNames(of card: ModelCard) -> CardError? {
        guard card.task == .imageClassification, let file = card.answers else { return nil }
        do throws(CardError) {
            _ = try catalogue.locate(file, role: "the answers", of: card)
            return nil
        } catch {
            return error
        }
    }

    /// The files with a card's parameters: its own first, then those of the card its backbone comes from.
    /// - Parameter main: a file to be read in place of the card's main one.
    public func weightFiles(of card: ModelCard, main: String? = nil) throws -> [CheckpointSource.File] {
        var files: [CheckpointSource.File] = []
        for weights in card.weights {
            let isBackbone = weights.role == .cnn
            let role = isBackbone ? "the backbone's weights" : "weights"
            let path = weights.role == .main ? main : nil
            files.append(
                .init(
                    try Checkpoint.open(path ?? catalogue.locate(weights, role: role, of: card)),
                    prefix: isBackbone ? "cnn." : "", isExhausted: !isBackbone))
        }
        if !card.weights.contains(where: { $0.role == .cnn }) { files += try referencedFiles(of: card) }
        return files
    }

    /// The files with the parameters of a card's backbone alone.
    public func backboneFiles(of card: ModelCard) throws -> [CheckpointSource.File] {
        let own = card.weights.filter { $0.role == .cnn }
        if own.isEmpty { return try referencedFiles(of: card) }
        return try own.map {
            .init(
                try Checkpoint.open(catalogue.locate($0, role: "the backbone's weights", of: card)), prefix: "cnn.",
                isExhausted: false)
        }
    }

    private func referencedFiles(of card: ModelCard) throws -> [CheckpointSource.File] {
        guard case .model = card.backbone else { return [] }
        let backbone = try catalogue.backbone(of: card).card
        return try backbone.weights.filter { $0.role == .main }.map {
            .init(try Checkpoint.open(catalogue.locate($0, role: "weights", of: backbone)), prefix: "cnn.", isExhausted: false)
        }
    }
}
