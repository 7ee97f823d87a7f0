public import ModelKit
public import Tensors
import Checkpoints
import Foundation
import NeuralNetworks

/// What a frozen backbone makes of every photo, computed once and kept in a file beside the training's state.
public struct EncodingCache: Sendable {
    private var training: Tensor
    private var development: Tensor
    private let views: Int

    /// The encoding of a training photo in one of its views, `[1, …]`.
    package func training(_ photo: Int, view: Int) -> Tensor {
        let i = photo * views + view
        return training[i..<i + 1]
    }

    /// Some of the training photos, and others of them in the place of the development photos, by their numbers.
    public func divided(training own: [Int], development others: [Int]) -> EncodingCache {
        var copy = self
        copy.training = .concatenated(own.flatMap { photo in (0..<views).map { training(photo, view: $0) } }, axis: 0)
        copy.development = .concatenated(others.map { training($0, view: 0) }, axis: 0)
        return copy
    }

    /// The cache with what follows from its encodings, a few at a time.
    func mapped(_ transform: (Tensor) -> Tensor) -> EncodingCache {
        func map(_ encodings: Tensor) -> Tensor {
            let parts = stride(from: 0, to: encodings.shape[0], by: 32).map { start in
                transform(encodings[start..<min(start + 32, encodings.shape[0])])
            }
            return .concatenated(parts, axis: 0)
        }
        var copy = self
        (copy.training, copy.development) = (map(training), map(development))
        return copy
    }

    /// Encodings of at most `count` training photos, drawn at random, as they are.
    func sample(_ count: Int, _ random: RandomSource) -> Tensor {
        let photos = random.permutation(training.shape[0] / views).prefix(count)
        return .concatenated(photos.map { training($0, view: 0) }, axis: 0)
    }

    /// The encoding of a development photo, `[1, …]`.
    package func development(_ photo: Int) -> Tensor { development[photo..<photo + 1] }

    /// Reads the cache at `path` if it was made for `fingerprint`, else computes and writes it.
    ///
    /// - Parameters:
    ///   - model: for inference.
    ///   - fingerprint: of everything the encodings depend on: backbone, its weights, preprocessing, photos, views, seed.
    ///   - progress: photos done, and of how many.
    public init<M: TrainableModel>(
        _ model: M, assets: Assets, training: [TrainingRecord], development: [TrainingRecord], views: Int, seed: UInt64,
        path: String,
        fingerprint: String, progress: (Int, Int) -> Void
    ) throws {
        self.views = views
        let key = "zoo_encodings_of"
        if FileManager.default.fileExists(atPath: path), let known = try? Checkpoint.open(path),
            known.attributes[key] == fingerprint,
            let a = known["training"], let b = known["development"]
        {
            self.training = try a.tensor(on: assets.backend)
            self.development = try b.tensor(on: assets.backend)
            return
        }
        let random = RandomSource(seed: seed ^ 0x5EED), total = training.count + development.count
        func encode(_ records: [TrainingRecord], views: Int, after done: Int) throws -> Tensor {
            var rows: [Tensor] = []
            for start in stride(from: 0, to: records.count, by: 64) {
                let part = records[start..<min(start + 64, records.count)]
                let work = part.map { record in
                    (record, views: (0..<views).map { Augmentation(view: $0, random) })
                }
                rows += try concurrently(work.count) { i in
                    let request = try work[i].0.request()
                    return model.encode(
                        try work[i].views.enumerated().map { number, view in
                            var seen = request
                            // The picture itself as a run of the model would see it.
                            if number > 0 { seen.look { view($0) } }
                            return try M.Observation(seen, assets: assets)
                        })
                }
                progress(done + start + part.count, total)
            }
            return .concatenated(rows, axis: 0)
        }
        self.training = try encode(training, views: views, after: 0)
        // Whoever divides the training photos has no others.
        self.development =
            development.isEmpty ? self.training[0..<0] : try encode(development, views: 1, after: training.count)
        _ = try Checkpoint(
            [CheckpointTensor(name: "training", self.training), CheckpointTensor(name: "development", self.development)],
            attributes: [key: fingerprint]
        ).write(to: path)
    }
}
