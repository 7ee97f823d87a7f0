import Foundation
import Language
public import ModelKit
import NeuralNetworks

/// What `zoo check` found about a card.
public struct CardReport: Sendable, Hashable, Codable {
    /// The rungs of the ladder.
    public enum Level: Int, Sendable, Hashable, Codable, CaseIterable, Comparable {
        /// The text is JSON.
        case syntax = 1
        /// Keys and types are those of the schema.
        case schema
        /// The fields agree with each other and with other cards.
        case fields
        /// The files are there, with the size and the SHA-256 that the card says.
        case files
        /// The weights are those that the architecture asks for.
        case tensors
        /// The examples come out as the card says.
        case examples
        /// What a reader will miss.
        case style

        public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable { case error, warning, note }

    public struct Finding: Sendable, Hashable, Codable {
        public let level: Level
        public let severity: Severity
        /// Where in the card: `weights[0].sha256`; empty for the whole card.
        public let path: String
        public let line: Int?
        public let column: Int?
        public let message: String

        public init(_ level: Level, _ severity: Severity, place: CardError.Place? = nil, _ message: String) {
            self.level = level
            self.severity = severity
            path = place?.path ?? ""
            line = place?.line
            column = place?.column
            self.message = message
        }

        public init(_ level: Level, _ error: CardError, severity: Severity = .error) {
            self.init(level, severity, place: error.place, error.message)
        }
    }

    /// The file of the card.
    public let card: String
    public internal(set) var name: String?
    /// The highest level that was reached.
    public internal(set) var level: Level
    public internal(set) var findings: [Finding] = []

    /// No finding is an error.
    public var isSound: Bool { !findings.contains { $0.severity == .error } }
}

/// The ladder of checks that a card goes up until something is wrong that makes the next step meaningless.
public struct CardCheck: Sendable {
    /// A step that needs more than the card: findings of its own level.
    public typealias Step = @Sendable (ModelCard) -> [CardReport.Finding]

    private let catalogue: Catalogue
    private let tensors: Step?
    private let examples: Step?

    /// - Parameters:
    ///   - tensors: compares the weights with what the plugin asks for; run where all files are there.
    ///   - examples: runs the card's examples; run where the tensors are right.
    public init(_ catalogue: Catalogue, tensors: Step? = nil, examples: Step? = nil) {
        self.catalogue = catalogue
        self.tensors = tensors
        self.examples = examples
    }

    /// - Parameters:
    ///   - path: of the card.
    ///   - limit: the last level.
    public func report(on path: String, upTo limit: CardReport.Level = .style) -> CardReport {
        var report = CardReport(card: path, level: .syntax)
        do throws(CardError) {
            let document = try JSONDocument(contentsOf: path)
            guard limit >= .schema else { return report }

            report.level = .schema
            let (card, unknownKeys) = try ModelCard.decode(document, folder: CardFolder(ofCard: path))
            report.name = card.name
            report.findings += unknownKeys.map { .init(.schema, $0) }
            guard limit >= .fields else { return report }

            report.level = .fields
            report.findings += fieldFindings(card)
            guard limit >= .files else { return report }

            report.level = .files
            let (findings, allThere) = fileFindings(card)
            report.findings += findings
            climb(&report, card, allThere: allThere, limit)
        } catch {
            report.findings.append(.init(report.level, error))
        }
        return report
    }

    private func climb(_ report: inout CardReport, _ card: ModelCard, allThere: Bool, _ limit: CardReport.Level) {
        if limit >= .tensors, let tensors, allThere, report.isSound {
            report.level = .tensors
            report.findings += tensors(card)
            if limit >= .examples, let examples, report.isSound {
                report.level = .examples
                report.findings += examples(card)
            }
        }
        if limit >= .style {
            report.level = .style
            report.findings += styleFindings(card)
        }
    }

    // MARK: Level 3

    private func fieldFindings(_ card: ModelCard) -> [CardReport.Finding] {
        var findings = card.problems().map { CardReport.Finding(.fields, $0) }
        guard case .model? = card.backbone else { return findings }
        do throws(CardError) {
            let backbone = try catalogue.backbone(of: card)
            do throws(LayerError) {
                _ = try backbone.layers.summary()
            } catch {
                let place = card.place(.key("backbone"))
                findings.append(.init(.fields, .invalid(place, reason: error.description)))
            }
        } catch {
            // Another card's fault is told with its place there.
            let isOwn = error.place == nil || error.place?.file == card.document.file
            let message = isOwn ? error.message : error.description
            findings.append(.init(.fields, .error, place: isOwn ? error.place : card.place(.key("backbone")), message))
        }
        return findings
    }

    // MARK: Level 4

    private func fileFindings(_ card: ModelCard) -> (findings: [CardReport.Finding], allThere: Bool) {
        var findings: [CardReport.Finding] = []
        var allThere = true
        for (components, role, file) in card.files {
            let place = card.document.place(of: components + [.key("path")])
            do throws(CardError) {
                let path = try catalogue.locate(file, role: role, of: card)
                try verify(file, at: path)
                if file.sha256 == nil {
                    let digest = try Catalogue.digest(path)
                    let message =
                        "'\(file.path)' is there, but the card does not say its digest; "
                        + "add \"sha256\": \"\(digest)\", \"bytes\": \(FileStatus.size(path) ?? 0)."
                    findings.append(.init(.files, .note, place: place, message))
                }
            } catch {
                var severity = CardReport.Severity.error
                if case .missingFile = error {
                    allThere = false
                    if file.howToGet != nil { severity = .warning }
                }
                findings.append(.init(.files, severity, place: place, error.message))
            }
        }
        for (i, example) in card.examples.enumerated() {
            for (key, path) in [("image", example.input.image), ("video", example.input.video)] {
                guard let path, let resolved = card.folder.resolve(path), !FileStatus.isFile(resolved) else { continue }
                let place = card.place(.key("examples"), .index(i), .key("input"), .key(key))
                let missing = CardError.missingFile(card: card.name, path: resolved, role: "an example", howToGet: nil)
                findings.append(.init(.files, .error, place: place, missing.message))
            }
        }
        return (findings, allThere)
    }

    private func verify(_ file: any CardFile, at path: String) throws(CardError) {
        if let bytes = file.bytes, let size = FileStatus.size(path), bytes != size {
            throw .wrongSize(path: path, expected: bytes, found: size)
        }
        if let expected = file.sha256 {
            let found = try Catalogue.digest(path)
            guard found == expected else { throw .wrongDigest(path: path, expected: expected, found: found) }
        }
        switch file {
        case let file as ModelCard.VocabularyFile:
            let count = try wordCount(file, at: path)
            if let size = file.size, size != count { throw .wrongLength(path: path, expected: size, found: count) }
        case let file as ModelCard.AnswersFile:
            let bytes = try readFile(path, limit: JSONDocument.maximumBytes)
            let count = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.count
            if count != file.size { throw .wrongLength(path: path, expected: file.size, found: count) }
        default: break
        }
    }

    private func wordCount(_ file: ModelCard.VocabularyFile, at path: String) throws(CardError) -> Int {
        do {
            let url = URL(fileURLWithPath: path)
            return try Vocabulary(contentsOf: url, format: file.format, convention: file.convention).words.count
        } catch {
            let sentence = "\(error)".replacing(path + ": ", with: "")
            throw .unusable(path: path, reason: sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence)
        }
    }

    // MARK: Level 7

    private func styleFindings(_ card: ModelCard) -> [CardReport.Finding] {
        var findings: [CardReport.Finding] = []
        func remark(_ key: String, _ severity: CardReport.Severity, _ message: String) {
            findings.append(.init(.style, severity, place: card.place(.key(key)), message))
        }
        if card.summary.count > Self.longestSummary {
            let count = card.summary.count
            remark("summary", .warning, "the summary has \(count) characters; a list has room for \(Self.longestSummary).")
        }
        if card.summary.contains("\n") {
            remark("summary", .warning, "the summary has several lines; put the details into 'description'.")
        }
        if card.license.weights.lowercased() == "unknown" {
            remark("license", .note, "the licence of the weights is unknown; ask whoever trained them.")
        }
        if card.description == nil { remark("description", .note, "there is no 'description'.") }
        if card.training == nil { remark("training", .note, "'training' does not say what the weights were trained on.") }
        if card.origin == nil, card.papers.isEmpty {
            remark("origin", .note, "neither 'origin' nor 'papers' says where the model comes from.")
        }
        if card.parametersCount == nil {
            remark("parameters_count", .note, "'parameters_count' is missing; a list cannot show it.")
        }
        if card.considerations?.limitations?.isEmpty ?? true {
            remark("considerations", .note, "'considerations.limitations' does not say what the model cannot do.")
        }
        for (i, metric) in card.metrics.enumerated()
        where metric.provenance.kind == .measuredHere && metric.provenance.command == nil {
            let place = card.place(.key("metrics"), .index(i), .key("provenance"))
            findings.append(.init(.style, .warning, place: place, "a figure measured here should say by which 'command'."))
        }
        for (i, file) in card.weights.enumerated() where file.sha256 == nil {
            let place = card.place(.key("weights"), .index(i))
            let message = "without 'sha256' nobody can tell whether the weights are the right ones."
            findings.append(.init(.style, .note, place: place, message))
        }
        return findings
    }

    /// Characters of a line in `zoo list`.
    private static let longestSummary = 120
}
