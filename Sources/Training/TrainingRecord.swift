public import ModelKit

/// A photo of a data set with what people said about it.
public struct TrainingRecord: Sendable {
    /// One thing to be learnt about a photo.
    public struct Lesson: Sendable, Hashable {
        /// What is asked; nil where the task has no questions.
        public var question: String?
        /// What people said, the most frequent first, others as often as they were said; training draws one.
        public var targets: [String]

        public init(question: String? = nil, targets: [String]) { (self.question, self.targets) = (question, targets) }

        /// What is to be learnt about the mirror image: what is on the left is on its right.
        package var mirrored: Lesson { Lesson(question: question.map(Self.mirrored), targets: targets) }

        static func mirrored(_ text: String) -> String {
            text.split(separator: " ", omittingEmptySubsequences: false).map { word in
                switch word {
                case "left": "right"
                case "right": "left"
                default: String(word)
                }
            }.joined(separator: " ")
        }
    }

    /// Reads the photo.
    public var request: @Sendable () throws -> Request
    public var lessons: [Lesson]

    public init(lessons: [Lesson], request: @escaping @Sendable () throws -> Request) {
        (self.lessons, self.request) = (lessons, request)
    }

    /// A photo with captions.
    public init(captions: [String], request: @escaping @Sendable () throws -> Request) {
        self.init(lessons: captions.map { Lesson(targets: [$0]) }, request: request)
    }

    /// What is asked about the photo, in the lessons' order.
    var questions: [String] { lessons.compactMap(\.question) }
    var captions: [String] { lessons.flatMap(\.targets) }
}
