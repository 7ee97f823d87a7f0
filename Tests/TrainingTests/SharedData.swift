import Foundation

/// Data that is not part of the project; tests that need it are skipped where it is missing.
enum SharedData {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("../shared/data").standardizedFileURL

    static var flickr8k: URL? { folder("flickr8k", with: "captions.txt") }
    static var regions: URL? { folder("flickr8k", with: "regions.json") }
    static var daquar: URL? { folder("daquar", with: "train.tsv") }
    static var easyVQA: URL? { folder("easy-vqa", with: "train/questions.json") }

    private static func folder(_ name: String, with file: String) -> URL? {
        let folder = root.appendingPathComponent(name)
        return FileManager.default.fileExists(atPath: folder.appendingPathComponent(file).path) ? folder : nil
    }
}

/// What the scripts in Reference/ wrote.
enum Reference {
    static func contents(_ name: String) throws -> Data {
        try Data(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Reference/\(name)"))
    }
}

/// A folder that vanishes with the test.
final class TemporaryFolder {
    let url: URL

    init(_ files: [String: String] = [:]) throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("zoo-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, content) in files {
            let file = url.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: file)
        }
    }
    deinit { try? FileManager.default.removeItem(at: url) }
}
