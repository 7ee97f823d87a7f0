/// A picture of 32-bit floating-point samples, channels last: what a network takes.
public struct FloatImage: Sendable, Equatable {
    /// In pixels, at least 1.
    public let height: Int
    /// In pixels, at least 1.
    public let width: Int
    public let channels: Int
    /// `height × width × channels` numbers; the channels of the top left pixel come first.
    public let values: [Float]

    /// It is a programming error if the number of values is not `height · width · channels`.
    public init(height: Int, width: Int, channels: Int, values: [Float]) {
        guard height > 0, width > 0, channels > 0, values.count == height * width * channels else {
            fatalError("an image of \(height)×\(width)×\(channels) has another number of values than \(values.count)")
        }
        (self.height, self.width, self.channels, self.values) = (height, width, channels, values)
    }

    public subscript(y: Int, x: Int, channel: Int) -> Float {
        guard (0..<height).contains(y), (0..<width).contains(x), (0..<channels).contains(channel) else {
            fatalError("(\(y), \(x), \(channel)) is outside of an image of \(height)×\(width)×\(channels)")
        }
        return values[(y * width + x) * channels + channel]
    }

    /// The mirror image: left and right exchanged.
    public func flipped() -> FloatImage {
        let row = width * channels
        let values = [Float](unsafeUninitializedCapacity: height * row) { target, count in
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<channels {
                        target[y * row + (width - 1 - x) * channels + c] = self.values[y * row + x * channels + c]
                    }
                }
            }
            count = height * row
        }
        return FloatImage(height: height, width: width, channels: channels, values: values)
    }

    /// The picture in another size, computed in floating point.
    ///
    /// It is a programming error if it has not three channels.
    ///
    /// - Parameter method: PIL's bilinear one shrinks without aliases.
    public func resized(height: Int, width: Int, _ method: ResizeMethod = .pil(.bilinear)) -> FloatImage {
        guard channels == 3, height > 0, width > 0 else {
            fatalError("an image of \(self.height)×\(self.width)×\(channels) cannot be resized to \(width)×\(height)")
        }
        let raster = Raster(width: self.width, height: self.height, .floats(values))
            .resized(to: height, width, rows: 0..<height, columns: 0..<width, method)
        return FloatImage(height: height, width: width, channels: 3, values: raster.floats)
    }
}
