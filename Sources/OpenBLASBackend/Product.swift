public import Tensors
import COpenBLAS

extension OpenBLAS {
    public func product(_ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool, bias: Tensor?) -> Tensor {
        let m = transposeA ? a.shape[1] : a.shape[0], k = transposeA ? a.shape[0] : a.shape[1]
        let n = transposeB ? b.shape[0] : b.shape[1]
        let (pa, pb) = (ReadOnly(a), ReadOnly(b))
        let (lda, ldb) = (a.shape[1], b.shape[1])
        return Tensor(shape: [m, n], on: self) { y in
            let y = Shared(y)
            if TiledProduct.isWorthPacking(m, n, k) {
                let tiled = TiledProduct(
                    pa, stride: lda, isTransposed: transposeA, pb, stride: ldb, isTransposed: transposeB, m, n, k)
                return tiled.write(to: y.base, bias: bias.map { ReadOnly($0) }, on: self)
            }
            if let bias { for row in 0..<m { (y.base + row * n).update(from: bias.pointer, count: n) } }
            let beta: Float = bias == nil ? 0 : 1
            @Sendable func multiply(
                _ rows: Range<Int>, _ columns: Range<Int>, _ inner: Range<Int>, into c: UnsafeMutablePointer<Float>, _ beta: Float
            ) {
                gemm(
                    transposeA, transposeB, rows.count, columns.count, inner.count,
                    pa.base + (transposeA ? inner.lowerBound * lda + rows.lowerBound : rows.lowerBound * lda + inner.lowerBound),
                    lda,
                    pb.base
                        + (transposeB
                            ? columns.lowerBound * ldb + inner.lowerBound : inner.lowerBound * ldb + columns.lowerBound),
                    ldb, c, n, beta: beta)
            }
            if m * n * k < 1 << 16 || threads == 1 { return multiply(0..<m, 0..<n, 0..<k, into: y.base, beta) }
            if m >= n, m >= 16 * threads {
                parallel(m, grain: 16) { _, rows in multiply(rows, 0..<n, 0..<k, into: y.base + rows.lowerBound * n, beta) }
            } else if n >= 16 * threads {
                parallel(n, grain: 16) { _, columns in multiply(0..<m, columns, 0..<k, into: y.base + columns.lowerBound, beta) }
            } else {
                // A small result of long rows: the threads share the sum.
                let partial = allocate(threads * m * n)
                let sums = Shared(partial)
                sums.base.update(repeating: 0, count: threads * m * n)
                parallel(k, grain: 64) { part, inner in multiply(0..<m, 0..<n, inner, into: sums.base + part * m * n, 0) }
                if bias == nil { y.base.update(repeating: 0, count: m * n) }
                for part in 0..<threads { for i in 0..<m * n { y.base[i] += partial[part * m * n + i] } }
                deallocate(partial, threads * m * n)
            }
        }
    }
}

/// `c = op(a) · op(b) + beta · c` on the calling thread.
func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int,
    _ b: UnsafePointer<Float>, _ ldb: Int, _ c: UnsafeMutablePointer<Float>, _ ldc: Int, beta: Float
) {
    guard m > 0, n > 0 else { return }
    if k == 0 {
        if beta == 0 { for row in 0..<m { (c + row * ldc).update(repeating: 0, count: n) } }
        return
    }
    if m == 1, !transposeA || lda == 1 {
        // A row times a matrix: the library's matrix-vector product reads the matrix once.
        let (rows, columns) = transposeB ? (n, k) : (k, n)
        return cblas_sgemv(
            CblasRowMajor, transposeB ? CblasNoTrans : CblasTrans, blasint(rows), blasint(columns), 1, b, blasint(ldb), a, 1,
            beta, c, 1)
    }
    cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans, blasint(m), blasint(n),
        blasint(k), 1, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
}
