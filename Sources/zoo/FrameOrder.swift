import ArgumentParser
import Media
import ModelKit
import NeuralNetworks

/// An order in which a video's frames are shown that is not their own: what a model says then tells whether order is what it
/// learnt.
enum FrameOrder: String, ExpressibleByArgument, CaseIterable {
    case reversed, shuffled

    /// The frames of a file that the model looks at, in this order, at the times of those whose places they take.
    /// - Throws: `MediaError`.
    func clip(_ path: String, of card: ModelCard, _ random: RandomSource) throws(MediaError) -> Clip {
        let stream = try FrameStream(contentsOf: path, sampling: card.frames?.sampling ?? .all)
        var frames: [VideoFrame] = []
        while let frame = try stream.next() { frames.append(frame) }
        let order = self == .reversed ? Array(frames.indices.reversed()) : random.permutation(frames.count)
        return Clip(
            .frames(
                zip(frames, order).map { place, index in
                    VideoFrame(index: place.index, time: place.time, image: frames[index].image)
                }))
    }
}
