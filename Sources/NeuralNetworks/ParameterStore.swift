public import Tensors
import Synchronization

/// Where the values of parameters come from: a checkpoint, fresh numbers, a test.
public protocol ParameterSource: Sendable {
    /// Whether ``tensor(named:shape:initializer:on:)`` would find the name.
    func contains(_ name: String) -> Bool
    /// - Throws: where the source has no such tensor, or one of another shape.
    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor
}

/// Fresh parameters from their initialisers. Every name has its own stream of random numbers, so that a parameter
/// does not depend on the order in which layers are made.
public struct FreshParameters: ParameterSource {
    public let seed: UInt64
    public init(seed: UInt64) { self.seed = seed }
    public func contains(_ name: String) -> Bool { true }
    public func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        let hash = name.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return initializer(shape, random: RandomSource(seed: hash), on: backend)
    }
}

/// The parameters of one model, filled while its layers are made: registration is construction.
public final class ParameterStore: Sendable {
    public enum Purpose: Sendable {
        /// Values never change, so layers may fold and pack them.
        case inference
        case training
    }

    public let backend: any Backend
    public let purpose: Purpose
    public let source: any ParameterSource
    /// How layers store large matrices that they prepare for inference.
    public let storage: WeightStorage
    /// What the layers of networks report to.
    public let probe: LayerProbe?
    private let mode: SharedMode
    private let parameters = Mutex<[String: Parameter]>([:])

    public init(
        _ source: any ParameterSource, for purpose: Purpose = .inference, on backend: any Backend,
        storage: WeightStorage = .float32, probe: LayerProbe? = nil
    ) {
        self.source = source
        self.storage = storage
        self.probe = probe
        self.purpose = purpose
        self.backend = backend
        mode = SharedMode()
    }

    /// The scope with an empty path.
    public var root: ParameterScope { ParameterScope(store: self, path: [], mode: mode) }

    /// Every parameter made so far, by name.
    public var all: [Parameter] { parameters.withLock { $0.values.sorted { $0.name < $1.name } } }

    /// Switches every layer of the model between training and inference.
    public func setMode(_ new: Mode) { mode.value = new }

    /// Makes the parameters that `isTrained` chooses leaves of the tape, and all others constants.
    public func track(_ isTrained: (Parameter) -> Bool) {
        for parameter in all {
            parameter.value = !parameter.isStatistic && isTrained(parameter) ? parameter.value.tracked : parameter.value.detached
        }
    }

    fileprivate func parameter(
        _ name: String, _ shape: Shape, _ initializer: Initializer, isStatistic: Bool
    ) throws -> Parameter {
        if let known = parameters.withLock({ $0[name] }) {
            precondition(known.value.shape == shape, "two layers want \(name), as \(known.value.shape) and as \(shape)")
            return known
        }
        let value = try source.tensor(named: name, shape: shape, initializer: initializer, on: backend)
        let fresh = Parameter(name: name, isStatistic: isStatistic, value)
        return parameters.withLock { known in
            known[name] = fresh
            return fresh
        }
    }
}

/// A folder of parameters: `scope["cnn"]["conv1"]` holds `cnn.conv1.*`.
public struct ParameterScope: Sendable {
    public let store: ParameterStore
    fileprivate let path: [String]
    /// The mode of the model, shared by all its layers.
    let mode: SharedMode

    fileprivate init(store: ParameterStore, path: [String], mode: SharedMode) {
        (self.store, self.path, self.mode) = (store, path, mode)
    }

    public var backend: any Backend { store.backend }
    public subscript(_ component: String) -> ParameterScope { .init(store: store, path: path + [component], mode: mode) }

    public func parameter(_ name: String, _ shape: Shape, _ initializer: Initializer) throws -> Parameter {
        try store.parameter(fullName(name), shape, initializer, isStatistic: false)
    }
    public func statistic(_ name: String, _ shape: Shape, _ initializer: Initializer) throws -> Parameter {
        try store.parameter(fullName(name), shape, initializer, isStatistic: true)
    }
    /// Whether the source has a value of this name.
    public func contains(_ name: String) -> Bool { store.source.contains(fullName(name)) }

    private func fullName(_ name: String) -> String { (path + [name]).joined(separator: ".") }
}
