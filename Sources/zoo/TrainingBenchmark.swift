import NeuralNetworks
import Tensors

/// Steps of training a network, to be timed: forward with the statistics of the batch, the mean square of the result as the
/// loss, backward, and stochastic gradient descent with momentum, which every framework computes alike.
struct TrainingBenchmark {
    static let learningRate: Float = 0.01, momentum: Float = 0.9

    private let benchmark: NetworkBenchmark
    private var optimizer = SGD(learningRate: learningRate, momentum: momentum)
    private let trained: [Parameter]
    /// The loss before every step so far.
    private(set) var losses: [Float] = []
    /// The Euclidean length of all gradients of the first step together.
    private(set) var gradientNorm: Float = 0

    /// - Parameter benchmark: a network that was made for training.
    init(_ benchmark: NetworkBenchmark) {
        self.benchmark = benchmark
        benchmark.store.setMode(.training(RandomSource(seed: 0)))
        benchmark.store.track { _ in true }
        trained = benchmark.store.all.filter { $0.value.isTracked }
    }

    /// - Parameter x: pictures, `[n, height, width, channels]`.
    mutating func step(_ x: Tensor) {
        let loss = benchmark.network(x).squared.mean, gradients = loss.gradients()
        let updates = trained.compactMap { parameter in gradients[parameter.value].map { (parameter: parameter, gradient: $0) } }
        if losses.isEmpty { gradientNorm = GradientClipping.none(updates.map(\.gradient)).norm }
        optimizer.step(updates)
        losses.append(loss.scalar)
    }
}
