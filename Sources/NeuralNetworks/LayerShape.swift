public import Tensors

/// Why a list of layers is no network.
public enum LayerError: Error, CustomStringConvertible, Equatable {
    case needsFeatureMap(layer: String, input: Shape)
    case needsVector(layer: String, input: Shape)
    case indivisible(layer: String, channels: Int, groups: Int)
    case windowTooLarge(layer: String, input: Shape)
    /// A pooling window that lies in the padding alone sees nothing.
    case paddingTooLarge(layer: String)
    case tooLarge(layer: String)
    case branchesDisagree(layer: String, Shape, Shape)
    case unnamed(layer: String)
    case nameTwice(String)
    case unknownTap(String, known: [String])
    case empty(layer: String)
    case cannotBeFiner(layer: String, outputStride: Int)

    public var description: String {
        switch self {
        case .needsFeatureMap(let layer, let input): "\(layer) needs a feature map, but its input is \(input)"
        case .needsVector(let layer, let input):
            "\(layer) needs a vector, but its input is \(input): put a flatten or a global_average_pool before it"
        case .indivisible(let layer, let channels, let groups):
            "\(layer) divides \(channels) channels into \(groups) groups, which leaves a rest"
        case .windowTooLarge(let layer, let input): "the window of \(layer) is larger than its input \(input) with padding"
        case .paddingTooLarge(let layer):
            "the padding of \(layer) is as large as its window: make it smaller, for a window must see the input"
        case .tooLarge(let layer): "\(layer) has more than \(NetworkSummary.largest) weights or results, which no memory holds"
        case .branchesDisagree(let layer, let a, let b): "the branches of \(layer) give \(a) and \(b), which cannot be joined"
        case .unnamed(let layer): "\(layer) has parameters and therefore needs a name"
        case .nameTwice(let name): "two layers are called '\(name)'"
        case .unknownTap(let tap, let known): "there is no layer '\(tap)' to tap; the layers are \(known.joined(separator: ", "))"
        case .empty(let layer): "\(layer) has no layers"
        case .cannotBeFiner(let layer, let stride):
            "\(layer) allows no output_stride of \(stride): another one, or an earlier tap, may do"
        }
    }
}

/// Everything about a network that follows from its layers alone: what `zoo check` and `zoo show` need, without weights.
public struct NetworkSummary: Sendable, Equatable {
    /// The result for one picture, without the batch axis.
    public internal(set) var output: Shape
    /// The shape at every named layer.
    public internal(set) var taps: [(name: String, shape: Shape)] = []
    /// Weights and biases; running statistics do not count, as in PyTorch.
    public internal(set) var parameters = 0
    public internal(set) var multiplyAdds = 0
    /// What parameters are named after, to find two layers that would share some.
    private var scopes: Set<String> = []

    /// The most scalars that one tensor of a network may have: 8 GiB.
    static let largest = 1 << 31

    public static func == (a: Self, b: Self) -> Bool {
        a.output == b.output && a.parameters == b.parameters && a.multiplyAdds == b.multiplyAdds
            && a.taps.map(\.name) == b.taps.map(\.name)
    }

    /// Follows one picture of shape `[height, width, channels]` through the layers.
    public init(_ layers: [NamedLayer], input: Shape) throws(LayerError) {
        output = input
        try follow(layers)
    }

    private mutating func follow(_ layers: [NamedLayer]) throws(LayerError) {
        for layer in layers { try follow(layer) }
    }

    private mutating func follow(_ named: NamedLayer) throws(LayerError) {
        let word = named.layer.word
        let label = named.name.map { "'\($0)'" } ?? "\(word.hasPrefix("a") ? "an" : "a") \(word)"
        func featureMap(_ shape: Shape) throws(LayerError) {
            guard shape.rank == 3 else { throw .needsFeatureMap(layer: label, input: shape) }
        }
        func needsName() throws(LayerError) {
            guard named.name != nil else { throw .unnamed(layer: label) }
        }
        /// The product, which is checked before anything is multiplied by it: a card may say any number.
        func bounded(_ factors: [Int]) throws(LayerError) -> Int {
            var product = 1
            for factor in factors {
                let (next, overflows) = product.multipliedReportingOverflow(by: factor)
                guard !overflows, next <= Self.largest else { throw .tooLarge(layer: label) }
                product = next
            }
            return product
        }
        func count(_ weights: Int, _ positions: Int) throws(LayerError) {
            let (sum, overflows) = multiplyAdds.addingReportingOverflow(weights * positions)
            guard !overflows else { throw .tooLarge(layer: label) }
            multiplyAdds = sum
        }
        func claim(_ scope: String?) throws(LayerError) {
            if let scope, !scopes.insert(scope).inserted { throw .nameTwice(scope) }
        }
        let input = output
        switch named.layer {
        case .convolution(let spec):
            try featureMap(input)
            try needsName()
            let channels = input[2], outputs = spec.outputs ?? channels, groups = spec.groups ?? channels
            for divided in [channels, outputs] where divided % groups != 0 {
                throw .indivisible(layer: label, channels: divided, groups: groups)
            }
            let filter: Shape = [outputs, channels / groups, spec.kernel.height, spec.kernel.width]
            let weights = try bounded(filter.dimensions)
            let geometry = spec.geometry(input: [1] + input)
            guard fits(input, spec.kernel, geometry.padding, dilation: spec.dilation) else {
                throw .windowTooLarge(layer: label, input: input)
            }
            output = Shape(Array(geometry.output(input: [1] + input, filter: filter).dimensions.dropFirst()))
            _ = try bounded(output.dimensions)
            parameters += weights + (spec.bias ? outputs : 0) + (spec.normalization.map { $0.scale ? 2 * outputs : outputs } ?? 0)
            try count(weights, output[0] * output[1])
            if spec.normalization != nil { try claim(named.name.map { $0 + ".normalization" }) }
        case .linear(let spec):
            try needsName()
            guard input.rank == 1 else { throw .needsVector(layer: label, input: input) }
            let weights = try bounded([input[0], spec.outputs])
            output = [spec.outputs]
            parameters += weights + (spec.bias ? spec.outputs : 0)
            try count(weights, 1)
        case .pool(let spec):
            try featureMap(input)
            let geometry = spec.geometry(input: [1] + input)
            guard fits(input, spec.size, geometry.padding) else { throw .windowTooLarge(layer: label, input: input) }
            let padding = geometry.padding
            guard max(padding.top, padding.bottom) < spec.size.height, max(padding.left, padding.right) < spec.size.width else {
                throw .paddingTooLarge(layer: label)
            }
            output = Shape(Array(geometry.output(input: [1] + input).dimensions.dropFirst()))
            _ = try bounded(output.dimensions)
        case .globalAveragePool:
            try featureMap(input)
            output = [input[2]]
        case .flatten:
            try featureMap(input)
            output = [input.count]
        case .batchNormalization(let spec):
            try needsName()
            parameters += (spec.scale ? 2 : 1) * input[-1]
        case .localResponseNormalization: try featureMap(input)
        case .activation, .softmax, .dropout: break
        case .residual(let main, let shortcut, _):
            guard !main.isEmpty else { throw .empty(layer: label) }
            try follow(main)
            let end = output
            output = input
            try follow(shortcut)
            guard end == output else { throw .branchesDisagree(layer: label, end, output) }
        case .concatenate(let branches):
            guard !branches.isEmpty else { throw .empty(layer: label) }
            var ends: [Shape] = []
            for branch in branches {
                output = input
                try follow(branch)
                if let first = ends.first,
                    first.rank != output.rank || first.dimensions.dropLast() != output.dimensions.dropLast()
                {
                    throw .branchesDisagree(layer: label, first, output)
                }
                ends.append(output)
            }
            output = ends[0].replacing(axis: -1, with: ends.reduce(0) { $0 + $1[-1] })
            _ = try bounded(output.dimensions)
        }
        try claim(named.name)
        if let name = named.name { taps.append((name, output)) }
    }

    private func fits(_ input: Shape, _ window: Extent, _ padding: Padding, dilation: Extent = Extent(1, 1)) -> Bool {
        input[0] + padding.top + padding.bottom >= (window.height - 1) * dilation.height + 1
            && input[1] + padding.left + padding.right >= (window.width - 1) * dilation.width + 1
    }
}

extension ConvolutionSpec {
    /// - Parameter input: `[n, h, w, c]`.
    func geometry(input: Shape) -> ConvolutionGeometry {
        ConvolutionGeometry(
            stride: stride.pair, padding: padding.padding(input, kernel: kernel, stride: stride, dilation: dilation),
            dilation: dilation.pair, groups: groups ?? input[3])
    }
}

extension PoolingSpec {
    /// - Parameter input: `[n, h, w, c]`.
    func geometry(input: Shape) -> PoolingGeometry {
        PoolingGeometry(
            kind, size: size.pair, stride: stride.pair, padding: padding.padding(input, kernel: size, stride: stride),
            roundsUp: roundsUp)
    }
}

extension LayerSpec {
    /// What a card calls it.
    var word: String {
        switch self {
        case .convolution: "convolution"
        case .linear: "linear"
        case .activation(let f): f.rawValue
        case .softmax: "softmax"
        case .dropout: "dropout"
        case .pool(let spec): spec.kind == .maximum ? "max_pool" : "average_pool"
        case .globalAveragePool: "global_average_pool"
        case .flatten: "flatten"
        case .batchNormalization: "batch_normalization"
        case .localResponseNormalization: "local_response_normalization"
        case .residual: "residual"
        case .concatenate: "concatenate"
        }
    }
}

extension Shape {
    fileprivate static func + (a: [Int], b: Shape) -> Shape { Shape(a + b.dimensions) }
}
