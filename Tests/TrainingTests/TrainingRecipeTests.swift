import ModelKit
import NeuralNetworks
import Testing
import Training

/// Recipes as files state them.
struct TrainingRecipeTests {
    private static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try StrictJSONDecoder().decode(type, from: JSONDocument(text, file: "recipe.json").root)
    }

    @Test func defaults() throws {
        let recipe = try Self.decode(TrainingRecipe.self, #"{"optimizer": {"kind": "adam", "learning_rate": 0.001}}"#)
        #expect(recipe.epochs == 20)
        #expect(recipe.batch == 100)
        #expect(recipe.patience == 5)
        #expect(recipe.minimumCount == 4)
        #expect(recipe.views == 1)
        #expect(recipe.seed == 1)
        #expect(recipe.keep == .loss)
        #expect(recipe.schedule == .constant)
        #expect(recipe.clipping == .none)
        #expect(recipe.fineTuning == nil)
        guard case .adam(let rate, 0.9, 0.999, 0) = recipe.optimizer else { Issue.record("\(recipe.optimizer)"); return }
        #expect(rate == 0.001)
    }

    /// The most frequent answers, of equals the first in the alphabet.
    @Test func answers() throws {
        let given = ["red", "blue", "red", "two", "blue", "green", "red"]
        func chosen(_ text: String) throws -> [String] {
            try Self.decode(TrainingRecipe.AnswerSelection.self, text).chosen(from: given)
        }
        #expect(try chosen("{}") == ["red", "blue", "green", "two"])
        #expect(try chosen(#"{"limit": 1}"#) == ["red"])
        #expect(try chosen(#"{"min_count": 2}"#) == ["red", "blue"])
        #expect(try Self.decode(TrainingRecipe.AnswerSelection.self, #"{"sampled": true}"#).areSampled)
    }

    /// In the mirror image what was on the left is on the right.
    @Test func mirroredLessons() {
        let lesson = TrainingRecord.Lesson(question: "what is left of  the chair on the right", targets: ["left lamp"])
        #expect(lesson.mirrored.question == "what is right of  the chair on the left")
        #expect(lesson.mirrored.targets == ["left lamp"])
        #expect(TrainingRecord.Lesson(targets: ["a dog"]).mirrored == TrainingRecord.Lesson(targets: ["a dog"]))
    }

    @Test func everything() throws {
        let recipe = try Self.decode(
            TrainingRecipe.self,
            """
            {"epochs": 3, "batch": 16, "optimizer": {"kind": "sgd", "learning_rate": 2, "momentum": 0.9},
             "schedule": {"kind": "step", "factor": 0.5, "epochs": 8}, "clipping": {"kind": "global_norm", "limit": 5},
             "patience": 2, "keep": "cider", "min_count": 2, "views": 4, "seed": 18446744073709551615,
             "fine_tuning": {"epochs": 2, "learning_rate": 0.0005}}
            """)
        #expect(recipe.schedule == .step(factor: 0.5, epochs: 8))
        #expect(recipe.clipping == .globalNorm(5))
        #expect(recipe.keep == .cider)
        #expect(recipe.seed == .max)
        #expect(recipe.fineTuning?.epochs == 2)
        var optimizer = recipe.optimizer
        optimizer.learningRate = 0.5
        guard case .sgd(0.5, 0.9) = optimizer else { Issue.record("\(optimizer)"); return }
    }

    /// Members beside a sound optimizer, and what is said about them.
    @Test(arguments: [
        (#""epochs": -1"#, "recipe.json:1:64: epochs: expected a whole number from 0 to 10000, found -1."),
        (#""epochs": 2.5"#, "recipe.json:1:64: epochs: an integer was expected, not the number 2.5."),
        (#""batch": 0"#, "recipe.json:1:63: batch: expected a whole number from 1 to 100000, found 0."),
        (#""views": 65"#, "recipe.json:1:63: views: expected a whole number from 1 to 64, found 65."),
        (#""keep": "bleu""#, "recipe.json:1:62: keep: 'bleu' is not one of 'loss', 'cider', 'accuracy'."),
        (#""seed": -1"#, "recipe.json:1:62: seed: -1 is out of the range of UInt64."),
        (
            #""self_critical": {"epochs": 1, "learning_rate": 0.1, "samples": 1}"#,
            "recipe.json:1:118: self_critical.samples: a whole number from 2 to 100 was expected, not 1."
        ),
        (#""epoch": 3"#, "recipe.json:1:54: epoch: unknown key; did you mean 'epochs'?"),
        (
            #""schedule": {"kind": "step", "epochs": 0}"#,
            "recipe.json:1:93: schedule.epochs: a step must last longer than 0 epochs."
        ),
        (#""schedule": {"kind": "step"}"#, "recipe.json:1:66: schedule: the key 'epochs' is missing."),
        (
            #""schedule": {"kind": "linear"}"#,
            "recipe.json:1:75: schedule.kind: 'linear' is not one of 'constant', 'step', 'plateau', 'cosine'."
        ),
        (#""clipping": {"kind": "value", "limit": 0}"#, "recipe.json:1:93: clipping.limit: a limit must be above 0."),
        (
            #""clipping": {"kind": "global_norms", "limit": 1}"#,
            "recipe.json:1:75: clipping.kind: 'global_norms' is not one of 'none', 'value', 'global_norm'; "
                + "did you mean 'global_norm'?"
        ),
        (#""fine_tuning": {"epochs": 1}"#, "recipe.json:1:69: fine_tuning: the key 'learning_rate' is missing."),
        (
            #""fine_tuning": {"epochs": -1, "learning_rate": 1}"#,
            "recipe.json:1:80: fine_tuning.epochs: a whole number from 0 was expected, not -1."
        ),
    ])
    func members(_ member: String, _ expected: String) {
        let text = #"{"optimizer": {"kind": "sgd", "learning_rate": 0.1}, "# + member + "}"
        #expect(sentence { _ = try Self.decode(TrainingRecipe.self, text) } == expected)
    }

    @Test(arguments: [
        (#"{}"#, "recipe.json:1:1: the key 'optimizer' is missing."),
        (#"{"optimizer": {"kind": "sgd"}}"#, "recipe.json:1:15: optimizer: the key 'learning_rate' is missing."),
        (
            #"{"optimizer": {"kind": "sgd", "learning_rate": -1}}"#,
            "recipe.json:1:48: optimizer.learning_rate: a number from 0 was expected, not -1.0."
        ),
        (
            #"{"optimizer": {"kind": "sgd", "learning_rate": 1, "momentum": 1}}"#,
            "recipe.json:1:63: optimizer.momentum: a number from 0 and below 1 was expected, not 1.0."
        ),
        (
            #"{"optimizer": {"kind": "adam", "learning_rate": 1, "beta2": 1.5}}"#,
            "recipe.json:1:61: optimizer.beta2: a number from 0 and below 1 was expected, not 1.5."
        ),
        (
            #"{"optimizer": {"kind": "adam", "learning_rate": 1, "weight_decay": -0.1}}"#,
            "recipe.json:1:68: optimizer.weight_decay: a number from 0 was expected, not -0.1."
        ),
        (
            #"{"optimizer": {"kind": "adam", "learning_rate": 1, "momentum": 0.9}}"#,
            "recipe.json:1:52: optimizer.momentum: unknown key; remove it, or begin it with 'x-' to keep it as a remark."
        ),
        (
            #"{"optimizer": {"kind": "adamw", "learning_rate": 1}}"#,
            "recipe.json:1:24: optimizer.kind: 'adamw' is not one of 'sgd', 'rmsprop', 'adam'; did you mean 'adam'?"
        ),
    ])
    func optimizers(_ text: String, _ expected: String) {
        #expect(sentence { _ = try Self.decode(TrainingRecipe.self, text) } == expected)
    }
}

/// The sentence of the error that `body` throws; nil where it throws none.
func sentence(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}
