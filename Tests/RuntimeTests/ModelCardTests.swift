import Media
import ModelKit
import NeuralNetworks
import Testing

@Suite struct ModelCards {
    private let folder = CardFolder(ofCard: "/zoo/ModelCards/tiny.json")

    @Test func minimal() throws {
        let card = try card(CardText())
        #expect(card.name == "tiny")
        #expect(card.task == .imageClassification)
        #expect(card.preprocess?.outputSize?.width == 8)
        #expect(card.weights[0].role == .main)
        guard case .layers(let backbone) = card.backbone else { Issue.record("no layers"); return }
        #expect(try backbone.summary().parameters == 2 * 3 * 9 + 2)
        #expect(card.folder.resolve(card.weights[0].path) == "/zoo/Weights/tiny.h5")
    }

    /// One thing wrong each: the exact sentence.
    @Test(arguments: [
        (
            "schema_version", "2",
            "tiny.json:2:19: schema_version: this zoo reads cards up to version 1, and this one has version 2; update "
                + "zoo."
        ),
        ("schema_version", "0", "tiny.json:2:19: schema_version: there is no version 0 of the card format; write 1."),
        (
            "name", "\"../tiny\"",
            "tiny.json:3:9: name: '../tiny' is not a name: small letters, digits, '.', '_' and '-', at most 64, the "
                + "first a letter or digit."
        ),
        (
            "name", "\"small\"",
            "tiny.json:3:9: name: the card is called 'small' but its file 'tiny.json'; rename one of them, for models "
                + "are found by their file."
        ),
        ("version", "\"1.0\"", "tiny.json:4:12: version: '1.0' is not a semantic version such as 1.0.0."),
        ("title", nil, "tiny.json:1:1: the key 'title' is missing."),
        (
            "task", "\"image-captoning\"",
            "tiny.json:7:9: task: 'image-captoning' is not one of 'image-captioning', 'dense-captioning', "
                + "'visual-question-answering', 'video-captioning', 'image-feature-extraction', 'image-classification', "
                + "'video-classification'; did "
                + "you mean 'image-captioning'?"
        ),
        ("task", "\"image-captioning\"", "tiny.json:1:1: a card for image-captioning needs the key 'vocabulary'."),
        (
            "architecture", "\"../evil\"",
            "tiny.json:8:17: architecture: '../evil' is not the name of a plugin: a letter, then letters and digits."
        ),
        ("hyperparameters", "[]", "tiny.json:13:20: hyperparameters: an object was expected, not a list."),
        ("hyperparameters", "7", "tiny.json:13:20: hyperparameters: an object was expected, not a number."),
        ("decoding", "[]", "tiny.json:13:13: decoding: an object was expected, not a list."),
        ("preprocess", nil, "tiny.json:1:1: a card for image-classification needs the key 'preprocess'."),
        (
            "preprocess", #"[{"op": "resize", "size": 9, "interpolation": "bilinear", "convention": "pil"}]"#,
            "tiny.json:9:15: preprocess: the preprocessing makes pictures of 9 × 9, but the backbone's input is 8 × 8."
        ),
        (
            "preprocess", #"[{"op": "resize", "size": 8, "interpolation": "bilinear", "convention": "pil", "antialais": true}]"#,
            "tiny.json:9:94: preprocess[0].antialais: unknown key; did you mean 'antialias'?"
        ),
        (
            "preprocess", #"[{"op": "blur"}]"#,
            "tiny.json:9:23: preprocess[0].op: unknown op 'blur'; expected one of 'decode', 'resize', 'crop', 'pad', "
                + "'channels', 'to_float', 'normalize'."
        ),
        (
            "backbone", #"{"input": [8, 8], "layers": []}"#,
            "tiny.json:10:23: backbone.input: [height, width, channels] were expected, each from 1 to 16384."
        ),
        (
            "backbone", #"{"input": [8, 8, 3], "layers": [{"op": "convolution", "name": "a", "outputs": 2, "kernal": 3}]}"#,
            "tiny.json:10:94: backbone.layers[0].kernal: unknown key; did you mean 'kernel'?"
        ),
        (
            "backbone", #"{"input": [8, 8, 3], "layers": [{"op": "max_pool", "size": 2, "outputs": 2}]}"#,
            "tiny.json:10:75: backbone.layers[0].outputs: unknown key; remove it, or begin it with 'x-' to keep it as "
                + "a remark."
        ),
        (
            "backbone", #"{"input": [8, 8, 3], "layers": [{"op": "linear", "name": "a", "outputs": 2}]}"#,
            "tiny.json:10:44: backbone.layers: 'a' needs a vector, but its input is [8×8×3]: put a flatten or a "
                + "global_average_pool before it."
        ),
        (
            "backbone", #"{"input": [8, 8, 3], "layers": [{"op": "relu", "name": "a"}], "tap": "b"}"#,
            "tiny.json:10:82: backbone.tap: there is no layer 'b' to tap; the layers are a."
        ),
        (
            "backbone",
            #"{"input": [16384, 16384, 3], "layers": [{"op": "convolution", "name": "a", "outputs": 16777216, "kernel": 8192}]}"#,
            "tiny.json:10:52: backbone.layers: these sizes make a network that no computer could run."
        ),
        (
            "backbone", #"{"model": "tiny"}"#,
            "tiny.json:10:23: backbone.model: the backbones go round in a circle: tiny → tiny; one of them must list "
                + "its layers."
        ),
        (
            "weights", #"[{"path": "/etc/passwd", "how_to_get": "no"}]"#,
            "tiny.json:11:22: weights[0].path: '/etc/passwd' is an absolute path; paths are relative to the card."
        ),
        (
            "weights", #"[{"path": "../../secret.h5", "how_to_get": "no"}]"#,
            "tiny.json:11:22: weights[0].path: '../../secret.h5' leaves the catalogue '/zoo'; put the file into its "
                + "folder Weights."
        ),
        (
            "weights", #"[{"path": "../Weights/tiny.h5"}]"#,
            "tiny.json:11:22: weights[0].path: '../Weights/tiny.h5' has neither 'sha256' and 'bytes' nor "
                + "'how_to_get'; a reader can neither verify nor find it."
        ),
        (
            "weights", #"[{"path": "a.h5", "sha256": "AB", "bytes": 1}]"#,
            "tiny.json:11:40: weights[0].sha256: 'AB' is not 64 lower-case hexadecimal digits."
        ),
        (
            "weights", #"[{"path": "a.h5", "how_to_get": "x", "bytes": 0}]"#,
            "tiny.json:11:58: weights[0].bytes: '0' is not a positive number."
        ),
        (
            "weights", #"[{"path": "a.h5", "how_to_get": "x"}, {"path": "./a.h5", "how_to_get": "x"}]"#,
            "tiny.json:11:59: weights[1].path: './a.h5' stands here a second time."
        ),
        (
            "weights", #"[{"path": "a.h5", "how_to_get": "x", "format": "hdf"}]"#,
            "tiny.json:11:59: weights[0].format: 'hdf' is not one of 'hdf5', 'safetensors', 'npz', 'npy'; did you "
                + "mean 'hdf5'?"
        ),
        ("license", #"{}"#, "tiny.json:12:12: license: the key 'weights' is missing."),
        ("licence", #"{}"#, "tiny.json:13:1: licence: unknown key; did you mean 'license'?"),
        ("aliases", #"["tiny"]"#, "tiny.json:13:13: aliases[0]: 'tiny' stands here a second time."),
        ("parameters_count", "0", "tiny.json:13:21: parameters_count: '0' is not a positive number."),
        ("created", "\"31.1.2025\"", "tiny.json:13:12: created: '31.1.2025' is not a date such as 2025-01-31."),
        (
            "metrics", #"[{"name": "BLEU-4", "value": 16.0, "dataset": {"id": "flickr8k"}, "provenance": {"kind": "paper"}}]"#,
            "tiny.json:13:58: metrics[0].dataset: the key 'split' is missing."
        ),
        (
            "metrics", #"[{"name": "BLEU-4", "value": 16.0, "dataset": {"id": "flickr8k", "split": "dev"}}]"#,
            "tiny.json:13:13: metrics[0]: the key 'provenance' is missing."
        ),
        (
            "examples", #"[{"input": {"image": "/tmp/a.jpg"}, "expected": {}}]"#,
            "tiny.json:13:34: examples[0].input.image: '/tmp/a.jpg' is an absolute path; paths are relative to the "
                + "card."
        ),
        (
            "vocabulary", #"{"path": "v.txt", "how_to_get": "x", "tokenizer": {"kind": "treebnk"}}"#,
            "tiny.json:13:74: vocabulary.tokenizer.kind: unknown tokenizer 'treebnk'; known are treebank, "
                + "neuraltalk2, whitespace, ptb, letters, delimiters."
        ),
        (
            "answers", #"{"path": "v.txt", "how_to_get": "x", "size": 0}"#,
            "tiny.json:13:57: answers.size: '0' is not a positive number."
        ),
    ])
    func refusal(_ key: String, _ json: String?, _ sentence: String) {
        #expect(error(CardText().with(key, json)) == sentence)
    }

    @Test func hyperparameters() throws {
        struct Sizes: Decodable, Equatable { let hiddenSize: Int; let hops: Int? }
        let card = try card(CardText().with("hyperparameters", #"{"hidden_size": 4}"#))
        #expect(try card.hyperparameters(as: Sizes.self) == Sizes(hiddenSize: 4, hops: nil))
        let wrong = try self.card(CardText().with("hyperparameters", #"{"hidden_size": 4, "hopz": 2}"#))
        do throws(CardError) {
            _ = try wrong.hyperparameters(as: Sizes.self)
            Issue.record("accepted")
        } catch {
            #expect(error.description == "tiny.json:13:39: hyperparameters.hopz: unknown key; did you mean 'hops'?")
        }
    }

    @Test func decodingWithOptions() throws {
        struct Beam: Decodable, Equatable { let beam: Int?; let length: Int? }
        let card = try card(CardText().with("decoding", #"{"beam": 3, "length": 20}"#))
        #expect(try card.decoding(as: Beam.self) == Beam(beam: 3, length: 20))
        #expect(try card.decoding(as: Beam.self, options: [.init("beam", .integer(5))]) == Beam(beam: 5, length: 20))
        do throws(CardError) {
            _ = try card.decoding(as: Beam.self, options: [.init("bean", .integer(5))])
            Issue.record("accepted")
        } catch {
            #expect(error.description.hasSuffix("bean: unknown key; did you mean 'beam'?"))
        }
        #expect(try self.card(CardText()).decoding(as: Beam.self) == Beam(beam: nil, length: nil))
    }

    @Test(arguments: [
        ("/a/ModelCards/x.json", "../Weights/x.h5", "/a/Weights/x.h5"), ("/a/ModelCards/x.json", "x.h5", "/a/ModelCards/x.h5"),
        ("/a/ModelCards/x.json", "../../b", nil), ("/a/ModelCards/x.json", "..", nil), ("/a/ModelCards/x.json", "/a/x", nil),
        ("/a/cards/x.json", "x.h5", "/a/cards/x.h5"), ("/a/cards/x.json", "w/../x.h5", "/a/cards/x.h5"),
        ("/a/cards/x.json", "../Weights/x.h5", nil), ("/a/ModelCards/x.json", "../../a/Weights/x", "/a/Weights/x"),
        ("/a/ModelCards/x.json", "", nil),
    ])
    func paths(_ card: String, _ path: String, _ resolved: String?) {
        #expect(CardFolder(ofCard: card).resolve(path) == resolved)
    }

    private func card(_ text: CardText) throws(CardError) -> ModelCard {
        try ModelCard(JSONDocument(text.text, file: "tiny.json"), folder: folder)
    }

    private func error(_ text: CardText) -> String? {
        do throws(CardError) {
            _ = try card(text)
            return nil
        } catch {
            return error.description
        }
    }
}
