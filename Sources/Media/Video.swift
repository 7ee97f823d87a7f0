import Foundation

/// A video file. It is opened anew for every pass over its frames; between passes it holds nothing.
public struct Video: Sendable, Equatable {
    public let path: String
    /// In pixels, as it is shown: after the rotation that phones note in the file.
    public let width: Int
    public let height: Int
    /// In frames per second; 0 where the file does not tell.
    public let frameRate: Double
    /// In seconds; nil where the file does not tell.
    public let duration: Double?

    /// Reads the file's header.
    ///
    /// - Throws: as ``FrameStream/init(contentsOf:sampling:options:)``; of a folder, ``MediaError/isDirectory(path:)``.
    public init(contentsOf path: String) throws(MediaError) {
        let decoder = try FFmpegDecoder(video: FFmpegInput(contentsOf: path))
        let (width, height) = decoder.size
        self.path = path
        (self.width, self.height) = decoder.orientation.exchangesAxes ? (height, width) : (width, height)
        frameRate = decoder.frameRate
        duration = decoder.duration
    }

    /// Decodes the video from its beginning and hands over the frames that `isWanted` agrees to, until `body` returns false.
    ///
    /// - Parameters:
    ///   - isWanted: asked for every frame's number and time in seconds, before any costly conversion.
    ///   - body: takes a frame; returns whether to go on.
    /// - Throws: ``MediaError/noFrames(name:)`` if nothing can be decoded. A damaged frame is left out.
    public func forEachFrame(
        where isWanted: (_ index: Int, _ time: Double) -> Bool = { _, _ in true }, _ body: (VideoFrame) -> Bool
    ) throws(MediaError) {
        let decoder = try FFmpegDecoder(video: FFmpegInput(contentsOf: path))
        let orientation = decoder.orientation
        var index = 0
        while try decoder.advance() {
            if isWanted(index, decoder.time) {
                let image = orientation.applied(to: try decoder.image(alpha: .white))
                if !body(VideoFrame(index: index, time: decoder.time, image: image)) { return }
            }
            index += 1
        }
        if index == 0 { throw decoder.refusalWithoutFrames() }
    }

    /// The frames that `sampling` chooses, in its order, all in memory; ``FrameStream`` hands them out one by one.
    ///
    /// A video that was cut gives what comes before the cut.
    public func frames(_ sampling: FrameSampling) throws(MediaError) -> [VideoFrame] {
        let stream = try FrameStream(contentsOf: path, sampling: sampling, options: .init(acceptsEarlyEnd: true))
        var result = [VideoFrame]()
        while let frame = try stream.next() { result.append(frame) }
        guard case .times(let times) = sampling else { return result }
        // The stream is in the order of display.
        var inOrder = result
        for (place, frame) in zip(times.indices.sorted { times[$0] < times[$1] }, result) { inOrder[place] = frame }
        return inOrder
    }
}

/// One picture of a video.
public struct VideoFrame: Sendable, Equatable {
    /// Counted from 0, in the order of display.
    public let index: Int
    /// In seconds from the video's beginning.
    public let time: Double
    public let image: Image

    public init(index: Int, time: Double, image: Image) { (self.index, self.time, self.image) = (index, time, image) }
}
