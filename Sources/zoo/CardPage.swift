import ModelKit
import NeuralNetworks
import Runtime

/// A card as a person reads it.
struct CardPage {
    private let card: ModelCard
    private let catalogue: Catalogue

    init(_ card: ModelCard, in catalogue: Catalogue) { (self.card, self.catalogue) = (card, catalogue) }

    func text(width: Int) -> String {
        var page = Page(width: width)
        page.line("\(card.title) (\(card.name) \(card.version))")
        page.line(card.summary)
        if let description = card.description {
            page.line("")
            page.line(description)
        }
        page.line("")
        what(&page)
        files(&page)
        figures(&page)
        whose(&page)
        page.entry("Card", card.document.file)
        return page.lines.joined(separator: "\n")
    }

    private func what(_ page: inout Page) {
        page.entry("Task", "\(card.task.rawValue); takes \(card.task.inputs.map(\.noun).joined(separator: " and "))")
        page.entry("Also called", card.aliases.joined(separator: ", "))
        page.entry("Architecture", card.architecture)
        if let hyperparameters = card.hyperparameters { page.entry("", Self.members(JSONValue(hyperparameters))) }
        if let count = card.parametersCount { page.entry("Parameters", Figure.grouped(count)) }
        if card.backbone != nil { page.entry("Backbone", backbone) }
        if let steps = card.document.root["preprocess"], case .array(let elements) = JSONValue(steps) {
            for (i, step) in elements.enumerated() { page.entry(i == 0 ? "Picture" : "", Self.step(step)) }
        }
        if let decoding = card.decoding { page.entry("Decoding", Self.members(JSONValue(decoding))) }
    }

    private var backbone: String {
        do {
            let backbone = try catalogue.backbone(of: card), summary = try backbone.layers.summary()
            var text = backbone.card.name == card.name ? "" : "of \(backbone.card.name); "
            text += "\(backbone.layers.input) → \(backbone.layers.tap.map { "'\($0)' " } ?? "")\(summary.output); "
            return text + Self.sentence(about: summary)
        } catch {
            return Failure(error).sentence
        }
    }

    static func sentence(about summary: NetworkSummary) -> String {
        "\(Figure.grouped(summary.parameters)) parameters, \(Figure.rounded(summary.multiplyAdds)) multiplications for a picture"
    }

    private func files(_ page: inout Page) {
        for (_, role, file) in card.files {
            let title = role.hasPrefix("the ") ? role.dropFirst(4).capitalizedFirst : role.capitalizedFirst
            if let path = try? catalogue.locate(file, role: role, of: card) {
                page.entry(title, path + (file.bytes.map { " (\(Figure.bytes($0)))" } ?? ""))
            } else {
                page.entry(title, "MISSING: " + catalogue.candidates(for: file, of: card).joined(separator: " or "))
                if let howToGet = file.howToGet { page.entry("", howToGet) }
            }
        }
    }

    private func figures(_ page: inout Page) {
        // Those of one measurement stand together, below how they were measured.
        var groups: [(measurement: String, figures: [String])] = []
        for metric in card.metrics {
            var text = "on \(metric.dataset.id), \(metric.dataset.split)"
            if let size = metric.dataset.size { text += " (\(Figure.grouped(size)))" }
            text += "; \(metric.provenance.kind.rawValue)" + (metric.verified == true ? ", verified" : "")
            if let description = metric.protocolDescription { text += "; \(description)" }
            if groups.last?.measurement != text { groups.append((text, [])) }
            let value = metric.value == metric.value.rounded() ? Figure.formatted(metric.value, "%.0f") : "\(metric.value)"
            groups[groups.count - 1].figures.append("\(metric.name) \(value)" + (metric.unit.map { " " + $0 } ?? ""))
        }
        for (i, group) in groups.enumerated() {
            let title = i == 0 ? "Figures" : ""
            if group.figures.count == 1 {
                page.entry(title, group.figures[0] + " " + group.measurement)
            } else {
                page.entry(title, group.measurement.capitalizedFirst + ":")
                for figure in group.figures { page.entry("", figure) }
            }
        }
        if let training = card.training {
            let data = (training.datasets ?? []).map(\.name).joined(separator: ", ")
            let parts = [data, training.framework, training.recipe, training.notes].compactMap(\.self).filter { !$0.isEmpty }
            page.entry("Trained", parts.joined(separator: "; "))
        }
    }

    private func whose(_ page: inout Page) {
        var license = "weights \(card.license.weights)"
        if let code = card.license.code { license += ", code \(code)" }
        if let use = card.license.commercialUse { license += "; commercial use: \(use.rawValue)" }
        page.entry("Licence", license)
        if let terms = card.license.dataTerms { page.entry("", terms) }
        if let attribution = card.license.attribution { page.entry("", attribution) }
        if let origin = card.origin {
            let parts = [origin.authors?.joined(separator: ", "), origin.repository ?? origin.url].compactMap(\.self)
            page.entry("Origin", parts.joined(separator: "; "))
        }
        for (i, paper) in card.papers.enumerated() {
            let identifier = paper.arxiv.map { "arXiv:" + $0 } ?? paper.doi.map { "doi:" + $0 } ?? paper.url
            let parts = [paper.authors, paper.title, paper.year.map(String.init), identifier].compactMap(\.self)
            page.entry(i == 0 ? "Papers" : "", parts.joined(separator: ", "))
        }
        if let considerations = card.considerations {
            for (title, items) in [
                ("Good for", considerations.intendedUse), ("Not for", considerations.outOfScope),
                ("Limitations", considerations.limitations),
                ("Risks", considerations.risks?.map { $0.name + ($0.mitigation.map { ": " + $0 } ?? "") }),
                ("Languages", considerations.languages.map { [$0.joined(separator: ", ")] }),
            ] {
                for (i, item) in (items ?? []).enumerated() { page.entry(i == 0 ? title : "", item) }
            }
        }
        page.entry("Tags", card.tags.joined(separator: ", "))
    }

    /// `resize mode=shorter, size=256`
    private static func step(_ value: JSONValue) -> String {
        guard case .object(let members) = value, case .string(let operation)? = value["op"] else { return value.text }
        let rest = members.filter { $0.key != "op" }
        return rest.isEmpty ? operation : operation + ": " + Self.members(.object(rest))
    }

    private static func members(_ value: JSONValue) -> String {
        guard case .object(let members) = value else { return value.text }
        return members.map { member in
            let text = if case .string(let string) = member.value { string } else { member.value.text }
            return "\(member.key) \(text)"
        }.joined(separator: ", ")
    }
}

/// Lines in two columns, wrapped.
private struct Page {
    let width: Int
    private(set) var lines: [String] = []
    private static let margin = 14

    init(width: Int) { self.width = width }

    mutating func line(_ text: String) {
        lines += text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrapped($0, width) }
    }

    /// Nothing where there is no text.
    mutating func entry(_ title: String, _ text: String) {
        if text.isEmpty { return }
        let body = text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrapped($0, width - Self.margin) }
        for (i, line) in body.enumerated() {
            let head = i == 0 ? title : ""
            lines.append(head + String(repeating: " ", count: max(Self.margin - head.count, 1)) + line)
        }
    }

    private func wrapped(_ text: Substring, _ width: Int) -> [String] {
        var lines: [String] = [], line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [line]
    }
}

extension ModelTask.InputKind {
    fileprivate var noun: String {
        switch self {
        case .image: "a picture"
        case .text: "a question"
        case .video: "a video"
        }
    }
}

extension StringProtocol {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
