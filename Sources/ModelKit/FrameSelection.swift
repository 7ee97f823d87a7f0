public import Media

/// Which frames of a video a model looks at, as a card's `frames` states it:
///
///     {"uniform": 16}                          the middle frames of equal parts
///     {"uniform": 16, "every_seconds": 0.1}    the same; of a stream whose length nobody knows, a frame every tenth of a second
///     {"every_seconds": 0.5}                   a frame every half second
///     {"every_frames": 8, "limit": 16}         every eighth frame, at most sixteen
public struct FrameSelection: Decodable, Sendable, Hashable {
    /// How many equal parts a video is cut into.
    public let uniform: Int?
    public let seconds: Double?
    public let stride: Int?
    public let limit: Int?

    private enum CodingKeys: String, CodingKey {
        case uniform, limit
        case seconds = "every_seconds"
        case stride = "every_frames"
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func whole(_ key: CodingKeys) throws -> Int? {
            guard let value = try json.decodeIfPresent(Int.self, forKey: key) else { return nil }
            guard 1...100_000 ~= value else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: json, debugDescription: "expected a whole number from 1 to 100000, found \(value)")
            }
            return value
        }
        (uniform, stride, limit) = (try whole(.uniform), try whole(.stride), try whole(.limit))
        seconds = try json.decodeIfPresent(Double.self, forKey: .seconds)
        if let seconds, !(0.001...86_400 ~= seconds) {
            throw DecodingError.dataCorruptedError(
                forKey: .seconds, in: json, debugDescription: "expected seconds from 0.001 to 86400, found \(seconds)")
        }
        let isSound = stride == nil ? limit == nil && (uniform != nil || seconds != nil) : uniform == nil && seconds == nil
        guard isSound else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: json.codingPath,
                    debugDescription: "expected 'uniform' and/or 'every_seconds', or 'every_frames' with or without 'limit'"))
        }
    }

    public var sampling: FrameSampling {
        switch (uniform, seconds, stride) {
        case (let count?, let seconds?, _): .uniformOrInterval(count: count, seconds: seconds)
        case (let count?, nil, _): .uniform(count: count)
        case (nil, let seconds?, _): .interval(seconds: seconds)
        default: .every(stride: stride ?? 1, limit: limit)
        }
    }
}
