package import NeuralNetworks
package import Tensors

/// The Fisher vector of a picture's descriptors: how the parameters of a mixture of Gaussians would have to change to make them
/// likelier (Perronnin & Dance 2007; improved: Perronnin, Sánchez & Mensink 2010).
///
///     u_k = 1/(N √π_k)  Σ_n q_nk (x_n - μ_k)/σ_k              v_k = 1/(N √2π_k)  Σ_n q_nk [(x_n - μ_k)²/σ²_k - 1]
///
/// with the posteriors `q_nk` of N descriptors. Parameters, all statistics: `mean` and `variance [components, dimension]`,
/// `prior [components]`.
package struct FisherVector: Sendable {
    /// Whose vector it is.
    package enum Convention: String, Decodable, Sendable, CaseIterable {
        /// VLFeat's `[u₁ … u_K, v₁ … v_K]`; posteriors below 1e-6 count as 0.
        case vlfeat
        /// scikit-image's `[w, u₁ … u_K, -v₁ … -v_K]` with `w_k = (1/N Σ_n q_nk - π_k)/√π_k`. Where its program divides by the
        /// length 0 of a vector without entries, this one leaves the zeros.
        case scikitImage = "scikit-image"
    }

    package struct Form: Sendable {
        package var convention: Convention
        /// Whether the signed square root is taken of every scalar, and then the whole brought to length 1.
        package var isImproved: Bool
        /// Whether every descriptor belongs to its likeliest component alone (VLFeat's `Fast`).
        package var isFast: Bool

        package init(_ convention: Convention = .vlfeat, isImproved: Bool = true, isFast: Bool = false) {
            (self.convention, self.isImproved, self.isFast) = (convention, isImproved, isFast)
        }

        /// The scalars of a vector.
        func width(components: Int, dimension: Int) -> Int {
            2 * components * dimension + (convention == .scikitImage ? components : 0)
        }
    }

    private let form: Form
    private let mean: Parameter, variance: Parameter, prior: Parameter
    /// The scalars of a vector.
    package let width: Int

    package init(_ form: Form, components: Int, dimension: Int, in scope: ParameterScope) throws {
        self.form = form
        width = form.width(components: components, dimension: dimension)
        mean = try scope.statistic("mean", [components, dimension], .normal(deviation: 1))
        variance = try scope.statistic("variance", [components, dimension], .constant(1))
        prior = try scope.statistic("prior", [components], .constant(1 / Float(components)))
    }

    package var mixture: GaussianMixture {
        get { GaussianMixture(means: mean.value, variances: variance.value, priors: prior.value) }
        nonmutating set { (mean.value, variance.value, prior.value) = (newValue.means, newValue.variances, newValue.priors) }
    }

    /// Descriptors `[pictures, positions, dimension]` → `[pictures, width]`. The result carries no gradient: nothing that it is
    /// made of is learned.
    package func callAsFunction(_ descriptors: Tensor) -> Tensor {
        let x = descriptors.detached, mixture = mixture, backend = x.backend
        let (pictures, N, d) = (x.shape[0], Float(x.shape[1]), x.shape[2]), k = mixture.components
        let (μ, σ²) = (mixture.means, mixture.variances)

        let moments = GaussianMixture.moments(of: x), q = counted(mixture.posteriors(moments: moments))
        let sums = (0..<pictures).map { backend.product(q[$0], moments[$0], transposeA: true, transposeB: false, bias: nil) }
        let both = Tensor.concatenated(sums, axis: 0).reshaped([pictures, k, 2 * d])
        let mass = q.sum(axis: 1)                                          // Σ q            [pictures, K]
        let first = both.sliced(axis: -1, 0..<d)                           // Σ q x          [pictures, K, D]
        let second = both.sliced(axis: -1, d..<2 * d)                      // Σ q x²

        let scale = prior.value.mapped { $0 < GaussianMixture.minimumPrior ? 0 : 1 / (N * $0.squareRoot()) }
        let wide = mass.expanded(axis: 2), factor = scale.expanded(axis: 1)
        let u = factor * (first - μ * wide) / sqrt(σ²)
        let v = factor * ((second - 2 * μ * first + μ.squared * wide) / σ² - wide) / Float(2).squareRoot()
        func flat(_ part: Tensor) -> Tensor { part.reshaped([pictures, k * d]) }
        let z: Tensor =
            switch form.convention {
            case .vlfeat: .concatenated([flat(u), flat(v)], axis: 1)
            case .scikitImage: .concatenated([scale * (mass - N * prior.value), flat(u), flat(-v)], axis: 1)
            }
        return form.isImproved ? improved(z) : z
    }

    /// The posteriors that count.
    private func counted(_ posteriors: Tensor) -> Tensor {
        if form.isFast {
            let k = posteriors.shape[-1]
            return Tensor(shape: posteriors.shape, on: posteriors.backend) { kept in
                posteriors.withScalars { q in
                    kept.update(repeating: 0, count: q.count)
                    for row in stride(from: 0, to: q.count, by: k) {
                        var best = row
                        for i in row..<row + k where q[i] > q[best] { best = i }
                        kept[best] = 1
                    }
                }
            }
        }
        return form.convention == .vlfeat ? posteriors.mapped { $0 < 1e-6 ? 0 : $0 } : posteriors
    }

    /// `sign(z) √|z|`, of length 1 in every row.
    private func improved(_ z: Tensor) -> Tensor {
        let root = sqrt(relu(z)) - sqrt(relu(-z)), length = sqrt(root.squared.sum(axis: 1)).expanded(axis: 1)
        let least: Float = 1e-12
        return root / (relu(length - least) + least)
    }
}

extension Tensor {
    /// A function of every scalar, without history.
    fileprivate func mapped(_ f: (Float) -> Float) -> Tensor {
        Tensor(shape: shape, on: backend) { y in withScalars { x in for i in x.indices { y[i] = f(x[i]) } } }
    }
}
