import Foundation
import Media
import Testing

@Suite struct Cache {
    private let card = Project.root + "/ModelCards/captioner.json"

    private func list(_ place: Workplace, _ arguments: String...) throws -> [[String: Any]] {
        let result = try place.zoo(["cache", "--json"] + arguments)
        #expect(result.status == 0 && result.errors.isEmpty)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(json["folder"] as? String == "FOLDER/cache/zoo")
        return try #require(json["files"] as? [[String: Any]])
    }

    @Test func keepsListsAndClears() throws {
        let place = try Workplace()
        try place.write("a.png", TinyCaptioner.picture.pngData())
        let without = try place.zoo("run", card, "a.png", "--no-cache")
        #expect(without.status == 0 && !without.output.isEmpty)
        #expect(try list(place).isEmpty)
        #expect(try place.zoo("cache").output.contains("FOLDER/cache/zoo: nothing is kept"))

        for _ in 0..<2 { #expect(try place.zoo("run", card, "a.png").output == without.output) }
        let files = try list(place)
        #expect(files.map { $0["model"] as? String } == ["captioner"])
        #expect(files[0]["bytes"] as? Int ?? 0 > 4 << 20)
        #expect(try place.zoo("cache").lines.contains { $0.hasPrefix("captioner ") })

        // A file of noise in its place does no harm.
        let path = try #require(files[0]["path"] as? String).replacingOccurrences(of: "FOLDER", with: place.path)
        try Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 7) }).write(to: URL(fileURLWithPath: path))
        #expect(try place.zoo("run", card, "a.png").output == without.output)
        #expect(try list(place).map { $0["bytes"] as? Int } == files.map { $0["bytes"] as? Int })

        #expect(try list(place, "--clear").isEmpty)
    }

    @Test func nowhereToKeep() throws {
        let place = try Workplace()
        try place.write("a.png", TinyCaptioner.picture.pngData())
        let nowhere = ["XDG_CACHE_HOME": "", "HOME": ""]
        #expect(try place.zoo(["run", card, "a.png"], environment: nowhere).status == 0)
        let result = try place.zoo(["cache"], environment: nowhere)
        #expect(result.status == 69)
        #expect(result.errors == "zoo: there is no cache: neither XDG_CACHE_HOME nor HOME is set.\n")
    }
}
