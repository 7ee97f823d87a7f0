import ArgumentParser
import Checkpoints
import ModelKit
import NeuralNetworks
import Runtime
import Tensors

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures how fast a model's network runs on this machine.",
        discussion: """
            Times the convolutional network of a card on pictures of noise, with the card's weights where they are here and \
            with random numbers otherwise, which takes as long. GFLOP/s count a multiplication and an addition as two and \
            every convolution as if it were computed directly, so algorithms that save multiplications can exceed the \
            machine's peak, which is measured beside them. For captioners also the words per second of decoding.

            Examples:
              zoo bench vgg-16
              zoo bench captioner --threads 1 --json
              zoo bench vgg-19 --size 448 --tap pool5 --layers
              zoo bench resnet-50 --batch 8 --seconds 10
              zoo bench zoo-cnn --training --batch 32 --size 128
            """)

    @Argument(help: "The model: its name, an alias, or the path of its card.", completion: .modelNames)
    var model: String
    @Option(help: ArgumentHelp("How many pictures go through the network at a time (default: 1).", valueName: "n"))
    var batch: Int?
    @Option(help: ArgumentHelp("Height and width of the pictures (default: the card's).", valueName: "n"))
    var size: Int?
    @Option(help: ArgumentHelp("Stop after this layer instead of where the card does.", valueName: "layer"))
    var tap: String?
    @Option(help: ArgumentHelp("How often the network runs, after two runs to warm up.", valueName: "n"))
    var repetitions: Int?
    @Option(help: ArgumentHelp("How long the network runs instead (default: 3), at least five times.", valueName: "s"))
    var seconds: Double?
    @Flag(help: "Time every layer too, in as many more runs.")
    var layers = false
    @Flag(help: "Time steps of training instead: forward, loss, backward, optimiser.")
    var training = false
    @Flag(help: "Run once, without warming up or measuring the machine: for timing the whole process from outside.")
    var cold = false
    @Option(
        help: ArgumentHelp("Take the weights of the backbone from this file.", valueName: "file"),
        completion: .file(extensions: ["h5", "safetensors", "npz"]))
    var weights: String?
    @Option(
        help: ArgumentHelp("Write the weights that are used, in the format of the extension.", valueName: "file"),
        completion: .file(extensions: ["h5", "safetensors", "npz"]))
    var saveWeights: String?
    @Option(
        help: ArgumentHelp("Take the pictures from this file: one tensor, n × height × width × channels.", valueName: "file"),
        completion: .file(extensions: ["npy", "npz", "safetensors", "h5"]))
    var input: String?
    @Option(
        help: ArgumentHelp("Write the network's result, in the format of the extension.", valueName: "file"),
        completion: .file(extensions: ["npy", "npz", "safetensors", "h5"]))
    var saveOutput: String?
    @Flag(help: "Write a JSON object; its list of layers has times with --layers.")
    var json = false
    @OptionGroup var options: GlobalOptions

    func validate() throws {
        func check(_ option: String, _ number: Int?, _ range: ClosedRange<Int>) throws {
            guard let number, !range.contains(number) else { return }
            throw ValidationError("--\(option) must be a number from \(range.lowerBound) to \(range.upperBound), not \(number)")
        }
        try check("batch", batch, 1...1024)
        try check("size", size, 1...4096)
        try check("repetitions", repetitions, 1...1_000_000)
        if let seconds, !(seconds > 0 && seconds <= 3600) {
            throw ValidationError("--seconds must be a number above 0 and up to 3600, not \(seconds)")
        }
        if repetitions != nil, seconds != nil {
            throw ValidationError("--repetitions and --seconds exclude each other; leave one out")
        }
        if cold, repetitions != nil || seconds != nil || layers {
            throw ValidationError("--cold runs once; leave --repetitions, --seconds and --layers out")
        }
        if training, layers || cold || saveOutput != nil {
            throw ValidationError("--training times whole steps; leave --layers, --cold and --save-output out")
        }
        if input != nil, batch != nil { throw ValidationError("--input has a number of pictures already; leave --batch out") }
        for (option, path) in [("save-weights", saveWeights), ("save-output", saveOutput)] {
            guard let path else { continue }
            guard let format = CheckpointFormat.all.first(where: { $0.matches(extensionOf: path) }), format.isWritable else {
                let extensions = CheckpointFormat.all.filter(\.isWritable).flatMap(\.extensions).map { "." + $0 }
                throw ValidationError(
                    "--\(option) \(path): the extension tells no format that can be written; use one of "
                        + extensions.joined(separator: ", "))
            }
        }
    }

    private var limits: Timing.Repetitions {
        if cold { return .exactly(1, warmUp: 0) }
        return repetitions.map { .exactly($0) } ?? .init(seconds: seconds ?? 3)
    }

    func run() throws {
        let zoo = try options.zoo()
        let benchmark = try NetworkBenchmark(
            model, size: size, tap: tap, weights: weights, for: training ? .training : .inference, isCached: cold, in: zoo)
        if benchmark.weights == nil {
            Console.error.say("\(benchmark.card.name): the weights are not here; random numbers take their place.")
        }
        if let saveWeights { try benchmark.saveWeights(to: saveWeights) }
        let x = try input.map(benchmark.pictures(from:)) ?? checked(benchmark).pictures(batch ?? 1)

        let progress = ProgressBar("Measuring \(benchmark.card.name)")
        if training {
            var steps = TrainingBenchmark(benchmark)
            let report = TrainingReport(
                benchmark, images: x.shape[0], threads: options.threadCount, backend: zoo.backend.name,
                timing: Timing(limits) { steps.step(x) }, steps: steps)
            progress.clear()
            return try report.write(asJSON: json)
        }
        var output: Tensor?
        let network = Timing(limits) { output = benchmark.network(x) }
        if layers {
            benchmark.probe.isRecording = true
            for _ in 0..<network.count { _ = benchmark.network(x) }
            benchmark.probe.isRecording = false
        }
        let decoding = try decoding(of: benchmark.card, in: zoo)
        let peak = cold ? nil : MachinePeak(of: zoo.backend, threads: options.threadCount)
        progress.clear()
        if let saveOutput, let output { try Checkpoint([CheckpointTensor(name: "output", output)]).write(to: saveOutput) }

        let report = BenchReport(
            benchmark, images: x.shape[0], threads: options.threadCount, backend: zoo.backend.name, network: network, peak: peak,
            hasLayerTimes: layers, decoding: decoding)
        if json { return try Console.output.write(report.json.text()) }
        try report.write()
    }

    /// Sizes that the card allows one by one may be too much together.
    private func checked(_ benchmark: NetworkBenchmark) throws -> NetworkBenchmark {
        let largest = 1 << 31, shapes = benchmark.network.summary.taps.map(\.shape) + [benchmark.input]
        if let shape = shapes.first(where: { $0.count * (batch ?? 1) > largest }) {
            throw Failure(
                .usage,
                "--batch \(batch ?? 1): a feature map of \(shape) for every picture is too much; take fewer pictures at a time")
        }
        return benchmark
    }

    /// Of a captioner whose vocabulary is here.
    private func decoding(of card: ModelCard, in zoo: Zoo) throws -> DecodingBenchmark? {
        // A picture of another size, or part of a network, is asked for the sake of the network.
        guard card.task == .imageCaptioning, !cold, size == nil, tap == nil, input == nil else { return nil }
        do {
            return try DecodingBenchmark(card, in: zoo, .init(warmUp: 1, least: 3, most: 100, seconds: min(seconds ?? 1, 1)))
        } catch CardError.missingFile(_, let path, let role, _) {
            Console.error.say("\(card.name): \(role) '\(path)' is not here, so decoding is not measured.")
            return nil
        }
    }
}
