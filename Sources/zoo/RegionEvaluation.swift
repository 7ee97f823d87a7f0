import Foundation
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Training

/// The measurement of models that find and describe regions, and of the same models where they look anywhere.
extension EvalCommand {
    /// How many proposals and regions of a photo are looked at.
    private static let regionsPerPhoto = 100

    func measureRegions(of model: LoadedModel, _ part: DataSplit) throws {
        let dataSet = try RegionDataSet(folder: URL(fileURLWithPath: data))
        let images = Array(dataSet[part].prefix(limit ?? .max)), training = dataSet[.train].flatMap { $0.regions.map(\.box) }
        guard !images.isEmpty else { throw noPhotos(dataSet.availableSplits) }
        if baseline != nil, training.isEmpty { throw TrainingError.emptySplit(data) }
        let synonyms = try WordNetSynonyms.installed()
        if synonyms == nil { Console.error.say("no synonyms: \(WordNetSynonyms.advice)") }
        let count = JSONValue.integer(Self.regionsPerPhoto)
        let session = try model.session(
            options: [.init("nbest", count), .init("proposals", count)] + (beam.map { [.init("beam", .integer($0))] } ?? []))
        let bar = ProgressBar("describing", total: images.count), started = Date(), random = RandomSource(seed: 1)
        var found: [DenseCapScores.Image] = [], anywhere: [DenseCapScores.Image] = [], lines = ""
        for image in images {
            var request = try Request(image.file.path, preprocessing: model.card.preprocess)
            let regions = try self.regions(of: request, by: session, model)
            found.append(DenseCapScores.Image(image, regions, of: request))
            lines += try Self.line(image.name, regions) + "\n"
            if baseline != nil {
                let boxes = (0..<max(regions.regions.count, regions.proposals?.count ?? 0)).map { _ in
                    training[random.index(below: training.count)].rectangle(in: request)
                }
                request.boxes = Array(boxes.prefix(regions.regions.count))
                // No boxes would mean: whatever there is.
                let said = boxes.isEmpty ? Regions([]) : try self.regions(of: request, by: session, model)
                anywhere.append(
                    DenseCapScores.Image(
                        image, Regions(said.regions, proposals: Array(boxes.prefix(regions.proposals?.count ?? 0))), of: request))
            }
            bar.advance()
        }
        bar.clear()
        try write(lines)
        let matching = METEORMatching(synonyms: synonyms)
        let scores = try DenseCapScores(found, matching: matching, recallAt: Self.regionsPerPhoto)
        let other = anywhere.isEmpty ? nil : try DenseCapScores(anywhere, matching: matching, recallAt: Self.regionsPerPhoto)
        let title = "\(model.card.name) on \(dataSet.name) \(split), \(scores.images) photos, \(matching.name)"
        let figures = scores.figures(), others = other?.figures(before: "random boxes: ") ?? []
        try report(RegionScores(model: scores, randomBoxes: other), figures + others, title: title, since: started)
        guard writeCard else { return }
        try CardUpdate(model.card).recordMetrics(
            figures, dataSet: dataSet.name, split: split, size: scores.images,
            measuring: "eval_utils.lua of jcjohnson/densecap with \(matching.name), "
                + "\(Self.regionsPerPhoto) regions a photo at most" + (beam.map { ", beam \($0)" } ?? ""))
    }

    private func regions(of request: Request, by session: LoadedModel.Session, _ model: LoadedModel) throws -> Regions {
        guard let regions = try session(request) as? Regions else {
            throw Failure(.usage, "\(model.card.name) describes no regions and cannot be measured by them")
        }
        return regions
    }

    private static func line(_ name: String, _ regions: Regions) throws -> String {
        let list = try JSONValue(encoding: regions)["regions"] ?? .array([])
        return JSONValue.object([.init("image", .string(name)), .init("regions", list)]).text
    }
}

/// What `--json` prints: the model's scores, and those of random boxes as a member of them.
private struct RegionScores: Encodable {
    let model: DenseCapScores
    let randomBoxes: DenseCapScores?

    private enum CodingKeys: String, CodingKey { case randomBoxes }

    func encode(to encoder: any Encoder) throws {
        try model.encode(to: encoder)
        guard let randomBoxes else { return }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(randomBoxes, forKey: .randomBoxes)
    }
}

extension RegionDataSet.Box {
    /// The box in the pixels of a picture.
    fileprivate func rectangle(in request: Request) -> Regions.Rectangle {
        let (width, height) = (Double(request.image?.width ?? 1), Double(request.image?.height ?? 1))
        return Regions.Rectangle(
            x: Float(x * width), y: Float(y * height), width: Float(self.width * width), height: Float(self.height * height))
    }
}

extension DenseCapScores.Image {
    /// - Parameter request: has the picture whose pixels the regions are in.
    fileprivate init(_ image: RegionDataSet.Image, _ regions: Regions, of request: Request) {
        let (width, height) = (Double(request.image?.width ?? 1), Double(request.image?.height ?? 1))
        func box(_ box: Regions.Rectangle) -> DenseCapScores.Box {
            let x = Double(box.x) / width, y = Double(box.y) / height
            return .init(x1: x, y1: y, x2: x + Double(box.width) / width, y2: y + Double(box.height) / height)
        }
        self.init(
            marked: image.regions.map { .init(box: .init($0.box), phrases: $0.phrases) },
            detections: regions.regions.map { .init(box: box($0.box), score: Double($0.score), phrase: $0.text) },
            proposals: (regions.proposals ?? []).map(box))
    }
}

extension DenseCapScores {
    /// - Parameter title: stands before every name.
    fileprivate func figures(before title: String = "") -> [MeasuredFigure] {
        func share(_ name: String, _ value: Double) -> MeasuredFigure {
            MeasuredFigure(name: title + name, value: value, text: String(format: "%.2f %%", value * 100))
        }
        var figures = [share("mAP, METEOR-like", meanAveragePrecision), share("mAP, boxes only", meanLocalization)]
        figures += localization.map { share("AP at IoU \($0.iou), boxes only", $0.averagePrecision) }
        figures.append(share("mean METEOR-like score", meanMatching))
        for (name, recall) in [("proposals", proposalRecall), ("regions", detectionRecall)] {
            guard let recall else { continue }
            figures.append(share("recall@\(recall.boxes) of \(name) at IoU 0.5", recall.marked))
            figures.append(share("recall@\(recall.boxes) of \(name) at IoU 0.5, merged boxes", recall.merged))
        }
        figures.append(
            MeasuredFigure(
                name: title + "distinct phrases", value: Double(distinctPhrases), text: "\(distinctPhrases) of \(detections)"))
        return figures
    }
}
