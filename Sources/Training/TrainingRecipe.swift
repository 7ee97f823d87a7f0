public import Language
public import ModelKit
public import NeuralNetworks

/// How a model is trained: the file a card's `training.recipe` names, with the options of `zoo train` on top.
public struct TrainingRecipe: Decodable, Sendable {
    public enum OptimizerSpec: Decodable, Sendable {
        case sgd(learningRate: Float, momentum: Float)
        case rmsprop(learningRate: Float, decay: Float)
        case adam(learningRate: Float, beta1: Float, beta2: Float, weightDecay: Float)

        public var learningRate: Float {
            get {
                switch self {
                case .sgd(let rate, _), .rmsprop(let rate, _), .adam(let rate, _, _, _): rate
                }
            }
            set {
                switch self {
                case .sgd(_, let momentum): self = .sgd(learningRate: newValue, momentum: momentum)
                case .rmsprop(_, let decay): self = .rmsprop(learningRate: newValue, decay: decay)
                case .adam(_, let b1, let b2, let decay):
                    self = .adam(learningRate: newValue, beta1: b1, beta2: b2, weightDecay: decay)
                }
            }
        }

        func make() -> any Optimizer {
            switch self {
            case .sgd(let rate, let momentum): SGD(learningRate: rate, momentum: momentum)
            case .rmsprop(let rate, let decay): RMSProp(learningRate: rate, decay: decay)
            case .adam(let rate, let beta1, let beta2, let decay):
                Adam(learningRate: rate, beta1: beta1, beta2: beta2, weightDecay: decay)
            }
        }

        private enum Kind: String, Decodable, CaseIterable { case sgd, rmsprop, adam }
        private enum CodingKeys: String, CodingKey {
            case kind, momentum, decay, beta1, beta2
            case learningRate = "learning_rate"
            case weightDecay = "weight_decay"
        }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            /// A share of what is remembered, from 0 and below 1.
            func share(_ key: CodingKeys, _ fallback: Float) throws -> Float {
                let value = try json.decodeIfPresent(Float.self, forKey: key) ?? fallback
                guard 0 <= value, value < 1 else {
                    throw DecodingError.dataCorruptedError(
                        forKey: key, in: json, debugDescription: "a number from 0 and below 1 was expected, not \(value)")
                }
                return value
            }
            let rate = try json.decodeNonnegative(.learningRate)
            switch try json.decode(Kind.self, forKey: .kind) {
            case .sgd: self = .sgd(learningRate: rate, momentum: try share(.momentum, 0))
            case .rmsprop: self = .rmsprop(learningRate: rate, decay: try share(.decay, 0.999))
            case .adam:
                self = .adam(
                    learningRate: rate, beta1: try share(.beta1, 0.9), beta2: try share(.beta2, 0.999),
                    weightDecay: json.contains(.weightDecay) ? try json.decodeNonnegative(.weightDecay) : 0)
            }
        }
    }

    /// Phase 2: the backbone learns too, with a rate of its own and no cache.
    public struct FineTuning: Decodable, Sendable {
        public var epochs: Int
        public var learningRate: Float
        public var schedule: LearningRateSchedule
        /// The backbone's own rule; nil: that of all other parameters.
        public var optimizer: OptimizerSpec?
        /// The first layer of the backbone that learns, one of its outermost list; nil: the first of all.
        public var firstLayer: String?
        private enum CodingKeys: String, CodingKey {
            case epochs, schedule, optimizer
            case learningRate = "learning_rate"
            case firstLayer = "first_layer"
        }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            epochs = try json.decode(Int.self, forKey: .epochs)
            learningRate = try json.decodeNonnegative(.learningRate)
            schedule = try json.decodeIfPresent(LearningRateSchedule.self, forKey: .schedule) ?? .constant
            optimizer = try json.decodeIfPresent(OptimizerSpec.self, forKey: .optimizer)
            firstLayer = try json.decodeIfPresent(String.self, forKey: .firstLayer)
            guard epochs >= 0 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .epochs, in: json, debugDescription: "a whole number from 0 was expected, not \(epochs)")
            }
        }
    }

    /// Phase 2, instead of fine-tuning: the model learns from the CIDEr of sentences that it draws itself, against their mean
    /// (Rennie et al., "Self-critical Sequence Training for Image Captioning", CVPR 2017).
    public struct SelfCritical: Decodable, Sendable {
        public var epochs: Int
        public var learningRate: Float
        /// Sentences per photo.
        public var samples: Int
        private enum CodingKeys: String, CodingKey {
            case epochs, samples
            case learningRate = "learning_rate"
        }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            epochs = try json.decodePositive(.epochs)
            learningRate = try json.decodeNonnegative(.learningRate)
            samples = try json.decodePositive(.samples)
            guard (2...100).contains(samples) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .samples, in: json, debugDescription: "a whole number from 2 to 100 was expected, not \(samples)")
            }
        }
    }

    /// Which epoch's weights are kept.
    public enum Criterion: String, Decodable, Sendable, CaseIterable { case loss, cider, accuracy }

    /// What becomes of the backbone.
    public enum Backbone: String, Decodable, Sendable, CaseIterable {
        /// It stays as it is, and its encodings are computed once.
        case frozen
        /// It learns from the first epoch on, with everything else.
        case trained
    }

    /// Which answers a model can give.
    public struct AnswerSelection: Decodable, Sendable {
        /// At most so many, the most frequent first.
        public var limit: Int
        /// Those given at least so often in the training data.
        public var minimumCount: Int
        /// Where several people answered: whether an answer is drawn anew every time (SAN), or the most frequent is learnt.
        public var areSampled: Bool
        private enum CodingKeys: String, CodingKey {
            case limit
            case minimumCount = "min_count"
            case areSampled = "sampled"
        }
        public init(limit: Int = 1000, minimumCount: Int = 1, areSampled: Bool = false) {
            (self.limit, self.minimumCount, self.areSampled) = (limit, minimumCount, areSampled)
        }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            limit = json.contains(.limit) ? try json.decodePositive(.limit) : 1000
            minimumCount = json.contains(.minimumCount) ? try json.decodePositive(.minimumCount) : 1
            areSampled = try json.decodeIfPresent(Bool.self, forKey: .areSampled) ?? false
        }

        /// The answers of a data set that a model will know, the most frequent first, of equals the one that comes first in
        /// the alphabet.
        public func chosen(from given: [String]) -> [String] {
            let counts = Dictionary(given.map { ($0, 1) }, uniquingKeysWith: +)
            return counts.filter { $0.value >= minimumCount }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .prefix(limit).map(\.key)
        }
    }

    public var epochs: Int
    public var batch: Int
    public var optimizer: OptimizerSpec
    public var schedule: LearningRateSchedule
    public var clipping: GradientClipping
    /// Epochs without improvement on the development set after which training stops.
    public var patience: Int
    public var keep: Criterion
    /// Words rarer than this in the training captions are unknown.
    public var minimumCount: Int
    public var backbone: Backbone
    /// Views of every photo: the photo itself, its mirror image, then random crops.
    public var views: Int
    /// How many photos statistics are taken from, where a model has any (``ModelKit/TrainableModel/fitStatistics(to:random:)``).
    public var statisticsPhotos: Int
    public var answers: AnswerSelection
    public var seed: UInt64
    public var fineTuning: FineTuning?
    public var selfCritical: SelfCritical?

    private enum CodingKeys: String, CodingKey {
        case epochs, batch, optimizer, schedule, clipping, patience, keep, views, seed, backbone, answers
        case statisticsPhotos = "statistics_photos"
        case minimumCount = "min_count"
        case fineTuning = "fine_tuning"
        case selfCritical = "self_critical"
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func whole(_ key: CodingKeys, _ range: ClosedRange<Int>, _ fallback: Int) throws -> Int {
            let value = try json.decodeIfPresent(Int.self, forKey: key) ?? fallback
            guard range.contains(value) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: json,
                    debugDescription: "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(value)")
            }
            return value
        }
        epochs = try whole(.epochs, 0...10_000, 20)
        batch = try whole(.batch, 1...100_000, 100)
        optimizer = try json.decode(OptimizerSpec.self, forKey: .optimizer)
        schedule = try json.decodeIfPresent(LearningRateSchedule.self, forKey: .schedule) ?? .constant
        clipping = try json.decodeIfPresent(GradientClipping.self, forKey: .clipping) ?? .none
        patience = try whole(.patience, 1...10_000, 5)
        keep = try json.decodeIfPresent(Criterion.self, forKey: .keep) ?? .loss
        minimumCount = try whole(.minimumCount, 1...1_000_000, 4)
        backbone = try json.decodeIfPresent(Backbone.self, forKey: .backbone) ?? .frozen
        views = try whole(.views, 1...64, 1)
        statisticsPhotos = try whole(.statisticsPhotos, 1...1_000_000, 500)
        answers = try json.decodeIfPresent(AnswerSelection.self, forKey: .answers) ?? AnswerSelection()
        seed = try json.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
        fineTuning = try json.decodeIfPresent(FineTuning.self, forKey: .fineTuning)
        selfCritical = try json.decodeIfPresent(SelfCritical.self, forKey: .selfCritical)
        if fineTuning != nil, selfCritical != nil {
            throw DecodingError.dataCorruptedError(
                forKey: .selfCritical, in: json,
                debugDescription:
                    "either fine_tuning or self_critical: the second learns on encodings that the first would outdate")
        }
        if backbone == .trained, fineTuning != nil || selfCritical != nil {
            throw DecodingError.dataCorruptedError(
                forKey: .backbone, in: json,
                debugDescription: "fine_tuning and self_critical follow a phase with a frozen backbone; leave them out")
        }
        switch clipping {
        case .value(let limit) where !(limit > 0), .globalNorm(let limit) where !(limit > 0):
            throw DecodingError.dataCorruptedError(
                forKey: .clipping, in: json, debugDescription: "a limit above 0 was expected, not \(limit)")
        default: break
        }
    }
}

extension TrainingRecipe {
    /// The layers of a backbone that stay as they are while the rest of it learns, by name.
    /// - Throws: `LayerError.unknownTap` for a first layer that the backbone does not have.
    public func frozenLayers(of backbone: BackboneDescription?) throws(LayerError) -> Set<String> {
        guard let first = fineTuning?.firstLayer, let layers = try backbone?.tapped() else { return [] }
        guard let index = layers.firstIndex(where: { $0.name == first }) else {
            throw .unknownTap(first, known: layers.compactMap(\.name))
        }
        return Set(layers[..<index].flatMap(\.names))
    }
}

extension NamedLayer {
    /// Its own and those of the layers within.
    fileprivate var names: [String] {
        let within: [NamedLayer] =
            switch layer {
            case .residual(let main, let shortcut, _): main + shortcut
            case .concatenate(let branches): branches.flatMap(\.self)
            default: []
            }
        return [name].compactMap(\.self) + within.flatMap(\.names)
    }
}

extension KeyedDecodingContainer {
    func decodeNonnegative(_ key: Key) throws -> Float {
        let value = try decode(Float.self, forKey: key)
        guard value >= 0, value.isFinite else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "a number from 0 was expected, not \(value)")
        }
        return value
    }

    func decodePositive(_ key: Key) throws -> Int {
        let value = try decode(Int.self, forKey: key)
        guard value > 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "a whole number from 1 was expected, not \(value)")
        }
        return value
    }
}
