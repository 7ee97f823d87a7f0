import ArgumentParser
import Foundation
import Media
import ModelKit
import Runtime

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a model on pictures or videos and prints what it says.",
        discussion: """
            Inputs are files, folders (all pictures in them) and '-' for paths from standard input, one a line. The model is \
            loaded once. An input that cannot be read is reported in its place and does not stop the others; the exit \
            status is 65 then. To a model that watches videos, a folder with pictures and no videos in it is one video, and '-' \
            is a video on standard input.

            Examples:
              zoo run captioner photo.jpg
              zoo run captioner holidays/ --beam 5 --nbest 3
              find . -name '*.jpg' | zoo run captioner - --json
              zoo run san-vqa room.jpg --question "what is on the bed?" --top 5 --overlay looks.png
              zoo run densecap photo.jpg --overlay regions.png
              zoo run densecap holidays/ --format densecap-vis --out vis/data/results.json
              zoo run video-lstm street.mp4 --every 0.5s --timeline street.png
            """)

    @Argument(help: "The model: its name, an alias, or the path of its card.", completion: .modelNames)
    var model: String
    @Argument(help: ArgumentHelp("Files, folders, or '-'.", valueName: "input"), completion: .file())
    var inputs: [String]
    @Option(
        name: [.short, .long],
        help: "What a model that answers questions is asked about every picture. Can be given several times.")
    var question: [String] = []
    @Option(help: ArgumentHelp("Write a picture of what the model looked at or found, for one input.", valueName: "file.png"))
    var overlay: String?
    @Flag(name: [.short, .long], help: "Look for pictures in the folders inside of folders too.")
    var recursive = false
    @OptionGroup(title: "Videos")
    var clips: ClipOptions
    @OptionGroup(title: "Choosing the answer (the card has the defaults)")
    var decoding: DecodingOptions
    @OptionGroup(title: "Regions of a picture (models that describe them)")
    var regions: RegionOptions
    @Flag(help: "Write one JSON object a line for every input.")
    var json = false
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let zoo = try options.zoo()
        let loaded = try zoo.load(model)
        let card = loaded.card
        for note in loaded.notes { Console.error.say(note) }
        if !question.isEmpty, !loaded.parts.contains(.question) {
            throw Failure(.usage, "\(card.name) takes no question; leave --question out")
        }
        if question.isEmpty, loaded.parts.contains(.question) {
            throw Failure(.usage, "\(card.name) answers questions; ask one with --question \"…\"")
        }
        let watches = loaded.parts.contains(.video)
        if clips.isGiven, !watches {
            throw Failure(.usage, "\(card.name) watches no videos; leave --every and --timeline out")
        }
        try loaded.check(questions: question)
        let session: LoadedModel.Session
        do { session = try loaded.session(options: decoding.members(for: card)) } catch let error as CardError {
            throw decoding.failure(error, card)
        }

        let inputs =
            watches ? InputFiles(clips: inputs, recursive: recursive) : InputFiles(inputs, recursive: recursive)
        try clips.checkTimeline(inputs)
        try regions.check(loaded, inputs, json: json)
        let boxes = try regions.boxes.map(BoxFile.init)
        if let overlay {
            guard inputs.isSingleFile else { throw Failure(.usage, "--overlay is for one picture; name a single file") }
            guard overlay.lowercased().hasSuffix(".png") else {
                throw Failure(.usage, "--overlay: \(overlay) would be a PNG file; end its name in .png")
            }
            try OutputFile.check(overlay)
        }
        let progress = ProgressBar("Running \(card.name)", total: inputs.count == 1 ? nil : inputs.count)
        var statuses: [ExitStatus?] = [], results: [JSONValue] = []
        try inputs.forEach { input in
            let result = Result {
                let prediction = try watches ? watch(input, session, progress) : answer(input, session, card, boxes)
                if let overlay { try draw(prediction, input.path, to: overlay, card) }
                return prediction
            }
            progress.clear()
            if case .failure(let error) = result {
                let failure = Failure(error)
                statuses.append(failure.status)
                if !json { Console.error.say(failure.sentence) }
            } else {
                statuses.append(nil)
            }
            if regions.format == nil {
                try write(result, for: input.path, named: !inputs.isSingleFile, card)
            } else if let found = try? result.get() as? Regions {
                results.append(found.viewerResult(name: CardFolder.name(of: input.path)))
            }
            progress.advance(CardFolder.name(of: input.path))
        }
        progress.clear()
        try regions.write(results, of: card)
        // One fault that all inputs share is told as what it is.
        guard let failed = statuses.compactMap(\.self).first else { return }
        throw (statuses.allSatisfy { $0 == failed } ? failed : .badData).silently
    }

    private func answer(
        _ input: InputFiles.Input, _ session: LoadedModel.Session, _ card: ModelCard, _ boxes: BoxFile?
    ) throws -> any Prediction {
        var request = try Request(input.file(), preprocessing: card.preprocess, questions: question)
        if let boxes, let image = request.image {
            try boxes.check(width: image.width, height: image.height)
            request.boxes = boxes.boxes
        }
        return try session(request)
    }

    private func watch(
        _ input: InputFiles.Input, _ session: LoadedModel.Session, _ progress: ProgressBar
    ) throws -> any Prediction {
        let path = try input.file(), film = FilmStrip(height: TimelinePicture.stillHeight, limit: TimelinePicture.stillLimit)
        let keepsFilm = clips.timeline != nil
        let prediction = try session(
            Request(video: path, sampling: clips.sampling()) { frame in
                progress.note("\(Figure.duration(frame.time)) of \(path)")
                if keepsFilm { film.add(frame) }
            })
        if let timeline = clips.timeline, let recognition = prediction as? Recognition {
            let title = path == "-" ? "standard input" : CardFolder.name(of: path)
            let picture = TimelinePicture(recognition, title: title, stills: film.stills).image
            try Data(picture.pngData()).write(to: URL(fileURLWithPath: timeline), options: .atomic)
        }
        return prediction
    }

    /// The picture of what the model looked at.
    private func draw(_ prediction: any Prediction, _ path: String, to overlay: String, _ card: ModelCard) throws {
        if let found = prediction as? Regions {
            // In the size that the boxes are in.
            let photo = try Image(contentsOf: path, options: card.preprocess?.decodingOptions ?? .init())
            return try Data(RegionPicture(photo, found).image.pngData()).write(
                to: URL(fileURLWithPath: overlay), options: .atomic)
        }
        let answers = prediction.parts.compactMap { $0 as? Answers }
        guard !answers.isEmpty, answers.allSatisfy({ !$0.attention.isEmpty }) else {
            throw Failure(.usage, "\(card.name) does not say where it looks; leave --overlay out")
        }
        let photo = try Image(contentsOf: path)
        try Data(AttentionPicture(photo, answers).image.pngData()).write(to: URL(fileURLWithPath: overlay), options: .atomic)
    }

    private func write(_ result: Result<any Prediction, any Error>, for path: String, named: Bool, _ card: ModelCard) throws {
        switch result {
        case .failure(let error):
            guard json else { return }
            try writeJSON(path, card, [.init("error", .string(Failure(error).sentence))])
        case .success(let prediction):
            if !json, let found = prediction as? Regions {
                let lines = (named ? ["\(path):"] : []) + found.lines.map { (named ? "  " : "") + $0 }
                return lines.isEmpty ? () : try Console.output.write(lines.joined(separator: "\n"))
            }
            let parts = prediction.parts
            for part in parts {
                if json {
                    let members = try Self.members(part).filter { !["model", "input", "text"].contains($0.key) }
                    // What was asked comes before what was answered.
                    try writeJSON(
                        path, card,
                        members.filter { $0.key == "question" } + [.init("text", .string(part.text))]
                            + members.filter { $0.key != "question" })
                } else {
                    let asked = parts.count > 1 ? (part as? Answers)?.question : nil
                    try writeText(part, under: [named ? path : nil, asked].compactMap(\.self).joined(separator: ": "))
                }
            }
        }
    }

    private func writeJSON(_ path: String, _ card: ModelCard, _ members: [JSONValue.Member]) throws {
        let first: [JSONValue.Member] = [.init("model", .string(card.name)), .init("input", .string(path))]
        try Console.output.write(JSONValue.object(first + members).text)
    }

    /// - Parameter title: which of several answers this is; empty where there is one.
    private func writeText(_ prediction: any Prediction, under title: String) throws {
        // Of a video people want to know how sure the model is.
        let recognition = prediction as? Recognition
        let alternatives = decoding.nbest == nil && recognition == nil ? [] : try Self.alternatives(prediction)
        // The best alternative says what the text says, unless the model does not know.
        let isTold = !alternatives.isEmpty && (prediction as? Answers)?.isConfident != false
        let heading = [title.isEmpty ? "" : "\(title):", isTold ? "" : prediction.text].filter { !$0.isEmpty }
            .joined(separator: " ")
        var lines = alternatives.map { (heading.isEmpty ? "" : "  ") + $0 }
        if let recognition { lines.append("           over time: " + recognition.story) }
        try Console.output.write(((heading.isEmpty && isTold ? [] : [heading]) + lines).joined(separator: "\n"))
    }

    private static func members(_ prediction: any Prediction) throws -> [JSONValue.Member] {
        guard case .object(let members) = try JSONValue(encoding: prediction) else { return [] }
        return members
    }

    /// The alternatives of a prediction that has any, each behind its probability.
    private static func alternatives(_ prediction: any Prediction) throws -> [String] {
        let lists = ["alternatives", "answers"]
        guard case .array(let alternatives)? = try members(prediction).first(where: { lists.contains($0.key) })?.value else {
            return []
        }
        return alternatives.compactMap { alternative in
            guard case .string(let text)? = alternative["text"] else { return nil }
            for key in ["logProbability", "probability"] {
                if let number = alternative[key]?.double { return padded(Figure.formatted(number, "%.4f")) + "  " + text }
            }
            return text
        }
    }

    private static func padded(_ number: String) -> String { String(repeating: " ", count: max(0, 9 - number.count)) + number }
}

extension Recognition {
    /// `no fight from 0.1 s, fight from 1.2 s`, the middle left out where it changes its mind often.
    fileprivate var story: String {
        let told = opinions.map { "\($0.text) from \(Figure.formatted(Double($0.from), "%.1f")) s" }
        return (told.count > 6 ? told.prefix(3) + ["…"] + told.suffix(2) : told[...]).joined(separator: ", ")
    }
}
