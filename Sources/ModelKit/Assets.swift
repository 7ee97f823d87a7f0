public import Language
public import Media
public import NeuralNetworks
public import Tensors

/// What a card gives a model besides hyper-parameters and weights.
public struct Assets: Sendable {
    public var backend: any Backend
    /// Which frames of a video are looked at.
    public var frames: FrameSelection?
    public var preprocessing: Preprocessing?
    public var backbone: BackboneDescription?
    public var vocabulary: Vocabulary?
    public var tokenizer: Tokenizer?
    /// The classes or answers by index.
    public var labels: [String]

    public init(
        backend: any Backend, preprocessing: Preprocessing? = nil, backbone: BackboneDescription? = nil,
        vocabulary: Vocabulary? = nil, tokenizer: Tokenizer? = nil, labels: [String] = []
    ) {
        self.backend = backend
        self.preprocessing = preprocessing
        self.backbone = backbone
        self.vocabulary = vocabulary
        self.tokenizer = tokenizer
        self.labels = labels
    }
}

extension Assets {
    /// The backbone, for a model that cannot do without.
    public func requiredBackbone() throws(InputError) -> BackboneDescription {
        guard let backbone else { throw .missingAsset("backbone") }
        return backbone
    }

    /// The classes or answers, for a model that cannot do without.
    public func requiredLabels() throws(InputError) -> [String] {
        guard !labels.isEmpty else { throw .missingAsset("answers") }
        return labels
    }
}

/// A CNN as cards describe it, references resolved.
public struct BackboneDescription: Sendable {
    /// `[height, width, channels]`.
    public var input: Shape
    public var layers: [NamedLayer]
    /// The layer whose result is used; `nil`: the last.
    public var tap: String?

    public init(input: Shape, layers: [NamedLayer], tap: String? = nil) {
        (self.input, self.layers, self.tap) = (input, layers, tap)
    }

    public func make(in scope: ParameterScope) throws -> Backbone {
        try Backbone(layers, input: input, tap: tap, in: scope)
    }
}
