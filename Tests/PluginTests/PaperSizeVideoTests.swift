import Foundation
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Testing

/// Cards of video models at their published sizes, whose weights are to be had elsewhere or not at all.
@Suite(.serialized) struct PaperSizeVideos {
    private static let catalogue = Catalogue([.init(.project, root: Project.root.path)])
    static let cards: [String] = catalogue.names.filter { name in
        guard let card = try? catalogue.card(name), card.task == .videoClassification else { return false }
        return !card.tags.contains("shipped")
    }

    @Test func allAreFound() { #expect(Set(["lrcn", "beyond-short-snippets", "lrcn-keras"]).isSubset(of: Set(Self.cards))) }

    @Test(arguments: cards) func oneVideo(_ name: String) throws {
        let card = try Self.catalogue.card(name), backend = fastestBackend(threads: 2), classes = try #require(card.answers).size
        var assets = Assets(
            backend: backend, preprocessing: card.preprocess, backbone: try Self.catalogue.backbone(of: card).layers,
            labels: (0..<(try #require(classes))).map { "class \($0)" })
        assets.frames = card.frames
        let store = ParameterStore(FormulaParameters(), on: backend)
        func watch<M: Model>(_ type: M.Type) throws -> any Prediction {
            let model = try M(card.hyperparameters(as: M.Hyperparameters.self), assets: assets, parameters: store.root)
            let frames = (0..<3).map { VideoFrame(index: $0, time: Double($0), image: picture($0)) }
            let input = try M.Input(Request(name: name, clip: Clip(.frames(frames))), assets: assets)
            return model.decode(try model.forward(input), try card.decoding(as: M.Decoding.self))
        }
        let plugin = try PluginTable(builtIn: Project.plugins).plugin(named: card.architecture)
        let said = try #require(try watch(plugin.model) as? Recognition)
        #expect(said.steps.count == 3 && said.alternatives.count == 5)
        #expect(said.alternatives.allSatisfy { $0.probability.isFinite })
        let count = store.all.filter { !$0.isStatistic }.reduce(0) { $0 + $1.shape.count }
        #expect(count == card.parametersCount)
    }
}
