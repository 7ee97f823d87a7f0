import Media
import ModelKit

/// What a model looked at before it answered: the picture, and beside it the picture again for every look, bright where the
/// model looked; below, the question and the answer.
struct AttentionPicture {
    let image: Image

    /// Wide enough for a sentence in letters that can be read, small enough for a screen.
    private static let panelSide = 448

    /// - Parameter answers: of one question about `photo`.
    init(_ photo: Image, _ answers: Answers) {
        let panel = Self.panel(photo)
        var panels = [panel]
        for (look, map) in answers.attention.enumerated() {
            // The map's own range: a weight twice the average is what matters, whatever the number of regions.
            let heat = HeatMap(rows: map.rows, columns: map.columns, values: map.weights)
            var canvas = Canvas(panel)
            canvas.dim(outside: heat)
            canvas.drawText("look \(look + 1)", x: 6 * canvas.unit, y: 6 * canvas.unit, background: .black)
            panels.append(canvas.image)
        }
        var sheet = Canvas(Image(sideBySide: panels, gap: 8))
        sheet.addCaption("\(answers.question)  ->  \(Self.said(answers))")
        image = sheet.image
    }

    /// The pictures of several questions, one below the other.
    init(_ photo: Image, _ answers: [Answers]) {
        image = Image(stacked: answers.map { AttentionPicture(photo, $0).image }, gap: 8)
    }

    private static func panel(_ photo: Image) -> Image {
        let scale = Double(panelSide) / Double(max(photo.width, photo.height, 1))
        return photo.resized(
            width: max(1, Int((Double(photo.width) * scale).rounded())),
            height: max(1, Int((Double(photo.height) * scale).rounded())))
    }

    private static func said(_ answers: Answers) -> String {
        guard let best = answers.answers.first else { return answers.text }
        return "\(answers.text) (\(Figure.formatted(Double(best.probability) * 100, "%.0f")) %)"
    }
}
