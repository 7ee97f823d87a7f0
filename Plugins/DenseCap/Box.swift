package import Tensors

/// A rectangle of a picture by its centre and its size, in pixels whose centres count from 1.
///
/// A tensor of boxes, `[boxes, 4]`, has these four numbers in every row: (xc, yc, w, h).
package struct Box: Sendable, Hashable {
    package var x: Float, y: Float
    package var width: Float, height: Float

    package init(x: Float, y: Float, width: Float, height: Float) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    /// The centres of a box's first and last pixels.
    package struct Corners: Sendable, Hashable {
        package var x1: Float, y1: Float, x2: Float, y2: Float

        package init(x1: Float, y1: Float, x2: Float, y2: Float) {
            (self.x1, self.y1, self.x2, self.y2) = (x1, y1, x2, y2)
        }
    }

    /// Both pixels belong to the box: `x2 - x1 + 1` is its width.
    package var corners: Corners {
        let (dx, dy) = ((width - 1) / 2, (height - 1) / 2)
        return Corners(x1: x - dx, y1: y - dy, x2: x + dx, y2: y + dy)
    }

    /// The distance of the corners is the width here: the released code does not undo its own ``corners``, and a box that goes
    /// through them and back loses a pixel on each axis. (`x1y1x2y2_to_xcycwh` in box_utils.lua)
    package init(between corners: Corners) {
        let (x1, y1, x2, y2) = (corners.x1, corners.y1, corners.x2, corners.y2)
        self.init(x: (x1 + x2) / 2, y: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1)
    }

    /// What lies within a picture, at least a pixel of it, with the pixel that ``init(between:)`` loses; `nil` for a box whose
    /// corners are not in order. (`clip_boxes` in box_utils.lua)
    package func clipped(width W: Int, height H: Int) -> Box? {
        var c = corners
        c.x1 = min(max(c.x1, 1), Float(W - 1))
        c.y1 = min(max(c.y1, 1), Float(H - 1))
        c.x2 = min(max(c.x2, 2), Float(W))
        c.y2 = min(max(c.y2, 2), Float(H))
        return c.x2 > c.x1 && c.y2 > c.y1 ? Box(between: c) : nil
    }

    /// Whether no corner leaves the picture.
    package func isInside(width W: Int, height H: Int) -> Bool {
        let c = corners
        return c.x1 >= 1 && c.y1 >= 1 && c.x2 <= Float(W) && c.y2 <= Float(H)
    }
}

extension Box {
    /// The intersection of every one of `boxes` with every one of `others` over their union: a row for each of `boxes`.
    ///
    /// The corners' distances multiplied are the intersection, widths multiplied the areas: a box has a little less than 1 with
    /// itself. (BoxIoU.lua)
    package static func intersectionsOverUnions(_ boxes: [Box], _ others: [Box]) -> [Float] {
        let corners = others.map(\.corners), areas = others.map(\.area)
        var ious: [Float] = []
        ious.reserveCapacity(boxes.count * others.count)
        for box in boxes {
            let a = box.corners, area = box.area
            for (b, otherArea) in zip(corners, areas) {
                let width = max(0, min(a.x2, b.x2) - max(a.x1, b.x1)), height = max(0, min(a.y2, b.y2) - max(a.y1, b.y1))
                ious.append(width * height / (area + otherArea - width * height))
            }
        }
        return ious
    }

    private var area: Float { width * height }
}

// MARK: Rows of a tensor

extension Box {
    /// - Parameter tensor: `[boxes, 4]`.
    package static func list(_ tensor: Tensor) -> [Box] {
        precondition(tensor.shape.rank == 2 && tensor.shape[1] == 4, "\(tensor.shape) are no boxes")
        return tensor.withScalars { s in
            (0..<s.count / 4).map { Box(x: s[4 * $0], y: s[4 * $0 + 1], width: s[4 * $0 + 2], height: s[4 * $0 + 3]) }
        }
    }

    /// `[boxes, 4]`
    package static func tensor(_ boxes: [Box], on backend: any Backend) -> Tensor {
        Tensor(shape: [boxes.count, 4], on: backend) { y in
            for (i, box) in boxes.enumerated() {
                (y[4 * i], y[4 * i + 1], y[4 * i + 2], y[4 * i + 3]) = (box.x, box.y, box.width, box.height)
            }
        }
    }
}
