public import Foundation

/// Videos with a class each.
///
/// Either a folder of folders, one for each class, with the videos in it (`fight/a.mp4`, `noFight/b.mp4`; a class is called as
/// its folder, in words: "no fight"), or `questions.json` with `[question, answer, clip number]` and `clips/NUMBER.gif`, where
/// the answer to the question for the direction is the class.
public struct ClipDataSet: Sendable {
    public struct Clip: Sendable, Hashable {
        /// Relative to the data set's folder.
        public let name: String
        public let file: URL
        public let label: String
    }

    /// One of so many equal parts, counted from 1.
    public struct Fold: Sendable, Hashable {
        public let number: Int, count: Int
        /// It is a programming error if there is no such part.
        public init(_ number: Int, of count: Int) {
            precondition(count > 1 && 1...count ~= number, "no fold \(number) of \(count)")
            (self.number, self.count) = (number, count)
        }
        /// What is held back where nobody says otherwise.
        public static let standard = Fold(1, of: 5)
    }

    public let name: String
    /// In the order of their names.
    public let clips: [Clip]
    public var classes: [String] { Set(clips.map(\.label)).sorted() }

    private static let videos = [".mp4", ".mkv", ".webm", ".avi", ".mov", ".gif", ".mpg", ".mpeg"]

    /// - Parameter classes: others are left out; nil: all are taken.
    /// - Throws: ``DataSetError`` where there is no such folder, its `questions.json` is not as described, or no clips are found.
    public init(folder: URL, classes: [String]? = nil) throws(DataSetError) {
        let listing = try FolderListing(folder)
        let found = listing.names.contains("questions.json") ? try Self.directions(listing) : Self.folders(listing)
        name = folder.standardizedFileURL.lastPathComponent
        clips = found.filter { classes?.contains($0.label) ?? true }.sorted { $0.name < $1.name }
        guard !clips.isEmpty else { throw .noClips(folder.path, classes: classes ?? []) }
    }

    private static func folders(_ listing: FolderListing) -> [Clip] {
        listing.names.sorted().flatMap { folder -> [Clip] in
            guard let inside = listing.in(folder) else { return [] }
            return inside.all { name in videos.contains(where: name.lowercased().hasSuffix) }.map { file in
                Clip(name: "\(folder)/\(file)", file: inside.url.appendingPathComponent(file), label: words(folder))
            }
        }
    }

    /// `noFight`, `no_fight` and `No-Fight` are "no fight".
    private static func words(_ folder: String) -> String {
        var text = ""
        for character in folder {
            if character.isUppercase, let last = text.last, last != " " { text += " " }
            text += character == "_" || character == "-" ? " " : character.lowercased()
        }
        return text.split(separator: " ").joined(separator: " ")
    }

    private static func directions(_ listing: FolderListing) throws(DataSetError) -> [Clip] {
        struct Entry: Decodable {
            let question: String, answer: String
            let clip: Int
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                (question, answer, clip) = (try list.decode(String.self), try list.decode(String.self), try list.decode(Int.self))
            }
        }
        let file = listing.url.appendingPathComponent("questions.json"), data = try DataSetError.contents(file)
        let entries: [Entry]
        do { entries = try JSONDecoder().decode([Entry].self, from: data) } catch { throw .json(error, file: file.path) }
        var labels: [Int: String] = [:]
        for entry in entries where entry.question.contains("direction") { labels[entry.clip] = entry.answer }
        return try labels.sorted { $0.key < $1.key }.map { number, label throws(DataSetError) in
            let name = "clips/\(number).gif", file = listing.url.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: file.path) else {
                throw .missingImages(first: name, count: 1, folder: listing.url.path)
            }
            return Clip(name: name, file: file, label: label)
        }
    }

    /// The clips in a part, and all others. A part has its share of every class; which clips it has depends on nothing but the
    /// names of the clips.
    public func divided(_ fold: Fold) -> (others: [Clip], held: [Clip]) {
        var held: Set<String> = []
        for (_, members) in Dictionary(grouping: clips, by: \.label) {
            let shuffled = members.map { (hash: Self.hash($0.name), $0.name) }.sorted { ($0.hash, $0.1) < ($1.hash, $1.1) }
            for (i, clip) in shuffled.enumerated() where i % fold.count == fold.number - 1 { held.insert(clip.1) }
        }
        return (clips.filter { !held.contains($0.name) }, clips.filter { held.contains($0.name) })
    }

    /// FNV-1a, which does not change from run to run as the standard library's does.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
