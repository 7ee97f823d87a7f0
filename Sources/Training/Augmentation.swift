import Media
import NeuralNetworks

/// A random view of a photo: a crop, and its mirror image half of the time.
struct Augmentation: Sendable, Equatable {
    /// The part of a picture that is looked at, in parts of its sides.
    struct Crop: Sendable, Equatable {
        var x: Float, y: Float, width: Float, height: Float
        static let whole = Crop(x: 0, y: 0, width: 1, height: 1)
    }

    var crop: Crop
    var isFlipped: Bool

    /// The whole picture as it is.
    static let none = Augmentation(crop: .whole, isFlipped: false)

    /// The whole picture, mirrored.
    static let mirror = Augmentation(crop: .whole, isFlipped: true)

    init(crop: Crop, isFlipped: Bool) {
        self.crop = crop
        self.isFlipped = isFlipped
    }

    /// A crop of `smallestCrop` of the picture's area or more, between 4:5 and 5:4 in parts of its sides.
    init(_ random: RandomSource, smallestCrop: Float = 0.5) {
        let area = smallestCrop + (1 - smallestCrop) * random.uniform(), aspect = 0.8 + 0.45 * random.uniform()
        let width = min(1, (area * aspect).squareRoot()), height = min(1, (area / aspect).squareRoot())
        crop = Crop(x: random.uniform() * (1 - width), y: random.uniform() * (1 - height), width: width, height: height)
        isFlipped = random.uniform() < 0.5
    }

    /// The views of a recipe: the photo, its mirror image, then random crops.
    init(view: Int, _ random: RandomSource) {
        switch view {
        case 0: self = .none
        case 1: self = .mirror
        default: self.init(random)
        }
    }

    /// The view at `size × size` pixels, or, without a size, at the picture's own resolution.
    func callAsFunction(_ image: Image, size: Int? = nil) -> Image {
        let (w, h) = (Double(image.width), Double(image.height))
        let box = Rectangle(
            x: Double(crop.x) * w, y: Double(crop.y) * h, width: Double(crop.width) * w, height: Double(crop.height) * h)
        return image.resized(
            width: size ?? max(1, Int(box.width)), height: size ?? max(1, Int(box.height)), box: box, flipped: isFlipped)
    }
}

/// Random light: every colour channel is stretched around the middle grey and shifted, each by its own amount.
struct ColorJitter: Sendable {
    /// What the channels are multiplied with and what is added, in parts of the full range.
    private var gain: [Float], shift: [Float]

    /// Leaves colours as they are.
    static let none = ColorJitter(gain: [1, 1, 1], shift: [0, 0, 0])

    private init(gain: [Float], shift: [Float]) { (self.gain, self.shift) = (gain, shift) }

    /// - Parameter strength: how far the contrast and the brightness of the whole picture move at most; single channels
    ///   move by half as much on top.
    init(_ random: RandomSource, strength: Float) {
        func symmetric() -> Float { strength * (2 * random.uniform() - 1) }
        let (contrast, brightness) = (symmetric(), symmetric() / 2)
        gain = (0..<3).map { _ in 1 + contrast + symmetric() / 2 }
        shift = (0..<3).map { _ in brightness + symmetric() / 4 }
    }

    /// The 256 values that `normalize` gives for this light, for each channel.
    func tables(_ normalize: (UInt8) -> Float) -> [[Float]] {
        (0..<3).map { c in
            (0...255).map { value in
                let lit = (Float(value) - 127.5) * gain[c] + 127.5 + 255 * shift[c]
                return normalize(UInt8(max(0, min(255, lit.rounded()))))
            }
        }
    }
}
