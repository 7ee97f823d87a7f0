import Foundation

/// A file that a command writes when everything else is done.
enum OutputFile {
    /// - Throws: ``Failure`` where the file has no folder to be in: at once, not after an hour of work.
    static func check(_ path: String) throws {
        var isFolder: ObjCBool = false
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(.cannotCreate, "\(path): cannot be written, because its folder is not there; make it first")
        }
    }
}
