import CFFmpeg
import Foundation

/// The video stream of one file, decoded from its beginning: for videos, and for stills that we have no decoder for.
///
/// Owns FFmpeg's objects and frees them. Not thread-safe: used by one function at a time.
final class FFmpegDecoder {
    /// A decoded frame, and when it is shown.
    private struct Slot {
        var frame: UnsafeMutablePointer<AVFrame>?
        var time = 0.0
        var duration = 0.0
    }

    private let ffmpeg: FFmpegLibrary
    private let input: FFmpegInput
    private let scaler: FrameScaler
    private var format: UnsafeMutablePointer<AVFormatContext>?
    private var codec: UnsafeMutablePointer<AVCodecContext>?
    private var packet: UnsafeMutablePointer<AVPacket>?
    private var io: UnsafeMutablePointer<AVIOContext>?
    private var current = Slot()
    /// The frame after the current one, where somebody wanted to know when it comes.
    private var upcoming = Slot()
    private var hasUpcoming = false
    private var clock = FrameClock(interval: 0.04)
    private var drained = false
    private var streamIndex: CInt = 0

    private var name: String { input.name }

    /// What may hold a video. A playlist or a "concat" script could make FFmpeg open other files and addresses.
    private static let videoFormats =
        "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,ogg,flv,asf,gif,mjpeg,ivf,dv,nut,apng"

    /// The video in a file or a pipe.
    init(video input: FFmpegInput) throws(MediaError) {
        ffmpeg = try FFmpegLibrary(for: input.name)
        self.input = input
        scaler = FrameScaler(ffmpeg, name: input.name)
        try open(demuxer: nil)
        try check(codecSizes: format!)
        let streams = Int(format!.pointee.nb_streams)
        // One dictionary for each stream, all with the one option.
        var all = [OpaquePointer?](repeating: nil, count: max(streams, 1))
        for i in 0..<streams { _ = ffmpeg.setOption(&all[i], "max_pixels", String(Image.pixelLimit), 0) }
        let status = ffmpeg.findStreamInfo(format, &all)
        for i in 0..<streams { ffmpeg.freeOptions(&all[i]) }
        if status < 0 { throw refusal() }
        try check(codecSizes: format!)
        // Several threads decode several frames at once; more of them cost memory and gain little.
        try openCodec(threads: 4)
        if frameRate > 0 { clock = FrameClock(interval: 1 / frameRate) }
    }

    /// A still image in memory.
    init(still input: FFmpegInput, demuxer: String) throws(MediaError) {
        ffmpeg = try FFmpegLibrary(for: input.name)
        self.input = input
        scaler = FrameScaler(ffmpeg, name: input.name)
        try open(demuxer: demuxer)
        try openCodec(threads: 1)
    }

    deinit {
        ffmpeg.freeFrame(&current.frame)
        ffmpeg.freeFrame(&upcoming.frame)
        ffmpeg.freePacket(&packet)
        ffmpeg.freeCodec(&codec)
        if format != nil { ffmpeg.closeInput(&format) }
        if let io {
            ffmpeg.free(io.pointee.buffer)
            ffmpeg.freeIO(&self.io)
        }
    }

    private func open(demuxer: String?) throws(MediaError) {
        io = input.makeContext(ffmpeg)
        format = ffmpeg.allocateFormat()
        guard let format, io != nil else { throw .outOfMemory(name: name, bytes: 0) }
        format.pointee.pb = io
        // Otherwise closing a context that was never opened takes our reader for a file of its own.
        format.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        var options: OpaquePointer?
        defer { ffmpeg.freeOptions(&options) }
        if demuxer == nil {
            _ = ffmpeg.setOption(&options, "format_whitelist", Self.videoFormats, 0)
            // What a file refers to is never opened.
            _ = ffmpeg.setOption(&options, "protocol_whitelist", "none", 0)
        }
        let wanted = demuxer.flatMap { ffmpeg.findInputFormat($0) }
        if demuxer != nil, wanted == nil { throw .noVideo(name: name) }
        // Frees the context where it fails.
        if ffmpeg.openInput(&self.format, input.isSeekable ? name : nil, wanted, &options) < 0 { throw refusal() }
    }

    /// Why a video that could be opened gave not one frame, after ``advance()`` has returned false.
    func refusalWithoutFrames() -> MediaError {
        let error = refusal()
        if case .noVideo = error { return endedEarly ? .endedEarly(name: name, frames: 0, seconds: 0) : .noFrames(name: name) }
        return error
    }

    /// Why there is no video, as far as the input can tell.
    private func refusal() -> MediaError {
        if let reason = input.failure { return .unreadable(path: name, reason: reason) }
        if input.count == 0 { return .empty(name: name) }
        if !input.isSeekable, input.extent.dataBeforeIndex != nil { return .notStreamable(name: name) }
        if input.isCutShort() { return .endedEarly(name: name, frames: 0, seconds: 0) }
        input.surveyHeaders()
        return input.extent.isSound ? .onlyAudio(name: name) : .noVideo(name: name)
    }

    private func check(codecSizes format: UnsafeMutablePointer<AVFormatContext>) throws(MediaError) {
        for i in 0..<Int(format.pointee.nb_streams) {
            guard let parameters = format.pointee.streams[i]?.pointee.codecpar?.pointee else { continue }
            let (width, height) = (Int(parameters.width), Int(parameters.height))
            if parameters.codec_type == AVMEDIA_TYPE_VIDEO, width > 0, height > 0, width * height > Image.pixelLimit {
                throw .tooManyPixels(name: name, width: width, height: height, limit: Image.pixelLimit)
            }
        }
    }

    private func openCodec(threads: CInt) throws(MediaError) {
        streamIndex = try videoStream()
        guard let parameters = stream.pointee.codecpar else { throw .noVideo(name: name) }
        guard let decoder = ffmpeg.findDecoder(parameters.pointee.codec_id) else {
            throw .unsupportedCodec(name: name, codec: codecName(parameters.pointee))
        }
        codec = ffmpeg.allocateCodec(decoder)
        packet = ffmpeg.allocatePacket()
        current.frame = ffmpeg.allocateFrame()
        upcoming.frame = ffmpeg.allocateFrame()
        guard let codec, packet != nil, current.frame != nil, upcoming.frame != nil else {
            throw .outOfMemory(name: name, bytes: 0)
        }
        if ffmpeg.setParameters(codec, parameters) < 0 { throw .noVideo(name: name) }
        codec.pointee.max_pixels = Int64(Image.pixelLimit)
        codec.pointee.thread_count = threads
        if ffmpeg.openCodec(codec, decoder, nil) < 0 {
            throw .unsupportedCodec(name: name, codec: codecName(parameters.pointee))
        }
        // Sound and subtitles need not be read, let alone kept.
        for i in 0..<Int(format!.pointee.nb_streams) where i != Int(streamIndex) {
            format!.pointee.streams[i]?.pointee.discard = AVDISCARD_ALL
        }
    }

    /// The stream to decode. The cover of a piece of music is no video.
    private func videoStream() throws(MediaError) -> CInt {
        func kind(_ i: Int) -> AVMediaType? { format!.pointee.streams[i]?.pointee.codecpar?.pointee.codec_type }
        func isVideo(_ i: Int) -> Bool {
            guard let stream = format!.pointee.streams[i] else { return false }
            return kind(i) == AVMEDIA_TYPE_VIDEO && stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
        }
        let best = ffmpeg.findBestStream(format, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0)
        if best >= 0, isVideo(Int(best)) { return best }
        let streams = 0..<Int(format!.pointee.nb_streams)
        if let other = streams.first(where: isVideo) { return CInt(other) }
        throw streams.contains { kind($0) == AVMEDIA_TYPE_AUDIO } ? .onlyAudio(name: name) : refusal()
    }

    /// FFmpeg's name of a codec, or the four characters by which the file calls one that FFmpeg does not know.
    private func codecName(_ parameters: AVCodecParameters) -> String {
        if parameters.codec_id != AV_CODEC_ID_NONE, let name = ffmpeg.codecName(parameters.codec_id) {
            return String(cString: name)
        }
        let tag = (0..<4).map { UInt8(truncatingIfNeeded: parameters.codec_tag >> (8 * UInt32($0))) }
        return tag.allSatisfy { (0x20..<0x7F).contains($0) } ? String(decoding: tag, as: UTF8.self) : "unknown"
    }

    private var stream: UnsafeMutablePointer<AVStream> { format!.pointee.streams[Int(streamIndex)]! }

    // MARK: What the header says

    /// In pixels, before ``orientation`` is applied.
    var size: (width: Int, height: Int) {
        (Int(stream.pointee.codecpar.pointee.width), Int(stream.pointee.codecpar.pointee.height))
    }

    /// In frames per second; 0 where the file does not tell.
    var frameRate: Double {
        let rate = stream.pointee.avg_frame_rate
        let fallback = stream.pointee.r_frame_rate
        if rate.num > 0, rate.den > 0 { return Double(rate.num) / Double(rate.den) }
        return fallback.num > 0 && fallback.den > 0 ? Double(fallback.num) / Double(fallback.den) : 0
    }

    /// In seconds; nil where the file does not tell.
    var duration: Double? {
        let own = stream.pointee.duration
        if own != FFmpegLibrary.noTimestamp, own > 0 { return seconds(own) }
        // A guess from the size of what was read so far is worse than nothing.
        if format!.pointee.duration_estimation_method == AVFMT_DURATION_FROM_BITRATE { return nil }
        let whole = format!.pointee.duration
        return whole != FFmpegLibrary.noTimestamp && whole > 0 ? Double(whole) / 1e6 : nil
    }

    /// How many frames the header announces; nil where it does not tell.
    var frameCount: Int? {
        let count = stream.pointee.nb_frames
        return count > 0 ? Int(count) : nil
    }

    /// How phones note that they were held upright: a 3×3 matrix, of which the upper left 2×2 is a rotation.
    var orientation: Orientation {
        var count = 0
        guard let data = ffmpeg.streamSideData(stream, AV_PKT_DATA_DISPLAYMATRIX, &count), count >= 36 else { return .upright }
        let matrix = UnsafeRawPointer(data)
        func sign(_ i: Int) -> Int32 { matrix.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self).signum() }
        return switch (sign(0), sign(1), sign(3), sign(4)) {
        case (0, 1, -1, 0): .rotatedClockwise
        case (0, -1, 1, 0): .rotatedCounterclockwise
        case (-1, 0, 0, -1): .rotated180
        case (-1, 0, 0, 1): .mirrored
        case (0, 1, 1, 0): .transposed
        case (0, -1, -1, 0): .transversed
        case (1, 0, 0, -1): .flippedVertically
        default: .upright
        }
    }

    private func seconds(_ timestamp: Int64) -> Double {
        let base = stream.pointee.time_base
        return Double(timestamp) * Double(base.num) / Double(base.den)
    }

    // MARK: Frames

    /// Whether the file ends before what it holds does. Known at the end.
    private(set) var endedEarly = false

    /// How many frames the file holds, without decoding one. Reads it to its end.
    func packetCount() throws(MediaError) -> Int {
        var count = 0
        while try readPacket() {
            if packet!.pointee.stream_index == streamIndex { count += 1 }
            ffmpeg.releasePacket(packet)
        }
        return count
    }

    /// False at the end.
    private func readPacket() throws(MediaError) -> Bool {
        while true {
            let status = ffmpeg.readFrame(format, packet)
            if status < 0 {
                if let reason = input.failure { throw .unreadable(path: name, reason: reason) }
                endedEarly = endedEarly || status != FFmpegLibrary.endOfFile || input.isCutShort()
                return false
            }
            if packet!.pointee.flags & AV_PKT_FLAG_CORRUPT == 0 || io!.pointee.eof_reached == 0 { return true }
            // The last piece of a file that was cut: a strip of a picture above grey.
            if packet!.pointee.stream_index == streamIndex { endedEarly = true }
            ffmpeg.releasePacket(packet)
        }
    }

    /// Decodes the next frame, which stays until the following call; false at the end.
    ///
    /// A frame that is damaged is left out, as every player does; what follows may be whole.
    ///
    /// - Throws: ``MediaError/unreadable(path:reason:)`` if the operating system cannot read on.
    func advance() throws(MediaError) -> Bool {
        if hasUpcoming {
            swap(&current, &upcoming)
            hasUpcoming = false
            return true
        }
        return try decode(into: &current)
    }

    /// When the current frame is shown, in seconds from the video's beginning; never less than the one before.
    var time: Double { current.time }

    /// How long the current frame is shown, in seconds, as far as the frame itself tells.
    var frameDuration: Double { current.duration }

    /// When the frame after the current one is shown; nil if the current one is the last. Decodes it.
    func timeAhead() throws(MediaError) -> Double? {
        if !hasUpcoming { hasUpcoming = try decode(into: &upcoming) }
        return hasUpcoming ? upcoming.time : nil
    }

    private func decode(into slot: inout Slot) throws(MediaError) -> Bool {
        var failures = 0
        while true {
            let status = ffmpeg.receiveFrame(codec, slot.frame)
            if status >= 0 {
                stamp(&slot)
                return true
            }
            if status == FFmpegLibrary.endOfFile { return false }
            if drained {
                // Damaged frames that were still on their way; a decoder that never says that it is done is not believed.
                failures += 1
                if status == FFmpegLibrary.again || failures > 64 { return false }
                continue
            }
            guard try readPacket() else {
                drained = true
                _ = ffmpeg.sendPacket(codec, nil)
                continue
            }
            defer { ffmpeg.releasePacket(packet) }
            guard packet!.pointee.stream_index == streamIndex else { continue }
            // An empty packet would tell the decoder that the video is over.
            if packet!.pointee.size > 0 { _ = ffmpeg.sendPacket(codec, packet) }
        }
    }

    private func stamp(_ slot: inout Slot) {
        let frame = slot.frame!
        slot.duration = max(0, seconds(zoo_frame_duration(frame)))
        let timestamp = frame.pointee.best_effort_timestamp
        if timestamp == FFmpegLibrary.noTimestamp {
            slot.time = clock.time(of: nil)
        } else {
            if stream.pointee.start_time == FFmpegLibrary.noTimestamp { stream.pointee.start_time = timestamp }
            let (offset, overflow) = timestamp.subtractingReportingOverflow(stream.pointee.start_time)
            slot.time = clock.time(of: overflow ? nil : seconds(offset))
        }
    }

    /// The current frame's pixels.
    ///
    /// - Parameter size: in pixels, before ``orientation`` is applied; as they are stored if nil.
    func image(size: (width: Int, height: Int)? = nil, alpha: Image.DecodingOptions.Alpha) throws(MediaError) -> Image {
        try scaler.image(of: current.frame!, size: size, alpha: alpha)
    }

    /// The current frame's size in pixels, before ``orientation`` is applied.
    var frameSize: (width: Int, height: Int) {
        (Int(current.frame!.pointee.width), Int(current.frame!.pointee.height))
    }
}

/// A still image of a format that only FFmpeg reads; of an animation, the first picture.
func decodeStill(
    _ bytes: [UInt8], name: String, format: ImageFormat, alpha: Image.DecodingOptions.Alpha
) throws(MediaError) -> Image {
    guard let demuxer = format.demuxer else { fatalError("\(format.name) has a decoder of its own") }
    return try bytes.withUnsafeBufferPointer { buffer throws(MediaError) in
        do throws(MediaError) {
            let decoder = try FFmpegDecoder(still: FFmpegInput(buffer, name: name), demuxer: demuxer)
            guard try decoder.advance() else { throw .noFrames(name: name) }
            return try decoder.image(alpha: alpha)
        } catch {
            switch error {
            case .noVideo, .noFrames, .onlyAudio, .unsupportedCodec:
                throw .damaged(name: name, format: format.name, reason: "FFmpeg cannot decode it")
            default: throw error
            }
        }
    }
}
