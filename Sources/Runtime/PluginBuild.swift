import Foundation
import ModelKit

/// Compiling a folder of Swift files to a plugin library that leaves the core's symbols to the host.
public struct PluginBuild: Sendable {
    /// Modules a plugin may import and must not contain.
    static let coreModules = ["Tensors", "NeuralNetworks", "Media", "Language", "ModelKit"]

    /// C modules that the core's modules are made with. The compiler insists on knowing them, but a plugin sees nothing of
    /// them, so they may be empty.
    private static let systemModules = ["CFFmpeg", "CPNG", "CTurboJPEG"]

    /// The folder with the core's `.swiftmodule` files.
    public let modules: String

    /// - Parameter executable: the host; its modules lie beside it in a build folder, and under `lib/zoo` in an installation.
    public init?(executable: String) {
        let folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
        let candidates = [
            folder.appendingPathComponent("Modules"),
            folder.deletingLastPathComponent().appendingPathComponent("lib/zoo/Modules"),
        ]
        guard let found = candidates.first(where: { FileStatus.isFile($0.appendingPathComponent("ModelKit.swiftmodule").path) })
        else { return nil }
        modules = found.path
    }

    /// Compiles `folder` to `output/lib<Name>.so`, where `<Name>` is the folder's name.
    /// - Returns: the library's path.
    /// - Throws: ``PluginError``, or what Foundation throws where `output` cannot be written.
    public func callAsFunction(_ folder: String, output: String) throws -> String {
        let url = URL(fileURLWithPath: folder).standardizedFileURL, name = url.lastPathComponent
        guard ModelCard.isArchitecture(name) else {
            throw PluginError.buildFailed(
                folder: folder,
                output: "a plugin is called like its folder, and '\(name)' is no letter followed by letters and digits")
        }
        let sources = FileStatus.names(in: url.path).filter { $0.hasSuffix(".swift") }.sorted().map {
            url.appendingPathComponent($0).path
        }
        guard !sources.isEmpty else { throw PluginError.noSources(folder: folder) }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("zoo-plugin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        // Written by the builder, not by the author: it says what the library was really built against.
        let handshake = scratch.appendingPathComponent("Handshake.swift")
        try Data("@c(\(PluginTable.handshake)) public func zooPluginInterface() {}\n".utf8).write(to: handshake)
        let moduleMap = scratch.appendingPathComponent("module.modulemap")
        try Data(Self.systemModules.map { "module \($0) {}\n" }.joined().utf8).write(to: moduleMap)
        let product = scratch.appendingPathComponent("lib\(name).so")
        let (status, text) = try run(
            [
                "swiftc", "-O", "-wmo", "-swift-version", "6", "-parse-as-library", "-emit-library", "-module-name", name, "-I",
                modules, "-Xcc", "-fmodule-map-file=\(moduleMap.path)", "-o", product.path, handshake.path,
            ] + sources)
        guard status == 0, let library = ELFSymbols(path: product.path) else {
            throw PluginError.buildFailed(folder: folder, output: text)
        }
        guard library.defined.contains("zoo_plugin_\(name)") else {
            throw PluginError.buildFailed(
                folder: folder, output: "no function is exported as zoo_plugin_\(name): see the end of a plugin of the zoo")
        }
        if let module = Self.coreModule(in: library) { throw PluginError.ownCore(path: folder, module: module) }
        let final = URL(fileURLWithPath: output).appendingPathComponent("lib\(name).so")
        // Beside the file first, so that a running host never meets half a library.
        try Data(contentsOf: product).write(to: final, options: .atomic)
        return final.path
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus == 127 { throw PluginError.noCompiler }
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    /// The first core module that a library has a copy of, or `nil`.
    ///
    /// The library's types have descriptors named `$s<length><module><type>…Mn`. One that the host defines, too, is a copy.
    /// (A type that a plugin nests in a type of the core begins alike, but the host does not know it.) A library that hides
    /// its copy is known by what it lacks: it expects nothing of the host's ModelKit.
    static func coreModule(in library: ELFSymbols) -> String? {
        let host = dlopen(nil, RTLD_NOW)
        let copied = coreModules.first { module in
            library.defined.contains {
                $0.hasPrefix("$s\(module.utf8.count)\(module)") && $0.hasSuffix("Mn") && dlsym(host, $0) != nil
            }
        }
        return copied ?? (library.undefined.contains { $0.hasPrefix("$s8ModelKit") } ? nil : "ModelKit")
    }
}
