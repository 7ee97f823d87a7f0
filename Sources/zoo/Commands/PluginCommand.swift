import ArgumentParser
import ModelKit
import Runtime

struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Lists the architectures that can be run, and builds further ones.",
        discussion: """
            Examples:
              zoo plugin list --plugins ./plugins
              zoo plugin build MyModel --output ./plugins
            """,
        subcommands: [PluginListCommand.self, PluginBuildCommand.self])
}

struct PluginBuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Compiles a folder of Swift files to a plugin.",
        discussion: """
            The plugin is called like the folder, and a card whose 'architecture' is that name runs with it. The files may
            import Tensors, NeuralNetworks, Media, Language and ModelKit; one of them exports a function as
            zoo_plugin_NAME. The library uses this program's own copy of these modules, so it has to be built again for
            every other version of zoo. Needs the Swift toolchain that zoo was built with.

            Example:
              zoo plugin build MyModel --output ./plugins
              zoo run my-model photo.jpg --plugins ./plugins --cards ./cards
            """)

    @Argument(help: ArgumentHelp("The folder with the Swift files.", valueName: "folder"), completion: .directory)
    var folder: String
    @Option(
        help: ArgumentHelp("The folder to put lib….so into; it is made where it is missing.", valueName: "dir"),
        completion: .directory)
    var output = "."

    func run() throws {
        guard let build = PluginBuild(executable: GlobalOptions.executable) else {
            throw Failure(
                .unavailable,
                "the modules of the core are neither beside \(GlobalOptions.executable) nor in ../lib/zoo/Modules; "
                    + "build zoo from its sources, or install it again"
            )
        }
        let progress = ProgressBar("Compiling \(folder)")
        let result = Result { try build(folder, output: output) }
        progress.clear()
        let path = try result.get()
        // A symbol that this program lacks is found out now and not when the model is first run.
        _ = try PluginTable(builtIn: [], folders: []).load(path)
        try Console.output.write(path)
    }
}

struct PluginListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the plugins: those built in and those in the folders of --plugins.",
        discussion: """
            Example:
              zoo plugin list --plugins ./plugins
            """)

    @Flag(help: "Write a JSON array of objects.")
    var json = false
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let entries = try options.pluginTable().entries()
        if json {
            try Console.output.write(JSONValue.array(entries.map(\.json)).text())
        } else {
            var table = Table([.init("NAME"), .init("FROM", cutsTo: 20), .init("REFERENCE", cutsTo: 20)])
            for entry in entries {
                guard case .success(let plugin) = entry.result else { continue }
                table.add([entry.name, entry.path ?? "built in", plugin.reference])
            }
            try table.write()
        }
        var status: ExitStatus?
        for entry in entries {
            guard case .failure(let error) = entry.result else { continue }
            let failure = Failure(error)
            status = failure.status
            if !json { Console.error.say(failure.sentence) }
        }
        if let status { throw status.silently }
    }
}

extension PluginTable.Entry {
    fileprivate var json: JSONValue {
        let path = JSONValue.Member("path", path.map(JSONValue.string) ?? .null)
        switch result {
        case .success(let plugin):
            return .object([.init("name", .string(name)), path, .init("reference", .string(plugin.reference))])
        case .failure(let error):
            return .object([.init("name", .string(name)), path, .init("error", .string(Failure(error).sentence))])
        }
    }
}
