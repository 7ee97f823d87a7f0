import ModelKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Making, copying and removing files and folders.
enum Folder {
    /// Creates a folder and those above it.
    static func create(_ path: String) throws(CardError) {
        if FileStatus.isFolder(path) { return }
        let parent = CardFolder.parent(of: path)
        if parent != path, parent != "." { try create(parent) }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .unwritable(path: path, reason: lastSystemError()) }
    }

    /// Writes a file, and the folders above it, down to the disk.
    static func write(_ bytes: [UInt8], to path: String) throws(CardError) {
        try create(CardFolder.parent(of: path))
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
        defer { close(file) }
        guard bytes.withUnsafeBytes({ write($0, to: file) }), fsync(file) == 0 else {
            throw .unwritable(path: path, reason: lastSystemError())
        }
    }

    /// Copies the content of a regular file.
    static func copy(_ source: String, to path: String) throws(CardError) {
        try create(CardFolder.parent(of: path))
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw .unreadable(path: source, reason: lastSystemError()) }
        defer { close(input) }
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard output >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
        defer { close(output) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(input, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path: source, reason: lastSystemError()) }
            if count == 0 { break }
            guard buffer.withUnsafeBytes({ write(UnsafeRawBufferPointer(rebasing: $0[..<count]), to: output) }) else {
                throw .unwritable(path: path, reason: lastSystemError())
            }
        }
        guard fsync(output) == 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    }

    /// - Returns: false when the bytes could not be written; `errno` tells why.
    private static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = systemWrite(file, bytes.baseAddress! + done, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    /// Makes the names in a folder durable.
    static func synchronize(_ path: String) throws(CardError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    }

    /// Exchanges two folders in one step, so that there is no moment without either.
    static func exchange(_ a: String, _ b: String) throws(CardError) {
        #if os(Linux)
            // The function needs a macro that Swift does not define, so it is looked up. Its flag 2 is RENAME_EXCHANGE.
            typealias RenameAt2 = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
            if let symbol = dlsym(nil, "renameat2"),
                unsafeBitCast(symbol, to: RenameAt2.self)(AT_FDCWD, a, AT_FDCWD, b, 2) == 0
            {
                return
            }
        #else
            if renamex_np(a, b, UInt32(RENAME_SWAP)) == 0 { return }
        #endif
        // A file system that cannot: between the two renames nothing is there, but nothing half-written either.
        let aside = a + "-old"
        guard rename(b, aside) == 0 else { throw .unwritable(path: b, reason: lastSystemError()) }
        guard rename(a, b) == 0 else {
            let reason = lastSystemError()
            _ = rename(aside, b)
            throw .unwritable(path: b, reason: reason)
        }
        _ = rename(aside, a)
    }

    /// Removes a folder with all that is in it; links are removed, not followed. What cannot be removed stays.
    static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in FileStatus.names(in: path) { remove(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// `write(2)`, whose name the methods above would hide.
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(file, bytes, count) }
