/// What a model is for. It decides what a card must have and what the model is asked with.
public enum ModelTask: String, Sendable, Hashable, Codable, CaseIterable {
    case imageCaptioning = "image-captioning"
    case denseCaptioning = "dense-captioning"
    case visualQuestionAnswering = "visual-question-answering"
    case videoCaptioning = "video-captioning"
    case imageFeatureExtraction = "image-feature-extraction"
    case imageClassification = "image-classification"
    case videoClassification = "video-classification"

    public enum InputKind: String, Sendable, Hashable, Codable, CaseIterable { case image, text, video }

    /// What a model of this task takes.
    public var inputs: [InputKind] {
        switch self {
        case .imageCaptioning, .denseCaptioning, .imageFeatureExtraction, .imageClassification: [.image]
        case .visualQuestionAnswering: [.image, .text]
        case .videoCaptioning, .videoClassification: [.video]
        }
    }

    /// Keys that are optional in general and that a card for this task cannot do without.
    var neededKeys: [String] {
        switch self {
        case .imageCaptioning, .denseCaptioning, .videoCaptioning: ["preprocess", "vocabulary"]
        case .visualQuestionAnswering: ["preprocess", "vocabulary", "answers"]
        case .imageFeatureExtraction, .imageClassification: ["preprocess", "backbone"]
        case .videoClassification: ["frames", "preprocess", "backbone", "answers"]
        }
    }
}
