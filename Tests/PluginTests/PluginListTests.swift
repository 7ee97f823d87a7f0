import Foundation
import ModelKit
import Runtime
import Testing

/// The folders in `Plugins/`, the list in `Package.swift`, the host's list and the samples agree.
@Suite struct PluginLists {
    @Test func packageListsTheFolders() throws {
        let manifest = try Project.text("Package.swift")
        let list = try #require(
            manifest.firstMatch(of: /(?m)^let plugins = \[([^\]]*)\]/), "Package.swift has no line 'let plugins = […]'")
        let names = list.1.matches(of: /"([^"]*)"/).map { String($0.1) }
        #expect(names.sorted() == Project.plugins, "Package.swift lists other plugins than there are folders in Plugins/")
    }

    @Test func hostListsTheFolders() throws {
        let files = try FileManager.default.subpathsOfDirectory(atPath: Project.root.appending(path: "Sources/zoo").path)
        for file in files where file.hasSuffix(".swift") {
            let source = try Project.text("Sources/zoo/\(file)")
            guard let list = source.firstMatch(of: /builtInPlugins: \[String\] \{\s*\[([^\]]*)\]\s*\}/) else { continue }
            let names = list.1.matches(of: /"([^"]*)"/).map { String($0.1) }
            #expect(
                names.sorted() == Project.plugins, "Sources/zoo/\(file) lists other plugins than there are folders in Plugins/")
        }
    }

    @Test(arguments: Project.plugins) func everyFolderIsAPlugin(_ name: String) throws {
        let plugin = try PluginTable(builtIn: Project.plugins).plugin(named: name)
        #expect(plugin.name == name)
        #expect(!plugin.reference.isEmpty)
    }

    @Test(arguments: Project.plugins) func everyPluginHasASample(_ name: String) {
        #expect(
            Sample.all.contains { $0.architecture == name },
            "\(name) has no sample: add a card of a tiny model with this architecture to Tests/PluginTests/Samples")
    }

    @Test func everySampleHasAPlugin() {
        for sample in Sample.all {
            #expect(Project.plugins.contains(sample.architecture), "Samples/\(sample.name).json names no folder in Plugins/")
        }
    }

    @Test func entries() throws {
        let entries = PluginTable(builtIn: Project.plugins).entries()
        #expect(entries.map(\.name) == Project.plugins)
        #expect(entries.allSatisfy { $0.path == nil && (try? $0.result.get()) != nil })
    }

    @Test func unknownArchitecture() throws {
        let table = PluginTable(builtIn: ["A", "B"])
        #expect(
            sentence { _ = try table.plugin(named: "Nothing") }
                == "no plugin for the architecture 'Nothing': built in are A, B, and no plugin folder was named: "
                + "add --plugins DIR"
        )
        let folder = try TemporaryFolder()
        #expect(
            sentence { _ = try PluginTable(builtIn: ["A"], folders: [folder.path]).plugin(named: "Nothing") }
                == "no plugin for the architecture 'Nothing': built in are A, and there is no libNothing.so in \(folder.path)")
    }
}
