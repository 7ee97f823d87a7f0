import Tensors

/// A large product of matrices that change from call to call, in the tiles of convolutions: both are copied, a part of the
/// depth at a time, into the order in which tiles read them.
///
/// OpenBLAS knows the processors of its release's day; on later ones it takes kernels of half the width (Debian 12's on Zen 4
/// and 5), so with 512-bit registers large products are computed here.
struct TiledProduct: Sendable {
    private let a: ReadOnly<Float>, b: ReadOnly<Float>
    private let aStride: Int, bStride: Int
    private let aIsTransposed: Bool, bIsTransposed: Bool
    private let m: Int, n: Int, k: Int

    /// Steps of the sum in one part: a panel of it fits into the first cache.
    private static let depth = 256
    /// Rows that are copied at a time, 17 MB of them: a left matrix can be as long as all pixels of a batch.
    private static let packedRows = 1 << 14
    /// Rows that are multiplied with one panel after another: a block of them fits into the second cache.
    private static let blockRows = 96

    static func isWorthPacking(_ m: Int, _ n: Int, _ k: Int) -> Bool {
        Lanes.width == 16 && m >= 4 * tileRows && n >= Lanes.width && k >= 8 && m * n * k >= 1 << 20
    }

    /// `op(a) · op(b)`, `m × k` by `k × n`, where rows of the untransposed matrices are `stride` scalars apart.
    init(
        _ a: ReadOnly<Float>, stride aStride: Int, isTransposed aIsTransposed: Bool, _ b: ReadOnly<Float>, stride bStride: Int,
        isTransposed bIsTransposed: Bool, _ m: Int, _ n: Int, _ k: Int
    ) {
        (self.a, self.aStride, self.aIsTransposed) = (a, aStride, aIsTransposed)
        (self.b, self.bStride, self.bIsTransposed) = (b, bStride, bIsTransposed)
        (self.m, self.n, self.k) = (m, n, k)
    }

    /// - Parameter bias: of every column.
    func write(to y: UnsafeMutablePointer<Float>, bias: ReadOnly<Float>?, on backend: OpenBLAS) {
        for first in stride(from: 0, to: m, by: Self.packedRows) {
            let a = a.base + first * (aIsTransposed ? 1 : aStride)
            let part = TiledProduct(
                ReadOnly(a), stride: aStride, isTransposed: aIsTransposed, b, stride: bStride, isTransposed: bIsTransposed,
                min(Self.packedRows, m - first), n, k)
            part.writePacked(to: y + first * n, bias: bias, on: backend)
        }
    }

    private func writePacked(to y: UnsafeMutablePointer<Float>, bias: ReadOnly<Float>?, on backend: OpenBLAS) {
        let width = tileVectors * Lanes.width, panels = (n + width - 1) / width, depth = min(k, Self.depth)
        let rowStride = oddLines(depth), columns = paddedCount(n)
        // As many blocks for every thread, nearly equal and of whole tiles.
        let rounds = (m + Self.blockRows * backend.threads - 1) / (Self.blockRows * backend.threads)
        let even = (m + rounds * backend.threads - 1) / (rounds * backend.threads)
        let height = (even + tileRows - 1) / tileRows * tileRows, blocks = (m + height - 1) / height
        let counts = (rows: m * rowStride, panels: columns * depth, bias: columns)
        let memory = backend.allocate(counts.rows + counts.panels + counts.bias)
        defer { backend.deallocate(memory, counts.rows + counts.panels + counts.bias) }
        let packedRows = Shared(memory), packedPanels = Shared(memory + counts.rows), y = Shared(y)
        let packedBias = Shared(memory + counts.rows + counts.panels)
        if let bias {
            packedBias.base.update(repeating: 0, count: columns)
            packedBias.base.update(from: bias.base, count: n)
        }
        for start in stride(from: 0, to: k, by: depth) {
            let steps = start..<min(start + depth, k)
            backend.forEachTask(panels + blocks) { task in
                if task < panels {
                    let first = task * width
                    pack(first..<min(first + width, n), steps, intoPanel: packedPanels.base + first * depth)
                } else {
                    let first = (task - panels) * height
                    packRows(first..<min(first + height, m), steps, into: packedRows.base, stride: rowStride)
                }
            }
            backend.forEachTask(blocks) { block in
                let first = block * height, count = min(height, m - first)
                withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: count) { begin in
                    for i in 0..<count { begin[i] = UnsafePointer(packedRows.base + (first + i) * rowStride) }
                    var none = 0
                    withUnsafePointer(to: &none) { offsets in
                        let rows = ScatteredRows(
                            begin: UnsafePointer(begin.baseAddress!), taps: 1, offsets: offsets, length: steps.count)
                        for panel in 0..<panels {
                            let column = panel * width, count = min(width, n - column)
                            var epilogue = Epilogue()
                            epilogue.accumulates = start > 0
                            if start == 0, bias != nil { epilogue.bias = UnsafePointer(packedBias.base + column) }
                            multiplyPanel(
                                rows, 0..<begin.count, panel: packedPanels.base + column * depth,
                                vectors: (count + Lanes.width - 1) / Lanes.width, into: y.base + first * n + column, stride: n,
                                columns: count, epilogue)
                        }
                    }
                }
            }
        }
    }

    /// Columns of the right matrix beside each other, step by step of the sum, padded with zeros to whole registers.
    private func pack(_ columns: Range<Int>, _ steps: Range<Int>, intoPanel panel: UnsafeMutablePointer<Float>) {
        let width = paddedCount(columns.count)
        if width != columns.count { panel.update(repeating: 0, count: width * steps.count) }
        if bIsTransposed {
            transpose(
                b.base + columns.lowerBound * bStride + steps.lowerBound, stride: bStride, 0..<columns.count,
                columns: steps.count, into: panel, height: width)
        } else {
            for (i, step) in steps.enumerated() {
                (panel + i * width).update(from: b.base + step * bStride + columns.lowerBound, count: columns.count)
            }
        }
    }

    private func packRows(_ rows: Range<Int>, _ steps: Range<Int>, into packed: UnsafeMutablePointer<Float>, stride: Int) {
        if aIsTransposed {
            transpose(
                a.base + steps.lowerBound * aStride + rows.lowerBound, stride: aStride, 0..<steps.count, columns: rows.count,
                into: packed + rows.lowerBound * stride, height: stride)
        } else {
            for row in rows {
                (packed + row * stride).update(from: a.base + row * aStride + steps.lowerBound, count: steps.count)
            }
        }
    }
}
