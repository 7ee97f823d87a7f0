import Foundation

/// Flickr8k's photos with the boxes of Flickr30k Entities (Plummer et al., ICCV 2015).
///
/// `images/`, `train.txt`, `dev.txt` and perhaps `test.txt` as `Flickr8kFolder` has them; `regions.json`: `[{"image", "W", "H",
/// "regions": [{"entity", "boxes": [[x1, y1, x2, y2], …], "phrases": ["a dog", …]}]}]`, corners in pixels of the original photo
/// of W×H. The file of the photo may have any size and shape: boxes become shares of W and H.
///
/// An entity's phrases are for all of its boxes together, and the file does not say which is for which: each box becomes a region
/// with all of the phrases. So a box around one of two dogs is called "Two dogs", too.
///
/// Boxes are cut at the photo's edges. Those that then have no area (x2 ≤ x1 or y2 ≤ y1) are left out, as are entities without
/// phrases, images without regions, and images that no split lists.
struct Flickr8kRegions {
    private let listing: FolderListing
    private let images: URL

    init(_ listing: FolderListing, images: URL?) {
        self.listing = listing
        self.images = images ?? listing.url.appendingPathComponent("images")
    }

    private struct Image: Decodable {
        struct Entity: Decodable {
            let boxes: [[Double]]
            let phrases: [String]
        }
        let image: String
        let W: Double
        let H: Double
        let regions: [Entity]
    }

    func dataSet() throws(DataSetError) -> RegionDataSet {
        let url = listing.url.appendingPathComponent("regions.json")
        let regions = try regions(url)
        var files = ImageFolder(images)
        var splits: [DataSplit: [RegionDataSet.Image]] = [:]
        var homes: [String: DataSplit] = [:]
        var missing: [String] = []
        for (split, list) in try Flickr8kFolder.splitFiles(listing) {
            for line in try DataSetError.lines(list) where !line.isEmpty {
                let name = Flickr8kFolder.imageName(line)
                if let home = homes.updateValue(split, forKey: name) {
                    if home == split { throw .repeatedImage(name, file: list.path) }
                    throw .sharedImage(name, splits: [home, split], folder: listing.url.path)
                }
                guard let marked = regions[name], !marked.isEmpty else { continue }
                guard let file = files.file(name, in: [""]) else {
                    missing.append(name)
                    continue
                }
                splits[split, default: []].append(RegionDataSet.Image(name: name, file: file, regions: marked))
            }
        }
        if let first = missing.first { throw .missingImages(first: first, count: missing.count, folder: images.path) }
        guard !splits.isEmpty else { throw .noRegions(file: url.path, lists: "train.txt, dev.txt and test.txt") }
        return RegionDataSet(name: "Flickr8k", splits: splits)
    }

    /// The regions by image.
    private func regions(_ url: URL) throws(DataSetError) -> [String: [RegionDataSet.MarkedRegion]] {
        let list: [Image]
        do {
            list = try JSONDecoder().decode([Image].self, from: DataSetError.contents(url))
        } catch let error as DataSetError {
            throw error
        } catch {
            throw .json(error, file: url.path)
        }
        var regions: [String: [RegionDataSet.MarkedRegion]] = [:]
        for image in list {
            try ImageFolder.check(image.image, file: url.path)
            guard image.W > 0, image.H > 0, image.W.isFinite, image.H.isFinite else {
                throw .badPictureSize(width: image.W, height: image.H, file: url.path, image: image.image)
            }
            var marked: [RegionDataSet.MarkedRegion] = []
            for (number, entity) in image.regions.enumerated() {
                let phrases = entity.phrases.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
                for corners in entity.boxes {
                    guard corners.count == 4 else {
                        throw .badRegion(
                            reason: "has a box of \(corners.count) numbers; expected [x1, y1, x2, y2]", file: url.path,
                            image: image.image, region: number + 1)
                    }
                    guard !phrases.isEmpty, let box = RegionDataSet.Box(corners: corners, width: image.W, height: image.H)
                    else { continue }
                    marked.append(RegionDataSet.MarkedRegion(box: box, phrases: phrases))
                }
            }
            guard regions.updateValue(marked, forKey: image.image) == nil else {
                throw .repeatedImage(image.image, file: url.path)
            }
        }
        return regions
    }
}
