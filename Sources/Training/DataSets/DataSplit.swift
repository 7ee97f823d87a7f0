/// The part that some images of a data set play.
public enum DataSplit: String, Sendable, Hashable, Codable, CaseIterable {
    case train
    /// Karpathy's rest of COCO's validation set; commonly used for training, see `CaptionDataSet.trainingImages`.
    case restval
    case val
    case test
}

/// A data set whose images are divided into splits.
public protocol SplitDataSet: Sendable {
    associatedtype Image: Sendable
    typealias Split = DataSplit
    /// In the order of the data set's files.
    var splits: [Split: [Image]] { get }
}

extension SplitDataSet {
    /// The images of a split; empty if the data set has no such split.
    public subscript(split: Split) -> [Image] { splits[split] ?? [] }

    /// The splits that hold images.
    public var availableSplits: [Split] { Split.allCases.filter { !self[$0].isEmpty } }
}
