import Checkpoints
import Foundation
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Testing

/// Weights that do not fit their model: the sentence names the file, what is wrong in it, and the remedy.
@Suite struct WeightsErrors {
    private typealias Tensors = [String: (shape: Shape, scalars: [Float])]
    private static let remedy = ": convert it again with the rules of this card (zoo convert --rename)"

    /// Every parameter of a sample, filled with 0.5.
    private static func tensors(_ catalogue: SampleCatalogue) throws -> Tensors {
        func all<M: Model>(_ type: M.Type) throws -> Tensors {
            let store = try catalogue.make(type, on: PortableBackend()).store
            return Dictionary(
                uniqueKeysWithValues: store.all.map {
                    ($0.name, ($0.value.shape, [Float](repeating: 0.5, count: $0.value.shape.count)))
                })
        }
        return try all(catalogue.plugin().model)
    }

    private static func write(_ tensors: Tensors, to path: String) throws {
        try Checkpoint(
            tensors.sorted { $0.key < $1.key }.map {
                CheckpointTensor(name: $0.key, Tensor($0.value.scalars, $0.value.shape, on: PortableBackend()))
            }
        ).write(to: path)
    }

    private static func load(_ catalogue: SampleCatalogue) -> String? {
        sentence { _ = try catalogue.zoo(on: PortableBackend()).load(catalogue.card.name) }
    }

    enum Change: Sendable {
        case remove(String)
        case add(String)
        case reshape(String, Shape)
        case spoil(String, Float)
    }

    @Test(arguments: [
        ([], nil),
        ([.remove("d.bias")], "lacks 'd.bias'"),
        ([.remove("a.weight"), .remove("a.bias")], "lacks 'a.weight', 'a.bias'"),
        (
            [.remove("a.weight"), .remove("a.bias"), .remove("c.a.weight"), .remove("c.a.bias"), .remove("d.weight")],
            "lacks 'a.weight', 'a.bias', 'c.a.weight' and 2 more"
        ),
        ([.add("e.weight")], "has 'e.weight', which the model does not know"),
        ([.add("e"), .add("f"), .add("g"), .add("h")], "has 'e', 'f', 'g' and 1 more, which the model does not know"),
        ([.reshape("d.weight", [3, 95])], "has 'd.weight' as [3×95] where the model needs [3×96]"),
        ([.reshape("d.weight", [96, 3])], "has 'd.weight' as [96×3] where the model needs [3×96]"),
        (
            [.reshape("a.bias", [5]), .reshape("d.weight", [3])],
            "has 'a.bias' as [5] where the model needs [4] (and 1 more)"
        ),
        ([.spoil("d.bias", .nan)], "has values that are not finite numbers in 'd.bias'"),
        ([.spoil("b.a.normalization.mean", -.infinity)], "has values that are not finite numbers in 'b.a.normalization.mean'"),
        (
            [.remove("a.bias"), .reshape("d.weight", [3, 1]), .spoil("d.bias", .infinity), .add("z")],
            "lacks 'a.bias', and has 'd.weight' as [3×1] where the model needs [3×96], "
                + "and has values that are not finite numbers in 'd.bias', and has 'z', which the model does not know"
        ),
    ] as [([Change], String?)])
    func sentences(_ changes: [Change], _ problem: String?) throws {
        let catalogue = try SampleCatalogue("classifier")
        var tensors = try Self.tensors(catalogue)
        for change in changes {
            switch change {
            case .remove(let name): tensors[name] = nil
            case .add(let name): tensors[name] = ([2], [1, 2])
            case .reshape(let name, let shape): tensors[name] = (shape, [Float](repeating: 1, count: shape.count))
            case .spoil(let name, let value):
                var scalars = try #require(tensors[name]).scalars
                scalars[scalars.count - 1] = value
                tensors[name]?.scalars = scalars
            }
        }
        try Self.write(tensors, to: catalogue.weights)
        #expect(Self.load(catalogue) == problem.map { "\(catalogue.weights): the file \($0)\(Self.remedy)" })
    }

    /// A convolution whose normalisation was folded into it before is the same model.
    @Test func foldedNormalization() throws {
        let catalogue = try SampleCatalogue("classifier")
        var tensors = try Self.tensors(catalogue)
        for name in ["scale", "shift", "mean", "variance"] { tensors["b.a.normalization.\(name)"] = nil }
        tensors["b.a.bias"] = ([4], [1, 2, 3, 4])
        try Self.write(tensors, to: catalogue.weights)
        #expect(Self.load(catalogue) == nil)
    }

    /// The file of a backbone is to blame for the backbone's tensors, in that file's names; what it has beyond the tap is fine.
    @Test func backboneInAFileOfItsOwn() throws {
        let catalogue = try SampleCatalogue("captioner-first")
        let path = catalogue.folder.file("ModelCards/captioner-first.json"), backbone = catalogue.folder.file("Weights/cnn.h5")
        let card = try String(contentsOfFile: path, encoding: .utf8).replacing(
            "\"weights\": [",
            with: "\"weights\": [{\"path\": \"../Weights/cnn.h5\", \"role\": \"cnn\", \"how_to_get\": \"The tests write it.\"}, ")
        try catalogue.folder.write("ModelCards/captioner-first.json", card)
        let all = try Self.tensors(catalogue)
        let main = all.filter { !$0.key.hasPrefix("cnn.") }
        var cnn = Tensors(
            uniqueKeysWithValues: all.filter { $0.key.hasPrefix("cnn.") }.map { (String($0.key.dropFirst(4)), $0.value) })
        cnn["fc.weight"] = ([2], [1, 2])
        try Self.write(main, to: catalogue.weights)
        try Self.write(cnn, to: backbone)
        #expect(Self.load(catalogue) == nil)

        cnn["a.weight"] = nil
        try FileManager.default.removeItem(atPath: backbone)
        try Self.write(cnn, to: backbone)
        #expect(Self.load(catalogue) == "\(backbone): the file lacks 'a.weight'\(Self.remedy)")

        try FileManager.default.removeItem(atPath: catalogue.weights)
        try Self.write(main.filter { $0.key != "lstm.bias" }, to: catalogue.weights)
        // One file at a time.
        let problem = try #require(Self.load(catalogue))
        #expect([backbone, catalogue.weights].contains { problem.hasPrefix("\($0): the file lacks '") })
        #expect(!problem.contains(", and "))
    }

    @Test func noWeights() throws {
        let catalogue = try SampleCatalogue("classifier")
        #expect(
            Self.load(catalogue)
                == "classifier: the file of weights '\(catalogue.weights)' is missing. How to get it: The tests write it.")
        try catalogue.folder.write("Weights/classifier.h5", "nothing of the kind")
        #expect(Self.load(catalogue)?.hasPrefix("\(catalogue.weights): ") == true)
    }
}
