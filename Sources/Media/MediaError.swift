/// Why an image or a video could not be read, prepared or written.
public enum MediaError: Error, Sendable, Equatable {
    // The input is not there.
    case notFound(path: String)
    case isDirectory(path: String)
    case unreadable(path: String, reason: String)

    // The input is there, but it is not what it should be.
    case empty(name: String)
    case fileTooLarge(name: String, bytes: Int, limit: Int)
    /// The first bytes match no format that we know.
    case unrecognized(name: String, start: [UInt8])
    /// A video (or another known kind of file) where a still image was asked for.
    case notAnImage(name: String, kind: String)
    case truncated(name: String, format: String)
    case damaged(name: String, format: String, reason: String)
    case tooManyPixels(name: String, width: Int, height: Int, limit: Int)
    case sideTooLong(name: String, width: Int, height: Int, limit: Int)
    case noVideo(name: String)
    case noFrames(name: String)
    /// Sound, and at most a cover, where a video was asked for.
    case onlyAudio(name: String)
    /// A video in a coding that this machine's FFmpeg has no decoder for.
    case unsupportedCodec(name: String, codec: String)
    /// A video that was cut: what comes before the cut was read.
    case endedEarly(name: String, frames: Int, seconds: Double)
    /// An MP4 file in a pipe whose index comes after what it tells about.
    case notStreamable(name: String)
    /// A stream of which equal parts were asked for, and nobody knows how long it is.
    case unknownLength(name: String)
    /// A folder where pictures were expected, and there are none.
    case noPictures(path: String)
    /// An image that a preprocessing step cannot take.
    case unsuitable(step: String, height: Int, width: Int, reason: String)

    // This machine, or this build, cannot.
    case libraryMissing(name: String, library: String)
    case outOfMemory(name: String, bytes: Int)

    // The output cannot be made.
    case unknownExtension(path: String)
    case unencodable(width: Int, height: Int, format: String, reason: String)
    case unwritable(path: String, reason: String)

    /// What a caller does about it: the command line's exit status, a server's status code.
    public enum Kind: Sendable, Equatable {
        /// No such input (`EX_NOINPUT`, 66; 404).
        case missingInput
        /// The input's content is wrong (`EX_DATAERR`, 65; 422).
        case badData
        /// A library is not installed, or memory is short (`EX_UNAVAILABLE`, 69; 503).
        case unavailable
        /// The output cannot be created (`EX_CANTCREAT`, 73; 500).
        case cannotCreate
    }

    public var kind: Kind {
        switch self {
        case .notFound, .isDirectory, .unreadable: .missingInput
        case .empty, .fileTooLarge, .unrecognized, .notAnImage, .truncated, .damaged, .tooManyPixels, .sideTooLong, .noVideo,
            .noFrames, .onlyAudio, .unsupportedCodec, .endedEarly, .notStreamable, .unknownLength, .noPictures, .unsuitable:
            .badData
        case .libraryMissing, .outOfMemory: .unavailable
        case .unknownExtension, .unencodable, .unwritable: .cannotCreate
        }
    }
}

extension MediaError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound(let path):
            "\(path): there is no such file; check the path."
        case .isDirectory(let path):
            "\(path): is a folder, not a file; name a file in it."
        case .unreadable(let path, let reason):
            "\(path): cannot be read (\(reason)); check its permissions."
        case .empty(let name):
            "\(name): is empty (0 bytes); copy or download it again."
        case .fileTooLarge(let name, let bytes, let limit):
            "\(name): has \(grouped(bytes)) bytes, more than the limit of \(grouped(limit)) for an image; scale it down first."
        case .unrecognized(let name, let start):
            "\(name): is not an image in a known format (it begins with \(quoted(start)));"
                + " use JPEG, PNG, WebP, GIF, BMP or TIFF."
        case .notAnImage(let name, let kind):
            "\(name): is \(kind), not an image; use JPEG, PNG, WebP, GIF, BMP or TIFF."
        case .truncated(let name, let format):
            "\(name): the \(format) data ends too early; copy or download the file again."
        case .damaged(let name, let format, let reason):
            "\(name): the \(format) data is damaged (\(reason)); copy or download the file again."
        case .tooManyPixels(let name, let width, let height, let limit):
            "\(name): is \(width)×\(height) pixels (\(megapixels(width, height)) megapixels), more than the limit of"
                + " \(limit / 1_000_000) megapixels; scale it down first."
        case .sideTooLong(let name, let width, let height, let limit):
            "\(name): is \(width)×\(height) pixels, more than the limit of \(limit) pixels a side; cut it into pieces first."
        case .noVideo(let name):
            "\(name): holds no video that FFmpeg can read; use MP4, WebM, Matroska, AVI, MPEG or GIF."
        case .noFrames(let name):
            "\(name): not one frame of the video could be decoded; copy or download the file again."
        case .onlyAudio(let name):
            "\(name): holds sound but no video; name a file that has pictures to it."
        case .unsupportedCodec(let name, let codec):
            "\(name): its video is coded as '\(codec)', which this machine's FFmpeg cannot decode;"
                + " convert it with 'ffmpeg -i FILE -c:v libx264 NEW.mp4'."
        case .endedEarly(let name, 0, _):
            "\(name): ends too early, before its first frame; copy or download it again."
        case .endedEarly(let name, let frames, let seconds):
            "\(name): ends too early, after \(grouped(frames)) \(frames == 1 ? "frame" : "frames")"
                + " (\(fixed(seconds)) s); copy or download it again."
        case .notStreamable(let name):
            "\(name): this MP4 file has its index at its end and cannot be read from a pipe;"
                + " name the file, or rewrite it with 'ffmpeg -i FILE -c copy -movflags +faststart NEW.mp4'."
        case .unknownLength(let name):
            "\(name): how long the video is cannot be told beforehand, so it cannot be cut into equal parts;"
                + " save it to a file, or sample it by time."
        case .noPictures(let path):
            "\(path): this folder holds no pictures; put the video's frames there as JPEG, PNG, WebP, BMP or TIFF."
        case .unsuitable(let step, let height, let width, let reason):
            "preprocessing step '\(step)' cannot take an image of \(width)×\(height) pixels: \(reason)."
        case .libraryMissing(let name, let library):
            "\(name): reading it needs FFmpeg's \(library), which cannot be loaded;"
                + " install it with 'apt install \(FFmpegLibrary.debianPackages)'."
        case .outOfMemory(let name, let bytes):
            "\(name): decoding it needs \(grouped(bytes)) bytes of memory, which cannot be had; scale it down first."
        case .unknownExtension(let path):
            "\(path): cannot tell the image format from the name; end it in .png, .jpg or .jpeg."
        case .unencodable(let width, let height, let format, let reason):
            "an image of \(width)×\(height) pixels cannot be written as \(format): \(reason)."
        case .unwritable(let path, let reason):
            "\(path): cannot be written (\(reason)); check the folder and its permissions."
        }
    }
}

/// `1234567` → `1,234,567`.
private func grouped(_ number: Int) -> String {
    var text = ""
    for (i, digit) in String(number).reversed().enumerated() {
        if i > 0, i % 3 == 0, digit != "-" { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

/// A time in seconds with three digits after the point.
private func fixed(_ seconds: Double) -> String {
    let milliseconds = Int((min(max(seconds, 0), 1e12) * 1000).rounded())
    let digits = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
}

private func megapixels(_ width: Int, _ height: Int) -> String {
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    return overflow ? "far too many" : grouped(pixels / 1_000_000)
}

/// Up to 16 bytes as they would look in a text file, or in hexadecimal where they are not text.
private func quoted(_ bytes: [UInt8]) -> String {
    let start = bytes.prefix(16)
    // A cut through a multi-byte character must not turn text into hexadecimal.
    var text = start
    while let last = text.last, last >= 0x80, text.count > start.count - 4, text.count > 1 { text.removeLast() }
    let line = text.prefix { $0 != 0x0A && $0 != 0x0D }
    if !line.isEmpty, line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), let string = String(validating: line, as: UTF8.self) {
        return "'\(string)'"
    }
    return "the bytes "
        + start.prefix(8).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: " ")
}
