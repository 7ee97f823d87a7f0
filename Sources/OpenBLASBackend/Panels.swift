import COpenBLAS
import Foundation
import Tensors

/// A scalar of panels that tiles of 32-bit floats can read.
protocol PanelWeight: BitwiseCopyable, Sendable {
    init(_ scalar: Float)
    /// A register of scalars, widened to 32 bits.
    static func lanes(_ memory: UnsafePointer<Self>) -> Lanes
}

extension Float: PanelWeight {
    @inline(__always) static func lanes(_ memory: UnsafePointer<Float>) -> Lanes { Lanes(memory) }
}

extension Float16: PanelWeight {
    @inline(__always) static func lanes(_ memory: UnsafePointer<Float16>) -> Lanes {
        #if ZOO_AVX512
            return zoo_widen16(memory)
        #elseif ZOO_AVX2
            return zoo_widen8(memory)
        #else
            return zoo_widen4(memory)
        #endif
    }
}

/// Where the parts of a layer's packed weights lie in one block of memory.
struct PackedLayout {
    private(set) var bytes = 0

    /// Room for `count` scalars. Returns where they begin, in bytes.
    mutating func add<Scalar>(_ count: Int, of _: Scalar.Type) -> Int {
        let start = bytes
        bytes += (count * MemoryLayout<Scalar>.stride + 63) / 64 * 64
        return start
    }
}

/// The weights of a product or a convolution, `outputs × depth`, in the order in which tiles read them.
///
/// A panel is a block of neighbouring outputs as wide as a tile; within it, for every step of the sum, the weights of its
/// outputs lie beside each other. The last panel is narrower, and padded with zeros to whole registers.
struct Panels<Weight: BitwiseCopyable & Sendable>: Sendable {
    let outputs: Int, depth: Int
    /// In the layer's memory.
    private let start: Int
    private var memory: PackedMemory?

    static var width: Int { tileVectors * Lanes.width }

    init(outputs: Int, depth: Int, in layout: inout PackedLayout) {
        (self.outputs, self.depth) = (outputs, depth)
        start = layout.add(paddedCount(outputs) * depth, of: Weight.self)
    }

    func placed(in memory: PackedMemory) -> Panels {
        var copy = self
        copy.memory = memory
        return copy
    }

    /// - Parameter fill: writes the weights of one panel: given its memory, its outputs, and its width in scalars.
    ///   The columns of a narrower panel that are padding are zero already.
    func fill(
        _ memory: UnsafeMutableRawPointer, on backend: OpenBLAS,
        _ fill: @Sendable (_ panel: UnsafeMutablePointer<Weight>, _ outputs: Range<Int>, _ width: Int) -> Void
    ) {
        let base = Shared((memory + start).bindMemory(to: Weight.self, capacity: paddedCount(outputs) * depth))
        backend.parallel(count) { _, range in
            for p in range {
                let first = p * Self.width, end = min(outputs, first + Self.width)
                let width = paddedCount(end - first), panel = base.base + first * depth
                if width != end - first { memset(panel, 0, width * depth * MemoryLayout<Weight>.stride) }
                fill(panel, first..<end, width)
            }
        }
    }

    /// - Parameter weight: of an output, at a step of the sum.
    @inline(__always)
    fileprivate func fill(
        _ memory: UnsafeMutableRawPointer, on backend: OpenBLAS, weight: @Sendable (_ output: Int, _ step: Int) -> Weight
    ) {
        fill(memory, on: backend) { panel, outputs, width in
            // A few steps at a time, so that the lines that are written stay in cache until they are full.
            for start in stride(from: 0, to: depth, by: 16) {
                for (column, output) in outputs.enumerated() {
                    for step in start..<min(start + 16, depth) { panel[step * width + column] = weight(output, step) }
                }
            }
        }
    }

    var count: Int { (outputs + Self.width - 1) / Self.width }

    subscript(index: Int) -> Panel<Weight> {
        let first = index * Self.width, end = min(outputs, first + Self.width)
        let weights = (memory!.base + start).assumingMemoryBound(to: Weight.self) + first * depth
        return Panel(weights: weights, vectors: (end - first + Lanes.width - 1) / Lanes.width, outputs: first..<end)
    }
}

extension Panels where Weight: PanelWeight {
    /// From the rows of a matrix `[outputs, depth]`.
    func fill(_ memory: UnsafeMutableRawPointer, from matrix: UnsafePointer<Float>, on backend: OpenBLAS) {
        let matrix = ReadOnly(matrix), depth = depth
        fill(memory, on: backend) { Weight(matrix.base[$0 * depth + $1]) }
    }
}

extension Panels<BFloat16Pair> {
    /// From the rows of a matrix `[outputs, inputs]`, two steps of the sum together; `depth` counts the pairs.
    func fill(_ memory: UnsafeMutableRawPointer, from matrix: UnsafePointer<Float>, inputs: Int, on backend: OpenBLAS) {
        let matrix = ReadOnly(matrix)
        fill(memory, on: backend) {
            BFloat16Pair(matrix.base + ($0 * inputs + 2 * $1), count: min(2, inputs - 2 * $1))
        }
    }
}

/// One of ``Panels``.
struct Panel<Weight> {
    let weights: UnsafePointer<Weight>
    /// Its width in registers.
    let vectors: Int
    let outputs: Range<Int>
}

/// How many columns `outputs` outputs take.
func paddedCount(_ outputs: Int) -> Int { (outputs + Lanes.width - 1) / Lanes.width * Lanes.width }

/// The scalars of an odd number of cache lines that hold `count`: rows so far apart do not share the sets of the cache.
func oddLines(_ count: Int) -> Int { ((count + 15) / 16 | 1) * 16 }

/// A row of scalars padded with zeros to whole registers, for biases.
struct PaddedRow: Sendable {
    private let count: Int
    private let start: Int
    private var memory: PackedMemory?

    init(count: Int, in layout: inout PackedLayout) {
        self.count = count
        start = layout.add(paddedCount(count), of: Float.self)
    }

    func placed(in memory: PackedMemory) -> PaddedRow {
        var copy = self
        copy.memory = memory
        return copy
    }

    func fill(_ memory: UnsafeMutableRawPointer, _ row: Tensor?) {
        let base = (memory + start).bindMemory(to: Float.self, capacity: paddedCount(count))
        base.update(repeating: 0, count: paddedCount(count))
        if let row { base.update(from: row.pointer, count: count) }
    }

    var base: UnsafePointer<Float> { UnsafePointer((memory!.base + start).assumingMemoryBound(to: Float.self)) }
}
