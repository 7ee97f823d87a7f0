/// How well a model finds and describes the regions of pictures: the dense captioning metric of Johnson, Karpathy & Fei-Fei (CVPR
/// 2016, §4.2) as their `eval/eval_utils.lua` computes it, with `METEORMatching` in METEOR's place.
///
/// 1. Marked boxes of an image whose IoU is 0.7 or more are merged: the box with the most such neighbours first, together
///    with them, into their mean box, which has all of their phrases.
/// 2. An image's detections, in falling order of their scores, are each assigned to the merged box of the greatest IoU. It is
///    *taken* thereby, whatever the IoU and the phrase are; a later detection assigned to it is wrong.
/// 3. A detection is right at an IoU and a METEOR threshold if its box was free, its IoU is not below the one and its phrase's
///    score is *above* the other.
/// 4. All images' detections in falling order of their scores give precisions and recalls; AP is the mean over
///    t = 0, 0.01, …, 1 of the greatest precision at a recall of t or more. mAP is the mean of the APs of 5 × 6 thresholds.
///
/// The IoU is that of areas between the boxes' edges. The released code counts pixels from corner pixel to corner pixel with
/// both, of which there are w × h in a box of the width w and the height h: the same number. So boxes may be in any unit,
/// shares of the picture included.
///
/// Two accidents of that code are not repeated: a detection that overlaps nothing takes the *last* merged box there, and 0.01
/// added up a hundred times leaves out t = 1.
public struct DenseCapScores: Sendable, Hashable, Encodable {
    /// The edges of a box; x2 is not below x1, y2 not below y1.
    public struct Box: Sendable, Hashable {
        public var x1: Double, y1: Double, x2: Double, y2: Double

        public init(x1: Double, y1: Double, x2: Double, y2: Double) {
            (self.x1, self.y1, self.x2, self.y2) = (x1, y1, x2, y2)
        }

        public init(_ box: RegionDataSet.Box) {
            self.init(x1: box.x, y1: box.y, x2: box.x + box.width, y2: box.y + box.height)
        }

        var area: Double { (x2 - x1) * (y2 - y1) }

        /// Intersection over union, 0 to 1.
        public func iou(_ other: Box) -> Double {
            let width = min(x2, other.x2) - max(x1, other.x1), height = min(y2, other.y2) - max(y1, other.y1)
            guard width > 0, height > 0 else { return 0 }
            let both = width * height
            return both / (area + other.area - both)
        }
    }

    /// What people say of a box.
    public struct Marked: Sendable, Hashable {
        public var box: Box
        public var phrases: [String]
        public init(box: Box, phrases: [String]) { (self.box, self.phrases) = (box, phrases) }
    }

    /// What the model says.
    public struct Detection: Sendable, Hashable {
        public var box: Box
        /// The greater, the surer.
        public var score: Double
        public var phrase: String
        public init(box: Box, score: Double, phrase: String) { (self.box, self.score, self.phrase) = (box, score, phrase) }
    }

    public struct Image: Sendable, Hashable {
        public var marked: [Marked]
        public var detections: [Detection]
        /// Where the model looked for something to describe, the best first; may be empty.
        public var proposals: [Box]

        public init(marked: [Marked], detections: [Detection], proposals: [Box] = []) {
            (self.marked, self.detections, self.proposals) = (marked, detections, proposals)
        }
    }

    public struct Localization: Sendable, Hashable, Encodable {
        public let iou: Double
        public let averagePrecision: Double
    }

    public struct Cell: Sendable, Hashable, Encodable {
        public let iou: Double
        public let meteor: Double
        public let averagePrecision: Double
    }

    /// The share of marked boxes that have an IoU of 0.5 or more with one of the best `boxes` of their image.
    public struct Recall: Sendable, Hashable, Encodable {
        public let boxes: Int
        /// Of all marked boxes.
        public let marked: Double
        /// Of the merged ones.
        public let merged: Double
    }

    public static let ious = [0.3, 0.4, 0.5, 0.6, 0.7]
    public static let meteors = [0, 0.05, 0.1, 0.15, 0.2, 0.25]

    public let images: Int
    public let markedBoxes: Int
    /// What recalls are shares of.
    public let mergedBoxes: Int
    public let detections: Int
    public let distinctPhrases: Int
    public let meanAveragePrecision: Double
    /// By IoU, then by METEOR.
    public let cells: [Cell]
    /// The same whatever the phrases are (the released code's "detmap").
    public let localization: [Localization]
    public let meanLocalization: Double
    /// Nil if no image has proposals.
    public let proposalRecall: Recall?
    public let detectionRecall: Recall
    /// The mean score of the phrases that were compared: those of detections that took a box, at an IoU of 0.3 or more.
    public let meanMatching: Double
    /// How phrases were compared.
    public let matching: String

    /// - Parameter recallAt: how many boxes of an image the recalls are of.
    /// - Throws: `WordNetError` where WordNet's files are damaged.
    public init(_ images: [Image], matching: METEORMatching, recallAt count: Int = 100) throws(WordNetError) {
        var judged: [Judged] = [], proposed = Coverage(), detected = Coverage()
        for image in images {
            let merged = Self.merged(image.marked), ordered = Self.ranked(image.detections, by: \.score)
            judged += try Self.judged(ordered, merged, matching)
            let marked = image.marked.map(\.box), means = merged.map(\.box)
            proposed.add(image.proposals.prefix(count), marked, means)
            detected.add(ordered.prefix(count).map(\.box), marked, means)
        }
        self.images = images.count
        markedBoxes = detected.marked.all
        mergedBoxes = detected.merged.all
        detections = judged.count
        distinctPhrases = Set(images.flatMap { $0.detections.map(\.phrase) }).count
        // Equal scores keep the order of the images.
        let ranked = Self.ranked(judged, by: \.score), positives = mergedBoxes
        func precision(_ iou: Double, _ meteor: Double) -> Double {
            Self.averagePrecision(ranked.map { $0.isFirst && $0.iou >= iou && $0.matching > meteor }, positives: positives)
        }
        func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
        cells = Self.ious.flatMap { iou in
            Self.meteors.map { Cell(iou: iou, meteor: $0, averagePrecision: precision(iou, $0)) }
        }
        localization = Self.ious.map { Localization(iou: $0, averagePrecision: precision($0, -1)) }
        meanAveragePrecision = mean(cells.map(\.averagePrecision))
        meanLocalization = mean(localization.map(\.averagePrecision))
        proposalRecall = images.contains { !$0.proposals.isEmpty } ? proposed.recall(at: count) : nil
        detectionRecall = detected.recall(at: count)
        meanMatching = mean(judged.filter { $0.isFirst && $0.iou >= Self.ious[0] }.map(\.matching))
        self.matching = matching.name
    }

    // MARK: Merging

    /// Step 1.
    static func merged(_ marked: [Marked]) -> [Marked] {
        let near = marked.map { one in marked.map { one.box.iou($0.box) >= 0.7 } }
        var left = Set(marked.indices), groups: [Marked] = []
        while !left.isEmpty {
            // A box of no area has no neighbour, not even itself.
            let neighbours = marked.indices.map { i in left.contains(i) ? left.filter { near[i][$0] || $0 == i }.sorted() : [] }
            let group = neighbours.dropFirst().reduce(neighbours[0]) { $1.count > $0.count ? $1 : $0 }
            func mean(_ side: (Box) -> Double) -> Double {
                group.reduce(0) { $0 + side(marked[$1].box) } / Double(group.count)
            }
            groups.append(
                Marked(
                    box: Box(x1: mean(\.x1), y1: mean(\.y1), x2: mean(\.x2), y2: mean(\.y2)),
                    phrases: group.flatMap { marked[$0].phrases }))
            left.subtract(group)
        }
        return groups
    }

    // MARK: Judging

    private struct Judged {
        let score: Double
        /// With the box that it was assigned to.
        let iou: Double
        /// Whether that box was free.
        let isFirst: Bool
        /// Of the phrase; 0 unless it can count.
        let matching: Double
    }

    /// The greatest first; equal ones keep their order.
    private static func ranked<Item>(_ items: [Item], by score: (Item) -> Double) -> [Item] {
        let scores = items.map(score)
        return items.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }.map { items[$0] }
    }

    /// Step 2.
    private static func judged(
        _ ordered: [Detection], _ merged: [Marked], _ matching: METEORMatching
    ) throws(WordNetError) -> [Judged] {
        var taken = Set<Int>(), judged: [Judged] = []
        for detection in ordered {
            var best = -1, overlap = 0.0
            for (number, marked) in merged.enumerated() {
                let iou = detection.box.iou(marked.box)
                if iou > overlap { (best, overlap) = (number, iou) }
            }
            let isFirst = best >= 0 && taken.insert(best).inserted
            // Other phrases count for nothing, and comparing takes time.
            let isCompared = isFirst && overlap >= ious[0]
            judged.append(
                Judged(
                    score: detection.score, iou: overlap, isFirst: isFirst,
                    matching: isCompared ? try matching.score(detection.phrase, references: merged[best].phrases) : 0))
        }
        return judged
    }

    /// Step 4.
    ///
    /// - Parameter right: whether each detection is, the surest first.
    static func averagePrecision(_ right: [Bool], positives: Int) -> Double {
        guard positives > 0 else { return 0 }
        // The precision grows at right detections only: the others need not be looked at.
        var precisions: [Double] = []
        for (place, isRight) in right.enumerated() where isRight {
            precisions.append(Double(precisions.count + 1) / Double(place + 1))
        }
        // The greatest from there on.
        for i in precisions.indices.dropLast().reversed() { precisions[i] = max(precisions[i], precisions[i + 1]) }
        let points = 100
        var sum = 0.0
        for point in 0...points {
            // The least number of right ones whose recall is point / 100.
            let found = max(1, (point * positives + points - 1) / points)
            if found <= precisions.count { sum += precisions[found - 1] }
        }
        return sum / Double(points + 1)
    }

    // MARK: Recall

    private struct Coverage {
        var marked = (covered: 0, all: 0), merged = (covered: 0, all: 0)

        mutating func add(_ boxes: some Sequence<Box>, _ marked: [Box], _ merged: [Box]) {
            let boxes = Array(boxes)
            func count(_ those: [Box]) -> Int { those.count { one in boxes.contains { $0.iou(one) >= 0.5 } } }
            self.marked.covered += count(marked)
            self.marked.all += marked.count
            self.merged.covered += count(merged)
            self.merged.all += merged.count
        }

        func recall(at count: Int) -> Recall {
            Recall(
                boxes: count, marked: marked.all > 0 ? Double(marked.covered) / Double(marked.all) : 0,
                merged: merged.all > 0 ? Double(merged.covered) / Double(merged.all) : 0)
        }
    }
}
