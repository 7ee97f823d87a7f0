public import Media
public import Tensors

/// Some frames of a video after the card's preprocessing.
public struct FrameBatch: Sendable {
    /// When each frame is shown, in seconds from the beginning.
    public let times: [Float]
    /// `[frames, height, width, channels]`.
    public let pixels: Tensor

    public init(times: [Float], pixels: Tensor) { (self.times, self.pixels) = (times, pixels) }
}

/// A video that is read while the model watches it: however long it is, a few frames are in memory.
public struct ClipInput: ModelInput {
    public static let parts: [Request.Part] = [.video]

    private let clip: Clip
    private let sampling: FrameSampling
    private let preprocessing: Preprocessing
    private let backend: any Backend

    /// - Throws: ``InputError`` where the request has no video or the card does not say how to look at one. The video itself is
    ///   opened by ``forEachBatch(of:_:)``.
    public init(_ request: Request, assets: Assets) throws(InputError) {
        guard let clip = request.clip else { throw .missing(.video, request: request.name) }
        guard let preprocessing = assets.preprocessing else { throw .missingAsset("preprocess") }
        guard let sampling = clip.sampling ?? assets.frames?.sampling else { throw .missingAsset("frames") }
        (self.clip, self.sampling, self.preprocessing, backend) = (clip, sampling, preprocessing, assets.backend)
    }

    /// Hands over the frames in the order of display, at most `size` at a time. While `body` computes, another thread prepares
    /// the next ones, and a third decodes those after them.
    ///
    /// - Throws: ``InputError/media(_:)`` as ``Media/FrameStream`` does, after the frames before the fault; what `body` throws.
    public func forEachBatch(of size: Int, _ body: (FrameBatch) throws -> Void) throws {
        let batches = batches(of: size)
        defer { batches.abandon() }
        while let batch = try batches.next() { try body(batch) }
    }

    /// All frames at once.
    /// - Throws: ``InputError/media(_:)``.
    func whole() throws(InputError) -> FrameBatch {
        let batches = batches(of: 16)
        var all: [FrameBatch] = []
        while let batch = try batches.next() { all.append(batch) }
        return FrameBatch(times: all.flatMap(\.times), pixels: .concatenated(all.map(\.pixels), axis: 0))
    }

    private func batches(of size: Int) -> Conveyor<FrameBatch> {
        let frames = Conveyor<VideoFrame>(limit: 3) { hand throws(InputError) in
            try read { frame in
                clip.watcher?(frame)
                return hand(frame)
            }
        }
        return Conveyor<FrameBatch>(limit: 2) { hand throws(InputError) in
            // Whoever stops early must not leave a thread that waits for room.
            defer { frames.abandon() }
            try prepare(size, hand) { () throws(InputError) in try frames.next() }
        }
    }

    /// - Parameter hand: takes a frame; returns whether more are wanted.
    private func read(_ hand: (VideoFrame) -> Bool) throws(InputError) {
        switch clip.source {
        case .frames(let frames):
            for frame in frames where !hand(frame) { return }
        case .path(let path):
            do throws(MediaError) {
                let stream = try FrameStream(contentsOf: path, sampling: sampling)
                while let frame = try stream.next(), hand(frame) {}
            } catch {
                throw .media(error)
            }
        }
    }

    /// The card's preprocessing of all frames that `next` gives.
    /// - Parameter hand: takes a batch; returns whether more are wanted.
    private func prepare(
        _ size: Int, _ hand: (FrameBatch) -> Bool, _ next: () throws(InputError) -> VideoFrame?
    ) throws(InputError) {
        var times: [Float] = [], pictures: [FloatImage] = []
        func batch() -> FrameBatch {
            let first = pictures[0]
            let batch = FrameBatch(
                times: times,
                pixels: Tensor(shape: [pictures.count, first.height, first.width, first.channels], on: backend) { memory in
                    var place = memory
                    for picture in pictures {
                        picture.values.withUnsafeBufferPointer { place.update(from: $0.baseAddress!, count: $0.count) }
                        place += picture.values.count
                    }
                })
            (times, pictures) = ([], [])
            return batch
        }
        while let frame = try next() {
            let picture: FloatImage
            do throws(MediaError) {
                picture = try preprocessing(clip.view.map { $0(frame.image) } ?? frame.image)
            } catch {
                throw .media(error)
            }
            // A stream may change its size midway, where the card's preprocessing does not make all pictures alike.
            let isAlike = pictures.first.map { ($0.height, $0.width) == (picture.height, picture.width) } ?? true
            if !isAlike, !hand(batch()) { return }
            times.append(Float(frame.time))
            pictures.append(picture)
            if pictures.count == size, !hand(batch()) { return }
        }
        if !pictures.isEmpty { _ = hand(batch()) }
    }
}

/// A video with all of its frames in memory, as training takes it: as many frames of every video.
public struct ClipFrames: ModelInput {
    public static let parts: [Request.Part] = [.video]
    public let batch: FrameBatch

    /// - Throws: as ``ClipInput``; where the card's `frames` are not a number of equal parts.
    public init(_ request: Request, assets: Assets) throws(InputError) {
        let input = try ClipInput(request, assets: assets), batch = try input.whole()
        if case .frames? = request.clip?.source {
            self.batch = batch
            return
        }
        guard let count = assets.frames?.uniform else {
            throw .unsuitableAsset(
                "frames", reason: "lets videos have different numbers of frames; to train, say {\"uniform\": 16}")
        }
        // Where damaged frames were left out, the one before stays on the screen.
        let kept = (0..<count).map { min($0, batch.times.count - 1) }
        let shape = batch.pixels.shape
        self.batch =
            batch.times.count == count
            ? batch
            : FrameBatch(
                times: kept.map { batch.times[$0] },
                pixels: batch.pixels.reshaped([shape[0], shape.count / shape[0]]).gathered(kept)
                    .reshaped(shape.replacing(axis: 0, with: count)))
    }
}
