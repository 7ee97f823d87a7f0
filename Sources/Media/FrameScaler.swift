import CFFmpeg

/// Turns FFmpeg's pictures into RGB, in another size where one is wanted (bicubic, as `ffmpeg`'s own scale filter).
///
/// Owns libswscale's context and keeps it, and the memory it writes to, as long as pictures of the same kind come.
final class FrameScaler {
    private struct Conversion: Equatable {
        var format: AVPixelFormat
        var size, target: (width: Int, height: Int)
        var space = AVCOL_SPC_UNSPECIFIED
        var range = AVCOL_RANGE_UNSPECIFIED

        static func == (a: Conversion, b: Conversion) -> Bool {
            a.format == b.format && a.size == b.size && a.target == b.target && a.space == b.space && a.range == b.range
        }
    }

    private let ffmpeg: FFmpegLibrary
    private let name: String
    private var context: OpaquePointer?
    private var conversion: Conversion?
    private var memory: (start: UnsafeMutablePointer<UInt8>, count: Int)?

    init(_ ffmpeg: FFmpegLibrary, name: String) {
        (self.ffmpeg, self.name) = (ffmpeg, name)
    }

    deinit {
        if let context { ffmpeg.freeScaler(context) }
        if let memory { ffmpeg.free(memory.start) }
    }

    /// A decoded frame's pixels.
    ///
    /// - Parameter size: in pixels; the frame's own if nil.
    func image(
        of frame: UnsafeMutablePointer<AVFrame>, size: (width: Int, height: Int)?, alpha: Image.DecodingOptions.Alpha
    ) throws(MediaError) -> Image {
        let own = (width: Int(frame.pointee.width), height: Int(frame.pointee.height))
        guard own.width > 0, own.height > 0 else { throw .noFrames(name: name) }
        try check(own)
        let conversion = Conversion(
            format: AVPixelFormat(frame.pointee.format), size: own, target: size ?? own, space: frame.pointee.colorspace,
            range: frame.pointee.color_range)
        return try withUnsafeBytes(of: &frame.pointee.data) { (planes) throws(MediaError) in
            try withUnsafeBytes(of: &frame.pointee.linesize) { (strides) throws(MediaError) in
                try image(
                    conversion, planes.baseAddress!.assumingMemoryBound(to: UnsafePointer<UInt8>?.self),
                    strides.baseAddress!.assumingMemoryBound(to: CInt.self), alpha)
            }
        }
    }

    /// A picture in another size.
    func image(_ image: Image, size: (width: Int, height: Int)) throws(MediaError) -> Image {
        if size == (image.width, image.height) { return image }
        let conversion = Conversion(format: AV_PIX_FMT_RGB24, size: (image.width, image.height), target: size)
        // libswscale's fast loops may also read beyond the last pixel.
        let padded = image.pixels + [UInt8](repeating: 0, count: 64)
        return try padded.withUnsafeBufferPointer { (pixels) throws(MediaError) in
            let planes: [UnsafePointer<UInt8>?] = [pixels.baseAddress, nil, nil, nil]
            let strides: [CInt] = [CInt(3 * image.width), 0, 0, 0]
            return try self.image(conversion, planes, strides, .drop)
        }
    }

    private func check(_ size: (width: Int, height: Int)) throws(MediaError) {
        let (width, height) = size
        if width * height > Image.pixelLimit {
            throw .tooManyPixels(name: name, width: width, height: height, limit: Image.pixelLimit)
        }
        if max(width, height) > Image.sideLimit {
            throw .sideTooLong(name: name, width: width, height: height, limit: Image.sideLimit)
        }
    }

    private func prepare(_ conversion: Conversion, _ transparent: Bool) throws(MediaError) {
        if conversion == self.conversion { return }
        try check(conversion.target)
        if let context { ffmpeg.freeScaler(context) }
        (context, self.conversion) = (nil, nil)
        let flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT
        guard
            let context = ffmpeg.makeScaler(
                CInt(conversion.size.width), CInt(conversion.size.height), conversion.format,
                CInt(conversion.target.width), CInt(conversion.target.height),
                transparent ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24, flags, nil, nil, nil)
        else { throw .noFrames(name: name) }
        (self.context, self.conversion) = (context, conversion)
        // High-definition video has other coefficients than the default, and says so; so does video of the full range.
        let usual: [AVColorSpace] = [
            AVCOL_SPC_RGB, AVCOL_SPC_UNSPECIFIED, AVCOL_SPC_RESERVED, AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M, AVCOL_SPC_YCGCO,
        ]
        let isUsual = usual.contains(conversion.space) || conversion.space.rawValue > 10
        let isFull = conversion.range == AVCOL_RANGE_JPEG
        if !isUsual || isFull {
            let table = ffmpeg.colorCoefficients(isUsual ? 5 : CInt(conversion.space.rawValue))
            _ = ffmpeg.setColorSpace(context, table, isFull ? 1 : 0, ffmpeg.colorCoefficients(5), 1, 0, 1 << 16, 1 << 16)
        }
    }

    private func image(
        _ conversion: Conversion, _ planes: UnsafePointer<UnsafePointer<UInt8>?>, _ strides: UnsafePointer<CInt>,
        _ alpha: Image.DecodingOptions.Alpha
    ) throws(MediaError) -> Image {
        let alphaFlag: UInt64 = 1 << 7  // AV_PIX_FMT_FLAG_ALPHA
        let transparent = ffmpeg.pixelFormat(conversion.format).map { $0.pointee.flags & alphaFlag != 0 } ?? false
        try prepare(conversion, transparent)
        let (width, height) = conversion.target
        // Rows end on a multiple of 64 bytes: libswscale's fast loops may write beyond the last pixel.
        let channels = transparent ? 4 : 3
        let stride = (width * channels + 127) / 64 * 64
        let target = try room(for: stride * height + 64)
        // Only the first of four planes is written to, but libswscale looks at all of them.
        let targets: [UnsafeMutablePointer<UInt8>?] = [target, nil, nil, nil]
        let steps: [CInt] = [CInt(stride), 0, 0, 0]
        let rows = ffmpeg.scale(context, planes, strides, 0, CInt(conversion.size.height), targets, steps)
        guard Int(rows) == height else { throw .noFrames(name: name) }
        let line = width * channels
        let pixels = [UInt8](unsafeUninitializedCapacity: line * height) { buffer, count in
            for y in 0..<height { (buffer.baseAddress! + y * line).initialize(from: target + y * stride, count: line) }
            count = line * height
        }
        return transparent
            ? Image(width: width, height: height, rgba: pixels, alpha: alpha)
            : Image(width: width, height: height, pixels: pixels)
    }

    private func room(for bytes: Int) throws(MediaError) -> UnsafeMutablePointer<UInt8> {
        if let memory, memory.count >= bytes { return memory.start }
        if let memory { ffmpeg.free(memory.start) }
        memory = nil
        guard let start = ffmpeg.allocate(bytes)?.assumingMemoryBound(to: UInt8.self) else {
            throw .outOfMemory(name: name, bytes: bytes)
        }
        memory = (start, bytes)
        return start
    }
}
