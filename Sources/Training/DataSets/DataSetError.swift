import Foundation

/// What can be wrong with a folder of training data. Lines count from 1.
public enum DataSetError: Error, Sendable, Hashable {
    case noFolder(String)
    case unrecognized(folder: String)
    case unrecognizedQuestions(folder: String)
    /// Their names.
    case severalDataSets([String], folder: String)
    case missingFile(String, folder: String)
    case unreadable(file: String, reason: String)
    case badHeader(String, expected: String, file: String)
    case badLine(String, expected: String, file: String, line: Int)
    /// A name in a list of images that has no captions.
    case noCaptions(image: String, file: String, line: Int)
    /// A name outside of the images' folder.
    case unsafeName(String, file: String)
    case missingImages(first: String, count: Int, folder: String)
    case repeatedImage(String, file: String)
    case badJSON(file: String, reason: String)
    case unknownSplit(String, file: String, image: String)
    case unknownImage(id: Int, file: String)
    case empty(file: String)
    /// A name of a file that tells no split.
    case unknownSubset(file: String)
    case noQuestions(file: String)
    /// No videos, or none of the classes that are wanted.
    case noClips(String, classes: [String])
    case repeatedQuestion(id: Int, file: String)
    case noAnswers(question: Int, file: String)
    /// Answers that are for another image than the one that the question is about.
    case otherImage(question: Int, image: Int, file: String)
    case sharedImage(String, splits: [DataSplit], folder: String)
    case heldBack(Int, images: Int, folder: String)
    case unrecognizedRegions(folder: String)
    /// Both count from 1.
    case badRegion(reason: String, file: String, image: String, region: Int)
    case badPictureSize(width: Double, height: Double, file: String, image: String)
    /// None of a file's images is in a split, or none has a box.
    case noRegions(file: String, lists: String)
}

extension DataSetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noFolder(let folder): "\(folder): is not a folder."
        case .unrecognized(let folder):
            """
            \(folder): holds no data set that is known; expected one of: \
            Flickr8k (images/, captions.txt, train.txt, dev.txt), \
            Karpathy's splits (dataset_NAME.json and the images), \
            COCO (captions_train….json or annotations/captions_….json and the images).
            """
        case .unrecognizedQuestions(let folder):
            """
            \(folder): holds no questions that are known; expected one of: \
            DAQUAR (images/, train.tsv), \
            easy-VQA (train/questions.json and train/images/, or questions.json and images/), \
            VQA (…OpenEnded_mscoco_train2014_questions.json, …mscoco_train2014_annotations.json and the images).
            """
        case .unrecognizedRegions(let folder):
            """
            \(folder): holds no regions that are known; expected one of: \
            Flickr8k with the boxes of Flickr30k Entities (images/, regions.json, train.txt, dev.txt), \
            Visual Genome (region_descriptions.json, image_data.json, densecap_splits.json and VG_100K/, VG_100K_2/).
            """
        case .severalDataSets(let names, let folder):
            "\(folder): holds \(names.joined(separator: " and ")); put each into a folder of its own."
        case .missingFile(let name, let folder): "\(folder): has no '\(name)', which this data set needs."
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)."
        case .badHeader(let text, let expected, let file): "\(file), line 1: expected \(expected), not '\(text)'."
        case .badLine(let text, let expected, let file, let line):
            "\(file), line \(line): expected \(expected), not '\(text)'."
        case .noCaptions(let image, let file, let line):
            "\(file), line \(line): the image '\(image)' has no captions in captions.txt."
        case .unsafeName(let name, let file): "\(file): '\(name)' is not the name of a file in the images' folder."
        case .missingImages(let first, 1, let folder): "\(folder): the image '\(first)' is missing."
        case .missingImages(let first, let count, let folder): "\(folder): \(count) images are missing, the first is '\(first)'."
        case .repeatedImage(let image, let file): "\(file): names the image '\(image)' twice."
        case .badJSON(let file, let reason): "\(file): is not what was expected: \(reason)."
        case .unknownSplit(let split, let file, let image):
            "\(file): the image '\(image)' is in the split '\(split)'; known are train, restval, val, test."
        case .unknownImage(let id, let file): "\(file): a caption is for the image \(id), which the file does not list."
        case .empty(let file): "\(file): holds no captions."
        case .unknownSubset(let file):
            "\(file): its name does not tell the split; expected …_mscoco_train2014_questions.json, …_val2014_… or …_test2015_…."
        case .noClips(let folder, []):
            "\(folder): holds no videos in folders of classes, and no questions.json; put the videos of every class in a folder."
        case .noClips(let folder, let classes):
            "\(folder): holds no videos of the classes \(classes.prefix(8).joined(separator: ", "))."
        case .noQuestions(let file): "\(file): holds no questions."
        case .repeatedQuestion(let id, let file): "\(file): has the question \(id) twice."
        case .noAnswers(let question, let file): "\(file): has no answers to the question \(question)."
        case .otherImage(let question, let image, let file):
            "\(file): the answers to the question \(question) are for the image \(image), but the question is about another."
        case .sharedImage(let image, let splits, let folder):
            """
            \(folder): the image '\(image)' is in \(splits.map(\.rawValue).joined(separator: " and in ")); \
            an image may be in one split only.
            """
        case .heldBack(let count, let images, let folder):
            """
            \(folder): of \(images) \(images == 1 ? "image" : "images") \(count) cannot be held back for validation; \
            give a number from 0 to \(images - 1).
            """
        case .badRegion(let reason, let file, let image, let region):
            "\(file): the region \(region) of the image '\(image)' \(reason)."
        case .badPictureSize(let width, let height, let file, let image):
            """
            \(file): the image '\(image)' has the size W \(width.formatted(.number.grouping(.never))), \
            H \(height.formatted(.number.grouping(.never))); expected numbers greater than 0.
            """
        case .noRegions(let file, let lists): "\(file): holds no marked regions of the images that \(lists) list."
        }
    }

    /// What a decoder says, with the place.
    static func json(_ error: any Error, file: String) -> DataSetError {
        guard let error = error as? DecodingError else { return .badJSON(file: file, reason: "\(error)") }
        let context: DecodingError.Context
        switch error {
        case .keyNotFound(let key, let found):
            let place = found.codingPath.map(\.stringValue).joined(separator: ".")
            return .badJSON(file: file, reason: "'\(key.stringValue)' is missing" + (place.isEmpty ? "" : " in '\(place)'"))
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        @unknown default: return .badJSON(file: file, reason: "\(error)")
        }
        let place = context.codingPath.map(\.stringValue).joined(separator: ".")
        let sentence = context.debugDescription.trimmingCharacters(in: CharacterSet(charactersIn: ". "))
        return .badJSON(file: file, reason: place.isEmpty ? sentence : "\(place): \(sentence)")
    }

    /// Reads a file into memory without copying what the page cache has.
    static func contents(_ url: URL) throws(DataSetError) -> Data {
        do {
            return try Data(contentsOf: url, options: .mappedIfSafe)
        } catch {
            let code = (error as NSError).code
            let missing = code == NSFileReadNoSuchFileError || code == NSFileNoSuchFileError
            throw .unreadable(file: url.path, reason: missing ? "there is no such file" : (error as NSError).localizedDescription)
        }
    }

    /// The lines of a text file, the first first, without their ends; also empty ones.
    static func lines(_ url: URL) throws(DataSetError) -> [String] {
        let data = try contents(url)
        guard let text = String(validating: data, as: UTF8.self) else {
            throw .unreadable(file: url.path, reason: "it is not UTF-8 text")
        }
        return text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(Substring(line.last == "\r" ? line.dropLast() : line))
        }
    }
}
