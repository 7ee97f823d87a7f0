import ArgumentParser
import Foundation
import ModelKit
import Runtime
import Training

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a model on a data set.",
        discussion: """
            Regions of pictures: mAP of Johnson et al. (2016) with a METEOR-like score, AP of the boxes alone, and recalls. \
            Captions: BLEU-1 to 4, ROUGE-L and CIDEr-D as coco-caption computes them, and how many captions differ. Answers: \
            accuracy, WUPS at 0.9 and 0.0 where WordNet is installed, VQA's accuracy where ten people answered, and what \
            somebody would reach who sees no pictures. Videos: accuracy, its mean over the classes, and GAP@20.

            Examples:
              zoo eval captioner --data flickr8k --write-card
              zoo eval san-vqa --data daquar --answers answers.jsonl
              zoo eval densecap --data flickr8k --baseline random
              zoo eval video-lstm --data fights --fold 1/5
              zoo eval motion-lstm --data moving-shapes --frame-order reversed
            """)

    @Argument(help: "The model: a name of the catalogue or a card's path.") var name: String
    @Option(
        help: """
            The data set. For captions a Flickr8k folder, Karpathy's dataset_*.json or COCO's captions_*.json; for questions \
            DAQUAR, easy-VQA, or VQA's *_questions.json with *_annotations.json; for regions a Flickr8k folder with \
            regions.json or Visual Genome's region_descriptions.json; for videos a folder with a folder for every class.
            """) var data: String
    @Option(help: "The split: train, val or test.") var split: String = "val"
    @Option(help: "The beam's width, instead of the card's.") var beam: Int?
    @Option(help: "Other weights than the card's.") var weights: String?
    @Option(help: "Only the first so many photos.") var limit: Int?
    @Option(
        name: [.long, .customLong("answers")],
        help: "Write the captions or answers to this file, a JSON object per line.") var captions: String?
    @Option(help: "Which part of the videos is held back, as in 2/5; --split train means all others.") var fold: String?
    @Option(
        help: ArgumentHelp(
            "Show the frames of videos in another order: what a model says then tells whether it learnt from order.",
            valueName: FrameOrder.allCases.map(\.rawValue).joined(separator: "|")))
    var frameOrder: FrameOrder?
    @Flag(help: "Choose among the data set's choices, where it has any.") var multipleChoice = false
    @Option(
        help: ArgumentHelp(
            "Measure the model on boxes of other photos too, as many as it finds itself ('random'), for models of regions.",
            valueName: "random")) var baseline: Baseline?
    @Flag(help: "Record the figures in the card.") var writeCard = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var global: GlobalOptions

    enum Baseline: String, ExpressibleByArgument, CaseIterable { case random }

    func validate() throws {
        if DataSplit(rawValue: split) == nil {
            let known = DataSplit.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--split is one of \(known), not '\(split)'")
        }
        if let fold, ClipDataSet.Fold(fold) == nil {
            throw ValidationError("--fold is a part and how many there are, as in 2/5, not '\(fold)'")
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() throws {
        let zoo = try global.zoo(), model = try zoo.load(name, weights: weights)
        guard let part = DataSplit(rawValue: split) else { return }
        if let captions { try OutputFile.check(captions) }
        if baseline != nil, model.card.task != .denseCaptioning {
            throw Failure(.usage, "\(model.card.name) describes no regions; leave --baseline out")
        }
        if model.parts.contains(.video) { return try measureClips(of: model, part) }
        if fold != nil || frameOrder != nil {
            throw Failure(.usage, "\(model.card.name) watches no videos; leave \(fold != nil ? "--fold" : "--frame-order") out")
        }
        if model.parts.contains(.question) {
            if beam != nil { throw Failure(.usage, "\(model.card.name) chooses its answers and has no beam; leave --beam out") }
            try measureAnswers(of: model, part)
        } else {
            if multipleChoice { throw Failure(.usage, "\(model.card.name) takes no questions; leave --multiple-choice out") }
            if model.card.task == .denseCaptioning { return try measureRegions(of: model, part) }
            try measureCaptions(of: model, part)
        }
    }

    private func measureCaptions(of model: LoadedModel, _ part: DataSplit) throws {
        let dataSet = try CaptionDataSet(folder: URL(fileURLWithPath: data))
        let images = Array(dataSet[part].prefix(limit ?? .max))
        guard !images.isEmpty else { throw noPhotos(dataSet.availableSplits) }
        let session = try model.session(options: beam.map { [.init("beam", .integer($0))] } ?? [])
        let bar = ProgressBar("captioning", total: images.count), started = Date()
        var said: [String: String] = [:], lines = ""
        for image in images {
            let text = try session(Request(image.file.path, preprocessing: model.card.preprocess)).text
            said[image.name] = text
            lines += JSONValue.object([.init("image", .string(image.name)), .init("text", .string(text))]).text + "\n"
            bar.advance()
        }
        bar.clear()
        try write(lines)
        let references = Dictionary(uniqueKeysWithValues: images.map { ($0.name, $0.captions) })
        let scores = try CaptionMetrics(references: references, candidates: said).scores()
        let title = "\(model.card.name) on \(dataSet.name) \(split), \(scores.images) photos"
        try report(scores, scores.figures, title: title, since: started)
        guard writeCard else { return }
        try CardUpdate(model.card).recordMetrics(
            scores.figures, dataSet: dataSet.name, split: split, size: scores.images,
            measuring: "coco-caption" + (beam.map { ", beam \($0)" } ?? ", decoding of the card"))
    }

    private func measureClips(of model: LoadedModel, _ part: DataSplit) throws {
        if beam != nil || multipleChoice {
            throw Failure(.usage, "\(model.card.name) watches videos; leave --beam and --multiple-choice out")
        }
        let dataSet = try ClipDataSet(folder: URL(fileURLWithPath: data), classes: model.labels)
        let held = fold.flatMap { ClipDataSet.Fold($0) } ?? .standard, (others, own) = dataSet.divided(held)
        guard part == .val || part == .train else { throw noPhotos([.train, .val]) }
        let clips = Array((part == .val ? own : others).prefix(limit ?? .max))
        guard !clips.isEmpty else { throw noPhotos([]) }
        let bar = ProgressBar("watching", total: clips.count), started = Date()
        let evaluation = try ClipEvaluation(model, on: clips, order: frameOrder) { bar.advance() }
        bar.clear()
        try write(evaluation.lines)
        let scores = evaluation.scores
        try report(
            scores, scores.figures, title: "\(model.card.name) on \(dataSet.name) \(split), \(scores.clips) videos"
                + (frameOrder.map { ", frames \($0.rawValue)" } ?? ""),
            since: started)
        guard writeCard else { return }
        try CardUpdate(model.card).recordMetrics(
            scores.figures, dataSet: dataSet.name, split: split, size: scores.clips,
            measuring: "fold \(held.number) of \(held.count), by clip" + (frameOrder.map { ", frames \($0.rawValue)" } ?? ""))
    }

    private func measureAnswers(of model: LoadedModel, _ part: DataSplit) throws {
        let dataSet = try QuestionDataSet(folder: URL(fileURLWithPath: data))
        let images = Array(dataSet[part].prefix(limit ?? .max)), wordNet = try WordNet.installed()
        guard !images.isEmpty else { throw noPhotos(dataSet.availableSplits) }
        if wordNet == nil { Console.error.say("no WUPS: \(WordNet.advice)") }
        let bar = ProgressBar("answering", total: images.count), started = Date()
        var said: [Int: String] = [:], lines = ""
        for image in images {
            let answers = try self.answers(to: image, by: model)
            for (question, answer) in zip(image.questions, answers) {
                said[question.id] = answer
                lines +=
                    JSONValue.object([
                        .init("question_id", .integer(question.id)), .init("image", .string(image.name)),
                        .init("question", .string(question.text)), .init("answer", .string(answer)),
                        .init("truth", .string(question.answer)),
                    ]).text + "\n"
            }
            bar.advance()
        }
        bar.clear()
        try write(lines)
        let scores = try VQAScores(
            images.flatMap(\.questions), answers: said, training: dataSet.questions(.train), wordNet: wordNet)
        let title = "\(model.card.name) on \(dataSet.name) \(split), \(scores.questions) questions about \(images.count) photos"
        try report(scores, scores.figures, title: title, since: started)
        guard writeCard else { return }
        try CardUpdate(model.card).recordMetrics(
            scores.figures, dataSet: dataSet.name, split: split, size: scores.questions,
            measuring: (multipleChoice ? "multiple choice, " : "open-ended, ") + "photos held back")
    }

    /// All questions about a photo at once, or one after the other where each has choices of its own.
    private func answers(to image: QuestionDataSet.Image, by model: LoadedModel) throws -> [String] {
        func ask(_ questions: [QuestionDataSet.Question], _ options: [JSONValue.Member]) throws -> [String] {
            var request = try Request(
                image.file.path, preprocessing: model.card.preprocess, questions: questions.map(\.text))
            request.asksForeignQuestions = true
            return try model.session(options: options)(request).parts.map(\.text)
        }
        guard multipleChoice else { return try ask(image.questions, []) }
        return try image.questions.flatMap { question in
            // A choice that the model cannot say cannot be chosen.
            let known = question.choices.filter(model.labels.contains)
            return try ask([question], known.isEmpty ? [] : [.init("choices", .array(known.map { .string($0) }))])
        }
    }

    func noPhotos(_ available: [DataSplit]) -> TrainingError {
        .noPhotos(data, split: split, available: available.map(\.rawValue))
    }

    func write(_ lines: String) throws {
        if let captions { try Data(lines.utf8).write(to: URL(fileURLWithPath: captions), options: .atomic) }
    }

    func report(_ scores: some Encodable, _ figures: [MeasuredFigure], title: String, since started: Date) throws {
        if json { return try Console.output.write(JSONValue(encoding: scores).text) }
        try Console.output.write("\(title), \(String(format: "%.1f", Date().timeIntervalSince(started))) s")
        let width = (figures.map(\.name.count).max() ?? 0) + 2
        for figure in figures {
            try Console.output.write(figure.name.padding(toLength: width, withPad: " ", startingAt: 0) + figure.text)
        }
    }
}

/// One number of a measurement, as people write it and as a card records it.
struct MeasuredFigure {
    let name: String
    let value: Double
    /// `36.50 %`, `0.3424`, `317`.
    let text: String
}

extension CaptionScores {
    /// BLEU in hundredths.
    fileprivate var figures: [MeasuredFigure] {
        let bleu = [("BLEU-1", bleu1), ("BLEU-2", bleu2), ("BLEU-3", bleu3), ("BLEU-4", bleu4)]
        return bleu.map { MeasuredFigure(name: $0, value: $1, text: String(format: "%.2f", $1 * 100)) } + [
            MeasuredFigure(name: "ROUGE-L", value: rougeL, text: String(format: "%.4f", rougeL)),
            MeasuredFigure(name: "CIDEr-D", value: cider, text: String(format: "%.4f", cider)),
            MeasuredFigure(name: "distinct captions", value: Double(distinctCaptions), text: "\(distinctCaptions)"),
        ]
    }
}

extension VQAScores {
    /// The model's first, then those of answers without a look at the picture.
    fileprivate var figures: [MeasuredFigure] {
        var figures = Self.figures(of: model)
        figures.append(MeasuredFigure(name: "distinct answers", value: Double(distinctAnswers), text: "\(distinctAnswers)"))
        let priors = [("most frequent answer", mostFrequentAnswer), ("answer by first two words", mostFrequentByBeginning)]
        for (title, measures) in priors {
            if let measures { figures.append(Self.percentage("\(title): accuracy", measures.accuracy)) }
        }
        return figures
    }

    private static func figures(of measures: Measures) -> [MeasuredFigure] {
        var figures = [percentage("accuracy", measures.accuracy)]
        func add(_ name: String, _ value: Double?) { if let value { figures.append(percentage(name, value)) } }
        add("accuracy, single answers", measures.singleAnswerAccuracy)
        add("WUPS@0.9", measures.wups09)
        add("WUPS@0.0", measures.wups00)
        add("VQA accuracy", measures.vqa?.overall)
        for (type, value) in (measures.vqa?.perAnswerType ?? [:]).sorted(by: { $0.key < $1.key }) {
            add("VQA accuracy, \(type)", value)
        }
        return figures
    }

    private static func percentage(_ name: String, _ value: Double) -> MeasuredFigure {
        MeasuredFigure(name: name, value: value, text: String(format: "%.2f %%", value * 100))
    }
}
