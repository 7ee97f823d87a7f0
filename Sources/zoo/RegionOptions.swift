import ArgumentParser
import Foundation
import Media
import ModelKit
import Runtime

/// What only models that describe regions of a picture can be told.
struct RegionOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// `results.json` of the page that DenseCap's authors look at results with (vis/view_results.html).
        case denseCapViewer = "densecap-vis"
    }

    @Option(
        help: ArgumentHelp(
            """
            Describe these boxes of the picture, in this order, instead of looking for some: a list of [x, y, w, h] or \
            {"x":…, "y":…, "width":…, "height":…} in pixels from the left upper corner.
            """, valueName: "boxes.json"), completion: .file(extensions: ["json"]))
    var boxes: String?
    @Option(
        help: ArgumentHelp(
            """
            Write the regions of all inputs as one JSON object for another program: densecap-vis is the results.json that \
            vis/view_results.html of jcjohnson/densecap shows; put it and the pictures into vis/data.
            """, valueName: "format"))
    var format: Format?
    @Option(help: ArgumentHelp("Write what --format makes to this file.", valueName: "file"))
    var out: String?

    func validate() throws {
        if out != nil, format == nil {
            throw ValidationError("--out is for --format; add --format \(Format.denseCapViewer.rawValue)")
        }
    }

    /// - Throws: ``Failure`` for options that the model, or these inputs, cannot follow.
    func check(_ model: LoadedModel, _ inputs: InputFiles, json: Bool) throws {
        func refuse(_ option: String) -> Failure {
            Failure(.usage, "\(model.card.name) describes no regions; leave \(option) out")
        }
        if format != nil, model.card.task != .denseCaptioning { throw refuse("--format") }
        if boxes != nil, !(model.parts + model.optionalParts).contains(.boxes) { throw refuse("--boxes") }
        if let format, json { throw Failure(.usage, "--format \(format.rawValue) and --json exclude each other; leave one out") }
        if boxes != nil, !inputs.isSingleFile { throw Failure(.usage, "--boxes is for one picture; name a single file") }
        if let out { try OutputFile.check(out) }
    }

    /// Writes what `--format` asks for, if it does.
    ///
    /// - Parameter results: of all inputs that could be read.
    func write(_ results: [JSONValue], of card: ModelCard) throws {
        guard format != nil else { return }
        let options = JSONValue.object([.init("model", .string(card.name)), .init("version", .string(card.version))])
        let text = JSONValue.object([.init("results", .array(results)), .init("opt", options)]).text
        guard let out else { return try Console.output.write(text) }
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
    }
}
