import Dispatch
import Foundation
import Synchronization

/// Things on their way from a thread that makes them to whoever needs them; only a few wait.
final class Conveyor<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [Element] = []
        var end: Result<Void, InputError>?
        var isAbandoned = false
    }
    private let state = Mutex(State())
    // Both begin at 0, because a semaphore must not end below where it began.
    private let filled = DispatchSemaphore(value: 0), room = DispatchSemaphore(value: 0)

    /// Starts a thread that produces.
    /// - Parameters:
    ///   - limit: how many wait at most.
    ///   - produce: hands over elements until there are no more, or until nobody wants them.
    init(limit: Int, _ produce: @escaping @Sendable (_ hand: (Element) -> Bool) throws(InputError) -> Void) {
        for _ in 0..<limit { room.signal() }
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

    private func hand(_ element: Element) -> Bool {
        room.wait()
        let isWanted = state.withLock { state in
            if !state.isAbandoned { state.waiting.append(element) }
            return !state.isAbandoned
        }
        filled.signal()
        return isWanted
    }

    /// The next element; nil after the last. Waits for it.
    /// - Throws: what stopped the producing thread, after all that it had produced. To be called until it returns nil or throws.
    func next() throws(InputError) -> Element? {
        filled.wait()
        let (element, end) = state.withLock { state in
            (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.end)
        }
        if let element {
            room.signal()
            return element
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
