import Foundation

/// easy-VQA (Zhou, 2019; `vzhou842/easy-VQA`): generated pictures of one shape each.
///
/// `train/questions.json`, perhaps `val/questions.json` and `test/questions.json`: a list of `[question, answer, image number]`;
/// the pictures `train/images/NUMBER.png`. Or one list, `questions.json`, and `images/`. Questions are numbered from 1 through
/// all files.
struct EasyVQAFolder {
    private let folder: URL
    private let images: URL
    /// Splits with their folders; "" if the lists are not in folders of their own.
    private let parts: [(split: DataSplit, folder: String)]

    /// Nil if the folder is not such a one.
    init?(_ listing: FolderListing, images: URL?) {
        folder = listing.url
        self.images = images ?? listing.url
        func hasQuestions(_ name: String) -> Bool { listing.in(name)?.names.contains("questions.json") ?? false }
        if hasQuestions("train") {
            parts = [DataSplit.train, .val, .test].map { ($0, $0.rawValue) }.filter { hasQuestions($0.folder) }
        } else if listing.names.contains("questions.json") {
            parts = [(.train, "")]
        } else {
            return nil
        }
    }

    private struct Entry: Decodable {
        let question: String
        let answer: String
        let image: Int

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            question = try list.decode(String.self)
            answer = try list.decode(String.self)
            // Of a fraction the decoder would say that the file is not JSON.
            let number = Int(exactly: try list.decode(Double.self))
            guard let number, list.isAtEnd, !question.isEmpty, !answer.isEmpty else {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "expected [question, answer, image number], none of them empty"))
            }
            image = number
        }
    }

    func dataSet() throws(DataSetError) -> QuestionDataSet {
        var files = ImageFolder(images)
        var splits: [DataSplit: [QuestionDataSet.Image]] = [:]
        var number = 0
        for part in parts {
            let url = folder.appendingPathComponent(part.folder.isEmpty ? "questions.json" : part.folder + "/questions.json")
            let data = try DataSetError.contents(url)
            let entries: [Entry]
            do {
                entries = try JSONDecoder().decode([Entry].self, from: data)
            } catch {
                throw .json(error, file: url.path)
            }
            // Other splits' pictures have the same numbers, so a folder that is not of this split is right for a single one only.
            let own = part.folder.isEmpty ? [] : [part.folder + "/images", part.folder]
            let folders = parts.count == 1 ? own + ["images", ""] : own
            var questions = QuestionsByImage()
            for entry in entries {
                number += 1
                let name = "\(entry.image).png"
                questions.add(
                    QuestionDataSet.Question(id: number, text: entry.question, answer: entry.answer, answers: [entry.answer]),
                    image: part.folder.isEmpty ? name : "\(part.folder)/\(name)", file: { files.file(name, in: folders) })
            }
            splits[part.split] = try questions.images(file: url.path, folder: images.path)
        }
        return QuestionDataSet(name: "easy-VQA", splits: splits)
    }
}
