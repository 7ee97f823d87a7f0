/// The eigenvectors of a symmetric matrix that belong to its largest eigenvalues, in double precision.
///
/// Reflections make the matrix tridiagonal, then QL iterations with implicit shifts make it diagonal (Golub & Van Loan, "Matrix
/// Computations", §8.3). The iterations work on the two diagonals alone; their rotations are kept, and applied to as many
/// vectors as are wanted and not to all.
package struct LeadingEigenvectors: Sendable {
    /// The eigenvalues in falling order.
    package let values: [Double]
    /// One row of `size` scalars and of length 1 for every value; the entry of largest magnitude is positive, the first of
    /// equals.
    package let vectors: [Double]

    /// - Parameters:
    ///   - matrix: `size` rows of `size`, symmetric. Of numbers that are not finite no eigenvectors come out.
    ///   - count: how many eigenvectors are wanted, at most `size`.
    package init(of matrix: [Double], size: Int, count: Int) {
        precondition(matrix.count == size * size && 0...size ~= count, "\(count) eigenvectors of \(matrix.count) scalars")
        let reduced = Tridiagonal(matrix, size)
        let (eigenvalues, rotations) = reduced.diagonalized()
        let order = eigenvalues.indices.sorted { eigenvalues[$0] > eigenvalues[$1] }.prefix(count)
        values = order.map { eigenvalues[$0] }

        // Column t is the unit vector of the t-th largest eigenvalue: A = Q G (diagonal) Gᵀ Qᵀ, and Q G takes it to its
        // eigenvector.
        var columns = [Double](repeating: 0, count: size * count)
        for (t, index) in order.enumerated() { columns[index * count + t] = 1 }
        rotations.apply(to: &columns, count)
        reduced.reflect(&columns, count)

        var rows = [Double](repeating: 0, count: count * size)
        for t in 0..<count {
            var largest = 0.0
            for i in 0..<size where abs(columns[i * count + t]) > abs(largest) { largest = columns[i * count + t] }
            for i in 0..<size { rows[t * size + i] = largest < 0 ? -columns[i * count + t] : columns[i * count + t] }
        }
        vectors = rows
    }
}

/// `A = Q T Qᵀ` with a tridiagonal T and a Q of reflections `1 - β v vᵀ`.
private struct Tridiagonal {
    private let size: Int
    /// Row j holds the vector v of reflection j in its columns from j + 1.
    private var rows: [Double]
    /// β of every reflection; 0 where there was nothing to reflect.
    private var factors: [Double]
    private var diagonal: [Double]
    /// Below the diagonal; the last is 0.
    private var offDiagonal: [Double]

    init(_ matrix: [Double], _ n: Int) {
        size = n
        rows = matrix
        factors = [Double](repeating: 0, count: n)
        diagonal = factors
        offDiagonal = factors
        var product = factors
        for j in 0..<max(n - 2, 0) {
            let (beta, corner) = reflector(j)
            offDiagonal[j] = corner
            factors[j] = beta
            if beta != 0 { reflectTrailing(j, &product) }
        }
        for j in 0..<n { diagonal[j] = rows[j * n + j] }
        if n > 1 { offDiagonal[n - 2] = rows[(n - 2) * n + n - 1] }
    }

    /// Makes the vector of the reflection that leaves one scalar, `corner`, of row j beyond the diagonal.
    private mutating func reflector(_ j: Int) -> (beta: Double, corner: Double) {
        let first = j * size + j + 1, tail = first..<(j + 1) * size
        let head = rows[first], rest = tail.dropFirst().reduce(0) { $0 + rows[$1] * rows[$1] }
        if rest == 0 { return (0, head) }
        let norm = (head * head + rest).squareRoot(), corner = head > 0 ? -norm : norm
        rows[first] = head - corner
        return (1 / (norm * norm - corner * head), corner)
    }

    /// `H A H` of the rows and columns beyond j: `A - v wᵀ - w vᵀ` with `p = β A v` and `w = p - β/2 (pᵀ v) v`.
    private mutating func reflectTrailing(_ j: Int, _ product: inout [Double]) {
        let n = size, beta = factors[j]
        rows.withUnsafeMutableBufferPointer { rows in
            product.withUnsafeMutableBufferPointer { w in
                let a = rows.baseAddress!, w = w.baseAddress!, v = a + j * n
                for i in j + 1..<n { w[i] = 0 }
                for i in j + 1..<n {
                    let row = a + i * n, factor = beta * v[i]
                    for k in j + 1..<n { w[k] += factor * row[k] }
                }
                var dot = 0.0
                for i in j + 1..<n { dot += w[i] * v[i] }
                let half = beta / 2 * dot
                for i in j + 1..<n { w[i] -= half * v[i] }
                for i in j + 1..<n {
                    let row = a + i * n, (vi, wi) = (v[i], w[i])
                    for k in j + 1..<n { row[k] -= vi * w[k] + wi * v[k] }
                }
            }
        }
    }

    /// The eigenvalues of T, in no order, and the rotations G with `T = G (diagonal) Gᵀ`.
    func diagonalized() -> (eigenvalues: [Double], Rotations) {
        var (d, e, rotations) = (diagonal, offDiagonal, Rotations())
        for l in 0..<size {
            // Two iterations are usual.
            for _ in 0..<60 {
                let m = (l..<size - 1).first { abs(e[$0]) <= .ulpOfOne * (abs(d[$0]) + abs(d[$0 + 1])) } ?? size - 1
                if m == l { break }
                var g = (d[l + 1] - d[l]) / (2 * e[l])
                let root = (g * g + 1).squareRoot()
                g = d[m] - d[l] + e[l] / (g < 0 ? g - root : g + root)
                var s = 1.0, c = 1.0, p = 0.0, isSplit = false
                for i in (l..<m).reversed() {
                    let f = s * e[i], b = c * e[i], r = (f * f + g * g).squareRoot()
                    e[i + 1] = r
                    if r == 0 {
                        d[i + 1] -= p
                        e[m] = 0
                        isSplit = true
                        break
                    }
                    (s, c) = (f / r, g / r)
                    g = d[i + 1] - p
                    let t = (d[i] - g) * s + 2 * c * b
                    p = s * t
                    d[i + 1] = g + p
                    g = c * t - b
                    rotations.append(i, cosine: c, sine: s)
                }
                if isSplit { continue }
                d[l] -= p
                e[l] = g
                e[m] = 0
            }
        }
        return (d, rotations)
    }

    /// Q times `size` rows of `count` columns.
    func reflect(_ columns: inout [Double], _ count: Int) {
        let n = size
        var sums = [Double](repeating: 0, count: count)
        rows.withUnsafeBufferPointer { rows in
            columns.withUnsafeMutableBufferPointer { columns in
                sums.withUnsafeMutableBufferPointer { sums in
                    for j in (0..<max(n - 2, 0)).reversed() where factors[j] != 0 {
                        let v = rows.baseAddress! + j * n, beta = factors[j], sums = sums.baseAddress!
                        for t in 0..<count { sums[t] = 0 }
                        for i in j + 1..<n {
                            let row = columns.baseAddress! + i * count, factor = beta * v[i]
                            for t in 0..<count { sums[t] += factor * row[t] }
                        }
                        for i in j + 1..<n {
                            let row = columns.baseAddress! + i * count, factor = v[i]
                            for t in 0..<count { row[t] -= factor * sums[t] }
                        }
                    }
                }
            }
        }
    }
}

/// Rotations of neighbouring coordinates, in the order in which their product is written.
private struct Rotations {
    private var indices: [Int32] = []
    private var angles: [(cosine: Double, sine: Double)] = []

    mutating func append(_ index: Int, cosine: Double, sine: Double) {
        indices.append(Int32(index))
        angles.append((cosine, sine))
    }

    /// Their product times rows of `count` columns.
    func apply(to columns: inout [Double], _ count: Int) {
        columns.withUnsafeMutableBufferPointer { columns in
            for r in indices.indices.reversed() {
                let upper = columns.baseAddress! + Int(indices[r]) * count, lower = upper + count, (c, s) = angles[r]
                for t in 0..<count {
                    let (x, y) = (upper[t], lower[t])
                    upper[t] = c * x + s * y
                    lower[t] = c * y - s * x
                }
            }
        }
    }
}
