import Foundation

/// Flickr8k (Hodosh, Young, Hockenmaier, JAIR 2013) in its Kaggle form.
///
/// `images/`; `captions.txt`, a header `image,caption` and a line per caption, split at the first comma, a caption with commas or
/// quotation marks in quotation marks as in CSV; `train.txt`, `dev.txt` and perhaps `test.txt`: a file name per line, which
/// may carry its folder. Also read: a `dev.txt` by the name `val.txt`.
struct Flickr8kFolder {
    private static let line = "'image,caption'"
    private let folder: URL
    private let images: URL

    init(_ folder: URL, images: URL?) {
        self.folder = folder
        self.images = images ?? folder.appendingPathComponent("images")
    }

    func dataSet() throws(DataSetError) -> CaptionDataSet {
        let captions = try captions()
        var splits: [CaptionDataSet.Split: [CaptionDataSet.Image]] = [:]
        for (split, url) in try Self.splitFiles(FolderListing(folder)) { splits[split] = try images(listedIn: url, captions) }
        return CaptionDataSet(name: "Flickr8k", splits: splits)
    }

    /// The files that list the splits' images.
    ///
    /// - Throws: `DataSetError.missingFile` if there are no training images.
    static func splitFiles(_ listing: FolderListing) throws(DataSetError) -> [(split: DataSplit, url: URL)] {
        var files: [(split: DataSplit, url: URL)] = []
        for (split, names) in [(DataSplit.train, ["train.txt"]), (.val, ["dev.txt", "val.txt"]), (.test, ["test.txt"])] {
            guard let name = names.first(where: listing.names.contains) else {
                if split == .train { throw .missingFile("train.txt", folder: listing.url.path) }
                continue
            }
            files.append((split, listing.url.appendingPathComponent(name)))
        }
        return files
    }

    /// What a line of such a file names: the line without a folder.
    static func imageName(_ line: String) -> String { line.split(separator: "/").last.map(String.init) ?? line }

    private func captions() throws(DataSetError) -> [String: [String]] {
        let url = folder.appendingPathComponent("captions.txt")
        var captions: [String: [String]] = [:]
        for (index, line) in try DataSetError.lines(url).enumerated() {
            if index == 0 {
                guard line == "image,caption" else {
                    throw .badHeader(String(line.prefix(60)), expected: Self.line, file: url.path)
                }
                continue
            }
            if line.isEmpty { continue }
            guard let comma = line.unicodeScalars.firstIndex(of: ",") else {
                throw .badLine(String(line.prefix(60)), expected: Self.line, file: url.path, line: index + 1)
            }
            captions[String(line[..<comma]), default: []].append(Self.unquoted(line[line.unicodeScalars.index(after: comma)...]))
        }
        guard !captions.isEmpty else { throw .empty(file: url.path) }
        return captions
    }

    /// A CSV field without its quotation marks; doubled ones inside become single ones.
    static func unquoted(_ field: Substring) -> String {
        guard field.count >= 2, field.hasPrefix("\""), field.hasSuffix("\"") else { return String(field) }
        return String(field.dropFirst().dropLast()).replacingOccurrences(of: "\"\"", with: "\"")
    }

    private func images(listedIn url: URL, _ captions: [String: [String]]) throws(DataSetError) -> [CaptionDataSet.Image] {
        var files = ImageFolder(images)
        var result: [CaptionDataSet.Image] = []
        var seen: Set<String> = []
        var missing: [String] = []
        for (index, line) in try DataSetError.lines(url).enumerated() where !line.isEmpty {
            let name = Self.imageName(line)
            guard let sentences = captions[name] else { throw .noCaptions(image: name, file: url.path, line: index + 1) }
            guard seen.insert(name).inserted else { throw .repeatedImage(name, file: url.path) }
            guard let file = files.file(name, in: [""]) else {
                missing.append(name)
                continue
            }
            result.append(CaptionDataSet.Image(name: name, file: file, captions: sentences))
        }
        if let first = missing.first { throw .missingImages(first: first, count: missing.count, folder: images.path) }
        return result
    }
}
