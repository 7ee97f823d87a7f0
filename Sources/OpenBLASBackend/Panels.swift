import Tensors

/// The weights of a product or a convolution, `outputs × depth`, in the order in which tiles read them.
///
/// A panel is a block of neighbouring outputs as wide as a tile; within it, for every step of the sum, the weights of its
/// outputs lie beside each other. The last panel is narrower, and padded with zeros to whole registers.
final class Panels: Sendable {
    let outputs: Int, depth: Int
    private let memory: Shared
    private let count: Int

    static var width: Int { tileVectors * Lanes.width }

    /// - Parameter fill: writes the weights of one panel: given its memory, its outputs, and its width in scalars.
    ///   The columns of a narrower panel that are padding are zero already.
    init(
        outputs: Int, depth: Int, on backend: OpenBLAS,
        _ fill: @Sendable (_ panel: UnsafeMutablePointer<Float>, _ outputs: Range<Int>, _ width: Int) -> Void
    ) {
        (self.outputs, self.depth) = (outputs, depth)
        count = Self.scalars(outputs) * depth
        memory = Shared(allocatePages(count))
        let memory = memory, panels = (outputs + Self.width - 1) / Self.width
        backend.parallel(panels) { _, range in
            for p in range {
                let first = p * Self.width, end = min(outputs, first + Self.width)
                let width = Self.scalars(end - first), panel = memory.base + first * depth
                if width != end - first { panel.update(repeating: 0, count: width * depth) }
                fill(panel, first..<end, width)
            }
        }
    }

    deinit { memory.base.deallocate() }

    /// How many columns `outputs` outputs take.
    static func scalars(_ outputs: Int) -> Int { (outputs + Lanes.width - 1) / Lanes.width * Lanes.width }

    var panels: Int { (outputs + Self.width - 1) / Self.width }

    subscript(index: Int) -> (weights: UnsafePointer<Float>, vectors: Int, outputs: Range<Int>) {
        let first = index * Self.width, end = min(outputs, first + Self.width)
        return (UnsafePointer(memory.base + first * depth), (end - first + Lanes.width - 1) / Lanes.width, first..<end)
    }
}

/// A row of scalars padded with zeros to whole registers, for biases.
final class PaddedRow: Sendable {
    private let memory: Shared
    init(_ row: Tensor?, count: Int) {
        let padded = Panels.scalars(count)
        memory = Shared(allocatePages(padded))
        memory.base.update(repeating: 0, count: padded)
        if let row { memory.base.update(from: row.pointer, count: count) }
    }
    deinit { memory.base.deallocate() }
    var base: UnsafePointer<Float> { UnsafePointer(memory.base) }
}

/// Memory aligned to a cache line.
func allocatePages(_ count: Int) -> UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        .bindMemory(to: Float.self, capacity: max(count, 1))
}
