import Foundation

/// COCO's caption annotations `captions_train2014.json`, `captions_val2014.json`, … (Lin et al., 2014; Chen et al., 2015).
///
/// `{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}`. The split follows from the file's name, and
/// so does the images' folder: `train2014/`, `images/train2014/`, `images/` or the folder itself. Images stand in the order of
/// the list of images; those without captions are left out.
struct COCOCaptions {
    private let urls: [URL]
    private let images: URL

    init(_ urls: [URL], images: URL) {
        self.urls = urls
        self.images = images
    }

    private struct File: Decodable {
        struct Image: Decodable {
            let id: Int
            let file_name: String
        }
        struct Annotation: Decodable {
            let image_id: Int
            let caption: String
        }
        let images: [Image]
        let annotations: [Annotation]
    }

    func dataSet() throws(DataSetError) -> CaptionDataSet {
        var files = ImageFolder(images)
        var splits: [CaptionDataSet.Split: [CaptionDataSet.Image]] = [:]
        var seen: Set<String> = []
        var missing: [String] = []
        for url in urls {
            let part = String(url.deletingPathExtension().lastPathComponent.dropFirst("captions_".count))
            guard
                let split = [("train", CaptionDataSet.Split.train), ("val", .val), ("test", .test)].first(where: {
                    part.hasPrefix($0.0)
                })?.1
            else { throw .unknownSplit(part, file: url.path, image: "any") }
            let data = try DataSetError.contents(url)
            let file: File
            do {
                file = try JSONDecoder().decode(File.self, from: data)
            } catch {
                throw .json(error, file: url.path)
            }
            var captions = Dictionary(file.images.map { ($0.id, [String]()) }, uniquingKeysWith: { first, _ in first })
            for annotation in file.annotations {
                guard captions[annotation.image_id] != nil else { throw .unknownImage(id: annotation.image_id, file: url.path) }
                captions[annotation.image_id]?.append(annotation.caption.trimmingCharacters(in: .newlines))
            }
            for image in file.images {
                try ImageFolder.check(image.file_name, file: url.path)
                let name = "\(part)/\(image.file_name)"
                guard seen.insert(name).inserted else { throw .repeatedImage(image.file_name, file: url.path) }
                // An image that nobody captioned is of no use.
                guard let sentences = captions[image.id], !sentences.isEmpty else { continue }
                guard let path = files.file(image.file_name, in: [part, "images/" + part, "images", ""]) else {
                    missing.append(name)
                    continue
                }
                splits[split, default: []].append(CaptionDataSet.Image(name: name, file: path, captions: sentences))
            }
        }
        if let first = missing.first { throw .missingImages(first: first, count: missing.count, folder: images.path) }
        guard !splits.isEmpty else { throw .empty(file: urls.first?.path ?? images.path) }
        return CaptionDataSet(name: "coco", splits: splits)
    }
}
