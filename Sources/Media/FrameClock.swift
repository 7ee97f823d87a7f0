/// Makes the times at which a video's frames are shown run forward, whatever the file says.
package struct FrameClock {
    /// How long a frame is shown where the file does not tell, in seconds.
    package let interval: Double
    private var last: Double?
    private var shift = 0.0

    /// Going back by more seconds than this is a new recording behind the old one; by less, a slip of the pen.
    private static let jump = 10.0

    package init(interval: Double) { self.interval = interval }

    /// When the next frame is shown, in seconds: never before the one that precedes it.
    ///
    /// - Parameter stated: what the file says; nil where it says nothing.
    package mutating func time(of stated: Double?) -> Double {
        guard let last else {
            let time = stated ?? 0
            self.last = time
            return time
        }
        var time = stated.map { $0 + shift } ?? last + interval
        if time < last - Self.jump {
            shift += last + interval - time
            time = last + interval
        }
        time = max(time, last)
        self.last = time
        return time
    }
}
