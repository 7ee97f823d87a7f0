import Checkpoints
import DenseCap
import Foundation
import Language
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Runtime
import Tensors
import Testing

/// Reference/densecap.json's whole model, which densecap.py computed with PyTorch.
private struct Reference: Decodable {
    struct Found: Decodable {
        let boxes: [[Float]]
        let scores: [Float]
        let kept: [Int]
        let phrases: [String]
        let logProbabilities: [Float]
    }
    struct Step: Decodable {
        /// Of all boxes that may be drawn.
        let count: Int
        let parts: [String: Float], gradients: [String: Float]
    }
    struct Whole: Decodable {
        let found: Found
        let losses: Step
    }
    let model: Whole

    static func read() throws -> Whole {
        let file = Project.tests.appending(path: "Reference/densecap.json")
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file)).model
    }
}

/// A tiny DenseCap, with fresh parameters unless a source has others, and a photo of it.
private struct Tiny {
    let model: DenseCap
    let store: ParameterStore
    let photo: Photo

    init(
        seed: UInt64 = 1, source: (any ParameterSource)? = nil, pixels: Tensor? = nil, drawn: Int = 16, options: String = "",
        unknown: String? = nil, for purpose: ParameterStore.Purpose = .inference, on backend: any Backend
    ) throws {
        let json = """
            {"anchors": [[8, 8], [16, 10], [30, 40]], "proposal_filters": 6, "proposals": 20, "grid": [3, 4],
             "recognition": [12, 9], "recognition_dropout": 0, "embedding": 7, "hidden": 8, "lstm": {"order": "ifog"},
             "sampler": {"boxes": \(drawn), "high_threshold": 0.4}\(options)}
            """
        let layers = """
            [{"op": "convolution", "name": "a", "outputs": 4, "kernel": 3, "stride": 2, "padding": 1, "activation": "relu"},
             {"op": "convolution", "name": "b", "outputs": 5, "kernel": 3, "padding": 1, "activation": "relu"},
             {"op": "max_pool", "size": 2}]
            """
        let decoder = JSONDecoder()
        let backbone = BackboneDescription(
            input: [40, 48, 3], layers: try decoder.decode([NamedLayer].self, from: Data(layers.utf8)))
        let words = ["a", "dog", "cat", "red", "ball", "green", "grass"]
        var convention = VocabularyConvention.im2txt
        if let unknown { convention.unknown = unknown }
        let assets = Assets(
            backend: backend, backbone: backbone, vocabulary: try Vocabulary(words: words, convention: convention),
            tokenizer: .whitespace)
        store = ParameterStore(source ?? FreshParameters(seed: seed), for: purpose, on: backend)
        model = try DenseCap(
            decoder.decode(DenseCap.Hyperparameters.self, from: Data(json.utf8)), assets: assets, parameters: store.root)
        photo = Photo(
            pixels: pixels ?? RandomSource(seed: seed).uniform([1, 40, 48, 3], -1..<1, on: backend), width: 96, height: 120)
    }

    /// What is to be learnt of the photo.
    func lesson() throws -> DenseCap.Lesson {
        let rectangles = [(10, 20, 30, 40), (50, 60, 40, 50), (0, 0, 96, 120)] as [(Float, Float, Float, Float)]
        let marks = zip(rectangles, ["a red ball", "a dog", "green grass"]).map { rectangle, phrase in
            let (x, y, width, height) = rectangle
            return Mark(box: .init(x: x, y: y, width: width, height: height), phrase: phrase)
        }
        return try #require(model.lesson(photo, marks))
    }

    /// The losses of a step that draws by this seed.
    func losses(seed: UInt64) throws -> Losses {
        model.losses(model.encode(photo), try lesson(), random: RandomSource(seed: seed))
    }
}

@Suite("DenseCap") struct DenseCapTests {
    /// 0 is the portable one, other numbers OpenBLAS with so many threads.
    private static func backend(_ threads: Int) -> any Backend {
        threads == 0 ? PortableBackend() : OpenBLAS(threads: threads)
    }

    @Test func coordinates() {
        let pixels = Tensor.zeros([1, 20, 40, 3], on: PortableBackend()), photo = Photo(pixels: pixels, width: 80, height: 60)
        #expect(photo.whole == Box(x: 20.5, y: 10.5, width: 40, height: 20))
        #expect(photo.original(photo.whole) == .init(x: 0, y: 0, width: 80, height: 60))
        // The first pixel.
        #expect(photo.original(Box(x: 1, y: 1, width: 1, height: 1)) == .init(x: 0, y: 0, width: 2, height: 3))
        let rectangle = Regions.Rectangle(x: 12, y: 6, width: 20, height: 30)
        #expect(photo.original(photo.preprocessed(rectangle)) == rectangle)
    }

    /// The whole model against PyTorch.
    @Test(arguments: 0..<3) func found(_ threads: Int) throws {
        let on = Self.backend(threads), reference = try Reference.read().found
        let pixels = FormulaParameters.uniform("photo", [1, 40, 48, 3], on: on)
        let tiny = try Tiny(source: FormulaParameters(), pixels: pixels, on: on)
        let found = tiny.model.forward(tiny.photo)
        expectClose(found.boxes.scalars, reference.boxes.flatMap { $0 }, tolerance: 1e-4, "boxes")
        expectClose(found.scores.scalars, reference.scores, tolerance: 1e-4, "scores")
        let regions = tiny.model.decode(found, .init(top: 10, overlap: 0.3, maximumLength: 6)).regions
        #expect(regions.map(\.text) == reference.phrases)
        expectClose(regions.map(\.score), reference.kept.map { reference.scores[$0] }, tolerance: 1e-4, "kept")
        expectClose(regions.map(\.logProbability), reference.logProbabilities, tolerance: 1e-4, "log-probabilities")
    }

    /// Every loss and the length of every gradient against PyTorch, where all boxes that may be drawn are.
    @Test(arguments: 0..<3) func lossesOfAllBoxes(_ threads: Int) throws {
        let on = Self.backend(threads), reference = try Reference.read().losses
        let pixels = FormulaParameters.uniform("photo", [1, 40, 48, 3], on: on)
        let tiny = try Tiny(source: FormulaParameters(), pixels: pixels, drawn: reference.count, for: .training, on: on)
        tiny.store.track { _ in true }
        let losses = try tiny.losses(seed: 4)
        let found = [
            "proposalObjectness": losses.proposalObjectness, "proposalBoxes": losses.proposalBoxes,
            "objectness": losses.objectness, "boxes": losses.boxes, "captions": losses.captions, "boxDecay": losses.boxDecay,
        ]
        #expect(found.keys.sorted() == reference.parts.keys.sorted())
        for (name, loss) in found {
            expectClose([loss.scalar], [try #require(reference.parts[name])], tolerance: 1e-4, name)
        }
        let gradients = losses.terms(Losses.Weights()).total.gradients()
        #expect(tiny.store.all.map(\.name) == reference.gradients.keys.sorted())
        for parameter in tiny.store.all {
            let norm = try #require(gradients[parameter.value]).squared.sum.scalar.squareRoot()
            expectClose([norm], [try #require(reference.gradients[parameter.name])], tolerance: 1e-3, parameter.name)
        }
    }

    @Test func regions() throws {
        let tiny = try Tiny(on: OpenBLAS(threads: 2))
        let found = tiny.model.forward(tiny.photo), n = found.boxes.shape[0]
        #expect(1...20 ~= n && found.scores.shape == [n, 1] && found.codes.shape == [n, 9])
        for box in Box.list(found.boxes) { #expect(box.isInside(width: 48, height: 40)) }
        let regions = tiny.model.decode(found, .init(top: 3, overlap: 0.5))
        #expect(1...3 ~= regions.regions.count)
        #expect(regions.regions.map(\.score) == regions.regions.map(\.score).sorted(by: >))
        #expect(regions.annotations.count == regions.regions.count)
        #expect(regions.text == regions.texts.joined(separator: "; "))
        // The most probable of all.
        #expect(regions.regions[0].score == found.scores.scalars.max())
    }

    /// Regions described together say what each says alone, and what a beam of any width does not make worse.
    @Test func phrases() throws {
        let tiny = try Tiny(seed: 3, on: OpenBLAS(threads: 1)), whole = tiny.photo.original(tiny.photo.whole)
        let rectangles = [whole, .init(x: 5, y: 10, width: 40, height: 60), .init(x: 50, y: 50, width: 30, height: 30)]
        func describe(_ rectangles: [Regions.Rectangle], beam: Int = 1) -> [String: Float] {
            let found = tiny.model.forward(tiny.photo, boxes: rectangles)
            #expect(found.codes.shape[0] == rectangles.count)
            let regions = tiny.model.decode(found, .init(top: 10, overlap: 1, beam: beam)).regions
            return Dictionary(regions.map { ("\($0.box): \($0.text)", $0.logProbability) }) { a, _ in a }
        }
        let together = describe(rectangles)
        #expect(together.count == 3)
        for rectangle in rectangles {
            for (text, logProbability) in describe([rectangle]) {
                let other = try #require(together[text])
                #expect(abs(other - logProbability) < 1e-4)
            }
        }
        let greedy = together.values.reduce(0, +), wide = describe(rectangles, beam: 4).values.reduce(0, +)
        #expect(wide >= greedy - 1e-4)
    }

    @Test func givenBoxesStayAsTheyAre() throws {
        let tiny = try Tiny(seed: 3, on: OpenBLAS(threads: 1)), photo = tiny.photo
        let rectangles = [Regions.Rectangle(x: 5, y: 10, width: 40, height: 60), .init(x: 6, y: 10, width: 40, height: 60)]
        let asked = Photo(pixels: photo.pixels, width: photo.width, height: photo.height, boxes: rectangles)
        // Neither suppressed nor sorted nor moved.
        let regions = tiny.model.decode(tiny.model.forward(asked), .init(top: 1, overlap: 0.1)).regions
        #expect(regions.map(\.box) == rectangles)
        let others = tiny.model.decode(tiny.model.forward(photo, boxes: rectangles), .init(overlap: 1)).regions
        #expect(Set(regions.map(\.text)) == Set(others.map(\.text)))
    }

    @Test func proposals() throws {
        let tiny = try Tiny(on: OpenBLAS(threads: 1)), found = tiny.model.forward(tiny.photo)
        var decoding = DenseCap.Decoding()
        #expect(tiny.model.decode(found, decoding).proposals == nil)
        decoding.proposals = 4
        let proposals = try #require(tiny.model.decode(found, decoding).proposals)
        #expect(proposals.count == 4 && proposals.allSatisfy { $0.width > 0 && $0.x + $0.width <= 96 + 2 })
    }

    @Test(arguments: [1, 3]) func unknownWords(_ beam: Int) throws {
        // The tiny vocabulary has no token for them; "dog" takes its place.
        let said = try (1...6).map { seed in
            let tiny = try Tiny(seed: UInt64(seed), options: #", "null_row": true"#, unknown: "dog", on: OpenBLAS(threads: 1))
            let found = tiny.model.forward(tiny.photo)
            return [true, false].map { unknown in
                tiny.model.decode(found, .init(top: 20, overlap: 1, beam: beam, unknown: unknown)).text
            }
        }
        #expect(said.contains { $0[0].contains("dog") }, "a weak test: none of them would say it")
        #expect(said.allSatisfy { !$0[1].contains("dog") })
    }

    @Test func standardizedFeatures() throws {
        let on = OpenBLAS(threads: 1), plain = try Tiny(on: on)
        let tiny = try Tiny(options: #", "standardize_features": true"#, on: on)
        // With the statistics of nothing they are as they were.
        #expect(tiny.model.forward(tiny.photo).scores.scalars == plain.model.forward(plain.photo).scores.scalars)
        let maps = RandomSource(seed: 5).uniform([3, 4, 6, 5], 2..<5, on: on)
        tiny.model.fitStatistics(to: maps, random: RandomSource(seed: 1))
        let fitted = tiny.store.all.filter(\.isStatistic).map { ($0.name, $0.value.scalars) }
        let statistics = Dictionary(uniqueKeysWithValues: fitted)
        let values = (0..<5).map { channel in (0..<72).map { maps.scalars[5 * $0 + channel] } }
        let means = values.map { $0.reduce(0, +) / 72 }
        expectClose(try #require(statistics["features.mean"]), means, tolerance: 1e-5)
        expectClose(
            try #require(statistics["features.deviation"]),
            zip(values, means).map { v, m in (v.reduce(0) { $0 + ($1 - m) * ($1 - m) } / 72).squareRoot() }, tolerance: 1e-4)
        #expect(tiny.model.forward(tiny.photo).scores.scalars != plain.model.forward(plain.photo).scores.scalars)
    }

    @Test func nothingToSee() throws {
        let tiny = try Tiny(on: PortableBackend())
        let found = tiny.model.forward(tiny.photo, boxes: [])
        #expect(found.boxes.shape == [1, 4])
        expectClose(found.boxes.scalars, [24.5, 20.5, 48, 40])
    }

    @Test(arguments: 0..<2) func gradients(_ backend: Int) throws {
        let on = Self.backend(2 * backend)
        let tiny = try Tiny(for: .training, on: on)
        // Not at its beginning, where proposals are their anchors and nothing of what moves them matters to other layers.
        for parameter in tiny.store.all where parameter.name.contains("boxes.weight") {
            parameter.value = RandomSource(seed: 8).normal(parameter.shape, deviation: 0.1, on: on)
        }
        tiny.store.track { _ in true }
        let losses = try tiny.losses(seed: 4)
        let every = [
            losses.proposalObjectness, losses.proposalBoxes, losses.objectness, losses.boxes, losses.captions, losses.boxDecay,
        ]
        #expect(every.allSatisfy { $0.shape == [] && $0.scalar > 0 && $0.scalar.isFinite })
        let total = losses.terms(Losses.Weights()).total, gradients = total.gradients()
        for parameter in tiny.store.all {
            let gradient = try #require(gradients[parameter.value], "\(parameter.name) learns nothing").scalars
            #expect(gradient.allSatisfy(\.isFinite) && gradient.contains { $0 != 0 }, "\(parameter.name)")
        }
        // Finite differences along the gradient: what is drawn stays the same for a step that small.
        let squares = tiny.store.all.reduce(Float(0)) { $0 + gradients[$1.value]!.squared.sum.scalar }
        let step = 1e-3 / squares.squareRoot()
        let start = tiny.store.all.map(\.value.detached)
        let slopes = tiny.store.all.map { gradients[$0.value]! }
        func moved(_ step: Float) throws -> Double {
            for (index, parameter) in tiny.store.all.enumerated() { parameter.value = start[index] + step * slopes[index] }
            let losses = try tiny.losses(seed: 4)
            return Double(losses.terms(Losses.Weights()).total.scalar)
        }
        let quotient = Float((try moved(step) - moved(-step)) / Double(2 * step))
        #expect(abs(quotient - squares) < 0.03 * squares, "\(quotient), not \(squares)")
    }

    /// All five losses fall on one picture, where none counts so little that the others could raise it.
    @Test func learns() throws {
        let tiny = try Tiny(seed: 2, for: .training, on: OpenBLAS(threads: 1))
        tiny.store.track { _ in true }
        var optimizer = Adam(learningRate: 0.01), history: [[Float]] = [], weights = Losses.Weights()
        (weights.proposalObjectness, weights.proposalBoxes, weights.objectness, weights.boxes) = (1, 1, 1, 1)
        for step in 0..<300 {
            let losses = try tiny.losses(seed: UInt64(step))
            history.append(
                [losses.proposalObjectness, losses.proposalBoxes, losses.objectness, losses.boxes, losses.captions].map(\.scalar))
            let gradients = losses.terms(weights).total.gradients()
            optimizer.step(
                tiny.store.all.compactMap { parameter in
                    gradients[parameter.value].map { (parameter: parameter, gradient: $0) }
                })
        }
        func mean(_ steps: Range<Int>, _ loss: Int) -> Float { history[steps].reduce(0) { $0 + $1[loss] } / Float(steps.count) }
        for loss in 0..<5 {
            let (first, last) = (mean(0..<10, loss), mean(290..<300, loss))
            #expect(last < 0.8 * first, "loss \(loss): from \(first) to \(last)")
        }
    }

    @Test func anchorsOfACard() throws {
        func decode(_ text: String) throws -> DenseCap.Hyperparameters {
            try JSONDecoder().decode(DenseCap.Hyperparameters.self, from: Data(text.utf8))
        }
        let released = try decode(#"{"lstm": {"order": "ifog"}}"#)
        #expect(released.anchors == Anchors.released && released.sampler.count == 256 && released.losses == Losses.Weights())
        let halved = try decode(#"{"lstm": {"order": "ifog"}, "anchor_scale": 0.5}"#)
        #expect(halved.anchors[0] == Anchors.Shape(22.5, 45))
        for wrong in [
            #""anchors": [[1, 2, 3]]"#, #""anchors": []"#, #""anchors": [[0, 5]]"#, #""grid": [1, 7]"#, #""recognition": []"#,
            #""proposal_overlap": 1.5"#, #""losses": {"boxes": -1}"#,
        ] {
            #expect(throws: DecodingError.self, "\(wrong)") { try decode(#"{"lstm": {"order": "ifog"}, \#(wrong)}"#) }
        }
    }

    private struct Zeros: ParameterSource {
        func contains(_ name: String) -> Bool { true }
        func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) -> Tensor {
            .zeros(shape, on: backend)
        }
    }

    /// The parameters of the card at the published size, which are all zero.
    private func publishedParameters() throws -> [Parameter] {
        let catalogue = Catalogue([.init(.project, root: Project.root.path)]), on = PortableBackend()
        let card = try catalogue.card("densecap-vgg16"), file = try #require(card.vocabulary)
        let words = (0..<10_508).map { "word\($0)" } + ["<UNK>", "<END>"]
        let assets = Assets(
            backend: on, preprocessing: card.preprocess, backbone: try catalogue.backbone(of: card).layers,
            vocabulary: try Vocabulary(words: words, convention: file.convention), tokenizer: file.tokenizer)
        #expect(assets.vocabulary?.count == file.size)
        let store = ParameterStore(Zeros(), for: .training, on: on)
        _ = try DenseCap(card.hyperparameters(as: DenseCap.Hyperparameters.self), assets: assets, parameters: store.root)
        #expect(store.all.reduce(0) { $0 + $1.shape.count } == card.parametersCount)
        return store.all
    }

    /// The released network has 135,734,875 parameters besides its CNN, and that CNN's part that is trained 14,454,528.
    @Test func paperSize() throws {
        let parameters = try publishedParameters()
        let cnn = parameters.filter { $0.name.hasPrefix("cnn.") }, rest = parameters.filter { !$0.name.hasPrefix("cnn.") }
        #expect(rest.reduce(0) { $0 + $1.shape.count } == 135_734_875)
        #expect(cnn.reduce(0) { $0 + $1.shape.count } == 14_454_528 + 260_160)
    }

    /// What the released checkpoint holds, in its shapes (densecap/DenseCapModel.lua, LocalizationLayer.lua, LanguageModel.lua),
    /// is all that the model needs.
    @Test func namesOfTorch() throws {
        let backend = PortableBackend()
        var saved: [(String, Shape)] = [
            ("rpn.convolution.weight", [256, 512, 3, 3]), ("rpn.convolution.bias", [256]),
            ("rpn.boxes.weight", [48, 256, 1, 1]), ("rpn.boxes.bias", [48]), ("rpn.scores.weight", [24, 256, 1, 1]),
            ("rpn.scores.bias", [24]), ("recog_base.fc6.weight", [4096, 25_088]), ("recog_base.fc6.bias", [4096]),
            ("recog_base.fc7.weight", [4096, 4096]), ("recog_base.fc7.bias", [4096]), ("objectness_branch.weight", [1, 4096]),
            ("objectness_branch.bias", [1]), ("box_reg_branch.weight", [4, 4096]), ("box_reg_branch.bias", [4]),
            ("language_model.image_encoder.weight", [512, 4096]), ("language_model.image_encoder.bias", [512]),
            ("language_model.lookup_table.weight", [10_511, 512]), ("language_model.lstm.input.weight", [512, 2048]),
            ("language_model.lstm.recurrent.weight", [512, 2048]), ("language_model.lstm.bias", [2048]),
            ("language_model.logits.weight", [10_510, 512]), ("language_model.logits.bias", [10_510]),
        ]
        for (block, layers) in [2, 2, 3, 3, 3].enumerated() {
            let outputs = [64, 128, 256, 512, 512][block]
            for layer in 1...layers {
                let inputs = layer > 1 ? outputs : [3, 64, 128, 256, 512][block]
                saved.append(("cnn.conv\(block + 1)_\(layer).weight", [outputs, inputs, 3, 3]))
                saved.append(("cnn.conv\(block + 1)_\(layer).bias", [outputs]))
            }
        }
        let checkpoint = Checkpoint(saved.map { CheckpointTensor(name: $0.0, .zeros($0.1, on: backend)) })
        let rules = try TensorMap(
            json: Project.text("ModelCards/conversions/densecap-vgg16-torch7.json"), from: "densecap-vgg16-torch7.json")
        let named = try rules.apply(to: checkpoint)
        #expect(
            Dictionary(uniqueKeysWithValues: named.map { ($0.tensor.name, $0.tensor.shape) })
                == Dictionary(uniqueKeysWithValues: try publishedParameters().map { ($0.name, $0.shape) }))
    }
}
