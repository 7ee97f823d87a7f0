/// A picture after the card's preprocessing, and what is asked about it.
public struct ImageQuestions: ModelInput {
    public static let parts: [Request.Part] = [.image, .question]
    public let image: ImageInput
    /// At least one.
    public let questions: [Question]

    public init(image: ImageInput, questions: [Question]) { (self.image, self.questions) = (image, questions) }

    public init(_ request: Request, assets: Assets) throws(InputError) {
        guard !request.questions.isEmpty else { throw .missing(.question, request: request.name) }
        let read = try QuestionReader(assets)
        var questions: [Question] = []
        for text in request.questions { questions.append(request.asksForeignQuestions ? read.reading(text) : try read(text)) }
        self.init(image: try ImageInput(request, assets: assets), questions: questions)
    }
}
