import Synchronization

/// One line on a terminal's standard error that says how far a long piece of work is. In a pipe it writes nothing.
///
/// It erases itself when it is released, so that it never outlives its work, whether that ends or throws.
final class ProgressBar: Sendable {
    private let title: String
    /// Nil where nobody knows how much there is to do.
    private let total: Int?
    private let console: Console
    /// Nil in a pipe.
    private let columns: Int?
    private let start = ContinuousClock.now
    private struct State {
        var done = 0.0
        var drawn: ContinuousClock.Instant?
        var isVisible = false
    }
    private let state = Mutex(State())

    init(_ title: String = "", total: Int? = nil, on console: Console = .error) {
        (self.title, self.total, self.console) = (title, total, console)
        columns = console.columns
        draw(0, "")
    }

    deinit { clear() }

    /// - Parameters:
    ///   - fraction: of the work, from 0 to 1.
    ///   - note: what is being done, or the figures of the moment.
    func update(_ fraction: Double, _ note: String) { draw(fraction * Double(total ?? 1), note) }

    /// - Parameter notes: the same figures, the longest form first; the first that fits is shown.
    func update(_ fraction: Double, _ notes: [String]) {
        guard let columns, let last = notes.last else { return }
        let room = columns - 1 - title.count - Self.leastWidth - 4
        update(fraction, notes.first { $0.count <= room } ?? last)
    }

    /// What is being done, while as much as before is.
    func note(_ note: String) { draw(state.withLock { $0.done }, note) }

    /// One more of `total` is done.
    func advance(_ note: String = "") { draw(state.withLock { $0.done } + 1, note) }

    private func draw(_ done: Double, _ note: String) {
        guard let columns else { return }
        state.withLock { state in
            state.done = done
            let now = ContinuousClock.now
            // Terminals are slow: ten lines a second are enough for an eye.
            if let drawn = state.drawn, now - drawn < .milliseconds(100) { return }
            state.drawn = now
            state.isVisible = true
            console.draw("\r" + line(done, note, columns: columns) + "\u{1B}[K")
        }
    }

    /// Makes room for other output; the next update draws the bar again.
    func clear() {
        state.withLock { state in
            guard state.isVisible else { return }
            console.draw("\r\u{1B}[K")
            state.isVisible = false
            state.drawn = nil
        }
    }

    private static let leastWidth = 5

    private func line(_ done: Double, _ note: String, columns: Int) -> String {
        let wide = line(done, note, width: min(30, max(columns / 4, Self.leastWidth)))
        // Figures are worth more than a long bar.
        return wide.count < columns ? wide : shortened(line(done, note, width: Self.leastWidth), to: columns - 1)
    }

    private func line(_ done: Double, _ note: String, width: Int) -> String {
        var parts: [String] = title.isEmpty ? [] : [title]
        if total != nil || done > 0 {
            let fraction = min(max(done / Double(max(total ?? 1, 1)), 0), 1)
            let filled = Int(fraction * Double(width))
            parts.append("[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "]")
            if let total {
                parts.append("\(Int(done))/\(total)")
                let elapsed = ContinuousClock.now - start, seconds = Double(elapsed.components.seconds)
                if seconds >= 2, fraction > 0, fraction < 1 {
                    parts.append("\(Figure.duration(seconds * (1 / fraction - 1))) left")
                }
            }
        } else {
            parts.append("…")
        }
        if !note.isEmpty { parts.append(note) }
        return parts.joined(separator: " ")
    }
}

/// The text in at most `width` characters, the last of which says that there was more.
func shortened(_ text: String, to width: Int) -> String {
    text.count <= width ? text : String(text.prefix(max(width - 1, 0))) + "…"
}
