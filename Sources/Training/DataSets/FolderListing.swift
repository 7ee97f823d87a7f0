import Foundation

/// The names in a folder, in alphabetical order.
struct FolderListing {
    let url: URL
    let names: Set<String>

    init(_ url: URL) throws(DataSetError) {
        self.url = url
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue,
            let names = try? FileManager.default.contentsOfDirectory(atPath: url.path)
        else { throw .noFolder(url.path) }
        self.names = Set(names)
    }

    func all(where matches: (String) -> Bool) -> [String] { names.filter(matches).sorted() }
    func first(where matches: (String) -> Bool) -> String? { all(where: matches).first }
    func `in`(_ name: String) -> FolderListing? {
        names.contains(name) ? try? FolderListing(url.appendingPathComponent(name)) : nil
    }
}
