import Language
public import ModelKit
public import NeuralNetworks
public import Tensors

/// Every part of a picture in words: regions are found, looked at more closely, and described by an LSTM, all in one network.
///
/// Johnson, Karpathy & Fei-Fei, "DenseCap: Fully Convolutional Localization Networks for Dense Captioning", CVPR 2016, as the
/// authors' code has it (jcjohnson/densecap).
public struct DenseCap: RegionTrainableModel {
    private let cnn: Backbone
    private let standardize: Standardization?
    private let localize: LocalizationLayer
    private let pool: BilinearPooling
    private let recognition: [Linear]
    private let drop: Dropout
    private let objectness: Linear, regress: Linear
    private let say: LanguageModel
    private let h: Hyperparameters
    private let vocabulary: Vocabulary
    private let tokenizer: Tokenizer

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        guard let vocabulary = assets.vocabulary, let start = vocabulary.startID, let end = vocabulary.endID else {
            throw InputError.missingAsset("vocabulary")
        }
        h = hyperparameters
        self.vocabulary = vocabulary
        tokenizer = assets.tokenizer ?? .whitespace
        cnn = try backbone.make(in: scope["cnn"])
        let map = cnn.summary.output
        guard map.rank == 3 else {
            throw InputError.unsuitableAsset("backbone", reason: "ends with a vector; tap a layer that gives a feature map")
        }
        standardize = h.standardizesFeatures ? try Standardization(map[2], in: scope["features"]) : nil
        localize = try LocalizationLayer(
            Anchors(h.anchors), filters: h.proposalFilters, map: map, layers: backbone.tapped(), in: scope["proposals"])
        pool = BilinearPooling(rows: h.grid[0], columns: h.grid[1])
        var layers: [Linear] = [], width = h.grid[0] * h.grid[1] * map[2]
        for (number, outputs) in h.recognition.enumerated() {
            layers.append(try Linear(width, outputs, initializer: .he, in: scope["recognition"]["\(number + 1)"]))
            width = outputs
        }
        recognition = layers
        drop = Dropout(h.recognitionDropout, in: scope)
        objectness = try Linear(width, 1, initializer: .normal(deviation: 0.01), in: scope["objectness"])
        regress = try Linear(width, 4, initializer: .constant(0), in: scope["boxes"])
        let sizes = LanguageModel.Sizes(
            codes: width, embedding: h.embedding, hidden: h.hidden, tokens: vocabulary.count, spareRows: h.nullRow ? 1 : 0)
        say = try LanguageModel(sizes, h.lstm.convention, start: start, end: end, in: scope["language"])
    }

    // MARK: The equations

    /// The regions of a picture before any is chosen.
    public struct Found: Sendable {
        let photo: Photo
        /// Where the recognition looked, the most promising first, in pixels of the preprocessed picture.
        package let looks: [Box]
        /// What they became. In pixels of the preprocessed picture, `[n, 4]`.
        public let boxes: Tensor
        /// That there is something, as logits, `[n, 1]`.
        public let scores: Tensor
        /// What the phrases are made of, `[n, codes]`.
        public let codes: Tensor
    }

    public func forward(_ photo: Photo) -> Found {
        if let boxes = photo.boxes { return forward(photo, boxes: boxes) }
        let U = see(cnn(photo.pixels))                                     // [1, h, w, c]
        let best = NonMaximumSuppression(threshold: h.proposalOverlap, limit: h.proposals)
        let B = localize(U, in: photo.size).best(in: photo.size, best)
        return describe(U, B, of: photo)
    }

    /// What is in given boxes of a picture, in pixels of the original: the recognition alone.
    public func forward(_ photo: Photo, boxes: [Regions.Rectangle]) -> Found {
        describe(see(cnn(photo.pixels)), boxes.map(photo.preprocessed), of: photo)
    }

    private func see(_ U: Tensor) -> Tensor { standardize.map { $0(U) } ?? U }

    private func describe(_ U: Tensor, _ boxes: [Box], of photo: Photo) -> Found {
        // A picture has one region at least: itself.
        let looks = boxes.isEmpty ? [photo.whole] : boxes
        let B = Box.tensor(looks, on: U.backend), v = recognize(pool(U, B, in: photo.size))
        return Found(
            photo: photo, looks: looks, boxes: BoxTransform.boxes(regress(v), of: B), scores: objectness(v), codes: v)
    }

    /// The codes of regions: `[n, rows, columns, c] → [n, codes]`.
    private func recognize(_ V: Tensor) -> Tensor {
        // Channels innermost, unlike the released code: its weights are converted.
        let x = V.reshaped([V.shape[0], V.shape.count / max(V.shape[0], 1)])
        return recognition.reduce(x) { x, layer in drop(relu(layer(x))) }  // v = max(0, W₂ max(0, W₁ x + b₁) + b₂)
    }

    // MARK: Saying it

    public func decode(_ found: Found, _ decoding: Decoding) -> Regions {
        let asked = found.photo.boxes, scores = found.scores.scalars, boxes = Box.list(found.boxes)
        // Who asks about boxes wants to be told about each of them, as it is.
        let kept =
            asked.map { Array($0.indices) }
            ?? NonMaximumSuppression(threshold: decoding.overlap, limit: decoding.top)(boxes, scores: scores)
        let phrases = say(
            found.codes.gathered(kept), maximumLength: decoding.maximumLength, beam: decoding.beam,
            forbidden: decoding.unknown ? nil : vocabulary.unknownID)
        return Regions(
            zip(kept, phrases).map { index, phrase in
                .init(
                    text: Detokenizer().sentence(phrase.tokens.map { vocabulary.word(for: $0) }),
                    logProbability: phrase.logProbability, score: scores[index],
                    box: asked?[index] ?? found.photo.original(boxes[index]))
            }, proposals: decoding.proposals.map { found.looks.prefix($0).map(found.photo.original) })
    }

    // MARK: Learning

    /// A picture and what is to be seen in it, at least one region.
    public struct Lesson: Sendable {
        let photo: Photo
        package let examples: [Example]
    }

    /// A region of a picture and what is in it.
    package struct Example: Sendable {
        /// In pixels of the preprocessed picture.
        package var box: Box
        /// Ids without start and end.
        package var words: [Int]
        package init(box: Box, words: [Int]) { (self.box, self.words) = (box, words) }
    }

    public func lesson(_ photo: Photo, _ marks: [Mark]) -> Lesson? {
        let examples = marks.compactMap { example($0.box, of: photo, phrase: $0.phrase) }
        return examples.isEmpty ? nil : Lesson(photo: photo, examples: examples)
    }

    private func example(_ rectangle: Regions.Rectangle, of photo: Photo, phrase: String) -> Example? {
        let words = vocabulary.ids(of: tokenizer.words(in: phrase).prefix(h.maximumWords).map { $0 })
        return words.isEmpty ? nil : Example(box: photo.preprocessed(rectangle), words: words)
    }

    public func encode(_ photo: Photo) -> Tensor { cnn(photo.pixels) }

    public func fitStatistics(to encodings: Tensor, random: RandomSource) { standardize?.fit(to: encodings) }

    public func losses(_ U: Tensor, _ lesson: Lesson, random: RandomSource) -> [LossTerm] {
        losses(U, lesson, random: random).terms(h.losses)
    }

    package func losses(_ encoding: Tensor, _ lesson: Lesson, random: RandomSource) -> Losses {
        let U = see(encoding)
        let photo = lesson.photo, regions = lesson.examples.map(\.box), found = localize(U, in: photo.size)
        let sample = h.sampler(
            Box.list(found.boxes), regions: regions, width: photo.size.width, height: photo.size.height, random: random)
        let positives = sample.positives.count
        let shown = Box.tensor(sample.regions.map { regions[$0] }, on: U.backend)

        let B = found.boxes.gathered(sample.positives + sample.negatives), v = recognize(pool(U, B, in: photo.size))
        let described = v[0..<positives]
        return Losses(
            proposalObjectness: proposalLoss(
                positives: found.scores.gathered(sample.positives), negatives: found.scores.gathered(sample.negatives)),
            proposalBoxes: boxRegressionLoss(
                found.transforms.gathered(sample.positives), found.anchors.gathered(sample.positives), shown),
            objectness: logisticLoss(objectness(v), positives: positives),
            boxes: boxRegressionLoss(regress(described), B[0..<positives], shown),
            captions: say.loss(described, sample.regions.map { lesson.examples[$0].words }),
            boxDecay: 0.5 * found.transforms.squared.sum)
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_DenseCap) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "DenseCap", reference: "Johnson, Karpathy & Fei-Fei 2016", model: DenseCap.self).retainedPointer()
}
