import Foundation

/// What became of a process.
struct Outcome {
    let status: Int32
    /// Ended by a signal, whose number `status` is then.
    let wasKilled: Bool
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// A folder to run the built program in, removed at the end of the test. The user's catalogue is in it.
final class Workplace {
    let path: String

    init() throws {
        let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = parent + "/zoo-command-line-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Beside the test bundle.
    private static var executable: URL {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("zoo")
    }

    /// Runs the program.
    ///
    /// - Parameters:
    ///   - input: what it reads from standard input.
    ///   - output: where its standard output goes instead of into the outcome.
    ///   - errors: where its standard error goes instead of into the outcome.
    ///   - environment: variables besides the usual ones.
    /// - Returns: texts with `FOLDER` and `PROJECT` in the place of this folder's path and the project's.
    func zoo(
        _ arguments: [String], input: String = "", output: FileHandle? = nil, errors: FileHandle? = nil,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        let scratch = path + "/.process-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        // Files instead of pipes: nobody has to empty them while the process runs.
        func file(_ name: String, _ content: String = "") throws -> FileHandle {
            let url = URL(fileURLWithPath: scratch + "/" + name)
            try Data(content.utf8).write(to: url)
            return try FileHandle(forUpdating: url)
        }
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        process.environment = [
            "HOME": path, "XDG_DATA_HOME": path + "/data", "XDG_CACHE_HOME": path + "/cache", "PATH": "/usr/bin:/bin",
        ]
        .merging(environment) { $1 }
        process.standardInput = try file("input", input)
        process.standardOutput = try output ?? file("output")
        process.standardError = try errors ?? file("errors")
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) -> String {
            let text = (try? String(contentsOfFile: scratch + "/" + name, encoding: .utf8)) ?? ""
            return text.replacingOccurrences(of: path, with: "FOLDER").replacingOccurrences(of: Project.root, with: "PROJECT")
        }
        return Outcome(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal, output: text("output"),
            errors: text("errors"))
    }

    func zoo(_ arguments: String...) throws -> Outcome { try zoo(arguments) }

    /// Writes a file; its folder is made.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }
    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))) }
}

enum Project {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().resolvingSymlinksInPath().path
}
