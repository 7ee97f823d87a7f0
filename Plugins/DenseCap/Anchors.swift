package import Tensors

/// The boxes that proposals start from: a few shapes at every pixel of the feature map, around the centre of what it sees.
package struct Anchors: Sendable {
    /// The width and the height of a shape, in pixels of the picture.
    package struct Shape: Sendable, Hashable {
        package var width: Float, height: Float
        package init(_ width: Float, _ height: Float) { (self.width, self.height) = (width, height) }
    }

    package var shapes: [Shape]

    package init(_ shapes: [Shape] = Anchors.released) { self.shapes = shapes }

    /// For pictures whose longer side has 720 pixels (LocalizationLayer.lua).
    package static let released: [Shape] = [
        Shape(45, 90), Shape(90, 45), Shape(64, 64), Shape(90, 180), Shape(180, 90), Shape(128, 128),
        Shape(181, 362), Shape(362, 181), Shape(256, 256), Shape(362, 724), Shape(724, 362), Shape(512, 512),
    ]

    /// All anchors of a feature map, shape by shape, then row by row: `[shapes · rows · columns, 4]`.
    package func callAsFunction(rows: Int, columns: Int, _ field: ReceptiveField, on backend: any Backend) -> Tensor {
        Tensor(shape: [shapes.count * rows * columns, 4], on: backend) { y in
            var y = y
            for shape in shapes {
                for row in 0..<rows {
                    for column in 0..<columns {
                        (y[0], y[1]) = (field.horizontal.centre(of: column), field.vertical.centre(of: row))
                        (y[2], y[3]) = (shape.width, shape.height)
                        y += 4
                    }
                }
            }
        }
    }

    /// What a convolution says of the anchors, `[1, rows, columns, shapes · numbers]`, in their order:
    /// `[shapes · rows · columns, numbers]`.
    package func inOrder(_ x: Tensor) -> Tensor {
        let k = shapes.count, pixels = x.shape[1] * x.shape[2], numbers = x.shape[3] / k
        return x.reshaped([pixels, k, numbers]).permuted([1, 0, 2]).reshaped([k * pixels, numbers])
    }
}
