import Checkpoints
import Foundation
import Tensors
import Testing

@Suite struct Bench {
    private let card = "ModelCards/tiny.json"

    private func workplace(_ model: TinyCaptioner = TinyCaptioner()) throws -> Workplace {
        let place = try Workplace()
        try model.write(to: place)
        return place
    }

    private func object(_ result: Outcome) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    @Test func jsonHasEverything() throws {
        let result = try workplace().zoo(
            "bench", card, "--repetitions", "4", "--batch", "2", "--threads", "1", "--layers", "--json")
        #expect(result.status == 0 && result.errors.isEmpty)
        let json = try object(result)
        #expect(json["model"] as? String == "tiny" && json["backbone"] as? String == "tiny" && json["threads"] as? Int == 1)
        #expect(json["input"] as? [Int] == [2, 8, 8, 3] && json["output"] as? [Int] == [2, 2])
        #expect((json["weights"] as? String)?.hasSuffix("tiny.h5") ?? false)
        #expect(json["repetitions"] as? Int == 4 && json["multiplyAdds"] as? Int == 36 * 54)
        let times = try #require(json["milliseconds"] as? [String: Double])
        #expect(Set(times.keys) == ["median", "minimum", "p90", "spread"])
        #expect(try #require(times["minimum"]) > 0 && times["minimum"]! <= times["median"]! && times["median"]! <= times["p90"]!)
        let rate = try #require(json["imagesPerSecond"] as? Double)
        #expect(abs(rate - 2000 / times["median"]!) < 1e-6 * rate)
        let flops = try #require(json["gigaflops"] as? Double)
        #expect(abs(flops - 2 * 36 * 54 * rate / 1e9) < 1e-6 * flops)
        #expect((json["peak"] as? [String: Any])?["gigaflops"] as? Double ?? 0 > 0)

        let layers = try #require(json["layers"] as? [[String: Any]])
        #expect(layers.compactMap { $0["operation"] as? String } == ["convolution", "global_average_pool"])
        #expect(layers[0]["name"] as? String == "a" && layers[1]["name"] is NSNull)
        #expect(layers[0]["output"] as? [Int] == [6, 6, 2])
        #expect(layers[0]["algorithm"] is String && layers[1]["algorithm"] is NSNull)
        #expect(layers.allSatisfy { ($0["milliseconds"] as? [String: Double])?["median"] ?? 0 > 0 })

        let decoding = try #require(json["decoding"] as? [[String: Any]])
        #expect(decoding.compactMap { $0["beam"] as? Int } == [1, 3, 20, 1, 3, 20])
        #expect(
            decoding.compactMap { $0["storage"] as? String } == [
                "float32", "float32", "float32", "float16", "float16", "float16",
            ])
        #expect(decoding.allSatisfy { $0["wordsPerSecond"] as? Double ?? 0 > 0 })
    }

    @Test func textNamesTheFigures() throws {
        let result = try workplace().zoo("bench", card, "--repetitions", "2", "--layers")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines[0].split(separator: " ") == ["LAYER", "OPERATION", "RESULT", "ALGORITHM", "MS", "GFLOP/S", "SHARE"])
        #expect(result.lines[1].hasPrefix("a ") && result.lines[1].contains("6×6×2"))
        for word in ["tiny: 1×8×8×3, ", "Time ", "Pictures ", "GFLOP/s", "Machine ", "Words, greedy", "Words, beam 20"] {
            #expect(result.lines.contains { $0.contains(word) })
        }
    }

    /// Layers inside of residual blocks and of branches, and a pinned algorithm.
    @Test func everyLayerIsThere() throws {
        let layers = #"""
            {"input": [8, 8, 3], "layers": [
              {"op": "convolution", "name": "s", "outputs": 16, "kernel": 3, "padding": 1, "algorithm": "matrix_product"},
              {"op": "residual", "name": "r", "activation": "relu", "main": [
                {"op": "convolution", "name": "r.a", "outputs": 16, "kernel": 3, "padding": 1, "algorithm": "winograd_2x2"}]},
              {"op": "concatenate", "name": "c", "branches": [
                [{"op": "convolution", "name": "c.a", "outputs": 16, "kernel": 3, "padding": 1, "algorithm": "winograd_4x4"}],
                [{"op": "max_pool", "size": 3, "stride": 1, "padding": 1}]]},
              {"op": "global_average_pool"}]}
            """#
        let place = try workplace(TinyCaptioner().with("backbone", layers).with("weights", "[]"))
        let result = try place.zoo("bench", card, "--repetitions", "2", "--layers", "--json", "--tap", "c")
        #expect(result.status == 0)
        let rows = try #require(try object(result)["layers"] as? [[String: Any]])
        #expect(
            rows.compactMap { $0["operation"] as? String }
                == ["convolution", "convolution", "residual", "convolution", "max_pool", "concatenate"])
        let algorithms = rows.compactMap { $0["algorithm"] as? String }
        #expect(algorithms.count == 3 && Set(algorithms).count == 3)
        #expect(algorithms[1].contains("2") && algorithms[2].contains("4"))

        let wrong = layers.replacingOccurrences(of: "winograd_4x4", with: "winograd_3x3")
        try TinyCaptioner().with("backbone", wrong).write(to: place)
        #expect(try place.zoo("bench", card).status == 65)
    }

    @Test func randomNumbersStandInForWeights() throws {
        let place = try workplace()
        try FileManager.default.removeItem(atPath: place.path + "/Weights/tiny.h5")
        let result = try place.zoo("bench", card, "--cold", "--json")
        #expect(result.status == 0)
        #expect(result.errors == "zoo: tiny: the weights are not here; random numbers take their place.\n")
        let json = try object(result)
        #expect(json["weights"] is NSNull && json["repetitions"] as? Int == 1 && json["peak"] == nil && json["decoding"] == nil)
        #expect((json["layers"] as? [[String: Any]])?.allSatisfy { $0["milliseconds"] == nil } ?? false)
    }

    /// The weights and the result go out and come in again.
    @Test func savedWeightsGiveTheSameResult() throws {
        let place = try workplace()
        try FileManager.default.removeItem(atPath: place.path + "/Weights/tiny.h5")
        #expect(try place.zoo("bench", card, "--cold", "--save-weights", "w.safetensors", "--save-output", "one.npy").status == 0)
        #expect(try Checkpoint.open(place.path + "/w.safetensors").tensors.map(\.name).sorted() == ["a.bias", "a.weight"])
        let again = try place.zoo("bench", card, "--cold", "--weights", "w.safetensors", "--save-output", "two.npy")
        #expect(again.status == 0 && again.errors.isEmpty)
        #expect(try place.bytes("one.npy") == place.bytes("two.npy"))

        let pictures = Tensor(repeating: 0, [3, 8, 8, 3], on: PortableBackend())
        try Checkpoint([CheckpointTensor(name: "x", pictures)]).write(to: place.path + "/x.npy")
        let given = ["--cold", "--weights", "w.safetensors", "--input", "x.npy", "--save-output", "y.npy"]
        #expect(try place.zoo(["bench", card] + given).status == 0)
        let y = try #require(try Checkpoint.open(place.path + "/y.npy").tensors.first)
        #expect(y.shape == [3, 2])
        // A bias that begins at zero and a picture that is zero.
        #expect(try y.scalars().allSatisfy { $0 == 0 })
        let wrong = try place.zoo("bench", card, "--cold", "--input", "x.npy", "--size", "9")
        #expect(wrong.status == 65)
        #expect(wrong.errors.contains("x.npy: the tensor is [3×8×8×3], but the network takes pictures of [9×9×3]"))
    }

    @Test(
        arguments: [
            (["--batch", "0"], "--batch must be a number from 1 to 1024, not 0"),
            (["--threads", "0"], "--threads must be a number from 1 to 1024, not 0"),
            (["--size", "5000"], "--size must be a number from 1 to 4096, not 5000"),
            (["--repetitions", "0"], "--repetitions must be a number from 1 to 1000000, not 0"),
            (["--seconds", "nan"], "--seconds must be a number above 0 and up to 3600, not nan"),
            (["--seconds", "1", "--repetitions", "2"], "--repetitions and --seconds exclude each other; leave one out"),
            (["--cold", "--layers"], "--cold runs once; leave --repetitions, --seconds and --layers out"),
            (["--input", "x.npy", "--batch", "2"], "--input has a number of pictures already; leave --batch out"),
            (["--repetitions", "many"], "The value 'many' is invalid for '--repetitions <n>'."),
        ] as [([String], String)])
    func wrongArguments(_ arguments: [String], _ sentence: String) throws {
        let result = try workplace().zoo(["bench", card] + arguments)
        #expect(result.status == 64 && result.output.isEmpty)
        let end = sentence.hasSuffix(".") ? sentence : sentence + "."
        #expect(result.errors == "zoo: \(end) See 'zoo bench --help' for more information.\n")
    }

    @Test func whatIsNotThere() throws {
        let place = try workplace()
        for (arguments, status, sentence) in [
            (["vgg-61"], 66, "there is no model 'vgg-61'; did you mean 'vgg-16'?"),
            ([card, "--tap", "b"], 65, "there is no layer 'b' to tap; the layers are a."),
            ([card, "--size", "1"], 65, "the window of 'a' is larger than its input [1×1×3] with padding."),
            ([card, "--weights", "no.h5"], 66, "no.h5: cannot be read: No such file or directory."),
            (
                [card, "--cold", "--save-weights", "nowhere/w.h5"], 73,
                "nowhere/w.h5: cannot be written: No such file or directory."
            ),
        ] as [([String], Int32, String)] {
            let result = try place.zoo(["bench"] + arguments)
            #expect(result.status == status && result.output.isEmpty)
            #expect(result.errors == "zoo: \(sentence)\n")
        }
    }
}
