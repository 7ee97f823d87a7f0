/// The part that some images of a data set play.
public enum DataSplit: String, Sendable, Hashable, Codable, CaseIterable {
    case train
    /// Karpathy's rest of COCO's validation set; commonly used for training, see `CaptionDataSet.trainingImages`.
    case restval
    case val
    case test
}
