import Synchronization

/// A pullback whose result several inputs share: computed for the first of them, kept until the last has taken its part.
package final class Once<Result: Sendable>: Sendable {
    private let uses: Int
    private let body: @Sendable (Tensor) -> Result
    private let pending = Mutex<(upstream: Tensor, result: Result, uses: Int)?>(nil)

    /// - Parameter inputs: whose gradients the result holds; only the tracked ones will come for theirs.
    package init(for inputs: [Tensor], _ body: @escaping @Sendable (Tensor) -> Result) {
        uses = inputs.count { $0.isTracked }
        self.body = body
    }

    package func callAsFunction(_ upstream: Tensor) -> Result {
        let known: Result? = pending.withLock { pending in
            guard let (last, result, left) = pending, last.storage === upstream.storage, last.offset == upstream.offset else {
                return nil
            }
            pending = left > 1 ? (last, result, left - 1) : nil
            return result
        }
        if let known { return known }
        let result = body(upstream)
        if uses > 1 { pending.withLock { $0 = (upstream, result, uses - 1) } }
        return result
    }
}
