public import Checkpoints
public import NeuralNetworks
public import Tensors
import Synchronization

/// How the tensors of a model's files met the parameters that the model asked for.
public struct LoadReport: Sendable, Codable, Hashable {
    public struct Mismatch: Sendable, Codable, Hashable {
        public let name: String
        public let expected: [Int]
        public let found: [Int]
    }
    /// Parameters that got their values.
    public var applied = 0
    /// Parameters no file has.
    public var missing: [String] = []
    /// Tensors of the main file no layer asked for.
    public var unused: [String] = []
    public var mismatched: [Mismatch] = []
    /// Tensors with values that are not numbers.
    public var notFinite: [String] = []

    public var isSound: Bool { missing.isEmpty && unused.isEmpty && mismatched.isEmpty && notFinite.isEmpty }
}

/// Weights that do not fit their model.
public struct WeightsError: Error, CustomStringConvertible {
    public let file: String
    public let report: LoadReport

    public var description: String {
        var parts: [String] = []
        func list(_ names: [String]) -> String {
            names.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
        }
        if !report.missing.isEmpty { parts.append("lacks \(list(report.missing))") }
        if let first = report.mismatched.first {
            let more = report.mismatched.count > 1 ? " (and \(report.mismatched.count - 1) more)" : ""
            parts.append("has '\(first.name)' as \(Shape(first.found)) where the model needs \(Shape(first.expected))\(more)")
        }
        if !report.notFinite.isEmpty { parts.append("has values that are not finite numbers in \(list(report.notFinite))") }
        if !report.unused.isEmpty { parts.append("has \(list(report.unused)), which the model does not know") }
        return
            "\(file): the file \(parts.joined(separator: ", and ")): "
            + "convert it again with the rules of this card (zoo convert --rename)"
    }
}

/// Parameters from the files of a card.
///
/// What does not fit is noted, answered with zeros and told at the end, so that one sentence can name all of it.
public final class CheckpointSource: ParameterSource {
    /// A file and the parameters it serves.
    public struct File: Sendable {
        public var checkpoint: Checkpoint
        /// Parameters with this prefix are looked up without it: `cnn.` for the file of a backbone.
        public var prefix: String
        /// Whether every tensor must be wanted by some layer. A backbone's file also holds what follows the tap.
        public var isExhausted: Bool

        public init(_ checkpoint: Checkpoint, prefix: String = "", isExhausted: Bool = true) {
            (self.checkpoint, self.prefix, self.isExhausted) = (checkpoint, prefix, isExhausted)
        }
    }

    private let files: [File]
    private struct Notes {
        var report = LoadReport()
        var wanted: Set<String> = []
        var applied: Set<String> = []
        var notFinite: Set<String> = []
    }
    private let notes = Mutex(Notes())

    /// - Parameter files: the first that has a tensor gives it.
    public init(_ files: [File]) { self.files = files }

    public func contains(_ name: String) -> Bool { find(name) != nil }

    public func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        try deferredTensor(named: name, shape: shape, initializer: initializer, on: backend)()
    }

    public func deferredTensor(
        named name: String, shape: Shape, initializer: Initializer, on backend: any Backend
    ) throws -> @Sendable () throws -> Tensor {
        guard let found = find(name) else {
            notes.withLock { $0.report.missing.append(name) }
            return { .zeros(shape, on: backend) }
        }
        notes.withLock { _ = $0.wanted.insert(name) }
        guard found.shape == shape else {
            notes.withLock {
                $0.report.mismatched.append(.init(name: name, expected: shape.dimensions, found: found.shape.dimensions))
            }
            return { .zeros(shape, on: backend) }
        }
        return { try self.read(found, as: name, on: backend) }
    }

    private func read(_ found: CheckpointTensor, as name: String, on backend: any Backend) throws -> Tensor {
        let value = try found.tensor(on: backend)
        let isFinite = value.withScalars { scalars in
            // Any infinity or NaN makes the sum of the products with zero a NaN.
            var sum: Float = 0
            for scalar in scalars { sum += scalar * 0 }
            return sum == 0
        }
        notes.withLock { notes in
            if isFinite { notes.applied.insert(name) } else { notes.notFinite.insert(name) }
        }
        return value
    }

    /// What was found out while the model was made.
    public var report: LoadReport {
        notes.withLock { notes in
            var report = notes.report
            report.applied = notes.applied.count
            report.notFinite = notes.notFinite.sorted()
            for file in files where file.isExhausted {
                report.unused += file.checkpoint.tensors.map { file.prefix + $0.name }.filter { !notes.wanted.contains($0) }
            }
            report.unused.sort()
            return report
        }
    }

    /// To be asked when the model is made.
    /// - Parameter card: what is to blame where there are no files.
    /// - Throws: what is wrong with the first file that something is wrong with, in the names of that file.
    public func check(card: String) throws(WeightsError) {
        let report = report
        guard let first = (report.missing + report.mismatched.map(\.name) + report.notFinite + report.unused).first else {
            return
        }
        guard let index = server(of: first) else { throw WeightsError(file: card, report: report) }
        let file = files[index]
        func own(_ names: [String]) -> [String] {
            names.filter { server(of: $0) == index }.map { String($0.dropFirst(file.prefix.count)) }
        }
        var part = LoadReport(applied: report.applied, missing: own(report.missing), notFinite: own(report.notFinite))
        part.unused = own(report.unused)
        part.mismatched = report.mismatched.flatMap { mismatch in
            own([mismatch.name]).map { .init(name: $0, expected: mismatch.expected, found: mismatch.found) }
        }
        throw WeightsError(file: file.checkpoint.path, report: part)
    }

    /// The file that has a parameter, else the one that should have it: that of its longest prefix.
    private func server(of name: String) -> Int? {
        let candidates = files.indices.filter { name.hasPrefix(files[$0].prefix) }
        return candidates.first { files[$0].checkpoint[String(name.dropFirst(files[$0].prefix.count))] != nil }
            ?? candidates.max { files[$0].prefix.count < files[$1].prefix.count }
    }

    private func find(_ name: String) -> CheckpointTensor? {
        for file in files where name.hasPrefix(file.prefix) {
            if let tensor = file.checkpoint[String(name.dropFirst(file.prefix.count))] { return tensor }
        }
        return nil
    }
}
