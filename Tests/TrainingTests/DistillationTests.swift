import Foundation
import Media
import ModelKit
import NeuralNetworks
import Tensors
import Testing
import Training

/// A tiny student that learns from a tiny teacher.
struct DistillationTests {
    /// Photos of gradients in a folder.
    private static func photos(_ count: Int, in folder: TemporaryFolder) throws -> [String] {
        try (0..<count).map { n in
            var pixels: [UInt8] = []
            for y in 0..<18 {
                for x in 0..<20 {
                    pixels += [x * 13 * (n % 3), y * 14 + n * 20, (x + n) * (y + 1)].map { UInt8(truncatingIfNeeded: $0) }
                }
            }
            let path = folder.url.appending(path: "\(n).png").path
            try Image(width: 20, height: 18, pixels: pixels).write(to: path)
            return path
        }
    }

    private static func plan(_ changes: [String: String] = [:]) throws -> DistillationPlan {
        var members = [
            "teacher": "\"teacher\"", "hints": #"[{"student": "a", "teacher": "one", "weight": 0.5}]"#,
            "features": #"{"student": "b", "teacher": "two", "weight": 1}"#, "classes_weight": "0.5", "temperature": "2",
            "phases": #"[{"epochs": 2, "size": 12}, {"epochs": 1, "size": 16}]"#, "batch": "2", "learning_rate": "0.02",
            "weight_decay": "0.01", "seed": "3", "smallest_crop": "0.5", "color_jitter": "0.05",
        ]
        members.merge(changes) { $1 }
        let text = "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
        return try StrictJSONDecoder().decode(DistillationPlan.self, from: JSONDocument(text, file: "plan.json").root)
    }

    private static func layers(_ text: String) throws -> [NamedLayer] {
        try StrictJSONDecoder().decode([NamedLayer].self, from: JSONDocument(text, file: "layers").root)
    }

    /// One process: everything is made anew, only the files are there from before.
    private static func make(_ plan: DistillationPlan) throws -> (distillation: Distillation, store: ParameterStore) {
        let backend = PortableBackend(), teacherScope = ParameterStore(FreshParameters(seed: 11), on: backend).root
        let teacher = try Backbone(
            layers(
                """
                [{"op": "convolution", "name": "one", "outputs": 6, "kernel": 3, "stride": 2, "padding": "same",
                  "activation": "relu"},
                 {"op": "convolution", "name": "two", "outputs": 5, "kernel": 3, "stride": 2, "padding": "same",
                  "activation": "relu"}]
                """), input: [16, 16, 3], in: teacherScope)
        let classifier = try Linear(5, 4, in: teacherScope["classes"])
        let store = ParameterStore(FreshParameters(seed: plan.seed), for: .training, on: backend)
        let student = try Backbone(
            layers(
                """
                [{"op": "convolution", "name": "a", "outputs": 4, "kernel": 3, "stride": 2, "padding": "same",
                  "normalization": {"epsilon": 0.001}, "activation": "relu"},
                 {"op": "convolution", "name": "b", "outputs": 5, "kernel": 3, "stride": 2, "padding": "same"}]
                """), input: [16, 16, 3], in: store.root)
        let distillation = try Distillation(
            plan, student: student, in: store, teacher: teacher, classifier: { classifier($0) },
            normalize: { Float($0) / 127.5 - 1 })
        return (distillation, store)
    }

    private static func weights(_ store: ParameterStore) -> [String: [Float]] {
        Dictionary(uniqueKeysWithValues: store.all.map { ($0.name, $0.value.scalars) })
    }

    /// - Returns: whether it is done, the log, and how often it was saved.
    private static func run(
        _ distillation: Distillation, _ photos: [String], state: String, deadline: Date = .distantFuture
    ) throws -> (isDone: Bool, log: [String], saves: Int) {
        var log: [String] = [], saves = 0
        let isDone = try distillation.train(
            on: Array(photos.dropLast(3)), development: Array(photos.suffix(3)), statePath: state, deadline: deadline
        ) { saves += 1 } report: { log.append($0) }
        return (isDone, log, saves)
    }

    /// The part of a log that does not depend on the clock.
    private static func figures(_ log: [String]) -> [String] {
        log.filter { $0.contains(" done: ") }.map { String($0[..<($0.lastIndex(of: ",") ?? $0.endIndex)]) }
    }

    @Test func lossFalls() throws {
        let folder = try TemporaryFolder(), photos = try Self.photos(11, in: folder)
        let idle = try Self.make(
            Self.plan(["learning_rate": "0", "weight_decay": "0", "phases": #"[{"epochs": 1, "size": 16}]"#]))
        _ = try Self.run(idle.distillation, photos, state: folder.url.appending(path: "idle.h5").path)
        let before = try idle.distillation.evaluate(photos, size: 16)
        let learnt = try Self.make(Self.plan(["phases": #"[{"epochs": 12, "size": 16}]"#]))
        let result = try Self.run(learnt.distillation, photos, state: folder.url.appending(path: "state.h5").path)
        #expect(result.isDone)
        #expect(result.saves >= 1)
        let after = try learnt.distillation.evaluate(photos, size: 16)
        #expect(after.loss < 0.8 * before.loss, "\(before.loss) → \(after.loss)")
        #expect(after.cosine > before.cosine)
        #expect((0...1).contains(after.agreement))
        #expect(
            learnt.distillation.studentParameters.map(\.name)
                == learnt.store.all.map(\.name).filter { !$0.hasPrefix("distillation.") })
        #expect(learnt.store.all.contains { $0.name == "distillation.a.weight" })
    }

    /// Killed after every batch, across a change of the picture size.
    @Test func killedAndResumed() throws {
        let folder = try TemporaryFolder(), photos = try Self.photos(9, in: folder), plan = try Self.plan()
        func state(_ name: String) -> String { folder.url.appending(path: name + ".h5").path }
        let whole = try Self.make(plan), log = try Self.run(whole.distillation, photos, state: state("whole")).log
        let again = try Self.make(plan)
        _ = try Self.run(again.distillation, photos, state: state("again"))
        #expect(Self.weights(again.store) == Self.weights(whole.store))

        var isDone = false, processes = 0, pieces: [String] = [], last: ParameterStore?
        while !isDone, processes < 50 {
            let next = try Self.make(plan),
                result = try Self.run(next.distillation, photos, state: state("pieces"), deadline: .distantPast)
            (isDone, last) = (result.isDone, next.store)
            pieces += result.log
            processes += 1
        }
        // Three batches an epoch, three epochs, and one process that ends the last.
        #expect(processes == 10)
        #expect(try Self.weights(#require(last)) == Self.weights(whole.store))
        #expect(Self.figures(log).count == 3)
        #expect(Self.figures(pieces) == Self.figures(log))
        // Another plan does not take the place of what is there.
        let other = try Self.make(Self.plan(["seed": "4"]))
        #expect(throws: TrainingStateError.ofAnotherTraining(state("pieces"), epochs: 3)) {
            try Self.run(other.distillation, photos, state: state("pieces"))
        }
    }

    @Test func fewPhotos() throws {
        let folder = try TemporaryFolder(), photos = try Self.photos(4, in: folder)
        // One photo to learn from, a batch of two.
        #expect(
            try Self.run(Self.make(Self.plan()).distillation, photos, state: folder.url.appending(path: "state.h5").path).isDone)
    }

    @Test func unreadablePhoto() throws {
        let folder = try TemporaryFolder(), photos = try Self.photos(6, in: folder),
            missing = folder.url.appending(path: "missing.png").path
        #expect(throws: MediaError.self) {
            try Self.run(
                Self.make(Self.plan()).distillation, [missing] + photos, state: folder.url.appending(path: "state.h5").path)
        }
    }

    @Test(arguments: [
        (["batch": "0"], "plan.json:1:11: batch: a whole number from 1 was expected, not 0."),
        (["phases": "[]"], "phases: at least one phase was expected."),
        (["phases": #"[{"epochs": 0, "size": 8}]"#], "phases[0].epochs: a whole number from 1 was expected, not 0."),
        (["temperature": "0"], "temperature: a temperature above 0 was expected, not 0."),
        (["learning_rate": "-1"], "learning_rate: a number from 0 was expected, not -1.0."),
        (
            ["hints": #"[{"student": "a", "teacher": "one", "weight": -1}]"#],
            "hints[0].weight: a number from 0 was expected, not -1.0."
        ),
        (["hint": "[]"], "hint: unknown key; did you mean 'hints'?"),
    ])
    func refusals(_ changes: [String: String], _ expected: String) {
        let found = sentence { _ = try Self.plan(changes) }
        #expect(found?.hasPrefix("plan.json:1:") == true && found?.hasSuffix(expected) == true, "\(found ?? "accepted")")
    }

    @Test func unknownLayer() throws {
        let plan = try Self.plan(["hints": #"[{"student": "c", "teacher": "one", "weight": 1}]"#])
        #expect(sentence { _ = try Self.make(plan) } == "there is no layer 'c' to tap; the layers are a, b")
    }
}
