import Foundation
import ModelKit

/// What a name on the command line is where videos are wanted: a file is a video, `-` is one on standard input, a folder is
/// either many videos or, if there are pictures in it and no videos, the frames of one.
enum ClipFiles {
    private static let videos = [
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".m2ts", ".flv", ".wmv", ".3gp", ".ogv",
    ]
    private static let pictures = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"]

    static func inputs(_ path: String, recursive: Bool) -> [InputFiles.Input] {
        var isFolder: ObjCBool = false
        guard path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return [.file(path)]
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return [.problem(path, Failure(.missingInput, "\(path): the folder cannot be read; check its permissions"))]
        }
        let found = clips(in: path, names, recursive)
        guard found.isEmpty else { return found.map(InputFiles.Input.file) }
        let remedy = recursive ? "name another folder" : "name another one, or add --recursive for the folders inside"
        return [
            .problem(
                path, Failure(.missingInput, "\(path): there is no video and no frame of one in this folder; \(remedy)"))
        ]
    }

    private static func clips(in folder: String, _ names: [String], _ recursive: Bool) -> [String] {
        let visible = names.filter { !$0.hasPrefix(".") }.sorted()
        func isOne(of endings: [String], _ name: String) -> Bool { endings.contains(where: name.lowercased().hasSuffix) }
        let own = visible.filter { isOne(of: videos, $0) }.map { folder.appendingFile($0) }
        if own.isEmpty, visible.contains(where: { isOne(of: pictures, $0) }) { return [folder] }
        guard recursive else { return own }
        return own
            + visible.flatMap { name -> [String] in
                let path = folder.appendingFile(name)
                // A link to a folder may lead in a circle.
                let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
                guard !isLink, let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
                return clips(in: path, names, true)
            }
    }
}

extension String {
    /// The path of a file in the folder that this is the path of.
    fileprivate func appendingFile(_ name: String) -> String { hasSuffix("/") ? self + name : self + "/" + name }
}
