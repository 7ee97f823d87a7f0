import Foundation
public import Tensors
import COpenBLAS

extension OpenBLAS {
    public func prepareLinear(_ weights: PackableWeights, storage: WeightStorage, isRanked: Bool) throws -> any PreparedLinear {
        guard storage == .float16 else { return try PackedLinear(weights, .float32, isRanked: isRanked, on: self) }
        // The rounding of weights out of range has no bound: they stay as they are.
        #if ZOO_AVX512
            if isRanked, zoo_cpu_has_avx512_bf16() != 0 {
                let map = try PackedLinear(weights, .bfloat16, isRanked: isRanked, on: self)
                if map.isInRange { return map }
            }
        #endif
        let map = try PackedLinear(weights, .float16, isRanked: isRanked, on: self)
        return map.isInRange ? map : try PackedLinear(weights, .float32, isRanked: isRanked, on: self)
    }
}

/// A linear map for the few rows of a decoder: packed weights, read once for all rows.
final class PackedLinear: PreparedLinear {
    enum Format: String { case float32, float16, bfloat16 }

    private enum Weights: Sendable {
        case float32(Panels<Float>)
        case float16(Panels<Float16>)
        case bfloat16(Panels<BFloat16Pair>)
    }

    private let outputs: Int, depth: Int
    private let packed: Weights
    private let bias: PaddedRow
    /// How far scores can be from those of the original weights.
    private let doubt: Doubt
    /// The original weights, where outputs are ranked by others.
    private let original: Tensor?
    private let backend: OpenBLAS

    /// Whether the format holds all weights.
    var isInRange: Bool { doubt.isFinite }

    init(_ weights: PackableWeights, _ format: Format, isRanked: Bool, on backend: OpenBLAS) throws {
        let (outputs, depth) = (weights.shape[0], weights.shape[1])
        (self.outputs, self.depth, self.backend) = (outputs, depth, backend)
        var layout = PackedLayout()
        let packed: Weights =
            switch format {
            case .float32: .float32(Panels(outputs: outputs, depth: depth, in: &layout))
            case .float16: .float16(Panels(outputs: outputs, depth: depth, in: &layout))
            case .bfloat16: .bfloat16(Panels(outputs: outputs, depth: (depth + 1) / 2, in: &layout))
            }
        let row = PaddedRow(count: outputs, in: &layout), bounds = layout.add(2, of: Float.self)
        let memory = try weights.packed(as: "linear \(format), \(Lanes.width)", bytes: layout.bytes) { memory, weight, bias in
            let p = weight.pointer
            var doubt = Doubt()
            switch packed {
            case .float32(let panels): panels.fill(memory, from: p, on: backend)
            case .float16(let panels):
                panels.fill(memory, from: p, on: backend)
                doubt = Doubt(p, outputs, depth) { Float(Float16($0)) }
            case .bfloat16(let panels):
                panels.fill(memory, from: p, inputs: depth, on: backend)
                doubt = Doubt(p, outputs, depth) { BFloat16Pair.nearest($0) }
            }
            row.fill(memory, bias)
            memory.storeBytes(of: doubt.weights, toByteOffset: bounds, as: Float.self)
            memory.storeBytes(of: doubt.norm, toByteOffset: bounds + 4, as: Float.self)
        }
        switch packed {
        case .float32(let panels): self.packed = .float32(panels.placed(in: memory))
        case .float16(let panels): self.packed = .float16(panels.placed(in: memory))
        case .bfloat16(let panels): self.packed = .bfloat16(panels.placed(in: memory))
        }
        bias = row.placed(in: memory)
        doubt = Doubt(
            weights: memory.base.load(fromByteOffset: bounds, as: Float.self),
            norm: memory.base.load(fromByteOffset: bounds + 4, as: Float.self), roundsRows: format == .bfloat16)
        original = isRanked && format != .float32 ? try weights.values().weight : nil
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let rows = x.shape[0], padded = paddedCount(outputs)
        let scores = Tensor(shape: [rows, padded], on: backend) { y in computeScores(of: x, into: Shared(y)) { _, _ in } }
        return padded == outputs ? scores : scores.sliced(axis: 1, 0..<outputs)
    }

    func mostProbable(_ count: Int, of x: Tensor) -> [[Candidate]] {
        let rows = x.shape[0], padded = paddedCount(outputs), parts = self.parts, kept = min(count, outputs)
        let memory = backend.allocate(rows * padded)
        defer { backend.deallocate(memory, rows * padded) }
        let scores = Shared(memory), x = x.detached
        return withRankings((parts + 1) * rows, limit: kept) { rankings in
            computeScores(of: x, into: scores) { part, outputs in
                for row in 0..<rows { rankings.base[part * rows + row].rank(scores.base + row * padded, outputs) }
            }
            let merged = Shared(rankings.base + parts * rows)
            return [[Candidate]](unsafeUninitializedCapacity: rows) { found, initialized in
                let found = Shared(found.baseAddress!), p = ReadOnly(x)
                backend.parallel(rows, grain: 4) { _, range in
                    for row in range {
                        merged.base[row].merge(rankings.base + row, count: parts, stride: rows)
                        var candidates = merged.base[row].probable
                        if let original {
                            candidates = exactly(
                                merged.base[row], scores.base + row * padded, p.base + row * depth, original)
                        }
                        (found.base + row).initialize(to: candidates)
                    }
                }
                initialized = rows
            }
        }
    }

    /// How many parts the outputs are divided into for the threads.
    private var parts: Int {
        backend.threads == 1 ? 1 : min((outputs + Panels<Float>.width - 1) / Panels<Float>.width, 4 * backend.threads)
    }

    /// Writes the scores, a padded row for every row of `x`, and calls `body` for every part of the outputs that is ready,
    /// on the thread that has it in its cache.
    private func computeScores(
        of x: Tensor, into scores: Shared<Float>, _ body: @Sendable (_ part: Int, _ outputs: Range<Int>) -> Void
    ) {
        switch packed {
        case .float32(let panels): multiply(x, panels, into: scores, body)
        case .float16(let panels): multiply(x, panels, into: scores, body)
        case .bfloat16(let panels):
            #if ZOO_AVX512
                let rows = FewRows(x), padded = paddedCount(outputs)
                rows.withPairs { base, pairs, stride in
                    let base = ReadOnly(UnsafePointer<UInt32>(OpaquePointer(base)))
                    forEachPart(
                        panels,
                        { panel in
                            let first = panel.outputs.lowerBound
                            zoo_bfloat16_product(
                                rows.count, pairs, base.base, stride, UnsafePointer(OpaquePointer(panel.weights)),
                                Int32(panel.vectors), bias.base + first, scores.base + first, padded)
                        }, body)
                }
            #endif
        }
    }

    private func multiply<Weight: PanelWeight>(
        _ x: Tensor, _ panels: Panels<Weight>, into scores: Shared<Float>,
        _ body: @Sendable (_ part: Int, _ outputs: Range<Int>) -> Void
    ) {
        let rows = FewRows(x), padded = paddedCount(outputs)
        forEachPart(
            panels,
            { panel in
                let first = panel.outputs.lowerBound
                multiplyFewRows(rows, panel, bias: bias.base + first, into: scores.base + first, outStride: padded)
            }, body)
    }

    /// Calls `multiply` for every panel and `body` for every part of the outputs that has had all of its panels.
    private func forEachPart<Weight>(
        _ panels: Panels<Weight>, _ multiply: @Sendable (Panel<Weight>) -> Void,
        _ body: @Sendable (_ part: Int, _ outputs: Range<Int>) -> Void
    ) {
        let parts = self.parts
        backend.forEachTask(parts) { task in
            let range = part(task, of: parts, panels.count)
            for index in range { multiply(panels[index]) }
            body(task, panels[range.lowerBound].outputs.lowerBound..<panels[range.upperBound - 1].outputs.upperBound)
        }
    }

    /// The most probable outputs of a row, whose scores are in doubt.
    ///
    /// An output that belongs to the `k` best has a score of at least the `k`th best's less twice the doubt; all such scores
    /// are computed again. The others count in the softmax's sum as they are.
    private func exactly(
        _ ranking: Ranking, _ scores: UnsafePointer<Float>, _ row: UnsafePointer<Float>, _ weight: Tensor
    ) -> [Candidate] {
        if ranking.count == 0 { return [] }
        let margin = 2 * doubt.bound(row, depth)
        let threshold = margin.isFinite ? ranking[ranking.count - 1].logProbability - margin : -.infinity
        var chosen: [Candidate] = [], rest = ranking.sum
        chosen.reserveCapacity(ranking.count + 8)
        func choose(_ output: Int) {
            rest -= exp(scores[output] - ranking.top)
            let exact = dot(row, weight.pointer + output * depth, depth) + bias.base[output]
            chosen.append(Candidate(index: output, logProbability: exact))
        }
        var i = 0
        while i + 8 <= outputs {
            let v = scores.vector(at: i)
            if any(v .>= threshold) {
                for lane in 0..<8 where v[lane] >= threshold { choose(i + lane) }
            }
            i += 8
        }
        while i < outputs {
            if scores[i] >= threshold { choose(i) }
            i += 1
        }
        // They were found in the order of their indices, and equals keep it.
        chosen.sort { (a: Candidate, b: Candidate) in a.logProbability > b.logProbability }
        var sum = max(rest, 0)
        for candidate in chosen { sum += exp(candidate.logProbability - ranking.top) }
        let total = ranking.top + log(sum)
        return chosen.prefix(ranking.count).map { Candidate(index: $0.index, logProbability: $0.logProbability - total) }
    }
}

/// How far rounded weights `w′` can move a score: `|x·w - x′·w′| ≤ |x| |w - w′| + |x - x′| |w′|` by Cauchy–Schwarz, and what
/// the sums lose to rounding.
private struct Doubt: Sendable {
    /// The largest `|w - w′|` and `|w|` of all outputs.
    var weights: Float = 0, norm: Float = 0
    /// Whether the rows are rounded to bfloat16 too.
    var roundsRows = false

    var isFinite: Bool { (weights + norm).isFinite }

    init(weights: Float = 0, norm: Float = 0, roundsRows: Bool = false) {
        (self.weights, self.norm, self.roundsRows) = (weights, norm, roundsRows)
    }

    init(_ p: UnsafePointer<Float>, _ outputs: Int, _ depth: Int, _ rounded: (Float) -> Float) {
        var most: Float = 0, longest: Float = 0
        for o in 0..<outputs {
            let w = p + o * depth
            var lost: Float = 0, square: Float = 0
            for i in 0..<depth {
                let difference = w[i] - rounded(w[i])
                lost += difference * difference
                square += w[i] * w[i]
            }
            // One that is no number counts as infinite.
            most = lost.isFinite ? max(most, lost) : .infinity
            longest = square.isFinite ? max(longest, square) : .infinity
        }
        (weights, norm) = (most.squareRoot(), longest.squareRoot())
    }

    /// For the row at `x`.
    func bound(_ x: UnsafePointer<Float>, _ depth: Int) -> Float {
        let length = dot(x, x, depth).squareRoot()
        var lost: Float = 0
        if roundsRows {
            for i in 0..<depth {
                let difference = x[i] - BFloat16Pair.nearest(x[i])
                lost += difference * difference
            }
        }
        // Two sums, each off by at most depth · ε/2 of its terms; and this bound is rounded itself.
        let sums = Float(depth) * Float.ulpOfOne * length * norm
        return 1.01 * (length * weights + lost.squareRoot() * (norm + weights) + sums)
    }
}

/// `Σ a b`.
@inline(__always)
private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ n: Int) -> Float {
    let width = Lanes.width
    var sums = InlineArray<4, Lanes>(repeating: Lanes(repeating: 0)), i = 0
    while i &+ 4 &* width <= n {
        for k in 0..<4 { sums[k].addProduct(Lanes(a + (i &+ k &* width)), Lanes(b + (i &+ k &* width))) }
        i &+= 4 &* width
    }
    var sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum()
    while i < n {
        sum += a[i] * b[i]
        i &+= 1
    }
    return sum
}
