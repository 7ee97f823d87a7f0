import Foundation
package import NeuralNetworks
package import Tensors

/// A mixture of Gaussians with diagonal covariances, `p(x) = Σ_k π_k N(x; μ_k, σ²_k)`, fitted to descriptors by expectation
/// maximisation with VLFeat's bounds and stopping rule (vl/gmm.c).
package struct GaussianMixture: Sendable {
    /// μ, `[components, dimension]`.
    package let means: Tensor
    /// σ², `[components, dimension]`.
    package let variances: Tensor
    /// π, `[components]`.
    package let priors: Tensor
    /// `log π_k N(x; μ_k, σ²_k)` is linear in x and x²: the factors of both, `[components, 2·dimension]`, and the constant.
    private let weights: Tensor, constants: Tensor

    /// A component with a smaller prior belongs to nothing.
    package static let minimumPrior: Float = 1e-6
    /// Divided by the number of components: smaller posteriors do not count in the maximisation.
    private static let minimumPosterior: Float = 1e-2
    /// The logarithm of no probability; finite, so that no product makes a NaN of it.
    private static let impossible = -1e30

    package init(means: Tensor, variances: Tensor, priors: Tensor) {
        let (k, d) = (means.shape[0], means.shape[1])
        precondition(variances.shape == means.shape && priors.shape == [k], "a mixture of \(means.shape) and \(priors.shape)")
        (self.means, self.variances, self.priors) = (means, variances, priors)
        let (μ, σ², π) = (means.scalars.map(Double.init), variances.scalars.map(Double.init), priors.scalars)
        var weights = [Float](repeating: 0, count: 2 * k * d), constants = [Float](repeating: 0, count: k)
        for component in 0..<k {
            var constant = log(Double(π[component])) - Double(d) / 2 * log(2 * .pi)
            for i in 0..<d {
                let own = component * d + i, first = 2 * component * d + i
                constant -= (log(σ²[own]) + μ[own] * μ[own] / σ²[own]) / 2
                weights[first] = Float(μ[own] / σ²[own])
                weights[first + d] = Float(-0.5 / σ²[own])
            }
            constants[component] = Float(π[component] < Self.minimumPrior ? Self.impossible : constant)
        }
        self.weights = Tensor(weights, [k, 2 * d], on: means.backend)
        self.constants = Tensor(constants, [k], on: means.backend)
    }

    package var components: Int { means.shape[0] }
    package var dimension: Int { means.shape[1] }

    /// Descriptors beside their squares, `[…, dimension] → […, 2·dimension]`: all that a mixture needs of them.
    package static func moments(of x: Tensor) -> Tensor { .concatenated([x, x.squared], axis: -1) }

    /// How much descriptors belong to each component, `[…, dimension] → […, components]`.
    package func posteriors(of x: Tensor) -> Tensor { posteriors(moments: Self.moments(of: x)) }

    package func posteriors(moments: Tensor) -> Tensor { softmax(logarithms(moments)) }

    /// `Σ_n log p(x_n)` of descriptors `[n, dimension]`.
    package func logLikelihood(of x: Tensor) -> Double { expectation(Self.moments(of: x)).logLikelihood }

    /// `log π_k N(x; μ_k, σ²_k)`.
    private func logarithms(_ moments: Tensor) -> Tensor { matmul(moments, weights, transposed: true, bias: constants) }

    // MARK: Expectation maximisation

    /// The mixture of descriptors `[n, dimension]`: k-means, then expectation maximisation, as FV-CNN trains it (Cimpoi et al.
    /// 2015): no variance is smaller than 1e-4 of the descriptors' largest.
    package static func fitted(
        to x: Tensor, components: Int, random: RandomSource, iterations: Int = 100
    ) -> GaussianMixture {
        let backend = x.backend, d = x.shape[1], moments = moments(of: x)
        let everywhere = GaussianMixture(
            means: .zeros([1, d], on: backend), variances: Tensor(repeating: 1, [1, d], on: backend),
            priors: Tensor([1], [1], on: backend)
        ).maximized(moments, Tensor(repeating: 1, [x.shape[0], 1], on: backend), minimumVariance: 0)
        // Above nothing, or descriptors that are all alike would have no density.
        let least = max(1e-4 * (everywhere.variances.scalars.max() ?? 0), 1e-12)
        let clusters = KMeans(x, clusters: components, random: random)
        let start = GaussianMixture(
            means: clusters.centers, variances: Tensor(repeating: least, [components, d], on: backend),
            priors: Tensor(repeating: 1 / Float(components), [components], on: backend))
        let belonging = Tensor(shape: [x.shape[0], components], on: backend) { q in
            q.update(repeating: 0, count: clusters.assignments.count * components)
            for (row, cluster) in clusters.assignments.enumerated() { q[row * components + cluster] = 1 }
        }
        return start.maximized(moments, belonging, minimumVariance: least)
            .improved(on: moments, minimumVariance: least, iterations: iterations).mixture
    }

    /// The mixture after expectation maximisation that begins with this one.
    ///
    /// - Parameters:
    ///   - x: `[n, dimension]`.
    ///   - iterations: how often it maximises at most; it stops where the likelihood changes by less than 1e-5 of itself, too.
    /// - Returns: the likelihood of the result, and how often it maximised.
    package func improved(
        by x: Tensor, minimumVariance: Float = 1e-4, iterations: Int = 50
    ) -> (mixture: GaussianMixture, logLikelihood: Double, iterations: Int) {
        improved(on: Self.moments(of: x), minimumVariance: minimumVariance, iterations: iterations)
    }

    private func improved(
        on moments: Tensor, minimumVariance: Float, iterations: Int
    ) -> (mixture: GaussianMixture, logLikelihood: Double, iterations: Int) {
        var mixture = bounded(minimumVariance), previous = -Double.infinity, iteration = 0
        while true {
            var (q, likelihood) = mixture.expectation(moments)
            let isSettled = iteration > 0 && abs((likelihood - previous) / likelihood) < 1e-5
            if iteration == iterations || isSettled { return (mixture, likelihood, iteration) }
            previous = likelihood
            if iteration > 1 { (mixture, q) = mixture.revived(moments, q, minimumVariance) }
            mixture = mixture.maximized(moments, q, minimumVariance: minimumVariance)
            iteration += 1
        }
    }

    private func bounded(_ minimumVariance: Float) -> GaussianMixture {
        let bounded = variances.scalars.map { max($0, minimumVariance) }
        return GaussianMixture(
            means: means, variances: Tensor(bounded, variances.shape, on: variances.backend), priors: priors)
    }

    private func expectation(_ moments: Tensor) -> (posteriors: Tensor, logLikelihood: Double) {
        let logarithms = logarithms(moments), q = softmax(logarithms), k = components
        let likelihood = logarithms.withScalars { logarithms in
            q.withScalars { q in
                var sum = 0.0
                for row in stride(from: 0, to: q.count, by: k) {
                    var best = row
                    for i in row..<row + k where logarithms[i] > logarithms[best] { best = i }
                    // log Σ exp is the largest minus the logarithm of its share.
                    sum += Double(logarithms[best]) - log(Double(q[best]))
                }
                return sum
            }
        }
        return (q, likelihood)
    }

    /// The mixture under which descriptors that belong to components as `q` says are most likely.
    private func maximized(_ moments: Tensor, _ q: Tensor, minimumVariance: Float) -> GaussianMixture {
        let backend = moments.backend, n = q.shape[0], (k, d) = (components, dimension), least = Self.minimumPosterior / Float(k)
        let q = Tensor(shape: q.shape, on: backend) { kept in
            q.withScalars { q in for i in q.indices { kept[i] = q[i] < least ? 0 : q[i] } }
        }
        var masses = [Double](repeating: 0, count: k), sums = [Double](repeating: 0, count: 2 * k * d)
        for rows in (0..<n).parts(of: 4096) {
            let part = backend.product(q[rows], moments[rows], transposeA: true, transposeB: false, bias: nil)
            part.withScalars { part in for i in part.indices { sums[i] += Double(part[i]) } }
            q[rows].withScalars { q in
                for row in stride(from: 0, to: q.count, by: k) { for i in 0..<k { masses[i] += Double(q[row + i]) } }
            }
        }
        var μ = means.scalars, σ² = variances.scalars
        let whole = max(masses.reduce(0, +), 1e-12)
        // A component to which nothing belongs stays as it is.
        for component in 0..<k where masses[component] >= Double(Self.minimumPrior) / Double(k) {
            for i in 0..<d {
                let own = component * d + i, first = 2 * component * d + i, mean = sums[first] / masses[component]
                μ[own] = Float(mean)
                σ²[own] = max(Float(sums[first + d] / masses[component] - mean * mean), minimumVariance)
            }
        }
        return GaussianMixture(
            means: Tensor(μ, means.shape, on: backend), variances: Tensor(σ², means.shape, on: backend),
            priors: Tensor(masses.map { Float($0 / whole) }, [k], on: backend))
    }

    /// Lets components to which hardly anything belongs take half of what belongs to another one: of the one that VLFeat finds
    /// to be the largest, what lies below the mean along its longest axis.
    private func revived(_ moments: Tensor, _ q: Tensor, _ minimumVariance: Float) -> (GaussianMixture, Tensor) {
        let n = q.shape[0], (k, d) = (components, dimension), share = q.summed(to: [1, k]).scalars
        let least = Self.minimumPosterior * max(1, Float(n) / Float(k))
        var mixture = self, q = q
        for empty in 0..<k where share[empty] < least {
            let σ² = mixture.variances.scalars, π = mixture.priors.scalars
            var split: Int?, size = -Double.infinity
            for component in 0..<k where π[component] >= Self.minimumPrior {
                let logarithm = σ²[component * d..<(component + 1) * d].reduce(0) { $0 + log(Double($1)) }
                let own = Double(π[component]) * -0.5 * (1 + log(2 * .pi) + logarithm)
                if own > size { (split, size) = (component, own) }
            }
            guard let split, split != empty else { continue }
            let axis = (0..<d).max { σ²[split * d + $0] < σ²[split * d + $1] } ?? 0
            let middle = mixture.means.scalars[split * d + axis], before = q
            q = Tensor(shape: q.shape, on: q.backend) { after in
                before.withScalars { before in
                    moments.withScalars { x in
                        after.update(from: before.baseAddress!, count: before.count)
                        for row in 0..<n {
                            let both = before[row * k + split] + before[row * k + empty], isBelow = x[2 * row * d + axis] < middle
                            after[row * k + empty] = isBelow ? both : 0
                            after[row * k + split] = isBelow ? 0 : both
                        }
                    }
                }
            }
            mixture = mixture.maximized(moments, q, minimumVariance: minimumVariance)
        }
        return (mixture, q)
    }
}
