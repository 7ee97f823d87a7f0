import Foundation
import Media
import Testing

/// Streams against the frames that the command `ffmpeg` makes of the same clips, bit for bit; see Reference/frames.py.
@Suite struct FrameStreamTests {
    struct Sampled: Decodable, Sendable {
        let rate: Double
        let frames: [Int]
    }

    struct Clip: Decodable, Sendable {
        let name, ending, file: String
        let width, height: Int
        let checksums: [UInt32]
        let times: [Double]
        let sampled: [Sampled]
        var bytes: [UInt8] { [UInt8](Data(base64Encoded: file)!) }
    }

    struct Scaled: Decodable, Sendable {
        let width, height: Int
        let checksums: [UInt32]
    }

    struct Sound: Decodable, Sendable {
        let name, ending, file: String
    }

    struct Turned: Decodable, Sendable {
        let matrix: [Int]
        let checksum: UInt32
    }

    struct RealFile: Decodable, Sendable {
        let path: String
        let width, height, count: Int
        let last: Double
        let checksum: UInt32
        let sampled: [Sampled]
    }

    struct Reference: Decodable, Sendable {
        let clips: [Clip]
        let scaled: [Scaled]
        let audio: [Sound]
        let empty: String
        let turned: [Turned]
        let files: [RealFile]
    }

    static let reference: Reference = {
        let url = Files.reference.appendingPathComponent("frames.json")
        return try! JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
    }()

    static let names = reference.clips.map(\.name)

    static func clip(_ name: String) throws -> Clip { try #require(reference.clips.first { $0.name == name }) }

    static func withFile<Result>(_ bytes: [UInt8], ending: String, _ body: (String) throws -> Result) throws -> Result {
        try Files.withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("clip." + ending)
            try Data(bytes).write(to: url)
            return try body(url.path)
        }
    }

    /// The bytes as a pipe that has a path. They must fit into it (64 KiB).
    static func withPipe<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(bytes))
        try pipe.fileHandleForWriting.close()
        defer { try? pipe.fileHandleForReading.close() }
        return try body("/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
    }

    static func all(_ stream: FrameStream) throws -> [VideoFrame] {
        var frames = [VideoFrame]()
        while let frame = try stream.next() { frames.append(frame) }
        #expect(try stream.next() == nil)
        return frames
    }

    static func all(
        _ path: String, _ sampling: FrameSampling = .all, _ options: FrameStream.Options = .init()
    ) throws -> [VideoFrame] {
        try all(FrameStream(contentsOf: path, sampling: sampling, options: options))
    }

    static func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was thrown"
        } catch { return "\(error)" }
    }

    func check(_ frames: [VideoFrame], _ clip: Clip) {
        #expect(frames.map { adler($0.image.pixels) } == clip.checksums)
        #expect(frames.map(\.index) == Array(clip.checksums.indices))
        #expect(frames.count == clip.times.count)
        for (frame, time) in zip(frames, clip.times) { #expect(abs(frame.time - time) < 1e-3) }
        #expect(frames.allSatisfy { $0.image.width == clip.width && $0.image.height == clip.height })
    }

    // MARK: Whole clips

    @Test(arguments: names)
    func decodesAsFFmpeg(_ name: String) throws {
        let clip = try Self.clip(name)
        try Self.withFile(clip.bytes, ending: clip.ending) { (path) throws -> Void in
            let stream = try FrameStream(contentsOf: path)
            check(try Self.all(stream), clip)
            #expect(!stream.endedEarly && stream.framesDecoded == clip.times.count && stream.name == path)
            if name == "endless matroska" { #expect(stream.duration == nil && stream.frameCount == nil) }
            if let count = stream.frameCount { #expect(count == clip.times.count) }
            if let duration = stream.duration { #expect(abs(duration - clip.times.last! - 0.1) < 0.25) }
        }
    }

    @Test(arguments: names)
    func decodesFromAPipe(_ name: String) throws {
        let clip = try Self.clip(name)
        try Self.withPipe(clip.bytes) { (path) throws -> Void in
            let stream = try FrameStream(contentsOf: path)
            check(try Self.all(stream), clip)
            #expect(!stream.endedEarly)
        }
    }

    @Test func readsStandardInput() throws {
        let clip = try Self.clip("faststart mp4")
        // From a pipe, and from a file of which something has been read.
        let standardInput = dup(STDIN_FILENO)
        defer {
            if standardInput >= 0 {
                dup2(standardInput, STDIN_FILENO)
                close(standardInput)
            }
        }
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(clip.bytes))
        try pipe.fileHandleForWriting.close()
        dup2(pipe.fileHandleForReading.fileDescriptor, STDIN_FILENO)
        let stream = try FrameStream(contentsOf: "-")
        check(try Self.all(stream), clip)
        #expect(stream.name == "standard input" && stream.frameCount == clip.times.count)
        #expect(
            Self.message { _ = try FrameStream(contentsOf: "-") }
                == "standard input: is empty (0 bytes); copy or download it again.")

        let late = try Self.clip("mp4")
        try Self.withFile(Array("header".utf8) + late.bytes, ending: "mp4") { (path) throws -> Void in
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            _ = try file.read(upToCount: 6)
            dup2(file.fileDescriptor, STDIN_FILENO)
            check(try Self.all(FrameStream(contentsOf: "-")), late)
        }
    }

    static let hasData = FileManager.default.fileExists(atPath: Files.data.appendingPathComponent("moving-shapes").path)

    @Test(.enabled(if: hasData, "needs shared/data"), arguments: reference.files.map(\.path))
    func decodesRealFilesAsFFmpeg(_ name: String) throws {
        let file = try #require(Self.reference.files.first { $0.path == name })
        let path = Files.data.appendingPathComponent(file.path).path
        let stream = try FrameStream(contentsOf: path)
        var checksums = [UInt32]()
        var last = 0.0
        while let frame = try stream.next() {
            checksums.append(adler(frame.image.pixels))
            last = frame.time
        }
        #expect(checksums.count == file.count && abs(last - file.last) < 1e-3 && !stream.endedEarly)
        #expect(adler(checksums.flatMap { sum in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) } }) == file.checksum)
        for sampled in file.sampled {
            let found = try Self.all(path, .rate(sampled.rate)).map { adler($0.image.pixels) }
            #expect(found == sampled.frames.map { checksums[$0] })
        }
    }

    // MARK: Sizes

    @Test func scalesAsFFmpeg() throws {
        try Self.withFile(try Self.clip("mp4").bytes, ending: "mp4") { (path) throws -> Void in
            for test in Self.reference.scaled {
                let size = FrameStream.Options.Size.exactly(width: test.width, height: test.height)
                let frames = try Self.all(path, .all, .init(size: size))
                #expect(frames.map { adler($0.image.pixels) } == test.checksums, "\(test.width)×\(test.height)")
            }
        }
    }

    @Test func scalesTurnedPictures() throws {
        try Self.withFile(try Self.clip("turned mp4").bytes, ending: "mp4") { (path) throws -> Void in
            func size(_ size: FrameStream.Options.Size) throws -> [Int] {
                let image = try #require(try FrameStream(contentsOf: path, options: .init(size: size)).next()).image
                return [image.width, image.height]
            }
            #expect(try size(.stored) == [48, 64])
            #expect(try size(.exactly(width: 20, height: 30)) == [20, 30])
            #expect(try size(.shorterSide(30)) == [30, 40])
            #expect(try size(.shorterSide(11)) == [11, 15])
        }
    }

    @Test func turnsPicturesAsFFmpeg() throws {
        let plain = try Self.clip("mp4").bytes
        let header = try #require(plain.indices.dropLast(4).first { Array(plain[$0..<$0 + 4]) == Array("tkhd".utf8) })
        for turned in Self.reference.turned {
            var bytes = plain
            for (place, value) in zip([0, 1, 3, 4], turned.matrix) {
                let at = header + 44 + 4 * place
                bytes.replaceSubrange(at..<at + 4, with: [value < 0 ? 0xFF : 0, value == 0 ? 0 : value < 0 ? 0xFF : 1, 0, 0])
            }
            try Self.withFile(bytes, ending: "mp4") { (path) throws -> Void in
                let frame = try #require(try FrameStream(contentsOf: path).next())
                #expect(adler(frame.image.pixels) == turned.checksum, "\(turned.matrix)")
                let video = try Video(contentsOf: path)
                #expect(video.width == frame.image.width && video.height == frame.image.height)
            }
        }
        #expect(Set(Self.reference.turned.map(\.checksum)).count == 8)
    }

    // MARK: Sampling

    @Test(arguments: names)
    func keepsARateAsFFmpeg(_ name: String) throws {
        let clip = try Self.clip(name)
        try Self.withFile(clip.bytes, ending: clip.ending) { (path) throws -> Void in
            for sampled in clip.sampled {
                let frames = try Self.all(path, .rate(sampled.rate))
                var expected = sampled.frames.map { clip.checksums[$0] }
                if name == "variable mp4" {
                    // How long the last frame is shown, this file does not tell. FFmpeg takes it for no time at all.
                    let end = Int((1.6 * sampled.rate).rounded(.toNearestOrAwayFromZero))
                    while expected.count < end { expected.append(clip.checksums[15]) }
                }
                #expect(
                    frames.map { adler($0.image.pixels) } == expected,
                    "at \(sampled.rate) frames per second: \(frames.map(\.index)), not \(sampled.frames)")
            }
        }
    }

    @Test func samples() throws {
        let clip = try Self.clip("faststart mp4")
        try Self.withFile(clip.bytes, ending: "mp4") { (path) throws -> Void in
            func numbers(_ sampling: FrameSampling) throws -> [Int] { try Self.all(path, sampling).map(\.index) }
            #expect(try numbers(.all) == Array(0..<16))
            #expect(try numbers(.every(stride: 5, start: 1, limit: 2)) == [1, 6])
            #expect(try numbers(.interval(seconds: 0.3)) == [0, 3, 6, 9, 12, 15])
            #expect(try numbers(.interval(seconds: 0.25)) == [0, 3, 5, 8, 10, 13, 15])
            #expect(try numbers(.interval(seconds: 0.01)) == Array(0..<16))
            #expect(try numbers(.interval(seconds: 60)) == [0])
            #expect(try numbers(.uniform(count: 4)) == [2, 6, 10, 14])
            #expect(try numbers(.uniform(count: 32)) == (0..<32).map { $0 / 2 })
            #expect(try numbers(.uniform(count: 0)) == [])
            #expect(try numbers(.times([1.25, 99, -1, 0.1, 0.1])) == [0, 1, 1, 12, 15])
            #expect(try Video(contentsOf: path).frames(.times([1.25, 99, -1, 0.1])).map(\.index) == [12, 15, 0, 1])
            #expect(try numbers(.times([])) == [])
        }
        // Of a pipe the header tells the number of frames, or the duration, or nothing.
        func piped(_ name: String, _ sampling: FrameSampling) throws -> [Int] {
            try Self.withPipe(Self.clip(name).bytes) { try Self.all($0, sampling).map(\.index) }
        }
        #expect(try piped("faststart mp4", .uniform(count: 4)) == [2, 6, 10, 14])
        #expect(try piped("webm", .uniform(count: 4)) == [2, 6, 10, 14])
        #expect(try piped("webm", .uniformOrInterval(count: 4, seconds: 0.5)) == [2, 6, 10, 14])
        #expect(try piped("endless matroska", .uniformOrInterval(count: 4, seconds: 0.5)) == [0, 5, 10, 15])
        #expect(try piped("endless matroska", .interval(seconds: 0.5)) == [0, 5, 10, 15])
        #expect(try piped("endless matroska", .times([0.55, 9])) == [5, 15])
        try Self.withPipe(Self.clip("endless matroska").bytes) { (path) throws -> Void in
            #expect(
                Self.message { _ = try FrameStream(contentsOf: path, sampling: .uniform(count: 2)) }
                    == "\(path): how long the video is cannot be told beforehand, so it cannot be cut into equal parts;"
                    + " save it to a file, or sample it by time.")
        }
        try Self.withFile(Self.clip("endless matroska").bytes, ending: "mkv") { (path) throws -> Void in
            #expect(try Self.all(path, .uniform(count: 4)).map(\.index) == [2, 6, 10, 14])
        }
        try Self.withFile(Self.clip("variable mp4").bytes, ending: "mp4") { (path) throws -> Void in
            // Shown at 0, 0.13, 0.32, 0.42, 0.43, 0.5 s, …
            #expect(try Self.all(path, .times([0.12, 0.13, 0.31, 0.425])).map(\.index) == [0, 1, 1, 3])
        }
    }

    // MARK: Cut, damaged and other files

    @Test(arguments: ["faststart mp4", "turned mp4", "matroska", "webm", "avi", "gif", "flash", "with sound"])
    func tellsACut(_ name: String) throws {
        let clip = try Self.clip(name)
        for share in [0.5, 0.7, 0.9] {
            let bytes = Array(clip.bytes.prefix(Int(Double(clip.bytes.count) * share)))
            func check(_ path: String) throws {
                var frames = [VideoFrame]()
                let error = Self.message {
                    let stream = try FrameStream(contentsOf: path)
                    while let frame = try stream.next() { frames.append(frame) }
                }
                #expect(frames.count < clip.checksums.count || error.contains("after 16 frames"))
                for frame in frames {
                    // Of frames that depend on each other, one in between may be behind the cut.
                    let number = try #require(clip.times.firstIndex { abs($0 - frame.time) < 1e-3 })
                    #expect(adler(frame.image.pixels) == clip.checksums[number])
                }
                if frames.isEmpty {
                    #expect(error == "\(path): ends too early, before its first frame; copy or download it again.")
                } else {
                    let count = "\(frames.count) \(frames.count == 1 ? "frame" : "frames")"
                    #expect(error.hasPrefix("\(path): ends too early, after \(count) ("))
                    #expect(error.hasSuffix(" s); copy or download it again."))
                    // Whoever accepts the cut gets the same frames, and can ask.
                    let stream = try FrameStream(contentsOf: path, options: .init(acceptsEarlyEnd: true))
                    #expect(try Self.all(stream) == frames && stream.endedEarly)
                    // Equal parts of what is left are no equal parts of the video.
                    let parts = Self.message { _ = try Self.all(path, .uniform(count: 2)) }
                    #expect(parts == error)
                    #expect(try Video(contentsOf: path).frames(.uniform(count: 1)).count == 1)
                    // The first frame is what it is.
                    #expect(try Self.all(path, .every(stride: 1, limit: 1)) == [frames[0]])
                }
            }
            try Self.withFile(bytes, ending: clip.ending, check)
        }
    }

    @Test func tellsACutOfAPipe() throws {
        for name in ["faststart mp4", "matroska", "avi", "flash"] {
            let clip = try Self.clip(name)
            try Self.withPipe(Array(clip.bytes.prefix(clip.bytes.count * 9 / 10))) { (path) throws -> Void in
                let error = Self.message { _ = try Self.all(path) }
                #expect(error.hasPrefix("\(path): ends too early, "), "\(name): \(error)")
            }
        }
    }

    @Test(arguments: names)
    func survivesAnyCut(_ name: String) throws {
        let clip = try Self.clip(name)
        for count in stride(from: 1, to: clip.bytes.count, by: max(1, clip.bytes.count / 40)) {
            try Self.withFile(Array(clip.bytes.prefix(count)), ending: clip.ending) { (path) throws -> Void in
                do {
                    let frames = try Self.all(path)
                    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time <= $1.time })
                } catch { #expect("\(error)".hasPrefix(path)) }
            }
            try Self.withPipe(Array(clip.bytes.prefix(count))) { (path) throws -> Void in
                do { _ = try Self.all(path) } catch { #expect("\(error)".hasPrefix(path)) }
            }
        }
    }

    @Test(arguments: reference.audio.map(\.name))
    func refusesSound(_ name: String) throws {
        let sound = try #require(Self.reference.audio.first { $0.name == name })
        let bytes = [UInt8](Data(base64Encoded: sound.file)!)
        try Self.withFile(bytes, ending: sound.ending) { (path) throws -> Void in
            #expect(
                Self.message { _ = try FrameStream(contentsOf: path) }
                    == "\(path): holds sound but no video; name a file that has pictures to it.")
        }
    }

    @Test func refuses() throws {
        #expect(
            Self.message { _ = try FrameStream(contentsOf: "/nowhere/clip.mp4") }
                == "/nowhere/clip.mp4: there is no such file; check the path.")
        let clip = try Self.clip("mp4")
        var strange = clip.bytes
        for i in strange.indices.dropLast(4) where Array(strange[i..<i + 4]) == Array("avc1".utf8) {
            strange.replaceSubrange(i..<i + 4, with: Array("zoo1".utf8))
        }
        try Self.withFile(strange, ending: "mp4") { (path) throws -> Void in
            #expect(
                Self.message { _ = try FrameStream(contentsOf: path) }
                    == "\(path): its video is coded as 'zoo1', which this machine's FFmpeg cannot decode;"
                    + " convert it with 'ffmpeg -i FILE -c:v libx264 NEW.mp4'.")
        }
        // Frames that are nothing but zeros.
        let data = try #require(clip.bytes.indices.dropLast(4).first { Array(clip.bytes[$0..<$0 + 4]) == Array("mdat".utf8) })
        let size = clip.bytes[data - 4..<data].reduce(0) { $0 << 8 | Int($1) }
        var blank = clip.bytes
        for i in data + 4..<data - 4 + size { blank[i] = 0 }
        try Self.withFile(blank, ending: "mp4") { (path) throws -> Void in
            #expect(
                Self.message { _ = try Self.all(path) }
                    == "\(path): not one frame of the video could be decoded; copy or download the file again.")
        }
        // As a pipe, an index behind more data than can be kept is out of reach.
        var late = clip.bytes
        late[data - 3] = 0x40
        try Self.withPipe(late) { (path) throws -> Void in
            #expect(
                Self.message { _ = try Self.all(path) }
                    == "\(path): this MP4 file has its index at its end and cannot be read from a pipe;"
                    + " name the file, or rewrite it with 'ffmpeg -i FILE -c copy -movflags +faststart NEW.mp4'.")
        }
        // A file that FFmpeg began and had no frame for, one that ends after the header, and one that is none.
        let live = try Self.clip("endless matroska").bytes
        let cluster = try #require(live.indices.dropLast(4).first { Array(live[$0..<$0 + 4]) == [0x1F, 0x43, 0xB6, 0x75] })
        let empty = [UInt8](Data(base64Encoded: Self.reference.empty)!)
        for bytes in [empty, Array(live[..<cluster]), Array("no video at all".utf8)] {
            try Self.withFile(bytes, ending: "mp4") { (path) throws -> Void in
                #expect(
                    Self.message { _ = try FrameStream(contentsOf: path) }
                        == "\(path): holds no video that FFmpeg can read; use MP4, WebM, Matroska, AVI, MPEG or GIF.")
            }
        }
    }

    // MARK: Folders

    @Test func readsAFolder() throws {
        try Files.withTemporaryFolder { (folder) throws -> Void in
            func write(_ name: String, _ level: UInt8, width: Int = 8) throws {
                let image = Image(width: width, height: 6, color: Color(level, level, level))
                try image.write(to: folder.appendingPathComponent(name).path)
            }
            #expect(
                Self.message { _ = try FrameStream(contentsOf: folder.path) }
                    == "\(folder.path): this folder holds no pictures;"
                    + " put the video's frames there as JPEG, PNG, WebP, BMP or TIFF.")
            for (name, level) in [("f10.png", 3), ("f2.PNG", 1), ("f1.png", 0), ("f9.png", 2), ("g001.png", 4)] {
                try write(name, UInt8(level * 50))
            }
            try Data("labels".utf8).write(to: folder.appendingPathComponent("labels.txt"))
            try Data("hidden".utf8).write(to: folder.appendingPathComponent(".f3.png"))
            let inner = folder.appendingPathComponent("f4.png")
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: false)
            let stream = try FrameStream(contentsOf: folder.path, options: .init(pictureRate: 5))
            #expect(stream.frameCount == 5 && stream.frameRate == 5 && stream.duration == 1)
            let frames = try Self.all(stream)
            #expect(frames.map { $0.image[0, 0].red } == [0, 50, 100, 150, 200])
            #expect(frames.map(\.time) == [0, 0.2, 0.4, 0.6, 0.8])
            let options = FrameStream.Options(size: .shorterSide(3), pictureRate: 5)
            let small = try Self.all(folder.path, .uniform(count: 2), options)
            #expect(small.map(\.index) == [1, 3] && small.allSatisfy { $0.image.width == 4 && $0.image.height == 3 })
            #expect(small.map { Int($0.image[2, 1].red) }.elementsEqual([50, 150]) { abs($0 - $1) <= 1 })
            #expect(try Self.all(folder.path, .rate(10), options).map(\.index) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
            #expect(try Self.all(folder.path, .times([0.3, 7]), options).map(\.index) == [1, 4])

            let broken = folder.appendingPathComponent("f5.png")
            try Data("no picture".utf8).write(to: broken)
            let late = try FrameStream(contentsOf: folder.path)
            #expect(try late.next()?.index == 0 && late.next()?.index == 1)
            #expect(Self.message { _ = try late.next() }.hasPrefix("\(broken.path): is not an image in a known format"))
            #expect(try late.next() == nil)
        }
    }

    @Test func keepsTimeRunning() {
        var clock = FrameClock(interval: 0.1)
        let times: [Double?] = [nil, 0.1, nil, 0.15, 0.3, 0.3, 100, 5, 5.1, nil]
        let expected = [0, 0.1, 0.2, 0.2, 0.3, 0.3, 100, 100.1, 100.2, 100.3]
        for (stated, time) in zip(times, expected) { #expect(abs(clock.time(of: stated) - time) < 1e-9) }
    }
}

/// zlib's Adler-32.
private func adler(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
        a = (a + UInt32(byte)) % 65521
        b = (b + a) % 65521
    }
    return b << 16 | a
}
