import Tensors

/// A model of regions with a few hundred random numbers that knows three words.
struct TinyRegions: TinyModel {
    var members: [(key: String, json: String)] = [
        ("schema_version", "1"), ("name", "\"tiny\""), ("version", "\"1.0.0\""), ("title", "\"Tiny\""),
        ("summary", "\"A model of regions for tests.\""), ("task", "\"dense-captioning\""), ("architecture", "\"DenseCap\""),
        (
            "hyperparameters",
            #"{"anchors": [[6, 6], [12, 8]], "proposal_filters": 4, "proposals": 6, "grid": [3, 2], "recognition": [10, 8], "#
                + #""embedding": 6, "hidden": 8, "lstm": {"order": "ifog"}}"#
        ),
        (
            "backbone",
            #"{"input": [16, 24, 3], "layers": [{"op": "convolution", "name": "a", "outputs": 5, "kernel": 3, "stride": 4, "#
                + #""padding": 1}]}"#
        ),
        (
            "preprocess",
            #"[{"op": "resize", "mode": "longer", "size": 24, "interpolation": "bilinear", "convention": "pil"}, "#
                + #"{"op": "to_float", "scale": "1/255"}]"#
        ),
        (
            "vocabulary",
            #"{"path": "../Weights/tiny.words.txt", "format": "words", "how_to_get": "Train it.", "#
                + #""convention": {"start": "<S>", "end": "</S>", "unknown": "<UNK>"}}"#
        ),
        ("decoding", #"{"nbest": 4, "overlap": 0.6, "max_length": 3}"#),
        ("weights", #"[{"path": "../Weights/tiny.h5", "how_to_get": "Train it."}]"#), ("license", #"{"weights": "MIT"}"#),
    ]
    var tensors: [(name: String, shape: Shape)] = [
        ("cnn.a.weight", [5, 3, 3, 3]), ("cnn.a.bias", [5]), ("proposals.convolution.weight", [4, 5, 3, 3]),
        ("proposals.convolution.bias", [4]), ("proposals.boxes.weight", [8, 4]), ("proposals.boxes.bias", [8]),
        ("proposals.scores.weight", [4, 4]), ("proposals.scores.bias", [4]), ("recognition.1.weight", [10, 30]),
        ("recognition.1.bias", [10]), ("recognition.2.weight", [8, 10]), ("recognition.2.bias", [8]),
        ("objectness.weight", [1, 8]), ("objectness.bias", [1]), ("boxes.weight", [4, 8]), ("boxes.bias", [4]),
        ("language.region.weight", [6, 8]), ("language.region.bias", [6]), ("language.word.weight", [6, 6]),
        ("language.lstm.input.weight", [32, 6]), ("language.lstm.recurrent.weight", [32, 8]), ("language.lstm.bias", [32]),
        ("language.logits.weight", [6, 8]), ("language.logits.bias", [6]),
    ]
    let files = [("Weights/tiny.words.txt", "<S>\n</S>\n<UNK>\na\ndog\nball\n")].map { (name: $0, text: $1) }
    let range: Float = 0.5
    let broken: String? = nil
}
