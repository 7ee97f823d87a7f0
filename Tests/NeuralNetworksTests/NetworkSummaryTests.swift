import NeuralNetworks
import Tensors
import Testing

@Suite struct NetworkSummaryTests {
    private func layers(_ json: String) throws -> [NamedLayer] { try [NamedLayer](json: json) }

    /// What one layer makes of a map of 13 × 11 × 6: shape, parameters, multiplications.
    @Test(
        arguments: [
            (#"{"op": "convolution", "name": "a", "outputs": 8, "kernel": 3}"#, [11, 9, 8], 440, 42768),
            (#"{"op": "convolution", "name": "a", "outputs": 8, "kernel": [1, 3], "bias": false}"#, [13, 9, 8], 144, 16848),
            (
                #"{"op": "convolution", "name": "a", "outputs": 9, "kernel": 3, "groups": 3, "padding": 1}"#, [13, 11, 9], 171,
                23166
            ),
            (#"{"op": "convolution", "name": "a", "outputs": 4, "kernel": 3, "dilation": [3, 2]}"#, [7, 7, 4], 220, 10584),
            (
                #"{"op": "convolution", "name": "a", "outputs": 4, "kernel": 1, "normalization": {"epsilon": 1e-5}}"#,
                [13, 11, 4], 32, 3432
            ),
            (
                #"{"op": "convolution", "name": "a", "outputs": 4, "kernel": 1, "#
                    + #""normalization": {"epsilon": 1e-5, "scale": false}}"#,
                [13, 11, 4], 28, 3432
            ),
            (
                #"{"op": "convolution", "name": "a", "outputs": 4, "kernel": 1, "bias": true, "#
                    + #""normalization": {"epsilon": 1e-5}}"#,
                [13, 11, 4], 36, 3432
            ),
            (
                #"{"op": "convolution", "name": "a", "depthwise": true, "kernel": 3, "stride": 2, "padding": "same"}"#,
                [7, 6, 6], 60, 2268
            ),
            (
                #"{"op": "convolution", "name": "a", "depthwise": true, "outputs": 12, "kernel": 3, "padding": [1, 0, 0, 2]}"#,
                [12, 11, 12], 120, 14256
            ),
            (#"{"op": "max_pool", "size": 3, "stride": 2}"#, [6, 5, 6], 0, 0),
            (#"{"op": "max_pool", "size": 2, "stride": 2}"#, [6, 5, 6], 0, 0),
            (#"{"op": "max_pool", "size": 2, "stride": 2, "rounding": "ceil"}"#, [7, 6, 6], 0, 0),
            (#"{"op": "max_pool", "size": 3, "stride": 2, "padding": "same"}"#, [7, 6, 6], 0, 0),
            // The last window would begin in the padding behind the picture, where Caffe and PyTorch drop it.
            (#"{"op": "average_pool", "size": 2, "stride": 3, "padding": 1, "rounding": "ceil"}"#, [5, 4, 6], 0, 0),
            (#"{"op": "average_pool", "size": [13, 11]}"#, [1, 1, 6], 0, 0),
            (#"{"op": "global_average_pool"}"#, [6], 0, 0),
            (#"{"op": "flatten"}"#, [858], 0, 0),
            (#"{"op": "batch_normalization", "name": "a", "epsilon": 1}"#, [13, 11, 6], 12, 0),
            (#"{"op": "batch_normalization", "name": "a", "epsilon": 1, "scale": false}"#, [13, 11, 6], 6, 0),
            (#"{"op": "local_response_normalization", "size": 5, "alpha": 1, "beta": 1}"#, [13, 11, 6], 0, 0),
            (#"{"op": "relu"}"#, [13, 11, 6], 0, 0),
            (#"{"op": "softmax"}"#, [13, 11, 6], 0, 0),
            (#"{"op": "dropout", "rate": 0.5}"#, [13, 11, 6], 0, 0),
            (
                #"{"op": "residual", "main": [{"op": "convolution", "name": "a", "outputs": 4, "kernel": 3, "padding": 1}], "#
                    + #""shortcut": [{"op": "convolution", "name": "b", "outputs": 4, "kernel": 1, "bias": false}]}"#,
                [13, 11, 4], 244, 34320
            ),
            (
                #"{"op": "concatenate", "branches": [[{"op": "relu"}], [], "#
                    + #"[{"op": "convolution", "name": "b", "outputs": 4, "kernel": 1}]]}"#,
                [13, 11, 16], 28, 3432
            ),
        ] as [(String, [Int], Int, Int)])
    func oneLayer(_ json: String, _ output: [Int], _ parameters: Int, _ multiplyAdds: Int) throws {
        let summary = try NetworkSummary([NamedLayer(json: json)], input: [13, 11, 6])
        #expect(summary.output == Shape(output))
        #expect(summary.parameters == parameters)
        #expect(summary.multiplyAdds == multiplyAdds)
    }

    @Test func taps() throws {
        let summary = try NetworkSummary(
            layers(
                """
                [{"op": "convolution", "name": "a", "outputs": 4, "kernel": 2},
                 {"op": "residual", "name": "r", "main": [{"op": "relu", "name": "inner"}]},
                 {"op": "global_average_pool", "name": "pool"}, {"op": "dropout", "rate": 0.5},
                 {"op": "linear", "name": "fc", "outputs": 3}]
                """), input: [5, 6, 2])
        #expect(summary.taps.map(\.name) == ["a", "inner", "r", "pool", "fc"])
        #expect(summary.taps.map(\.shape) == [[4, 5, 4], [4, 5, 4], [4, 5, 4], [4], [3]])
        #expect(summary.parameters == 36 + 15 && summary.output == [3])
    }

    @Test(arguments: [
        (
            #"[{"op": "global_average_pool"}, {"op": "max_pool", "size": 2}]"#,
            "a max_pool needs a feature map, but its input is [6]"
        ),
        (#"[{"op": "flatten"}, {"op": "flatten"}]"#, "a flatten needs a feature map, but its input is [858]"),
        (#"[{"op": "flatten"}, {"op": "global_average_pool", "name": "g"}]"#, "'g' needs a feature map, but its input is [858]"),
        (
            #"[{"op": "flatten"}, {"op": "convolution", "name": "c", "outputs": 1, "kernel": 1}]"#,
            "'c' needs a feature map, but its input is [858]"
        ),
        (
            #"[{"op": "flatten"}, {"op": "local_response_normalization", "size": 5, "alpha": 1, "beta": 1}]"#,
            "a local_response_normalization needs a feature map, but its input is [858]"
        ),
        (
            #"[{"op": "linear", "name": "f", "outputs": 2}]"#,
            "'f' needs a vector, but its input is [13×11×6]: put a flatten or a global_average_pool before it"
        ),
        (
            #"[{"op": "convolution", "name": "c", "outputs": 8, "kernel": 1, "groups": 4}]"#,
            "'c' divides 6 channels into 4 groups, which leaves a rest"
        ),
        (
            #"[{"op": "convolution", "name": "c", "outputs": 8, "kernel": 1, "groups": 3}]"#,
            "'c' divides 8 channels into 3 groups, which leaves a rest"
        ),
        (
            #"[{"op": "convolution", "name": "c", "outputs": 8, "kernel": [14, 1]}]"#,
            "the window of 'c' is larger than its input [13×11×6] with padding"
        ),
        (
            #"[{"op": "convolution", "name": "c", "outputs": 8, "kernel": 3, "dilation": 6}]"#,
            "the window of 'c' is larger than its input [13×11×6] with padding"
        ),
        (
            #"[{"op": "average_pool", "size": [1, 12]}]"#,
            "the window of an average_pool is larger than its input [13×11×6] with padding"
        ),
        (
            #"[{"op": "max_pool", "size": 2, "padding": [0, 0, 0, 2], "name": "p"}]"#,
            "the padding of 'p' is as large as its window: make it smaller, for a window must see the input"
        ),
        (
            #"[{"op": "residual", "name": "r", "main": [{"op": "max_pool", "size": 2}]}]"#,
            "the branches of 'r' give [6×5×6] and [13×11×6], which cannot be joined"
        ),
        (#"[{"op": "residual", "main": []}]"#, "a residual has no layers"),
        (
            #"[{"op": "concatenate", "branches": [[{"op": "max_pool", "size": 2}], []]}]"#,
            "the branches of a concatenate give [6×5×6] and [13×11×6], which cannot be joined"
        ),
        (
            #"[{"op": "concatenate", "branches": [[{"op": "flatten"}], []]}]"#,
            "the branches of a concatenate give [858] and [13×11×6], which cannot be joined"
        ),
        (#"[{"op": "concatenate", "branches": []}]"#, "a concatenate has no layers"),
        (#"[{"op": "convolution", "outputs": 8, "kernel": 1}]"#, "a convolution has parameters and therefore needs a name"),
        (#"[{"op": "flatten"}, {"op": "linear", "outputs": 8}]"#, "a linear has parameters and therefore needs a name"),
        (#"[{"op": "batch_normalization", "epsilon": 1}]"#, "a batch_normalization has parameters and therefore needs a name"),
        (#"[{"op": "relu", "name": "a"}, {"op": "tanh", "name": "a"}]"#, "two layers are called 'a'"),
        (
            #"[{"op": "residual", "main": [{"op": "relu", "name": "a"}]}, {"op": "tanh", "name": "a"}]"#,
            "two layers are called 'a'"
        ),
        (
            #"[{"op": "convolution", "name": "a", "outputs": 8, "kernel": 1, "normalization": {"epsilon": 1}}, "#
                + #"{"op": "batch_normalization", "name": "a.normalization", "epsilon": 1}]"#,
            "two layers are called 'a.normalization'"
        ),
        (
            #"[{"op": "convolution", "name": "c", "outputs": 16777216, "kernel": [16777216, 16777216], "padding": "same", "#
                + #""stride": 16777216}]"#,
            "'c' has more than 2147483648 weights or results, which no memory holds"
        ),
        (
            #"[{"op": "convolution", "name": "c", "outputs": 16777216, "kernel": 1, "padding": 65536}]"#,
            "'c' has more than 2147483648 weights or results, which no memory holds"
        ),
        (
            #"[{"op": "flatten"}, {"op": "linear", "name": "a", "outputs": 16777216}]"#,
            "'a' has more than 2147483648 weights or results, which no memory holds"
        ),
    ])
    func refusals(_ json: String, _ sentence: String) throws {
        let layers = try layers(json)
        do throws(LayerError) {
            _ = try NetworkSummary(layers, input: [13, 11, 6])
            Issue.record("accepted")
        } catch {
            #expect(error.description == sentence)
        }
    }
}
