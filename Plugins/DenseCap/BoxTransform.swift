package import Tensors

/// What the network says of a box: how it differs from an anchor (Ren et al. 2015; §3.2.2 of DenseCap).
///
///     x = x_a + t_x w_a        y = y_a + t_y h_a        w = w_a exp t_w        h = h_a exp t_h
///
/// Anchors `(x_a, y_a, w_a, h_a)`, transforms `(t_x, t_y, t_w, t_h)` and boxes `(x, y, w, h)` are `[n, 4]` each, and everything
/// has its derivatives: the boxes of the proposals are the anchors of the second regression.
package enum BoxTransform {
    /// The boxes that transforms make of anchors.
    package static func boxes(_ t: Tensor, of anchors: Tensor) -> Tensor {
        let size = anchors.size
        return .concatenated([anchors.centre + t.centre * size, size * exp(t.size)], axis: 1)
    }

    /// The transforms that make these boxes of anchors.
    package static func between(_ anchors: Tensor, and boxes: Tensor) -> Tensor {
        let size = anchors.size
        return .concatenated([(boxes.centre - anchors.centre) / size, log(boxes.size / size)], axis: 1)
    }
}

extension Tensor {
    /// The first two columns.
    fileprivate var centre: Tensor { sliced(axis: 1, 0..<2) }
    /// The last two.
    fileprivate var size: Tensor { sliced(axis: 1, 2..<4) }
}
