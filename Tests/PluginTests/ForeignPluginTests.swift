import Checkpoints
import Foundation
import Media
import ModelKit
import OpenBLASBackend
import Runtime
import Tensors
import Testing

/// A plugin outside of the project: compiled, loaded and run, by this process and by the command line, and every library
/// that is refused.
@Suite(.serialized, .enabled(if: Toolchain.isComplete, "the compiler, the core's modules or its symbols are missing"))
struct ForeignPlugins {
    // MARK: What works

    @Test func loads() throws {
        let foreign = try Foreign()
        let plugin = try foreign.table.plugin(named: "Foreign")
        #expect(plugin.name == "Foreign")
        #expect(plugin.reference == "an example")
        // A plugin with a core of its own would not conform to this process's protocol.
        #expect(plugin.model is any TrainableModel.Type)
        let entries = foreign.table.entries()
        #expect(entries.map(\.name) == Project.plugins + ["Foreign"])
        #expect(entries.last?.path == foreign.library)
    }

    @Test func runs() throws {
        let foreign = try Foreign()
        try foreign.writeWeights()
        let model = try foreign.zoo.load("foreign"), session = try model.session()
        #expect(model.parts == [.image])
        for (shade, text) in [(UInt8(20), "dark"), (230, "bright")] {
            let prediction = try session(
                Request(name: text, image: Image(width: 9, height: 7, color: Color(shade, shade, shade))))
            #expect(prediction.text == text)
            let fields = try #require(try JSONSerialization.jsonObject(with: Data(json(prediction).utf8)) as? [String: Any])
            let probability = fields["probability"]
            // Both logits are the mean of three scaled shades, with opposite signs, twice as large by the temperature.
            let mean = abs(Double(shade) - 127.5) / 127.5
            #expect(abs((probability as? Double ?? 0) - 1 / (1 + exp(-4 * mean))) < 1e-5)
        }
    }

    /// Errors of the core that the plugin throws are caught as what they are, and so are the core's about the plugin.
    @Test func errorsCrossTheBorder() throws {
        let foreign = try Foreign()
        try foreign.writeWeights()
        let path = foreign.catalogue.file("ModelCards/foreign.json"), card = try String(contentsOfFile: path, encoding: .utf8)
        try foreign.catalogue.write("ModelCards/foreign.json", card.replacing(/\ +"answers".*\n/, with: ""))
        do {
            _ = try foreign.zoo.load("foreign")
            Issue.record("a model without labels")
        } catch let error as InputError {
            #expect(error.description == "the card has no 'answers', which this model needs")
        }
        try foreign.catalogue.write("ModelCards/foreign.json", card.replacing("temperature", with: "temprature"))
        do {
            _ = try foreign.zoo.load("foreign")
            Issue.record("an unknown hyper-parameter")
        } catch let error as CardError {
            #expect(error.description == "\(path):9:23: hyperparameters.temprature: unknown key; did you mean 'temperature'?")
        }
        try foreign.catalogue.write("ModelCards/foreign.json", card)
        do {
            _ = try foreign.zoo.load("foreign").session()(Request(name: "nothing"))
            Issue.record("a request without a picture")
        } catch let error as InputError {
            #expect(error.description == "nothing: this model needs a picture: name an image file")
        }
    }

    @Test(.enabled(if: Toolchain.zoo != nil, "the program 'zoo' is not built")) func commandLine() throws {
        let foreign = try Foreign()
        try foreign.writeWeights()
        let plugins = foreign.catalogue.file("plugins"), picture = foreign.catalogue.file("night.png")
        try Image(width: 12, height: 10, color: Color(10, 20, 30)).write(to: picture)
        let source = Project.tests.appending(path: "ForeignPlugin/Foreign").path
        #expect(try Toolchain.zoo(["plugin", "build", source, "--output", plugins]) == .init(0, "\(plugins)/libForeign.so\n", ""))
        let list = try Toolchain.zoo(["plugin", "list", "--plugins", plugins])
        #expect(list.status == 0 && list.output.contains("\(plugins)/libForeign.so") && list.output.contains("an example"))
        let options = ["--plugins", plugins, "--cards", foreign.catalogue.path]
        #expect(try Toolchain.zoo(["run", "foreign", picture] + options) == .init(0, "dark\n", ""))
        // Without the folder the architecture is unknown.
        let unknown = try Toolchain.zoo(["run", "foreign", picture, "--cards", foreign.catalogue.path])
        #expect(unknown.status == 69)
        #expect(
            unknown.error
                == "zoo: no plugin for the architecture 'Foreign': built in are \(Project.plugins.joined(separator: ", ")), "
                + "and no plugin folder was named: add --plugins DIR.\n")
    }

    // MARK: What does not compile

    @Test func sourcesThatDoNotBuild() throws {
        let build = try Toolchain.build(), folder = try TemporaryFolder(), output = folder.file("out")
        func sentence(_ name: String, _ source: String?) throws -> String? {
            let path = folder.file(name)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            if let source { try folder.write("\(name)/\(name).swift", source) }
            return PluginTests.sentence { _ = try build(path, output: output) }
        }
        #expect(try sentence("Empty", nil) == "\(folder.file("Empty")): there are no Swift files to build a plugin from")
        let wrong = try #require(try sentence("Wrong", "import ModelKit\nlet x: Int = \"text\"\n"))
        #expect(wrong.hasPrefix("\(folder.file("Wrong")): the plugin does not compile:\n"))
        #expect(wrong.contains("Wrong.swift:2:14: error: cannot convert value of type 'String' to specified type 'Int'"))
        #expect(
            try sentence("Silent", "public let x = 1\n")
                == "\(folder.file("Silent")): the plugin does not compile:\nno function is exported as zoo_plugin_Silent: "
                + "see the end of a plugin of the zoo"
        )
        #expect(
            try sentence("my-plugin", "public let x = 1\n")
                == "\(folder.file("my-plugin")): the plugin does not compile:\n"
                + "a plugin is called like its folder, and 'my-plugin' is no letter followed by letters and digits")
        #expect((try? FileManager.default.contentsOfDirectory(atPath: output)) ?? [] == [])
    }

    // MARK: What is refused

    /// The sentence for `lib<name>.so` in a folder.
    private func refusal(_ folder: TemporaryFolder, _ name: String) -> String? {
        sentence { _ = try PluginTable(builtIn: ["A"], folders: [folder.path]).plugin(named: name) }
    }

    @Test func noPlugin() throws {
        let foreign = try Foreign(), folder = try TemporaryFolder()
        let library = try Data(contentsOf: URL(fileURLWithPath: foreign.library))
        #expect(
            refusal(folder, "Nothing")
                == "no plugin for the architecture 'Nothing': built in are A, and there is no libNothing.so in \(folder.path)")
        // A plugin under another name.
        try library.write(to: URL(fileURLWithPath: folder.file("libOther.so")))
        #expect(
            refusal(folder, "Other")
                == "\(folder.file("libOther.so")): the library has no function zoo_plugin_Other, "
                + "so it is no plugin of this zoo: build it with 'zoo plugin build'"
        )
        let noLibrary = "the plugin cannot be loaded (it is no 64-bit ELF library): build it again with 'zoo plugin build'"
        try folder.write("libText.so", "This is no library.\n")
        #expect(refusal(folder, "Text") == "\(folder.file("libText.so")): \(noLibrary)")
        try folder.write("libNone.so", "")
        #expect(refusal(folder, "None") == "\(folder.file("libNone.so")): \(noLibrary)")
        // A folder of that name is not even looked at.
        try FileManager.default.createDirectory(atPath: folder.file("libFolder.so"), withIntermediateDirectories: true)
        #expect(refusal(folder, "Folder")?.hasPrefix("no plugin for the architecture 'Folder'") == true)
        // All of them are in the list.
        let entries = PluginTable(builtIn: [], folders: [folder.path]).entries()
        #expect(entries.map(\.name) == ["Folder", "None", "Other", "Text"])
        #expect(entries.allSatisfy { (try? $0.result.get()) == nil })
    }

    /// However a library is cut off or damaged, it is refused or loaded, and nothing worse.
    @Test func damagedLibraries() throws {
        let foreign = try Foreign(), folder = try TemporaryFolder()
        let library = try Data(contentsOf: URL(fileURLWithPath: foreign.library)), path = folder.file("libForeign.so")
        for count in stride(from: 0, to: library.count, by: library.count / 97) {
            try library.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(
                refusal(folder, "Foreign")
                    == "\(path): the plugin cannot be loaded (it is no 64-bit ELF library): "
                    + "build it again with 'zoo plugin build'"
            )
        }
        // Every byte of the header but the ones that only the loader reads, and the table of sections. The name that is looked
        // for is missing, so that nothing damaged is ever loaded.
        let sections = library.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 0x28, as: UInt64.self)) }
        for place in Array(0..<64) + Array(stride(from: sections, to: library.count, by: 3)) {
            for value in [UInt8(0), 0x7F, 0xFF] {
                var damaged = library
                damaged[place] = value
                try damaged.write(to: URL(fileURLWithPath: folder.file("libOther.so")))
                #expect(refusal(folder, "Other") != nil)
            }
        }
    }

    @Test func otherVersion() throws {
        let foreign = try Foreign(), folder = try TemporaryFolder(), path = folder.file("libForeign.so")
        var library = try Data(contentsOf: URL(fileURLWithPath: foreign.library))
        // As if it had been built by a zoo with another interface.
        let name = try #require(library.range(of: Data("zoo_plugin_interface_\(Plugin.apiVersion)_swift_".utf8)))
        library[name.lowerBound + "zoo_plugin_interface_".count] = UInt8(ascii: "9")
        try library.write(to: URL(fileURLWithPath: path))
        let ours = PluginTable.version, theirs = ours.replacing("interface \(Plugin.apiVersion)", with: "interface 9")
        #expect(ours.wholeMatch(of: /zoo plugin interface \d+, Swift \d+\.\d+/) != nil)
        #expect(
            refusal(folder, "Foreign")
                == "\(path): the plugin was built for \(theirs) and this is \(ours): build it again with 'zoo plugin build'")
        // And by none.
        library[name.lowerBound] = UInt8(ascii: "Z")
        try library.write(to: URL(fileURLWithPath: path))
        #expect(
            refusal(folder, "Foreign")
                == "\(path): the library has no function \(PluginTable.handshake), so it is no plugin of this zoo: "
                + "build it with 'zoo plugin build'"
        )
    }

    /// The core's objects linked into the library, openly and hidden.
    @Test(.enabled(if: !Toolchain.coreObjects.isEmpty, "the core's object files are missing")) func ownCore() throws {
        let folder = try TemporaryFolder(), path = folder.file("libOwn.so")
        let source = try Project.text("Tests/PluginTests/ForeignPlugin/Foreign/Foreign.swift").replacing("Foreign", with: "Own")
        let sources = [
            try folder.write("Own.swift", source),
            try folder.write("Handshake.swift", "@c(\(PluginTable.handshake)) public func zooPluginInterface() {}\n"),
        ]
        let map = try folder.write("module.modulemap", "module CFFmpeg {}\nmodule CPNG {}\nmodule CTurboJPEG {}\n")
        let script = try folder.write("exports", "{ global: zoo_plugin_*; local: *; };\n")
        for (options, module) in [([], "Tensors"), (["-Xlinker", "--version-script=\(script)"], "ModelKit")] {
            let result = try Toolchain.run(
                [
                    "swiftc", "-swift-version", "6", "-parse-as-library", "-wmo", "-emit-library", "-module-name", "Own", "-I",
                    Toolchain.build().modules,
                ]
                    + ["-Xcc", "-fmodule-map-file=\(map)", "-o", path] + options + sources + Toolchain.coreObjects)
            try #require(result.status == 0, "\(result.error)")
            #expect(
                refusal(folder, "Own")
                    == "\(path): the plugin carries its own copy of \(module), with which results would be lost silently: "
                    + "build it with 'zoo plugin build', which leaves the core to the host")
        }
    }
}

/// The example, built once for each test that needs it, with its card.
private struct Foreign {
    let catalogue: TemporaryFolder
    let library: String

    init() throws {
        catalogue = try TemporaryFolder()
        for place in ["ModelCards", "Weights"] {
            try FileManager.default.copyItem(
                atPath: Project.tests.appending(path: "ForeignPlugin/\(place)").path, toPath: catalogue.file(place))
        }
        let made = try Toolchain.foreign.get()
        try FileManager.default.createDirectory(atPath: catalogue.file("lib"), withIntermediateDirectories: true)
        library = catalogue.file("lib/libForeign.so")
        try made.write(to: URL(fileURLWithPath: library))
    }

    var table: PluginTable { PluginTable(builtIn: Project.plugins, folders: [catalogue.file("lib")]) }
    var zoo: Zoo {
        Zoo(catalogue: Catalogue([.init(.folder, root: catalogue.path)]), plugins: table, backend: OpenBLAS(threads: 1))
    }

    /// "dark" is minus the mean of the three colours, "bright" is it.
    func writeWeights() throws {
        let backend = PortableBackend(), third = Float(1) / 3
        try Checkpoint([
            CheckpointTensor(name: "weigh.weight", Tensor([-third, -third, -third, third, third, third], [2, 3], on: backend)),
            CheckpointTensor(name: "weigh.bias", Tensor([0, 0], [2], on: backend)),
        ]).write(to: catalogue.file("Weights/foreign.h5"))
    }
}

/// What building and loading a plugin needs.
private enum Toolchain {
    struct Outcome: Equatable {
        var status: Int32
        var output: String, error: String
        init(_ status: Int32, _ output: String, _ error: String) {
            (self.status, self.output, self.error) = (status, output, error)
        }
    }

    static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path

    static var isComplete: Bool {
        let exportsSymbols = dlsym(dlopen(nil, RTLD_NOW), "$s8ModelKit6PluginVMn") != nil
        return exportsSymbols && PluginBuild(executable: executable) != nil && (try? run(["swiftc", "--version"]).status) == 0
    }

    static func build() throws -> PluginBuild { try #require(PluginBuild(executable: executable)) }

    /// The bytes of the example's library.
    static let foreign = Result {
        let folder = try TemporaryFolder()
        let path = try build()(Project.tests.appending(path: "ForeignPlugin/Foreign").path, output: folder.path)
        #expect(path == folder.file("libForeign.so"))
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    /// The program beside this one.
    static var zoo: String? {
        let path = URL(fileURLWithPath: executable).deletingLastPathComponent().appending(path: "zoo").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    static func zoo(_ arguments: [String]) throws -> Outcome { try run([#require(zoo)] + arguments) }

    static var coreObjects: [String] {
        let folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
        return ["Tensors", "NeuralNetworks", "Media", "Language", "ModelKit"].flatMap { module in
            let objects = folder.appending(path: "\(module).build")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: objects.path)) ?? []
            return names.filter { $0.hasSuffix(".o") }.sorted().map { objects.appending(path: $0).path }
        }
    }

    static func run(_ arguments: [String]) throws -> Outcome {
        let process = Process(), folder = try TemporaryFolder()
        // Into files: nobody has to empty two pipes at once.
        func file(_ name: String) throws -> FileHandle {
            _ = FileManager.default.createFile(atPath: folder.file(name), contents: nil)
            return try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file(name)))
        }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = try file("output")
        process.standardError = try file("error")
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) throws -> String { try String(contentsOfFile: folder.file(name), encoding: .utf8) }
        return Outcome(process.terminationStatus, try text("output"), try text("error"))
    }
}
