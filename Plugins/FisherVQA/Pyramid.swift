import Media
import Tensors

/// Pictures in several sizes, so that descriptors of what is near and far look alike (FV-CNN, Cimpoi et al. 2015, §2).
struct Pyramid: Sendable {
    /// The size of each level, relative to the picture's.
    let scales: [Float]

    /// The height and width of a level, at least 1.
    static func size(_ height: Int, _ width: Int, at scale: Float) -> (height: Int, width: Int) {
        func scaled(_ extent: Int) -> Int { max(1, Int((Float(extent) * scale).rounded())) }
        return (scaled(height), scaled(width))
    }

    /// Pictures `[n, height, width, 3]` at every scale.
    func callAsFunction(_ pixels: Tensor) -> [Tensor] {
        let (n, height, width, channels) = (pixels.shape[0], pixels.shape[1], pixels.shape[2], pixels.shape[3])
        return scales.map { scale in
            let size = Self.size(height, width, at: scale)
            if size == (height, width) { return pixels }
            let values = (0..<n).flatMap { i in
                FloatImage(height: height, width: width, channels: channels, values: pixels[i].scalars)
                    .resized(height: size.height, width: size.width).values
            }
            return Tensor(values, [n, size.height, size.width, channels], on: pixels.backend)
        }
    }
}
