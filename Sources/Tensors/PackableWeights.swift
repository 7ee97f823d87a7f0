/// Where packed weights of an earlier run are found, and those of this run are left.
public protocol PackingCache: Sendable {
    /// The memory that was kept under this name, if it has exactly `bytes` bytes.
    func memory(_ name: String, bytes: Int) -> PackedMemory?
    func keep(_ memory: PackedMemory, as name: String)
}

/// The weights of a layer that is to be prepared. They are read only if they have to be packed.
public struct PackableWeights {
    /// Of the weight.
    public let shape: Shape
    /// The layer's name, and where its packed weights are kept.
    private let place: (name: String, cache: any PackingCache)?
    private let read: () throws -> (weight: Tensor, bias: Tensor?)

    public init(_ weight: Tensor, bias: Tensor? = nil) {
        shape = weight.shape
        place = nil
        read = { (weight.detached, bias?.detached) }
    }

    /// - Parameters:
    ///   - name: unique within `cache`.
    ///   - read: the weight of this shape, and a bias of as many scalars as the weight has outputs.
    public init(
        _ shape: Shape, name: String, cache: (any PackingCache)?, read: @escaping () throws -> (weight: Tensor, bias: Tensor?)
    ) {
        self.shape = shape
        place = cache.map { (name, $0) }
        self.read = read
    }

    /// The weights as they are.
    public func values() throws -> (weight: Tensor, bias: Tensor?) { try read() }

    /// The packed weights.
    /// - Parameters:
    ///   - form: names the order that `pack` brings them into, and everything that it depends on.
    ///   - pack: fills memory of `bytes` bytes.
    /// - Throws: what reading the weights throws.
    package func packed(
        as form: String, bytes: Int, _ pack: (_ memory: UnsafeMutableRawPointer, _ weight: Tensor, _ bias: Tensor?) -> Void
    ) throws -> PackedMemory {
        let name = place.map { "\($0.name) \(shape) \(form)" }
        if let place, let found = place.cache.memory(name!, bytes: bytes) { return found }
        let (weight, bias) = try read(), memory = PackedMemory(bytes: bytes)
        pack(memory.base, weight, bias)
        place?.cache.keep(memory, as: name!)
        return memory
    }
}
