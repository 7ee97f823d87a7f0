import Foundation

/// The pictures in a folder, in the order in which a person would count them: `frame2` before `frame10`.
struct PictureFolder {
    let path: String
    /// The pictures' file names.
    let names: [String]

    private static let endings: Set = [
        "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "jp2", "pbm", "pgm", "ppm", "pnm", "pam", "qoi", "exr",
    ]

    /// Reads the folder's names, not its pictures. What has another ending, a leading point or is a folder is passed over.
    ///
    /// - Throws: ``MediaError/unreadable(path:reason:)``, ``MediaError/noPictures(path:)``.
    init(contentsOf path: String) throws(MediaError) {
        self.path = path
        guard let folder = opendir(path) else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        defer { closedir(folder) }
        var found = [String]()
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard !name.hasPrefix("."), entry.pointee.d_type != UInt8(DT_DIR), let point = name.lastIndex(of: ".")
            else { continue }
            if Self.endings.contains(name[name.index(after: point)...].lowercased()) { found.append(name) }
        }
        if found.isEmpty { throw .noPictures(path: path) }
        names = found.sorted(by: naturallyPrecedes)
    }

    func path(at index: Int) -> String { path.hasSuffix("/") ? path + names[index] : path + "/" + names[index] }
}

/// Compares digits by the number that they write, everything else by its bytes; the same on every machine.
func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
    let (x, y) = (Array(a.utf8), Array(b.utf8))
    var (i, j) = (0, 0)
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    func number(_ bytes: [UInt8], _ at: inout Int) -> ArraySlice<UInt8> {
        let start = at
        while at < bytes.count, isDigit(bytes[at]) { at += 1 }
        return bytes[start..<at].drop { $0 == 0x30 }
    }
    while i < x.count, j < y.count {
        if isDigit(x[i]), isDigit(y[j]) {
            let (m, n) = (number(x, &i), number(y, &j))
            if m.count != n.count { return m.count < n.count }
            if !m.elementsEqual(n) { return m.lexicographicallyPrecedes(n) }
        } else {
            if x[i] != y[j] { return x[i] < y[j] }
            i += 1
            j += 1
        }
    }
    // What is left over is longer; "01" and "1" are told apart by their bytes.
    return x.count - i != y.count - j ? x.count - i < y.count - j : x.lexicographicallyPrecedes(y)
}
