public import ModelKit

/// A model of any architecture, seen from outside: requests in, predictions out.
public struct LoadedModel: Sendable {
    public let card: ModelCard
    /// What a request must have.
    public let parts: [Request.Part]
    /// What the model does without, a sentence each.
    public let notes: [String]
    private let open: @Sendable ([JSONValue.Member]) throws -> Session

    init<M: Model>(_ model: M, card: ModelCard, assets: Assets, notes: [String]) {
        self.card = card
        self.notes = notes
        parts = M.Input.parts
        open = { options in
            let decoding = try card.decoding(as: M.Decoding.self, options: options)
            return Session { request in
                let input = try M.Input(request, assets: assets)
                return model.decode(model.forward(input), decoding)
            }
        }
    }

    /// The model with the options of a run, which replace members of the card's `decoding`.
    /// - Throws: ``ModelKit/CardError`` for an option the model does not have.
    public func session(options: [JSONValue.Member] = []) throws -> Session { try open(options) }

    /// A model with its options fixed.
    public struct Session: Sendable {
        fileprivate let answer: @Sendable (Request) throws -> any Prediction

        public func callAsFunction(_ request: Request) throws -> any Prediction { try answer(request) }
    }
}
