import Checkpoints
import Foundation
import Media
import ModelKit
import Runtime
import Tensors
import Testing
import Training

/// The network that easy-VQA's author trained with Keras, converted as its card says.
@Suite(.serialized, .enabled(if: SharedEasyVQA.isHere, "needs ../shared/data/checkpoints/keras2.3-easy-vqa and easy-vqa"))
struct KerasAnswerer {
    private let folder: TemporaryFolder
    private let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        let cards = Project.root.appending(path: "ModelCards"), rules = "conversions/easy-vqa-keras.json"
        try folder.write(
            "ModelCards/easy-vqa-keras.json", String(contentsOf: cards.appending(path: "easy-vqa-keras.json"), encoding: .utf8))
        let card = try ModelCard(contentsOf: folder.file("ModelCards/easy-vqa-keras.json"))
        #expect(card.weights[0].howToGet?.hasSuffix("--rename ModelCards/\(rules)") == true)

        struct Words: Decodable { let answers: [String] }
        let words = try Data(contentsOf: SharedEasyVQA.checkpoint.appending(path: "vocabulary.json"))
        try folder.write("Weights/easy-vqa-keras.words.json", String(decoding: words, as: UTF8.self))
        let answers = try JSONDecoder().decode(Words.self, from: words).answers
        try folder.write("Weights/easy-vqa-keras.answers.txt", answers.joined(separator: "\n") + "\n")
        // The card tells how to write this file by hand.
        #expect(card.answers?.howToGet?.hasSuffix(": \(answers.joined(separator: ", ")).") == true)

        let original = try Checkpoint.open(SharedEasyVQA.checkpoint.appending(path: "model.h5").path)
        let map = try TensorMap(json: String(contentsOf: cards.appending(path: rules), encoding: .utf8), from: rules)
        let report = try original.convert(
            to: folder.file("Weights/easy-vqa-keras.h5"), map: map, attributes: original.attributes)
        #expect(report.isFaithful && report.dropped.isEmpty && report.rows.allSatisfy { $0.rule != nil })
        #expect(report.rows.reduce(0) { $0 + $1.shape.reduce(1, *) } == card.parametersCount)

        let zoo = Zoo(
            catalogue: Catalogue([.init(.folder, root: folder.path)]), plugins: PluginTable(builtIn: Project.plugins),
            backend: fastestBackend(threads: 2))
        model = try zoo.load("easy-vqa-keras")
    }

    private func ask(_ file: URL, _ questions: [String], options: [JSONValue.Member] = []) throws -> [Answers] {
        let request = Request(name: file.path, image: try Image(contentsOf: file.path), questions: questions)
        return try model.session(options: options)(request).parts.compactMap { $0 as? Answers }
    }

    /// Against the same graph in NumPy (Reference/easy_vqa_keras.py), all probabilities in the order of the answers.
    @Test(
        arguments: [
            (
                0, "what is the blue shape?",
                [
                    3.02558e-06, 7.95631e-09, 1.64341e-07, 0.998826, 9.83222e-07, 2.37234e-06, 1.932e-06,
                    0.000412635, 0.000724792, 2.52897e-05, 1.08387e-09, 3.75319e-07, 2.07516e-06,
                ]
            ),
            (
                1, "what color is the shape?",
                [
                    1.60455e-06, 6.58029e-08, 5.34502e-08, 2.21768e-06, 2.06026e-07, 6.21328e-06, 0.999909,
                    5.91711e-08, 1.95656e-07, 5.07426e-05, 2.11604e-07, 2.46319e-06, 2.69338e-05,
                ]
            ),
            (
                7, "does the image contain a circle?",
                [
                    8.3287e-07, 7.48696e-08, 0.0095644, 1.49094e-07, 4.5556e-09, 5.44422e-07, 2.26581e-08,
                    0.990433, 8.68671e-07, 9.85392e-08, 3.50546e-09, 2.04477e-08, 2.27062e-08,
                ]
            ),
            (
                3999, "is there not a red shape, my friend?",
                [
                    7.10416e-08, 8.20654e-09, 0.999335, 8.73545e-08, 4.52738e-09, 4.32704e-06, 3.80688e-08,
                    0.000659711, 9.10253e-08, 2.8752e-08, 1.34451e-08, 7.90636e-07, 2.0578e-09,
                ]
            ),
        ] as [(Int, String, [Double])])
    func sameAsKeras(_ number: Int, _ question: String, _ expected: [Double]) throws {
        let file = SharedEasyVQA.dataSet.appending(path: "train/images/\(number).png")
        let answers = try #require(try ask(file, [question], options: [.init("nbest", .integer(13))]).first)
        #expect(answers.answers.count == 13)
        for answer in answers.answers {
            let p = expected[try #require(model.labels.firstIndex(of: answer.text))]
            #expect(abs(Double(answer.probability) - p) <= 1e-6 + 1e-4 * p, "\(answer.text)")
        }
        #expect(answers.text == model.labels[expected.indices.max { expected[$0] < expected[$1] }!])
    }

    /// 99.3 % of all 34,764 questions. It may have learnt from these pictures; what is measured is the conversion.
    @Test func nearlyAllAnswersAreRight() throws {
        let images = try QuestionDataSet(folder: SharedEasyVQA.dataSet)[.train].prefix(1000)
        var right = 0, all = 0
        for image in images {
            let answers = try ask(image.file, image.questions.map(\.text))
            right += zip(answers, image.questions).count { $0.text == $1.answer }
            all += image.questions.count
        }
        #expect(all > 9000 && Double(right) >= 0.98 * Double(all), "\(right) of \(all)")
    }
}

/// Data that is not part of the project.
private enum SharedEasyVQA {
    private static let data = Project.root.appending(path: "../shared/data")
    static let dataSet = data.appending(path: "easy-vqa")
    static let checkpoint = data.appending(path: "checkpoints/keras2.3-easy-vqa")
    static var isHere: Bool {
        [checkpoint.appending(path: "model.h5"), dataSet.appending(path: "train/questions.json")].allSatisfy {
            FileManager.default.fileExists(atPath: $0.path)
        }
    }
}
