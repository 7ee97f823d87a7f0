extension Tensor {
    /// The same scalars in another shape of the same count. Copies nothing.
    public func reshaped(_ new: Shape) -> Tensor {
        if new == shape { return self }
        require(new.count == shape.count, "cannot reshape \(shape) to \(new)")
        let old = shape
        return Tensor(shape: new, storage: storage, offset: offset).recorded((self, { $0.reshaped(old) }))
    }

    /// Inserts an axis of extent 1.
    public func expanded(axis: Int) -> Tensor {
        var dimensions = shape.dimensions
        dimensions.insert(1, at: axis < 0 ? axis + shape.rank + 1 : axis)
        return reshaped(Shape(dimensions))
    }

    /// Axis `i` of the result is axis `axes[i]` of this tensor.
    public func permuted(_ axes: [Int]) -> Tensor {
        require(axes.sorted() == Array(0..<shape.rank), "\(axes) is no permutation of the axes of \(shape)")
        if axes == Array(0..<shape.rank) { return self }
        let inverse = axes.indices.map { axes.firstIndex(of: $0)! }
        return backend.permute(self, axes).recorded((self, { $0.permuted(inverse) }))
    }

    /// A matrix with rows and columns exchanged.
    public var transposed: Tensor { permuted([1, 0]) }

    /// Part of the first axis. Copies nothing.
    public subscript(rows: Range<Int>) -> Tensor {
        require(rows.lowerBound >= 0 && rows.upperBound <= shape[0], "\(rows) leaves \(shape)")
        let whole = shape, size = shape.count / max(shape[0], 1)
        return Tensor(
            shape: shape.replacing(axis: 0, with: rows.count), storage: storage, offset: offset + rows.lowerBound * size
        )
        .recorded((self, { dy in dy.padded(to: whole, axis: 0, at: rows.lowerBound) }))
    }

    /// One entry of the first axis, which disappears. Copies nothing.
    public subscript(row: Int) -> Tensor { self[row..<row + 1].reshaped(Shape(Array(shape.dimensions.dropFirst()))) }

    /// Part of any axis; a copy unless the axis is the first.
    public func sliced(axis: Int, _ range: Range<Int>) -> Tensor {
        let axis = axis < 0 ? axis + shape.rank : axis
        if axis == 0 { return self[range] }
        require(range.lowerBound >= 0 && range.upperBound <= shape[axis], "\(range) leaves axis \(axis) of \(shape)")
        let whole = shape, blocks = Blocks(shape, axis), part = shape.replacing(axis: axis, with: range.count), p = pointer
        return Tensor(shape: part, on: backend) { y in
            let length = range.count * blocks.inner
            for i in 0..<blocks.outer {
                (y + i * length).update(from: p + i * blocks.stride + range.lowerBound * blocks.inner, count: length)
            }
        }
        .recorded((self, { dy in dy.padded(to: whole, axis: axis, at: range.lowerBound) }))
    }

    /// This tensor surrounded by zeros along one axis: the derivative of slicing.
    func padded(to whole: Shape, axis: Int, at start: Int) -> Tensor {
        let blocks = Blocks(whole, axis), length = shape[axis] * blocks.inner, p = pointer
        let range = start..<start + shape[axis]
        return Tensor(shape: whole, on: backend) { y in
            y.update(repeating: 0, count: whole.count)
            for i in 0..<blocks.outer {
                (y + i * blocks.stride + start * blocks.inner).update(from: p + i * length, count: length)
            }
        }
        .recorded((self, { $0.sliced(axis: axis, range) }))
    }

    /// Tensors joined along one axis; the other extents must agree.
    public static func concatenated(_ parts: [Tensor], axis: Int) -> Tensor {
        let first = parts[0].shape, axis = axis < 0 ? axis + first.rank : axis
        for part in parts {
            require(
                part.shape.replacing(axis: axis, with: 1) == first.replacing(axis: axis, with: 1),
                "cannot join \(part.shape) to \(first) along axis \(axis)")
        }
        let shape = first.replacing(axis: axis, with: parts.reduce(0) { $0 + $1.shape[axis] }), blocks = Blocks(shape, axis)
        var start = 0
        let starts = parts.map { part in
            defer { start += part.shape[axis] }
            return start
        }
        let joined = Tensor(shape: shape, on: parts[0].backend) { y in
            for (part, start) in zip(parts, starts) {
                let length = part.shape[axis] * blocks.inner
                for i in 0..<blocks.outer {
                    (y + i * blocks.stride + start * blocks.inner).update(from: part.pointer + i * length, count: length)
                }
            }
        }
        return joined.recorded(
            zip(parts, starts).map { part, start in
                let range = start..<start + part.shape[axis]
                return (part, { $0.sliced(axis: axis, range) })
            })
    }
}

/// How one axis divides the scalars: `outer` blocks of `stride`, each of rows of `inner`.
private struct Blocks {
    let outer: Int, stride: Int, inner: Int
    init(_ shape: Shape, _ axis: Int) {
        inner = shape.dimensions[(axis + 1)...].reduce(1, *)
        stride = shape.dimensions[axis] * inner
        outer = shape.dimensions[..<axis].reduce(1, *)
    }
}
