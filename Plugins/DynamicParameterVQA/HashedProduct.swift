package import Tensors

/// The products of matrices that candidates make with vectors, one matrix and one vector in every row, without the matrices
/// ever being written down.
///
///     g_o = Σᵢ ξ(o, i) p[ψ(o, i)] fᵢ
///     dp_k = Σ ξ(o, i) dg_o fᵢ over all (o, i) with ψ(o, i) = k        dfᵢ = Σ_o ξ(o, i) p[ψ(o, i)] dg_o
///
/// The derivative of a candidate is the sum over its places, not their mean: the released code has `rescale_grad = false`.
///
/// - Parameters:
///   - p: the candidates, `[n, candidates]`.
///   - f: `[n, columns]`.
/// - Returns: `g`, `[n, rows]`.
package func hashedProduct(_ p: Tensor, _ f: Tensor, _ weights: HashedWeights) -> Tensor {
    let n = f.shape[0]
    require(
        p.shape == [n, weights.candidates] && f.shape == [n, weights.columns],
        "hashedProduct: \(p.shape) and \(f.shape) for \(weights.rows)×\(weights.columns) weights of \(weights.candidates)")
    let p = inLanes(p), f = inLanes(f), (p0, f0) = (p.detached, f.detached)
    let gradients = Once(for: [p, f]) { (dg: Tensor) in weights.gradients(dg, p0, f0) }
    let g = weights.product(p0, f0).recorded((p, { gradients($0).dp }), (f, { gradients($0).df }))
    return g.permuted([0, 2, 1]).reshaped([g.shape[0] * Lanes.scalarCount, weights.rows])[0..<n]
}

/// The same scalar of eight rows, which all look for a candidate in the same place.
private typealias Lanes = SIMD8<Float>

/// `[n, width]` → `[⌈n / 8⌉, width, 8]`, filled up with zeros.
private func inLanes(_ x: Tensor) -> Tensor {
    let n = x.shape[0], width = x.shape[1], lanes = Lanes.scalarCount, blocks = (n + lanes - 1) / lanes
    let padding = Tensor.zeros([blocks * lanes - n, width], on: x.backend)
    return Tensor.concatenated([x, padding], axis: 0).reshaped([blocks, lanes, width]).permuted([0, 2, 1])
}

extension HashedWeights {
    /// - Parameters:
    ///   - p: `[blocks, candidates, 8]`.
    ///   - f: `[blocks, columns, 8]`.
    /// - Returns: `[blocks, rows, 8]`.
    fileprivate func product(_ p: Tensor, _ f: Tensor) -> Tensor {
        let blocks = p.shape[0]
        return Tensor(shape: [blocks, rows, Lanes.scalarCount], on: p.backend) { g in
            nonisolated(unsafe) let (p0, f0, g) = (p.pointer.lanes, f.pointer.lanes, g.lanes)
            p.backend.forEachPart(ofRows: blocks * rows, width: columns * Lanes.scalarCount) { part in
                for row in part {
                    let (block, o) = row.quotientAndRemainder(dividingBy: rows)
                    let (p, f) = (p0 + block * candidates, f0 + block * columns)
                    g[row] = withEntries(ofRow: o) { entries in
                        // Two sums, since an addition waits for the one before.
                        var even = Lanes(repeating: 0), odd = Lanes(repeating: 0), i = 0
                        while i &+ 1 < columns {
                            even += p[entries[i].index].signed(entries[i]) * f[i]
                            odd += p[entries[i &+ 1].index].signed(entries[i &+ 1]) * f[i &+ 1]
                            i &+= 2
                        }
                        if i < columns { even += p[entries[i].index].signed(entries[i]) * f[i] }
                        return even + odd
                    }
                }
            }
        }
    }

    /// - Parameter dg: `[blocks, rows, 8]`.
    /// - Returns: in the shapes of `p` and `f`.
    fileprivate func gradients(_ dg: Tensor, _ p: Tensor, _ f: Tensor) -> (dp: Tensor, df: Tensor) {
        let blocks = p.shape[0]
        var df: Tensor?
        let dp = Tensor(shape: p.shape, on: p.backend) { dp in
            dp.update(repeating: 0, count: p.shape.count)
            df = Tensor(shape: f.shape, on: f.backend) { df in
                df.update(repeating: 0, count: f.shape.count)
                nonisolated(unsafe) let (p0, f0, dg) = (p.pointer.lanes, f.pointer.lanes, dg.pointer.lanes)
                nonisolated(unsafe) let (dp0, df0) = (dp.lanes, df.lanes)
                // A block is no thread's but one's: all its places add to the same candidates.
                p.backend.forEachPart(ofRows: blocks, width: rows * columns * Lanes.scalarCount) { part in
                    for block in part {
                        let (p, dp) = (p0 + block * candidates, dp0 + block * candidates)
                        let (f, df) = (f0 + block * columns, df0 + block * columns)
                        for o in 0..<rows {
                            let slope = dg[block * rows + o]
                            withEntries(ofRow: o) { entries in
                                for i in 0..<columns {
                                    let k = entries[i].index
                                    df[i] += p[k].signed(entries[i]) * slope
                                    dp[k] += (f[i] * slope).signed(entries[i])
                                }
                            }
                        }
                    }
                }
            }
        }
        return (dp, df!)
    }

    @inline(__always)
    private func withEntries<Result>(ofRow row: Int, _ body: (UnsafePointer<Entry>) -> Result) -> Result {
        entries.withUnsafeBufferPointer { body($0.baseAddress! + row * columns) }
    }
}

extension UnsafePointer<Float> {
    /// Memory of a whole tensor, which is aligned for any register.
    fileprivate var lanes: UnsafePointer<Lanes> { UnsafeRawPointer(self).assumingMemoryBound(to: Lanes.self) }
}

extension UnsafeMutablePointer<Float> {
    fileprivate var lanes: UnsafeMutablePointer<Lanes> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Lanes.self) }
}

extension Lanes {
    /// With the sign of an entry.
    @inline(__always) fileprivate func signed(_ entry: HashedWeights.Entry) -> Lanes {
        let bits = unsafeBitCast(self, to: SIMD8<UInt32>.self)
        return unsafeBitCast(bits ^ SIMD8<UInt32>(repeating: entry.signBit), to: Lanes.self)
    }
}
