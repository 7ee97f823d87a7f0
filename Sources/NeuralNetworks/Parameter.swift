public import Tensors
import Synchronization

/// A learnable tensor: it has a name, and its value changes between training steps.
public final class Parameter: Sendable {
    /// The path in the checkpoint, `lstm.input.weight`.
    public let name: String
    public let shape: Shape
    /// Statistics (a running mean) are stored and loaded like weights, but no optimiser moves them.
    public let isStatistic: Bool
    private let cell: Mutex<State>

    private enum State {
        case known(Tensor)
        /// Not read yet.
        case deferred(@Sendable () throws -> Tensor)
    }

    init(name: String, isStatistic: Bool, _ value: Tensor) {
        (self.name, self.isStatistic, shape) = (name, isStatistic, value.shape)
        cell = Mutex(.known(value))
    }

    init(name: String, _ shape: Shape, reading read: @escaping @Sendable () throws -> Tensor) {
        (self.name, isStatistic, self.shape) = (name, false, shape)
        cell = Mutex(.deferred(read))
    }

    /// The value, read now where that was deferred, and not kept for another time.
    /// - Throws: what reading throws.
    public func read() throws -> Tensor {
        switch cell.withLock({ $0 }) {
        case .known(let value): value
        case .deferred(let read): try read()
        }
    }

    /// A deferred parameter must have been read once by ``read()``, which tells what is wrong with its file.
    public var value: Tensor {
        get {
            do { return try read() } catch { preconditionFailure("\(name) cannot be read: \(error)") }
        }
        set {
            precondition(newValue.shape == shape, "\(name) is \(shape), not \(newValue.shape)")
            cell.withLock { $0 = .known(newValue) }
        }
    }
}
