import NeuralNetworks

/// What a model answers: a text for people, its fields for programs, annotations for pictures.
public protocol Prediction: Encodable, Sendable {
    /// The answer in one line.
    var text: String { get }
    var annotations: [Annotation] { get }
    /// This answer and the others that were asked for, each in one line.
    var texts: [String] { get }
    /// The answers where a request asks several things; else this one.
    var parts: [any Prediction] { get }
}

extension Prediction {
    public var texts: [String] { [text] }
    public var parts: [any Prediction] { [self] }
    public var annotations: [Annotation] { [] }
}

/// Something a renderer can draw on the input.
public enum Annotation: Sendable {
    /// Corners in pixels of the original picture.
    case box(x1: Float, y1: Float, x2: Float, y2: Float, label: String)
    /// Weights over the picture, rows of `width`.
    case heatmap(width: Int, height: Int, values: [Float], label: String)
}

/// Sentences in falling order of probability.
public struct Captions: Prediction {
    public struct Word: Codable, Sendable, Equatable {
        public let word: String
        /// Natural logarithm.
        public let logProbability: Float
        public init(word: String, logProbability: Float) { (self.word, self.logProbability) = (word, logProbability) }
    }
    public struct Alternative: Codable, Sendable, Equatable {
        public let text: String
        /// The sum over the words and the end token, natural logarithm.
        public let logProbability: Float
        /// The words and, last, the end token unless the sentence was cut off.
        public let words: [Word]

        public init(text: String, logProbability: Float, words: [Word]) {
            (self.text, self.logProbability, self.words) = (text, logProbability, words)
        }
    }
    public let text: String
    public let alternatives: [Alternative]

    public var texts: [String] { alternatives.map(\.text) }

    public init(_ alternatives: [Alternative]) {
        self.alternatives = alternatives
        text = alternatives.first?.text ?? ""
    }
}

/// Classes in falling order of probability.
public struct Classes: Prediction {
    public struct Alternative: Codable, Sendable, Equatable {
        public let text: String
        public let index: Int
        public let probability: Float
    }
    public let text: String
    public let alternatives: [Alternative]

    /// The `count` most probable of `probabilities`, named by `labels`.
    public init(_ probabilities: [Float], labels: [String], count: Int) {
        alternatives = probabilities.largest(count).map { index in
            Alternative(
                text: labels.indices.contains(index) ? labels[index] : "class \(index)", index: index,
                probability: probabilities[index])
        }
        text = alternatives.first?.text ?? ""
    }
}

/// The numbers a backbone makes of a picture.
public struct Features: Prediction {
    /// `1280 features`: there is nothing to read in them.
    public let text: String
    /// Without the batch axis.
    public let shape: [Int]
    /// Row-major.
    public let features: [Float]

    public init(_ features: [Float], shape: [Int]) {
        (self.features, self.shape) = (features, shape)
        text = shape.map(String.init).joined(separator: "×") + " features"
    }
}
