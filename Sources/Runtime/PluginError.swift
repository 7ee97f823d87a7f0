/// Why an architecture cannot be run.
public enum PluginError: Error, Sendable, Hashable, CustomStringConvertible {
    case unknown(architecture: String, known: [String], folders: [String])
    case cannotOpen(path: String, reason: String)
    case missingSymbol(String, path: String)
    case otherVersion(path: String, found: String, expected: String)
    /// The library has a copy of a core module inside: casts and catches across the border would silently fail.
    case ownCore(path: String, module: String)
    case buildFailed(folder: String, output: String)
    case noSources(folder: String)
    case noCompiler

    public var description: String {
        switch self {
        case .unknown(let architecture, let known, let folders):
            let places =
                folders.isEmpty
                ? "no plugin folder was named: add --plugins DIR"
                : "there is no lib\(architecture).so in \(folders.joined(separator: ", "))"
            return
                "no plugin for the architecture '\(architecture)': built in are \(known.joined(separator: ", ")), and \(places)"
        case .cannotOpen(let path, let reason):
            return "\(path): the plugin cannot be loaded (\(reason)): build it again with 'zoo plugin build'"
        case .missingSymbol(let symbol, let path):
            return
                "\(path): the library has no function \(symbol), so it is no plugin of this zoo: build it with 'zoo plugin build'"
        case .otherVersion(let path, let found, let expected):
            return "\(path): the plugin was built for \(found) and this is \(expected): build it again with 'zoo plugin build'"
        case .ownCore(let path, let module):
            return
                "\(path): the plugin carries its own copy of \(module), with which results would be lost silently: "
                + "build it with 'zoo plugin build', which leaves the core to the host"
        case .buildFailed(let folder, let output): return "\(folder): the plugin does not compile:\n\(output)"
        case .noSources(let folder): return "\(folder): there are no Swift files to build a plugin from"
        case .noCompiler: return "swiftc was not found: install the Swift toolchain that built this program, or add it to PATH"
        }
    }
}
