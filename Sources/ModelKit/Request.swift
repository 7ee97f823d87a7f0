public import Media

/// What a user hands to a model.
public struct Request: Sendable {
    /// The parts a request can have.
    public enum Part: String, Sendable, CaseIterable, Codable { case image, question, boxes, video }

    /// How messages call it: the file's name.
    public var name: String
    public var image: Image?
    public var clip: Clip?
    /// What is asked about the picture, in the order of the answers.
    public var questions: [String]
    /// Whether the questions are a data set's, which count whatever their words are, and not a user's, who wants to be told.
    public var asksForeignQuestions = false
    /// The parts of the picture that are asked about, in pixels of it; nil: the model finds some itself.
    public var boxes: [Regions.Rectangle]?

    public init(name: String, image: Image? = nil, questions: [String] = [], boxes: [Regions.Rectangle]? = nil) {
        (self.name, self.image, self.questions, self.boxes) = (name, image, questions, boxes)
    }

    public init(name: String, clip: Clip) {
        self.init(name: name)
        self.clip = clip
    }
}

extension Request {
    /// Every picture is seen through `view` from here on, be it a photo or a frame of a video.
    package mutating func look(through view: @escaping @Sendable (Image) -> Image) {
        image = image.map(view)
        clip?.view = view
    }
}

/// Why a request is no input for a model.
public enum InputError: Error, CustomStringConvertible {
    case missing(Request.Part, request: String)
    case emptyQuestion
    /// No word of the question is in the vocabulary.
    case unknownWords(question: String)
    case longQuestion(words: Int, limit: Int)
    /// A choice that is none of the model's answers.
    case unknownAnswer(String, suggestion: String?)
    case media(MediaError)
    /// The card lacks what the model needs to read its input.
    case missingAsset(String)
    /// What the card has and the model do not go together: `'vocabulary' has 12013 words …`.
    case unsuitableAsset(String, reason: String)
    /// Hyper-parameters that do not go together.
    case unsuitableHyperparameter(String, reason: String)

    public var description: String {
        switch self {
        case .missing(.image, let name): "\(name): this model needs a picture: name an image file"
        case .missing(.boxes, let name): "\(name): this model needs boxes: add --boxes boxes.json"
        case .missing(.video, let name): "\(name): this model needs a video: name a file, a folder of frames, or '-'"
        case .missing(.question, let name): "\(name): this model needs a question: add --question \"…\""
        case .emptyQuestion: "the question has no words; ask something, as in --question \"what is on the table?\""
        case .unknownWords(let question):
            "this model knows none of the words of \"\(question.prefix(60))\"; ask in the words it was trained on"
        case .longQuestion(let words, let limit):
            "the question has \(words) words, and this model reads at most \(limit); shorten it"
        case .unknownAnswer(let answer, let suggestion):
            "'\(answer.prefix(40))' is no answer that this model can give"
                + (suggestion.map { "; did you mean '\($0)'?" } ?? "; leave it out")
        case .media(let error): "\(error)"
        case .missingAsset(let asset): "the card has no '\(asset)', which this model needs"
        case .unsuitableHyperparameter(let name, let reason): "the card's 'hyperparameters.\(name)' \(reason)"
        case .unsuitableAsset(let asset, let reason): "the card's '\(asset)' \(reason)"
        }
    }
}
