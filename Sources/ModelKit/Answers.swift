import NeuralNetworks

/// The answers to one question in falling order of probability.
public struct Answers: Prediction {
    public struct Alternative: Codable, Sendable, Equatable {
        public let text: String
        public let probability: Float

        public init(text: String, probability: Float) { (self.text, self.probability) = (text, probability) }
    }

    /// How much a model looked at each part of the picture.
    public struct Attention: Codable, Sendable, Equatable {
        public let rows: Int
        public let columns: Int
        /// `rows × columns` weights that add up to 1, the top row first.
        public let weights: [Float]

        public init(rows: Int, columns: Int, weights: [Float]) {
            (self.rows, self.columns, self.weights) = (rows, columns, weights)
        }
    }

    public let question: String
    /// The best answer, or that the model does not know.
    public let text: String
    public let answers: [Alternative]
    /// Whether the best answer is as probable as was asked for.
    public let isConfident: Bool
    /// One for every time the model looked; none for a model that does not say where.
    public let attention: [Attention]

    /// What a model says that is not sure enough.
    public static let unknown = "I do not know"

    public init(question: String, _ answers: [Alternative], minimumConfidence: Float = 0, attention: [Attention] = []) {
        (self.question, self.answers, self.attention) = (question, answers, attention)
        isConfident = answers.first.map { $0.probability >= minimumConfidence } ?? false
        text = isConfident ? answers.first?.text ?? "" : Self.unknown
    }

    public var texts: [String] { answers.map(\.text) }

    public var annotations: [Annotation] {
        attention.enumerated().map { look, map in
            .heatmap(width: map.columns, height: map.rows, values: map.weights, label: "look \(look + 1)")
        }
    }

    private enum CodingKeys: String, CodingKey {
        case question, text, answers, attention
        case isConfident = "confident"
    }

    public func encode(to encoder: any Encoder) throws {
        var json = encoder.container(keyedBy: CodingKeys.self)
        try json.encode(question, forKey: .question)
        try json.encode(text, forKey: .text)
        try json.encode(answers, forKey: .answers)
        try json.encode(isConfident, forKey: .isConfident)
        if !attention.isEmpty { try json.encode(attention, forKey: .attention) }
    }
}

/// The answers to every question of a request, in its order.
public struct AnswerSheet: Prediction {
    public let questions: [Answers]

    public init(_ questions: [Answers]) { self.questions = questions }

    public var text: String { questions.map(\.text).joined(separator: "\n") }
    public var parts: [any Prediction] { questions }
    public var annotations: [Annotation] { questions.flatMap(\.annotations) }
}
