import ModelKit
import NeuralNetworks
import Tensors

/// What `zoo bench` has measured, for people and for programs.
struct BenchReport {
    private struct Row {
        let layer: LayerProbe.Layer
        let timing: Timing?
    }

    private let benchmark: NetworkBenchmark
    private let images: Int, threads: Int, backend: String
    private let network: Timing
    private let peak: MachinePeak?
    private let rows: [Row]
    private let decoding: DecodingBenchmark?

    init(
        _ benchmark: NetworkBenchmark, images: Int, threads: Int, backend: String, network: Timing, peak: MachinePeak?,
        hasLayerTimes: Bool, decoding: DecodingBenchmark?
    ) {
        (self.benchmark, self.images, self.threads, self.backend) = (benchmark, images, threads, backend)
        (self.network, self.peak, self.decoding) = (network, peak, decoding)
        rows = zip(benchmark.probe.layers, benchmark.probe.times).map { Row(layer: $0, timing: hasLayerTimes ? Timing($1) : nil) }
    }

    private var multiplyAdds: Int { benchmark.network.summary.multiplyAdds }
    private func gigaflops(_ multiplyAdds: Int, _ seconds: Double) -> Double {
        2 * Double(multiplyAdds) * Double(images) / seconds / 1e9
    }
    private var gigaflops: Double { gigaflops(multiplyAdds, network.median) }

    // MARK: For programs

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("model", .string(benchmark.card.name)), .init("backbone", .string(benchmark.backboneCard)),
            .init("input", integers([images] + benchmark.input.dimensions)),
            .init("output", integers([images] + benchmark.network.summary.output.dimensions)),
            .init("threads", .integer(threads)), .init("backend", .string(backend)),
            .init("weights", benchmark.weights.map(JSONValue.string) ?? .null),
            .init("multiplyAdds", .integer(multiplyAdds)), .init("repetitions", .integer(network.count)),
            .init("milliseconds", network.json), .init("imagesPerSecond", .number(Double(images) / network.median)),
            .init("gigaflops", .number(gigaflops)),
        ]
        if let peak {
            let figures: [JSONValue.Member] = [
                .init("gigaflops", .number(peak.gigaflops)), .init("measuredBy", .string(MachinePeak.description)),
            ]
            members.append(.init("peak", .object(figures)))
        }
        members.append(.init("layers", .array(rows.map(json(of:)))))
        if let decoding { members.append(.init("decoding", .array(decoding.rows.map(json(of:))))) }
        return .object(members)
    }

    private func json(of row: Row) -> JSONValue {
        let layer = row.layer
        var members: [JSONValue.Member] = [
            .init("name", layer.name.map(JSONValue.string) ?? .null), .init("operation", .string(layer.operation)),
            .init("output", integers(layer.output.dimensions)),
            .init("algorithm", layer.algorithm.map(JSONValue.string) ?? .null),
            .init("multiplyAdds", .integer(layer.multiplyAdds)),
        ]
        if let timing = row.timing {
            members.append(.init("milliseconds", timing.json))
            members.append(
                .init("gigaflops", layer.multiplyAdds > 0 ? .number(gigaflops(layer.multiplyAdds, timing.median)) : .null))
        }
        return .object(members)
    }

    private func json(of row: DecodingBenchmark.Row) -> JSONValue {
        .object([
            .init("storage", .string(row.storage.rawValue)), .init("method", .string(row.method)),
            .init("beam", .integer(row.beam)), .init("words", .integer(row.words)),
            .init("milliseconds", row.timing.json), .init("wordsPerSecond", .number(row.wordsPerSecond)),
        ])
    }

    private func integers(_ numbers: [Int]) -> JSONValue { .array(numbers.map(JSONValue.integer)) }

    // MARK: For people

    func write() throws {
        if rows.contains(where: { $0.timing != nil }) {
            try table.write()
            try Console.output.write("")
        }
        let (name, owner) = (benchmark.card.name, benchmark.backboneCard)
        let title = owner == name ? name : "\(name) (the network of \(owner))"
        let input = TensorsCommand.shape([images] + benchmark.input.dimensions)
        var lines = [
            "\(title): \(input), \(threads) thread\(threads == 1 ? "" : "s"), \(backend)",
            "Time          \(milliseconds(network.median)), the median of \(network.count); least "
                + "\(milliseconds(network.minimum)), nine in ten within \(milliseconds(network.ninetieth))",
            "Pictures      \(number(Double(images) / network.median)) a second",
            "Arithmetic    \(number(gigaflops)) GFLOP/s; \(Figure.rounded(multiplyAdds)) multiply-adds a picture",
        ]
        if let peak {
            lines.append("Machine       \(number(peak.gigaflops)) GFLOP/s at its best: a \(MachinePeak.description)")
        }
        for row in decoding?.rows ?? [] {
            let method = row.beam == 1 ? "greedy " : "beam \(row.beam)".padding(to: 7)
            lines.append(
                "Words, \(method)\(number(row.wordsPerSecond)) a second, \(row.words) in \(milliseconds(row.timing.median)), "
                    + "\(row.storage.rawValue) weights")
        }
        try Console.output.write(lines.joined(separator: "\n"))
    }

    /// Layers that only hold others and do nothing measurable themselves are left out.
    private var table: Table {
        var table = Table([
            .init("LAYER", cutsTo: 10), .init("OPERATION", cutsTo: 8), .init("RESULT", .right), .init("ALGORITHM", cutsTo: 8),
            .init("MS", .right), .init("GFLOP/S", .right), .init("SHARE", .right),
        ])
        let total = rows.compactMap(\.timing?.median).reduce(0, +)
        for row in rows {
            guard let time = row.timing?.median else { continue }
            let isGroup = ["residual", "concatenate"].contains(row.layer.operation)
            if isGroup, time < 0.001 * total { continue }
            table.add([
                row.layer.name ?? "", row.layer.operation, TensorsCommand.shape(row.layer.output.dimensions),
                row.layer.algorithm ?? "", Figure.formatted(1e3 * time, "%.3f"),
                row.layer.multiplyAdds > 0 ? Figure.formatted(gigaflops(row.layer.multiplyAdds, time), "%.1f") : "",
                Figure.formatted(100 * time / max(total, .leastNonzeroMagnitude), "%.1f %%"),
            ])
        }
        return table
    }

    private func milliseconds(_ seconds: Double) -> String { number(1e3 * seconds) + " ms" }
    private func number(_ value: Double) -> String { Figure.formatted(value, value < 100 ? "%.2f" : "%.0f") }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
