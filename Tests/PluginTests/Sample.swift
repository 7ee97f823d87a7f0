import Checkpoints
import Foundation
import Language
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Tensors
import Testing

/// A card in `Samples/`: a tiny model of an architecture. Every architecture has at least one, and with it passes or fails
/// the tests of ``EveryPlugin``.
struct Sample: Sendable, CustomTestStringConvertible {
    let name: String
    let architecture: String
    var testDescription: String { name }

    static let all: [Sample] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.sorted().map { file in
            let name = String(file.dropLast(5))
            guard let document = try? JSONDocument(contentsOf: folder.appending(path: file).path),
                let architecture = document.root["architecture"]?.string
            else { return Sample(name: name, architecture: "(the card cannot be read)") }
            return Sample(name: name, architecture: architecture)
        }
    }()

    static let folder = Project.tests.appending(path: "Samples")
}

/// Small pictures that differ from each other.
func picture(_ n: Int) -> Image {
    let width = 20, height = 16
    var pixels: [UInt8] = []
    for y in 0..<height {
        for x in 0..<width {
            pixels += [(x * 12 + n * 50) & 255, (y * 15 + n * 90) & 255, ((x + n) * (y + 2 * n) * 3) & 255].map { UInt8($0) }
        }
    }
    return Image(width: width, height: height, pixels: pixels)
}

/// A catalogue with the samples, without their weights.
struct SampleCatalogue {
    let folder: TemporaryFolder
    let card: ModelCard

    init(_ sample: Sample) throws { try self.init(sample.name) }

    init(_ name: String) throws {
        folder = try TemporaryFolder()
        let manager = FileManager.default
        for place in ["ModelCards", "Weights"] {
            try manager.createDirectory(atPath: folder.file(place), withIntermediateDirectories: true)
        }
        for file in try manager.contentsOfDirectory(atPath: Sample.folder.path) {
            let place = file.hasSuffix(".json") ? "ModelCards" : "Weights"
            try manager.copyItem(atPath: Sample.folder.appending(path: file).path, toPath: folder.file("\(place)/\(file)"))
        }
        card = try ModelCard(contentsOf: folder.file("ModelCards/\(name).json"))
    }

    var weights: String { folder.file("Weights/\(card.name).h5") }

    func zoo(on backend: any Backend) -> Zoo {
        Zoo(
            catalogue: Catalogue([.init(.folder, root: folder.path)]), plugins: PluginTable(builtIn: Project.plugins),
            backend: backend)
    }

    func plugin() throws -> Plugin { try PluginTable(builtIn: Project.plugins).plugin(named: card.architecture) }

    /// The model with fresh parameters.
    func make<M: Model>(
        _ type: M.Type, seed: UInt64 = 1, for purpose: ParameterStore.Purpose = .inference, on backend: any Backend
    ) throws -> (model: M, store: ParameterStore, assets: Assets) {
        let store = ParameterStore(FreshParameters(seed: seed), for: purpose, on: backend),
            assets = try zoo(on: backend).assets(of: card)
        let model = try M(card.hyperparameters(as: M.Hyperparameters.self), assets: assets, parameters: store.root)
        return (model, store, assets)
    }

    func request<M: Model>(_ n: Int, for type: M.Type) -> Request {
        if M.Input.parts.contains(.video) {
            // Four pictures, a quarter of a second apart.
            let frames = (0..<4).map { VideoFrame(index: $0, time: Double($0) / 4, image: picture(n + 2 * $0)) }
            return Request(name: "video \(n)", clip: Clip(.frames(frames)))
        }
        return Request(
            name: "picture \(n)", image: M.Input.parts.contains(.image) ? picture(n) : nil,
            questions: M.Input.parts.contains(.question) ? ["what is in picture \(n) ?"] : [])
    }

    /// What the model with fresh parameters says about a picture, as JSON.
    func answer<M: Model>(
        _ type: M.Type, seed: UInt64 = 1, picture n: Int, on backend: any Backend
    ) throws -> (text: String, json: String) {
        let (model, _, assets) = try make(type, seed: seed, on: backend)
        let prediction = model.decode(
            try model.forward(try M.Input(request(n, for: type), assets: assets)), try card.decoding(as: M.Decoding.self))
        return (prediction.text, try json(prediction))
    }

    /// Four pictures as the backbone sees them, and what is to be learnt of each.
    func lessons<M: TrainableModel>(_ model: M, _ assets: Assets) throws -> (pictures: [M.Observation], examples: [M.Example]) {
        let pictures = try (0..<4).map { try M.Observation(request($0, for: M.self), assets: assets) }
        let examples = try (0..<4).map { n in
            try #require(
                model.example(question: request(n, for: M.self).questions.first, target: target(n, assets)),
                "picture \(n) teaches nothing")
        }
        model.fitStatistics(to: model.encode(pictures), random: RandomSource(seed: 9))
        return (pictures, examples)
    }

    /// A label where the card has labels, else a few words of the vocabulary.
    private func target(_ n: Int, _ assets: Assets) -> String {
        if !assets.labels.isEmpty { return assets.labels[n % assets.labels.count] }
        guard let vocabulary = assets.vocabulary else { return "" }
        let special = [vocabulary.startID, vocabulary.endID, vocabulary.unknownID, vocabulary.paddingID]
        let words = vocabulary.words.indices.filter { !special.contains($0) }.map { vocabulary.words[$0] }
        return (0..<2 + n % 3).map { words[(3 * n + 2 * $0 * $0) % words.count] }.joined(separator: " ")
    }
}

/// A prediction as programs see it.
func json(_ prediction: any Prediction) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(prediction), as: UTF8.self)
}

/// Where two JSON texts differ by more than rounding; nil if nowhere.
func difference(_ a: String, _ b: String) throws -> String? {
    func compare(_ a: JSONValue, _ b: JSONValue, _ place: String) -> String? {
        switch (a, b) {
        case (.array(let x), .array(let y)) where x.count == y.count:
            return x.indices.lazy.compactMap { compare(x[$0], y[$0], "\(place)[\($0)]") }.first
        case (.object(let x), .object(let y)) where x.map(\.key) == y.map(\.key):
            return x.indices.lazy.compactMap { compare(x[$0].value, y[$0].value, "\(place).\(x[$0].key)") }.first
        default:
            if let x = number(a), let y = number(b) {
                return abs(x - y) <= 1e-4 * max(1, abs(x)) ? nil : "\(place): \(x) and \(y)"
            }
            return a == b ? nil : "\(place): \(a.text) and \(b.text)"
        }
    }
    func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }
    func parsed(_ text: String) throws -> JSONValue { JSONValue(try JSONDocument(text, file: "prediction").root) }
    return compare(try parsed(a), try parsed(b), "")
}
