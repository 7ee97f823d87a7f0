import ArgumentParser
import Foundation
import Media
import ModelKit

/// How a run looks at videos.
struct ClipOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Look at a frame every so often: 0.5s, 200ms, or 8f for every eighth frame (default: as the card says).",
            valueName: "interval"))
    var every: String?
    @Option(
        help: ArgumentHelp(
            "Write a picture of what the model thought of a video over time, for one video.", valueName: "file.png"))
    var timeline: String?

    func validate() throws { _ = try sampling() }

    /// Whether anything was said about videos, for models that take none.
    var isGiven: Bool { every != nil || timeline != nil }

    /// Nil where the card decides.
    func sampling() throws -> FrameSampling? {
        guard let every else { return nil }
        let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("", 1)]
        if every.hasSuffix("f"), let stride = Int(every.dropLast()), 1...100_000 ~= stride { return .every(stride: stride) }
        for (suffix, seconds) in units where every.hasSuffix(suffix) {
            guard let number = Double(every.dropLast(suffix.count)) else { continue }
            guard 0.001...86_400 ~= number * seconds else { break }
            return .interval(seconds: number * seconds)
        }
        throw ValidationError("--every must be seconds from 0.001s to 86400s, milliseconds (200ms) or frames (8f), not \(every)")
    }

    /// - Throws: ``Failure`` where there is more than one video, or no place for the picture.
    func checkTimeline(_ inputs: InputFiles) throws {
        guard let timeline else { return }
        guard inputs.isSingleFile else { throw Failure(.usage, "--timeline is for one video; name a single file") }
        guard timeline.lowercased().hasSuffix(".png") else {
            throw Failure(.usage, "--timeline: \(timeline) would be a PNG file; end its name in .png")
        }
        try OutputFile.check(timeline)
    }
}
