/// Zeros (or, for a maximum, nothing) around a feature map, in pixels.
public struct Padding: Sendable, Hashable {
    public var top, left, bottom, right: Int
    public init(top: Int, left: Int, bottom: Int, right: Int) {
        (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }
    public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }

    /// TensorFlow's and Keras' `SAME`: as much as makes `⌈size / stride⌉` outputs, the odd pixel at the bottom and right.
    public static func same(height: Int, width: Int, kernel: (Int, Int), stride: (Int, Int), dilation: (Int, Int) = (1, 1))
        -> Padding
    {
        func total(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> Int {
            max(0, ((size + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - size)
        }
        let vertical = total(height, kernel.0, stride.0, dilation.0), horizontal = total(width, kernel.1, stride.1, dilation.1)
        return Padding(
            top: vertical / 2, left: horizontal / 2, bottom: vertical - vertical / 2, right: horizontal - horizontal / 2)
    }
}

/// How a filter moves over a feature map.
public struct ConvolutionGeometry: Sendable, Hashable {
    public var strideHeight, strideWidth: Int
    public var dilationHeight, dilationWidth: Int
    public var padding: Padding
    public var groups: Int

    public init(stride: (Int, Int) = (1, 1), padding: Padding = Padding(0), dilation: (Int, Int) = (1, 1), groups: Int = 1) {
        (strideHeight, strideWidth) = stride
        (dilationHeight, dilationWidth) = dilation
        self.padding = padding
        self.groups = groups
    }

    /// The output's `[n, h, w, c]`.
    public func output(input: Shape, filter: Shape) -> Shape {
        let height = input[1] + padding.top + padding.bottom - (filter[2] - 1) * dilationHeight - 1
        let width = input[2] + padding.left + padding.right - (filter[3] - 1) * dilationWidth - 1
        require(height >= 0 && width >= 0, "a filter \(filter) does not fit into \(input) padded by \(padding)")
        return [input[0], height / strideHeight + 1, width / strideWidth + 1, filter[0]]
    }
}

/// How a pooling window moves over a feature map.
public struct PoolingGeometry: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case maximum
        /// The mean of the pixels under the window; padding counts as zeros if `countsPadding` (Caffe), else not at all.
        case average(countsPadding: Bool)
    }
    public var kind: Kind
    public var height, width: Int
    public var strideHeight, strideWidth: Int
    public var padding: Padding
    /// Caffe and loadcaffe round the number of windows up, everybody else down.
    public var roundsUp: Bool

    public init(_ kind: Kind, size: (Int, Int), stride: (Int, Int), padding: Padding = Padding(0), roundsUp: Bool = false) {
        self.kind = kind
        (height, width) = size
        (strideHeight, strideWidth) = stride
        self.padding = padding
        self.roundsUp = roundsUp
    }

    /// The output's `[n, h, w, c]`.
    public func output(input: Shape) -> Shape {
        [
            input[0],
            windows(input[1], padding.top, padding.bottom, height, strideHeight),
            windows(input[2], padding.left, padding.right, width, strideWidth),
            input[3],
        ]
    }

    private func windows(_ size: Int, _ before: Int, _ after: Int, _ window: Int, _ stride: Int) -> Int {
        let room = size + before + after - window
        require(room >= 0, "a window of \(window) does not fit into \(size) padded by \(before) and \(after)")
        guard roundsUp else { return room / stride + 1 }
        let count = (room + stride - 1) / stride + 1
        // Caffe and Torch: the last window must begin inside the picture or its leading padding.
        return (count - 1) * stride >= size + before ? count - 1 : count
    }
}
