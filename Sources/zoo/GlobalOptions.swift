import ArgumentParser
import COpenBLAS
import Foundation
import ModelKit
import OpenBLASBackend
import OpenBLASBackendAVX2
import OpenBLASBackendAVX512
import Runtime
import Tensors

/// What every command can be told about where models are and how they run.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Look for cards in this folder too, before all others. Can be given several times.", valueName: "dir"),
        completion: .directory)
    var cards: [String] = []

    @Option(
        help: ArgumentHelp("Look for plugins (lib….so) in this folder too. Can be given several times.", valueName: "dir"),
        completion: .directory)
    var plugins: [String] = []

    @Option(help: ArgumentHelp("How many threads compute (default: as many as the machine has cores).", valueName: "n"))
    var threads: Int?

    @Flag(help: "Neither take packed weights from an earlier run nor leave any for the next.")
    var noCache = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be a number from 1 to 1024, not \(threads)")
        }
    }

    /// - Throws: ``Failure`` where `--cards` names something that is no folder.
    func catalogue() throws -> Catalogue {
        for folder in cards { try Self.checkFolder(folder, option: "--cards") }
        return Self.catalogue(folders: cards)
    }

    func pluginTable() throws -> PluginTable {
        for folder in plugins { try Self.checkFolder(folder, option: "--plugins") }
        return PluginTable(builtIn: Self.builtInPlugins, folders: plugins)
    }

    func zoo() throws -> Zoo {
        try Zoo(
            catalogue: catalogue(), plugins: pluginTable(), backend: Self.backend(threads: threadCount),
            packing: noCache ? nil : packing)
    }

    /// Where packed weights are kept from run to run.
    var packing: PackingFolder? {
        PackingFolder(
            environment: Self.environment(["XDG_CACHE_HOME", "HOME"]), instructionSet: Machine().compiledFor, threads: threadCount
        )
    }

    /// The fastest build of the backend that this processor can run.
    static func backend(threads: Int) -> any Backend {
        if zoo_cpu_has_avx512() != 0 { return OpenBLASBackendAVX512.OpenBLAS(threads: threads) }
        if zoo_cpu_has_avx2_and_fma() != 0 { return OpenBLASBackendAVX2.OpenBLAS(threads: threads) }
        return OpenBLASBackend.OpenBLAS(threads: threads)
    }

    var threadCount: Int { threads ?? Machine.physicalCores }

    /// The folders under `Plugins/`, as `Package.swift` lists them.
    static var builtInPlugins: [String] {
        [
            "Captioner", "DenseCap", "DynamicParameterVQA", "FisherVQA", "FusionVQA", "ImageClassifier", "StackedAttentionVQA",
            "VideoLSTM",
        ]
    }

    static func catalogue(folders: [String]) -> Catalogue {
        Catalogue(
            environment: environment(["XDG_DATA_HOME", "HOME"]), executable: executable, currentDirectory: currentFolder,
            folders: folders)
    }

    private static func environment(_ names: [String]) -> [String: String] {
        var environment: [String: String] = [:]
        for name in names { environment[name] = getenv(name).map { String(cString: $0) } }
        return environment
    }

    /// The path of this program, links followed.
    static var executable: String {
        CardFolder.absolute("/proc/self/exe") ?? CardFolder.absolute(CommandLine.arguments[0]) ?? CommandLine.arguments[0]
    }

    static var currentFolder: String { CardFolder.absolute(".") ?? "/" }

    private static func checkFolder(_ path: String, option: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure(.missingInput, "\(path): there is no such folder; check \(option)") }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(.missingInput, "\(path): is a file, not a folder; give \(option) the folder that it lies in")
        }
    }
}

extension CompletionKind {
    /// The names of the models, those in folders of `--cards` among them.
    static var modelNames: CompletionKind {
        .custom { (words: [String], _: Int, prefix: String) in
            let folders = zip(words, words.dropFirst()).filter { $0.0 == "--cards" }.map(\.1)
            return GlobalOptions.catalogue(folders: folders).names.filter { $0.hasPrefix(prefix) }
        }
    }
}
