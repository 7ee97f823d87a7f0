public import Tensors
import COpenBLAS
import Foundation

/// The CPU backend: convolutions and everything else in kernels of our own, matrix products through OpenBLAS where it knows the
/// processor's registers (see ``TiledProduct``).
///
/// OpenBLAS itself runs on one thread; the work is divided here, so that the derivative of a convolution can unfold and
/// multiply a tile while it is in cache. How work is divided depends only on shapes and `threads`: results repeat for a given
/// count.
public final class OpenBLAS: Backend {
    public let name: String
    /// How many threads share the work of one kernel.
    public let threads: Int
    private let pool: MemoryPool
    private let workers: ThreadPool

    /// - Parameters:
    ///   - threads: at least 1.
    ///   - poolLimit: how many bytes of released memory are kept for later tensors; a quarter of the machine's by default.
    public init(threads: Int, poolLimit: Int? = nil) {
        require(threads >= 1, "a backend needs a thread")
        self.threads = threads
        name = "openblas"
        workers = ThreadPool(threads: threads)
        pool = MemoryPool(limit: poolLimit ?? Int(ProcessInfo.processInfo.physicalMemory / 4))
        // Of the process, not of this object: OpenBLAS has one setting, and every instance wants the same.
        openblas_set_num_threads(1)
    }

    public func allocate(_ count: Int) -> UnsafeMutablePointer<Float> { pool.take(count) }
    public func deallocate(_ memory: UnsafeMutablePointer<Float>, _ count: Int) { pool.give(memory, count) }

    /// Released memory that is kept for the next tensors, in bytes.
    package var pooledBytes: Int { pool.bytes }

    /// The configuration OpenBLAS reports: version and kernel.
    public static var libraryDescription: String { String(cString: openblas_get_config()) }

    /// Runs `body` over `0..<count` in at most `threads` contiguous parts of at least `grain`.
    func parallel(_ count: Int, grain: Int = 1, _ body: @Sendable (_ part: Int, _ range: Range<Int>) -> Void) {
        let parts = min(threads, max(1, count / max(grain, 1)))
        if parts == 1 { return body(0, 0..<count) }
        workers.run(parts) { body($0, part($0, of: parts, count)) }
    }

    public func forEachPart(of count: Int, _ body: @Sendable (Range<Int>) -> Void) {
        parallel(count, grain: 1 << 14) { _, range in body(range) }
    }

    /// Runs `body` for every task, on whichever thread is free.
    func forEachTask(_ tasks: Int, _ body: @Sendable (Int) -> Void) { workers.run(tasks, body) }
}

/// A pointer that threads share because they write to disjoint parts of it.
struct Shared<Scalar>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Scalar>
    init(_ base: UnsafeMutablePointer<Scalar>) { self.base = base }
}

/// A pointer that threads share because they only read from it.
struct ReadOnly<Scalar>: @unchecked Sendable {
    let base: UnsafePointer<Scalar>
    init(_ base: UnsafePointer<Scalar>) { self.base = base }
}

extension ReadOnly<Float> {
    init(_ tensor: Tensor) { base = tensor.pointer }
}
