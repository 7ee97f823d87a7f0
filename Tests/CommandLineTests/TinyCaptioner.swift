import Media
import Tensors

/// A captioner of 271 random numbers that knows three words, and pictures for it.
struct TinyCaptioner: TinyModel {
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
    let files = [("Weights/tiny.words.txt", "<pad>\n<start>\n<end>\n<unk>\na\ndog\nruns\n")].map { (name: $0, text: $1) }
    let range: Float = 3
    var broken: String?

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
