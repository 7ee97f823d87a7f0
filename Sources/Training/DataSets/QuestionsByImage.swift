import Foundation

/// Gathers questions by image, in the order in which the images come first.
struct QuestionsByImage {
    private var places: [String: Int] = [:]
    private var names: [String] = []
    private var files: [URL?] = []
    private var questions: [[QuestionDataSet.Question]] = []

    /// - Parameter file: asked once for every image; nil if it is missing.
    mutating func add(_ question: QuestionDataSet.Question, image name: String, file: () -> URL?) {
        if let place = places[name] {
            questions[place].append(question)
        } else {
            places[name] = names.count
            names.append(name)
            files.append(file())
            questions.append([question])
        }
    }

    /// - Parameters:
    ///   - file: where the questions stand.
    ///   - folder: where the images were looked for.
    /// - Throws: `DataSetError.noQuestions`, `.missingImages`.
    func images(file: String, folder: String) throws(DataSetError) -> [QuestionDataSet.Image] {
        guard !names.isEmpty else { throw .noQuestions(file: file) }
        let missing = files.indices.filter { files[$0] == nil }
        if let first = missing.first { throw .missingImages(first: names[first], count: missing.count, folder: folder) }
        return names.indices.map { QuestionDataSet.Image(name: names[$0], file: files[$0]!, questions: questions[$0]) }
    }
}
