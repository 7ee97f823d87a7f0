import Checkpoints
import Foundation
import Media
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Runtime
import Tensors
import Testing

/// The backbone cards against what their authors published.
@Suite struct BackboneCards {
    /// Parameters: torchvision's and Keras' own counts (`sum(p.numel() for p in model.parameters())`, without auxiliary
    /// classifiers and running statistics), for the Caffe nets the sums of their blobs. Multiply–adds: torchvision's
    /// `_ops` in units of 10⁹ to three digits, where it has the same network; MobileNet v1: 569 million of its paper.
    @Test(
        arguments: [
            ("vgg-16", 138_357_544, "pool5", [7, 7, 512], 15.470), ("vgg-19", 143_667_240, "fc7", [4096], 19.632),
            ("caffenet", 60_965_224, "pool5", [6, 6, 256], nil), ("alexnet", 60_965_224, "pool5", [6, 6, 256], nil),
            ("googlenet", 6_998_552, "pool5", [1024], nil), ("inception-v3", 23_834_568, "Mixed_7c", [8, 8, 2048], 5.713),
            ("inception-v3-slim", 23_819_401, "pool", [2048], nil), ("resnet-18", 11_689_512, "pool", [512], 1.814),
            ("resnet-50", 25_557_032, "layer4.2", [7, 7, 2048], 4.089),
            ("resnet-101", 44_549_160, "layer3.22", [14, 14, 1024], 7.801),
            ("resnet-152", 60_192_808, "pool", [2048], 11.514), ("squeezenet-1.0", 1_248_424, "fire9", [13, 13, 512], 0.819),
            ("squeezenet-1.1", 1_235_496, "fire9", [13, 13, 512], 0.349), ("mobilenet-v1", 4_231_976, "pool", [1024], 0.569),
            ("mobilenet-v2", 3_504_872, "conv_last", [7, 7, 1280], 0.301),
        ] as [(String, Int, String, [Int], Double?)])
    func published(_ name: String, _ parameters: Int, _ tap: String, _ shape: [Int], _ giga: Double?) throws {
        let card = try ModelCard(contentsOf: "\(Project.cards)/\(name).json")
        guard case .layers(let backbone)? = card.backbone else { Issue.record("no layers"); return }
        let summary = try backbone.summary()
        #expect(summary.parameters == parameters)
        #expect(card.parametersCount == parameters)
        #expect(summary.output == [card.answers?.size ?? 0])
        #expect(summary.taps.first { $0.name == tap }?.shape == Shape(shape))
        if let giga { #expect(abs(Double(summary.multiplyAdds) / 1e9 - giga) < 0.0015 * max(1, giga)) }
        #expect(card.task == .imageClassification && card.architecture == "ImageClassifier")
    }

    @Test func allAreListedHere() {
        let backbones = [
            "alexnet", "caffenet", "googlenet", "inception-v3", "inception-v3-slim", "mobilenet-v1", "mobilenet-v2", "resnet-101",
            "resnet-152", "resnet-18", "resnet-50", "squeezenet-1.0", "squeezenet-1.1", "vgg-16", "vgg-19",
        ]
        #expect(Set(backbones).isSubset(of: Set(Project.cardNames)))
    }

    /// Cards without weights say which file is missing and what to do.
    @Test(arguments: Project.cardNames)
    func sound(_ name: String) throws {
        let catalogue = Catalogue([.init(.project, root: Project.root)])
        let report = CardCheck(catalogue).report(on: "\(Project.cards)/\(name).json")
        #expect(report.findings.filter { $0.severity == .error } == [])
        #expect(report.level == .style)
    }

    private static let mobileNet = Project.sharedData + "/checkpoints/mobilenet-v2"

    private struct Reference: Decodable {
        struct Row: Decodable {
            let index: Int
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                index = try list.decode(Int.self)
                _ = try (list.decode(String.self), list.decode(Int.self))
            }
        }
        let images: [String: [Row]]
    }

    private struct Source: ParameterSource {
        let tensors: [String: CheckpointTensor]
        func contains(_ name: String) -> Bool { tensors[name] != nil }
        func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
            let tensor = try #require(tensors[name], "\(name) is missing")
            try #require(tensor.shape == shape, "\(name) is \(tensor.shape), not \(shape)")
            return try tensor.tensor(on: backend)
        }
    }

    /// The whole network with real weights in another framework's layout: the conversion rules name every tensor that the
    /// card asks for and no other, and the classes are those of the reference (LiteRT with the 8-bit weights these were made
    /// from, so probabilities differ by some points).
    @Test(.enabled(if: Project.exists(mobileNet), "the shared checkpoint is not here"))
    func mobileNetV2() throws {
        let rules = try TensorMap(
            json: String(contentsOfFile: Project.cards + "/conversions/mobilenet-v2-tflite.json", encoding: .utf8), from: "rules")
        let mapped = try rules.apply(to: Checkpoint.open(Self.mobileNet + "/mobilenet_v2_dequant_fp32.npz"))
        #expect(mapped.allSatisfy { $0.rule != nil })
        let tensors = Dictionary(uniqueKeysWithValues: mapped.map { ($0.tensor.name, $0.tensor) })

        let card = try ModelCard(contentsOf: Project.cards + "/mobilenet-v2.json")
        guard case .layers(let description)? = card.backbone, let preprocess = card.preprocess else {
            Issue.record("no layers")
            return
        }
        let backend = OpenBLAS(threads: 2)
        let store = ParameterStore(Source(tensors: tensors), on: backend)
        let backbone = try description.make(in: store.root)
        #expect(Set(store.all.map(\.name)) == Set(tensors.keys))

        func topFive(_ path: String) throws -> [(index: Int, probability: Float)] {
            let image = try preprocess(contentsOf: path)
            let y = backbone(Tensor(image.values, [1, image.height, image.width, image.channels], on: backend))
            let sorted = y.scalars.enumerated().sorted { $0.element > $1.element }.prefix(5)
            return sorted.map { ($0.offset, $0.element) }
        }
        // Against the same network in NumPy (Reference/mobilenet_v2.py).
        func compare(_ path: String, _ expected: [(Int, Float)]) throws {
            for (ours, theirs) in zip(try topFive(path), expected) {
                #expect(ours.index == theirs.0)
                #expect(abs(ours.probability - theirs.1) < 2e-4)
            }
        }
        try compare(Self.mobileNet + "/cat.jpg", [(281, 0.4109), (285, 0.2075), (282, 0.1918)])  // tabby, Egyptian cat, tiger cat
        for (name, expected) in [
            ("1000268201_693b08cb0e", [(706, 0.2564), (756, 0.0463), (860, 0.0403)]),
            ("101669240_b2d3e7f17b", [(795, 0.7273), (796, 0.0309), (792, 0.0261)]),
            ("1019604187_d087bf9a5f", [(173, 0.3798), (172, 0.0987), (180, 0.0724)]),
        ] as [(String, [(Int, Float)])] {
            let photo = "\(Project.sharedData)/flickr8k/images/\(name).jpg"
            if Project.exists(photo) { try compare(photo, expected) }
        }
        // Against LiteRT with 8-bit weights and activations, whose probabilities differ: its first class is among our five.
        let reference = try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: URL(filePath: Self.mobileNet + "/reference-top5.json")))
        let photos = Project.sharedData + "/flickr8k/images/"
        let here = reference.images.filter { Project.exists(photos + $0.key) }
        let agreeing = try here.filter { name, rows in try topFive(photos + name).contains { $0.index == rows[0].index } }
        #expect(Double(agreeing.count) >= 0.8 * Double(here.count))
    }
}
