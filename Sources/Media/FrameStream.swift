import Foundation

/// The frames of a video, one at a time, in the order of display: from a file, from standard input, or from a folder of pictures.
///
/// However long the video is, no more than the few frames that the decoder works on are in memory. A stream is passed through
/// once; it belongs to one function at a time.
public final class FrameStream {
    /// How a stream's pictures come out.
    public struct Options: Sendable, Equatable {
        /// A picture's size in pixels, as it is seen: after rotation.
        public enum Size: Sendable, Equatable {
            case stored
            /// Whatever becomes of the proportions.
            case exactly(width: Int, height: Int)
            /// The proportions stay; the longer side is rounded to whole pixels.
            case shorterSide(Int)
        }

        /// Scaled by libswscale while colours are converted (bicubic), which is cheaper than doing it afterwards.
        public var size: Size
        /// How many pictures of a folder make a second.
        public var pictureRate: Double
        /// Whether a video that was cut is taken for one that ends; see ``FrameStream/endedEarly``.
        public var acceptsEarlyEnd: Bool

        public init(size: Size = .stored, pictureRate: Double = 25, acceptsEarlyEnd: Bool = false) {
            (self.size, self.pictureRate, self.acceptsEarlyEnd) = (size, pictureRate, acceptsEarlyEnd)
        }
    }

    private enum Source {
        case video(FFmpegDecoder)
        case pictures(PictureFolder)
    }

    /// What messages call it: the path, or "standard input".
    public let name: String
    /// In frames per second; nil where nothing tells.
    public let frameRate: Double?
    /// In seconds, as announced; nil where nothing tells.
    public let duration: Double?
    /// How many frames are announced, before sampling; nil where nothing tells.
    public let frameCount: Int?
    /// How many frames have been decoded so far, the sampled ones and the others.
    public private(set) var framesDecoded = 0
    /// Whether the video was cut. Known at its end, for files whose headers tell how far they reach: MP4, Matroska and WebM, AVI,
    /// GIF, FLV. A stream that may stop anywhere (MPEG-TS, a fragmented MP4 between two fragments) does not tell.
    public private(set) var endedEarly = false

    private let source: Source
    private let options: Options
    private let orientation: Orientation
    private var sampler: FrameSampler
    private var scaler: FrameScaler?
    private var isOver = false
    /// Whether the frame handed out last is known to be the video's last.
    private var isAtEnd = false
    /// Whether counting the frames met a cut.
    private let isCutShort: Bool
    private var lastTime = 0.0
    /// The frame handed out last, and how often it is to come again.
    private var repeated: (frame: VideoFrame, times: Int)?

    /// Opens a video and reads its header. Waits for it where it is a pipe.
    ///
    /// - Parameters:
    ///   - path: a file; a folder of pictures, which are taken in natural order (`2.png` before `10.png`); or `-`, standard
    ///     input.
    ///   - sampling: which frames to hand out. Equal parts of a file make it be read once more, without decoding.
    /// - Throws: ``MediaError/notFound(path:)``, ``MediaError/unreadable(path:reason:)``, ``MediaError/empty(name:)``,
    ///   ``MediaError/noVideo(name:)``, ``MediaError/onlyAudio(name:)``, ``MediaError/unsupportedCodec(name:codec:)``,
    ///   ``MediaError/notStreamable(name:)``, ``MediaError/endedEarly(name:frames:seconds:)`` if not even the header is complete,
    ///   ``MediaError/noPictures(path:)``, ``MediaError/unknownLength(name:)``, ``MediaError/libraryMissing(name:library:)``.
    public init(
        contentsOf path: String, sampling: FrameSampling = .all, options: Options = Options()
    ) throws(MediaError) {
        switch options.size {
        case .exactly(let width, let height) where width < 1 || height < 1:
            fatalError("a picture cannot be \(width)×\(height) pixels large")
        case .shorterSide(let n) where n < 1: fatalError("a side cannot be \(n) pixels long")
        default: break
        }
        self.options = options
        var status = stat()
        if path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            guard options.pictureRate > 0 else { fatalError("\(options.pictureRate) pictures cannot make a second") }
            let folder = try PictureFolder(contentsOf: path)
            let count = folder.names.count
            (name, source, orientation) = (path, .pictures(folder), .upright)
            (frameRate, duration, frameCount) = (options.pictureRate, Double(count) / options.pictureRate, count)
            isCutShort = false
            sampler = try FrameSampler(sampling, name: path) { () throws(MediaError) in (count, nil) }
            return
        }
        let input = path == "-" ? FFmpegInput.standardInput() : try FFmpegInput(contentsOf: path)
        let decoder = try FFmpegDecoder(video: input)
        (name, source, orientation) = (input.name, .video(decoder), decoder.orientation)
        frameRate = decoder.frameRate > 0 ? decoder.frameRate : nil
        (duration, frameCount) = (decoder.duration, decoder.frameCount)
        var counter: FFmpegDecoder?
        sampler = try FrameSampler(sampling, name: input.name) { () throws(MediaError) in
            if path == "-" || !input.isSeekable { return (decoder.frameCount, decoder.duration) }
            let other = try FFmpegDecoder(video: FFmpegInput(contentsOf: path))
            counter = other
            return (try other.packetCount(), nil)
        }
        isCutShort = counter?.endedEarly ?? false
    }

    /// The next of the sampled frames; nil after the last.
    ///
    /// A damaged frame is left out, as every player does. After an error there are no more frames.
    ///
    /// - Throws: ``MediaError/noFrames(name:)`` if nothing can be decoded; ``MediaError/endedEarly(name:frames:seconds:)`` once,
    ///   after the last frame before the cut, unless that is accepted; ``MediaError/unreadable(path:reason:)`` if reading fails
    ///   midway; for a picture of a folder, as ``Image/init(contentsOf:options:)``.
    public func next() throws(MediaError) -> VideoFrame? {
        if let (frame, times) = repeated {
            repeated = times > 1 ? (frame, times - 1) : nil
            return frame
        }
        if isOver { return nil }
        do throws(MediaError) {
            return try decodeNext()
        } catch {
            isOver = true
            throw error
        }
    }

    private func decodeNext() throws(MediaError) -> VideoFrame? {
        while !sampler.isDone {
            guard try advance() else {
                isOver = true
                try checkEnd()
                return nil
            }
            let (index, time) = (framesDecoded, time(at: framesDecoded))
            framesDecoded += 1
            lastTime = time
            let copies = try sampler.copies(index: index, time: time, duration: frameDuration) { () throws(MediaError) in
                let time = try timeAhead()
                isAtEnd = time == nil
                return time
            }
            if copies == 0 { continue }
            let frame = VideoFrame(index: index, time: time, image: try image(at: index))
            if copies > 1 { repeated = (frame, copies - 1) }
            return frame
        }
        isOver = true
        // Equal parts of what a cut has left are not what was asked for.
        if isCutShort, !isAtEnd, !options.acceptsEarlyEnd {
            while try advance() {
                lastTime = time(at: framesDecoded)
                framesDecoded += 1
            }
            isAtEnd = true
        }
        endedEarly = isCutShort
        if isAtEnd { try checkEnd() }
        return nil
    }

    private func checkEnd() throws(MediaError) {
        guard case .video(let decoder) = source else { return }
        endedEarly = endedEarly || decoder.endedEarly
        if framesDecoded == 0 { throw decoder.refusalWithoutFrames() }
        if endedEarly, !options.acceptsEarlyEnd {
            throw .endedEarly(name: name, frames: framesDecoded, seconds: lastTime + frameDuration)
        }
    }

    // MARK: Both kinds of source

    private func advance() throws(MediaError) -> Bool {
        switch source {
        case .video(let decoder): try decoder.advance()
        case .pictures(let folder): framesDecoded < folder.names.count
        }
    }

    private func time(at index: Int) -> Double {
        switch source {
        case .video(let decoder): decoder.time
        case .pictures: Double(index) / options.pictureRate
        }
    }

    private func timeAhead() throws(MediaError) -> Double? {
        switch source {
        case .video(let decoder): try decoder.timeAhead()
        case .pictures(let folder):
            framesDecoded < folder.names.count ? Double(framesDecoded) / options.pictureRate : nil
        }
    }

    /// The current frame's own, or else the usual one.
    private var frameDuration: Double {
        if case .video(let decoder) = source, decoder.frameDuration > 0 { return decoder.frameDuration }
        return frameRate.map { 1 / $0 } ?? 0
    }

    private func image(at index: Int) throws(MediaError) -> Image {
        switch source {
        case .video(let decoder):
            let (width, height) = decoder.frameSize
            let seen = orientation.exchangesAxes ? (height, width) : (width, height)
            let size = size(for: seen).map { orientation.exchangesAxes ? ($0.height, $0.width) : ($0.width, $0.height) }
            return orientation.applied(to: try decoder.image(size: size, alpha: .white))
        case .pictures(let folder):
            let image = try Image(contentsOf: folder.path(at: index))
            guard let size = size(for: (image.width, image.height)), size != (image.width, image.height) else { return image }
            if scaler == nil { scaler = FrameScaler(try FFmpegLibrary(for: name), name: name) }
            return try scaler!.image(image, size: size)
        }
    }

    /// The size wanted of a picture; nil for its own.
    private func size(for seen: (width: Int, height: Int)) -> (width: Int, height: Int)? {
        switch options.size {
        case .stored: return nil
        case .exactly(let width, let height): return (width, height)
        case .shorterSide(let n):
            let scale = Double(n) / Double(min(seen.width, seen.height))
            func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
            return (scaled(seen.width), scaled(seen.height))
        }
    }
}
