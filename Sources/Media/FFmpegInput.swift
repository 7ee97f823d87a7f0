import CFFmpeg
import Foundation

/// Where FFmpeg reads from: a file, a pipe, or memory. It owns the file and closes it; standard input it leaves open.
///
/// FFmpeg could open files by itself, but then a failing disk, an empty pipe and a file that was cut all look like its end.
final class FFmpegInput {
    private enum Source {
        case memory(UnsafeRawBufferPointer)
        /// Readable anywhere; the bytes before `start` were somebody else's.
        case file(CInt, start: Int)
        case pipe(CInt)
    }

    /// What messages call it.
    let name: String
    private let source: Source
    private let isOwned: Bool
    private var position = 0
    /// How many bytes a pipe has delivered, and the last of them that is not zero.
    private var delivered = (count: 0, lastByte: UInt8(0), all: false)
    private(set) var extent = ContainerExtent()
    /// The operating system's words for why reading failed.
    private(set) var failure: String?

    /// - Parameter bytes: must outlive the input.
    init(_ bytes: UnsafeBufferPointer<UInt8>, name: String) {
        self.name = name
        source = .memory(UnsafeRawBufferPointer(bytes))
        isOwned = false
    }

    /// A file, or a pipe that has a name.
    ///
    /// - Throws: ``MediaError/notFound(path:)``, ``MediaError/isDirectory(path:)``, ``MediaError/unreadable(path:reason:)``,
    ///   ``MediaError/empty(name:)``.
    init(contentsOf path: String) throws(MediaError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? .notFound(path: path) : .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        let failed = fstat(descriptor, &status) != 0
        let kind = status.st_mode & S_IFMT
        if failed || kind == S_IFDIR || kind == S_IFREG && status.st_size == 0 {
            close(descriptor)
            if failed { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
            throw kind == S_IFDIR ? .isDirectory(path: path) : .empty(name: path)
        }
        name = path
        source = kind == S_IFREG ? .file(descriptor, start: 0) : .pipe(descriptor)
        isOwned = true
    }

    /// The program's standard input, from where it stands.
    static func standardInput() -> FFmpegInput {
        var status = stat()
        let isFile = fstat(STDIN_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        let start = isFile ? lseek(STDIN_FILENO, 0, SEEK_CUR) : -1
        return FFmpegInput(
            source: start >= 0 ? .file(STDIN_FILENO, start: Int(start)) : .pipe(STDIN_FILENO), name: "standard input")
    }

    private init(source: Source, name: String) {
        (self.source, self.name, isOwned) = (source, name, false)
    }

    deinit {
        switch source {
        case .file(let descriptor, _) where isOwned, .pipe(let descriptor) where isOwned: close(descriptor)
        default: break
        }
    }

    /// Whether FFmpeg may jump about.
    var isSeekable: Bool {
        if case .pipe = source { return false }
        return true
    }

    /// How many bytes there are; of a pipe, how many have come.
    var count: Int {
        switch source {
        case .memory(let bytes): return bytes.count
        case .file(let descriptor, let start):
            var status = stat()
            return fstat(descriptor, &status) == 0 ? max(0, Int(status.st_size) - start) : 0
        case .pipe: return delivered.count
        }
    }

    /// Whether the container's headers promise more than there is. Of a pipe it is known only at its end.
    func isCutShort() -> Bool {
        switch source {
        case .memory: return false
        case .pipe: return delivered.all && extent.isCutShort(total: delivered.count, lastByte: delivered.lastByte)
        case .file:
            surveyHeaders()
            let total = count
            var tail = [UInt8](repeating: 0, count: 64)
            let n = tail.withUnsafeMutableBytes { readOnce($0, at: max(0, total - $0.count)) }
            return extent.isCutShort(total: total, lastByte: tail.prefix(max(0, n)).last { $0 != 0 } ?? 0)
        }
    }

    /// Looks at a file's outermost headers, which FFmpeg may have jumped over.
    func surveyHeaders() {
        guard case .file = source else { return }
        var header = [UInt8](repeating: 0, count: ContainerExtent.headerSize)
        while let at = extent.nextHeader {
            let n = header.withUnsafeMutableBytes { readOnce($0, at: at) }
            guard n > 0 else { return }
            header.withUnsafeBytes { extent.feed(UnsafeRawBufferPointer(rebasing: $0[..<n]), at: at) }
            // A header that is not complete will not become so.
            if extent.nextHeader == at { return }
        }
    }

    /// The number of bytes read, 0 at the end, or less if that failed.
    private func readOnce(_ target: UnsafeMutableRawBufferPointer, at position: Int) -> Int {
        switch source {
        case .memory(let bytes):
            let n = min(target.count, bytes.count - position)
            if n > 0 { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + n])) }
            return max(0, n)
        case .file(let descriptor, let start):
            while true {
                let n = pread(descriptor, target.baseAddress, target.count, off_t(start + position))
                if n >= 0 || errno != EINTR { return n }
            }
        case .pipe(let descriptor):
            while true {
                let n = read(descriptor, target.baseAddress, target.count)
                if n >= 0 || errno != EINTR { return n }
            }
        }
    }

    // MARK: What FFmpeg calls

    /// Beyond this an index at a file's end is out of reach of a pipe: FFmpeg keeps far less.
    private static let reach = 1 << 20

    fileprivate func fill(_ target: UnsafeMutableRawBufferPointer) -> CInt {
        if case .pipe = source, let end = extent.dataBeforeIndex, end > Self.reach { return FFmpegLibrary.endOfFile }
        let n = readOnce(target, at: position)
        if n < 0 { failure = String(cString: strerror(errno)) }
        guard n > 0 else {
            delivered.all = true
            return FFmpegLibrary.endOfFile
        }
        if case .pipe = source {
            let bytes = UnsafeRawBufferPointer(rebasing: target[..<n])
            extent.feed(bytes, at: position)
            delivered.count += n
            if let byte = bytes.last(where: { $0 != 0 }) { delivered.lastByte = byte }
        }
        position += n
        return CInt(n)
    }

    fileprivate func seek(_ offset: Int64, _ origin: CInt) -> Int64 {
        if origin & 0x10000 != 0 { return Int64(count) }  // AVSEEK_SIZE: how much is there?
        let base: Int
        switch origin & 0xFFFF {
        case SEEK_SET: base = 0
        case SEEK_CUR: base = position
        case SEEK_END: base = count
        default: return -1
        }
        let (target, overflow) = Int64(base).addingReportingOverflow(offset)
        if overflow || target < 0 || target > count { return -1 }
        position = Int(target)
        return target
    }

    /// FFmpeg's view of this input, which must outlive it; nil without memory for it.
    func makeContext(_ ffmpeg: FFmpegLibrary) -> UnsafeMutablePointer<AVIOContext>? {
        let size = 1 << 15
        guard let buffer = ffmpeg.allocate(size) else { return nil }
        let context = ffmpeg.allocateIO(
            buffer.assumingMemoryBound(to: UInt8.self), CInt(size), 0, Unmanaged.passUnretained(self).toOpaque(), readInput, nil,
            isSeekable ? seekInput : nil)
        if context == nil { ffmpeg.free(buffer) }
        return context
    }
}

private func readInput(_ input: UnsafeMutableRawPointer?, _ target: UnsafeMutablePointer<UInt8>?, _ count: CInt) -> CInt {
    guard let input, let target else { return FFmpegLibrary.endOfFile }
    return Unmanaged<FFmpegInput>.fromOpaque(input).takeUnretainedValue()
        .fill(UnsafeMutableRawBufferPointer(start: target, count: Int(count)))
}

private func seekInput(_ input: UnsafeMutableRawPointer?, _ offset: Int64, _ origin: CInt) -> Int64 {
    guard let input else { return -1 }
    return Unmanaged<FFmpegInput>.fromOpaque(input).takeUnretainedValue().seek(offset, origin)
}
