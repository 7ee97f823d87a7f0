public import NeuralNetworks

extension DenseCap {
    /// What a card of this architecture can set. What it does not say is as the released code has it.
    public struct Hyperparameters: Decodable, Sendable {
        /// Widths and heights in pixels of the preprocessed picture.
        package var anchors: [Anchors.Shape]
        /// Of the convolution that looks for proposals.
        public var proposalFilters: Int
        /// How many proposals are recognised at most, and how much two of them may overlap.
        public var proposals: Int
        public var proposalOverlap: Float
        /// Whether the backbone's features are standardised by what training photos show.
        public var standardizesFeatures: Bool
        /// The grid that each proposal is brought to: rows and columns.
        public var grid: [Int]
        /// The widths of the linear layers that recognise a proposal.
        public var recognition: [Int]
        public var recognitionDropout: Float
        /// The width of a word's and of a region's vector.
        public var embedding: Int
        public var hidden: Int
        public var lstm: LSTMSpec
        /// Whether the table of words has a row more, for what follows the end of a sentence. It is read and never learnt from.
        public var nullRow: Bool
        /// Longer phrases are cut to this while training.
        public var maximumWords: Int
        package var sampler: BoxSampler
        package var losses: Losses.Weights

        private enum CodingKeys: String, CodingKey {
            case anchors, proposals, grid, recognition, embedding, hidden, lstm, sampler, losses
            case anchorScale = "anchor_scale"
            case proposalFilters = "proposal_filters"
            case proposalOverlap = "proposal_overlap"
            case recognitionDropout = "recognition_dropout"
            case nullRow = "null_row"
            case standardizesFeatures = "standardize_features"
            case maximumWords = "max_words"
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            let scale = try json.decodeIfPresent(Float.self, forKey: .anchorScale) ?? 1
            let sides = try json.decodeIfPresent([[Float]].self, forKey: .anchors)
            anchors = try (sides?.map(Self.shape) ?? Anchors.released).map { shape in
                let (width, height) = (shape.width * scale, shape.height * scale)
                guard width >= 1, height >= 1, max(width, height) <= 16384 else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .anchors, in: json,
                        debugDescription: "an anchor is [width, height], each from 1 to 16384 pixels when scaled")
                }
                return Anchors.Shape(width, height)
            }
            guard 1...100 ~= anchors.count else {
                throw DecodingError.dataCorruptedError(
                    forKey: .anchors, in: json, debugDescription: "from 1 to 100 anchors were expected")
            }
            proposalFilters = try json.decodeSizeIfPresent(.proposalFilters) ?? 256
            proposals = try json.decodeSizeIfPresent(.proposals, upTo: 1 << 14) ?? 1000
            proposalOverlap = try json.decodeShareIfPresent(.proposalOverlap) ?? 0.7
            standardizesFeatures = try json.decodeIfPresent(Bool.self, forKey: .standardizesFeatures) ?? false
            grid = try json.decodeIfPresent([Int].self, forKey: .grid) ?? [7, 7]
            guard grid.count == 2, grid.allSatisfy({ 2...100 ~= $0 }) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .grid, in: json, debugDescription: "[rows, columns] were expected, each from 2 to 100")
            }
            recognition = try json.decodeIfPresent([Int].self, forKey: .recognition) ?? [4096, 4096]
            guard 1...10 ~= recognition.count, recognition.allSatisfy({ 1...1 << 20 ~= $0 }) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .recognition, in: json, debugDescription: "the widths of 1 to 10 layers were expected")
            }
            recognitionDropout = try json.decodeDropoutIfPresent(.recognitionDropout) ?? 0.5
            embedding = try json.decodeSizeIfPresent(.embedding) ?? 512
            hidden = try json.decodeSizeIfPresent(.hidden) ?? 512
            lstm = try json.decode(LSTMSpec.self, forKey: .lstm)
            nullRow = try json.decodeIfPresent(Bool.self, forKey: .nullRow) ?? false
            maximumWords = try json.decodeSizeIfPresent(.maximumWords) ?? 15
            sampler = try json.decodeIfPresent(BoxSampler.self, forKey: .sampler) ?? BoxSampler()
            losses = try json.decodeIfPresent(Losses.Weights.self, forKey: .losses) ?? Losses.Weights()
        }

        private static func shape(_ sides: [Float]) -> Anchors.Shape {
            sides.count == 2 ? Anchors.Shape(sides[0], sides[1]) : Anchors.Shape(0, 0)
        }
    }

    /// How regions are chosen and described.
    public struct Decoding: Decodable, Sendable {
        /// How many regions are told at most.
        public var top: Int
        /// How much two of them may overlap.
        public var overlap: Float
        /// Of a phrase.
        public var maximumLength: Int
        /// Sentences that are followed at a time; 1 is greedy.
        public var beam: Int
        /// Whether the token for unknown words may be said.
        public var unknown: Bool
        /// How many of the places where the recognition looked are told too; nil: none.
        public var proposals: Int?

        private enum CodingKeys: String, CodingKey {
            case overlap, beam, unknown, proposals
            case top = "nbest"
            case maximumLength = "max_length"
        }

        public init(top: Int = 10, overlap: Float = 0.3, maximumLength: Int = 15, beam: Int = 1, unknown: Bool = true) {
            (self.top, self.overlap, self.maximumLength, self.beam) = (top, overlap, maximumLength, beam)
            self.unknown = unknown
        }

        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            top = try json.decodeSizeIfPresent(.top, upTo: 1 << 14) ?? 10
            overlap = try json.decodeShareIfPresent(.overlap) ?? 0.3
            maximumLength = try json.decodeSizeIfPresent(.maximumLength, upTo: 1000) ?? 15
            beam = try json.decodeSizeIfPresent(.beam, upTo: 1000) ?? 1
            unknown = try json.decodeIfPresent(Bool.self, forKey: .unknown) ?? true
            proposals = try json.decodeSizeIfPresent(.proposals, upTo: 1 << 14)
        }
    }
}

extension BoxSampler: Decodable {
    private enum CodingKeys: String, CodingKey {
        case boxes
        case lowThreshold = "low_threshold"
        case highThreshold = "high_threshold"
        case insideOnly = "inside_only"
    }

    package init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        count = try json.decodeSizeIfPresent(.boxes, upTo: 1 << 14) ?? count
        lowThreshold = try json.decodeShareIfPresent(.lowThreshold) ?? lowThreshold
        highThreshold = try json.decodeShareIfPresent(.highThreshold) ?? highThreshold
        insideOnly = try json.decodeIfPresent(Bool.self, forKey: .insideOnly) ?? insideOnly
    }
}

extension Losses.Weights: Decodable {
    private enum CodingKeys: String, CodingKey {
        case objectness, boxes, captions
        case proposalObjectness = "proposal_objectness"
        case proposalBoxes = "proposal_boxes"
        case boxDecay = "box_decay"
    }

    package init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        func weight(_ key: CodingKeys, _ fallback: Float) throws -> Float {
            let value = try json.decodeIfPresent(Float.self, forKey: key) ?? fallback
            guard value >= 0, value.isFinite else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: json, debugDescription: "the weight of a loss must not be negative")
            }
            return value
        }
        proposalObjectness = try weight(.proposalObjectness, proposalObjectness)
        proposalBoxes = try weight(.proposalBoxes, proposalBoxes)
        objectness = try weight(.objectness, objectness)
        boxes = try weight(.boxes, boxes)
        captions = try weight(.captions, captions)
        boxDecay = try weight(.boxDecay, boxDecay)
    }
}

extension KeyedDecodingContainer {
    /// An intersection over union.
    fileprivate func decodeShareIfPresent(_ key: Key) throws -> Float? {
        guard let value = try decodeIfPresent(Float.self, forKey: key) else { return nil }
        guard 0...1 ~= value else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "a number from 0 to 1 was expected, found \(value)")
        }
        return value
    }
}
