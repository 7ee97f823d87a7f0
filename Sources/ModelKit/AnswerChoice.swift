/// How an answer is chosen from the probabilities of all answers.
public struct AnswerChoice: Decodable, Sendable, Hashable {
    /// How many answers are told.
    public var nbest: Int
    /// Only these are considered (multiple choice); nil: all.
    public var choices: [String]?
    /// Where the best answer is less probable than this, the model says that it does not know.
    public var minimumConfidence: Float

    private enum CodingKeys: String, CodingKey {
        case nbest, choices
        case minimumConfidence = "min_confidence"
    }

    public init(nbest: Int = 5, choices: [String]? = nil, minimumConfidence: Float = 0) {
        (self.nbest, self.choices, self.minimumConfidence) = (nbest, choices, minimumConfidence)
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        nbest = try json.decodeIfPresent(Int.self, forKey: .nbest) ?? 5
        guard 1...1000 ~= nbest else {
            throw DecodingError.dataCorruptedError(
                forKey: .nbest, in: json, debugDescription: "expected a whole number from 1 to 1000, found \(nbest)")
        }
        choices = try json.decodeIfPresent([String].self, forKey: .choices)
        guard choices?.isEmpty != true else {
            throw DecodingError.dataCorruptedError(
                forKey: .choices, in: json, debugDescription: "at least one choice was expected")
        }
        minimumConfidence = try json.decodeIfPresent(Float.self, forKey: .minimumConfidence) ?? 0
        guard 0...1 ~= minimumConfidence else {
            throw DecodingError.dataCorruptedError(
                forKey: .minimumConfidence, in: json,
                debugDescription: "expected a probability from 0 to 1, found \(minimumConfidence)")
        }
    }
}
