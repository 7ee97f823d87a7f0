import Foundation

/// DAQUAR (Malinowski & Fritz, NIPS 2014): questions about indoor photos of NYU Depth v2, as tables.
///
/// `images/`; `train.tsv`, perhaps `val.tsv` and `test.tsv`: a header `image<TAB>question<TAB>answer` and a line per question.
/// An answer that names several things has commas. Questions are numbered from 1 through all files.
struct DAQUARFolder {
    private let listing: FolderListing
    private let images: URL

    init(_ listing: FolderListing, images: URL?) {
        self.listing = listing
        self.images = images ?? listing.url.appendingPathComponent("images")
    }

    func dataSet() throws(DataSetError) -> QuestionDataSet {
        var files = ImageFolder(images)
        var splits: [DataSplit: [QuestionDataSet.Image]] = [:]
        var homes: [String: DataSplit] = [:]
        var number = 0
        for (split, name) in [(DataSplit.train, "train.tsv"), (.val, "val.tsv"), (.test, "test.tsv")]
        where listing.names.contains(name) {
            let url = listing.url.appendingPathComponent(name)
            var questions = QuestionsByImage()
            for (index, line) in try DataSetError.lines(url).enumerated() {
                if index == 0 {
                    guard line == "image\tquestion\tanswer" else {
                        throw .badHeader(
                            Self.excerpt(line), expected: "'image', 'question' and 'answer' between tabs", file: url.path)
                    }
                    continue
                }
                if line.isEmpty { continue }
                let fields = line.unicodeScalars.split(separator: "\t", omittingEmptySubsequences: false).map {
                    String($0).trimmingCharacters(in: .whitespaces)
                }
                guard fields.count == 3, !fields.contains("") else {
                    throw .badLine(
                        Self.excerpt(line), expected: "an image, a question and an answer between tabs", file: url.path,
                        line: index + 1)
                }
                try ImageFolder.check(fields[0], file: url.path)
                let home = homes[fields[0], default: split]
                guard home == split else {
                    throw .sharedImage(fields[0], splits: [home, split], folder: listing.url.path)
                }
                homes[fields[0]] = split
                number += 1
                questions.add(
                    QuestionDataSet.Question(id: number, text: fields[1], answer: fields[2], answers: [fields[2]]),
                    image: fields[0], file: { files.file(fields[0], in: [""]) })
            }
            splits[split] = try questions.images(file: url.path, folder: images.path)
        }
        return QuestionDataSet(name: "DAQUAR", splits: splits)
    }

    /// The beginning of a line, with spaces for tabs.
    private static func excerpt(_ line: String) -> String { line.prefix(60).replacingOccurrences(of: "\t", with: " ") }
}
