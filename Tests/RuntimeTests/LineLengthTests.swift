import Foundation
import Testing

/// What `.swift-format` says of the length of lines: the formatter wraps code, but leaves strings to us.
@Suite struct LineLength {
    @Test(arguments: ["Package.swift", "Plugins", "Sources", "Tests"]) func noLineIsTooLong(_ place: String) throws {
        let below = FileManager.default.enumerator(atPath: "\(Project.root)/\(place)")?.compactMap { $0 as? String } ?? []
        let files = place.hasSuffix(".swift") ? [place] : below.filter { $0.hasSuffix(".swift") }.map { "\(place)/\($0)" }
        #expect(!files.isEmpty)
        for file in files {
            let text = try String(contentsOfFile: "\(Project.root)/\(file)", encoding: .utf8)
            for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() where line.count > 130 {
                Issue.record("\(file):\(i + 1) has \(line.count) columns; use swift format, and break strings by hand")
            }
        }
    }
}
