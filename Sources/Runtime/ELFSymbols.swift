import Foundation

/// The names in the dynamic symbol table of a 64-bit little-endian ELF library, read as data: nothing of the library runs.
struct ELFSymbols {
    /// What the library defines for others.
    private(set) var defined: Set<String> = []
    /// What it expects of others.
    private(set) var undefined: Set<String> = []

    /// - Returns: `nil` if the file is no such library or its tables leave the file.
    init?(path: String) {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else { return nil }
        let isSound = data.withUnsafeBytes { read(ELFBytes(bytes: $0)) }
        if !isSound { return nil }
    }

    private mutating func read(_ file: ELFBytes) -> Bool {
        guard file.number(0, UInt32.self) == 0x464C_457F, file.number(4, UInt8.self) == 2, file.number(5, UInt8.self) == 1 else {
            return false
        }
        guard let sections = file.sections() else { return false }
        for table in sections where table.type == ELFBytes.Section.dynamicSymbols {
            guard let symbols = file.range(of: table), sections.indices.contains(table.link) else { return false }
            let names = sections[table.link]
            guard names.type == ELFBytes.Section.strings, let strings = file.range(of: names) else { return false }
            // Of 24 bytes each, the first of them empty.
            for entry in stride(from: symbols.lowerBound, to: symbols.upperBound - 23, by: 24).dropFirst() {
                guard let name = file.number(entry, UInt32.self), let section = file.number(entry + 6, UInt16.self),
                    name < strings.count
                else { return false }
                let text = file.text(strings.lowerBound + name..<strings.upperBound)
                if section == 0 { undefined.insert(text) } else { defined.insert(text) }
            }
        }
        return true
    }
}

/// The parts of an ELF file, every access checked.
private struct ELFBytes {
    struct Section {
        static let strings = 3, dynamicSymbols = 11
        var type: Int, offset: Int, size: Int, link: Int
    }

    let bytes: UnsafeRawBufferPointer

    /// `nil` where it leaves the file or does not fit an `Int`.
    func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> Int? {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<T>.size else { return nil }
        return Int(exactly: T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self)))
    }

    /// The section headers; none in a library that was stripped of them.
    func sections() -> [Section]? {
        guard let start = number(0x28, UInt64.self), let size = number(0x3A, UInt16.self), let count = number(0x3C, UInt16.self),
            start <= bytes.count, count == 0 || size >= 64, count * size <= bytes.count - start
        else { return nil }
        var sections: [Section] = []
        for i in 0..<count {
            let at = start + i * size
            guard let type = number(at + 4, UInt32.self), let offset = number(at + 24, UInt64.self),
                let length = number(at + 32, UInt64.self), let link = number(at + 40, UInt32.self)
            else { return nil }
            sections.append(Section(type: type, offset: offset, size: length, link: link))
        }
        return sections
    }

    func range(of section: Section) -> Range<Int>? {
        guard section.size <= bytes.count, section.offset <= bytes.count - section.size else { return nil }
        return section.offset..<section.offset + section.size
    }

    /// Up to the first zero.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self) }
}
