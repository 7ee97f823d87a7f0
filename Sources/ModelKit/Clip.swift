public import Media

/// A video that a request names. Nothing of it is read before a model watches it.
public struct Clip: Sendable {
    public enum Source: Sendable {
        /// A file, a folder of pictures, or `-` for standard input.
        case path(String)
        /// Frames in memory, all of which are looked at.
        case frames([VideoFrame])
    }

    public var source: Source
    /// Which frames are looked at; nil: those that the card names.
    public var sampling: FrameSampling?
    /// What becomes of every frame before the card's preprocessing: mirrored, cropped.
    public var view: (@Sendable (Image) -> Image)?
    /// Sees every frame that the model looks at, in the order of display, on the thread that decodes.
    public var watcher: (@Sendable (VideoFrame) -> Void)?

    public init(_ source: Source, sampling: FrameSampling? = nil) { (self.source, self.sampling) = (source, sampling) }
}
