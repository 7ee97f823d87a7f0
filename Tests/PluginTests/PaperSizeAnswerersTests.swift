import Checkpoints
import Foundation
import Language
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Testing

/// Cards of question answerers at their published sizes, whose weights are to be had elsewhere: one after the other, for the
/// largest needs a gigabyte.
@Suite(.serialized) struct PaperSizeAnswerers {
    private static let catalogue = Catalogue([.init(.project, root: Project.root.path)])
    /// All that are not shipped and take pictures of a size that large networks take.
    static let cards: [String] = catalogue.names.filter { name in
        guard let card = try? catalogue.card(name), card.task == .visualQuestionAnswering else { return false }
        return !card.tags.contains("shipped") && card.preprocess?.outputSize?.height ?? 0 >= 200
    }

    @Test func allAreFound() {
        #expect(Set(["san-vgg19", "deeper-lstm-vgg19"]).isSubset(of: Set(Self.cards)))
    }

    private func make(_ name: String) throws -> (card: ModelCard, model: any VisualQuestionAnswerer, store: ParameterStore) {
        let card = try Self.catalogue.card(name), backend = fastestBackend(threads: 2), file = try #require(card.vocabulary)
        // As many words as the card says, if it does, its own unknown word among them.
        let words = [file.convention.unknown, file.convention.padding].compactMap(\.self)
        let others = (0..<(file.size ?? 10_000) - words.count).map { "word\($0)" }
        let assets = Assets(
            backend: backend, preprocessing: card.preprocess, backbone: try Self.catalogue.backbone(of: card).layers,
            vocabulary: try Vocabulary(words: words + others, convention: file.convention), tokenizer: file.tokenizer,
            labels: (0..<(try #require(card.answers)).size).map { "answer \($0)" })
        let plugin = try PluginTable(builtIn: Project.plugins).plugin(named: card.architecture)
        let type = try #require(plugin.model as? any VisualQuestionAnswerer.Type)
        let store = ParameterStore(FormulaParameters(), on: backend)
        func make<M: VisualQuestionAnswerer>(_ type: M.Type) throws -> any VisualQuestionAnswerer {
            try M(card.hyperparameters(as: M.Hyperparameters.self), assets: assets, parameters: store.root)
        }
        return (card, try make(type), store)
    }

    @Test(arguments: cards) func oneForwardPass(_ name: String) throws {
        let (card, model, store) = try make(name), summary = try Self.catalogue.backbone(of: card).layers.summary()
        let count = store.all.filter { !$0.isStatistic }.reduce(0) { $0 + $1.shape.count }
        #expect(count == card.parametersCount ?? count)
        #expect(model.reader.words == card.vocabulary?.size ?? model.reader.words)

        let size = try #require(card.preprocess?.outputSize), backend = fastestBackend(threads: 2)
        let picture = FormulaParameters.uniform("picture", [1, size.height, size.width, 3], factor: 100, on: backend)
        let f = model.condensed(model.encode(pixels: picture))
        #expect(f.shape[0] == 1 && f.scalars.allSatisfy(\.isFinite))
        // Fisher vectors are no features of the network.
        if card.architecture != "FisherVQA" { #expect(f.shape.count == summary.output.count) }
        let activations = model.activations(f, questions: ["word1 word22, word333?", "word1 word4444 word22 word5555"])
        let scores = activations.scores, logits = scores.logits
        #expect(logits.shape == [2, try #require(card.answers).size])
        #expect(logits.scalars.allSatisfy(\.isFinite) && logits[0].scalars != logits[1].scalars)
        if !scores.attention.isEmpty { #expect(scores.grid == (summary.output[0], summary.output[1])) }
        for look in scores.attention {
            #expect(look.shape == [2, scores.grid.rows * scores.grid.columns])
            #expect(look.sum(axis: 1).scalars.allSatisfy { abs($0 - 1) < 1e-4 })
        }
        let sheet = model.decode(activations, try card.decoding(as: AnswerChoice.self))
        #expect(sheet.questions.allSatisfy { $0.answers.count == 5 && $0.attention.count == scores.attention.count })
    }

    /// What the authors' code saves is all that the model has besides its CNN.
    @Test func namesOfTheano() throws {
        let (_, _, store) = try make("san-vgg19"), backend = PortableBackend()
        func layer(_ name: String, _ inputs: Int, _ outputs: Int) -> [(String, Shape)] {
            [("\(name)_w", [inputs, outputs]), ("\(name)_b", [outputs])]
        }
        // init_params in san_att_lstm_twolayer_theano.py, with the options of san_att_lstm_twolayer.py.
        var saved: [(String, Shape)] = [("w_emb", [13_746, 500])] + layer("image_mlp", 512, 1024)
        for hop in 1...2 {
            saved += layer("image_att_mlp_\(hop)", 1024, 512) + layer("sent_att_mlp_\(hop)", 1024, 512)
            saved += layer("combined_att_mlp_\(hop)", 512, 1)
        }
        saved += layer("combined_mlp_0", 1024, 1000)
        saved += [("sent_lstm_w_x", [500, 4096]), ("sent_lstm_w_h", [1024, 4096]), ("sent_lstm_b_h", [4096])]
        let rules = Project.root.appending(path: "ModelCards/conversions/san-theano.json")
        let mapped = try TensorMap(json: String(contentsOf: rules, encoding: .utf8), from: "san-theano.json").apply(
            to: Checkpoint(saved.map { CheckpointTensor(name: $0, .zeros($1, on: backend)) }))
        let found = mapped.map { "\($0.tensor.name) \($0.tensor.shape)" }
        let wanted = store.all.filter { !$0.name.hasPrefix("cnn.") }.map { "\($0.name) \($0.shape)" }
        #expect(found.sorted() == wanted.sorted())
    }
}
