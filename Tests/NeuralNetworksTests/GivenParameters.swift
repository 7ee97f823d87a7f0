import NeuralNetworks
import Tensors

/// Parameters that a test gives by name.
struct GivenParameters: ParameterSource {
    var values: [String: [Float]]

    func contains(_ name: String) -> Bool { values[name] != nil }

    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        struct Missing: Error { let name: String, shape: Shape }
        guard let scalars = values[name], scalars.count == shape.count else { throw Missing(name: name, shape: shape) }
        return Tensor(scalars, shape, on: backend)
    }
}

extension ParameterStore {
    /// A store whose layers train: every weight is tracked.
    func startTraining(seed: UInt64 = 1) {
        track { _ in true }
        setMode(.training(RandomSource(seed: seed)))
    }
}
