import Checkpoints
import Media
import Tensors

/// A captioner of 271 random numbers that knows three words, and pictures for it.
struct TinyCaptioner {
    var members: [(key: String, json: String)] = [
        ("schema_version", "1"), ("name", "\"tiny\""), ("version", "\"1.0.0\""), ("title", "\"Tiny\""),
        ("summary", "\"A captioner for tests.\""), ("task", "\"image-captioning\""), ("architecture", "\"Captioner\""),
        ("hyperparameters", #"{"inject": "first", "embedding": 4, "hidden": 4, "lstm": {"order": "ifgo"}}"#),
        ("decoding", #"{"beam": 2, "max_length": 5}"#),
        (
            "preprocess",
            #"[{"op": "resize", "size": 8, "interpolation": "bilinear", "convention": "pil"}, "#
                + #"{"op": "to_float", "scale": "1/255"}]"#
        ),
        (
            "backbone",
            #"{"input": [8, 8, 3], "layers": [{"op": "convolution", "name": "a", "outputs": 2, "kernel": 3}, "#
                + #"{"op": "global_average_pool"}]}"#
        ),
        ("vocabulary", #"{"path": "../Weights/tiny.words.txt", "how_to_get": "Write it."}"#),
        ("weights", #"[{"path": "../Weights/tiny.h5", "how_to_get": "Train it."}]"#), ("license", #"{"weights": "MIT"}"#),
    ]
    var tensors: [(name: String, shape: Shape)] = [
        ("cnn.a.weight", [2, 3, 3, 3]), ("cnn.a.bias", [2]), ("image.weight", [4, 2]), ("word.weight", [7, 4]),
        ("lstm.input.weight", [16, 4]), ("lstm.recurrent.weight", [16, 4]), ("lstm.bias", [16]), ("logits.weight", [7, 4]),
        ("logits.bias", [7]),
    ]
    /// A tensor whose first value is not a number.
    var broken: String?

    /// One member a line; the first in line 2.
    var text: String { "{\n" + members.map { "\"\($0.key)\": \($0.json)" }.joined(separator: ",\n") + "\n}\n" }

    subscript(key: String) -> String? {
        get { members.first { $0.key == key }?.json }
        set {
            let i = members.firstIndex { $0.key == key }
            switch (i, newValue) {
            case (let i?, let json?): members[i].json = json
            case (let i?, nil): members.remove(at: i)
            case (nil, let json?): members.append((key, json))
            case (nil, nil): break
            }
        }
    }

    func with(_ key: String, _ json: String?) -> TinyCaptioner {
        var copy = self
        copy[key] = json
        return copy
    }

    /// Writes card, words and weights as a small catalogue.
    func write(to place: Workplace) throws {
        try place.write("ModelCards/tiny.json", text)
        try place.write("Weights/tiny.words.txt", "<pad>\n<start>\n<end>\n<unk>\na\ndog\nruns\n")
        var state: UInt64 = 1
        let backend = PortableBackend()
        let tensors = tensors.map { name, shape in
            var scalars = (0..<shape.count).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return 3 * (Float(state >> 40) / Float(1 << 23) - 1)
            }
            if name == broken { scalars[0] = .nan }
            return CheckpointTensor(name: name, Tensor(scalars, shape, on: backend))
        }
        _ = try Checkpoint(tensors).write(to: place.path + "/Weights/tiny.h5")
    }

    /// Noise, 60 × 40.
    static var picture: Image {
        var state: UInt32 = 7
        let pixels = (0..<60 * 40 * 3).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        return Image(width: 60, height: 40, pixels: pixels)
    }

    /// The signature and the first chunk of a PNG file that declares this size.
    static func png(declaring width: UInt32, _ height: UInt32) -> [UInt8] {
        func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        let header = Array("IHDR".utf8) + bytes(width) + bytes(height) + [8, 2, 0, 0, 0]
        // The checksum of the PNG specification, annex D.
        var checksum: UInt32 = .max
        for byte in header {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xEDB8_8320 : checksum >> 1 }
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + bytes(13) + header + bytes(~checksum)
    }
}
