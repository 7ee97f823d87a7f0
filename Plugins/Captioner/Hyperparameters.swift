public import NeuralNetworks
import Tensors

extension Captioner {
    /// What a card of this architecture can set.
    public struct Hyperparameters: Decodable, Sendable {
        /// Where the picture enters.
        public enum Injection: String, Decodable, Sendable, CaseIterable {
            /// As the first input, before the start token (im2txt, NeuralTalk2, NeuralTalk).
            case first
            /// Beside every word.
            case every
            /// As the initial hidden state and cell.
            case initial
        }

        public var inject: Injection
        /// The width E of picture and word embeddings.
        public var embedding: Int
        public var hidden: Int
        public var lstm: LSTMSpec
        /// im2txt's image embedding has no bias, NeuralTalk's have one.
        public var imageBias: Bool
        /// NeuralTalk2: a rectifier.
        public var imageActivation: Activation?
        /// Whether the picture's features are brought to mean 0 and variance 1 first, by the statistics of the training
        /// pictures. Pooled features are all positive, so most of what the LSTM would see of them is their common mean.
        public var imageNormalization: Bool
        /// The width of the softmax where it is larger than the vocabulary (im2txt: 12,000).
        public var outputs: Int?
        /// Longer captions are cut to this while training.
        public var maximumWords: Int
        public var inputDropout: Float
        public var outputDropout: Float

        private enum CodingKeys: String, CodingKey {
            case inject, embedding, hidden, lstm, outputs
            case imageBias = "image_bias"
            case imageActivation = "image_activation"
            case imageNormalization = "image_normalization"
            case maximumWords = "max_words"
            case inputDropout = "input_dropout"
            case outputDropout = "output_dropout"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            inject = try json.decode(Injection.self, forKey: .inject)
            embedding = try json.decodeSizeIfPresent(.embedding) ?? 512
            hidden = try json.decodeSizeIfPresent(.hidden) ?? 512
            lstm = try json.decode(LSTMSpec.self, forKey: .lstm)
            imageBias = try json.decodeIfPresent(Bool.self, forKey: .imageBias) ?? false
            imageActivation = try json.decodeIfPresent(Activation.self, forKey: .imageActivation)
            imageNormalization = try json.decodeIfPresent(Bool.self, forKey: .imageNormalization) ?? false
            outputs = try json.decodeSizeIfPresent(.outputs)
            maximumWords = try json.decodeSizeIfPresent(.maximumWords) ?? 50
            inputDropout = try json.decodeDropoutIfPresent(.inputDropout) ?? 0
            outputDropout = try json.decodeDropoutIfPresent(.outputDropout) ?? 0
        }
    }
}
