import Foundation

/// The official files of VQA v1 (Antol et al., ICCV 2015) and v2 (Goyal et al., CVPR 2017).
///
/// `[v2_]OpenEnded_mscoco_train2014_questions.json`: `{"questions": [{"question_id", "image_id", "question"}]}`;
/// `MultipleChoice_mscoco_train2014_questions.json`: the same questions with `"multiple_choices"`, read instead if it is there;
/// `[v2_]mscoco_train2014_annotations.json`: `{"annotations": [{"question_id", "image_id", "question_type", "answer_type",
/// "multiple_choice_answer", "answers": [{"answer"}]}]}`.
///
/// They stand in the folder or in its `Questions/`, `questions/`, `Annotations/`, `annotations/`. COCO's photos are
/// `COCO_train2014_000000000009.jpg` in `train2014/`, `images/train2014/`, `Images/mscoco/train2014/`, `mscoco/train2014/`,
/// `images/` or the folder itself; abstract scenes are `abstract_v002_train2015_000000000009.png` likewise. Test questions,
/// whose answers are not public, are left out.
struct VQAFiles {
    /// The questions about one folder of images.
    private struct Part {
        /// "v1", "v2".
        var release: String
        /// "mscoco", "abstract_v002".
        var source: String
        /// "train2014": the images' folder, whose name begins with the split's.
        var subset: String
        var split: DataSplit
        var questions: URL
        var annotations: URL
    }

    private let parts: [Part]
    private let images: URL

    /// Nil if there are no questions in the folder.
    init?(_ listing: FolderListing, images: URL?) throws(DataSetError) {
        self.images = images ?? listing.url
        let suffix = "_questions.json"
        let listings = [listing] + ["Questions", "questions", "Annotations", "annotations"].compactMap(listing.in)
        let files = listings.flatMap { folder in
            folder.all { $0.hasSuffix(suffix) }.map { (name: $0, file: folder.url.appendingPathComponent($0)) }
        }
        var parts: [Part] = []
        var asked: Set<String> = []
        // "MultipleChoice" sorts before "OpenEnded" and so is the one that counts.
        for (name, file) in files.sorted(by: { $0.name < $1.name }) {
            let isSecond = name.hasPrefix("v2_")
            let rest = name.dropFirst(isSecond ? "v2_".count : 0)
            guard let task = ["MultipleChoice_", "OpenEnded_"].first(where: rest.hasPrefix) else { continue }
            let images = rest.dropFirst(task.count).dropLast(suffix.count)
            guard let cut = images.lastIndex(of: "_"),
                let split = [DataSplit.train, .val, .test].first(where: { images[cut...].hasPrefix("_" + $0.rawValue) })
            else { throw .unknownSubset(file: file.path) }
            let subset = String(images[images.index(after: cut)...])
            let annotations = (isSecond ? "v2_" : "") + images + "_annotations.json"
            guard let home = listings.first(where: { $0.names.contains(annotations) }) else {
                if split == .test { continue }
                throw .missingFile(annotations, folder: listing.url.path)
            }
            guard asked.insert(annotations).inserted else { continue }
            parts.append(
                Part(
                    release: isSecond ? "v2" : "v1", source: String(images[..<cut]), subset: subset, split: split,
                    questions: file, annotations: home.url.appendingPathComponent(annotations)))
        }
        guard !parts.isEmpty else { return nil }
        self.parts = parts
        let names = Set(parts.map(Self.name)).sorted()
        guard names.count == 1 else { throw .severalDataSets(names, folder: listing.url.path) }
    }

    private static func name(_ part: Part) -> String {
        let source = part.source == "mscoco" ? "" : part.source.hasPrefix("abstract") ? " abstract scenes" : " " + part.source
        return "VQA " + part.release + source
    }

    private struct Questions: Decodable {
        struct Question: Decodable {
            let question_id: Int
            let image_id: Int
            let question: String
            let multiple_choices: [String]?
        }
        let questions: [Question]
    }

    private struct Annotations: Decodable {
        struct Annotation: Decodable {
            struct Answer: Decodable { let answer: String }
            let question_id: Int
            let image_id: Int
            let question_type: String?
            let answer_type: String?
            let multiple_choice_answer: String?
            let answers: [Answer]
        }
        let annotations: [Annotation]
    }

    func dataSet() throws(DataSetError) -> QuestionDataSet {
        var files = ImageFolder(images)
        var splits: [DataSplit: [QuestionDataSet.Image]] = [:]
        var ids: Set<Int> = []
        for part in parts {
            let list = try Self.decode(Questions.self, part.questions).questions
            var annotations: [Int: Annotations.Annotation] = [:]
            for annotation in try Self.decode(Annotations.self, part.annotations).annotations {
                guard annotations.updateValue(annotation, forKey: annotation.question_id) == nil else {
                    throw .repeatedQuestion(id: annotation.question_id, file: part.annotations.path)
                }
            }
            let folders = [
                part.subset, "images/" + part.subset, "Images/\(part.source)/" + part.subset, "\(part.source)/" + part.subset,
                "images", "",
            ]
            var questions = QuestionsByImage()
            for item in list {
                guard ids.insert(item.question_id).inserted else {
                    throw .repeatedQuestion(id: item.question_id, file: part.questions.path)
                }
                guard let annotation = annotations[item.question_id], !annotation.answers.isEmpty else {
                    throw .noAnswers(question: item.question_id, file: part.annotations.path)
                }
                guard annotation.image_id == item.image_id else {
                    throw .otherImage(question: item.question_id, image: annotation.image_id, file: part.annotations.path)
                }
                let answers = annotation.answers.map(\.answer)
                let name = Self.imageName(item.image_id, part)
                questions.add(
                    QuestionDataSet.Question(
                        id: item.question_id, text: item.question,
                        answer: annotation.multiple_choice_answer ?? Self.mostFrequent(answers), answers: answers,
                        questionType: annotation.question_type, answerType: annotation.answer_type,
                        choices: item.multiple_choices ?? []),
                    image: "\(part.subset)/\(name)", file: { files.file(name, in: folders) })
            }
            splits[part.split, default: []] += try questions.images(file: part.questions.path, folder: images.path)
        }
        return QuestionDataSet(name: Self.name(parts[0]), splits: splits)
    }

    /// "COCO_train2014_000000000009.jpg"
    private static func imageName(_ id: Int, _ part: Part) -> String {
        let number = String(repeating: "0", count: max(0, 12 - String(id).count)) + String(id)
        return part.source == "mscoco" ? "COCO_\(part.subset)_\(number).jpg" : "\(part.source)_\(part.subset)_\(number).png"
    }

    /// Of equally frequent answers the one that was given first.
    private static func mostFrequent(_ answers: [String]) -> String {
        var counts: [String: Int] = [:]
        for answer in answers { counts[answer, default: 0] += 1 }
        let most = counts.values.max()
        return answers.first { counts[$0] == most } ?? ""
    }

    private static func decode<File: Decodable>(_ type: File.Type, _ url: URL) throws(DataSetError) -> File {
        let data = try DataSetError.contents(url)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw .json(error, file: url.path)
        }
    }
}
