public import ModelKit
public import NeuralNetworks
public import Tensors

/// The example of a plugin that lies outside of the project: which of the card's labels fits a picture.
///
///     zoo plugin build Foreign --output plugins
///     zoo run foreign picture.png --plugins plugins --cards .
public struct Foreign: TrainableModel {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        /// Divides the logits.
        public var temperature: Float
    }

    public struct Decoding: Decodable, Sendable {}

    /// The label, and how sure the model is of it.
    public struct Tone: Prediction {
        public let text: String
        public let probability: Float
    }

    private let cnn: Backbone
    private let weigh: Linear
    private let temperature: Float
    private let labels: [String]

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        (temperature, labels) = (hyperparameters.temperature, try assets.requiredLabels())
        cnn = try assets.requiredBackbone().make(in: scope["cnn"])
        weigh = try Linear(cnn.summary.output.count, labels.count, in: scope["weigh"])
    }

    public func forward(_ input: ImageInput) -> Tensor { activations(encode([input]), questions: []) }

    /// What the CNN sees, `[pictures, features]`.
    public func encode(_ pictures: [ImageInput]) -> Tensor { cnn(.concatenated(pictures.map(\.pixels), axis: 0)) }

    public func activations(_ f: Tensor, questions: [String]) -> Tensor { weigh(f) / temperature }   // y = (W f + b) / T

    public func decode(_ logits: Tensor, _ decoding: Decoding) -> Tone {
        let p = softmax(logits).scalars, best = p.largest(1)[0]
        return Tone(text: labels[best], probability: p[best])
    }

    public struct Example: Sendable { let label: Int }

    public func example(question: String?, target: String) -> Example? {
        labels.firstIndex(of: target).map { Example(label: $0) }
    }

    public func loss(_ encodings: Tensor, _ batch: [Example], weights: [Float]) -> (value: Tensor, predictions: Int) {
        let logits = activations(encodings, questions: [])
        let losses = crossEntropy(logits, batch.map(\.label)) * Tensor(weights, [batch.count], on: logits.backend)
        return (losses.sum / Float(batch.count), batch.count)
    }
}

/// A nested type of the core's, which is the plugin's own nevertheless.
extension Tensor {
    public struct Colour: Sendable { public let red, green, blue: Float }
    public var colour: Colour { Colour(red: scalars[0], green: scalars[1], blue: scalars[2]) }
}

/// The symbol the host looks for.
@c(zoo_plugin_Foreign) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "Foreign", reference: "an example", model: Foreign.self).retainedPointer()
}
