import Foundation

/// Which frames of a video a model looks at.
///
/// All but ``uniform(count:)`` need no knowledge of the video's length and work on endless streams.
public enum FrameSampling: Sendable, Equatable {
    /// Every frame.
    case all
    /// Every `stride`-th frame from number `start` on, at most `limit` of them.
    case every(stride: Int, start: Int = 0, limit: Int? = nil)
    /// The first frame at or after 0 s, `seconds`, 2·`seconds` and so on; none of them twice.
    case interval(seconds: Double)
    /// A constant rate in frames per second, as FFmpeg's filter `fps` makes it: the k-th tick takes the last frame whose time,
    /// rounded to ticks, is not after it. Frames are left out or repeated as that needs; half a tick is rounded up.
    /// Where a file does not tell how long its last frame lasts, it lasts as long as the usual one (in FFmpeg, no time at all).
    case rate(Double)
    /// The middle frames of `count` equal parts; a short video repeats frames.
    ///
    /// Parts are counted in frames where their number can be had: of files and folders, and of pipes that announce it.
    /// Otherwise they are counted in seconds of the announced duration.
    case uniform(count: Int)
    /// The same where the length can be had; of a stream that does not tell it, ``interval(seconds:)``.
    case uniformOrInterval(count: Int, seconds: Double)
    /// The frames that are on the screen at these times, in seconds; before the beginning the first, after the end the last.
    /// ``Video/frames(_:)`` returns them in this order, ``FrameStream`` in the order of display.
    case times([Double])
}

/// Decides frame by frame, as they pass, how often each is wanted.
struct FrameSampler {
    private enum Rule {
        case every(stride: Int, start: Int)
        case interval(Double)
        case rate(Double)
        /// Ascending.
        case numbers([Int])
        case times([Double])
    }

    private let rule: Rule
    /// The most frames to hand out.
    private let limit: Int
    /// How many have been.
    private var count = 0
    /// The next multiple of the interval, or the next tick.
    private var tick: Double?

    /// Times come in binary floating point: 0.1 s · 3 is a little more than 0.3 s.
    private static let tolerance = 1e-6

    /// - Parameters:
    ///   - length: of a video, in frames or in seconds; asked for only where equal parts are wanted.
    ///   - name: the video's, for the message.
    /// - Throws: ``MediaError/unknownLength(name:)``, and what `length` throws.
    init(
        _ sampling: FrameSampling, name: String, length: () throws(MediaError) -> (frames: Int?, seconds: Double?)
    ) throws(MediaError) {
        switch sampling {
        case .all: (rule, limit) = (.every(stride: 1, start: 0), .max)
        case .every(let stride, let start, let limit):
            (rule, self.limit) = (.every(stride: max(stride, 1), start: max(start, 0)), max(limit ?? .max, 0))
        case .interval(let seconds):
            guard seconds > 0 else { fatalError("frames cannot be \(seconds) s apart") }
            (rule, limit) = (.interval(seconds), .max)
        case .rate(let rate):
            guard rate > 0, rate < 1e6 else { fatalError("there is no rate of \(rate) frames per second") }
            (rule, limit) = (.rate(rate), .max)
        case .times(let times):
            (rule, limit) = (.times(times.sorted()), times.count)
        case .uniform(let count), .uniformOrInterval(let count, _):
            let parts = 0..<max(count, 0)
            let (frames, seconds) = parts.isEmpty ? (0, nil) : try length()
            if let frames {
                (rule, limit) = (.numbers(parts.map { (2 * $0 + 1) * max(frames, 1) / (2 * count) }), parts.count)
            } else if let seconds {
                (rule, limit) = (.times(parts.map { (Double($0) + 0.5) * seconds / Double(count) }), parts.count)
            } else if case .uniformOrInterval(_, let seconds) = sampling {
                guard seconds > 0 else { fatalError("frames cannot be \(seconds) s apart") }
                (rule, limit) = (.interval(seconds), .max)
            } else {
                throw .unknownLength(name: name)
            }
        }
    }

    /// Whether nothing further will be wanted.
    var isDone: Bool { count >= limit }

    /// How often the next frame is wanted. To be asked for every frame, in order.
    ///
    /// - Parameters:
    ///   - time: in seconds.
    ///   - ahead: when the frame after it is shown; nil if it is the last.
    ///   - duration: how long the last frame is shown, in seconds.
    mutating func copies(
        index: Int, time: Double, duration: @autoclosure () -> Double, ahead: () throws(MediaError) -> Double?
    ) throws(MediaError) -> Int {
        let wanted: Int
        switch rule {
        case .every(let stride, let start):
            wanted = index >= start && (index - start) % stride == 0 ? 1 : 0
        case .interval(let seconds):
            if time < (tick ?? 0) * seconds - Self.tolerance { return 0 }
            // Not before this frame, whose time may be anything at the beginning of a damaged file.
            tick = max(((time + Self.tolerance) / seconds).rounded(.down) + 1, 1)
            wanted = 1
        case .rate(let rate):
            func slot(_ time: Double) -> Double { (time * rate + 0.5 + Self.tolerance).rounded(.down) }
            let first = tick ?? slot(time)
            // What does not fit an integer is no video.
            let next = slot(try ahead() ?? time + duration())
            wanted = Int(min(max(next - first, 0), 1e9))
            tick = max(first, next)
        case .numbers(let numbers):
            let isLast = try ahead() == nil
            wanted = numbers[count...].prefix { isLast || $0 <= index }.count
        case .times(let times):
            let end = try ahead() ?? .infinity
            wanted = times[count...].prefix { $0 < end - Self.tolerance }.count
        }
        count += wanted
        return wanted
    }
}
