import Foundation
import Media
import Testing

/// Every convention against the framework it is named after; see Reference/resize.py.
@Suite struct ResizeTests {
    struct Reference: Decodable {
        let cases: [Case]
        let large: [Large]
        let boxes: [Large]
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let convention, interpolation: String
        let antialias, align_corners: Bool?
        let from, to: [Int]
        let floating: Bool
        let type, base64: String

        var testDescription: String {
            "\(convention) \(interpolation)\(antialias == true ? " antialias" : "")"
                + (align_corners == true ? " align_corners" : "")
                + " \(from) → \(to) \(floating ? "floats" : "bytes")"
        }

        var expected: [Float] {
            let data = [UInt8](Data(base64Encoded: base64)!)
            if type == "byte" { return data.map(Float.init) }
            return stride(from: 0, to: data.count, by: 4).map { i in
                Float(bitPattern: data[i..<i + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
            }
        }
    }

    struct Large: Decodable, Sendable {
        let interpolation: String
        let from, to: [Int]
        let box: [Double]?
        let fnv: String
    }

    static let reference: Reference = {
        let url = Files.reference.appendingPathComponent("resize.json")
        return try! JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
    }()

    /// How far a result may be from the framework's, of 255: nothing where both compute in integers or round to them.
    static func tolerance(_ test: Case) -> Float {
        if test.type == "byte" {
            // The last bit of a floating-point number decides ties: of OpenCV's cubics at the end of a row, of MATLAB's sums.
            return test.convention == "opencv" && test.interpolation == "bicubic" || test.convention == "matlab" ? 1 : 0
        }
        return test.floating ? 1e-6 : 3e-4
    }

    @Test(arguments: reference.cases)
    func agreesWithTheFramework(_ test: Case) throws {
        let interpolation = try #require(Interpolation(rawValue: test.interpolation))
        let convention = try #require(ResizeConvention(rawValue: test.convention))
        let method = try #require(
            ResizeMethod(interpolation, convention, antialias: test.antialias, alignCorners: test.align_corners ?? false))
        let resize = PreprocessingStep.resize(.init(.stretch(height: test.to[0], width: test.to[1]), method))
        let preprocessing = Preprocessing(test.floating ? [.toFloat(scale: 1 / 255), resize] : [resize])
        let result = try preprocessing(picture(height: test.from[0], width: test.from[1]))
        #expect(result.height == test.to[0] && result.width == test.to[1] && result.channels == 3)
        let expected = test.expected
        let errors = zip(result.values, expected).map { abs($0 - $1) }
        let worst = errors.max()!
        #expect(test.type != "byte" || errors.count { $0 > 0 } <= errors.count / 50)
        #expect(worst <= Self.tolerance(test), "\(errors.count { $0 > Self.tolerance(test) }) of \(errors.count) differ")
        // Of numbers that are floating-point before.
        guard test.floating else { return }
        let floats = try Preprocessing([.toFloat(scale: 1 / 255)])(picture(height: test.from[0], width: test.from[1]))
        let resized = floats.resized(height: test.to[0], width: test.to[1], method)
        #expect(resized.height == test.to[0] && resized.width == test.to[1])
        #expect(zip(resized.values, expected).allSatisfy { abs($0 - $1) <= Self.tolerance(test) })
    }

    @Test func knowsEveryCombinationThatItPromises() {
        let tested = Set(Self.reference.cases.map { $0.convention + $0.interpolation })
        for convention in ResizeConvention.allCases {
            for interpolation in convention.interpolations {
                #expect(tested.contains(convention.rawValue + interpolation.rawValue))
            }
        }
    }

    @Test(arguments: reference.large)
    func isPILBitForBit(_ test: Large) throws {
        let image = picture(height: test.from[0], width: test.from[1])
        let result = image.resized(
            width: test.to[1], height: test.to[0], interpolation: try #require(Interpolation(rawValue: test.interpolation)))
        #expect(fnv(result.pixels) == test.fnv)
    }

    @Test(arguments: reference.boxes)
    func resizesAPartAsPIL(_ test: Large) throws {
        let box = try #require(test.box)
        let part = Rectangle(x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1])
        let interpolation = try #require(Interpolation(rawValue: test.interpolation))
        let image = picture(height: test.from[0], width: test.from[1])
        let result = image.resized(width: test.to[1], height: test.to[0], box: part, interpolation: interpolation)
        #expect(fnv(result.pixels) == test.fnv)
        let mirrored = image.resized(
            width: test.to[1], height: test.to[0], box: part, flipped: true, interpolation: interpolation)
        #expect(mirrored == result.flipped())
    }

    /// Training draws boxes at random; none of them may lead anywhere else than to a picture.
    @Test(arguments: [
        Rectangle(x: -5, y: -5, width: 3, height: 3), Rectangle(x: 100, y: 100, width: 10, height: 10),
        Rectangle(x: 7.999, y: 5.999, width: 0.001, height: 0.001), Rectangle(x: 3, y: 3, width: 0, height: 0),
        Rectangle(x: 3, y: 3, width: -2, height: 1), Rectangle(x: 0, y: 0, width: 1e9, height: 1e9),
        Rectangle(x: .nan, y: 1, width: 2, height: .nan), Rectangle(x: -.infinity, y: 0, width: .infinity, height: 3),
    ])
    func takesAnyBox(_ box: Rectangle) {
        let image = picture(height: 6, width: 8)
        for interpolation in Interpolation.allCases {
            let result = image.resized(width: 4, height: 3, box: box, interpolation: interpolation)
            #expect(result.width == 4 && result.height == 3)
        }
    }

    @Test func cropAfterResizeIsTheSameAsAPartOfTheWhole() throws {
        let image = picture(height: 50, width: 61)
        for convention in ResizeConvention.allCases {
            for interpolation in convention.interpolations {
                let method = try #require(ResizeMethod(interpolation, convention))
                for (height, width) in [(31, 40), (70, 80), (25, 61)] {
                    let resize = PreprocessingStep.resize(.init(.stretch(height: height, width: width), method))
                    let whole = try Preprocessing([resize])(image)
                    let part = try Preprocessing([resize, .crop(.box(y: 3, x: 5, height: 20, width: 17))])(image)
                    for y in 0..<20 {
                        for x in 0..<17 { for c in 0..<3 { #expect(part[y, x, c] == whole[y + 3, x + 5, c]) } }
                    }
                }
            }
        }
    }
}
