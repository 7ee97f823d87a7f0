import Media
import ModelKit

/// A photo with its regions: a box of its own colour around each, and what is in it on a label of that colour.
struct RegionPicture {
    let image: Image

    /// The least length of the longer side: boxes and labels of ten regions need room.
    private static let leastSide = 960
    /// The second time around, darker.
    private static let colors = Color.palette + Color.palette.dropLast().map(\.darker)

    init(_ photo: Image, _ regions: Regions) {
        let scale = max(1, Double(Self.leastSide) / Double(max(photo.width, photo.height, 1)))
        let large =
            scale == 1
            ? photo
            : photo.resized(
                width: max(1, Int((Double(photo.width) * scale).rounded())),
                height: max(1, Int((Double(photo.height) * scale).rounded())))
        // Half as large as other texts on a picture of this size, since there are many labels.
        var canvas = Canvas(large, unit: max(2, (min(large.width, large.height) + 224) / 448))
        // Large boxes first, which would hide small ones.
        let ordered = regions.regions.enumerated().sorted { Self.area($0.element) > Self.area($1.element) }
        canvas.drawBoxes(
            ordered.reversed().map { _, region in
                let box = region.box
                return (
                    Rectangle(
                        x: Double(box.x) * scale, y: Double(box.y) * scale, width: Double(box.width) * scale,
                        height: Double(box.height) * scale),
                    region.text
                )
            }, colors: ordered.reversed().map { Self.colors[$0.offset % Self.colors.count] })
        image = canvas.image
    }

    private static func area(_ region: Regions.Region) -> Float { region.box.width * region.box.height }
}

extension Color {
    fileprivate var darker: Color { Color(red / 2, green / 2, blue / 2) }
}
