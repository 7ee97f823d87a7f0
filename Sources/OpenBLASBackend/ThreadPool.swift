import COpenBLAS
import Dispatch
import Foundation
import Synchronization

/// Threads that wait for work, briefly at full speed and then asleep: the layers of a network follow each other within
/// microseconds, where waking a thread would take longer than the layer.
final class ThreadPool: Sendable {
    private let state: State
    let threads: Int

    init(threads: Int) {
        self.threads = threads
        let state = State(workers: threads - 1)
        self.state = state
        for worker in 0..<threads - 1 {
            let thread = Thread { state.work(worker + 1) }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    deinit { state.stop() }

    /// Runs `body(0) … body(tasks - 1)`, each once; returns when all are done.
    ///
    /// Every thread begins with its own part of the tasks, the same one at every call, and then takes what others have not
    /// begun: layer after layer a thread finds in its cache what it wrote there itself.
    ///
    /// While another thread of the program has the pool, or from inside a task, the caller does all the work itself.
    func run(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
        if tasks <= 1 || threads == 1 || !state.enter() {
            for task in 0..<tasks { body(task) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var job = Job(tasks: tasks, body: body)
            withUnsafeMutablePointer(to: &job) { state.share($0) }
        }
        state.leave()
    }

    fileprivate struct Job {
        let tasks: Int
        let body: @Sendable (Int) -> Void
    }

    /// What the threads share. It outlives the pool by as long as a worker takes to see that it has to stop.
    private final class State: Sendable {
        /// Counts the jobs; a worker that sees it change takes part in the next one.
        private let generation = Atomic<Int>(0)
        private let job = Atomic<UInt>(0)
        private let atWork = Atomic<Int>(0)
        private let isBusy = Atomic<Bool>(false)
        private let isStopped = Atomic<Bool>(false)
        /// One for every thread.
        private let shares: [Share]
        private let sleepers: [Sleeper]

        /// How many of its own tasks have been begun.
        private final class Share: Sendable { let begun = Atomic<Int>(0) }

        private final class Sleeper: Sendable {
            let isAsleep = Atomic<Bool>(false)
            let bell = DispatchSemaphore(value: 0)
        }

        /// About a tenth of a millisecond.
        private static let patience = 4000

        init(workers: Int) {
            sleepers = (0..<workers).map { _ in Sleeper() }
            shares = (0...workers).map { _ in Share() }
        }

        func enter() -> Bool { !isBusy.exchange(true, ordering: .acquiring) }
        func leave() { isBusy.store(false, ordering: .releasing) }

        func share(_ job: UnsafeMutablePointer<Job>) {
            self.job.store(UInt(bitPattern: job), ordering: .relaxed)
            for share in shares { share.begun.store(0, ordering: .relaxed) }
            atWork.store(sleepers.count, ordering: .relaxed)
            announce()
            takePart(job, as: 0)
            var spins = 0
            while atWork.load(ordering: .acquiring) > 0 {
                zoo_pause()
                spins += 1
                if spins > Self.patience { sched_yield() }
            }
        }

        func stop() {
            isStopped.store(true, ordering: .sequentiallyConsistent)
            announce()
        }

        private func announce() {
            generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
            for sleeper in sleepers where sleeper.isAsleep.exchange(false, ordering: .sequentiallyConsistent) {
                sleeper.bell.signal()
            }
        }

        /// - Parameter thread: 0 for the caller, then the workers.
        private func takePart(_ job: UnsafeMutablePointer<Job>, as thread: Int) {
            for turn in 0..<shares.count {
                let owner = (thread + turn) % shares.count, tasks = part(owner, of: shares.count, job.pointee.tasks)
                while true {
                    let begun = shares[owner].begun.wrappingAdd(1, ordering: .relaxed).oldValue
                    if begun >= tasks.count { break }
                    job.pointee.body(tasks.lowerBound + begun)
                }
            }
        }

        /// - Parameter thread: from 1.
        func work(_ thread: Int) {
            var seen = 0
            while true {
                wait(thread - 1, seen)
                if isStopped.load(ordering: .sequentiallyConsistent) { return }
                seen += 1
                takePart(UnsafeMutablePointer(bitPattern: job.load(ordering: .relaxed))!, as: thread)
                atWork.wrappingSubtract(1, ordering: .releasing)
            }
        }

        /// Returns when there is a job after the `seen` ones.
        private func wait(_ worker: Int, _ seen: Int) {
            var spins = 0
            while generation.load(ordering: .acquiring) == seen {
                spins += 1
                if spins < Self.patience {
                    zoo_pause()
                    continue
                }
                let sleeper = sleepers[worker]
                sleeper.isAsleep.store(true, ordering: .sequentiallyConsistent)
                // Whoever announces a job now either sees the flag, and rings, or has been seen here.
                let isLate = generation.load(ordering: .sequentiallyConsistent) != seen
                if isLate, sleeper.isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
                sleeper.bell.wait()
                spins = 0
            }
        }
    }
}
