/// Of boxes that overlap too much, only the one with the highest score: greedily, from the highest score downwards.
package struct NonMaximumSuppression: Sendable {
    /// The largest intersection over union with a box kept before that a box may have.
    package var threshold: Float
    /// How many boxes are kept at most.
    package var limit: Int?

    package init(threshold: Float, limit: Int? = nil) { (self.threshold, self.limit) = (threshold, limit) }

    /// The indices of the boxes that are kept, in falling order of score, of equals the earlier box first.
    ///
    /// Unlike in ``Box/intersectionsOverUnions(_:_:)``, both corners' pixels belong to an intersection. (`nms` in box_utils.lua)
    package func callAsFunction(_ boxes: [Box], scores: [Float]) -> [Int] {
        precondition(boxes.count == scores.count)
        let limit = limit ?? boxes.count
        var kept: [Int] = [], blocks: [Block] = []
        for index in ranked(scores) {
            if kept.count == limit { break }
            let candidate = boxes[index].corners
            if isCovered(candidate, by: blocks) { continue }
            let lane = kept.count % Lanes.scalarCount
            if lane == 0 { blocks.append(Block()) }
            blocks[blocks.count - 1].insert(candidate, at: lane)
            kept.append(index)
        }
        return kept
    }

    private func isCovered(_ candidate: Box.Corners, by blocks: [Block]) -> Bool {
        let whole = Block(repeating: candidate), threshold = Lanes(repeating: threshold)
        return blocks.withUnsafeBufferPointer { blocks in
            for block in blocks where any(block.intersectionsOverUnions(whole) .> threshold) { return true }
            return false
        }
    }

    /// Indices in falling order of their scores, the smaller of equals first, by sorting whole numbers: the score's bits in an
    /// order that numbers have as well, then the index.
    private func ranked(_ scores: [Float]) -> [Int] {
        var keys = scores.indices.map { index in
            // Adding zero makes -0 and 0 one.
            let bits = (scores[index] + 0).bitPattern, ordered = bits >> 31 == 1 ? ~bits : bits | 1 << 31
            return UInt64(ordered) << 32 | UInt64(~UInt32(index))
        }
        keys.sort(by: >)
        return keys.map { Int(~UInt32(truncatingIfNeeded: $0)) }
    }
}

private typealias Lanes = SIMD8<Float>

/// Eight boxes that were kept.
private struct Block {
    // A lane without a box intersects nothing.
    var x1 = Lanes(repeating: .greatestFiniteMagnitude), y1 = Lanes(repeating: .greatestFiniteMagnitude)
    var x2 = Lanes(repeating: -.greatestFiniteMagnitude), y2 = Lanes(repeating: -.greatestFiniteMagnitude)
    var area = Lanes(repeating: 1)

    init() {}

    init(repeating c: Box.Corners) {
        (x1, y1) = (Lanes(repeating: c.x1), Lanes(repeating: c.y1))
        (x2, y2) = (Lanes(repeating: c.x2), Lanes(repeating: c.y2))
        area = Lanes(repeating: (c.x2 - c.x1 + 1) * (c.y2 - c.y1 + 1))
    }

    mutating func insert(_ c: Box.Corners, at lane: Int) {
        (x1[lane], y1[lane], x2[lane], y2[lane]) = (c.x1, c.y1, c.x2, c.y2)
        area[lane] = (c.x2 - c.x1 + 1) * (c.y2 - c.y1 + 1)
    }

    @inline(__always) func intersectionsOverUnions(_ other: Block) -> Lanes {
        let width = smaller(x2, other.x2) - larger(x1, other.x1) + 1, height = smaller(y2, other.y2) - larger(y1, other.y1) + 1
        let intersection = larger(width, Lanes()) * larger(height, Lanes())
        return intersection / (area + other.area - intersection)
    }
}

@inline(__always) private func smaller(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .< a) }
@inline(__always) private func larger(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .> a) }
