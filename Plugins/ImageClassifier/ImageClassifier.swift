public import ModelKit
public import NeuralNetworks
public import Tensors

/// A backbone on its own: the classes of a picture, or its features.
///
/// What the network is, is in the card; see the papers there.
public struct ImageClassifier: Model {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        /// What the last layer's numbers are.
        public enum Outputs: String, Decodable, Sendable, CaseIterable { case probabilities, features }
        public var outputs: Outputs

        private enum CodingKeys: CodingKey { case outputs }
        public init(from decoder: any Decoder) throws {
            outputs =
                try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Outputs.self, forKey: .outputs) ?? .probabilities
        }
    }

    /// How many classes are told.
    public struct Decoding: Decodable, Sendable {
        public var nbest: Int

        private enum CodingKeys: CodingKey { case nbest }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            nbest = try json.decodeIfPresent(Int.self, forKey: .nbest) ?? 5
            guard 1...1000 ~= nbest else {
                throw DecodingError.dataCorruptedError(
                    forKey: .nbest, in: json, debugDescription: "expected a whole number from 1 to 1000, found \(nbest)")
            }
        }
    }

    private let network: Backbone
    private let h: Hyperparameters
    private let labels: [String]

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        (h, labels) = (hyperparameters, assets.labels)
        network = try backbone.make(in: scope)
    }

    public func forward(_ input: ImageInput) -> Tensor { network(input.pixels) }

    public func decode(_ y: Tensor, _ decoding: Decoding) -> Answer {
        h.outputs == .features
            ? .features(Features(y.scalars, shape: Array(y.shape.dimensions.dropFirst())))
            : .classes(Classes(y.scalars, labels: labels, count: decoding.nbest))
    }

    /// Classes or features, as the card says.
    public enum Answer: Prediction {
        case classes(Classes)
        case features(Features)

        public var text: String {
            switch self {
            case .classes(let classes): classes.text
            case .features(let features): features.text
            }
        }

        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .classes(let classes): try classes.encode(to: encoder)
            case .features(let features): try features.encode(to: encoder)
            }
        }
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_ImageClassifier) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "ImageClassifier", reference: "the paper of its card", model: ImageClassifier.self).retainedPointer()
}
