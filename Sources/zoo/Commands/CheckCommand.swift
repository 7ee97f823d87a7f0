import ArgumentParser
import ModelKit
import Runtime
import Synchronization

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a card step by step: syntax, schema, fields, files, tensors, examples, style.",
        discussion: """
            The steps are numbered from 1 to 7. Errors go to standard error, the rest to standard output; the exit status \
            is 65 where there is an error.

            Examples:
              zoo check ./my-captioner.json
              zoo check captioner --level 4
            """)

    @Argument(help: ArgumentHelp("A card, or the name of a model.", valueName: "card|name"), completion: .modelNames)
    var card: String
    @Option(help: ArgumentHelp("The last step, from 1 to 7.", valueName: "n"))
    var level = 7
    @Flag(help: "Write a JSON object.")
    var json = false
    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if CardReport.Level(rawValue: level) == nil {
            throw ValidationError("--level must be a number from 1 to 7, not \(level)")
        }
    }

    func run() throws {
        let catalogue = try options.catalogue()
        let path = try catalogue.cardPath(card)
        // A file that is not there is no matter of levels.
        do throws(CardError) {
            _ = try JSONDocument(contentsOf: path)
        } catch {
            if case .unreadable = error { throw error }
        }

        let zoo = try options.zoo()
        let progress = ProgressBar("Checking \(path)")
        let examined = Mutex<[CardReport.Level]>([])
        let check = CardCheck(
            catalogue,
            tensors: { card in
                examined.withLock { $0.append(.tensors) }
                return ModelExamination(card, zoo).tensors()
            },
            examples: { card in
                examined.withLock { $0.append(.examples) }
                return ModelExamination(card, zoo).examples()
            })
        let report = check.report(on: path, upTo: CardReport.Level(rawValue: level)!)
        progress.clear()
        let done = examined.withLock { $0 }
        let skipped = [CardReport.Level.tensors, .examples].filter { $0 <= report.level && !done.contains($0) }
        if json {
            guard case .object(let members) = try JSONValue(encoding: report) else { return }
            let levels = JSONValue.array(skipped.map { .integer($0.rawValue) })
            try Console.output.write(JSONValue.object(members + [.init("skippedLevels", levels)]).text())
        } else {
            try write(report, skipped: skipped)
        }
        if !report.isSound { throw ExitStatus.badData.silently }
    }

    private func write(_ report: CardReport, skipped: [CardReport.Level]) throws {
        // A later step may stumble over what an earlier one has told already.
        var told: Set<String> = []
        let findings = report.findings.filter { finding in
            finding.severity != .error || told.insert("\(finding.line ?? 0):\(finding.column ?? 0) \(finding.path)").inserted
        }
        for finding in findings {
            let place = [finding.line, finding.column].compactMap { $0.map { ":\($0)" } }.joined()
            let path = finding.path.isEmpty ? "" : " \(finding.path):"
            if finding.severity == .error {
                Console.error.say("\(report.card)\(place):\(path) \(finding.message)")
            } else {
                try Console.output.write("\(report.card)\(place): \(finding.severity.rawValue):\(path) \(finding.message)")
            }
        }
        func count(_ severity: CardReport.Severity) -> String? {
            let count = findings.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        let counts = CardReport.Severity.allCases.compactMap(count).joined(separator: ", ")
        let verdict = report.isSound ? "sound" : "not sound"
        var last = "checked up to step \(report.level.rawValue) (\(report.level))"
        if !skipped.isEmpty {
            let levels = skipped.map { "\($0)" }.joined(separator: " and ")
            last += " without \(levels), before which the rest must be right and all files here"
        }
        try Console.output.write("\(report.name ?? report.card): \(verdict)\(counts.isEmpty ? "" : ", \(counts)"); \(last).")
    }
}

/// What can be said about a model only by making it.
private struct ModelExamination {
    private let card: ModelCard
    private let zoo: Zoo

    init(_ card: ModelCard, _ zoo: Zoo) { (self.card, self.zoo) = (card, zoo) }

    /// A name would find the strongest card of that name, not this one; a bare file name would be taken for a name.
    private var path: String { card.document.file.contains("/") ? card.document.file : "./" + card.document.file }

    /// Whether the weights are those that the architecture asks for.
    func tensors() -> [CardReport.Finding] {
        do {
            _ = try zoo.load(path)
            return []
        } catch {
            return [finding(.tensors, error, place: card.place(.key("weights")))]
        }
    }

    /// Whether the card's examples come out as it says.
    func examples() -> [CardReport.Finding] {
        do {
            let model = try zoo.load(path), session = try model.session()
            return card.examples.enumerated().flatMap { i, example in
                do {
                    return try differences(session, example, place: card.place(.key("examples"), .index(i), .key("expected")))
                } catch {
                    return [finding(.examples, error, place: card.place(.key("examples"), .index(i)))]
                }
            }
        } catch {
            return [finding(.examples, error, place: card.place(.key("examples")))]
        }
    }

    private func differences(
        _ session: LoadedModel.Session, _ example: ModelCard.Example, place: CardError.Place
    ) throws -> [CardReport.Finding] {
        guard let path = example.input.image.flatMap({ card.folder.resolve($0) }) else { return [] }
        let questions = example.input.question.map { [$0] } ?? []
        let prediction = try session(Request(path, preprocessing: card.preprocess, questions: questions))
        var findings: [CardReport.Finding] = []
        if let text = example.expected.text, prediction.text != text {
            findings.append(.init(.examples, .error, place: place, "the model says '\(prediction.text)' instead of '\(text)'."))
        }
        if let expected = example.expected.logProbability {
            let found = try JSONValue(encoding: prediction)["alternatives"]?.first?["logProbability"]?.double
            let tolerance = example.tolerance ?? 1e-3
            if found.map({ !(abs($0 - expected) <= tolerance) }) ?? true {
                let text = found.map { "the log-probability is \($0)" } ?? "the model tells no log-probability"
                findings.append(.init(.examples, .error, place: place, "\(text), not \(expected) ± \(tolerance)."))
            }
        }
        return findings
    }

    private func finding(_ level: CardReport.Level, _ error: any Error, place: CardError.Place) -> CardReport.Finding {
        if let error = error as? CardError, error.place?.file == card.document.file { return .init(level, error) }
        return .init(level, .error, place: place, Failure(error).sentence)
    }
}
