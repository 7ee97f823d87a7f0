import Media
import ModelKit
import NeuralNetworks
import Runtime
import Tensors

/// How fast a captioner says words, apart from its backbone.
///
/// With random numbers for weights, whatever files there are: so every sentence goes on for as many words as wanted, and no
/// two machines say different ones.
struct DecodingBenchmark {
    struct Row {
        let storage: WeightStorage
        let method: String
        let beam: Int
        let words: Int
        let timing: Timing
        var wordsPerSecond: Double { Double(words) / timing.median }
    }

    static let words = 20
    let rows: [Row]

    init(_ card: ModelCard, in zoo: Zoo, _ repetitions: Timing.Repetitions) throws {
        let random = RandomSource(seed: 1), side = 256
        let pixels = (0..<side * side * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let request = Request(name: "noise", image: Image(width: side, height: side, pixels: pixels))
        var rows: [Row] = []
        for storage in WeightStorage.allCases {
            let model = try zoo.load(card.document.file, parameters: FreshParameters(seed: 0), storage: storage)
            for (method, beam) in [("greedy", 1), ("beam", 3), ("beam", 20)] {
                let session = try model.session(options: [
                    .init("method", .string(method)), .init("beam", .integer(beam)), .init("max_length", .integer(Self.words)),
                    .init("convention", .string("im2txt")),
                    // As good as none, but sentences that have ended do not end the search.
                    .init("length_normalization", .number(1e-6)),
                ])
                var said: Captions?, seconds: [Double] = []
                // The backbone runs every time too, so the clock that counts is not the one that measures.
                _ = try Timing(repetitions) {
                    let (prediction, stages) = try session.timed(request)
                    said = prediction as? Captions
                    seconds.append(stages.decoding / Duration.seconds(1))
                }
                let timing = Timing(Array(seconds.dropFirst(repetitions.warmUp)))
                let words = beam > 1 ? Self.words : said?.alternatives.first?.words.count ?? Self.words
                rows.append(Row(storage: storage, method: method, beam: beam, words: words, timing: timing))
            }
        }
        self.rows = rows
    }
}
