public import NeuralNetworks
public import Tensors

/// The convolutional network of a card: its layers, or the name of another card that has them.
public enum BackboneSource: Sendable {
    /// `{"input": [h, w, c], "layers": […], "tap": "fc7"}`
    case layers(BackboneDescription)
    /// `{"model": "vgg-16", "tap": "fc7"}`, and `"input": [h, w, c]` for pictures of another size than that card's,
    /// and `"output_stride": 16` for finer feature maps (`[NamedLayer].finer(outputStride:)`).
    case model(name: String, input: Shape?, tap: String?, outputStride: Int?)
}

extension BackboneDescription {
    /// The layers up to the tap, which are those that run.
    ///
    /// - Throws: `LayerError.unknownTap`.
    public func tapped() throws(LayerError) -> [NamedLayer] {
        guard let tap else { return layers }
        guard let last = layers.firstIndex(where: { $0.name == tap }) else {
            throw .unknownTap(tap, known: layers.compactMap(\.name))
        }
        return Array(layers[...last])
    }

    /// Whether its sizes can be multiplied at all.
    package var isComputable: Bool { NetworkBound(layers, input: input).total < NetworkBound.limit }

    /// Shapes and counts up to the tap.
    public func summary() throws(LayerError) -> NetworkSummary { try NetworkSummary(tapped(), input: input) }
}

extension BackboneSource: Decodable {
    private enum CodingKeys: String, CodingKey {
        case input, layers, model, tap
        case outputStride = "output_stride"
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        let tap = try json.decodeIfPresent(String.self, forKey: .tap)
        func input() throws -> Shape {
            let input = try json.decode([Int].self, forKey: .input)
            guard input.count == 3, input.allSatisfy({ 1...Self.largestSide ~= $0 }) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .input, in: json,
                    debugDescription: "[height, width, channels] were expected, each from 1 to \(Self.largestSide)")
            }
            return Shape(input)
        }
        let stride = try json.decodeIfPresent(Int.self, forKey: .outputStride)
        if let stride, !(1...1024 ~= stride) {
            throw DecodingError.dataCorruptedError(
                forKey: .outputStride, in: json, debugDescription: "a whole number from 1 to 1024 was expected, not \(stride)")
        }
        if let name = try json.decodeIfPresent(String.self, forKey: .model) {
            self = .model(name: name, input: json.contains(.input) ? try input() : nil, tap: tap, outputStride: stride)
            return
        }
        guard stride == nil else {
            throw DecodingError.dataCorruptedError(
                forKey: .outputStride, in: json, debugDescription: "it stands beside 'model'; 'layers' have their own dilations")
        }
        let backbone = BackboneDescription(
            input: try input(), layers: try json.decode([NamedLayer].self, forKey: .layers), tap: tap)
        guard backbone.isComputable else {
            throw DecodingError.dataCorruptedError(
                forKey: .layers, in: json, debugDescription: "these sizes make a network that no computer could run")
        }
        self = .layers(backbone)
    }

    private static let largestSide = 1 << 14
}
