import Foundation

/// Finds images by name, in the given folder or in one of its well-known subfolders. Folders are listed once, files never opened.
struct ImageFolder {
    private let root: URL
    private var listings: [String: FolderListing?] = [:]

    init(_ root: URL) { self.root = root }

    var path: String { root.path }

    private mutating func listing(_ folder: String) -> FolderListing? {
        if let known = listings[folder] { return known }
        let listing = try? FolderListing(folder.isEmpty ? root : root.appendingPathComponent(folder))
        listings[folder] = .some(listing)
        return listing
    }

    /// - Parameter folders: subfolders in the order in which they are looked into; "" is the folder itself.
    mutating func file(_ name: String, in folders: [String]) -> URL? {
        for folder in folders {
            if let listing = listing(folder), listing.names.contains(name) { return listing.url.appendingPathComponent(name) }
        }
        return nil
    }

    /// A name must not lead out of the folder.
    ///
    /// - Parameter file: where the name stands.
    static func check(_ name: String, file: String) throws(DataSetError) {
        guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
            throw .unsafeName(name, file: file)
        }
    }
}
