import Foundation

/// Memory with weights in the order in which a kernel reads them: packed in this run, or mapped from a file.
///
/// `@unchecked Sendable` is true because the memory is written before it is shared, and only read afterwards.
public final class PackedMemory: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let count: Int
    /// What keeps mapped memory alive; nil for memory of its own.
    private let owner: AnyObject?

    /// Memory of its own, of `bytes` bytes, on large pages where it fills some: those spare the processor the search for
    /// where a page lies.
    package init(bytes: Int) {
        base = allocatePages(bytes)
        count = bytes
        owner = nil
    }

    /// Memory of somebody else, which lives as long as `owner`, aligned to a cache line.
    public init(borrowing memory: UnsafeRawBufferPointer, owner: AnyObject) {
        base = UnsafeMutableRawPointer(mutating: memory.baseAddress!)
        count = memory.count
        self.owner = owner
    }

    deinit { if owner == nil { free(base) } }

    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = try body(UnsafeRawBufferPointer(start: base, count: count))
        withExtendedLifetime(self) {}
        return result
    }
}

/// Memory aligned to a cache line; large blocks to large pages, of which they are made where the system has them. To be
/// released with `free`.
package func allocatePages(_ bytes: Int) -> UnsafeMutableRawPointer {
    let largePage = 1 << 21, isLarge = bytes >= largePage
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, isLarge ? largePage : 64, max(bytes, 64)) == 0, let memory else {
        fatalError("there is no memory for \(bytes) bytes")
    }
    #if os(Linux)
        if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
    #endif
    return memory
}
