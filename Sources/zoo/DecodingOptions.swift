import ArgumentParser
import Foundation
import ModelKit

/// How an answer is chosen: members that replace those of the card's `decoding`.
struct DecodingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Beam search with this width.", valueName: "width"))
    var beam: Int?
    @Option(
        name: [.long, .customLong("top")],
        help: ArgumentHelp("Tell the best n answers, each with its probability (of a sentence, the logarithm).", valueName: "n"))
    var nbest: Int?
    @Option(
        help: ArgumentHelp(
            "Only these answers to a question, separated by commas. Can be given several times.", valueName: "a,b"))
    var choices: [String] = []
    @Option(help: ArgumentHelp("Say \"I do not know\" where the best answer is less probable than this.", valueName: "p"))
    var minConfidence: Double?
    @Flag(help: "Draw the words by chance instead of taking the most probable.")
    var sample = false
    @Option(help: ArgumentHelp("How daring chance is: below 1 less, above 1 more.", valueName: "t"))
    var temperature: Double?
    @Option(help: ArgumentHelp("The same number, the same chance.", valueName: "n"))
    var seed: Int?
    @Option(help: ArgumentHelp("The most words of an answer.", valueName: "words"))
    var maxLength: Int?
    @Option(help: ArgumentHelp("Any member of the card's 'decoding'. Can be given several times.", valueName: "key=value"))
    var set: [String] = []

    func validate() throws {
        if sample, beam != nil { throw ValidationError("--sample and --beam exclude each other; leave one out") }
        for setting in set where setting.split(separator: "=", maxSplits: 1).count < 2 || setting.hasPrefix("=") {
            throw ValidationError("--set \(setting): write key=value, as in --set max_length=12")
        }
    }

    /// Members for the `decoding` of a card.
    func members(for card: ModelCard) throws -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let beam { members.append(.init("beam", .integer(beam))) }
        // The best of a picture's regions are told, each with one phrase.
        if let nbest { members.append(.init(card.task == .denseCaptioning ? "top" : "nbest", .integer(nbest))) }
        if !choices.isEmpty {
            let texts = choices.flatMap { $0.split(separator: ",") }.map { $0.trimmingCharacters(in: .whitespaces) }
            members.append(.init("choices", .array(texts.filter { !$0.isEmpty }.map { .string($0) })))
        }
        if let minConfidence { members.append(.init("min_confidence", .number(minConfidence))) }
        if let temperature { members.append(.init("temperature", .number(temperature))) }
        if let seed { members.append(.init("seed", .integer(seed))) }
        if let maxLength { members.append(.init("max_length", .integer(maxLength))) }
        members += set.map { setting in
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            // A number, a truth value or anything else that is JSON; other words are texts.
            let value = (try? JSONDocument(parts[1], file: "")).map { JSONValue($0.root) } ?? .string(parts[1])
            return JSONValue.Member(parts[0], value)
        }
        if sample {
            members.append(.init("method", .string("sample")))
        } else if beam != nil, let method = card.decoding?["method"], JSONValue(method) != .string("beam") {
            // The card chooses words otherwise by default.
            members.append(.init("method", .string("beam")))
        }
        var keys: Set<String> = []
        for member in members where !keys.insert(member.key).inserted {
            throw Failure(.usage, "the option '\(member.key)' is given twice; leave one out")
        }
        return members
    }

    /// Which of its two names the user gave it.
    private var nbestOption: String {
        CommandLine.arguments.contains { $0 == "--top" || $0.hasPrefix("--top=") } ? "--top" : "--nbest"
    }

    /// What is wrong with an option, told by the name it has on the command line; errors in the card itself stay as they are.
    func failure(_ error: CardError, _ card: ModelCard) -> Failure {
        guard let place = error.place, place.file == "<options>" else { return Failure(error) }
        let key = String(place.path.prefix { $0 != "." && $0 != "[" })
        let given = set.first { $0.hasPrefix(key + "=") }.map { "--set \($0)" }
        let option =
            switch key {
            case _ where given != nil: given!
            case "method" where sample: "--sample"
            case "nbest", "top": nbestOption
            default: "--" + key.replacing("_", with: "-")
            }
        if case .unknownKey(_, let suggestion) = error {
            return Failure(
                .usage,
                "\(option): \(card.name) has no such option"
                    + (suggestion.map { "; did you mean --set \($0)=…?" } ?? "; leave it out"))
        }
        return Failure(.usage, "\(option): \(error.message)")
    }
}
