import ModelKit
import NeuralNetworks
import Tensors

/// What `zoo bench --training` has measured, for people and for programs.
struct TrainingReport {
    private let benchmark: NetworkBenchmark
    private let images: Int, threads: Int, backend: String
    private let timing: Timing
    private let steps: TrainingBenchmark

    init(
        _ benchmark: NetworkBenchmark, images: Int, threads: Int, backend: String, timing: Timing, steps: TrainingBenchmark
    ) {
        (self.benchmark, self.images, self.threads, self.backend) = (benchmark, images, threads, backend)
        (self.timing, self.steps) = (timing, steps)
    }

    func write(asJSON: Bool) throws { try Console.output.write(asJSON ? json.text() : text) }

    private var shape: [Int] { [images] + benchmark.input.dimensions }
    private var imagesPerSecond: Double { Double(images) / timing.median }

    private var json: JSONValue {
        .object([
            .init("model", .string(benchmark.card.name)), .init("backbone", .string(benchmark.backboneCard)),
            .init("input", .array(shape.map(JSONValue.integer))), .init("threads", .integer(threads)),
            .init("backend", .string(backend)), .init("weights", benchmark.weights.map(JSONValue.string) ?? .null),
            .init("repetitions", .integer(timing.count)), .init("milliseconds", timing.json),
            .init("imagesPerSecond", .number(imagesPerSecond)),
            .init("losses", .array(steps.losses.prefix(3).map { .number(Double($0)) })),
            .init("gradientNorm", .number(Double(steps.gradientNorm))),
            .init(
                "optimizer",
                .object([
                    .init("name", .string("sgd")), .init("learningRate", .number(Double(TrainingBenchmark.learningRate))),
                    .init("momentum", .number(Double(TrainingBenchmark.momentum))),
                ])),
        ])
    }

    private var text: String {
        func number(_ value: Double) -> String { Figure.formatted(value, value < 100 ? "%.2f" : "%.0f") }
        let (name, owner) = (benchmark.card.name, benchmark.backboneCard)
        return """
            \(owner == name ? name : "\(name) (the network of \(owner))"): training on \(TensorsCommand.shape(shape)), \
            \(threads) thread\(threads == 1 ? "" : "s"), \(backend)
            Step          \(number(1e3 * timing.median)) ms, the median of \(timing.count); least \
            \(number(1e3 * timing.minimum)) ms, nine in ten within \(number(1e3 * timing.ninetieth)) ms
            Pictures      \(number(imagesPerSecond)) a second
            Loss          \(steps.losses.prefix(3).map { Figure.formatted(Double($0), "%.4f") }.joined(separator: ", ")) \
            before the first steps
            """
    }
}
