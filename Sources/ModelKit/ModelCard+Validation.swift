import Media
import NeuralNetworks
import Tensors

extension ModelCard {
    /// What is wrong between the fields of the card, in the order of the fields. Files are not looked at.
    public func problems() -> [CardError] {
        var problems: [CardError] = []
        checkNames(&problems)
        checkNeeds(&problems)
        checkBackbone(&problems)
        checkFiles(&problems)
        checkFigures(&problems)
        return problems
    }

    private func checkNames(_ problems: inout [CardError]) {
        if !Self.isName(name) {
            problems.append(.malformed(place(.key("name")), found: name, expected: Self.nameRule))
        }
        let file = CardFolder.name(of: document.file)
        if file.hasSuffix(".json"), file != name + ".json" {
            problems.append(.nameDiffersFromFile(place(.key("name")), name: name, file: file))
        }
        if !Self.isVersion(version) {
            problems.append(
                .malformed(place(.key("version")), found: version, expected: "a semantic version such as 1.0.0"))
        }
        var seen: Set = [name]
        for (i, alias) in aliases.enumerated() {
            let place = place(.key("aliases"), .index(i))
            if !Self.isName(alias) { problems.append(.malformed(place, found: alias, expected: Self.nameRule)) }
            if !seen.insert(alias).inserted { problems.append(.duplicate(place, value: alias)) }
        }
        if !Self.isArchitecture(architecture) {
            problems.append(
                .malformed(
                    place(.key("architecture")), found: architecture,
                    expected: "the name of a plugin: a letter, then letters and digits"))
        }
        for (key, date) in [("created", created), ("updated", updated)] {
            if let date, !Self.isDate(date) {
                problems.append(.malformed(place(.key(key)), found: date, expected: "a date such as 2025-01-31"))
            }
        }
    }

    private func checkNeeds(_ problems: inout [CardError]) {
        for key in task.neededKeys where document.root[key] == nil {
            problems.append(.missingForTask(place(), key: key, task: task.rawValue))
        }
        if let parametersCount, parametersCount < 1 {
            problems.append(
                .malformed(place(.key("parameters_count")), found: "\(parametersCount)", expected: "a positive number"))
        }
    }

    private func checkBackbone(_ problems: inout [CardError]) {
        switch backbone {
        case .layers(let backbone):
            do throws(LayerError) {
                _ = try backbone.summary()
                // What follows the tap is not run, but a card in the zoo is sound as a whole.
                if backbone.tap != nil { _ = try NetworkSummary(backbone.layers, input: backbone.input) }
                checkInput(backbone.input, &problems)
            } catch {
                let key = if case .unknownTap = error { "tap" } else { "layers" }
                problems.append(.invalid(place(.key("backbone"), .key(key)), reason: error.description))
            }
        case .model(let other, let input, _, _):
            if let input { checkInput(input, &problems) }
            if !Self.isName(other) {
                problems.append(
                    .malformed(place(.key("backbone"), .key("model")), found: other, expected: Self.nameRule))
            } else if other == name {
                problems.append(.backboneCycle(place(.key("backbone"), .key("model")), names: [name, name]))
            }
        case nil: break
        }
    }

    private func checkInput(_ input: Shape, _ problems: inout [CardError]) {
        guard let size = preprocess?.outputSize, [size.height, size.width] != input.dimensions.dropLast() else { return }
        problems.append(
            .inputSizeDiffers(
                place(.key("preprocess")), preprocessed: [size.height, size.width], input: Array(input.dimensions.dropLast())))
    }

    private func checkFiles(_ problems: inout [CardError]) {
        var seen: Set<String> = []
        for (components, _, file) in files {
            func place(_ key: String) -> CardError.Place {
                document.place(of: components + [.key(key)])
            }
            if let problem = pathProblem(file.path, place("path")) {
                problems.append(problem)
            } else if !seen.insert(CardFolder.normalized(file.path)).inserted {
                problems.append(.duplicate(place("path"), value: file.path))
            }
            if let sha256 = file.sha256, !Self.isDigest(sha256) {
                problems.append(.malformed(place("sha256"), found: sha256, expected: "64 lower-case hexadecimal digits"))
            }
            if let bytes = file.bytes, bytes < 1 {
                problems.append(.malformed(place("bytes"), found: "\(bytes)", expected: "a positive number"))
            }
            if file.howToGet == nil, file.sha256 == nil || file.bytes == nil {
                problems.append(.unverifiable(place("path"), path: file.path))
            }
        }
        for (i, example) in examples.enumerated() {
            for (key, path) in [("image", example.input.image), ("video", example.input.video)] {
                guard let path else { continue }
                let place = place(.key("examples"), .index(i), .key("input"), .key(key))
                if let problem = pathProblem(path, place) { problems.append(problem) }
            }
        }
    }

    private func pathProblem(_ path: String, _ place: CardError.Place) -> CardError? {
        if path.hasPrefix("/") { return .absolutePath(place, path: path) }
        return folder.resolve(path) == nil ? .leavesCatalogue(place, path: path, root: folder.root) : nil
    }

    private func checkFigures(_ problems: inout [CardError]) {
        for (i, metric) in metrics.enumerated() {
            if let date = metric.provenance.date, !Self.isDate(date) {
                let place = place(.key("metrics"), .index(i), .key("provenance"), .key("date"))
                problems.append(.malformed(place, found: date, expected: "a date such as 2025-01-31"))
            }
        }
        let sizes: [(String, Int?)] = [("vocabulary", vocabulary?.size), ("answers", answers?.size)]
        for case (let key, let size?) in sizes where size < 1 {
            problems.append(
                .malformed(place(.key(key), .key("size")), found: "\(size)", expected: "a positive number"))
        }
    }

    // MARK: Forms

    private static let nameRule = "a name: small letters, digits, '.', '_' and '-', at most 64, the first a letter or digit"

    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isSmallOrDigit(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { isSmallOrDigit($0) || "._-".utf8.contains($0) }
    }

    package static func isArchitecture(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { isSmallOrDigit($0) && $0 <= UInt8(ascii: "f") }
    }

    /// `major.minor.patch` with an optional `-pre.release` and `+build`.
    static func isVersion(_ text: String) -> Bool {
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        let core = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = core[0].split(separator: ".", omittingEmptySubsequences: false)
        let isCore =
            numbers.count == 3
            && numbers.allSatisfy { number in
                1...9 ~= number.utf8.count && number.utf8.allSatisfy(isDigit) && (number.utf8.count == 1 || number.first != "0")
            }
        let identifiers = (core.dropFirst() + parts.dropFirst()).flatMap {
            $0.split(separator: ".", omittingEmptySubsequences: false)
        }
        return isCore
            && identifiers.allSatisfy { identifier in
                !identifier.isEmpty && identifier.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    static func isDate(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], parts.joined().utf8.allSatisfy(isDigit) else { return false }
        return 1...12 ~= Int(parts[1])! && 1...31 ~= Int(parts[2])!
    }

    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private static func isSmallOrDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || isDigit(byte) }
}
