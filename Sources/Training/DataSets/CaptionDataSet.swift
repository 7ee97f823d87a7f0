public import Foundation

/// Photographs with captions by people, in splits.
///
/// `CaptionDataSet(folder:)` recognises by the folder's content: Flickr8k, Karpathy's `dataset_*.json`, COCO's `captions_*.json`.
public struct CaptionDataSet: SplitDataSet, Hashable {
    public struct Image: Sendable, Hashable {
        /// The file's name, in COCO with its folder: unique in the data set.
        public let name: String
        public let file: URL
        /// The captions as they were written, in the file's order.
        public let captions: [String]

        public init(name: String, file: URL, captions: [String]) {
            self.name = name
            self.file = file
            self.captions = captions
        }
    }

    /// For reports: "Flickr8k", "flickr30k", "coco", …
    public let name: String
    public let splits: [Split: [Image]]

    public init(name: String, splits: [Split: [Image]]) {
        (self.name, self.splits) = (name, splits)
    }

    /// `train` and `restval` together.
    public var trainingImages: [Image] { self[.train] + self[.restval] }

    /// Reads the data set in a folder.
    ///
    /// - Parameter images: the images' folder, where it is not in `folder`.
    /// - Throws: `DataSetError.unrecognized` with a list of what a folder may hold, or what is wrong with the one recognised.
    public init(folder: URL, images: URL? = nil) throws(DataSetError) {
        let listing = try FolderListing(folder)
        if listing.names.contains("captions.txt") {
            self = try Flickr8kFolder(folder, images: images).dataSet()
        } else if let file = listing.first(where: { $0.hasPrefix("dataset") && $0.hasSuffix(".json") }) {
            self = try KarpathySplits(folder.appendingPathComponent(file), images: images ?? folder).dataSet()
        } else {
            let annotations = listing.in("annotations") ?? listing
            let files = annotations.all { $0.hasPrefix("captions_") && $0.hasSuffix(".json") }
            guard !files.isEmpty else { throw .unrecognized(folder: folder.path) }
            self = try COCOCaptions(files.map { annotations.url.appendingPathComponent($0) }, images: images ?? folder).dataSet()
        }
    }
}
