public import NeuralNetworks
public import Tensors

/// The backbone's parameters from files, everything else fresh.
public struct TransferSource: ParameterSource {
    private let backbone: CheckpointSource
    private let isComplete: Bool
    private let fresh: FreshParameters

    /// - Parameter isComplete: whether the files must have the whole backbone; without files it may be fresh, too.
    public init(backbone: [CheckpointSource.File], isComplete: Bool = true, seed: UInt64) {
        self.backbone = CheckpointSource(backbone)
        self.isComplete = isComplete
        fresh = FreshParameters(seed: seed)
    }

    private func isInFiles(_ name: String) -> Bool { name.hasPrefix("cnn.") && (isComplete || backbone.contains(name)) }

    /// To be asked when the model is made: whether the backbone's files had all of it.
    public func check(card: String) throws(WeightsError) { try backbone.check(card: card) }

    public func contains(_ name: String) -> Bool { backbone.contains(name) || !isInFiles(name) }

    public func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        isInFiles(name)
            ? try backbone.tensor(named: name, shape: shape, initializer: initializer, on: backend)
            : try fresh.tensor(named: name, shape: shape, initializer: initializer, on: backend)
    }
}
