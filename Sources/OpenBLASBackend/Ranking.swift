import Foundation
import Tensors

/// The largest scores of a row or a part of it, and what its softmax needs to know of the others.
struct Ranking {
    /// The largest score.
    private(set) var top = -Float.infinity
    /// `Σ exp(score - top)`.
    private(set) var sum: Float = 0
    /// In falling order; scores stand for log-probabilities.
    private(set) var count = 0
    private let limit: Int
    private let candidates: UnsafeMutablePointer<Candidate>

    /// - Parameter candidates: memory for `limit` of them.
    init(limit: Int, candidates: UnsafeMutablePointer<Candidate>) { (self.limit, self.candidates) = (limit, candidates) }

    subscript(index: Int) -> Candidate { candidates[index] }

    /// Ranks `scores[range]`. Scores that are no numbers are left out.
    mutating func rank(_ scores: UnsafePointer<Float>, _ range: Range<Int>) {
        let maxima = LaneMaxima(scores, range)
        top = maxima.largest
        // The first to be kept are among the scores from here on.
        var threshold = maxima.bound(limit).nextDown
        var sums = Vector(repeating: 0), i = range.lowerBound
        count = 0
        sum = 0
        while i + 8 <= range.upperBound {
            let v = scores.vector(at: i)
            sums += exponential(v - top)
            if any(v .> threshold) {
                for lane in 0..<8 where v[lane] > threshold { insert(v[lane], i + lane, &threshold) }
            }
            i += 8
        }
        while i < range.upperBound {
            sum += exp(scores[i] - top)
            if scores[i] > threshold { insert(scores[i], i, &threshold) }
            i += 1
        }
        sum += sums.sum()
    }

    private mutating func insert(_ score: Float, _ index: Int, _ threshold: inout Float) {
        var place = count
        if count == limit { place -= 1 } else { count += 1 }
        while place > 0, candidates[place - 1].logProbability < score {
            candidates[place] = candidates[place - 1]
            place -= 1
        }
        candidates[place] = Candidate(index: index, logProbability: score)
        if count == limit { threshold = candidates[limit - 1].logProbability }
    }

    /// The ranking of a row from those of its parts, which lie `stride` apart.
    /// - Parameter parts: in the order of the row.
    mutating func merge(_ parts: UnsafePointer<Ranking>, count partCount: Int, stride: Int) {
        top = (0..<partCount).reduce(-.infinity) { max($0, parts[$1 * stride].top) }
        sum = 0
        count = 0
        withUnsafeTemporaryAllocation(of: Int.self, capacity: partCount) { next in
            for p in 0..<partCount {
                next[p] = 0
                if parts[p * stride].sum > 0 { sum += parts[p * stride].sum * exp(parts[p * stride].top - top) }
            }
            while count < limit {
                var best = -1, most = -Float.infinity
                for p in 0..<partCount where next[p] < parts[p * stride].count {
                    let score = parts[p * stride][next[p]].logProbability
                    if best < 0 || score > most { (best, most) = (p, score) }
                }
                if best < 0 { return }
                candidates[count] = parts[best * stride][next[best]]
                next[best] += 1
                count += 1
            }
        }
    }

    /// The candidates with the logarithms of their probabilities.
    var probable: [Candidate] {
        let total = top + log(sum)
        return (0..<count).map { Candidate(index: candidates[$0].index, logProbability: candidates[$0].logProbability - total) }
    }
}

/// Calls `body` with memory for `count` rankings of at most `limit` candidates.
func withRankings<Result>(_ count: Int, limit: Int, _ body: (Shared<Ranking>) -> Result) -> Result {
    let candidates = UnsafeMutablePointer<Candidate>.allocate(capacity: max(1, count * limit))
    let rankings = UnsafeMutablePointer<Ranking>.allocate(capacity: max(1, count))
    defer {
        candidates.deallocate()
        rankings.deallocate()
    }
    for i in 0..<count { (rankings + i).initialize(to: Ranking(limit: limit, candidates: candidates + i * limit)) }
    return body(Shared(rankings))
}

/// The largest scores of every thirty-second part of a row.
private struct LaneMaxima {
    private var lanes = InlineArray<4, Vector>(repeating: Vector(repeating: -.infinity))
    let largest: Float
    private let isComplete: Bool

    @inline(__always)
    init(_ x: UnsafePointer<Float>, _ range: Range<Int>) {
        var i = range.lowerBound
        isComplete = range.count >= 32
        while i + 32 <= range.upperBound {
            for k in 0..<4 {
                let v = x.vector(at: i + 8 * k)
                lanes[k] = lanes[k].replacing(with: v, where: v .> lanes[k])
            }
            i += 32
        }
        var largest = max(max(lanes[0].max(), lanes[1].max()), max(lanes[2].max(), lanes[3].max()))
        while i < range.upperBound {
            largest = x[i] > largest ? x[i] : largest
            i += 1
        }
        self.largest = largest
    }

    /// What the `count`th largest score is not below: the `count`th largest of the maxima, since every one of them is a score.
    func bound(_ count: Int) -> Float {
        guard isComplete, count <= 32 else { return -.infinity }
        var sorted = InlineArray<32, Float>(repeating: 0)
        for i in 0..<32 {
            let x = lanes[i / 8][i % 8]
            var place = i
            while place > 0, sorted[place - 1] < x {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = x
        }
        return sorted[count - 1]
    }
}
