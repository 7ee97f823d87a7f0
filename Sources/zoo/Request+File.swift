import Media
import ModelKit

extension Request {
    /// A picture in a file, decoded as the model's preprocessing wants it.
    init(_ path: String, preprocessing: Preprocessing?, questions: [String] = []) throws(MediaError) {
        let image = try Image(contentsOf: path, options: preprocessing?.decodingOptions ?? .init())
        self.init(name: path, image: image, questions: questions)
    }
}

extension JSONValue {
    var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    /// The first element of a list.
    var first: JSONValue? { if case .array(let elements) = self { elements.first } else { nil } }
}
