import Tensors

/// A model that looks twice at a picture to choose among four answers, and knows four words.
struct TinyVQA: TinyModel {
    var members: [(key: String, json: String)] = [
        ("schema_version", "1"), ("name", "\"tiny\""), ("version", "\"1.0.0\""), ("title", "\"Tiny\""),
        ("summary", "\"An answerer for tests.\""), ("task", "\"visual-question-answering\""),
        ("architecture", "\"StackedAttentionVQA\""),
        (
            "hyperparameters",
            #"{"question": {"lstm": {"embedding": 4, "hidden": 6, "lstm": {"order": "ifog"}}}, "attention": 4, "hops": 2}"#
        ),
        (
            "preprocess",
            #"[{"op": "resize", "size": 8, "interpolation": "bilinear", "convention": "pil"}, "#
                + #"{"op": "to_float", "scale": "1/255"}]"#
        ),
        (
            "backbone",
            #"{"input": [8, 8, 3], "layers": "#
                + #"[{"op": "convolution", "name": "a", "outputs": 3, "kernel": 3, "stride": 2, "padding": 1}]}"#
        ),
        (
            "vocabulary",
            #"{"path": "../Weights/tiny.words.txt", "format": "words", "convention": {"unknown": "<unk>"}, "#
                + #""how_to_get": "Train it."}"#
        ),
        ("answers", #"{"path": "../Weights/tiny.answers.txt", "size": 4, "how_to_get": "Train it."}"#),
        ("weights", #"[{"path": "../Weights/tiny.h5", "how_to_get": "Train it."}]"#),
        ("training", #"{"recipe": "recipes/tiny.json"}"#), ("license", #"{"weights": "MIT"}"#),
    ]
    var tensors: [(name: String, shape: Shape)] =
        [
            ("cnn.a.weight", [3, 3, 3, 3]), ("cnn.a.bias", [3]), ("question.word.weight", [5, 4]),
            ("question.layer1.input.weight", [24, 4]), ("question.layer1.recurrent.weight", [24, 6]),
            ("question.layer1.bias", [24]), ("image.weight", [6, 3]), ("image.bias", [6]), ("answer.weight", [4, 6]),
            ("answer.bias", [4]),
        ]
        + (1...2).flatMap { hop -> [(String, Shape)] in
            [
                ("hop\(hop).image.weight", [4, 6]), ("hop\(hop).question.weight", [4, 6]), ("hop\(hop).question.bias", [4]),
                ("hop\(hop).score.weight", [1, 4]), ("hop\(hop).score.bias", [1]),
            ]
        }
    static let answers = ["red", "blue", "table", "two"]
    let files = [
        ("Weights/tiny.words.txt", "<unk>\nwhat\nis\nit\ncolor\n"),
        ("Weights/tiny.answers.txt", TinyVQA.answers.map { $0 + "\n" }.joined()),
        (
            "ModelCards/recipes/tiny.json",
            #"{"epochs": 2, "batch": 4, "optimizer": {"kind": "adam", "learning_rate": 0.01}, "backbone": "trained", "#
                + #""keep": "accuracy", "min_count": 1}"#
        ),
    ].map { (name: $0, text: $1) }
    /// Small enough for no answer to be certain.
    let range: Float = 1
    let broken: String? = nil

    /// The same card for a model without attention.
    static var withoutAttention: TinyVQA {
        var model = TinyVQA()
        model["architecture"] = "\"FusionVQA\""
        model["hyperparameters"] = #"{"fusion": "concatenation", "question": {"bag_of_words": {}}}"#
        model.tensors = [("cnn.a.weight", [3, 3, 3, 3]), ("cnn.a.bias", [3]), ("answer.weight", [4, 53]), ("answer.bias", [4])]
        return model
    }
}
