import Checkpoints
import Foundation
import Media
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Runtime
import Tensors
import Testing
import Training

/// The training of a tiny DenseCap on pictures that are made here: to the bit the same, whatever happens on the way.
@Suite struct RegionTrainings {
    private static func recipe(_ changes: [String: String] = [:]) throws -> TrainingRecipe {
        var members = [
            "epochs": "1", "batch": "2", "optimizer": #"{"kind": "adam", "learning_rate": 0.01}"#,
            "fine_tuning": """
                {"epochs": 2, "learning_rate": 0.005, "schedule": {"kind": "cosine", "floor": 0.1}, "first_layer": "b",
                 "optimizer": {"kind": "sgd", "learning_rate": 0.02, "momentum": 0.9}}
                """,
            "clipping": #"{"kind": "global_norm", "limit": 5}"#, "patience": "10", "views": "3", "seed": "7",
        ]
        members.merge(changes) { $1 }
        let text = "{" + members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
        return try StrictJSONDecoder().decode(TrainingRecipe.self, from: JSONDocument(text, file: "recipe.json").root)
    }

    /// Pictures with marked regions in the form of Flickr8k.
    private static func dataSet(in folder: TemporaryFolder) throws -> RegionDataSet {
        let names = (0..<5).map { "\($0).png" }
        try FileManager.default.createDirectory(atPath: folder.file("images"), withIntermediateDirectories: true)
        for (n, name) in names.enumerated() {
            try Data(picture(n).pngData()).write(to: URL(fileURLWithPath: folder.file("images/" + name)))
        }
        let regions = names.map { name in
            """
            {"image": "\(name)", "W": 48, "H": 38, "regions": [
              {"boxes": [[2, 3, 20, 30]], "phrases": ["a dog", "a brown dog"]},
              {"boxes": [[10, 5, 46, 36]], "phrases": ["grass"]}]}
            """
        }
        for (file, text) in [
            "regions.json": "[" + regions.joined(separator: ",") + "]", "train.txt": "0.png\n1.png\n2.png\n",
            "dev.txt": "3.png\n4.png\n", "captions.txt": "image,caption\n" + names.map { "\($0),a dog\n" }.joined(),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(file)))
        }
        return try RegionDataSet(folder: URL(fileURLWithPath: folder.file("")))
    }

    private struct Outcome {
        var history: [EpochRecord]
        var weights: [String: [Float]]

        func isSame(_ other: Outcome) -> Bool {
            weights == other.weights && history.map(\.losses) == other.history.map(\.losses)
                && history.map(\.developmentLosses) == other.history.map(\.developmentLosses)
                && history.map(\.learningRate) == other.history.map(\.learningRate)
        }
    }

    /// One process: everything is made anew, only the files in `folder` are there from before.
    private static func process(
        _ recipe: TrainingRecipe, in folder: TemporaryFolder, deadline: Date = .distantFuture
    ) throws -> Outcome {
        let catalogue = try SampleCatalogue("densecap"), backend = OpenBLAS(threads: 1), dataSet = try dataSet(in: folder)
        func run<M: RegionTrainableModel>(_ type: M.Type) throws -> Outcome {
            let (eyes, _, assets) = try catalogue.make(type, on: backend)
            let (model, store, _) = try catalogue.make(type, for: .training, on: backend)
            let trainer = RegionTraining(
                recipe, model, in: store, eyes: eyes, assets: assets, training: dataSet[.train], development: dataSet[.val],
                frozenLayers: try recipe.frozenLayers(of: assets.backbone), statePath: folder.file("state.h5"),
                fingerprint: "the same")
            let history = try trainer.run(deadline: deadline, save: { _ in }, progress: { _ in }, finished: { _ in })
            return Outcome(
                history: history, weights: Dictionary(uniqueKeysWithValues: store.all.map { ($0.name, $0.value.scalars) }))
        }
        guard let type = try catalogue.plugin().model as? any RegionTrainableModel.Type else { throw CancellationError() }
        return try run(type)
    }

    /// Killed after every step, within epochs and between them; the backbone has a rule of its own in the second phase.
    @Test func killedAndResumed() throws {
        let recipe = try Self.recipe(), whole = try Self.process(recipe, in: TemporaryFolder()), folder = try TemporaryFolder()
        #expect(whole.history.count == 3)
        var last: Outcome?, processes = 0
        while last?.history.count != 3, processes < 50 {
            last = try Self.process(recipe, in: folder, deadline: .distantPast)
            processes += 1
        }
        // Two steps an epoch; each process does one, and the first of an epoch ends the one before.
        #expect(processes == 7)
        #expect(try #require(last).isSame(whole))
    }

    /// Frozen layers stay as they are, all others learn; normalisation stays as well.
    @Test func whatLearns() throws {
        let catalogue = try SampleCatalogue("densecap"), trained = try Self.process(Self.recipe(), in: TemporaryFolder())
        func parameters<M: Model>(_ type: M.Type) throws -> [Parameter] {
            try catalogue.make(type, for: .training, on: OpenBLAS(threads: 1)).store.all
        }
        for parameter in try parameters(catalogue.plugin().model) {
            let isFrozen = parameter.name.hasPrefix("cnn.a.")
            #expect((parameter.value.scalars == trained.weights[parameter.name]) == isFrozen, "\(parameter.name)")
        }
    }

    @Test func everyLossIsTold() throws {
        let history = try Self.process(Self.recipe(["fine_tuning": #"{"epochs": 0, "learning_rate": 0}"#]), in: TemporaryFolder())
            .history
        let names = ["box decay", "boxes", "captions", "objectness", "proposal boxes", "proposal objectness"]
        #expect(history.count == 1)
        #expect(history[0].losses?.keys.sorted() == names && history[0].developmentLosses?.keys.sorted() == names)
        #expect(history[0].losses?.values.allSatisfy { $0.isFinite && $0 >= 0 } == true)
        #expect(!history[0].includesBackbone)
    }

    @Test func unknownFirstLayer() throws {
        let layers = try SampleCatalogue("densecap").zoo(on: PortableBackend()).catalogue.backbone(
            of: SampleCatalogue("densecap").card)
        let recipe = try Self.recipe(["fine_tuning": #"{"epochs": 1, "learning_rate": 0.1, "first_layer": "c"}"#])
        #expect(throws: LayerError.unknownTap("c", known: ["a", "b"])) { try recipe.frozenLayers(of: layers.layers) }
    }
}
