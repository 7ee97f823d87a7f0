import Dispatch
import Synchronization

/// `body` of every index below `count`, on as many threads as the machine has, in the order of the indices.
func concurrently<Value: Sendable>(_ count: Int, _ body: @Sendable (Int) throws -> Value) throws -> [Value] {
    let results = Mutex([Result<Value, any Error>?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { i in
        let result = Result { try body(i) }
        results.withLock { $0[i] = result }
    }
    return try results.withLock { try $0.map { try $0!.get() } }
}
