package import ModelKit
package import Tensors

/// `½ d²` where `|d| < 1`, else `|d| - ½`: the mean over all scalars of `d` (SmoothL1Criterion of Torch; Girshick 2015).
package func smoothL1(_ d: Tensor) -> Tensor {
    let magnitude = relu(d) + relu(-d), beyond = relu(magnitude - 1), within = magnitude - beyond
    return (0.5 * within.squared + beyond).mean
}

/// How far transforms `t` of anchors are from those that would make the boxes of them; all `[n, 4]`.
///
/// It has derivatives with respect to the anchors as well. A row with a number that would have to be beyond `limit` counts as
/// right. (BoxRegressionCriterion.lua)
package func boxRegressionLoss(_ t: Tensor, _ anchors: Tensor, _ boxes: Tensor, limit: Float = 10) -> Tensor {
    let n = t.shape[0]
    let rows = BoxTransform.between(anchors.detached, and: boxes.detached).withScalars { s in
        (0..<n).filter { row in (0..<4).allSatisfy { abs(s[4 * row + $0]) <= limit } }
    }
    if rows.isEmpty { return .zeros([], on: t.backend) }
    let wanted = BoxTransform.between(anchors.gathered(rows), and: boxes.gathered(rows))
    return smoothL1(t.gathered(rows) - wanted) * (Float(rows.count) / Float(n))
}

/// How sure the proposals are of what they show: the cross entropy of two classes, something and nothing, averaged over the
/// positives and over the negatives, and the two added. (LocalizationLayer.lua)
/// - Parameters:
///   - positives: the scores of boxes that show something: `[n, 2]`, something first.
///   - negatives: of boxes that show nothing.
package func proposalLoss(positives: Tensor, negatives: Tensor) -> Tensor {
    func loss(_ scores: Tensor, _ target: Int) -> Tensor {
        let n = scores.shape[0]
        // Where every box shows something, there is nothing to be learnt of others.
        return n == 0 ? .zeros([], on: scores.backend) : crossEntropy(scores, [Int](repeating: target, count: n)).mean
    }
    return loss(positives, 0) + loss(negatives, 1)
}

/// How sure the recognition is of what a box shows: the mean of `log(1 + e⁻ˣ)` over the positives, which come first, and
/// `log(1 + eˣ)` over the others. (LogisticCriterion.lua)
/// - Parameter scores: x, `[n, 1]`.
package func logisticLoss(_ scores: Tensor, positives: Int) -> Tensor {
    let n = scores.shape[0], zero = Tensor.zeros([n, 1], on: scores.backend)
    // With a second class whose score is 0 the softmax is the logistic function.
    return crossEntropy(.concatenated([scores, zero], axis: 1), (0..<n).map { $0 < positives ? 0 : 1 }).mean
}

/// The losses of a step, all of which training makes small together. (DenseCapModel.lua)
package struct Losses: Sendable {
    /// How much each counts.
    package struct Weights: Sendable, Hashable {
        package var proposalObjectness: Float = 0.1
        package var proposalBoxes: Float = 0.05
        package var objectness: Float = 0.1
        package var boxes: Float = 0.1
        package var captions: Float = 1
        /// Of half the squared transforms of all anchors, so that proposals stay near their anchors.
        package var boxDecay: Float = 5e-5
        package init() {}
    }

    package var proposalObjectness: Tensor
    package var proposalBoxes: Tensor
    package var objectness: Tensor
    package var boxes: Tensor
    package var captions: Tensor
    package var boxDecay: Tensor

    package init(
        proposalObjectness: Tensor, proposalBoxes: Tensor, objectness: Tensor, boxes: Tensor, captions: Tensor, boxDecay: Tensor
    ) {
        (self.proposalObjectness, self.proposalBoxes) = (proposalObjectness, proposalBoxes)
        (self.objectness, self.boxes, self.captions, self.boxDecay) = (objectness, boxes, captions, boxDecay)
    }

    package func terms(_ weights: Weights) -> [LossTerm] {
        [
            LossTerm("proposal objectness", proposalObjectness, weight: weights.proposalObjectness),
            LossTerm("proposal boxes", proposalBoxes, weight: weights.proposalBoxes),
            LossTerm("objectness", objectness, weight: weights.objectness),
            LossTerm("boxes", boxes, weight: weights.boxes),
            LossTerm("captions", captions, weight: weights.captions),
            LossTerm("box decay", boxDecay, weight: weights.boxDecay),
        ]
    }
}
