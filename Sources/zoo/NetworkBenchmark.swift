import Checkpoints
import ModelKit
import NeuralNetworks
import Runtime
import Tensors

/// The backbone of a card, to be timed.
struct NetworkBenchmark {
    let card: ModelCard
    /// The card that lists the layers: `card`, or the one it refers to.
    let backboneCard: String
    let network: Backbone
    /// `[height, width, channels]`.
    let input: Shape
    /// The file with the weights of the backbone; nil where they are random numbers.
    let weights: String?
    let probe = LayerProbe()
    let store: ParameterStore
    private let backend: any Backend

    /// - Parameters:
    ///   - size: of the picture's sides, instead of the card's.
    ///   - tap: the layer to stop after, instead of the card's.
    ///   - file: weights in the names of the backbone's card, instead of the card's own.
    ///   - purpose: what the layers are made for.
    ///   - isCached: whether packed weights are taken from an earlier run.
    /// - Throws: what reading the card, the layers and the weights throws.
    init(
        _ nameOrPath: String, size: Int?, tap: String?, weights file: String?, for purpose: ParameterStore.Purpose,
        isCached: Bool, in zoo: Zoo
    ) throws {
        card = try zoo.catalogue.card(nameOrPath)
        backend = zoo.backend
        let resolved = try zoo.catalogue.backbone(of: card), owner = resolved.card
        var description = resolved.layers
        if let size { description.input = [size, size, description.input[2]] }
        if let tap { description.tap = tap }
        backboneCard = owner.name
        input = description.input
        var files: [CheckpointSource.File]?
        if let file {
            files = [.init(try Checkpoint.open(file), prefix: "cnn.", isExhausted: false)]
        } else {
            files = try Self.files(of: card, owner, zoo)
        }
        let source = CheckpointSource(files ?? [])
        let variant = "\(description.input) \(description.tap ?? "")"
        var packed: PackedWeights?
        if isCached, let files {
            packed = zoo.packing?.weights(
                of: card.name, description: [card.document.text, owner.document.text, Array(variant.utf8)],
                files: files.map(\.checkpoint.path), storage: card.storage)
        }
        store = ParameterStore(
            files == nil ? FreshParameters(seed: 0) : source, for: purpose, on: zoo.backend, storage: card.storage,
            packing: packed,
            probe: probe)
        network = try description.make(in: store.root["cnn"])
        if files != nil { try source.check(card: card.document.file) }
        if let packed { zoo.packing?.finish(packed) }
        let names = Set(store.all.map(\.name))
        weights =
            files?.first { file in file.checkpoint.tensors.contains { names.contains(file.prefix + $0.name) } }?.checkpoint.path
    }

    /// The files of the card and of the card of its backbone; nil where any is not here.
    private static func files(of card: ModelCard, _ owner: ModelCard, _ zoo: Zoo) throws -> [CheckpointSource.File]? {
        do {
            // A card that lists its layers itself may name their weights with 'cnn.' (a captioner) or without (a classifier).
            var files = try zoo.weightFiles(of: card)
            if owner.name == card.name {
                files += files.filter { $0.prefix.isEmpty }.map { .init($0.checkpoint, prefix: "cnn.") }
            }
            return files.isEmpty ? nil : files.map { .init($0.checkpoint, prefix: $0.prefix, isExhausted: false) }
        } catch CardError.missingFile {
            return nil
        }
    }

    /// Pictures of noise.
    func pictures(_ count: Int) -> Tensor {
        RandomSource(seed: 0).normal(Shape([count] + input.dimensions), deviation: 1, on: backend)
    }

    /// Pictures from a file with one tensor, `[n, height, width, channels]`.
    func pictures(from path: String) throws -> Tensor {
        let checkpoint = try Checkpoint.open(path)
        guard let tensor = checkpoint.tensors.first, checkpoint.tensors.count == 1 else {
            throw Failure(
                .badData, "\(path): has \(checkpoint.tensors.count) tensors; give --input a file with the pictures alone")
        }
        guard tensor.shape.rank == 4, tensor.shape[0] >= 1, Array(tensor.shape.dimensions.dropFirst()) == input.dimensions else {
            throw Failure(
                .badData,
                "\(path): the tensor is \(tensor.shape), but the network takes pictures of \(input); make it "
                    + "[pictures × height × width × channels], or change --size")
        }
        return try tensor.tensor(on: backend)
    }

    /// Writes the parameters under the names that the backbone's card uses.
    func saveWeights(to path: String) throws {
        let tensors = try store.all.map { CheckpointTensor(name: String($0.name.dropFirst("cnn.".count)), try $0.read()) }
        try Checkpoint(tensors, attributes: ["card": backboneCard]).write(to: path)
    }
}
