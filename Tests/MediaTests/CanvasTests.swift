import Media
import Testing

@Suite struct CanvasTests {
    static let gray = Color(120, 120, 120)

    @Test func drawsTheOutlineOfABoxAndNothingElse() {
        var canvas = Canvas(Image(width: 60, height: 50, color: Self.gray))
        #expect(canvas.unit == 1)
        canvas.drawBox(Rectangle(x: 10, y: 12, width: 30, height: 20), color: Color(255, 0, 0), lineWidth: 3)
        let dimmed = Color(60, 60, 60)
        for y in 0..<50 {
            for x in 0..<60 {
                let inside = (10..<40).contains(x) && (12..<32).contains(y)
                let hole = (13..<37).contains(x) && (15..<29).contains(y)
                let halo = (9..<41).contains(x) && (11..<33).contains(y)
                let inner = (14..<36).contains(x) && (16..<28).contains(y)
                let expected =
                    inside && !hole ? Color(255, 0, 0) : inside ? (inner ? Self.gray : dimmed) : (halo ? dimmed : Self.gray)
                #expect(canvas.image[x, y] == expected, "(\(x), \(y))")
            }
        }
    }

    @Test(arguments: [
        Rectangle(x: -20, y: -20, width: 200, height: 200), Rectangle(x: 0, y: 0, width: 1e300, height: .infinity),
        Rectangle(x: 5.4, y: 5.4, width: 0.1, height: 0.1), Rectangle(x: -50, y: 0, width: 10, height: 10),
        Rectangle(x: .nan, y: 0, width: 10, height: 10), Rectangle(x: 3, y: 3, width: -1, height: 5),
        Rectangle(x: -.infinity, y: 0, width: .infinity, height: 3),
    ])
    func takesAnyBox(_ box: Rectangle) {
        var canvas = Canvas(Image(width: 40, height: 30, color: Self.gray))
        canvas.drawBox(box, color: .white, lineWidth: 1, label: "label")
        let empty = box.x.isNaN || box.width < 0 || box.x <= -50
        #expect((canvas.image == Image(width: 40, height: 30, color: Self.gray)) == empty)
    }

    /// Labels of boxes in one place go elsewhere, as long as there is room; each is a patch of 44 × 12 pixels less its letters.
    @Test func labelsDoNotCoverEachOther() {
        let colors = (0..<16).map { Color(250, UInt8(10 * $0), 0) }
        var canvas = Canvas(Image(width: 160, height: 120, color: Self.gray), unit: 1)
        let boxes = colors.map { _ in (box: Rectangle(x: 60, y: 50, width: 8, height: 6), label: Optional("a label")) }
        canvas.drawBoxes(boxes, colors: colors)
        var counts: [Color: Int] = [:]
        for y in 0..<120 { for x in 0..<160 { counts[canvas.image[x, y], default: 0] += 1 } }
        // The first box lies on top and has its outline, too.
        let patches = colors.dropFirst().map { counts[$0] ?? 0 }
        #expect(Set(patches).count == 1 && patches[0] > 300, "\(patches)")
        // The unit is the picture's unless it is given.
        #expect(Canvas(Image(width: 448, height: 448, color: .black)).unit == 2 && canvas.unit == 1)
    }

    /// Bright where the map is high, dark where it is low, and nowhere black.
    @Test func dimsWhatWasNotLookedAt() {
        var canvas = Canvas(Image(width: 8, height: 4, color: Color(200, 100, 40)))
        canvas.dim(outside: HeatMap(rows: 1, columns: 2, values: [0.25, 1], range: 0...1), floor: 0.2)
        // 0.2 + 0.8 · √0.25 on the left.
        #expect(canvas.image[0, 0] == Color(120, 60, 24))
        #expect(canvas.image[7, 3] == Color(200, 100, 40))
    }

    @Test func putsPicturesBesideAndBelowEachOther() {
        let red = Image(width: 2, height: 3, color: Color(255, 0, 0)), blue = Image(width: 1, height: 1, color: Color(0, 0, 255))
        let row = Image(sideBySide: [red, blue], gap: 2), column = Image(stacked: [red, blue], gap: 1)
        #expect((row.width, row.height) == (5, 3) && (column.width, column.height) == (2, 5))
        #expect(row[1, 2] == Color(255, 0, 0) && row[2, 0] == .white && row[4, 0] == Color(0, 0, 255) && row[4, 1] == .white)
        #expect(column[1, 2] == Color(255, 0, 0) && column[0, 3] == .white && column[0, 4] == Color(0, 0, 255))
    }

    @Test func writesLetters() {
        var canvas = Canvas(Image(width: 20, height: 12, color: .black))
        canvas.drawText("Tj", x: 1, y: 1, color: .white)
        let rows = (0..<12).map { y in String((0..<14).map { x in canvas.image[x, y] == .white ? "#" : "." }) }
        #expect(
            rows == [
                "..............",
                ".#####....#...",
                "...#..........",
                "...#.....##...",
                "...#......#...",
                "...#......#...",
                "...#......#...",
                "...#......#...",
                "..........#...",
                "........##....",
                "..............",
                "..............",
            ])
    }

    @Test func everyLetterIsAnother() {
        func drawn(_ character: Character) -> [UInt8] {
            var canvas = Canvas(Image(width: 6, height: 9, color: .black))
            canvas.drawText(String(character), x: 0, y: 0)
            return canvas.image.pixels
        }
        let letters = (32..<127).map { drawn(Character(UnicodeScalar($0)!)) }
        #expect(Set(letters).count == 95)
        #expect(drawn("漢") == drawn("é") && !letters.contains(drawn("漢")))
        #expect(drawn("\u{2019}") == drawn("'"))
    }

    @Test func largeLettersCoverTheSameGroundAsSmallOnes() {
        for scale in [2, 3, 4, 7] {
            var small = Canvas(Image(width: 30, height: 9, color: .black))
            var large = Canvas(Image(width: 30 * scale, height: 9 * scale, color: .black))
            small.drawText("Ag%/k", x: 0, y: 0, scale: 1)
            large.drawText("Ag%/k", x: 0, y: 0, scale: scale)
            for y in 0..<9 {
                for x in 0..<30 where small.image[x, y] == .white { #expect(large.image[x * scale, y * scale] == .white) }
            }
            #expect(small.textSize("Ag%/k", scale: scale).width == 29 * scale)
        }
    }

    @Test func textBeyondThePictureIsCutOff() {
        var canvas = Canvas(Image(width: 10, height: 8, color: .black))
        canvas.drawText("WWWWWW", x: -3, y: -2)
        canvas.drawText("WWWWWW", x: 7, y: 6)
        canvas.drawText("WWWWWW", x: 100, y: 100, background: .white)
        #expect(canvas.image[9, 7] == .black || canvas.image[9, 7] == .white)
    }

    @Test func labelsAreReadableAndKeepApart() {
        for color in Color.palette + [Self.gray, .black] {
            #expect(color.contrast(with: color.readableInk) >= 4.5)
        }
        #expect(abs(Color.black.contrast(with: .white) - 21) < 0.001)
        #expect(Color.white.readableInk == .black && Color(0, 114, 178).readableInk == .white)

        // Two boxes of the same place: the second label goes elsewhere, and the first stays as it was.
        var canvas = Canvas(Image(width: 200, height: 160, color: Self.gray))
        let box = Rectangle(x: 40, y: 50, width: 80, height: 60)
        canvas.drawBox(box, color: Color.palette[0], label: "first")
        let before = (30..<50).map { canvas.image[42, $0] }
        canvas.drawBox(box, color: Color.palette[1], label: "second")
        #expect((38..<48).allSatisfy { canvas.image[41, $0] == Color.palette[0] || canvas.image[41, $0] == .black })
        #expect((30..<48).map { canvas.image[42, $0] } == Array(before.prefix(18)))
        #expect((0..<160).contains { canvas.image[41, $0] == Color.palette[1] && $0 > 112 })
    }

    @Test func allLabelsLieOverAllBoxes() {
        var canvas = Canvas(Image(width: 200, height: 160, color: Self.gray))
        canvas.drawBoxes([
            (Rectangle(x: 40, y: 50, width: 80, height: 60), "below"), (Rectangle(x: 30, y: 40, width: 60, height: 100), "above"),
        ])
        // The upper side of the second box passes through the first one's label, which hides it.
        #expect((41..<72).allSatisfy { [Color.palette[0], .black].contains(canvas.image[$0, 40]) })
        #expect(canvas.image[80, 40] == Color.palette[1])
    }

    @Test func viridis() {
        // Values of the original map of 256 colours.
        for (value, color) in [
            (0, Color(68, 1, 84)), (64, Color(59, 82, 139)), (128, Color(33, 145, 140)), (191, Color(94, 201, 98)),
            (255, Color(253, 231, 37)),
        ] {
            let ours = Color.viridis(Float(value) / 255)
            for (a, b) in [(ours.red, color.red), (ours.green, color.green), (ours.blue, color.blue)] {
                #expect(abs(Int(a) - Int(b)) <= 3)
            }
        }
        let luminances = (0...100).map { Color.viridis(Float($0) / 100).luminance }
        #expect(zip(luminances, luminances.dropFirst()).allSatisfy { $0 < $1 })
        #expect(
            Color.viridis(.nan) == Color.viridis(0) && Color.viridis(-.infinity) == Color.viridis(0)
                && Color.viridis(9) == Color.viridis(1))
    }

    @Test func heatMapsAreInterpolatedBetweenTheMiddlesOfCells() {
        var canvas = Canvas(Image(width: 8, height: 4, color: .black))
        canvas.overlay(HeatMap(rows: 1, columns: 2, values: [3, 5]), opacity: 1)
        // Columns 0 and 1 lie left of the first middle, 6 and 7 right of the last.
        let expected: [Float] = [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]
        for x in 0..<8 {
            let color = Color.viridis((expected[x] * 255).rounded() / 255)
            for y in 0..<4 { #expect(canvas.image[x, y] == color) }
        }
        var half = Canvas(Image(width: 2, height: 2, color: Color(100, 100, 100)))
        half.overlay(HeatMap(rows: 1, columns: 1, values: [7]), opacity: 0.5)
        #expect(half.image[0, 0] == Color(84, 51, 92))
        // No range, no numbers: still a picture.
        half.overlay(HeatMap(rows: 2, columns: 1, values: [.nan, .infinity]))
        #expect(half.image.width == 2)
    }

    @Test func colorBar() {
        let image = Image(width: 100, height: 80, color: Self.gray)
        var canvas = Canvas(image)
        canvas.addColorBar(for: HeatMap(rows: 1, columns: 2, values: [0, 0.123456]))
        #expect(canvas.image.height == 80 && canvas.image.width > 110)
        #expect(canvas.image.cropped(x: 0, y: 0, width: 100, height: 80) == image)
        let column = (0..<80).map { canvas.image[104, $0] }
        let bar = column.filter { $0 != .white && $0 != .black }
        #expect(bar.count > 40 && zip(bar, bar.dropFirst()).allSatisfy { $0.luminance >= $1.luminance })
    }

    @Test func captions() {
        let image = Image(width: 64, height: 20, color: Self.gray)
        var short = Canvas(image)
        var long = Canvas(image)
        short.addCaption("a cat")
        long.addCaption("a cat on a mat, and Donaudampfschifffahrtsgesellschaft")
        #expect(short.image.width == 64 && short.image.height == 20 + 8 + 9)
        #expect(long.image.height > short.image.height)
        #expect(long.image.cropped(x: 0, y: 0, width: 64, height: 20) == image)
        var none = Canvas(Image(width: 1, height: 1))
        none.addCaption("tiny")
        #expect(none.image.width == 1)
    }
}
