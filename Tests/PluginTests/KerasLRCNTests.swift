import Checkpoints
import Foundation
import Media
import ModelKit
import Runtime
import Testing

/// A network that somebody trained with Keras 2.12, converted as its card says.
@Suite(.enabled(if: SharedLRCN.isHere, "needs ../shared/data/checkpoints/keras2.12-lrcn"))
struct KerasLRCN {
    private let folder: TemporaryFolder
    private let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        let cards = Project.root.appending(path: "ModelCards"), rules = "conversions/lrcn-keras.json"
        try folder.write(
            "ModelCards/lrcn-keras.json", String(contentsOf: cards.appending(path: "lrcn-keras.json"), encoding: .utf8))
        let card = try ModelCard(contentsOf: folder.file("ModelCards/lrcn-keras.json"))
        #expect(card.weights[0].howToGet?.hasSuffix("--rename ModelCards/\(rules)") == true)
        try folder.write("Weights/lrcn-keras.classes.txt", (0..<7).map { "class \($0)\n" }.joined())
        let original = try Checkpoint.open(SharedLRCN.checkpoint.path)
        let map = try TensorMap(json: String(contentsOf: cards.appending(path: rules), encoding: .utf8), from: rules)
        let report = try original.convert(to: folder.file("Weights/lrcn-keras.h5"), map: map, attributes: original.attributes)
        #expect(report.isFaithful && report.dropped.isEmpty && report.rows.allSatisfy { $0.rule != nil })
        #expect(report.rows.reduce(0) { $0 + $1.shape.reduce(1, *) } == card.parametersCount)
        let zoo = Zoo(
            catalogue: Catalogue([.init(.folder, root: folder.path)]), plugins: PluginTable(builtIn: Project.plugins),
            backend: fastestBackend(threads: 2))
        model = try zoo.load("lrcn-keras")
    }

    /// The frames of Reference/lrcn_keras.py, which need no scaling.
    private func clip(_ n: Int) -> Clip {
        Clip(
            .frames(
                (0..<25).map { t in
                    var pixels: [UInt8] = []
                    for y in 0..<64 {
                        for x in 0..<64 {
                            let (red, green) = (x * (3 + n) + t * 7, y * 5 + t * t * (n + 1))
                            pixels += [red, green, x * y + 11 * t].map { UInt8($0 % 256) }
                        }
                    }
                    return VideoFrame(index: t, time: Double(t) / 25, image: Image(width: 64, height: 64, pixels: pixels))
                }))
    }

    /// Against the same graph in NumPy, all probabilities in the order of the classes.
    @Test(
        arguments: [
            (0, [0.403968, 0.000839775, 0.0207255, 0.0196904, 0.00228341, 0.139498, 0.412995]),
            (1, [0.123542, 0.00149372, 0.0309331, 0.0140905, 0.00438566, 0.080014, 0.745541]),
        ] as [(Int, [Double])])
    func sameAsKeras(_ number: Int, _ expected: [Double]) throws {
        let prediction = try model.session(options: [.init("nbest", .integer(7))])(Request(name: "clip", clip: clip(number)))
        let said = try #require(prediction as? Recognition)
        #expect(said.alternatives.count == 7 && said.steps.count == 25)
        for alternative in said.alternatives {
            let p = expected[alternative.index]
            #expect(abs(Double(alternative.probability) - p) <= 1e-6 + 1e-4 * p, "\(alternative.text)")
        }
    }
}

/// Data that is not part of the project.
private enum SharedLRCN {
    static let checkpoint = Project.root.appending(path: "../shared/data/checkpoints/keras2.12-lrcn/LRCN_model.h5")
    static var isHere: Bool { FileManager.default.fileExists(atPath: checkpoint.path) }
}
