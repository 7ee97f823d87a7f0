package import NeuralNetworks

/// Which boxes a step of the training learns from: some that show a region, its positives, and some that show nothing.
/// (BoxSampler.lua)
package struct BoxSampler: Sendable {
    /// Boxes of a step. At most half of them are positive.
    package var count: Int
    /// A negative overlaps every region less than this.
    package var lowThreshold: Float
    /// A positive overlaps a region more than this.
    package var highThreshold: Float
    /// Whether boxes that leave the picture count only where they fit a region best.
    package var insideOnly: Bool

    package init(count: Int = 256, lowThreshold: Float = 0.3, highThreshold: Float = 0.7, insideOnly: Bool = true) {
        (self.count, self.lowThreshold, self.highThreshold) = (count, lowThreshold, highThreshold)
        self.insideOnly = insideOnly
    }

    /// All boxes that may be drawn, by their indices.
    package struct Candidates: Sendable, Equatable {
        package var positives: [Int]
        package var negatives: [Int]
        /// For every box, the region that it overlaps most, the first of equals.
        package var regions: [Int]
    }

    package struct Sample: Sendable, Equatable {
        package var positives: [Int]
        /// What each of the positives shows, by its index.
        package var regions: [Int]
        package var negatives: [Int]
    }

    /// - Parameters:
    ///   - boxes: as the network proposes them.
    ///   - regions: what is to be found, at least one.
    ///   - width: of the picture, like `height`.
    package func callAsFunction(
        _ boxes: [Box], regions: [Box], width: Int, height: Int, random: RandomSource
    ) -> Sample {
        let candidates = candidates(boxes, regions: regions, width: width, height: height)
        let positives = draw(min(count / 2, candidates.positives.count), of: candidates.positives, random)
        let negatives = draw(count - positives.count, of: candidates.negatives, random)
        return Sample(positives: positives, regions: positives.map { candidates.regions[$0] }, negatives: negatives)
    }

    package func candidates(_ boxes: [Box], regions: [Box], width: Int, height: Int) -> Candidates {
        precondition(!boxes.isEmpty && !regions.isEmpty, "\(boxes.count) boxes for \(regions.count) regions")
        let ious = Box.intersectionsOverUnions(boxes, regions), n = regions.count
        var isPositive = [Bool](repeating: false, count: boxes.count), isNegative = isPositive
        var nearest = [Int](repeating: 0, count: boxes.count), best = [Int](repeating: 0, count: n)
        for (i, box) in boxes.enumerated() {
            for j in 0..<n {
                if ious[i * n + j] > ious[i * n + nearest[i]] { nearest[i] = j }
                if ious[i * n + j] > ious[best[j] * n + j] { best[j] = i }
            }
            if insideOnly, !box.isInside(width: width, height: height) { continue }
            let largest = ious[i * n + nearest[i]]
            isPositive[i] = largest > highThreshold
            isNegative[i] = largest < lowThreshold
        }
        // Whatever fits a region best is its positive, so that there always is one.
        for i in best { (isPositive[i], isNegative[i]) = (true, false) }
        if !isNegative.contains(true) { isNegative = isPositive.map { !$0 } }
        return Candidates(
            positives: boxes.indices.filter { isPositive[$0] }, negatives: boxes.indices.filter { isNegative[$0] },
            regions: nearest)
    }

    /// Without drawing any twice, unless there are too few.
    private func draw(_ count: Int, of candidates: [Int], _ random: RandomSource) -> [Int] {
        if candidates.isEmpty { return [] }
        if candidates.count < count { return (0..<count).map { _ in candidates[random.index(below: candidates.count)] } }
        return random.permutation(candidates.count).prefix(count).map { candidates[$0] }
    }
}
