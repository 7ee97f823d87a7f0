import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

@Suite struct BackboneTests {
    let backend = OpenBLAS(threads: 2)

    /// Every kind of layer once; Reference/layers.py computes the same.
    private func network(flatten order: FlattenOrder) -> String {
        """
        [{"op": "convolution", "name": "c1", "outputs": 12, "kernel": [3, 5], "stride": [1, 2], "padding": [1, 2, 0, 1],
          "groups": 3, "activation": "tanh"},
         {"op": "local_response_normalization", "size": 5, "alpha": 0.2, "beta": 0.75, "k": 1.5},
         {"op": "residual", "name": "r", "activation": "relu",
          "main": [{"op": "convolution", "name": "c2", "outputs": 16, "kernel": 3, "dilation": 2, "padding": 2}],
          "shortcut": [{"op": "convolution", "name": "c3", "outputs": 16, "kernel": 1, "bias": false}]},
         {"op": "concatenate", "name": "joined", "branches": [
           [{"op": "max_pool", "size": [3, 2], "stride": 2, "rounding": "ceil"}],
           [{"op": "average_pool", "size": 3, "stride": 2, "padding": "same", "counts_padding": false}, {"op": "sigmoid"}],
           [{"op": "convolution", "name": "c4", "outputs": 4, "kernel": 1, "stride": 2}],
           [{"op": "convolution", "name": "c5", "depthwise": true, "kernel": 3, "stride": 2, "padding": "same",
             "normalization": {"epsilon": 0.001, "scale": false}}]]},
         {"op": "batch_normalization", "name": "b1", "epsilon": 0.01},
         {"op": "average_pool", "size": 2, "stride": 2, "padding": 1},
         {"op": "flatten", "order": "\(order.rawValue)"},
         {"op": "dropout", "rate": 0.5},
         {"op": "linear", "name": "f1", "outputs": 10, "activation": "sigmoid"},
         {"op": "softmax"}]
        """
    }

    private func backbone(
        _ json: String, input: Shape = [13, 11, 6], tap: String? = nil, _ purpose: ParameterStore.Purpose = .inference,
        on backend: any Backend
    ) throws -> (Backbone, ParameterStore) {
        let store = ParameterStore(FormulaParameters(), for: purpose, on: backend)
        return (try Backbone([NamedLayer](json: json), input: input, tap: tap, in: store.root), store)
    }

    private func x(on backend: any Backend) -> Tensor { FormulaParameters.uniform("x", [2, 13, 11, 6], on: backend) }

    @Test func everyLayerAsInPyTorch() throws {
        for backend in [PortableBackend(), OpenBLAS(threads: 2)] as [any Backend] {
            for purpose in [ParameterStore.Purpose.inference, .training] {
                let (network, _) = try backbone(network(flatten: .channelsFirst), purpose, on: backend)
                let (output, taps) = network(x(on: backend), taps: ["joined", "f1"])
                let joined = taps[0].scalars
                #expect(taps[0].shape == [2, 6, 3, 52])
                expectClose(stride(from: 0, to: joined.count, by: 29).map { joined[$0] }, LayerValues.joined, backend.name)
                expectClose(taps[1].scalars, LayerValues.features, backend.name)
                expectClose(output.scalars, LayerValues.probabilities, backend.name)
                #expect(network.summary.output == [10])
            }
        }
    }

    @Test func flattenChannelsLast() throws {
        let (network, _) = try backbone(network(flatten: .channelsLast), tap: "f1", on: backend)
        expectClose(network(x(on: backend)).scalars, LayerValues.featuresOfChannelsLast)
    }

    /// What follows the tap is not made.
    @Test func tap() throws {
        let (whole, all) = try backbone(network(flatten: .channelsFirst), on: backend)
        let (part, some) = try backbone(network(flatten: .channelsFirst), tap: "joined", on: backend)
        #expect(part.summary.output == [6, 3, 52])
        let y = part(x(on: backend))
        #expect(y.scalars == whole(x(on: backend), taps: ["joined"]).taps[0].scalars)
        #expect(some.all.map(\.name) == all.all.map(\.name).filter { $0.hasPrefix("c") })
    }

    @Test(arguments: ["nothing", "c2"])
    func unknownTap(_ name: String) throws {
        #expect(throws: LayerError.unknownTap(name, known: ["c1", "r", "joined", "b1", "f1"])) {
            try backbone(network(flatten: .channelsFirst), tap: name, on: backend)
        }
        let error = LayerError.unknownTap("c2", known: ["c1", "r"])
        #expect(error.description == "there is no layer 'c2' to tap; the layers are c1, r")
    }

    /// Wrong layers are refused before any parameter is asked for.
    @Test func refusal() {
        struct Nothing: ParameterSource {
            func contains(_ name: String) -> Bool { false }
            func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
                Issue.record("\(name) was asked for")
                return .zeros(shape, on: backend)
            }
        }
        let store = ParameterStore(Nothing(), on: backend)
        #expect(throws: LayerError.self) {
            try Backbone(
                [NamedLayer](
                    json:
                        #"[{"op": "convolution", "name": "a", "outputs": 2, "kernel": 1}, "#
                            + #"{"op": "linear", "name": "b", "outputs": 1}]"#
                ),
                input: [2, 2, 2], in: store.root)
        }
    }

    /// Pictures may differ from the declared size where no layer needs it.
    @Test func otherSizes() throws {
        let json =
            #"[{"op": "convolution", "name": "a", "outputs": 4, "kernel": 3, "stride": 2, "padding": "same"}, "#
                + #"{"op": "global_average_pool"}]"#
        let (network, _) = try backbone(json, input: [8, 8, 3], on: backend)
        let x = FormulaParameters.uniform("x", [2, 11, 6, 3], on: backend)
        #expect(network(x).shape == [2, 4])
        let (own, _) = try backbone(json, input: [11, 6, 3], on: backend)
        #expect(network(x).scalars == own(x).scalars)
    }

    /// In training, dropout and batch statistics act, and gradients reach every weight.
    @Test func training() throws {
        let (network, store) = try backbone(network(flatten: .channelsFirst), .training, on: backend)
        let inference = network(x(on: backend))
        store.startTraining()
        let y = network(x(on: backend))
        #expect(relativeDifference(y.scalars, inference.scalars) > 1e-3)
        let gradients = crossEntropy(y, [3, 7]).mean.gradients()
        for parameter in store.all where !parameter.isStatistic {
            guard let gradient = gradients[parameter.value] else {
                Issue.record("\(parameter.name) has no gradient")
                continue
            }
            #expect(gradient.scalars.contains { $0 != 0 }, "\(parameter.name)")
            #expect(gradient.scalars.allSatisfy { $0.isFinite }, "\(parameter.name)")
        }
        let names = Set(store.all.map(\.name))
        #expect(
            names.isSuperset(of: [
                "b1.scale", "b1.shift", "b1.mean", "b1.variance", "c5.normalization.mean", "c3.weight", "f1.bias",
            ]))
        #expect(!names.contains("c3.bias") && !names.contains("c5.normalization.scale") && !names.contains("c5.bias"))
        #expect(store.all.filter { !$0.isStatistic }.reduce(0) { $0 + $1.value.shape.count } == network.summary.parameters)
    }
}
