import Checkpoints
import Foundation
import Media
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Synchronization
import Tensors
import Testing
import Training

/// The training of a tiny captioner: to the bit the same, whatever happens on the way.
@Suite struct ModelTrainings {
    private static func recipe(_ changes: [String: String] = [:]) throws -> TrainingRecipe {
        var members = [
            "epochs": "3", "batch": "4", "optimizer": #"{"kind": "adam", "learning_rate": 0.02, "weight_decay": 0.01}"#,
            "schedule": #"{"kind": "cosine", "floor": 0.1}"#, "clipping": #"{"kind": "global_norm", "limit": 1}"#,
            "patience": "10", "views": "3", "seed": "7",
        ]
        members.merge(changes) { $1 }
        let text = "{" + members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
        return try StrictJSONDecoder().decode(TrainingRecipe.self, from: JSONDocument(text, file: "recipe.json").root)
    }

    /// What a training leaves.
    private struct Outcome {
        var history: [EpochRecord]
        var weights: [String: [Float]]
        /// The epochs whose weights were kept.
        var kept: [Int]

        func isSame(_ other: Outcome) -> Bool {
            weights == other.weights && history.map(\.trainingLoss) == other.history.map(\.trainingLoss)
                && history.map(\.developmentLoss) == other.history.map(\.developmentLoss)
                && history.map(\.learningRate) == other.history.map(\.learningRate)
        }
    }

    private static let sentences = [
        ["a dog runs", "a dog runs on grass"], ["a cat sleeps", "a cat sleeps on a sofa"], ["a dog sleeps on a sofa", "dog"],
        ["a cat runs on grass", "cat on grass"], ["a dog on a sofa", "a dog sleeps"], ["grass", "a cat on grass"],
    ]

    /// One process: everything is made anew, only the files in `folder` are there from before.
    private static func process(
        _ recipe: TrainingRecipe, in folder: TemporaryFolder, deadline: Date = .distantFuture, fingerprint: String = "the same",
        score: (([[String]]) throws -> [String: Float])? = nil
    ) throws -> Outcome {
        let catalogue = try SampleCatalogue("captioner-every"), backend = OpenBLAS(threads: 1)
        func run<M: TrainableModel>(_ type: M.Type) throws -> Outcome {
            let (encoder, _, assets) = try catalogue.make(type, on: backend)
            let (model, store, _) = try catalogue.make(type, for: .training, on: backend)
            func records(_ range: Range<Int>) -> [TrainingRecord] {
                range.map { n in TrainingRecord(captions: sentences[n]) { Request(name: "\(n)", image: picture(n)) } }
            }
            let training = records(0..<4), development = records(4..<6)
            let encodings = try EncodingCache(
                encoder, assets: assets, training: training, development: development, views: recipe.views, seed: recipe.seed,
                path: folder.file("encodings.h5"), fingerprint: "views \(recipe.views) seed \(recipe.seed)"
            ) { _, _ in }
            let trainer = ModelTraining(
                recipe, model, in: store, assets: assets, encodings: encodings, training: training, development: development,
                decoding: try catalogue.card.decoding(as: M.Decoding.self),
                drawing: { sentences, seed in
                    let options: [JSONValue.Member] = [
                        .init("method", .string("sample")), .init("nbest", .integer(sentences)),
                        .init("seed", .integer(Int(seed))),
                    ]
                    return try catalogue.card.decoding(as: M.Decoding.self, options: options)
                }, statePath: folder.file("state.h5"), fingerprint: fingerprint, score: score)
            var kept: [Int] = []
            let history = try trainer.run(deadline: deadline) {
                kept.append($0.epoch)
            } progress: { _ in
            } finished: { _ in
            }
            return Outcome(
                history: history, weights: Dictionary(uniqueKeysWithValues: store.all.map { ($0.name, $0.value.scalars) }),
                kept: kept)
        }
        guard let type = try catalogue.plugin().model as? any TrainableModel.Type else { throw CancellationError() }
        return try run(type)
    }

    @Test func sameSeedSameWeights() throws {
        let once = try Self.process(Self.recipe(), in: TemporaryFolder())
        #expect(try once.isSame(Self.process(Self.recipe(), in: TemporaryFolder())))
        #expect(try !once.isSame(Self.process(Self.recipe(["seed": "8"]), in: TemporaryFolder())))
        #expect(once.history.map(\.epoch) == [1, 2, 3])
        let losses = once.history.compactMap(\.developmentLoss)
        #expect(losses[2] < losses[0], "it learns nothing: \(losses)")
        // It has learnt something of everything but the frozen backbone.
        let fresh = try SampleCatalogue("captioner-every")
        func parameters<M: Model>(_ type: M.Type) throws -> [Parameter] {
            try fresh.make(type, for: .training, on: OpenBLAS(threads: 1)).store.all
        }
        for parameter in try parameters(fresh.plugin().model) {
            #expect(
                (parameter.value.scalars == once.weights[parameter.name]) == parameter.name.hasPrefix("cnn."), "\(parameter.name)"
            )
        }
    }

    /// Killed after every single batch, within epochs and between them.
    @Test(arguments: [
        [:],
        [
            "optimizer": #"{"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9}"#,
            "schedule": #"{"kind": "step", "factor": 0.5, "epochs": 1}"#,
        ],
        [
            "optimizer": #"{"kind": "rmsprop", "learning_rate": 0.01}"#, "schedule": #"{"kind": "plateau"}"#,
            "clipping": #"{"kind": "value", "limit": 0.1}"#,
        ],
        ["epochs": "1", "fine_tuning": #"{"epochs": 2, "learning_rate": 0.001}"#],
    ])
    func killedAndResumed(_ changes: [String: String]) throws {
        let recipe = try Self.recipe(changes), whole = try Self.process(recipe, in: TemporaryFolder()),
            folder = try TemporaryFolder()
        #expect(whole.history.count == 3)
        var last: Outcome?, processes = 0
        while last?.history.count != 3, processes < 50 {
            last = try Self.process(recipe, in: folder, deadline: .distantPast)
            processes += 1
        }
        // Two batches an epoch; each process does one, and the first of an epoch ends the one before.
        #expect(processes == 7)
        #expect(try #require(last).isSame(whole))
        // Once it is done, it stays as it is.
        #expect(try Self.process(recipe, in: folder).isSame(whole))
    }

    /// Now and then, with whole stretches between.
    @Test func killedSometimes() throws {
        let recipe = try Self.recipe(), whole = try Self.process(recipe, in: TemporaryFolder())
        for kills in 1...5 {
            let folder = try TemporaryFolder()
            for _ in 0..<kills { _ = try Self.process(recipe, in: folder, deadline: .distantPast) }
            #expect(try Self.process(recipe, in: folder).isSame(whole), "after \(kills) kills")
        }
    }

    /// What may be hours of work is neither gone on from nor lost.
    @Test func anotherTrainingStaysAsItIs() throws {
        let recipe = try Self.recipe(), folder = try TemporaryFolder(), state = folder.file("state.h5")
        for _ in 0..<3 { _ = try Self.process(recipe, in: folder, deadline: .distantPast, fingerprint: "another") }
        let before = try Data(contentsOf: URL(fileURLWithPath: state))
        #expect(throws: TrainingStateError.ofAnotherTraining(state, epochs: 1)) { try Self.process(recipe, in: folder) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: state)) == before)
        _ = try Checkpoint([CheckpointTensor(name: "a", .zeros([1], on: PortableBackend()))]).write(to: state)
        #expect(throws: TrainingStateError.notAState(state)) { try Self.process(recipe, in: folder) }
        // Nor is a file that is no checkpoint.
        try FileManager.default.removeItem(atPath: state)
        try folder.write("state.h5", "something else")
        #expect(throws: CheckpointError.self) { try Self.process(recipe, in: folder) }
    }

    // MARK: When to stop, what to keep

    @Test func stopsWhereNothingImproves() throws {
        let outcome = try Self.process(
            Self.recipe(["epochs": "50", "patience": "2", "optimizer": #"{"kind": "sgd", "learning_rate": 0}"#]),
            in: TemporaryFolder())
        #expect(outcome.history.map(\.epoch) == [1, 2, 3])
        #expect(outcome.kept == [1])
    }

    @Test func keepsTheBest() throws {
        let scores: [Float] = [0.1, 0.3, 0.2, 0.3, 0.4], calls = Mutex(0)
        let outcome = try Self.process(Self.recipe(["epochs": "5", "keep": "\"cider\""]), in: TemporaryFolder()) { captions in
            #expect(captions.count == 2)
            return [
                "cider": scores[
                    calls.withLock {
                        $0 += 1; return $0 - 1
                    }]
            ]
        }
        #expect(outcome.kept == [1, 2, 5])
        #expect(outcome.history.map { $0.scores["cider"] } == scores)
    }

    @Test func fineTuningMovesTheBackbone() throws {
        let frozen = try Self.process(Self.recipe(["epochs": "1"]), in: TemporaryFolder())
        let tuned = try Self.process(
            Self.recipe(["epochs": "1", "fine_tuning": #"{"epochs": 1, "learning_rate": 0.001}"#]), in: TemporaryFolder())
        #expect(frozen.history.map(\.includesBackbone) == [false])
        #expect(tuned.history.map(\.includesBackbone) == [false, true])
        #expect(frozen.weights["cnn.a.weight"] != tuned.weights["cnn.a.weight"])
        #expect(frozen.weights["cnn.a.normalization.mean"] == tuned.weights["cnn.a.normalization.mean"])
    }

    // MARK: Encodings

    @Test func encodingsAreComputedOnce() throws {
        let catalogue = try SampleCatalogue("captioner-first"), backend = OpenBLAS(threads: 1), folder = try TemporaryFolder()
        let path = folder.file("encodings.h5"), opened = Mutex(0)
        func check<M: TrainableModel>(_ type: M.Type) throws {
            let (model, _, assets) = try catalogue.make(type, on: backend)
            func records(_ range: Range<Int>) -> [TrainingRecord] {
                range.map { n in
                    TrainingRecord(captions: []) {
                        opened.withLock { $0 += 1 }
                        return Request(name: "\(n)", image: picture(n))
                    }
                }
            }
            func cache(_ fingerprint: String, seed: UInt64 = 1) throws -> (cache: EncodingCache, opened: Int, progress: [[Int]]) {
                opened.withLock { $0 = 0 }
                var progress: [[Int]] = []
                let cache = try EncodingCache(
                    model, assets: assets, training: records(0..<5), development: records(5..<8), views: 4, seed: seed,
                    path: path,
                    fingerprint: fingerprint
                ) { progress.append([$0, $1]) }
                return (cache, opened.withLock { $0 }, progress)
            }
            let first = try cache("a")
            // Once for all its views.
            #expect(first.opened == 5 + 3)
            #expect(first.progress == [[5, 8], [8, 8]])
            func encoding(_ n: Int, flipped: Bool = false) throws -> [Float] {
                model.encode([
                    try M.Observation(Request(name: "", image: flipped ? picture(n).flipped() : picture(n)), assets: assets)
                ])
                .scalars
            }
            for n in 0..<5 {
                #expect(try first.cache.training(n, view: 0).scalars == encoding(n))
                #expect(try first.cache.training(n, view: 1).scalars == encoding(n, flipped: true))
                #expect(first.cache.training(n, view: 2).scalars != first.cache.training(n, view: 3).scalars)
            }
            for n in 0..<3 { #expect(try first.cache.development(n).scalars == encoding(n + 5)) }

            let second = try cache("a")
            #expect(second.opened == 0)
            for n in 0..<5 {
                for view in 0..<4 {
                    #expect(second.cache.training(n, view: view).scalars == first.cache.training(n, view: view).scalars)
                }
            }
            // For anything else they are computed again, and so they are where the file is damaged.
            #expect(try cache("b").opened == 8)
            #expect(try cache("b").opened == 0)
            #expect(try cache("a").opened == 8)
            try folder.write("encodings.h5", "damaged")
            #expect(try cache("a").opened == 8)
            #expect(try cache("a").opened == 0)
        }
        let type = try #require(try catalogue.plugin().model as? any TrainableModel.Type)
        try check(type)
    }
}
