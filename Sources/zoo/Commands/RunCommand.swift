import ArgumentParser
import ModelKit
import Runtime

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a model on pictures and prints what it says.",
        discussion: """
            Inputs are files, folders (all pictures in them) and '-' for paths from standard input, one a line. The model is \
            loaded once. An input that cannot be read is reported in its place and does not stop the others; the exit \
            status is 65 then.

            Examples:
              zoo run captioner photo.jpg
              zoo run captioner holidays/ --beam 5 --nbest 3
              find . -name '*.jpg' | zoo run captioner - --json
            """)

    @Argument(help: "The model: its name, an alias, or the path of its card.", completion: .modelNames)
    var model: String
    @Argument(help: ArgumentHelp("Files, folders, or '-'.", valueName: "input"), completion: .file())
    var inputs: [String]
    @Option(name: [.short, .long], help: "What a model that answers questions is asked about every picture.")
    var question: String?
    @Flag(name: [.short, .long], help: "Look for pictures in the folders inside of folders too.")
    var recursive = false
    @OptionGroup(title: "Choosing the answer (the card has the defaults)")
    var decoding: DecodingOptions
    @Flag(help: "Write one JSON object a line for every input.")
    var json = false
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let zoo = try options.zoo()
        let loaded = try zoo.load(model)
        let card = loaded.card
        for note in loaded.notes { Console.error.say(note) }
        if question != nil, !loaded.parts.contains(.question) {
            throw Failure(.usage, "\(card.name) takes no question; leave --question out")
        }
        if question == nil, loaded.parts.contains(.question) {
            throw Failure(.usage, "\(card.name) answers questions; ask one with --question \"…\"")
        }
        let session: LoadedModel.Session
        do { session = try loaded.session(options: decoding.members(for: card)) } catch let error as CardError {
            throw decoding.failure(error, card)
        }

        let inputs = InputFiles(inputs, recursive: recursive)
        let progress = ProgressBar("Running \(card.name)", total: inputs.count == 1 ? nil : inputs.count)
        var statuses: [ExitStatus?] = []
        try inputs.forEach { input in
            let result = Result { try answer(input, session, card) }
            progress.clear()
            if case .failure(let error) = result {
                let failure = Failure(error)
                statuses.append(failure.status)
                if !json { Console.error.say(failure.sentence) }
            } else {
                statuses.append(nil)
            }
            try write(result, for: input.path, named: !inputs.isSingleFile, card)
            progress.advance(CardFolder.name(of: input.path))
        }
        progress.clear()
        // One fault that all inputs share is told as what it is.
        guard let failed = statuses.compactMap(\.self).first else { return }
        throw (statuses.allSatisfy { $0 == failed } ? failed : .badData).silently
    }

    private func answer(_ input: InputFiles.Input, _ session: LoadedModel.Session, _ card: ModelCard) throws -> any Prediction {
        switch input {
        case .problem(_, let failure): throw failure
        case .file(let path):
            return try session(Request(path, preprocessing: card.preprocess, question: question))
        }
    }

    private func write(_ result: Result<any Prediction, any Error>, for path: String, named: Bool, _ card: ModelCard) throws {
        if json {
            var members: [JSONValue.Member] = [.init("model", .string(card.name)), .init("input", .string(path))]
            switch result {
            case .success(let prediction):
                members.append(.init("text", .string(prediction.text)))
                members += try Self.members(prediction).filter { member in !["model", "input", "text"].contains(member.key) }
            case .failure(let error): members.append(.init("error", .string(Failure(error).sentence)))
            }
            return try Console.output.write(JSONValue.object(members).text)
        }
        guard case .success(let prediction) = result else { return }
        let alternatives = decoding.nbest == nil ? [] : try Self.alternatives(prediction)
        if alternatives.isEmpty {
            try Console.output.write(named ? "\(path): \(prediction.text)" : prediction.text)
        } else {
            let lines = alternatives.map { (named ? "  " : "") + $0 }
            try Console.output.write(((named ? ["\(path):"] : []) + lines).joined(separator: "\n"))
        }
    }

    private static func members(_ prediction: any Prediction) throws -> [JSONValue.Member] {
        guard case .object(let members) = try JSONValue(encoding: prediction) else { return [] }
        return members
    }

    /// The alternatives of a prediction that has any, each behind its probability.
    private static func alternatives(_ prediction: any Prediction) throws -> [String] {
        guard case .array(let alternatives)? = try members(prediction).first(where: { $0.key == "alternatives" })?.value else {
            return []
        }
        return alternatives.compactMap { alternative in
            guard case .string(let text)? = alternative["text"] else { return nil }
            for key in ["logProbability", "probability"] {
                if let number = alternative[key]?.double { return padded(Figure.formatted(number, "%.4f")) + "  " + text }
            }
            return text
        }
    }

    private static func padded(_ number: String) -> String { String(repeating: " ", count: max(0, 9 - number.count)) + number }
}
