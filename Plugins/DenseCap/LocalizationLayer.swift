import NeuralNetworks
import Tensors

/// Looks for regions: at every pixel of the feature map it says of each anchor how likely something is there, and how the anchor
/// would have to change to fit it (§3.2.2; Ren et al. 2015).
struct LocalizationLayer: Sendable {
    private let look: Convolution2D
    /// Convolutions of 1×1, which are linear maps of every pixel.
    private let transform: Linear, score: Linear
    private let anchors: Anchors
    private let layers: [NamedLayer]
    private static let geometry = ConvolutionGeometry(padding: Padding(1))

    /// What was found of every anchor.
    struct Proposals {
        /// All `[anchors, 4]`.
        var anchors: Tensor, transforms: Tensor, boxes: Tensor
        /// Of something and of nothing, `[anchors, 2]`.
        var scores: Tensor
    }

    /// - Parameters:
    ///   - map: the shape feature maps will mostly have, `[height, width, channels]`.
    ///   - layers: that feature maps come from.
    init(_ anchors: Anchors, filters: Int, map: Shape, layers: [NamedLayer], in scope: ParameterScope) throws {
        (self.anchors, self.layers) = (anchors, layers)
        let k = anchors.shapes.count
        look = try Convolution2D(
            .init(inputs: map[2], outputs: filters, kernel: (3, 3), activation: .relu), Self.geometry,
            input: Shape([1] + map.dimensions), in: scope["convolution"])
        // At first every proposal is its anchor.
        transform = try Linear(filters, 4 * k, initializer: .constant(0), in: scope["boxes"])
        score = try Linear(filters, 2 * k, initializer: .normal(deviation: 0.01), in: scope["scores"])
    }

    /// - Parameter U: the features of a whole picture, `[1, h, w, c]`.
    func callAsFunction(_ U: Tensor, in picture: BilinearPooling.Picture) -> Proposals {
        let x = look(U, Self.geometry)                                     // [1, h, w, filters]
        let field = ReceptiveField(layers, input: [picture.height, picture.width, 3])
        let a = anchors(rows: U.shape[1], columns: U.shape[2], field, on: U.backend)
        let t = anchors.inOrder(transform(x))                              // [k h w, 4]
        return Proposals(
            anchors: a, transforms: t, boxes: BoxTransform.boxes(t, of: a), scores: anchors.inOrder(score(x)))
    }
}

extension LocalizationLayer.Proposals {
    /// The boxes that are worth a closer look, within the picture.
    func best(in picture: BilinearPooling.Picture, _ suppression: NonMaximumSuppression) -> [Box] {
        let something = softmax(scores).sliced(axis: 1, 0..<1).scalars     // p = e^s₁ / (e^s₁ + e^s₂)
        var boxes: [Box] = [], kept: [Float] = []
        for (box, p) in zip(Box.list(self.boxes), something) {
            guard let clipped = box.clipped(width: picture.width, height: picture.height) else { continue }
            boxes.append(clipped)
            kept.append(p)
        }
        return suppression(boxes, scores: kept).map { boxes[$0] }
    }
}
