public import ModelKit
public import Tensors
import Media

/// A picture after the card's preprocessing, and how large it was before. Preprocessing may resize it, but not cut it.
public struct Photo: ModelInput {
    public static let parts: [Request.Part] = [.image]
    public static let optionalParts: [Request.Part] = [.boxes]
    /// `[1, height, width, channels]`.
    public let pixels: Tensor
    /// Of the original.
    public let width: Int, height: Int
    /// What is asked about, in pixels of the original, at least one; nil: whatever there is.
    public let boxes: [Regions.Rectangle]?

    public init(pixels: Tensor, width: Int, height: Int, boxes: [Regions.Rectangle]? = nil) {
        (self.pixels, self.width, self.height, self.boxes) = (pixels, width, height, boxes)
    }

    public init(_ request: Request, assets: Assets) throws(InputError) {
        pixels = try ImageInput(request, assets: assets).pixels
        guard let image = request.image else { throw .missing(.image, request: request.name) }
        (width, height) = (image.width, image.height)
        boxes = request.boxes.flatMap { $0.isEmpty ? nil : $0 }
    }

    package var size: BilinearPooling.Picture { .init(height: pixels.shape[1], width: pixels.shape[2]) }

    /// The box of everything.
    package var whole: Box {
        let (W, H) = (Float(size.width), Float(size.height))
        return Box(x: (W + 1) / 2, y: (H + 1) / 2, width: W, height: H)
    }

    /// How many pixels of the original are one of the preprocessed picture.
    private var scale: (x: Float, y: Float) {
        (Float(width) / Float(size.width), Float(height) / Float(size.height))
    }

    /// A box of the preprocessed picture in the original. Centres of pixels count from 1 there, and edges from 0 here.
    package func original(_ box: Box) -> Regions.Rectangle {
        let x = box.x - 0.5 - box.width / 2, y = box.y - 0.5 - box.height / 2
        return .init(x: x * scale.x, y: y * scale.y, width: box.width * scale.x, height: box.height * scale.y)
    }

    /// The other way.
    package func preprocessed(_ rectangle: Regions.Rectangle) -> Box {
        let (width, height) = (rectangle.width / scale.x, rectangle.height / scale.y)
        return Box(
            x: rectangle.x / scale.x + width / 2 + 0.5, y: rectangle.y / scale.y + height / 2 + 0.5, width: width, height: height)
    }
}
