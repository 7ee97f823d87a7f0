public import ModelKit
public import NeuralNetworks
public import Tensors

/// What happens in a video: a CNN looks at frames, an LSTM remembers them, and every step says what it takes the video for.
///
/// Donahue et al., "Long-term Recurrent Convolutional Networks for Visual Recognition and Description", CVPR 2015 (LRCN); Ng
/// et al., "Beyond Short Snippets: Deep Networks for Video Classification", CVPR 2015, also for pooling in place of the LSTM.
/// How they differ is a hyper-parameter each: ``Hyperparameters``.
public struct VideoLSTM: TrainableModel {
    public typealias Input = ClipInput
    public typealias Observation = ClipFrames

    private let cnn: Backbone
    private let see: Backbone
    private let remember: Memory
    private let judge: Backbone
    private let predict: Linear
    private let h: Hyperparameters
    private let classes: [String]
    private let backend: any Backend
    /// How many numbers are seen of a frame.
    private let features: Int

    /// How many frames pass through the CNN at once.
    private static let batch = 8

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        (h, classes, backend) = (hyperparameters, try assets.requiredLabels(), assets.backend)
        cnn = try backbone.make(in: scope["cnn"])
        features = h.sees.width(of: cnn.summary.output)
        see = try Backbone(h.frameLayers, input: [features], in: scope["frame"])
        let width = see.summary.output.count
        switch h.summary {
        case .pooling(let pooling): remember = .pooling(pooling)
        case .lstm(let spec): remember = .lstm(try RecurrentStack(spec, features: width, in: scope["lstm"]))
        }
        judge = try Backbone(h.classLayers, input: [remember.width(of: width)], in: scope["state"])
        predict = try Linear(judge.summary.output.count, classes.count, initializer: .glorot, in: scope["class"])
    }

    /// The logits of every step of videos side by side, `[steps, rows, features] → [steps · rows, classes]`.
    /// - Parameter memory: where the reading of the videos stands.
    private func read(_ x: Tensor, _ memory: inout Memory.Progress) -> Tensor {
        let steps = x.shape[0], rows = x.shape[1], n = steps * rows
        let seen = see(x.reshaped([n, features]))                          // x_t
        let state = remember(seen.reshaped([steps, rows, seen.shape[1]]), &memory)               // h_t = LSTM(x_t, h_{t−1})
        return predict(judge(state.reshaped([n, state.shape[2]])))         // p_t = softmax(W h_t + b)
    }

    private var readsBackwards: Bool { if case .lstm(let stack) = remember { stack.isBidirectional } else { false } }

    /// - Throws: `InputError` where the video cannot be read to its end.
    public func forward(_ video: ClipInput) throws -> Watched {
        var times: [Float] = [], p: [Tensor] = [], all: [Tensor] = [], memory = Memory.Progress(), before: Tensor?
        try video.forEachBatch(of: Self.batch) { frames in
            times += frames.times
            let x = h.sees(cnn(frames.pixels), after: &before)
            // Backwards begins at the end: until then what was seen waits, a few kilobytes a frame.
            if readsBackwards { all.append(x) } else { p.append(softmax(read(x.expanded(axis: 1), &memory))) }
        }
        if readsBackwards { p = [softmax(read(Tensor.concatenated(all, axis: 0).expanded(axis: 1), &memory))] }
        return Watched(times: times, probabilities: .concatenated(p, axis: 0))
    }

    /// p = Σ_t w_t p_t, or the largest of them.
    public func decode(_ watched: Watched, _ decoding: Decoding) -> Recognition {
        let p = watched.probabilities, scalars = p.scalars, count = p.shape[1]
        let steps = (0..<p.shape[0]).map { Array(scalars[$0 * count..<($0 + 1) * count]) }
        return Recognition(
            times: watched.times, probabilities: steps, verdicts: h.fusion.verdicts(steps), labels: classes,
            count: decoding.nbest)
    }
}

/// What a model thinks of a video, step by step.
public struct Watched: Sendable {
    /// Of the frames, in seconds.
    public let times: [Float]
    /// `[steps, classes]`.
    public let probabilities: Tensor
}

// MARK: Learning

extension VideoLSTM {
    /// What is seen in videos of equally many frames and, behind it, for whoever asks later, the frame's time:
    /// `[videos, frames, features + 1]`.
    public func encode(_ videos: [ClipFrames]) -> Tensor {
        let steps = videos[0].batch.times.count, f = cnn(.concatenated(videos.map(\.batch.pixels), axis: 0))
        let seen = videos.indices.map { video in
            var before: Tensor?
            return h.sees(f[video * steps..<(video + 1) * steps], after: &before)
        }
        let x = Tensor.concatenated(seen, axis: 0).reshaped([videos.count, steps, features])
        return .concatenated([x, Tensor(videos.flatMap(\.batch.times), [videos.count, steps, 1], on: backend)], axis: -1)
    }

    public func activations(_ encoding: Tensor, questions: [String]) -> Watched {
        let steps = encoding.shape[1], x = encoding.sliced(axis: -1, 0..<features).reshaped([steps, 1, features])
        // In the parts in which a video arrives.
        let part = readsBackwards ? steps : Self.batch
        var memory = Memory.Progress(), p: [Tensor] = []
        for start in stride(from: 0, to: steps, by: part) {
            p.append(softmax(read(x[start..<min(start + part, steps)], &memory)))
        }
        return Watched(
            times: encoding.sliced(axis: -1, features..<features + 1).scalars, probabilities: .concatenated(p, axis: 0))
    }

    public func example(question: String?, target: String) -> Int? { classes.firstIndex(of: target) }

    /// The mean of `−Σ_t w_t log p_t(class)`; the steps count as they do in the fusion.
    public func loss(_ encodings: Tensor, _ batch: [Int], weights: [Float]) -> (value: Tensor, predictions: Int) {
        let steps = encodings.shape[1], rows = batch.count
        var memory = Memory.Progress()
        let logits = read(encodings.sliced(axis: -1, 0..<features).permuted([1, 0, 2]), &memory)
        let losses = crossEntropy(logits, (0..<steps).flatMap { _ in batch })
        let w = h.fusion.weights(steps).flatMap { step in weights.map { step * $0 / Float(rows) } }
        return ((losses * Tensor(w, [steps * rows], on: backend)).sum, rows)
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_VideoLSTM) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "VideoLSTM", reference: "Donahue et al. 2015; Ng et al. 2015", model: VideoLSTM.self).retainedPointer()
}
