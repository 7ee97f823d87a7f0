#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Numbers as people read them, the same in every locale.
enum Figure {
    /// `1,235,496`
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (i, digit) in String(number.magnitude).reversed().enumerated() {
            if i > 0, i % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `1.2 M`
    static func rounded(_ number: Int) -> String { scaled(number, ["", "k", "M", "G", "T"]) }

    /// `4.9 MB`, in powers of 1000.
    static func bytes(_ number: Int) -> String { scaled(number, ["B", "kB", "MB", "GB", "TB"]) }

    private static func scaled(_ number: Int, _ units: [String]) -> String {
        var value = Double(number), unit = 0
        // 999,950 would be written 1000.0 k.
        while unit < units.count - 1, value >= (unit == 0 ? 1000 : 999.95) { (value, unit) = (value / 1000, unit + 1) }
        let text = unit == 0 || value >= 99.95 ? formatted(value, "%.0f") : formatted(value, "%.1f")
        return units[unit].isEmpty ? text : "\(text) \(units[unit])"
    }

    /// `0:12`, `1:02:03`
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        let total = Int(min(seconds.rounded(), 359_999))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes) = (total / 3600, total / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(total % 60))" : "\(minutes):\(two(total % 60))"
    }

    /// A number in a format of C with one `Double`.
    static func formatted(_ number: Double, _ format: String) -> String {
        withVaList([number]) { arguments in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
                vsnprintf(buffer.baseAddress!, buffer.count, format, arguments)
                return String(cString: buffer.baseAddress!)
            }
        }
    }
}
