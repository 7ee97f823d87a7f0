public import NeuralNetworks
public import Tensors

/// A model that answers questions about a picture by choosing from a list of answers: a classifier whose input is a pair.
///
/// A plugin says how it sees (``encode(pixels:)``) and how it answers (``answer(_:_:)``); reading questions, the loss and
/// the choice of an answer are the same for all.
public protocol VisualQuestionAnswerer: TrainableModel
where
    Input == ImageQuestions, Observation == ImageInput, Activations == AnswerActivations, Decoding == AnswerChoice,
    Output == AnswerSheet, Example == QuestionAnswer
{
    var reader: QuestionReader { get }
    /// What can be answered, by index.
    var answers: [String] { get }

    /// What the backbone makes of pictures `[n, height, width, channels]`: `[n, …]`.
    func encode(pixels: Tensor) -> Tensor
    /// The scores of all answers.
    /// - Parameter f: what ``encode(pixels:)`` gave, condensed: a row for every question, or one row for all of them.
    func answer(_ f: Tensor, _ questions: [Question]) -> AnswerScores
}

/// What a model makes of some questions.
public struct AnswerScores: Sendable {
    /// Logits, `[questions, answers]`.
    public let logits: Tensor
    /// The weights of every look at the picture, `[questions, rows · columns]`.
    public let attention: [Tensor]
    /// Rows and columns of the attention's grid.
    public let grid: (rows: Int, columns: Int)

    public init(logits: Tensor, attention: [Tensor] = [], grid: (rows: Int, columns: Int) = (0, 0)) {
        (self.logits, self.attention, self.grid) = (logits, attention, grid)
    }
}

/// Scores with the questions that they belong to.
public struct AnswerActivations: Sendable {
    public let questions: [Question]
    public let scores: AnswerScores
}

/// A question and the index of its answer.
public struct QuestionAnswer: Sendable {
    public let question: Question
    public let answer: Int

    public init(question: Question, answer: Int) { (self.question, self.answer) = (question, answer) }
}

extension VisualQuestionAnswerer {
    public func forward(_ input: ImageQuestions) -> AnswerActivations {
        let f = condensed(encode(pixels: input.image.pixels))
        return AnswerActivations(questions: input.questions, scores: answer(f, input.questions))
    }

    public func encode(_ observations: [ImageInput]) -> Tensor {
        encode(pixels: .concatenated(observations.map(\.pixels), axis: 0))
    }

    public func activations(_ encoding: Tensor, questions: [String]) -> AnswerActivations {
        let read = questions.map(reader.reading)
        return AnswerActivations(questions: read, scores: answer(encoding, read))
    }

    /// - Returns: `nil` where `target` is none of the answers: as in the papers, such a question is not learned from.
    public func example(question: String?, target: String) -> QuestionAnswer? {
        guard let question, let index = answers.firstIndex(of: target) else { return nil }
        return QuestionAnswer(question: reader.reading(question), answer: index)
    }

    /// The mean of `-log p(answer | picture, question)`.
    public func loss(_ encodings: Tensor, _ batch: [QuestionAnswer], weights: [Float]) -> (value: Tensor, predictions: Int) {
        let logits = answer(encodings, batch.map(\.question)).logits
        let losses = crossEntropy(logits, batch.map(\.answer))
        return ((losses * Tensor(weights, [batch.count], on: logits.backend)).sum / Float(batch.count), batch.count)
    }

    /// - Throws: `InputError.unknownAnswer`.
    public func check(_ choice: AnswerChoice) throws(InputError) {
        for wanted in choice.choices ?? [] where !answers.contains(wanted) {
            throw .unknownAnswer(wanted, suggestion: Suggestion.nearest(to: wanted, in: answers))
        }
    }

    public func decode(_ activations: AnswerActivations, _ choice: AnswerChoice) -> AnswerSheet {
        let scores = activations.scores
        let allowed = choice.choices.map { chosen in answers.indices.filter { chosen.contains(answers[$0]) } }
        return AnswerSheet(
            activations.questions.enumerated().map { row, question in
                // Probabilities among what may be answered.
                let logits = scores.logits[row].scalars, candidates = allowed ?? Array(answers.indices)
                let p = softmax(Tensor(candidates.map { logits[$0] }, [1, candidates.count], on: scores.logits.backend)).scalars
                let attention = scores.attention.map { weights in
                    Answers.Attention(rows: scores.grid.rows, columns: scores.grid.columns, weights: weights[row].scalars)
                }
                return Answers(
                    question: question.text,
                    p.largest(choice.nbest).map { .init(text: answers[candidates[$0]], probability: p[$0]) },
                    minimumConfidence: choice.minimumConfidence, attention: attention)
            })
    }
}
