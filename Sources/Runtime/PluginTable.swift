public import ModelKit
import Foundation

/// The architectures this process can run: those linked into it and those in the operator's plugin folders.
///
/// Both are found by one convention, a C function `zoo_plugin_<Name>` that returns a retained ``ModelKit/PluginBox``. The
/// name of another function, `zoo_plugin_interface_…`, tells what a foreign library was built for. It is read from the
/// file: a library for another zoo is refused before any code of it runs.
public struct PluginTable: Sendable {
    /// What a library was built for, or this process is: the interface's number and the compiler's version, because
    /// Swift has no stable binary interface on Linux.
    public static let version = "zoo plugin interface \(Plugin.apiVersion), Swift \(compilerVersion)"

    /// The function that a library built for this process exports.
    package static let handshake =
        "\(handshakePrefix)\(Plugin.apiVersion)_swift_\(compilerVersion.replacingOccurrences(of: ".", with: "_"))"
    private static let handshakePrefix = "zoo_plugin_interface_"

    private let folders: [String]
    /// The names of the linked plugins, which cannot be listed by looking for symbols.
    private let builtIn: [String]

    /// - Parameter folders: searched in this order for `lib<Name>.so`.
    public init(builtIn: [String], folders: [String] = []) {
        (self.builtIn, self.folders) = (builtIn, folders)
    }

    /// The plugin of an architecture.
    /// - Parameter name: checked by the card against `[A-Za-z][A-Za-z0-9]*`, so that it cannot name a path.
    public func plugin(named name: String) throws(PluginError) -> Plugin {
        if let make = dlsym(dlopen(nil, RTLD_NOW), "zoo_plugin_\(name)") { return Self.make(make) }
        for folder in folders {
            let path = "\(folder)/lib\(name).so"
            if FileStatus.isFile(path) { return try load(path) }
        }
        throw .unknown(architecture: name, known: builtIn, folders: folders)
    }

    /// A plugin, or why a library of a plugin folder is none.
    public struct Entry: Sendable {
        public let name: String
        /// `nil` for a built-in one.
        public let path: String?
        public let result: Result<Plugin, PluginError>
    }

    /// Every plugin that can be found.
    public func entries() -> [Entry] {
        var entries = builtIn.map { name in
            Entry(name: name, path: nil, result: Result { () throws(PluginError) in try plugin(named: name) })
        }
        for folder in folders {
            for file in FileStatus.names(in: folder).sorted() where file.hasPrefix("lib") && file.hasSuffix(".so") {
                let name = String(file.dropFirst(3).dropLast(3)), path = "\(folder)/\(file)"
                entries.append(Entry(name: name, path: path, result: Result { () throws(PluginError) in try load(path) }))
            }
        }
        return entries
    }

    /// The plugin in the library `…/lib<Name>.so`.
    public func load(_ path: String) throws(PluginError) -> Plugin {
        let name = String(CardFolder.name(of: path).dropFirst(3).dropLast(3))
        guard let library = ELFSymbols(path: path) else {
            throw .cannotOpen(path: path, reason: "it is no 64-bit ELF library")
        }
        let symbol = "zoo_plugin_\(name)"
        guard library.defined.contains(symbol) else { throw .missingSymbol(symbol, path: path) }
        guard let handshake = library.defined.first(where: { $0.hasPrefix(Self.handshakePrefix) }) else {
            throw .missingSymbol(Self.handshake, path: path)
        }
        guard handshake == Self.handshake else {
            throw .otherVersion(path: path, found: Self.version(of: handshake), expected: Self.version)
        }
        if let module = PluginBuild.coreModule(in: library) { throw .ownCore(path: path, module: module) }
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL), let make = dlsym(handle, symbol) else {
            throw .cannotOpen(path: path, reason: dlerror().map { String(cString: $0) } ?? "unknown reason")
        }
        return Self.make(make)
    }

    /// `zoo_plugin_interface_1_swift_6_3` as it is told to people.
    private static func version(of handshake: String) -> String {
        "zoo plugin interface "
            + handshake.dropFirst(handshakePrefix.count).replacingOccurrences(of: "_swift_", with: ", Swift ")
            .replacingOccurrences(of: "_", with: ".")
    }

    private static func make(_ symbol: UnsafeMutableRawPointer) -> Plugin {
        typealias Make = @convention(c) () -> UnsafeMutableRawPointer
        return Plugin(consuming: unsafeBitCast(symbol, to: Make.self)())
    }
}

#if compiler(>=7)
    private let compilerVersion = "7"
#elseif compiler(>=6.5)
    private let compilerVersion = "6.5"
#elseif compiler(>=6.4)
    private let compilerVersion = "6.4"
#elseif compiler(>=6.3)
    private let compilerVersion = "6.3"
#else
    private let compilerVersion = "6.2"
#endif
