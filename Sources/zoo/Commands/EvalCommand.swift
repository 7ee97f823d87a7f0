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
            BLEU-1 to 4, ROUGE-L and CIDEr-D as coco-caption computes them, and how many captions differ.

            Example: zoo eval captioner --data flickr8k --write-card
            """)

    @Argument(help: "The model: a name of the catalogue or a card's path.") var name: String
    @Option(help: "The data set: a Flickr8k folder, Karpathy's dataset_*.json or COCO's captions_*.json.") var data: String
    @Option(help: "The split: train, val or test.") var split: String = "val"
    @Option(help: "The beam's width, instead of the card's.") var beam: Int?
    @Option(help: "Only the first so many photos.") var limit: Int?
    @Option(help: "Write the captions to this file, a JSON object per line.") var captions: String?
    @Flag(help: "Record the figures in the card.") var writeCard = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let zoo = try global.zoo(), model = try zoo.load(name)
        guard let part = CaptionDataSet.Split(rawValue: split) else {
            throw ValidationError("--split is one of train, restval, val, test")
        }
        let dataSet = try CaptionDataSet(folder: URL(fileURLWithPath: data))
        let images = Array(dataSet[part].prefix(limit ?? .max))
        guard !images.isEmpty else { throw TrainingError.emptySplit(data) }
        let session = try model.session(options: beam.map { [.init("beam", .integer($0))] } ?? [])
        let bar = ProgressBar("captioning", total: images.count), started = Date()
        var said: [String: String] = [:], lines = ""
        for image in images {
            let text = try session(Request(image.file.path, preprocessing: model.card.preprocess, question: nil)).text
            said[image.name] = text
            lines += JSONValue.object([.init("image", .string(image.name)), .init("text", .string(text))]).text + "\n"
            bar.advance()
        }
        bar.clear()
        if let captions { try Data(lines.utf8).write(to: URL(fileURLWithPath: captions), options: .atomic) }
        let references = Dictionary(uniqueKeysWithValues: images.map { ($0.name, $0.captions) })
        let scores = try CaptionMetrics(references: references, candidates: said).scores()
        let seconds = Date().timeIntervalSince(started)
        if json {
            try Console.output.write(JSONValue(encoding: scores).text)
        } else {
            try Console.output.write(
                "\(model.card.name) on \(dataSet.name) \(split), \(scores.images) photos, \(String(format: "%.1f", seconds)) s")
            for (name, value) in scores.figures {
                try Console.output.write(name.padding(toLength: 19, withPad: " ", startingAt: 0) + value)
            }
        }
        if writeCard { try CardUpdate(model.card).recordMetrics(scores, dataSet: dataSet.name, split: split, beam: beam) }
    }
}

extension CaptionScores {
    /// Names and values as people write them: BLEU in hundredths.
    fileprivate var figures: [(String, String)] {
        [
            ("BLEU-1", String(format: "%.2f", bleu1 * 100)), ("BLEU-2", String(format: "%.2f", bleu2 * 100)),
            ("BLEU-3", String(format: "%.2f", bleu3 * 100)), ("BLEU-4", String(format: "%.2f", bleu4 * 100)),
            ("ROUGE-L", String(format: "%.4f", rougeL)), ("CIDEr-D", String(format: "%.4f", cider)),
            ("distinct captions", "\(distinctCaptions)"),
        ]
    }
}
