import Foundation

/// Visual Genome's region descriptions (Krishna et al., IJCV 2017) in the splits of DenseCap (Johnson et al., CVPR 2016).
///
/// `region_descriptions.json`: `[{"id", "regions": [{"x", "y", "width", "height", "phrase"}]}]`, in pixels from the left upper
/// corner; `image_data.json`: `[{"image_id", "width", "height"}]`, so that no photo must be opened; `densecap_splits.json`:
/// `{"train": [id, …], "val": […], "test": […]}`; the photos are `ID.jpg` in `VG_100K/`, `VG_100K_2/`, `images/` or the folder
/// itself.
///
/// As `Flickr8kRegions`: boxes are cut at the photo's edges; those without area, regions without a phrase and images without
/// regions are left out.
struct VisualGenomeRegions {
    static let descriptions = "region_descriptions.json"
    private static let sizes = "image_data.json", splits = "densecap_splits.json"
    private let listing: FolderListing
    private let images: URL

    init(_ listing: FolderListing, images: URL?) {
        self.listing = listing
        self.images = images ?? listing.url
    }

    private struct Image: Decodable {
        struct Region: Decodable {
            let x: Double
            let y: Double
            let width: Double
            let height: Double
            let phrase: String
        }
        let id: Int
        let regions: [Region]
    }

    private struct Size: Decodable {
        let image_id: Int
        let width: Double
        let height: Double
    }

    func dataSet() throws(DataSetError) -> RegionDataSet {
        let url = listing.url.appendingPathComponent(Self.descriptions)
        let lists = try decode([String: [Int]].self, Self.splits)
        let sizes = Dictionary(try decode([Size].self, Self.sizes).map { ($0.image_id, $0) }, uniquingKeysWith: { $1 })
        var regions: [Int: [RegionDataSet.MarkedRegion]] = [:]
        for image in try decode([Image].self, Self.descriptions) {
            let name = "\(image.id).jpg"
            guard let size = sizes[image.id], size.width > 0, size.height > 0 else {
                throw .badPictureSize(
                    width: sizes[image.id]?.width ?? 0, height: sizes[image.id]?.height ?? 0,
                    file: listing.url.appendingPathComponent(Self.sizes).path, image: name)
            }
            let marked = image.regions.compactMap { Self.marked($0, size) }
            guard regions.updateValue(marked, forKey: image.id) == nil else { throw .repeatedImage(name, file: url.path) }
        }
        var files = ImageFolder(images)
        var result: [DataSplit: [RegionDataSet.Image]] = [:]
        var homes: [Int: DataSplit] = [:]
        var missing: [String] = []
        for split in [DataSplit.train, .val, .test] {
            for id in lists[split.rawValue] ?? [] {
                let name = "\(id).jpg"
                if let home = homes.updateValue(split, forKey: id) {
                    if home == split { throw .repeatedImage(name, file: listing.url.appendingPathComponent(Self.splits).path) }
                    throw .sharedImage(name, splits: [home, split], folder: listing.url.path)
                }
                guard let marked = regions[id], !marked.isEmpty else { continue }
                guard let file = files.file(name, in: ["VG_100K", "VG_100K_2", "images", ""]) else {
                    missing.append(name)
                    continue
                }
                result[split, default: []].append(RegionDataSet.Image(name: name, file: file, regions: marked))
            }
        }
        if let first = missing.first { throw .missingImages(first: first, count: missing.count, folder: images.path) }
        guard !result.isEmpty else { throw .noRegions(file: url.path, lists: Self.splits) }
        return RegionDataSet(name: "Visual Genome", splits: result)
    }

    private static func marked(_ region: Image.Region, _ size: Size) -> RegionDataSet.MarkedRegion? {
        let phrase = region.phrase.trimmingCharacters(in: .whitespacesAndNewlines)
        let corners = [region.x, region.y, region.x + region.width, region.y + region.height]
        guard !phrase.isEmpty, let box = RegionDataSet.Box(corners: corners, width: size.width, height: size.height) else {
            return nil
        }
        return RegionDataSet.MarkedRegion(box: box, phrases: [phrase])
    }

    private func decode<File: Decodable>(_ type: File.Type, _ name: String) throws(DataSetError) -> File {
        guard listing.names.contains(name) else { throw .missingFile(name, folder: listing.url.path) }
        let url = listing.url.appendingPathComponent(name), data = try DataSetError.contents(url)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw .json(error, file: url.path)
        }
    }
}
