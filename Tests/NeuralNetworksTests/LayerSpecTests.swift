import NeuralNetworks
import Tensors
import Testing

@Suite struct LayerSpecTests {
    /// What is left out is what is written here.
    @Test(arguments: [
        (
            #"{"op": "convolution", "name": "a", "outputs": 8, "kernel": 3}"#,
            #"{"op": "convolution", "name": "a", "outputs": 8, "kernel": [3, 3], "stride": [1, 1], "padding": [0, 0, 0, 0], "#
                + #""dilation": [1, 1], "groups": 1, "depthwise": false, "bias": true}"#
        ),
        (
            #"{"op": "convolution", "name": "a", "outputs": 8, "kernel": 3, "padding": "valid", "#
                + #""normalization": {"epsilon": 0.001}}"#,
            #"{"op": "convolution", "name": "a", "outputs": 8, "kernel": 3, "padding": 0, "bias": false, "#
                + #""normalization": {"epsilon": 0.001, "scale": true}}"#
        ),
        (#"{"op": "linear", "name": "a", "outputs": 8}"#, #"{"op": "linear", "name": "a", "outputs": 8, "bias": true}"#),
        (
            #"{"op": "max_pool", "size": 3}"#,
            #"{"op": "max_pool", "size": [3, 3], "stride": [3, 3], "padding": 0, "rounding": "floor"}"#
        ),
        (
            #"{"op": "average_pool", "size": [2, 3], "padding": [1, 2]}"#,
            #"{"op": "average_pool", "size": [2, 3], "stride": [2, 3], "padding": [1, 2, 1, 2], "rounding": "floor", "#
                + #""counts_padding": true}"#
        ),
        (#"{"op": "flatten"}"#, #"{"op": "flatten", "order": "CHW"}"#),
        (
            #"{"op": "batch_normalization", "name": "a", "epsilon": 0.1}"#,
            #"{"op": "batch_normalization", "name": "a", "epsilon": 0.1, "scale": true}"#
        ),
        (
            #"{"op": "local_response_normalization", "size": 5, "alpha": 1e-4, "beta": 0.75}"#,
            #"{"op": "local_response_normalization", "size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1, "divides_alpha": true}"#
        ),
        (#"{"op": "residual", "main": [{"op": "relu"}]}"#, #"{"op": "residual", "main": [{"op": "relu"}], "shortcut": []}"#),
    ])
    func defaults(_ short: String, _ full: String) throws { #expect(try NamedLayer(json: short) == NamedLayer(json: full)) }

    @Test func convolution() throws {
        let layer = try NamedLayer(
            json:
                #"{"op": "convolution", "name": "c", "outputs": 8, "kernel": [1, 7], "stride": [2, 3], "#
                    + #""padding": [1, 2, 3, 4], "dilation": [5, 6], "groups": 4, "bias": false, "#
                    + #""normalization": {"epsilon": 0.25, "scale": false}, "activation": "relu6"}"#
        )
        guard layer.name == "c", case .convolution(let spec) = layer.layer else {
            Issue.record("\(layer)")
            return
        }
        #expect(spec.outputs == 8 && spec.groups == 4 && !spec.bias)
        #expect((spec.kernel, spec.stride, spec.dilation) == (Extent(1, 7), Extent(2, 3), Extent(5, 6)))
        #expect(spec.padding == .fixed(Padding(top: 1, left: 2, bottom: 3, right: 4)))
        #expect(spec.normalization == NormalizationSpec(epsilon: 0.25, scale: false))
        #expect(spec.activation == .relu6)
    }

    @Test func depthwise() throws {
        for (json, outputs) in [("", nil), (#", "outputs": 12"#, 12)] as [(String, Int?)] {
            let layer = try NamedLayer(
                json: #"{"op": "convolution", "name": "d", "depthwise": true, "kernel": 3, "padding": "same"\#(json)}"#)
            guard case .convolution(let spec) = layer.layer else {
                Issue.record("\(layer)")
                return
            }
            #expect(spec.outputs == outputs && spec.groups == nil && spec.padding == .same && spec.bias)
        }
    }

    @Test func linear() throws {
        let layer = try NamedLayer(json: #"{"op": "linear", "name": "f", "outputs": 3, "bias": false, "activation": "sigmoid"}"#)
        guard case .linear(let spec) = layer.layer else {
            Issue.record("\(layer)")
            return
        }
        #expect(spec.outputs == 3 && !spec.bias && spec.activation == .sigmoid)
    }

    @Test func pooling() throws {
        func spec(_ json: String) throws -> PoolingSpec? {
            guard case .pool(let spec) = try NamedLayer(json: json).layer else { return nil }
            return spec
        }
        let maximum = try spec(#"{"op": "max_pool", "size": [2, 3], "stride": 1, "padding": "same", "rounding": "ceil"}"#)
        #expect(maximum?.kind == .maximum && maximum?.size == Extent(2, 3) && maximum?.stride == Extent(1, 1))
        #expect(maximum?.padding == .same && maximum?.roundsUp == true)
        let average = try spec(#"{"op": "average_pool", "size": 2, "counts_padding": false}"#)
        #expect(average?.kind == .average(countsPadding: false) && average?.roundsUp == false)
    }

    @Test(
        arguments: [
            (#"{"op": "relu"}"#, .activation(.relu)), (#"{"op": "relu6"}"#, .activation(.relu6)),
            (#"{"op": "tanh"}"#, .activation(.tanh)),
            (#"{"op": "sigmoid"}"#, .activation(.sigmoid)), (#"{"op": "softmax"}"#, .softmax),
            (#"{"op": "dropout", "rate": 0.5}"#, .dropout(rate: 0.5)), (#"{"op": "global_average_pool"}"#, .globalAveragePool),
            (#"{"op": "flatten", "order": "HWC"}"#, .flatten(.channelsLast)),
            (
                #"{"op": "batch_normalization", "epsilon": 0.5, "scale": false}"#,
                .batchNormalization(NormalizationSpec(epsilon: 0.5, scale: false))
            ),
            (
                #"{"op": "residual", "main": [{"op": "relu"}], "shortcut": [{"op": "tanh", "name": "t"}], "activation": "relu"}"#,
                .residual(
                    main: [NamedLayer(nil, .activation(.relu))], shortcut: [NamedLayer("t", .activation(.tanh))],
                    activation: .relu)
            ),
            (
                #"{"op": "concatenate", "branches": [[{"op": "relu"}, {"op": "softmax"}], []]}"#,
                .concatenate([[NamedLayer(nil, .activation(.relu)), NamedLayer(nil, .softmax)], []])
            ),
        ] as [(String, LayerSpec)])
    func others(_ json: String, _ layer: LayerSpec) throws { #expect(try NamedLayer(json: json) == NamedLayer(nil, layer)) }

    @Test func localResponse() throws {
        let layer = try NamedLayer(
            json:
                #"{"op": "local_response_normalization", "size": 3, "alpha": 0.5, "beta": 0.25, "k": 2, "divides_alpha": false}"#)
        guard case .localResponseNormalization(let spec) = layer.layer else {
            Issue.record("\(layer)")
            return
        }
        #expect(spec.size == 3 && spec.alpha == 0.5 && spec.beta == 0.25 && spec.k == 2 && !spec.dividesAlpha)
    }

    @Test(arguments: [
        ("{}", "missing op"),
        (#"{"op": "maxpool"}"#, "Cannot initialize Operation from invalid String value maxpool"),
        (#"{"op": "convolution", "kernel": 3}"#, "missing outputs"),
        (#"{"op": "convolution", "outputs": 8}"#, "missing kernel"),
        (#"{"op": "convolution", "outputs": 0, "kernel": 3}"#, "expected a whole number from 1 to 16777216, found 0"),
        (
            #"{"op": "convolution", "outputs": 16777217, "kernel": 3}"#,
            "expected a whole number from 1 to 16777216, found 16777217"
        ),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "groups": -1}"#,
            "expected a whole number from 1 to 16777216, found -1"
        ),
        (#"{"op": "convolution", "outputs": 8, "kernel": 0}"#, "expected a positive whole number or [height, width]"),
        (#"{"op": "convolution", "outputs": 8, "kernel": [3]}"#, "expected a positive whole number or [height, width]"),
        (#"{"op": "convolution", "outputs": 8, "kernel": [3, -3]}"#, "expected a positive whole number or [height, width]"),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "stride": "2"}"#,
            "expected a positive whole number or [height, width]"
        ),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "padding": "full"}"#,
            "expected \"same\", \"valid\" or numbers, found \"full\""
        ),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "padding": [1, 2, 3]}"#,
            "expected \"same\", \"valid\", a number, [height, width] or [top, left, bottom, right]"
        ),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "padding": -1}"#,
            "expected \"same\", \"valid\", a number, [height, width] or [top, left, bottom, right]"
        ),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "padding": 65537}"#,
            "expected \"same\", \"valid\", a number, [height, width] or [top, left, bottom, right]"
        ),
        (
            #"{"op": "convolution", "outputs": 8, "kernel": 3, "activation": "swish"}"#,
            "Cannot initialize Activation from invalid String value swish"
        ),
        (#"{"op": "convolution", "outputs": 8, "kernel": 3, "normalization": {}}"#, "missing epsilon"),
        (#"{"op": "convolution", "outputs": 8, "kernel": 3, "normalization": {"epsilon": -1}}"#, "ε must not be negative"),
        (#"{"op": "linear"}"#, "missing outputs"),
        (#"{"op": "dropout"}"#, "missing rate"),
        (#"{"op": "dropout", "rate": 1}"#, "a dropout rate must be at least 0 and below 1"),
        (#"{"op": "dropout", "rate": -0.1}"#, "a dropout rate must be at least 0 and below 1"),
        (#"{"op": "max_pool"}"#, "missing size"),
        (#"{"op": "max_pool", "size": 2, "rounding": "up"}"#, "Cannot initialize Rounding from invalid String value up"),
        (#"{"op": "flatten", "order": "WHC"}"#, "Cannot initialize FlattenOrder from invalid String value WHC"),
        (#"{"op": "batch_normalization", "name": "a"}"#, "missing epsilon"),
        (#"{"op": "batch_normalization", "name": "a", "epsilon": -1}"#, "ε must not be negative"),
        (
            #"{"op": "local_response_normalization", "size": 4, "alpha": 1, "beta": 1}"#,
            "the window must have a middle: an odd number of channels"
        ),
        (#"{"op": "local_response_normalization", "size": 5, "beta": 1}"#, "missing alpha"),
        (#"{"op": "residual"}"#, "missing main"),
        (#"{"op": "concatenate", "branches": [{"op": "relu"}]}"#, "type at branches.Index 0"),
        (#"{"op": "relu", "name": 3}"#, "type at name"),
    ])
    func refusals(_ json: String, _ sentence: String) { #expect(refusal(NamedLayer.self, json) == sentence) }
}
