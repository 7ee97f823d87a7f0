extension RandomAccessCollection where Element: Comparable, Index == Int {
    /// The indices of the `count` largest elements, largest first, the earlier of equals first; without sorting the rest.
    public func largest(_ count: Int) -> [Int] {
        guard count > 0 else { return [] }
        var best: [Int] = []
        best.reserveCapacity(count + 1)
        for i in indices {
            if best.count == count, !(self[i] > self[best[count - 1]]) { continue }
            var at = best.count
            while at > 0, self[i] > self[best[at - 1]] { at -= 1 }
            best.insert(i, at: at)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}
