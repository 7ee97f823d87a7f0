import Foundation
import Media
import ModelKit
import Training

/// A folder of photos as the trainer sees it, whatever people said about them.
struct TrainingData {
    let name: String
    let training: [TrainingRecord]
    let development: [TrainingRecord]
    /// The texts that a vocabulary is counted from.
    let texts: [String]
    /// What may be learnt as answers to the training questions; none for captions.
    let answers: [String]
    /// From what a model says about each development photo to named scores, higher is better.
    let score: ([[String]]) throws -> [String: Float]

    /// Reads the kind of data set that the card's task learns from.
    /// - Parameters:
    ///   - limit: only the first so many training photos.
    ///   - samplesAnswers: whether of several people's answers each may be learnt.
    ///   - fold: the videos that are held back.
    /// - Throws: `DataSetError`, `TrainingError.emptySplit`.
    init(
        _ folder: String, for card: ModelCard, limit: Int?, samplesAnswers: Bool, fold: ClipDataSet.Fold = .standard
    ) throws {
        switch card.task {
        case .visualQuestionAnswering: try self.init(questions: folder, limit, samplesAnswers)
        case .videoClassification: try self.init(clips: folder, card, limit, fold)
        default: try self.init(captions: folder, limit)
        }
        guard !training.isEmpty, !development.isEmpty else { throw TrainingError.emptySplit(folder) }
    }

    init(
        name: String, training: [TrainingRecord], development: [TrainingRecord], texts: [String], answers: [String],
        score: @escaping ([[String]]) throws -> [String: Float]
    ) {
        (self.name, self.training, self.development, self.texts) = (name, training, development, texts)
        (self.answers, self.score) = (answers, score)
    }

    private init(captions folder: String, _ limit: Int?) throws {
        let dataSet = try CaptionDataSet(folder: URL(fileURLWithPath: folder))
        let images = Array(dataSet.trainingImages.prefix(limit ?? .max)), development = dataSet[.val]
        func records(_ images: [CaptionDataSet.Image]) -> [TrainingRecord] {
            images.map { image in TrainingRecord(captions: image.captions) { try Request(photo: image.file) } }
        }
        name = dataSet.name
        training = records(images)
        self.development = records(development)
        texts = images.flatMap(\.captions)
        answers = []
        let references = Dictionary(uniqueKeysWithValues: development.map { ($0.name, $0.captions) })
        score = { captions in
            let candidates = Dictionary(uniqueKeysWithValues: zip(development.map(\.name), captions.map { $0[0] }))
            let scores = try CaptionMetrics(references: references, candidates: candidates).scores()
            return [
                "bleu1": Float(scores.bleu1), "bleu4": Float(scores.bleu4), "cider": Float(scores.cider),
                "rougeL": Float(scores.rougeL), "distinct": Float(scores.distinctCaptions),
            ]
        }
    }

    private init(questions folder: String, _ limit: Int?, _ samplesAnswers: Bool) throws {
        let dataSet = try QuestionDataSet(folder: URL(fileURLWithPath: folder))
        let images = Array(dataSet[.train].prefix(limit ?? .max)), development = dataSet[.val]
        func records(_ images: [QuestionDataSet.Image]) -> [TrainingRecord] {
            images.map { image in
                TrainingRecord(
                    lessons: image.questions.map { .init(question: $0.text, targets: Self.targets(of: $0, samplesAnswers)) }
                ) {
                    try Request(photo: image.file)
                }
            }
        }
        name = dataSet.name
        training = records(images)
        self.development = records(development)
        texts = images.flatMap { $0.questions.map(\.text) }
        answers = images.flatMap { $0.questions.flatMap { Self.targets(of: $0, samplesAnswers) } }
        let truth = development.flatMap(\.questions)
        score = { answers in
            let right = zip(answers.joined(), truth).count { $0 == $1.answer }
            return ["accuracy": Float(right) / Float(max(truth.count, 1))]
        }
    }
}

extension TrainingData {
    /// What may be learnt as the answer: each of several things that it names, or what most people said, or, drawn anew
    /// every time, what any of them said.
    private static func targets(of question: QuestionDataSet.Question, _ samplesAnswers: Bool) -> [String] {
        if question.answers.count > 1 { return samplesAnswers ? [question.answer] + question.answers : [question.answer] }
        let parts = question.parts.filter { !$0.isEmpty }
        return parts.isEmpty ? [question.answer] : parts
    }
}

extension Request {
    /// A photo of a data set.
    fileprivate init(photo: URL) throws { self.init(name: photo.path, image: try Image(contentsOf: photo.path)) }
}
