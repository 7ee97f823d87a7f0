public import ModelKit

/// A model of any architecture, seen from outside: requests in, predictions out.
public struct LoadedModel: Sendable {
    public let card: ModelCard
    /// What can be answered, where that is a list.
    public let labels: [String]
    /// What a request must have.
    public let parts: [Request.Part]
    /// What a request may have besides.
    public let optionalParts: [Request.Part]
    /// What the model does without, a sentence each.
    public let notes: [String]
    private let open: @Sendable ([JSONValue.Member]) throws -> Session
    /// Nil where the model takes no questions.
    private let reader: QuestionReader?

    init<M: Model>(_ model: M, card: ModelCard, assets: Assets, notes: [String]) {
        self.card = card
        self.notes = notes
        labels = assets.labels
        (parts, optionalParts) = (M.Input.parts, M.Input.optionalParts)
        reader = parts.contains(.question) ? try? QuestionReader(assets) : nil
        open = { options in
            let decoding = try card.decoding(as: M.Decoding.self, options: options)
            try model.check(decoding)
            return Session { request in
                let clock = ContinuousClock(), start = clock.now
                let input = try M.Input(request, assets: assets)
                let prepared = clock.now
                let activations = try model.forward(input)
                let computed = clock.now
                let prediction = model.decode(activations, decoding)
                return (prediction, Stages(input: prepared - start, forward: computed - prepared, decoding: clock.now - computed))
            }
        }
    }

    /// The model with the options of a run, which replace members of the card's `decoding`.
    /// - Throws: ``ModelKit/CardError`` for an option the model does not have, ``ModelKit/InputError`` for one that it cannot
    ///   follow.
    public func session(options: [JSONValue.Member] = []) throws -> Session { try open(options) }

    /// Whether the model can read these questions, whatever the pictures are.
    public func check(questions: [String]) throws(InputError) {
        guard let reader else { return }
        for question in questions { _ = try reader(question) }
    }

    /// How long the parts of an answer took.
    public struct Stages: Sendable, Hashable {
        /// From the request's picture to the numbers that the model takes.
        public let input: Duration
        /// The network up to where answers are chosen.
        public let forward: Duration
        /// Choosing the answer: for a captioner, saying all the words.
        public let decoding: Duration
    }

    /// A model with its options fixed.
    public struct Session: Sendable {
        fileprivate let answer: @Sendable (Request) throws -> (any Prediction, Stages)

        public func callAsFunction(_ request: Request) throws -> any Prediction { try answer(request).0 }

        /// The answer, and how long its parts took.
        public func timed(_ request: Request) throws -> (prediction: any Prediction, stages: Stages) { try answer(request) }
    }
}
