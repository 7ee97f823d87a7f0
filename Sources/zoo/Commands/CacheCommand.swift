import ArgumentParser
import Foundation
import ModelKit
import Runtime

struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Lists or removes the packed weights that are kept from run to run.",
        discussion: """
            Before a model runs, its weights are brought into the order in which the processor reads them fastest. Large \
            ones are kept in $XDG_CACHE_HOME/zoo, or ~/.cache/zoo, so that the next run only has to map them; 4 GiB at most. \
            Everything there can be removed at any time. --no-cache of other commands does without.

            Examples:
              zoo cache
              zoo cache --clear
            """)

    @Flag(help: "Remove all of it.")
    var clear = false
    @Flag(help: "Write a JSON object.")
    var json = false
    @OptionGroup var options: GlobalOptions

    func run() throws {
        guard let folder = options.packing else {
            throw Failure(.unavailable, "there is no cache: neither XDG_CACHE_HOME nor HOME is set")
        }
        if clear { folder.clear() }
        let files = folder.files, bytes = files.reduce(0) { $0 + $1.bytes }
        if json {
            let list = files.map { file in
                JSONValue.object([
                    .init("model", .string(file.model)), .init("path", .string(file.path)), .init("bytes", .integer(file.bytes)),
                    .init("lastUse", .integer(Int(file.lastUse))),
                ])
            }
            return try Console.output.write(
                JSONValue.object([
                    .init("folder", .string(folder.path)), .init("bytes", .integer(bytes)), .init("files", .array(list)),
                ]).text())
        }
        if files.isEmpty { return try Console.output.write("\(folder.path): nothing is kept") }
        var table = Table([.init("MODEL", cutsTo: 12), .init("SIZE", .right), .init("LAST USE"), .init("FILE", cutsTo: 16)])
        for file in files {
            let time = Date(timeIntervalSince1970: file.lastUse).formatted(.iso8601)
            table.add([file.model, Figure.bytes(file.bytes), time, (file.path as NSString).lastPathComponent])
        }
        try table.write()
        try Console.output.write("\(Figure.bytes(bytes)) in \(folder.path)")
    }
}
