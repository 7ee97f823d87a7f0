import Foundation

/// Memory that many multiply-adds read: on large pages, which spare the processor the search for where a page lies.
final class PackedMemory: @unchecked Sendable {
    // `@unchecked` is true because the scalars are written before the memory is shared, and only read afterwards.
    let base: UnsafeMutableRawPointer

    init(bytes: Int) { base = allocatePages(bytes) }
    deinit { free(base) }
}

/// Memory aligned to a cache line; large blocks to large pages, of which they are made where the system has them. To be
/// released with `free`.
func allocatePages(_ bytes: Int) -> UnsafeMutableRawPointer {
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
