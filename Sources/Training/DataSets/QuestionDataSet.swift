public import Foundation
import NeuralNetworks

/// Images with questions about them and people's answers, in splits.
///
/// `QuestionDataSet(folder:)` recognises by the folder's content: DAQUAR, easy-VQA, VQA v1 and v2.
public struct QuestionDataSet: SplitDataSet, Hashable {
    public struct Question: Sendable, Hashable {
        /// Unique in the data set.
        public let id: Int
        public let text: String
        /// What training learns: the answer, of several people's the most frequent. As it was written; DAQUAR's may have
        /// `parts`.
        public let answer: String
        /// Every person's answer in the file's order: ten in VQA, one elsewhere.
        public let answers: [String]
        /// VQA's: the words that the question begins with ("how many", "is the", …; "none of the above").
        public let questionType: String?
        /// VQA's: "yes/no", "number", "other".
        public let answerType: String?
        /// The answers to choose from, 18 in VQA's multiple-choice task; empty elsewhere.
        public let choices: [String]

        public init(
            id: Int, text: String, answer: String, answers: [String], questionType: String? = nil, answerType: String? = nil,
            choices: [String] = []
        ) {
            (self.id, self.text, self.answer, self.answers) = (id, text, answer, answers)
            (self.questionType, self.answerType, self.choices) = (questionType, answerType, choices)
        }

        /// The things that the answer names: "book, scissor, papers" are three. One unless DAQUAR's.
        public var parts: [String] { Self.parts(of: answer) }

        /// What stands between an answer's commas: at least one part, perhaps an empty one.
        public static func parts(of answer: String) -> [String] {
            answer.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false).map {
                String($0).trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
    }

    public struct Image: Sendable, Hashable {
        /// The file's name, with its folder where names repeat: unique in the data set.
        public let name: String
        public let file: URL
        /// In the file's order; at least one.
        public let questions: [Question]

        public init(name: String, file: URL, questions: [Question]) {
            self.name = name
            self.file = file
            self.questions = questions
        }
    }

    /// For reports: "DAQUAR", "easy-VQA", "VQA v1", "VQA v2", "VQA v1 abstract scenes".
    public let name: String
    /// Images stand in the order in which their file first asks about them.
    public let splits: [Split: [Image]]

    public init(name: String, splits: [Split: [Image]]) {
        (self.name, self.splits) = (name, splits)
    }

    /// The questions of a split, image by image.
    public func questions(_ split: Split) -> [Question] { self[split].flatMap(\.questions) }

    /// Reads the data set in a folder.
    ///
    /// Where it has no validation split of its own, images are held back from the training images for it: with all their
    /// questions, since a question about an image that was trained on tells nothing about new images.
    ///
    /// - Parameters:
    ///   - images: the images' folder, where it is not in `folder`.
    ///   - heldBack: how many images; a tenth, rounded up (80 of DAQUAR's 795), if nil; 0 for no validation split. Of no effect
    ///     on a data set with one of its own.
    ///   - seed: draws the images; the same seed draws the same ones on every machine.
    /// - Throws: `DataSetError.unrecognizedQuestions` with a list of what a folder may hold, or what is wrong with the one
    ///   recognised.
    public init(folder: URL, images: URL? = nil, heldBack: Int? = nil, seed: UInt64 = 1) throws(DataSetError) {
        let listing = try FolderListing(folder)
        let whole: QuestionDataSet
        if listing.names.contains("train.tsv") {
            whole = try DAQUARFolder(listing, images: images).dataSet()
        } else if let easy = EasyVQAFolder(listing, images: images) {
            whole = try easy.dataSet()
        } else if let files = try VQAFiles(listing, images: images) {
            whole = try files.dataSet()
        } else {
            throw .unrecognizedQuestions(folder: folder.path)
        }
        guard whole[.val].isEmpty, !whole[.train].isEmpty else {
            self = whole
            return
        }
        let count = whole[.train].count
        let drawn = heldBack ?? min(count - 1, (count + 9) / 10)
        guard (0..<count).contains(drawn) else { throw .heldBack(drawn, images: count, folder: folder.path) }
        self = whole.holdingBack(drawn, seed: seed)
    }

    /// Moves images, drawn by the seed, from the training to the validation split; both keep their order.
    private func holdingBack(_ count: Int, seed: UInt64) -> QuestionDataSet {
        let images = self[.train]
        let drawn = Set(RandomSource(seed: seed).permutation(images.count).prefix(count))
        var splits = splits
        splits[.train] = images.indices.filter { !drawn.contains($0) }.map { images[$0] }
        splits[.val] = images.indices.filter(drawn.contains).map { images[$0] }
        return QuestionDataSet(name: name, splits: splits)
    }
}
