public import Foundation

/// Photographs with marked regions that people described in phrases, in splits.
///
/// `RegionDataSet(folder:)` recognises by the folder's content: Flickr8k with the boxes of Flickr30k Entities (`regions.json`),
/// Visual Genome (`region_descriptions.json`).
public struct RegionDataSet: SplitDataSet, Hashable {
    /// A rectangle in shares of the picture's width and height, 0 to 1, from its left upper corner: it holds for the picture in
    /// any size, and no picture must be opened to know it.
    public struct Box: Sendable, Hashable, Codable {
        public let x: Double
        public let y: Double
        public let width: Double
        public let height: Double

        public init(x: Double, y: Double, width: Double, height: Double) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }

        /// Nil if no area of the box is inside of the picture.
        ///
        /// - Parameters:
        ///   - corners: x1, y1, x2, y2 in pixels of a picture of this width and height.
        init?(corners: [Double], width: Double, height: Double) {
            let left = min(max(corners[0] / width, 0), 1), top = min(max(corners[1] / height, 0), 1)
            let right = min(max(corners[2] / width, 0), 1), bottom = min(max(corners[3] / height, 0), 1)
            guard right > left, bottom > top else { return nil }
            self.init(x: left, y: top, width: right - left, height: bottom - top)
        }
    }

    public struct MarkedRegion: Sendable, Hashable {
        /// Of a positive width and height, inside of the picture.
        public let box: Box
        /// What people called it, as they wrote it, in the file's order: at least one. Equal ones repeat.
        public let phrases: [String]

        public init(box: Box, phrases: [String]) {
            self.box = box
            self.phrases = phrases
        }
    }

    public struct Image: Sendable, Hashable {
        /// The file's name: unique in the data set.
        public let name: String
        public let file: URL
        /// In the file's order; at least one.
        public let regions: [MarkedRegion]

        public init(name: String, file: URL, regions: [MarkedRegion]) {
            self.name = name
            self.file = file
            self.regions = regions
        }
    }

    /// For reports: "Flickr8k", "Visual Genome".
    public let name: String
    public let splits: [Split: [Image]]

    public init(name: String, splits: [Split: [Image]]) {
        (self.name, self.splits) = (name, splits)
    }

    /// Reads the data set in a folder.
    ///
    /// - Parameter images: the images' folder, where it is not in `folder`.
    /// - Throws: `DataSetError.unrecognizedRegions` with what a folder may hold, or what is wrong with the one recognised.
    public init(folder: URL, images: URL? = nil) throws(DataSetError) {
        let listing = try FolderListing(folder)
        if listing.names.contains("regions.json") {
            self = try Flickr8kRegions(listing, images: images).dataSet()
        } else if listing.names.contains(VisualGenomeRegions.descriptions) {
            self = try VisualGenomeRegions(listing, images: images).dataSet()
        } else {
            throw .unrecognizedRegions(folder: folder.path)
        }
    }
}
