import Foundation
import Media

/// The inputs of a run in the order of the command line: files, the pictures in folders, and for `-` what the lines of
/// standard input name.
struct InputFiles {
    enum Input {
        case file(String)
        /// What was named and cannot be an input.
        case problem(String, Failure)

        /// What was named, whether or not it can be read.
        var path: String {
            switch self {
            case .file(let path), .problem(let path, _): path
            }
        }

        /// The file to be read.
        /// - Throws: why what was named cannot be an input.
        func file() throws(Failure) -> String {
            switch self {
            case .file(let path): return path
            case .problem(_, let failure): throw failure
            }
        }
    }

    private enum Entry {
        case inputs([Input])
        case standardInput
    }

    private let entries: [Entry]
    private let isRecursive: Bool
    /// Whether there is one file that the user named: then nobody needs to be told which one an answer is for.
    let isSingleFile: Bool

    init(_ arguments: [String], recursive: Bool) {
        isRecursive = recursive
        entries = arguments.map { $0 == "-" ? .standardInput : .inputs(Self.inputs($0, recursive)) }
        isSingleFile = arguments.count == 1 && arguments[0] != "-" && !Self.isFolder(arguments[0])
    }

    /// Videos: a folder of frames is one, and so is standard input.
    init(clips arguments: [String], recursive: Bool) {
        isRecursive = recursive
        let found = arguments.map { ClipFiles.inputs($0, recursive: recursive) }
        entries = found.map(Entry.inputs)
        if case .file(let path)? = found.first?.first, found.map(\.count) == [1] {
            isSingleFile = path == arguments[0]
        } else {
            isSingleFile = false
        }
    }

    /// Nil where standard input names them.
    var count: Int? {
        entries.reduce(0) { (sum: Int?, entry) in
            guard let sum, case .inputs(let inputs) = entry else { return nil }
            return sum + inputs.count
        }
    }

    func forEach(_ body: (Input) throws -> Void) rethrows {
        for entry in entries {
            switch entry {
            case .inputs(let inputs): for input in inputs { try body(input) }
            case .standardInput:
                while let line = readLine() {
                    for input in line.isEmpty ? [] : Self.inputs(line, isRecursive) { try body(input) }
                }
            }
        }
    }

    private static func inputs(_ path: String, _ recursive: Bool) -> [Input] {
        guard isFolder(path) else { return [.file(path)] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return [.problem(path, Failure(.missingInput, "\(path): the folder cannot be read; check its permissions"))]
        }
        let pictures = pictures(in: path, names, recursive)
        guard pictures.isEmpty else { return pictures.map(Input.file) }
        let remedy = recursive ? "name another folder" : "name another one, or add --recursive for the folders inside"
        return [.problem(path, Failure(.missingInput, "\(path): there is no picture in this folder; \(remedy)"))]
    }

    private static func pictures(in folder: String, _ names: [String], _ recursive: Bool) -> [String] {
        names.filter { !$0.hasPrefix(".") }.sorted().flatMap { name -> [String] in
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            guard isFolder(path) else { return isPicture(path) ? [path] : [] }
            // A link to a folder may lead in a circle.
            let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
            guard recursive, !isLink, let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
            return pictures(in: path, names, recursive)
        }
    }

    /// Whether somebody calls it a picture or it is one; a damaged one is to be reported, not skipped.
    private static func isPicture(_ path: String) -> Bool {
        let name = path.lowercased()
        if [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".jp2"].contains(where: name.hasSuffix) {
            return true
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, let file = FileHandle(forReadingAtPath: path) else {
            return false
        }
        defer { try? file.close() }
        return (try? file.read(upToCount: 64)).flatMap { $0.flatMap { ImageFormat(Array($0)) } } != nil
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
