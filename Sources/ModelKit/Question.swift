public import Language

/// A question as a model reads it.
public struct Question: Sendable, Hashable {
    public let text: String
    /// Ids of the vocabulary, at least one.
    public let words: [Int]

    public init(text: String, words: [Int]) {
        precondition(!words.isEmpty, "a question without words")
        (self.text, self.words) = (text, words)
    }
}

/// From the text of a question to the ids of its words, by the rules that the card names.
public struct QuestionReader: Sendable {
    public let vocabulary: Vocabulary
    private let tokenizer: Tokenizer
    /// No data set of questions about pictures has longer ones; a recurrent network has forgotten the beginning of what is.
    public static let maximumWords = 100

    /// The rows of a table with a row for every word.
    public var words: Int { vocabulary.count }

    /// - Throws: `InputError.missingAsset`.
    public init(_ assets: Assets) throws(InputError) {
        guard let vocabulary = assets.vocabulary else { throw .missingAsset("vocabulary") }
        self.vocabulary = vocabulary
        tokenizer = assets.tokenizer ?? .letters
    }

    /// A user's question; words that the vocabulary lacks become its unknown word.
    ///
    /// - Throws: `InputError.emptyQuestion`, `.longQuestion`, `.unknownWords` where no word is known.
    public func callAsFunction(_ text: String) throws(InputError) -> Question {
        let words = tokenizer.words(in: text)
        guard !words.isEmpty else { throw .emptyQuestion }
        guard words.count <= Self.maximumWords else { throw .longQuestion(words: words.count, limit: Self.maximumWords) }
        guard words.contains(where: vocabulary.contains) else { throw .unknownWords(question: text) }
        return Question(text: text, words: vocabulary.ids(of: words))
    }

    /// A question of a data set: whatever it is, it counts, so it is cut where it is too long, and one without a known word
    /// reads as the unknown word (in a vocabulary without one, as its first).
    public func reading(_ text: String) -> Question {
        let words = vocabulary.ids(of: Array(tokenizer.words(in: text).prefix(Self.maximumWords)))
        return Question(text: text, words: words.isEmpty ? [vocabulary.unknownID ?? 0] : words)
    }
}
