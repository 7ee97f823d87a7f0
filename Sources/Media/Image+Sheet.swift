extension Image {
    /// Pictures in a row, tops aligned, on white.
    /// - Parameter gap: pixels between neighbours.
    public init(sideBySide pictures: [Image], gap: Int) {
        self.init(
            width: pictures.reduce(max(0, pictures.count - 1) * gap) { $0 + $1.width },
            height: pictures.map(\.height).max() ?? 0, color: .white)
        var x = 0
        for picture in pictures {
            paste(picture, x: x, y: 0)
            x += picture.width + gap
        }
    }

    /// Pictures in a column, left sides aligned, on white.
    /// - Parameter gap: pixels between neighbours.
    public init(stacked pictures: [Image], gap: Int) {
        self.init(
            width: pictures.map(\.width).max() ?? 0,
            height: pictures.reduce(max(0, pictures.count - 1) * gap) { $0 + $1.height }, color: .white)
        var y = 0
        for picture in pictures {
            paste(picture, x: 0, y: y)
            y += picture.height + gap
        }
    }
}
