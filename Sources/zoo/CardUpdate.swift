import Checkpoints
import Foundation
import ModelKit
import Tensors

/// Changes of a card's text that leave everything else as its author wrote it.
struct CardUpdate {
    private let card: ModelCard
    init(_ card: ModelCard) { self.card = card }

    /// Size and digest of the card's weights, vocabulary and answers.
    func recordFiles(weights path: String, parameters: Int?) throws {
        guard case .array(let entries) = JSONValue(card.document.root["weights"]!) else { return }
        let main = card.weights.firstIndex { $0.role == .main }
        let weights = try entries.enumerated().map { i, entry in i == main ? try entry.describing(path) : entry }
        try write("weights", .array(weights))
        if let vocabulary = card.vocabulary, let file = card.folder.resolve(vocabulary.path),
            let node = card.document.root["vocabulary"], FileManager.default.fileExists(atPath: file)
        {
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isNewline).count
            try write("vocabulary", JSONValue(node).describing(file).setting("size", .integer(lines)))
        }
        if let answers = card.answers, let file = card.folder.resolve(answers.path), let node = card.document.root["answers"],
            FileManager.default.fileExists(atPath: file)
        {
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isNewline).count
            try write("answers", JSONValue(node).describing(file).setting("size", .integer(lines)))
        }
    }

    /// Figures of `zoo eval`, in place of those measured before on the same split.
    /// - Parameters:
    ///   - size: how many pictures or questions the split has.
    ///   - protocol: how it was measured.
    func recordMetrics(
        _ figures: [MeasuredFigure], dataSet: String, split: String, size: Int, measuring protocol: String
    ) throws {
        var kept: [JSONValue] = []
        if let node = card.document.root["metrics"], case .array(let old) = JSONValue(node) {
            kept = old.filter { entry in
                entry["provenance"]?["kind"] != .string("measured-here") || entry["dataset"]?["id"] != .string(dataSet)
                    || entry["dataset"]?["split"] != .string(split)
            }
        }
        let date = ISO8601DateFormatter.string(from: Date(), timeZone: .gmt, formatOptions: [.withFullDate])
        let fresh = figures.map { figure in
            JSONValue.object([
                .init("name", .string(figure.name)), .init("value", .number((figure.value * 10_000).rounded() / 10_000)),
                .init("higher_is_better", .bool(true)),
                .init(
                    "dataset",
                    .object([
                        .init("id", .string(dataSet)), .init("split", .string(split)), .init("size", .integer(size)),
                    ])),
                .init("protocol", .string(`protocol`)),
                .init(
                    "provenance",
                    .object([
                        .init("kind", .string("measured-here")),
                        .init("command", .string("zoo eval \(card.name) --data \(dataSet)")),
                        .init("date", .string(date)),
                    ])),
                .init("verified", .bool(true)),
            ])
        }
        try write("metrics", .array(kept + fresh))
    }

    private func write(_ key: String, _ value: JSONValue) throws {
        // Read again: an update before this one has changed the text.
        let text = try JSONDocument(contentsOf: card.document.file).replacing(key, with: value)
        try Data(text).write(to: URL(fileURLWithPath: card.document.file), options: .atomic)
    }
}

extension JSONValue {
    fileprivate func setting(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        if let i = members.firstIndex(where: { $0.key == key }) {
            members[i] = Member(key, value)
        } else {
            members.append(Member(key, value))
        }
        return .object(members)
    }

    fileprivate func describing(_ path: String) throws -> JSONValue {
        let bytes = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
        return setting("sha256", .string(try SHA256Digest(ofFile: path).description)).setting("bytes", .integer(bytes))
    }
}
