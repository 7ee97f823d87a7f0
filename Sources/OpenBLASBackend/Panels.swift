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

/// The weights of a product or a convolution, `outputs × depth`, in the order in which tiles read them.
///
/// A panel is a block of neighbouring outputs as wide as a tile; within it, for every step of the sum, the weights of its
/// outputs lie beside each other. The last panel is narrower, and padded with zeros to whole registers.
final class Panels<Weight: BitwiseCopyable & Sendable>: Sendable {
    let outputs: Int, depth: Int
    private let memory: PackedMemory

    static var width: Int { tileVectors * Lanes.width }

    /// - Parameter fill: writes the weights of one panel: given its memory, its outputs, and its width in scalars.
    ///   The columns of a narrower panel that are padding are zero already.
    init(
        outputs: Int, depth: Int, on backend: OpenBLAS,
        _ fill: @Sendable (_ panel: UnsafeMutablePointer<Weight>, _ outputs: Range<Int>, _ width: Int) -> Void
    ) {
        (self.outputs, self.depth) = (outputs, depth)
        memory = PackedMemory(bytes: paddedCount(outputs) * depth * MemoryLayout<Weight>.stride)
        let base = Shared(memory.base.bindMemory(to: Weight.self, capacity: paddedCount(outputs) * depth))
        backend.parallel((outputs + Self.width - 1) / Self.width) { _, range in
            for p in range {
                let first = p * Self.width, end = min(outputs, first + Self.width)
                let width = paddedCount(end - first), panel = base.base + first * depth
                if width != end - first { memset(panel, 0, width * depth * MemoryLayout<Weight>.stride) }
                fill(panel, first..<end, width)
            }
        }
    }

    var count: Int { (outputs + Self.width - 1) / Self.width }

    subscript(index: Int) -> Panel<Weight> {
        let first = index * Self.width, end = min(outputs, first + Self.width)
        let weights = memory.base.assumingMemoryBound(to: Weight.self) + first * depth
        return Panel(weights: weights, vectors: (end - first + Lanes.width - 1) / Lanes.width, outputs: first..<end)
    }
}

extension Panels {
    /// - Parameter weight: of an output, at a step of the sum.
    @inline(__always)
    fileprivate convenience init(
        outputs: Int, depth: Int, on backend: OpenBLAS, weight: @Sendable (_ output: Int, _ step: Int) -> Weight
    ) {
        self.init(outputs: outputs, depth: depth, on: backend) { panel, outputs, width in
            // A few steps at a time, so that the lines that are written stay in cache until they are full.
            for start in stride(from: 0, to: depth, by: 16) {
                for (column, output) in outputs.enumerated() {
                    for step in start..<min(start + 16, depth) { panel[step * width + column] = weight(output, step) }
                }
            }
        }
    }
}

extension Panels where Weight: PanelWeight {
    /// The rows of a matrix `[outputs, depth]`.
    convenience init(_ matrix: UnsafePointer<Float>, outputs: Int, depth: Int, on backend: OpenBLAS) {
        let matrix = ReadOnly(matrix)
        self.init(outputs: outputs, depth: depth, on: backend) { Weight(matrix.base[$0 * depth + $1]) }
    }
}

extension Panels<BFloat16Pair> {
    /// The rows of a matrix `[outputs, depth]`, two steps of the sum together.
    convenience init(_ matrix: UnsafePointer<Float>, outputs: Int, depth: Int, on backend: OpenBLAS) {
        let matrix = ReadOnly(matrix)
        self.init(outputs: outputs, depth: (depth + 1) / 2, on: backend) {
            BFloat16Pair(matrix.base + ($0 * depth + 2 * $1), count: min(2, depth - 2 * $1))
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

/// A row of scalars padded with zeros to whole registers, for biases.
final class PaddedRow: Sendable {
    private let memory: PackedMemory
    init(_ row: Tensor?, count: Int) {
        let padded = paddedCount(count)
        memory = PackedMemory(bytes: padded * MemoryLayout<Float>.stride)
        let base = memory.base.bindMemory(to: Float.self, capacity: padded)
        base.update(repeating: 0, count: padded)
        if let row { base.update(from: row.pointer, count: count) }
    }
    var base: UnsafePointer<Float> { UnsafePointer(memory.base.assumingMemoryBound(to: Float.self)) }
}
