/// A picture that results are drawn on: boxes with labels, heat maps, a caption.
///
/// Lines and letters grow with the picture, so that they look alike on a thumbnail and on a camera's twelve megapixels.
public struct Canvas: Sendable {
    public private(set) var image: Image
    /// How many pixels the thinnest line has; letters are seven of them high.
    public let unit: Int
    /// Where labels stand already.
    private var labels: [Frame] = []

    /// - Parameter unit: how many pixels a line has; by the picture's size where it is nil.
    public init(_ image: Image, unit: Int? = nil) {
        self.image = image
        self.unit = max(1, unit ?? (min(image.width, image.height) + 112) / 224)
    }

    /// A rectangle of whole pixels; empty if its right or lower side is not beyond the other.
    private struct Frame {
        var left, top, right, bottom: Int

        func intersects(_ other: Frame) -> Bool {
            left < other.right && other.left < right && top < other.bottom && other.top < bottom
        }
    }

    // MARK: Boxes

    /// Draws the outline of a box, inside of its bounds, with a thin dark line on both sides that shows on any ground.
    ///
    /// - Parameters:
    ///   - box: in pixels; the part of it that lies in the picture is framed, and nothing if there is none.
    ///   - lineWidth: in pixels; 2 units where it is nil.
    ///   - label: written on a patch of the box's colour: above the box, else below or inside, else as near as possible, where
    ///     no other label stands yet.
    public mutating func drawBox(_ box: Rectangle, color: Color = Color.palette[0], lineWidth: Int? = nil, label: String? = nil) {
        drawOutline(box, color, lineWidth)
        if let label, !label.isEmpty, let frame = visible(box) { drawLabel(label, frame, color) }
    }

    /// Draws boxes, the first one on top, and all their labels over them.
    ///
    /// - Parameter colors: of the boxes, again from the first where there are more boxes; at least one.
    public mutating func drawBoxes(_ boxes: [(box: Rectangle, label: String?)], colors: [Color] = Color.palette) {
        func color(_ i: Int) -> Color { colors[i % colors.count] }
        for i in boxes.indices.reversed() { drawOutline(boxes[i].box, color(i), nil) }
        for (i, (box, label)) in boxes.enumerated() {
            if let label, !label.isEmpty, let frame = visible(box) { drawLabel(label, frame, color(i)) }
        }
    }

    private mutating func drawOutline(_ box: Rectangle, _ color: Color, _ lineWidth: Int?) {
        guard let frame = visible(box) else { return }
        let line = max(1, min(lineWidth ?? 2 * unit, (min(frame.right - frame.left, frame.bottom - frame.top) + 1) / 2))
        let edge = max(1, unit / 2)
        outline(frame, by: -edge, width: edge, .black, opacity: 0.5)
        outline(frame, by: line, width: edge, .black, opacity: 0.5)
        outline(frame, by: 0, width: line, color, opacity: 1)
    }

    /// The pixels of the picture that the box covers, at least in part.
    private func visible(_ box: Rectangle) -> Frame? {
        // Clamped before the conversion to integers, which would trap on infinity; no number fails the comparison.
        func clamp(_ x: Double, _ limit: Int) -> Int? { x.isNaN ? nil : Int(max(0, min(Double(limit), x)).rounded()) }
        guard let left = clamp(box.x, image.width), let right = clamp(box.x + box.width, image.width),
            let top = clamp(box.y, image.height), let bottom = clamp(box.y + box.height, image.height),
            box.width > 0, box.height > 0, box.x < Double(image.width), box.y < Double(image.height), right > 0, bottom > 0
        else { return nil }
        // A sliver is drawn as one pixel.
        return Frame(
            left: min(left, image.width - 1), top: min(top, image.height - 1), right: max(right, min(left, image.width - 1) + 1),
            bottom: max(bottom, min(top, image.height - 1) + 1))
    }

    /// Four bars of `width` pixels whose outer side lies `inset` pixels inside of the frame.
    private mutating func outline(_ frame: Frame, by inset: Int, width: Int, _ color: Color, opacity: Float) {
        let outer = Frame(
            left: frame.left + inset, top: frame.top + inset, right: frame.right - inset, bottom: frame.bottom - inset)
        guard outer.left < outer.right, outer.top < outer.bottom else { return }
        let inner = Frame(
            left: outer.left + width, top: outer.top + width, right: outer.right - width, bottom: outer.bottom - width)
        guard inner.left < inner.right, inner.top < inner.bottom else { return fill(outer, color, opacity: opacity) }
        fill(Frame(left: outer.left, top: outer.top, right: outer.right, bottom: inner.top), color, opacity: opacity)
        fill(Frame(left: outer.left, top: inner.bottom, right: outer.right, bottom: outer.bottom), color, opacity: opacity)
        fill(Frame(left: outer.left, top: inner.top, right: inner.left, bottom: inner.bottom), color, opacity: opacity)
        fill(Frame(left: inner.right, top: inner.top, right: outer.right, bottom: inner.bottom), color, opacity: opacity)
    }

    private mutating func fill(_ frame: Frame, _ color: Color, opacity: Float = 1) {
        let (left, right) = (max(0, frame.left), min(image.width, frame.right))
        let (top, bottom) = (max(0, frame.top), min(image.height, frame.bottom))
        guard left < right, top < bottom else { return }
        for y in top..<bottom { for x in left..<right { image[x, y] = color.over(image[x, y], opacity: opacity) } }
    }

    // MARK: Surfaces

    /// Fills a rectangle; what lies outside of the picture is left out.
    public mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: Color) {
        fill(Frame(left: x, top: y, right: x + width, bottom: y + height), color)
    }

    /// Copies another image into this one; what does not fit is cut off.
    public mutating func place(_ other: Image, x: Int, y: Int) {
        for row in max(0, -y)..<max(0, -y, min(other.height, image.height - y)) {
            for column in max(0, -x)..<max(0, -x, min(other.width, image.width - x)) {
                image[x + column, y + row] = other[column, row]
            }
        }
    }

    // MARK: Text

    /// The size in pixels of a line of text, without a patch around it.
    public func textSize(_ text: String, scale: Int? = nil) -> (width: Int, height: Int) {
        let scale = scale ?? unit
        return (max(0, text.count * BitmapFont.advance - 1) * scale, BitmapFont.height * scale)
    }

    /// Writes a line of text; what does not fit into the picture is cut off.
    ///
    /// - Parameters:
    ///   - x: the left side of the first letter.
    ///   - y: the top of the capital letters.
    ///   - background: the colour of a patch around the text, or nil for none.
    ///   - scale: pixels per pixel of the font; the canvas's unit where it is nil.
    public mutating func drawText(
        _ text: String, x: Int, y: Int, color: Color = .white, background: Color? = nil, scale: Int? = nil
    ) {
        let scale = max(1, scale ?? unit)
        if let background {
            let size = textSize(text, scale: scale)
            fill(
                Frame(
                    left: x - 2 * scale, top: y - 2 * scale, right: x + size.width + 2 * scale, bottom: y + size.height + scale),
                background)
        }
        var left = x
        for character in text {
            if left >= image.width { return }
            let glyph = BitmapFont.glyph(character)
            for row in 0..<BitmapFont.height * scale where y + row >= 0 && y + row < image.height {
                for column in 0..<BitmapFont.width * scale where left + column >= 0 && left + column < image.width {
                    let coverage = glyph.coverage(column, row, scale: scale)
                    if coverage > 0 {
                        image[left + column, y + row] = color.over(image[left + column, y + row], opacity: coverage)
                    }
                }
            }
            left += BitmapFont.advance * scale
        }
    }

    private mutating func drawLabel(_ label: String, _ box: Frame, _ color: Color) {
        let text = shortened(label, to: image.width - 4 * unit)
        let size = textSize(text)
        let (width, height) = (size.width + 4 * unit, size.height + 3 * unit)
        let left = max(0, min(box.left, image.width - width))
        let right = max(0, min(box.right - width, image.width - width))
        // Places in order of preference; the first that is free, or else the nearest free one, or else the first.
        let places = [
            (left, box.top - height), (left, box.bottom), (left, box.top), (right, box.top - height), (right, box.bottom),
            (left, box.bottom - height), (right, box.bottom - height),
        ].map { x, y in Frame(left: x, top: y, right: x + width, bottom: y + height) }
        let inside = places.filter { $0.top >= 0 && $0.bottom <= image.height }
        guard
            let place = inside.first(where: isFree) ?? freePlace(near: (left, box.top), width: width, height: height)
                ?? inside.first
        else { return }
        labels.append(place)
        drawText(text, x: place.left + 2 * unit, y: place.top + 2 * unit, color: color.readableInk, background: color)
    }

    private func isFree(_ place: Frame) -> Bool { !labels.contains { $0.intersects(place) } }

    /// Where in the picture no label stands yet, as near as possible to a corner.
    private func freePlace(near corner: (x: Int, y: Int), width: Int, height: Int) -> Frame? {
        var best: (place: Frame, distance: Int)?
        for y in stride(from: 0, through: image.height - height, by: unit) {
            for x in stride(from: 0, through: image.width - width, by: 4 * unit) {
                let distance = (x - corner.x) * (x - corner.x) + (y - corner.y) * (y - corner.y)
                if let best, best.distance <= distance { continue }
                let place = Frame(left: x, top: y, right: x + width, bottom: y + height)
                if isFree(place) { best = (place, distance) }
            }
        }
        return best?.place
    }

    /// The text, cut to fit into `width` pixels and ended with three dots if it does not.
    private func shortened(_ text: String, to width: Int) -> String {
        if textSize(text).width <= width { return text }
        let room = (width / unit + 1) / BitmapFont.advance
        return room > 3 ? text.prefix(room - 3) + "..." : String(text.prefix(max(0, room)))
    }

    // MARK: Heat maps

    /// Colours the picture by a heat map: violet where it is low, yellow where it is high.
    ///
    /// - Parameter opacity: of the colours, from 0 to 1.
    public mutating func overlay(_ map: HeatMap, opacity: Float = 0.55) {
        let positions = map.positions(height: image.height, width: image.width)
        let opacity = max(0, min(1, opacity))
        // 256 colours are as many as anybody sees.
        let colors = (0..<256).map { Color.viridis(Float($0) / 255) }
        for y in 0..<image.height {
            for x in 0..<image.width {
                let color = colors[Int(positions[y * image.width + x] * 255 + 0.5)]
                image[x, y] = color.over(image[x, y], opacity: opacity)
            }
        }
    }

    /// Darkens the picture where a heat map is low, so that what it looked at is seen as it is.
    ///
    /// - Parameter floor: how much light remains where the map is lowest, from 0 to 1.
    public mutating func dim(outside map: HeatMap, floor: Float = 0.25) {
        let positions = map.positions(height: image.height, width: image.width)
        for y in 0..<image.height {
            for x in 0..<image.width {
                // Eyes take a quarter of the light for half of it.
                let light = floor + (1 - floor) * positions[y * image.width + x].squareRoot()
                image[x, y] = Color.black.over(image[x, y], opacity: 1 - light)
            }
        }
    }

    /// Widens the picture at its right by a scale of the heat map's colours, with the numbers at its ends.
    public mutating func addColorBar(for map: HeatMap) {
        let high = text(map.range.upperBound)
        let low = text(map.range.lowerBound)
        let margin = 3 * unit
        let barWidth = 8 * unit
        let textWidth = max(textSize(high).width, textSize(low).width)
        let width = image.width + max(2 * margin + barWidth, 2 * margin + textWidth)
        var wide = Image(width: width, height: image.height, color: .white)
        wide.paste(image, x: 0, y: 0)
        let x = image.width + margin
        image = wide
        let line = BitmapFont.height * unit
        let (top, bottom) = (2 * margin + line, image.height - margin - line)
        drawText(high, x: x, y: margin, color: .black)
        drawText(low, x: x, y: bottom + margin / 2 + unit, color: .black)
        guard top < bottom else { return }
        for y in top..<bottom {
            let position = 1 - (Float(y - top) + 0.5) / Float(bottom - top)
            fill(Frame(left: x, top: y, right: x + barWidth, bottom: y + 1), .viridis(position))
        }
    }

    /// Three significant digits.
    private func text(_ value: Float) -> String {
        if value == 0 || !value.isFinite { return value == 0 ? "0" : "\(value)" }
        var digits = 2
        var size = abs(value)
        while size >= 10, digits > 0 { (size, digits) = (size / 10, digits - 1) }
        while size < 1, digits < 6 { (size, digits) = (size * 10, digits + 1) }
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        let rounded = (Double(value) * factor).rounded() / factor
        return rounded == rounded.rounded() && abs(rounded) < 1e9 ? String(Int(rounded)) : "\(rounded)"
    }

    // MARK: Captions

    /// Lengthens the picture at its bottom by a white strip with a text, broken between words where it is too long for one line.
    public mutating func addCaption(_ text: String) {
        let margin = 4 * unit
        let room = max(1, (image.width - 2 * margin + unit) / (BitmapFont.advance * unit))
        var lines = [""]
        for word in text.split(whereSeparator: \.isWhitespace) {
            var rest = word
            // A word longer than a line is broken anywhere.
            while !rest.isEmpty {
                let line = lines[lines.count - 1]
                let space = line.isEmpty ? 0 : 1
                if line.count + space + rest.count <= room {
                    lines[lines.count - 1] = line + (space == 1 ? " " : "") + rest
                    rest = ""
                } else if line.isEmpty {
                    lines[lines.count - 1] = String(rest.prefix(room))
                    rest = rest.dropFirst(room)
                    if !rest.isEmpty { lines.append("") }
                } else {
                    lines.append("")
                }
            }
        }
        let step = (BitmapFont.height + 2) * unit
        var tall = Image(width: image.width, height: image.height + 2 * margin + lines.count * step - 2 * unit, color: .white)
        tall.paste(image, x: 0, y: 0)
        let top = image.height + margin
        image = tall
        for (i, line) in lines.enumerated() { drawText(line, x: margin, y: top + i * step, color: .black) }
    }
}

extension Image {
    /// Copies another image into this one, which must have room for it.
    mutating func paste(_ other: Image, x: Int, y: Int) {
        for row in 0..<other.height {
            let start = ((y + row) * width + x) * 3
            pixels.replaceSubrange(
                start..<start + other.width * 3, with: other.pixels[row * other.width * 3..<(row + 1) * other.width * 3])
        }
    }
}
