import ModelKit

/// Seconds that the same work took again and again.
struct Timing: Sendable {
    /// In rising order; never empty.
    private let seconds: [Double]

    init(_ seconds: [Double]) {
        precondition(!seconds.isEmpty, "a timing needs a measurement")
        self.seconds = seconds.sorted()
    }

    /// Repeats `body` until one of the limits of `repetitions` is reached.
    init(_ repetitions: Repetitions, _ body: () throws -> Void) rethrows {
        let clock = ContinuousClock()
        for _ in 0..<repetitions.warmUp { try body() }
        let end = clock.now + .seconds(repetitions.seconds)
        var seconds: [Double] = []
        while seconds.count < repetitions.least || clock.now < end && seconds.count < repetitions.most {
            seconds.append(try clock.measure(body) / Duration.seconds(1))
        }
        self.init(seconds)
    }

    struct Repetitions: Sendable {
        var warmUp = 2
        var least = 5, most = 10_000
        var seconds = 3.0

        static func exactly(_ count: Int, warmUp: Int = 2) -> Repetitions {
            .init(warmUp: warmUp, least: count, most: count, seconds: 0)
        }
    }

    var count: Int { seconds.count }
    var median: Double { (seconds[(count - 1) / 2] + seconds[count / 2]) / 2 }
    var minimum: Double { seconds[0] }
    /// The time that nine out of ten do not exceed.
    var ninetieth: Double { seconds[(count * 9 + 9) / 10 - 1] }
    /// How far the ninetieth percentile lies above the minimum, as a part of the median: 0 on a quiet machine.
    var spread: Double { (ninetieth - minimum) / median }

    /// In milliseconds.
    var json: JSONValue {
        .object([
            .init("median", .number(1e3 * median)), .init("minimum", .number(1e3 * minimum)),
            .init("p90", .number(1e3 * ninetieth)), .init("spread", .number(spread)),
        ])
    }
}
