import Foundation
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Testing
import VideoLSTM

/// Small video models against PyTorch (Reference/video.py): every step's probabilities, what is made of them, the loss and its
/// gradients.
@Suite struct VideoLSTMs {
    private static let clips = 3, steps = 5, features = 6
    private let json: JSONNode

    init() throws { json = try JSONDocument(contentsOf: Project.tests.appending(path: "Reference/video.json").path).root }

    private func model(
        _ hyperparameters: JSONNode, for purpose: ParameterStore.Purpose = .inference, on backend: any Backend
    ) throws -> (model: VideoLSTM, store: ParameterStore) {
        let assets = Assets(
            backend: backend,
            backbone: BackboneDescription(
                input: [1, 1, Self.features], layers: [NamedLayer(nil, .flatten(.channelsLast))]),
            labels: ["run", "jump", "fall"])
        let store = ParameterStore(FormulaParameters(), for: purpose, on: backend)
        let decoded = try StrictJSONDecoder().decode(VideoLSTM.Hyperparameters.self, from: hyperparameters)
        return (try VideoLSTM(decoded, assets: assets, parameters: store.root), store)
    }

    /// The script's features with a time behind each frame's, `[clips, steps, features + 1]`.
    private func encodings(on backend: any Backend) -> Tensor {
        let f = FormulaParameters.uniform("clips", [Self.clips, Self.steps, Self.features], on: backend)
        let times = (0..<Self.clips).flatMap { _ in (0..<Self.steps).map { Float($0) / 2 } }
        return .concatenated([f, Tensor(times, [Self.clips, Self.steps, 1], on: backend)], axis: -1)
    }

    @Test(arguments: 0..<6, AnswererFixture.threads) func steps(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads), expected = try #require(json["models"]).elements[index]
        let all = encodings(on: backend)
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let (model, _) = try model(try #require(expected["hyperparameters"]), for: purpose, on: backend)
            for clip in 0..<Self.clips {
                let watched = model.activations(all[clip..<clip + 1], questions: [])
                #expect(watched.times == [0, 0.5, 1, 1.5, 2])
                expectClose(
                    watched.probabilities.scalars, try numbers(expected["probabilities"]?.elements[clip]), tolerance: 1e-4)
                let said = model.decode(watched, try decoding(3)), verdicts = try #require(expected["verdicts"]).elements[clip]
                for (step, node) in zip(said.steps, verdicts.elements) {
                    let wanted = try numbers(node)
                    expectClose(step.verdict, said.alternatives.map { wanted[$0.index] }, tolerance: 1e-4)
                }
                #expect(said.alternatives.map(\.probability) == said.alternatives.map(\.probability).sorted(by: >))
            }
        }
    }

    @Test(arguments: 0..<6, AnswererFixture.threads) func gradients(_ index: Int, _ threads: Int) throws {
        let backend = AnswererFixture.backend(threads), expected = try #require(json["models"]).elements[index]
        let (model, store) = try model(try #require(expected["hyperparameters"]), for: .training, on: backend)
        store.track { _ in true }
        let (loss, predictions) = model.loss(
            encodings(on: backend), try numbers(json["targets"]).map { Int($0) }, weights: [1, 1, 1])
        #expect(predictions == 3)
        expectClose([loss.scalar], try numbers(expected["loss"]), "loss")
        try expectGradientLengths(of: loss, store, expected)
    }

    private func decoding(_ count: Int) throws -> VideoLSTM.Decoding {
        try StrictJSONDecoder().decode(VideoLSTM.Decoding.self, from: JSONDocument("{\"nbest\": \(count)}", file: "d").root)
    }

    // MARK: By hand

    @Test func fusion() {
        let p: [[Float]] = [[0.5, 0.5], [0.25, 0.75], [1, 0]]
        #expect(StepFusion.last.verdicts(p) == p)
        expectClose(StepFusion.mean.verdicts(p).flatMap(\.self), [0.5, 0.5, 0.375, 0.625, 7 / 12, 5 / 12])
        // The maxima so far, (0.5, 0.5), (0.5, 0.75), (1, 0.75), by their sums.
        expectClose(StepFusion.max.verdicts(p).flatMap(\.self), [0.5, 0.5, 0.4, 0.6, 4 / 7, 3 / 7])
        // (1·0.5 + 2·0.25) / 3; (1·0.5 + 2·0.25 + 3·1) / 6.
        expectClose(StepFusion.linear.verdicts(p).flatMap(\.self), [0.5, 0.5, 1 / 3, 2 / 3, 2 / 3, 1 / 3])
        #expect(StepFusion.last.weights(3) == [0, 0, 1])
        expectClose(StepFusion.linear.weights(3), [1 / 6, 2 / 6, 3 / 6])
        for fusion in StepFusion.allCases { expectClose([fusion.weights(7).reduce(0, +)], [1]) }
    }

    /// Maps of 1 × 2 places and 2 channels, by hand: a video in one piece and in two.
    @Test func sight() {
        let backend = AnswererFixture.backend(0), f = Tensor([1, 2, 3, 4, 2, 2, 1, 0, 2, 5, 1, 0], [3, 1, 2, 2], on: backend)
        func seen(_ sight: Sight) -> [Float] {
            var whole: Tensor?, parts: Tensor?
            let all = sight(f, after: &whole).scalars
            #expect(sight(f[0..<2], after: &parts).scalars + sight(f[2..<3], after: &parts).scalars == all)
            #expect(all.count == 3 * sight.width(of: [1, 2, 2]))
            return all
        }
        #expect(seen(.features) == f.scalars)
        #expect(seen(.differences) == [1, 2, 3, 4, 0, 0, 0, 0, 2, 2, 1, 0, 1, 0, -2, -4, 2, 5, 1, 0, 0, 3, 0, 0])
        // (|2−1| + |1−3|) / 2 = 1.5, (|2−2| + |0−4|) / 2 = 2; then (0 + 0) / 2, (3 + 0) / 2.
        #expect(seen(.changes) == [0, 0, 1.5, 2, 0, 1.5])
    }

    /// Pooling takes any order for the same, an LSTM does not.
    @Test func order() throws {
        let backend = AnswererFixture.backend(1), f = encodings(on: backend)[0..<1]
        let reversed = f.reshaped([Self.steps, Self.features + 1]).gathered((0..<Self.steps).reversed()).reshaped(f.shape)
        for (index, ignoresOrder) in [(2, false), (3, false), (4, true), (5, true)] {
            let (model, _) = try model(
                #require(json["models"]?.elements[index]["hyperparameters"]), on: backend)
            func said(_ f: Tensor) throws -> [Float] {
                let alternatives = model.decode(model.activations(f, questions: []), try decoding(3)).alternatives
                return alternatives.sorted { $0.index < $1.index }.map(\.probability)
            }
            let difference = try zip(said(f), said(reversed)).map { abs($0 - $1) }.max() ?? 0
            #expect(ignoresOrder ? difference < 1e-6 : difference > 1e-3, "model \(index)")
        }
    }

    /// When the answer was decided, and what was thought before.
    @Test func opinions() {
        let verdicts: [[Float]] = [[0.4, 0.6], [0.7, 0.3], [0.45, 0.55], [0.1, 0.9]]
        let said = Recognition(times: [0, 1, 2, 3], probabilities: verdicts, verdicts: verdicts, labels: ["a", "b"], count: 2)
        #expect(said.text == "b" && said.decided == 2)
        #expect(said.opinions.map(\.text) == ["b", "a", "b"] && said.opinions.map(\.from) == [0, 1, 2])
        // Of the alternatives, the most probable first.
        #expect(said.steps[1].verdict == [0.3, 0.7])
    }

    // MARK: Cards

    @Test(arguments: [
        ("{}", "expected either 'pooling' or 'recurrent'"),
        (
            "{\"pooling\": \"mean\", \"recurrent\": {\"hidden\": 2, \"lstm\": {\"order\": \"ifgo\"}}}",
            "expected either 'pooling' or 'recurrent'"
        ),
        ("{\"pooling\": \"mean\", \"fusion\": \"max\"}", "pooled frames give one prediction; leave 'fusion' out"),
        (
            "{\"recurrent\": {\"hidden\": 2, \"layers\": 6, \"lstm\": {\"order\": \"ifgo\"}}}",
            "expected a whole number from 1 to 5, found 6"
        ),
        (
            "{\"recurrent\": {\"hidden\": 2, \"bidirectional\": true, \"lstm\": {\"order\": \"ifgo\"}}}",
            "at the last step a backward LSTM has seen a single frame; say mean, max or linear"
        ),
    ]) func refusals(_ text: String, _ reason: String) throws {
        let root = try JSONDocument(text, file: "card.json").root
        #expect(
            sentence { _ = try StrictJSONDecoder().decode(VideoLSTM.Hyperparameters.self, from: root) }?.contains(reason) == true)
    }

    /// What needs the whole video and what needs a part of it say the same as when it comes in other parts.
    @Test(arguments: ["tiny-video-lstm", "tiny-video-bidirectional", "tiny-video-pool"])
    func longerThanABatch(_ name: String) throws {
        let catalogue = try SampleCatalogue(name), backend = AnswererFixture.backend(1)
        let (model, _, assets) = try catalogue.make(VideoLSTM.self, on: backend)
        let frames = (0..<21).map { VideoFrame(index: $0, time: Double($0), image: picture($0 * 5)) }
        let request = Request(name: "long", clip: Clip(.frames(frames)))
        let watched = try model.forward(ClipInput(request, assets: assets))
        #expect(watched.times == (0..<21).map { Float($0) })
        let encoding = model.encode([try ClipFrames(request, assets: assets)])
        expectClose(
            watched.probabilities.scalars, model.activations(encoding, questions: []).probabilities.scalars, tolerance: 1e-5)
    }
}
