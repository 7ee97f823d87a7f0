import ArgumentParser
import ModelKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@main
struct ZooCommand: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "zoo",
        abstract: "Runs classic CNN + RNN models that look at pictures and say something about them.",
        discussion: """
            Example:
              zoo run captioner photo.jpg

            Exit status: 0 done, 1 two files differ, 64 wrong command line, 65 bad data, 66 missing file or model, \
            69 missing library or plugin, 70 a bug of ours, 73 a file cannot be created or must not be replaced, \
            74 the output cannot be written.
            """,
        version: version,
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(name: "Models", subcommands: [RunCommand.self, ListCommand.self, ShowCommand.self]),
            CommandGroup(
                name: "Cards",
                subcommands: [CheckCommand.self, RegisterCommand.self, UnregisterCommand.self, SchemaCommand.self]),
            CommandGroup(name: "Weights", subcommands: [ConvertCommand.self, TensorsCommand.self]),
            CommandGroup(name: "Learning", subcommands: [TrainCommand.self, EvalCommand.self]),
            CommandGroup(
                name: "This machine",
                subcommands: [
                    BenchCommand.self, CacheCommand.self, PluginCommand.self, DoctorCommand.self, CompletionCommand.self,
                ]),
        ])

    static func main() {
        // Whoever started us may ignore the signal that ends a process nobody reads from any more (`zoo list | head -1`).
        signal(SIGPIPE, SIG_DFL)
        systemExit(status())
    }

    /// Runs the command line.
    private static func status() -> Int32 {
        do {
            do {
                try checkCommand(CommandLine.arguments.dropFirst().first)
                var command = try parseAsRoot()
                try command.run()
                return 0
            } catch let code as ExitCode {
                return code.rawValue
            } catch  where exitCode(for: error) == .success {
                try Console.output.write(message(for: error))  // help, the version, a completion script
                return 0
            }
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let failure = exitCode(for: error) == .validationFailure ? usageFailure(error) : Failure(error)
            Console.error.say(failure.sentence)
            return failure.status.rawValue
        }
    }

    /// The parser would call a command that does not exist an unexpected argument.
    private static func checkCommand(_ word: String?) throws {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
        let suggestion = Suggestion.nearest(to: word, in: names).map { "did you mean '\($0)'?" } ?? "see 'zoo --help'."
        throw Failure(.usage, "there is no command '\(word)'; \(suggestion)")
    }

    /// What the parser says about a wrong command line, in one line that ends with where to read on.
    private static func usageFailure(_ error: any Error) -> Failure {
        let lines = message(for: error).split(separator: "\n").map { line in line.drop { $0 == " " } }
        var sentence = ""
        for (i, line) in lines.enumerated() {
            let isItem = line.hasPrefix("- "), followsItem = i > 0 && lines[i - 1].hasPrefix("- ")
            sentence += (i == 0 ? "" : isItem && followsItem ? ", " : " ") + (isItem ? line.dropFirst(2) : line)
        }
        if let last = sentence.last, !".?!".contains(last) { sentence += "." }
        if let hint = fullMessage(for: error).split(separator: "\n").last, let start = hint.firstRange(of: "See '") {
            sentence += " " + hint[start.lowerBound...]
        }
        return Failure(.usage, sentence)
    }
}

/// `exit(3)`, whose name the commands' own method would hide.
private func systemExit(_ status: Int32) -> Never { exit(status) }
