import ModelKit

/// Boxes of a picture in a JSON file: a list of `[x, y, w, h]` or `{"x", "y", "width", "height"}`, in pixels of the original from
/// its left upper corner.
struct BoxFile {
    private let path: String
    private let places: [String]
    /// In the file's order, at least one.
    let boxes: [Regions.Rectangle]

    /// - Throws: `CardError` where the file cannot be read or is no JSON, ``Failure`` with the number of the wrong entry, from 1.
    init(_ path: String) throws {
        self.path = path
        let root = try JSONDocument(contentsOf: path).root
        guard case .array = JSONValue(root) else {
            throw Failure(.badData, "\(path): expected a list of boxes, as in [[10, 20, 100, 50]]")
        }
        let entries = root.elements
        guard !entries.isEmpty else {
            throw Failure(.badData, "\(path): there is no box in the list; write one, as in [[10, 20, 100, 50]]")
        }
        var boxes: [Regions.Rectangle] = [], places: [String] = []
        for (number, node) in entries.enumerated() {
            let place = "\(path):\(node.place.line):\(node.place.column): box \(number + 1)"
            guard let box = Self.box(JSONValue(node)) else {
                let text = node.source.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(60)
                throw Failure(
                    .badData, "\(place): expected four numbers, [x, y, w, h] or {\"x\", \"y\", \"width\", \"height\"}, not \(text)")
            }
            guard box.width > 0, box.height > 0 else {
                throw Failure(.badData, "\(place): has no area; width and height must be greater than 0")
            }
            boxes.append(box)
            places.append(place)
        }
        (self.boxes, self.places) = (boxes, places)
    }

    /// - Throws: ``Failure`` for a box of which nothing is in a picture of this size.
    func check(width: Int, height: Int) throws {
        for (box, place) in zip(boxes, places)
        where box.x >= Float(width) || box.y >= Float(height) || box.x + box.width <= 0 || box.y + box.height <= 0 {
            throw Failure(.badData, "\(place): lies outside of the picture, which is \(width)×\(height) pixels; correct it")
        }
    }

    /// Nil for anything else than four numbers that a picture can have.
    private static func box(_ value: JSONValue) -> Regions.Rectangle? {
        let numbers: [Double?]
        switch value {
        case .array(let elements): numbers = elements.map(\.double)
        case .object(let members):
            let keys = ["x", "y", "width", "height"]
            guard Set(members.map(\.key)) == Set(keys) else { return nil }
            numbers = keys.map { value[$0]?.double }
        default: return nil
        }
        let found = numbers.compactMap(\.self).filter { abs($0) < 1e6 }.map { Float($0) }
        guard found.count == 4, numbers.count == 4 else { return nil }
        return Regions.Rectangle(x: found[0], y: found[1], width: found[2], height: found[3])
    }
}
