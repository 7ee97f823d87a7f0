import Dispatch
import Foundation
import Synchronization

/// Batches of frames on their way from the thread that decodes to the one that computes; no more than two wait.
final class FrameQueue: Sendable {
    private struct State {
        var waiting: [FrameBatch] = []
        var end: Result<Void, InputError>?
        var isAbandoned = false
    }
    private let state = Mutex(State())
    // Both begin at 0, because a semaphore must not end below where it began.
    private let filled = DispatchSemaphore(value: 0), room = DispatchSemaphore(value: 0)

    /// Starts a thread that produces.
    /// - Parameter produce: hands over batches until there are no more, or until nobody wants them.
    init(_ produce: @escaping @Sendable (_ hand: (FrameBatch) -> Bool) throws(InputError) -> Void) {
        for _ in 0..<2 { room.signal() }
        Thread.detachNewThread { [self] in
            let result: Result<Void, InputError>
            do throws(InputError) {
                try produce(hand)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            state.withLock { $0.end = result }
            filled.signal()
        }
    }

    private func hand(_ batch: FrameBatch) -> Bool {
        room.wait()
        let isWanted = state.withLock { state in
            if !state.isAbandoned { state.waiting.append(batch) }
            return !state.isAbandoned
        }
        filled.signal()
        return isWanted
    }

    /// The next batch; nil after the last. Waits for it.
    /// - Throws: what stopped the producing thread, after all that it had produced. To be called until it returns nil or throws.
    func next() throws(InputError) -> FrameBatch? {
        filled.wait()
        let (batch, end) = state.withLock { state in
            (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.end)
        }
        if let batch {
            room.signal()
            return batch
        }
        try end?.get()
        return nil
    }

    /// Nobody will ask for more.
    func abandon() {
        state.withLock { $0.isAbandoned = true }
        room.signal()
    }
}
