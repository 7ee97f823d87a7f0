import Foundation
import Glibc
import Media
import Testing

/// Help, streams and terminals.
@Suite struct Streams {
    static let commands: [[String]] = [
        ["run"], ["list"], ["show"], ["check"], ["register"], ["unregister"], ["schema"], ["train"], ["eval"], ["convert"],
        ["tensors"],
        ["tensors", "ls"], ["tensors", "stat"], ["tensors", "diff"], ["bench"], ["plugin"], ["plugin", "list"], ["doctor"],
        ["completion"],
    ]

    @Test(arguments: commands) func helpHasAnExample(_ command: [String]) throws {
        let result = try Workplace().zoo(command + ["--help"])
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.contains("Example") && result.output.contains("zoo \(command[0])"))
    }

    @Test(
        arguments: [
            ([], 0, ""), (["--version"], 0, ""), (["help", "run"], 0, ""),
            (["lits"], 64, "there is no command 'lits'; did you mean 'list'?"),
            (["zzzzzz"], 64, "there is no command 'zzzzzz'; see 'zoo --help'."),
            (["--zzz"], 64, "Unknown option '--zzz'. See 'zoo --help' for more information."),
            (["show"], 64, "Missing expected argument '<model>'. See 'zoo show --help' for more information."),
            (
                ["list", "--task", "x"], 64,
                "The value 'x' is invalid for '--task <task>'. Please provide one of the following: image-captioning, "
                    + "dense-captioning, visual-question-answering, video-captioning, image-feature-extraction, "
                    + "image-classification, video-classification. See 'zoo list --help' for more information."
            ),
            (["list", "--cards", "nowhere"], 66, "nowhere: there is no such folder; check --cards."),
            (["plugin", "list", "--plugins", "nowhere"], 66, "nowhere: there is no such folder; check --plugins."),
            (
                ["check", "captioner", "--level", "8"], 64,
                "--level must be a number from 1 to 7, not 8. See 'zoo check --help' for more information."
            ),
        ] as [([String], Int32, String)])
    func commandLine(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
        let result = try Workplace().zoo(arguments)
        #expect(result.status == status)
        #expect(result.errors == (sentence.isEmpty ? "" : "zoo: \(sentence)\n"))
        #expect(result.output.isEmpty == (status != 0))
    }

    /// `zoo schema | head -1`: nobody reads, and nothing is said about it.
    @Test func closedPipe() throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let result = try Workplace().zoo(["schema"], output: pipe.fileHandleForWriting)
        #expect(result.wasKilled && result.status == SIGPIPE)
        #expect(result.errors.isEmpty)
    }

    @Test func fullDisk() throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let result = try Workplace().zoo(["schema"], output: full)
        #expect(result.status == 74)
        #expect(result.errors == "zoo: the output cannot be written: No space left on device.\n")
    }

    /// A table fits the terminal and says that it was cut; in a pipe it is whole.
    @Test(arguments: [80, 120]) func narrowTerminal(_ columns: Int) throws {
        let place = try Workplace(), terminal = try Terminal(columns: UInt16(columns))
        let result = try place.zoo(["list"], output: terminal.program)
        let lines = terminal.text().split(separator: "\r\n")
        #expect(result.status == 0)
        #expect(lines.count > 10 && lines.map(\.count).max() ?? 0 <= columns)
        #expect(lines.contains { $0.hasSuffix("…") } == (columns == 120))
        #expect(result.errors == "zoo: the table was cut to fit the terminal; widen it, or use --json.\n")
        let piped = try place.zoo("list")
        #expect(!piped.output.contains("…") && piped.errors.isEmpty)
    }

    /// On a terminal a bar that erases itself, in a pipe none.
    @Test func progress() throws {
        let place = try Workplace(), terminal = try Terminal(columns: 80)
        try TinyCaptioner().write(to: place)
        for name in ["a.png", "b.png"] { try place.write(name, TinyCaptioner.picture.pngData()) }
        let arguments = ["run", "ModelCards/tiny.json", "a.png", "b.png"]
        let result = try place.zoo(arguments, errors: terminal.program)
        let screen = terminal.text()
        #expect(result.status == 0 && result.lines.count == 2)
        #expect(screen.contains("Running tiny [") && screen.contains("1/2") && screen.hasSuffix("\r\u{1B}[K"))
        #expect(try place.zoo(arguments).errors.isEmpty)
    }

    @Test func completion() throws {
        for shell in ["bash", "zsh", "fish"] {
            let result = try Workplace().zoo("completion", shell)
            #expect(result.status == 0 && result.output.contains("zoo"))
        }
        // What the scripts ask when a name is to be completed.
        let names = try Workplace().zoo("---completion", "run", "--", "positional@0", "2", "3", "zoo", "run", "vgg")
        #expect(names.status == 0 && names.lines == ["vgg-16", "vgg-19"])
    }

    @Test func doctor() throws {
        let place = try Workplace()
        let text = try place.zoo("doctor")
        #expect(text.output.contains("FOLDER/data/zoo (user)") && text.output.contains("PROJECT (project)"))
        let json = try JSONSerialization.jsonObject(with: Data(place.zoo("doctor", "--json").output.utf8)) as? [String: Any]
        let libraries = try #require(json?["libraries"] as? [[String: Any]])
        #expect(libraries.first { $0["name"] as? String == "HDF5" }?["version"] is String)
        #expect((json?["plugins"] as? [String]) == plugins)
        #expect(text.status == ((json?["problems"] as? [String])?.isEmpty ?? false ? 0 : 69))
    }

    /// The folders under `Plugins/` are those that `Package.swift` lists and that the program has.
    private var plugins: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: Project.root + "/Plugins")) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }
}

/// A pseudo-terminal.
final class Terminal {
    private let screen: FileHandle
    /// What a program writes to.
    let program: FileHandle

    init(columns: UInt16) throws {
        // The functions of <stdlib.h> for this hide behind a macro that Swift does not define.
        let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (locked, number) = (Int32(0), Int32(0))
        try #require(
            descriptor >= 0 && ioctl(descriptor, 0x4004_5431, &locked) == 0 && ioctl(descriptor, 0x8004_5430, &number) == 0)
        screen = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let other = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(other >= 0)
        program = FileHandle(fileDescriptor: other, closeOnDealloc: true)
        var size = winsize()
        (size.ws_row, size.ws_col) = (24, columns)
        try #require(ioctl(other, UInt(TIOCSWINSZ), &size) == 0)
    }

    /// What is on the screen now.
    func text() -> String {
        _ = fcntl(screen.fileDescriptor, F_SETFL, O_NONBLOCK)
        var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(screen.fileDescriptor, &buffer, buffer.count)
            if count <= 0 { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
