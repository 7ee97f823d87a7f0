import Media
import ModelKit

extension Request {
    /// A picture in a file, decoded as the model's preprocessing wants it.
    init(_ path: String, preprocessing: Preprocessing?, questions: [String] = []) throws(MediaError) {
        let image = try Image(contentsOf: path, options: preprocessing?.decodingOptions ?? .init())
        self.init(name: path, image: image, questions: questions)
    }
}

extension Request {
    /// A video in a file, in a folder of frames, or on standard input.
    init(video path: String, sampling: FrameSampling?, watcher: @escaping @Sendable (VideoFrame) -> Void) {
        var clip = Clip(.path(path), sampling: sampling)
        clip.watcher = watcher
        self.init(name: path, clip: clip)
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
