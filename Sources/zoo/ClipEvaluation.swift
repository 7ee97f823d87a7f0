import Foundation
import ModelKit
import NeuralNetworks
import Runtime
import Training

/// What a model says about the videos of a data set, and how good that is.
struct ClipEvaluation {
    let scores: ClipScores
    /// A JSON object per video and line.
    let lines: String

    /// - Parameters:
    ///   - clips: at least one.
    ///   - order: how their frames are shown; nil: as they follow one another.
    ///   - finished: called after every video.
    init(_ model: LoadedModel, on clips: [ClipDataSet.Clip], order: FrameOrder?, finished: () -> Void) throws {
        // As many classes as the measure looks at.
        let session = try model.session(options: [.init("nbest", .integer(max(1, min(20, model.labels.count))))])
        let random = RandomSource(seed: 1)
        var answers: [ClipScores.Answer] = [], lines = ""
        for clip in clips {
            let path = clip.file.path
            let watched = try order.map { try $0.clip(path, of: model.card, random) } ?? Clip(.path(path))
            let prediction = try session(Request(name: path, clip: watched))
            guard let recognition = prediction as? Recognition else {
                throw Failure(.usage, "\(model.card.name) does not say what a video shows; name a model for videos")
            }
            answers.append(
                .init(truth: clip.label, guesses: recognition.alternatives.map { ($0.text, $0.probability) }))
            lines +=
                JSONValue.object([
                    .init("video", .string(clip.name)), .init("text", .string(recognition.text)),
                    .init("probability", .number(Double(recognition.alternatives.first?.probability ?? 0))),
                    .init("truth", .string(clip.label)),
                ]).text + "\n"
            finished()
        }
        (scores, self.lines) = (ClipScores(answers), lines)
    }
}

extension ClipScores {
    var figures: [MeasuredFigure] {
        [
            ("accuracy", top1), ("mean accuracy per class", meanPerClass), ("GAP@20", gap20),
            ("most frequent class: accuracy", mostFrequent),
        ].map { MeasuredFigure(name: $0, value: $1, text: Figure.formatted($1 * 100, "%.2f %%")) }
    }
}

extension ClipDataSet.Fold {
    /// `2/5`, the second of five parts.
    init?(_ text: String) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard numbers.count == 2, 2...1000 ~= numbers[1], 1...numbers[1] ~= numbers[0] else { return nil }
        self.init(numbers[0], of: numbers[1])
    }
}
