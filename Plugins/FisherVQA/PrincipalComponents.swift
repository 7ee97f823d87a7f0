package import NeuralNetworks
package import Tensors

/// The directions in which descriptors vary most: `y = P (x - x̄)`, without whitening.
///
/// Parameters, both statistics: `mean [channels]`, `projection [components, channels]`, whose rows are eigenvectors of the
/// covariance in falling order of their eigenvalues.
package struct PrincipalComponents: Sendable {
    private let mean: Parameter
    private let projection: Parameter

    package init(_ components: Int, of channels: Int, in scope: ParameterScope) throws {
        mean = try scope.statistic("mean", [channels], .constant(0))
        projection = try scope.statistic("projection", [components, channels], .glorot)
    }

    /// `[…, channels] → […, components]`.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        let origin = matmul(mean.value.expanded(axis: 0), projection.value, transposed: true)
        return matmul(x, projection.value, transposed: true, bias: -origin[0])       // y = P x - P x̄
    }

    /// Sets mean and projection to those of descriptors `[n, channels]`.
    package func fit(to x: Tensor) {
        let n = x.shape[0], channels = mean.shape[0], components = projection.shape[0]
        var sums = [Double](repeating: 0, count: channels)
        x.withScalars { x in
            for start in stride(from: 0, to: n * channels, by: channels) {
                for i in 0..<channels { sums[i] += Double(x[start + i]) }
            }
        }
        mean.value = Tensor(sums.map { Float($0 / Double(n)) }, [channels], on: x.backend)

        // Products of few rows in single precision are exact enough, and fast; their sum over all rows would not be.
        var covariance = [Double](repeating: 0, count: channels * channels)
        for rows in (0..<n).parts(of: 4096) {
            let centered = x[rows] - mean.value
            let part = x.backend.product(centered, centered, transposeA: true, transposeB: false, bias: nil)
            part.withScalars { part in for i in part.indices { covariance[i] += Double(part[i]) } }
        }
        let found = LeadingEigenvectors(of: covariance, size: channels, count: components)
        projection.value = Tensor(found.vectors.map { Float($0) }, projection.shape, on: x.backend)
    }
}

extension Range<Int> {
    /// Consecutive ranges of `size`, the last perhaps shorter.
    func parts(of size: Int) -> [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
    }
}
