import Foundation

/// Karpathy's `dataset_flickr8k.json`, `dataset_flickr30k.json`, `dataset_coco.json` (Karpathy & Fei-Fei, CVPR 2015; read by
/// NeuralTalk's `imagernn/data_provider.py`).
///
/// `{"dataset": name, "images": [{"filename", "filepath"?, "split", "sentences": [{"raw", "tokens"}]}]}`. Images are looked
/// for under the folder as `filepath/filename`, `filename`, `images/filename`, `imgs/filename`, `images/filepath/filename`.
struct KarpathySplits {
    private let url: URL
    private let images: URL

    init(_ url: URL, images: URL) {
        self.url = url
        self.images = images
    }

    private struct File: Decodable {
        struct Image: Decodable {
            struct Sentence: Decodable { let raw: String }
            let filename: String
            let filepath: String?
            let split: String
            let sentences: [Sentence]
        }
        let dataset: String?
        let images: [Image]
    }

    func dataSet() throws(DataSetError) -> CaptionDataSet {
        let data = try DataSetError.contents(url)
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: data)
        } catch {
            throw .json(error, file: url.path)
        }
        var files = ImageFolder(images)
        var splits: [CaptionDataSet.Split: [CaptionDataSet.Image]] = [:]
        var seen: Set<String> = []
        var missing: [String] = []
        for image in file.images {
            let name = [image.filepath, image.filename].compactMap { $0 }.joined(separator: "/")
            try ImageFolder.check(name, file: url.path)
            guard let split = CaptionDataSet.Split(rawValue: image.split) else {
                throw .unknownSplit(image.split, file: url.path, image: name)
            }
            guard seen.insert(name).inserted else { throw .repeatedImage(name, file: url.path) }
            let folders = (image.filepath.map { [$0, "images/" + $0] } ?? []) + ["", "images", "imgs"]
            guard let path = files.file(image.filename, in: folders) else {
                missing.append(name)
                continue
            }
            splits[split, default: []].append(
                CaptionDataSet.Image(
                    name: name, file: path, captions: image.sentences.map { $0.raw.trimmingCharacters(in: .newlines) }))
        }
        if let first = missing.first { throw .missingImages(first: first, count: missing.count, folder: images.path) }
        guard !splits.isEmpty else { throw .empty(file: url.path) }
        return CaptionDataSet(name: file.dataset ?? url.deletingPathExtension().lastPathComponent, splits: splits)
    }
}
