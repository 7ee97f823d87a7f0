import Media
import Synchronization

/// Small pictures of some of the frames that a model looks at, evenly spread, however many they will have been.
///
/// It keeps every frame until there are too many, then every second, every fourth and so on.
final class FilmStrip: Sendable {
    struct Still: Sendable {
        let time: Double
        let image: Image
    }
    private struct State {
        var stills: [Still] = []
        /// How many frames have passed, and of how many each one is kept.
        var count = 0, stride = 1
    }
    private let state = Mutex(State())
    private let height: Int
    private let limit: Int

    /// - Parameters:
    ///   - height: of the small pictures, in pixels.
    ///   - limit: the most of them.
    init(height: Int, limit: Int) { (self.height, self.limit) = (height, limit) }

    var stills: [Still] { state.withLock { $0.stills } }

    func add(_ frame: VideoFrame) {
        let isWanted = state.withLock { state in
            defer { state.count += 1 }
            return state.count % state.stride == 0
        }
        guard isWanted else { return }
        let picture = frame.image, width = max(1, picture.width * height / max(picture.height, 1))
        let still = Still(time: frame.time, image: picture.resized(width: min(width, 4 * height), height: height))
        state.withLock { state in
            state.stills.append(still)
            guard state.stills.count > limit else { return }
            state.stills = state.stills.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
            state.stride *= 2
        }
    }
}
