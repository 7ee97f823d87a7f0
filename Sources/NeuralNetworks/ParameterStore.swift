public import Tensors
import Synchronization

/// Where the values of parameters come from: a checkpoint, fresh numbers, a test.
public protocol ParameterSource: Sendable {
    /// Whether ``tensor(named:shape:initializer:on:)`` would find the name.
    func contains(_ name: String) -> Bool
    /// - Throws: where the source has no such tensor, or one of another shape.
    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor
    /// The same tensor, to be read later or not at all: whoever has packed weights of an earlier run needs no others.
    /// - Throws: as ``tensor(named:shape:initializer:on:)`` does, but nothing that only reading shows.
    func deferredTensor(
        named name: String, shape: Shape, initializer: Initializer, on backend: any Backend
    ) throws -> @Sendable () throws -> Tensor
}

extension ParameterSource {
    public func deferredTensor(
        named name: String, shape: Shape, initializer: Initializer, on backend: any Backend
    ) throws -> @Sendable () throws -> Tensor {
        { try tensor(named: name, shape: shape, initializer: initializer, on: backend) }
    }
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
    /// Where layers find their packed weights, and leave them.
    public let packing: (any PackingCache)?
    /// What the layers of networks report to.
    public let probe: LayerProbe?
    private let mode: SharedMode
    private let parameters = Mutex<[String: Parameter]>([:])

    public init(
        _ source: any ParameterSource, for purpose: Purpose = .inference, on backend: any Backend,
        storage: WeightStorage = .float32, packing: (any PackingCache)? = nil, probe: LayerProbe? = nil
    ) {
        self.packing = packing
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

    /// The parameter of this name, if it has been made.
    private func known(_ name: String, _ shape: Shape) -> Parameter? {
        guard let known = parameters.withLock({ $0[name] }) else { return nil }
        precondition(known.shape == shape, "two layers want \(name), as \(known.shape) and as \(shape)")
        return known
    }

    private func register(_ parameter: Parameter) -> Parameter {
        parameters.withLock { $0[parameter.name] = parameter }
        return parameter
    }

    fileprivate func deferred(_ name: String, _ shape: Shape, _ initializer: Initializer) throws -> Parameter {
        if let known = known(name, shape) { return known }
        let read = try source.deferredTensor(named: name, shape: shape, initializer: initializer, on: backend)
        return register(Parameter(name: name, shape, reading: read))
    }

    fileprivate func parameter(
        _ name: String, _ shape: Shape, _ initializer: Initializer, isStatistic: Bool
    ) throws -> Parameter {
        if let known = known(name, shape) { return known }
        let value = try source.tensor(named: name, shape: shape, initializer: initializer, on: backend)
        return register(Parameter(name: name, isStatistic: isStatistic, value))
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
    /// A parameter that the layer packs for inference: then it is read only for that, and not kept.
    func packedParameter(_ name: String, _ shape: Shape, _ initializer: Initializer) throws -> Parameter {
        store.purpose == .inference
            ? try store.deferred(fullName(name), shape, initializer) : try parameter(name, shape, initializer)
    }
    public func statistic(_ name: String, _ shape: Shape, _ initializer: Initializer) throws -> Parameter {
        try store.parameter(fullName(name), shape, initializer, isStatistic: true)
    }
    /// The weights of a layer that the backend is to prepare.
    /// - Parameter bias: of as many scalars as the weight has outputs.
    func packable(_ weight: Parameter, bias: Parameter?) -> PackableWeights {
        packable(weight) { (try weight.read(), try bias?.read()) }
    }
    /// - Parameter read: the weights, of the shape of `weight`, and the bias.
    func packable(
        _ weight: Parameter, reading read: @escaping () throws -> (weight: Tensor, bias: Tensor?)
    ) -> PackableWeights {
        PackableWeights(weight.shape, name: weight.name, cache: store.packing, read: read)
    }
    /// Whether the source has a value of this name.
    public func contains(_ name: String) -> Bool { store.source.contains(fullName(name)) }

    private func fullName(_ name: String) -> String { (path + [name]).joined(separator: ".") }
}
