/// What is to be seen in a picture and where, in falling order of how sure the model is that there is something.
public struct Regions: Prediction {
    /// From the left upper corner of a picture, in its pixels. What leaves the picture is left as the model says it.
    public struct Rectangle: Codable, Sendable, Equatable {
        public var x: Float, y: Float
        public var width: Float, height: Float
        public init(x: Float, y: Float, width: Float, height: Float) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }
    }

    public struct Region: Codable, Sendable, Equatable {
        public let text: String
        /// Of the words and the end of the phrase, natural logarithm.
        public let logProbability: Float
        /// Above 0 where there rather is something than nothing: the argument of a logistic function.
        public let score: Float
        public let box: Rectangle

        public init(text: String, logProbability: Float, score: Float, box: Rectangle) {
            (self.text, self.logProbability, self.score, self.box) = (text, logProbability, score, box)
        }
    }

    public let text: String
    public let regions: [Region]
    /// Where the model looked, the most promising first, if that was asked for.
    public let proposals: [Rectangle]?

    public var texts: [String] { regions.map(\.text) }

    public var annotations: [Annotation] {
        regions.map { region in
            let box = region.box
            return .box(x1: box.x, y1: box.y, x2: box.x + box.width, y2: box.y + box.height, label: region.text)
        }
    }

    public init(_ regions: [Region], proposals: [Rectangle]? = nil) {
        (self.regions, self.proposals) = (regions, proposals)
        text = regions.map(\.text).joined(separator: "; ")
    }
}
