#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What lies at a path; links are followed.
enum FileStatus {
    static func isFile(_ path: String) -> Bool { mode(path) == S_IFREG }
    static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }

    /// Bytes of a regular file.
    static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// When a file was last written, in seconds since 1970.
    static func modification(_ path: String) -> Double? {
        var status = stat()
        return stat(path, &status) == 0 ? seconds(status.modified) : nil
    }

    /// What tells a file from another, and from itself after a change.
    struct Identity: CustomStringConvertible {
        let description: String
        /// Seconds since the last change.
        let age: Double
    }

    static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let (written, changed) = (status.modified, status.changed)
        return Identity(
            description: "\(status.st_dev) \(status.st_ino) \(status.st_size) \(written.tv_sec).\(written.tv_nsec) "
                + "\(changed.tv_sec).\(changed.tv_nsec)",
            age: seconds(now) - max(seconds(written), seconds(changed)))
    }

    private static func seconds(_ time: timespec) -> Double { Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec) }

    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// The names in a folder, sorted; none where there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

extension stat {
    #if canImport(Darwin)
        fileprivate var modified: timespec { st_mtimespec }
        fileprivate var changed: timespec { st_ctimespec }
    #else
        fileprivate var modified: timespec { st_mtim }
        fileprivate var changed: timespec { st_ctim }
    #endif
}
