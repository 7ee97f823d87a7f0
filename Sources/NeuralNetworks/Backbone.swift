public import Tensors

/// A convolutional network made from a list of layers.
public struct Backbone: Sendable {
    private let layers: [Layer]
    public let summary: NetworkSummary

    /// - Parameters:
    ///   - input: `[height, width, channels]`.
    ///   - tap: the layer whose result is wanted; what follows it is not even made. `nil`: the last.
    /// - Throws: ``LayerError``, or what the parameter source throws.
    public init(_ specs: [NamedLayer], input: Shape, tap: String? = nil, in scope: ParameterScope) throws {
        var specs = specs
        if let tap {
            guard let last = specs.firstIndex(where: { $0.name == tap }) else {
                throw LayerError.unknownTap(tap, known: specs.compactMap(\.name))
            }
            specs = Array(specs[...last])
        }
        summary = try NetworkSummary(specs, input: input)
        layers = try Layer.make(specs, input: Shape([1] + input.dimensions), in: scope).layers
    }

    /// Feature maps or vectors for pictures `[n, height, width, channels]`.
    public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }

    /// The result and the results of named layers of the outermost list, in the order of `taps`.
    public func callAsFunction(_ x: Tensor, taps: [String]) -> (output: Tensor, taps: [Tensor]) {
        var found: [String: Tensor] = [:], y = x
        for layer in layers {
            y = layer(y)
            if let name = layer.name, taps.contains(name) { found[name] = y }
        }
        return (
            y,
            taps.map { name in
                guard let tap = found[name] else { preconditionFailure("no layer '\(name)' in the outermost list") }
                return tap
            }
        )
    }
}

/// A layer with its parameters.
private struct Layer: Sendable {
    let name: String?
    private let apply: @Sendable (Tensor) -> Tensor
    /// How the layer's result gets into channels of a larger feature map, where it need not be copied there.
    private let write: (@Sendable (Tensor, ChannelSlice) -> Void)?
    /// A convolution that can add a residual before its activation.
    private let add: (@Sendable (_ x: Tensor, _ residual: Tensor) -> Tensor)?
    /// What the backend computes a convolution with.
    private let algorithm: String?

    func callAsFunction(_ x: Tensor) -> Tensor { apply(x) }

    private init(
        _ name: String?, algorithm: String? = nil, write: (@Sendable (Tensor, ChannelSlice) -> Void)? = nil,
        add: (@Sendable (_ x: Tensor, _ residual: Tensor) -> Tensor)? = nil, apply: @escaping @Sendable (Tensor) -> Tensor
    ) {
        (self.name, self.algorithm, self.apply, self.write, self.add) = (name, algorithm, apply, write, add)
    }

    /// The layer with a stop-watch around everything that it does.
    private func probed(by probe: LayerProbe, _ spec: LayerSpec, input: Shape, output: Shape) -> Layer {
        let index = probe.register(
            .init(
                name: name, operation: spec.word, output: Shape(Array(output.dimensions.dropFirst())), algorithm: algorithm,
                multiplyAdds: spec.multiplyAdds(input: input, output: output)))
        let (apply, write, add) = (apply, write, add)
        var timedWrite: (@Sendable (Tensor, ChannelSlice) -> Void)?
        if let write { timedWrite = { x, slice in probe.measure(index) { write(x, slice) } } }
        var timedAdd: (@Sendable (Tensor, Tensor) -> Tensor)?
        if let add { timedAdd = { x, residual in probe.measure(index) { add(x, residual) } } }
        return Layer(name, algorithm: algorithm, write: timedWrite, add: timedAdd) { x in probe.measure(index) { apply(x) } }
    }

    /// - Parameter input: `[1, h, w, c]` or `[1, features]`.
    static func make(_ specs: [NamedLayer], input: Shape, in scope: ParameterScope) throws -> (layers: [Layer], output: Shape) {
        var layers: [Layer] = [], shape = input
        for spec in specs {
            let (layer, output) = try make(spec, input: shape, in: scope)
            layers.append(layer)
            shape = output
        }
        return (layers, shape)
    }

    private static func make(_ spec: NamedLayer, input: Shape, in root: ParameterScope) throws -> (Layer, Shape) {
        let (layer, output) = try makeBare(spec, input: input, in: root)
        guard let probe = root.store.probe else { return (layer, output) }
        return (layer.probed(by: probe, spec.layer, input: input, output: output), output)
    }

    private static func makeBare(_ spec: NamedLayer, input: Shape, in root: ParameterScope) throws -> (Layer, Shape) {
        let name = spec.name, scope = name.map { root[$0] } ?? root
        switch spec.layer {
        case .convolution(let s):
            let channels = input[3], outputs = s.outputs ?? channels, groups = s.groups ?? channels
            let geometry = s.geometry(input: input)
            let layer = try Convolution2D(
                .init(
                    inputs: channels, outputs: outputs, kernel: s.kernel.pair, groups: groups, bias: s.bias,
                    normalization: s.normalization,
                    activation: s.activation, algorithm: s.algorithm), geometry, input: input, in: scope)
            let output = geometry.output(input: input, filter: [outputs, channels / groups, s.kernel.height, s.kernel.width])
            return (
                Layer(
                    name, algorithm: layer.algorithm,
                    write: { x, slice in layer.write(x, s.geometry(input: x.shape), into: slice) },
                    add: { x, residual in layer(x, s.geometry(input: x.shape), residual: residual) }
                ) { x in layer(x, s.geometry(input: x.shape)) }, output
            )
        case .linear(let s):
            let layer = try Linear(input[1], s.outputs, bias: s.bias, initializer: .he, in: scope)
            return (Layer(name) { x in s.activation.map { $0(layer(x)) } ?? layer(x) }, [1, s.outputs])
        case .activation(let f): return (Layer(name) { x in f(x) }, input)
        case .softmax: return (Layer(name) { x in softmax(x) }, input)
        case .dropout(let rate):
            let layer = Dropout(rate, in: scope)
            return (Layer(name) { x in layer(x) }, input)
        case .pool(let s):
            return (Layer(name) { x in pool(x, s.geometry(input: x.shape)) }, s.geometry(input: input).output(input: input))
        case .globalAveragePool: return (Layer(name) { x in x.globalAverage }, [1, input[3]])
        case .flatten(let order):
            return (
                Layer(name) { x in
                    let features = x.shape.count / x.shape[0]
                    return (order == .channelsFirst ? x.permuted([0, 3, 1, 2]) : x).reshaped([x.shape[0], features])
                }, [1, input.count]
            )
        case .batchNormalization(let s):
            let layer = try BatchNormalization(input[-1], epsilon: s.epsilon, scale: s.scale, in: scope)
            return (Layer(name) { x in layer(x) }, input)
        case .localResponseNormalization(let s): return (Layer(name) { x in localResponseNormalization(x, s.window) }, input)
        case .residual(let main, let shortcut, let activation):
            return try residual(name, main: main, shortcut: shortcut, activation, input: input, in: root)
        case .concatenate(let branches): return try concatenation(name, branches, input: input, in: root)
        }
    }

    /// `activation(main(x) + shortcut(x))`. A convolution at the end of the main branch does the addition and the activation
    /// in its own pass over the feature map.
    private static func residual(
        _ name: String?, main: [NamedLayer], shortcut: [NamedLayer], _ activation: Activation?, input: Shape,
        in root: ParameterScope
    ) throws -> (Layer, Shape) {
        let (shortcut, _) = try make(shortcut, input: input, in: root)
        if var last = main.last, case .convolution(var s) = last.layer, s.activation == nil {
            s.activation = activation
            last.layer = .convolution(s)
            let (first, middle) = try make(Array(main.dropLast()), input: input, in: root)
            let (end, output) = try make(last, input: middle, in: root)
            return (
                Layer(name) { x in
                    let residual = shortcut.reduce(x) { $1($0) }
                    return end.add!(first.reduce(x) { $1($0) }, residual)
                }, output
            )
        }
        let (main, output) = try make(main, input: input, in: root)
        return (
            Layer(name) { x in
                let y = main.reduce(x) { $1($0) } + shortcut.reduce(x) { $1($0) }
                return activation.map { $0(y) } ?? y
            }, output
        )
    }

    /// Branches side by side. For inference every branch writes its channels where they belong.
    private static func concatenation(
        _ name: String?, _ branches: [[NamedLayer]], input: Shape, in root: ParameterScope
    ) throws -> (Layer, Shape) {
        let made = try branches.map { try make($0, input: input, in: root) }
        let output = made[0].output.replacing(axis: -1, with: made.reduce(0) { $0 + $1.output[-1] })
        let joined: @Sendable (Tensor) -> Tensor = { x in
            Tensor.concatenated(made.map { $0.layers.reduce(x) { $1($0) } }, axis: -1)
        }
        if root.store.purpose == .training { return (Layer(name, apply: joined), output) }
        let write: @Sendable (Tensor, ChannelSlice) -> Void = { x, slice in
            var first = 0
            for (layers, output) in made {
                let slice = slice.advanced(by: first), inner = layers.dropLast().reduce(x) { $1($0) }
                if let last = layers.last, let write = last.write {
                    write(inner, slice)
                } else {
                    slice.write(layers.last.map { $0(inner) } ?? inner)
                }
                first += output[-1]
            }
        }
        return (
            Layer(name, write: write) { x in
                // Pictures of another size are rare enough for a copy.
                if x.shape.dimensions.dropFirst() != input.dimensions.dropFirst() { return joined(x) }
                return Tensor(shape: output.replacing(axis: 0, with: x.shape[0]), on: x.backend) { y in
                    write(x, ChannelSlice(base: y, stride: output[-1]))
                }
            }, output
        )
    }
}

extension LayerSpec {
    /// Of the layer itself, without those that it is made of.
    /// - Parameters:
    ///   - input: `[1, h, w, c]` or `[1, features]`, like `output`.
    fileprivate func multiplyAdds(input: Shape, output: Shape) -> Int {
        switch self {
        case .convolution(let s): output.count * (input[-1] / (s.groups ?? input[-1])) * s.kernel.height * s.kernel.width
        case .linear: input.count * output.count
        default: 0
        }
    }
}
