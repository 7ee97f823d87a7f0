import Tensors

/// A model that remembers four frames to tell two classes apart.
struct TinyVideo: TinyModel {
    var members: [(key: String, json: String)] = [
        ("schema_version", "1"), ("name", "\"tiny\""), ("version", "\"1.0.0\""), ("title", "\"Tiny\""),
        ("summary", "\"A watcher for tests.\""), ("task", "\"video-classification\""), ("architecture", "\"VideoLSTM\""),
        ("hyperparameters", #"{"recurrent": {"hidden": 3, "lstm": {"order": "ifgo"}}, "fusion": "linear"}"#),
        ("frames", #"{"uniform": 4}"#),
        (
            "preprocess",
            #"[{"op": "resize", "size": 8, "interpolation": "bilinear", "convention": "pil"}, "#
                + #"{"op": "to_float", "scale": "1/255"}]"#
        ),
        (
            "backbone",
            #"{"input": [8, 8, 3], "layers": "#
                + #"[{"op": "convolution", "name": "a", "outputs": 2, "kernel": 3, "stride": 2, "padding": 1}]}"#
        ),
        ("answers", #"{"path": "../Weights/tiny.answers.txt", "size": 2, "how_to_get": "Train it."}"#),
        ("weights", #"[{"path": "../Weights/tiny.h5", "how_to_get": "Train it."}]"#),
        ("training", #"{"recipe": "recipes/tiny.json"}"#), ("license", #"{"weights": "MIT"}"#),
    ]
    var tensors: [(name: String, shape: Shape)] = [
        ("cnn.a.weight", [2, 3, 3, 3]), ("cnn.a.bias", [2]), ("lstm.layer1.input.weight", [12, 32]),
        ("lstm.layer1.recurrent.weight", [12, 3]), ("lstm.layer1.bias", [12]), ("class.weight", [2, 3]), ("class.bias", [2]),
    ]
    let files = [
        ("Weights/tiny.answers.txt", "dark\nlight\n"),
        (
            "ModelCards/recipes/tiny.json",
            #"{"epochs": 2, "batch": 4, "optimizer": {"kind": "adam", "learning_rate": 0.01}, "keep": "accuracy"}"#
        ),
    ].map { (name: $0, text: $1) }
    let range: Float = 1
    let broken: String? = nil
}
