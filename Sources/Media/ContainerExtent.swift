/// How far a container file says that it reaches, told from its outermost headers, so that a file that was cut can be told from
/// one that ends: FFmpeg reports the end of both alike.
///
/// Headers are either fed in passing, as a pipe delivers them, or asked for by ``nextHeader`` where a file can be read anywhere.
struct ContainerExtent {
    private enum Kind { case unknown, boxes, matroska, riff, gif, sound }

    private var kind: Kind?
    private var header = [UInt8]()
    /// Where the next header begins, in bytes; nil if there is nothing more to learn.
    private(set) var nextHeader: Int? = 0
    /// Up to where the headers seen so far reach.
    private var end: Int?
    private var hasIndex = false
    /// In MP4 files, where media data that come before the index end: without the index they cannot be decoded.
    private(set) var dataBeforeIndex: Int?

    /// Whether the file is in a format that never holds video.
    var isSound: Bool { kind == .sound }
    /// Enough for any header that is read here.
    static let headerSize = 16

    /// Takes in what lies at `position`; whatever is not a header is passed over.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        while let start = nextHeader {
            let at = start + header.count
            guard at >= position, at < position + bytes.count else { return }
            let needed = size(ofHeader: header)
            if header.count < needed {
                let from = at - position
                header += bytes[from..<min(from + needed - header.count, bytes.count)]
            }
            if header.count >= size(ofHeader: header) { interpret(at: start) }
        }
    }

    /// Whether a file of `total` bytes that end in `lastByte` lacks its end.
    ///
    /// - Parameter lastByte: the last one that is not zero.
    func isCutShort(total: Int, lastByte: UInt8) -> Bool {
        switch kind {
        case .boxes: header.count > 0 && header.count < 8 && nextHeader != nil || total < (end ?? 0) || !hasIndex
        case .matroska, .riff: total < (end ?? 0)
        case .gif: lastByte != 0x3B
        case .unknown, .sound, nil: false
        }
    }

    private func size(ofHeader header: [UInt8]) -> Int {
        switch kind {
        case nil: 12
        case .boxes: ByteReader(header).uint32(0) == 1 ? 16 : 8
        default: 12
        }
    }

    private mutating func interpret(at start: Int) {
        let reader = ByteReader(header)
        if kind == nil {
            kind = Self.kind(reader)
            // A long box at the very beginning needs four bytes more than what tells the format.
            if kind == .boxes, header.count < size(ofHeader: header) { return }
        }
        let (bytes, first) = (header, start == 0)
        header = []
        nextHeader = nil
        switch kind {
        case .boxes:
            let long = reader.uint32(0) == 1
            guard var size = reader.uint32(0), bytes[4..<8].allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0xA9 })
            else { return }
            if long {
                guard let high = reader.uint32(8), let low = reader.uint32(12), high < 1 << 30 else { return }
                size = high << 32 | low
            }
            if reader.matches("moov", at: 4) || reader.matches("moof", at: 4) { hasIndex = true }
            // A box of size 0 reaches to the end, wherever that is.
            if size == 0 { hasIndex = true }
            guard size >= 8 else { return }
            end = start + size
            if reader.matches("mdat", at: 4), !hasIndex { dataBeforeIndex = end }
            nextHeader = end
        case .matroska:
            guard let (length, size) = Self.elementSize(bytes, at: 4) else { return }
            if first {
                nextHeader = size.map { 4 + length + $0 }
            } else if reader.uint32(0) == 0x1853_8067 {
                // A live stream does not know its size.
                end = size.map { start + 4 + length + $0 }
            }
        case .riff:
            guard reader.matches("RIFF", at: 0), let size = reader.uint32(4, littleEndian: true), size > 0, size < 0xFFFF_FFF0
            else { return }
            end = start + 8 + size
            nextHeader = start + 8 + size + (size & 1)
        case .gif, .sound, .unknown, nil: break
        }
    }

    private static func kind(_ reader: ByteReader) -> Kind {
        func at(_ offset: Int, _ text: StaticString) -> Bool { reader.matches(text, at: offset) }
        if at(4, "ftyp") || at(4, "moov") || at(4, "mdat") || at(4, "wide") { return .boxes }
        if reader.uint32(0) == 0x1A45_DFA3 { return .matroska }
        if at(0, "RIFF") { return at(8, "AVI ") ? .riff : at(8, "WAVE") ? .sound : .unknown }
        if at(0, "GIF8") { return .gif }
        if at(0, "ID3") || at(0, "fLaC") || at(0, "FORM") && at(8, "AIF") { return .sound }
        // MPEG audio without tags: eleven bits of synchronisation, a layer, and neither bit rate nor sampling rate impossible.
        if let word = reader.uint16(0), word & 0xFFE0 == 0xFFE0, word & 0x18 != 0x08, word & 0x06 != 0,
            let next = reader.uint16(2), next & 0xF000 != 0xF000, next & 0xF000 != 0, next & 0x0C00 != 0x0C00
        {
            return .sound
        }
        return .unknown
    }

    /// An EBML element's size, nil if it is "unknown", and in how many bytes it is written.
    private static func elementSize(_ bytes: [UInt8], at: Int) -> (length: Int, size: Int?)? {
        let length = bytes[at].leadingZeroBitCount + 1
        guard length <= 8, at + length <= bytes.count else { return nil }
        let mask = length == 8 ? 0 : Int(0xFF >> UInt8(length))
        var size = Int(bytes[at]) & mask
        var isUnknown = size == mask
        for byte in bytes[(at + 1)..<(at + length)] {
            size = size << 8 | Int(byte)
            isUnknown = isUnknown && byte == 0xFF
        }
        return (length, isUnknown ? nil : size)
    }
}
