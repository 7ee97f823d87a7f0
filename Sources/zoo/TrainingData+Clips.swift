import Foundation
import Media
import ModelKit
import Training

extension TrainingData {
    /// Videos with a class each, those of a fold as the development set.
    init(clips folder: String, _ card: ModelCard, _ limit: Int?, _ fold: ClipDataSet.Fold) throws {
        let dataSet = try ClipDataSet(folder: URL(fileURLWithPath: folder), classes: Self.knownClasses(card))
        let (training, development) = dataSet.divided(fold)
        self.init(
            "\(dataSet.name), fold \(fold.number) of \(fold.count) held back", Array(training.prefix(limit ?? .max)), development)
    }

    /// Videos to be divided later, all for training.
    init(undivided dataSet: ClipDataSet) { self.init(dataSet.name, dataSet.clips, []) }

    private init(_ name: String, _ training: [ClipDataSet.Clip], _ development: [ClipDataSet.Clip]) {
        func records(_ clips: [ClipDataSet.Clip]) -> [TrainingRecord] {
            clips.map { clip in
                TrainingRecord(lessons: [.init(targets: [clip.label])]) {
                    Request(name: clip.file.path, clip: Clip(.path(clip.file.path)))
                }
            }
        }
        self.init(
            name: name, training: records(training), development: records(development), texts: [], answers: training.map(\.label),
            score: { Self.accuracies($0.map { $0[0] }, truth: development.map(\.label)) })
    }

    /// How many classes are right, and the mean of that over the classes.
    static func accuracies(_ said: [String], truth: [String]) -> [String: Float] {
        let scores = ClipScores(zip(said, truth).map { .init(truth: $1, guesses: [($0, 1)]) })
        return ["accuracy": Float(scores.top1), "meanPerClass": Float(scores.meanPerClass)]
    }

    /// What the card's file of classes lists; nil where there is none yet.
    static func knownClasses(_ card: ModelCard) -> [String]? {
        guard let file = card.answers.flatMap({ card.folder.resolve($0.path) }),
            let text = try? String(contentsOfFile: file, encoding: .utf8)
        else { return nil }
        return text.split(whereSeparator: \.isNewline).map(String.init)
    }
}
