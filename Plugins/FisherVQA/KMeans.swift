package import NeuralNetworks
package import Tensors

/// Clusters of descriptors around their means: Lloyd's algorithm, whose first centres are drawn as in k-means++ (Arthur &
/// Vassilvitskii 2007).
package struct KMeans: Sendable {
    /// `[clusters, dimension]`.
    package let centers: Tensor
    /// The cluster of every descriptor.
    package let assignments: [Int]

    /// - Parameters:
    ///   - x: `[descriptors, dimension]`, at least one.
    ///   - iterations: how often the centres move at most; they stop where that helps little, too (VLFeat's rule).
    package init(_ x: Tensor, clusters: Int, random: RandomSource, iterations: Int = 100) {
        let norms = x.squared.sum(axis: 1).scalars
        var centers = x.gathered(Self.seeds(x, norms, clusters, random))
        var (assignments, energy) = Self.nearest(x, norms, centers)
        let first = energy
        for _ in 0..<iterations {
            let moved = Self.means(x, assignments, instead: centers), (next, lower) = Self.nearest(x, norms, moved)
            let isSettled = energy - lower <= 1e-4 * (first - lower)
            (centers, assignments, energy) = (moved, next, lower)
            if isSettled { break }
        }
        (self.centers, self.assignments) = (centers, assignments)
    }

    /// Every next centre is drawn in proportion to its squared distance from the nearest of those there are.
    private static func seeds(_ x: Tensor, _ norms: [Float], _ clusters: Int, _ random: RandomSource) -> [Int] {
        let n = x.shape[0]
        var chosen = [random.index(below: n)], distances = [Double](repeating: .infinity, count: n)
        while chosen.count < clusters {
            let last = chosen[chosen.count - 1], products = matmul(x, x[last..<last + 1], transposed: true).scalars
            var total = 0.0
            for i in 0..<n {
                distances[i] = min(distances[i], Double(max(0, norms[i] + norms[last] - 2 * products[i])))
                total += distances[i]
            }
            total -= distances[last]
            distances[last] = 0
            var left = Double(random.next() >> 11) * 0x1p-53 * total
            let drawn = distances.firstIndex { distance in
                left -= distance
                return left < 0
            }
            // All descriptors may be centres already.
            chosen.append(drawn ?? random.index(below: n))
        }
        return chosen
    }

    /// The nearest centre of every descriptor, the first of equals, and the sum of their squared distances.
    private static func nearest(_ x: Tensor, _ norms: [Float], _ centers: Tensor) -> (assignments: [Int], energy: Double) {
        let k = centers.shape[0]
        // ‖x - c‖² = ‖x‖² - 2 (xᵀc - ‖c‖² / 2)
        let scores = matmul(x, centers, transposed: true, bias: centers.squared.sum(axis: 1) * -0.5)
        var assignments = [Int](repeating: 0, count: norms.count), energy = 0.0
        scores.withScalars { scores in
            for row in norms.indices {
                let first = row * k
                var best = first
                for i in first..<first + k where scores[i] > scores[best] { best = i }
                assignments[row] = best - first
                energy += Double(max(0, norms[row] - 2 * scores[best]))
            }
        }
        return (assignments, energy)
    }

    /// The mean of every cluster; an empty one stays where it is.
    private static func means(_ x: Tensor, _ assignments: [Int], instead centers: Tensor) -> Tensor {
        let (k, d) = (centers.shape[0], centers.shape[1])
        var sums = [Double](repeating: 0, count: k * d), counts = [Int](repeating: 0, count: k)
        x.withScalars { x in
            sums.withUnsafeMutableBufferPointer { sums in
                for (row, cluster) in assignments.enumerated() {
                    counts[cluster] += 1
                    for i in 0..<d { sums[cluster * d + i] += Double(x[row * d + i]) }
                }
            }
        }
        let old = centers.scalars
        let means = sums.indices.map { i in counts[i / d] == 0 ? old[i] : Float(sums[i] / Double(counts[i / d])) }
        return Tensor(means, centers.shape, on: x.backend)
    }
}
