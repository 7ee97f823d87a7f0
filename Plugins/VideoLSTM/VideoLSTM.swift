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
    /// Scalars that the CNN makes of a frame.
    private let features: Int

    /// How many frames pass through the CNN at once.
    private static let batch = 8

    public init(_ hyperparameters: Hyperparameters, assets: Assets, parameters scope: ParameterScope) throws {
        let backbone = try assets.requiredBackbone()
        (h, classes, backend) = (hyperparameters, try assets.requiredLabels(), assets.backend)
        cnn = try backbone.make(in: scope["cnn"])
        features = cnn.summary.output.count
        see = try Backbone(h.frameLayers, input: [features * (h.differences ? 2 : 1)], in: scope["frame"])
        let width = see.summary.output.count
        switch h.summary {
        case .pooling(let pooling): remember = .pooling(pooling)
        case .lstm(let spec): remember = .lstm(try RecurrentStack(spec, features: width, in: scope["lstm"]))
        }
        judge = try Backbone(h.classLayers, input: [remember.width(of: width)], in: scope["state"])
        predict = try Linear(judge.summary.output.count, classes.count, initializer: .glorot, in: scope["class"])
    }

    /// The frames' features f_t, of several videos after each other, `[n, height, width, channels] → [n, features]`.
    private func look(_ pixels: Tensor) -> Tensor { cnn(pixels).reshaped([pixels.shape[0], features]) }

    /// Where the reading of a video stands.
    private struct Progress {
        var memory = Memory.Progress()
        /// f_{t−1}, `[rows, features]`.
        var before: Tensor?
    }

    /// The logits of every step of videos side by side, `[steps, rows, features] → [steps · rows, classes]`.
    private func read(_ f: Tensor, _ progress: inout Progress) -> Tensor {
        let steps = f.shape[0], rows = f.shape[1], n = steps * rows
        var x = f
        if h.differences {
            let before = (progress.before ?? f[0]).expanded(axis: 0)
            let earlier = Tensor.concatenated([before, f[0..<steps - 1]], axis: 0)
            x = .concatenated([f, f - earlier], axis: -1)                  // x_t = [f_t, f_t − f_{t−1}]
            progress.before = f[steps - 1]
        }
        let seen = see(x.reshaped([n, x.shape[2]]))
        let state = remember(seen.reshaped([steps, rows, seen.shape[1]]), &progress.memory)  // h_t = LSTM(x_t, h_{t−1})
        return predict(judge(state.reshaped([n, state.shape[2]])))         // p_t = softmax(W h_t + b)
    }

    private var readsBackwards: Bool { if case .lstm(let stack) = remember { stack.isBidirectional } else { false } }

    /// - Throws: `InputError` where the video cannot be read to its end.
    public func forward(_ video: ClipInput) throws -> Watched {
        var times: [Float] = [], p: [Tensor] = [], features: [Tensor] = [], progress = Progress()
        try video.forEachBatch(of: Self.batch) { frames in
            times += frames.times
            let f = look(frames.pixels)
            // Backwards begins at the end: until then the features wait, a few kilobytes a frame.
            if readsBackwards { features.append(f) } else { p.append(softmax(read(f.expanded(axis: 1), &progress))) }
        }
        if readsBackwards { p = [softmax(read(Tensor.concatenated(features, axis: 0).expanded(axis: 1), &progress))] }
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
    /// The features of videos of equally many frames, and behind them, for whoever asks later, the frame's time:
    /// `[videos, frames, features + 1]`.
    public func encode(_ videos: [ClipFrames]) -> Tensor {
        let steps = videos[0].batch.times.count
        let f = look(.concatenated(videos.map(\.batch.pixels), axis: 0)).reshaped([videos.count, steps, features])
        return .concatenated([f, Tensor(videos.flatMap(\.batch.times), [videos.count, steps, 1], on: backend)], axis: -1)
    }

    public func activations(_ encoding: Tensor, questions: [String]) -> Watched {
        var progress = Progress(), p: [Tensor] = []
        let f = encoding.sliced(axis: -1, 0..<features).reshaped([encoding.shape[1], 1, features])
        let part = readsBackwards ? encoding.shape[1] : Self.batch
        // In the parts in which a video arrives.
        for start in stride(from: 0, to: f.shape[0], by: part) {
            p.append(softmax(read(f[start..<min(start + part, f.shape[0])], &progress)))
        }
        return Watched(
            times: encoding.sliced(axis: -1, features..<features + 1).scalars, probabilities: .concatenated(p, axis: 0))
    }

    public func example(question: String?, target: String) -> Int? { classes.firstIndex(of: target) }

    /// The mean of `−Σ_t w_t log p_t(class)`; the steps count as they do in the fusion.
    public func loss(_ encodings: Tensor, _ batch: [Int], weights: [Float]) -> (value: Tensor, predictions: Int) {
        let steps = encodings.shape[1], rows = batch.count
        var progress = Progress()
        let logits = read(encodings.sliced(axis: -1, 0..<features).permuted([1, 0, 2]), &progress)
        let losses = crossEntropy(logits, (0..<steps).flatMap { _ in batch })
        let w = h.fusion.weights(steps).flatMap { step in weights.map { step * $0 / Float(rows) } }
        return ((losses * Tensor(w, [steps * rows], on: backend)).sum, rows)
    }
}

/// The symbol the host looks for.
@c(zoo_plugin_VideoLSTM) public func makePlugin() -> UnsafeMutableRawPointer {
    Plugin(name: "VideoLSTM", reference: "Donahue et al. 2015; Ng et al. 2015", model: VideoLSTM.self).retainedPointer()
}
