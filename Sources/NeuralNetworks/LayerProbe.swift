public import Tensors
import Synchronization

/// What the layers of a network are, and how long each takes: for `zoo bench`.
///
/// A ``ParameterStore`` that carries a probe makes networks whose layers report to it. What a layer that is made of others
/// takes (a residual block, branches side by side) is what it does itself: adding, copying. So the times of all layers
/// make up the time of the network.
public final class LayerProbe: Sendable {
    public struct Layer: Sendable, Equatable {
        /// As parameters and taps are named; `nil` where a card gives no name.
        public let name: String?
        /// What a card calls the operation: `convolution`.
        public let operation: String
        /// The result for one picture, without the batch axis.
        public let output: Shape
        /// What the backend computes it with; `nil` where it has no choice.
        public let algorithm: String?
        /// For one picture.
        public let multiplyAdds: Int
    }

    private struct State {
        var layers: [Layer] = []
        /// Seconds by layer, one for every time that it ran.
        var times: [[Double]] = []
        var isRecording = false
        /// The time of layers that ran inside of the one that is running.
        var inner = 0.0
    }
    private let state = Mutex(State())

    public init() {}

    /// In the order in which they run; a layer that is made of others comes after them.
    public var layers: [Layer] { state.withLock { $0.layers } }
    /// Seconds by layer, in the order of ``layers``, one for every time that it ran while the probe was recording.
    public var times: [[Double]] { state.withLock { $0.times } }

    /// Whether layers are timed. A network whose layers are timed must run on one thread at a time.
    public var isRecording: Bool {
        get { state.withLock { $0.isRecording } }
        set { state.withLock { $0.isRecording = newValue } }
    }

    func register(_ layer: Layer) -> Int {
        state.withLock { state in
            state.layers.append(layer)
            state.times.append([])
            return state.layers.count - 1
        }
    }

    func measure<Result>(_ index: Int, _ body: () -> Result) -> Result {
        let before = state.withLock { state -> Double? in
            guard state.isRecording else { return nil }
            defer { state.inner = 0 }
            return state.inner
        }
        guard let before else { return body() }
        let clock = ContinuousClock(), start = clock.now
        let result = body()
        let time = (clock.now - start) / Duration.seconds(1)
        state.withLock { state in
            state.times[index].append(time - state.inner)
            state.inner = before + time
        }
        return result
    }
}
