/// Batch normalisation with the statistics of this batch over all axes but the last (Ioffe & Szegedy 2015, algorithm 1).
///
/// The mean and the biased variance come back for the running averages; they carry no gradient.
public func batchNormalization(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> (
    y: Tensor, mean: Tensor, variance: Tensor
) {
    require(scale.shape == [x.shape[-1]] && shift.shape == scale.shape, "batchNormalization: \(x.shape) by \(scale.shape)")
    let (p, s) = (x.detached, scale.detached)
    let result = x.backend.batchNormalization(p, scale: s, shift: shift, epsilon: epsilon)
    // Three inputs share one kernel: it runs once, for whichever of them is asked first.
    let gradients = Once(for: [x, scale, shift]) { (dy: Tensor) in dy.backend.batchNormalizationGradient(dy, p, scale: s, result)
    }
    let y = result.y.recorded((x, { gradients($0).dx }), (scale, { gradients($0).dScale }), (shift, { gradients($0).dShift }))
    return (y, result.mean, result.variance)
}

/// `x / (k + α Σ x²)^β` over neighbouring channels (Krizhevsky et al. 2012, §3.3).
public func localResponseNormalization(_ x: Tensor, _ window: LocalResponseWindow) -> Tensor {
    let p = x.detached
    return x.backend.localResponseNormalization(p, window)
        .recorded((x, { dy in dy.backend.localResponseNormalizationGradient(dy, p, window) }))
}
