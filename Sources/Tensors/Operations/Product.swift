/// The matrix product over the last axis of `a`, whose leading axes are rows: `[…, k] · [k, n] → […, n]`.
///
///     y = a · b + bias        da = dy · bᵀ        db = aᵀ · dy        dbias = Σ dy
///
/// With `transposed`, `b` is `[n, k]`, as linear layers store their weights.
public func matmul(_ a: Tensor, _ b: Tensor, transposed: Bool = false, bias: Tensor? = nil) -> Tensor {
    require(
        b.shape.rank == 2 && a.shape.rank >= 1 && a.shape[-1] == b.shape[transposed ? 1 : 0],
        "matmul: \(a.shape) · \(b.shape)\(transposed ? "ᵀ" : "")")
    let k = a.shape[-1], n = b.shape[transposed ? 0 : 1]
    require(bias == nil || bias!.shape == [n], "matmul: a bias of \(bias!.shape) for \(n) columns")
    let whole = a.shape, rows: Shape = [whole.dimensions.dropLast().reduce(1, *), k]
    let p = a.detached.reshaped(rows), q = b.detached
    let y = a.backend.product(p, q, transposeA: false, transposeB: transposed, bias: bias)
        .reshaped(Shape(whole.dimensions.dropLast() + [n]))
    var partials: [(input: Tensor, pullback: TapeNode.Pullback)] = [
        (
            a,
            { dy in
                dy.backend.product(dy.reshaped([rows[0], n]), q, transposeA: false, transposeB: !transposed, bias: nil).reshaped(
                    whole)
            }
        ),
        (
            b,
            { dy in
                let dy = dy.reshaped([rows[0], n])
                return transposed
                    ? dy.backend.product(dy, p, transposeA: true, transposeB: false, bias: nil)
                    : dy.backend.product(p, dy, transposeA: true, transposeB: false, bias: nil)
            }
        ),
    ]
    if let bias { partials.append((bias, { $0.summed(to: [n]) })) }
    return y.recorded(partials)
}
