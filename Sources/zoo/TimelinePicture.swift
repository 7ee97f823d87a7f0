import Media
import ModelKit

/// What a model thought of a video over time: frames along the axis, below them a curve for every class that is told, and a
/// line at the moment from which on the answer stayed what it is.
///
/// A curve is what the answer would be if the video ended there; dots are what single steps say, where that is another thing.
struct TimelinePicture {
    var image: Image { canvas.image }

    /// Pixels of a letter's pixel, and what follows from it: letters are 7 units high.
    private static let unit = 2
    static let stillHeight = 96
    static let stillLimit = 24
    private static let width = 1280, plotHeight = 300
    private static let left = 92, right = 40
    /// Dark enough for a white ground.
    private static let colors = [
        Color(0, 114, 178), Color(213, 94, 0), Color(0, 158, 115), Color(204, 121, 167), Color(86, 180, 233), Color(120, 94, 240),
    ]
    private static let ink = Color(40, 40, 40), faint = Color(224, 224, 224)

    private var canvas: Canvas
    private let start: Double, end: Double
    private let plotTop: Int

    /// - Parameters:
    ///   - title: what the video is called.
    ///   - stills: some of its frames, in order.
    init(_ recognition: Recognition, title: String, stills: [FilmStrip.Still]) {
        let count = min(recognition.alternatives.count, Self.colors.count), line = 12 * Self.unit
        let times = recognition.steps.map { Double($0.time) }
        start = times.first ?? 0
        end = max(times.last ?? 0, start + 1e-3)
        let stripTop = 3 * line
        plotTop = stripTop + Self.stillHeight + 2 * line
        let height = plotTop + Self.plotHeight + 3 * line + count * line + line
        canvas = Canvas(Image(width: Self.width, height: height, color: .white))
        let percent = recognition.alternatives.first.map { Figure.formatted(Double($0.probability) * 100, "%.0f") } ?? "?"
        write("\(title): \(recognition.text) (\(percent) %)", x: Self.left, y: line, scale: Self.unit + 1)
        drawStills(stills, top: stripTop)
        drawAxes()
        for k in (0..<count).reversed() { drawCurve(recognition, k) }
        drawDecision(Double(recognition.decided), recognition.text, top: stripTop + Self.stillHeight)
        drawLegend(recognition, count, top: plotTop + Self.plotHeight + 3 * line)
    }

    // MARK: Places

    private func x(_ time: Double) -> Int {
        Self.left + Int((time - start) / (end - start) * Double(Self.width - Self.left - Self.right) + 0.5)
    }
    private func y(_ probability: Float) -> Int {
        plotTop + Int(Float(Self.plotHeight) * (1 - max(0, min(1, probability))) + 0.5)
    }

    // MARK: Parts

    /// As many frames as there is room for, each above its time.
    private mutating func drawStills(_ stills: [FilmStrip.Still], top: Int) {
        var free = 0
        for still in stills {
            let middle = x(still.time), width = still.image.width
            let place = max(0, min(middle - width / 2, Self.width - width))
            guard place >= free else { continue }
            canvas.place(still.image, x: place, y: top)
            fill(middle, top + Self.stillHeight, 2, 8, Self.ink)
            free = place + width + 6
        }
    }

    private mutating func drawAxes() {
        for tenth in stride(from: 0, through: 10, by: 2) {
            let y = y(Float(tenth) / 10)
            fill(Self.left, y, Self.width - Self.left - Self.right, 1, tenth == 0 ? Self.ink : Self.faint)
            let label = "\(tenth * 10) %"
            write(label, x: Self.left - 10 - canvas.textSize(label, scale: Self.unit).width, y: y - 7)
        }
        let span = end - start, step = Self.tick(span / 6)
        for n in Int((start / step).rounded(.up))...max(Int((end / step).rounded(.down)), Int((start / step).rounded(.up))) {
            let time = Double(n) * step
            guard time >= start - 1e-9, time <= end + 1e-9 else { continue }
            let x = x(time), label = Self.clock(time, step)
            fill(x, plotTop, 1, Self.plotHeight, Self.faint)
            fill(x, plotTop + Self.plotHeight, 1, 8, Self.ink)
            let width = canvas.textSize(label, scale: Self.unit).width
            write(label, x: min(max(0, x - width / 2), Self.width - width), y: plotTop + Self.plotHeight + 14)
        }
    }

    private mutating func drawCurve(_ recognition: Recognition, _ k: Int) {
        let color = Self.colors[k], steps = recognition.steps
        for (a, b) in zip(steps, steps.dropFirst()) {
            drawLine(x(Double(a.time)), y(a.verdict[k]), x(Double(b.time)), y(b.verdict[k]), color)
        }
        if let only = steps.first, steps.count == 1 { fill(x(Double(only.time)) - 4, y(only.verdict[k]) - 4, 9, 9, color) }
        // More dots than that are a cloud.
        guard steps.count <= 200 else { return }
        for step in steps where abs(step.probabilities[k] - step.verdict[k]) > 0.005 {
            fill(x(Double(step.time)) - 2, y(step.probabilities[k]) - 2, 5, 5, color)
        }
    }

    private mutating func drawDecision(_ time: Double, _ text: String, top: Int) {
        let x = x(time), label = "\(text) from \(Self.clock(time, 0.1)) on"
        for y in stride(from: top, to: plotTop + Self.plotHeight, by: 8) { fill(x - 1, y, 3, 5, Self.ink) }
        let width = canvas.textSize(label, scale: Self.unit).width
        let place = x + 8 + width < Self.width ? x + 8 : x - 8 - width
        canvas.drawText(
            label, x: max(4, place), y: plotTop - 20, color: .white, background: Self.ink, scale: Self.unit)
    }

    private mutating func drawLegend(_ recognition: Recognition, _ count: Int, top: Int) {
        for k in 0..<count {
            let y = top + k * 12 * Self.unit, alternative = recognition.alternatives[k]
            fill(Self.left, y, 14, 14, Self.colors[k])
            let percent = Figure.formatted(Double(alternative.probability) * 100, "%.1f")
            write("\(alternative.text)  \(percent) %", x: Self.left + 24, y: y)
        }
        let note = "curve: the answer if the video ended there; dots: single frames"
        write(note, x: Self.width - Self.right - canvas.textSize(note, scale: Self.unit).width, y: top)
    }

    // MARK: Pen

    private mutating func write(_ text: String, x: Int, y: Int, scale: Int = unit) {
        canvas.drawText(text, x: x, y: y, color: Self.ink, scale: scale)
    }

    private mutating func fill(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ color: Color) {
        canvas.fill(x: x, y: y, width: width, height: height, color)
    }

    /// Three pixels wide.
    private mutating func drawLine(_ x1: Int, _ y1: Int, _ x2: Int, _ y2: Int, _ color: Color) {
        let count = max(abs(x2 - x1), abs(y2 - y1), 1)
        for i in 0...count {
            fill(x1 + (x2 - x1) * i / count - 1, y1 + (y2 - y1) * i / count - 1, 3, 3, color)
        }
    }

    // MARK: Numbers

    /// 1, 2 or 5 times a power of ten, at least `least`; of seconds that make minutes, whole minutes.
    private static func tick(_ least: Double) -> Double {
        let steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]
        return steps.first { $0 >= least } ?? 3600 * (least / 3600).rounded(.up)
    }

    private static func clock(_ time: Double, _ step: Double) -> String {
        if time >= 60, step >= 1 || time >= 600 { return Figure.duration(time) }
        return Figure.formatted(time, step < 0.1 ? "%.2f s" : step < 1 ? "%.1f s" : "%.0f s")
    }
}
