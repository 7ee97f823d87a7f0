import COpenBLAS
import Foundation
import OpenBLASBackend
import OpenBLASBackendAVX2
import OpenBLASBackendAVX512
import Tensors
import Testing

/// The builds of the backend that this machine can run.
enum BackendBuild: String, CaseIterable, Sendable {
    case any, avx2, avx512

    static var runnable: [BackendBuild] {
        [.any] + (zoo_cpu_has_avx2_and_fma() != 0 ? [.avx2] : []) + (zoo_cpu_has_avx512() != 0 ? [.avx512] : [])
    }

    func backend(threads: Int) -> any Backend {
        switch self {
        case .any: OpenBLASBackend.OpenBLAS(threads: threads)
        case .avx2: OpenBLASBackendAVX2.OpenBLAS(threads: threads)
        case .avx512: OpenBLASBackendAVX512.OpenBLAS(threads: threads)
        }
    }
}

@Suite("Prepared convolutions compute what the portable kernels compute")
struct PreparedConvolutionTests {
    /// A convolution: shapes, geometry.
    struct Case: Sendable, CustomTestStringConvertible {
        var input: Shape, filter: Shape
        var geometry: ConvolutionGeometry
        var algorithm: ConvolutionAlgorithm?
        var testDescription: String { "\(input) by \(filter), \(geometry.strideHeight), \(algorithm?.rawValue ?? "any")" }
    }

    private static func same(_ kernel: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1) -> ConvolutionGeometry {
        ConvolutionGeometry(
            stride: (stride, stride), padding: Padding(kernel / 2 * dilation), dilation: (dilation, dilation), groups: groups)
    }

    static let cases: [Case] = [
        // Three channels; outputs that fill no register, one, a panel and a bit.
        Case(input: [1, 9, 11, 3], filter: [5, 3, 3, 3], geometry: same(3, stride: 2)),
        Case(input: [2, 21, 13, 3], filter: [64, 3, 7, 7], geometry: same(7, stride: 2)),
        Case(input: [2, 7, 7, 16], filter: [20, 16, 1, 1], geometry: same(1)),
        Case(input: [1, 6, 5, 40], filter: [33, 40, 1, 1], geometry: same(1, stride: 2)),
        Case(
            input: [1, 12, 10, 10], filter: [37, 10, 5, 3],
            geometry: ConvolutionGeometry(padding: Padding(top: 2, left: 0, bottom: 1, right: 1))),
        // More than a segment of the sum, in one tap and over taps.
        Case(input: [1, 3, 4, 1300], filter: [17, 1300, 1, 1], geometry: same(1)),
        Case(input: [1, 5, 4, 200], filter: [18, 200, 3, 3], geometry: same(3, stride: 2)),
        // Groups, dilation.
        Case(input: [1, 12, 10, 12], filter: [70, 6, 3, 3], geometry: same(3, dilation: 2, groups: 2)),
        Case(input: [2, 9, 9, 8], filter: [8, 2, 3, 3], geometry: same(3, groups: 4)),
        // Depthwise: whole registers and a rest, strides, other sizes, a map narrower than the filter.
        Case(input: [1, 14, 14, 48], filter: [48, 1, 3, 3], geometry: same(3, groups: 48)),
        Case(input: [2, 15, 14, 35], filter: [35, 1, 3, 3], geometry: same(3, stride: 2, groups: 35)),
        Case(input: [1, 8, 9, 33], filter: [33, 1, 5, 5], geometry: same(5, groups: 33)),
        Case(input: [1, 2, 1, 16], filter: [16, 1, 3, 3], geometry: same(3, groups: 16)),
        Case(input: [1, 11, 12, 16], filter: [16, 1, 3, 3], geometry: same(3, dilation: 3, groups: 16)),
    ]
    /// Maps that are no multiple of a tile, one smaller than a tile, many tiles, more channels than a segment, no padding.
    static let winograd: [Case] = [ConvolutionAlgorithm.winograd2, .winograd4].flatMap { algorithm in
        [
            Case(input: [2, 13, 15, 32], filter: [48, 32, 3, 3], geometry: same(3), algorithm: algorithm),
            Case(input: [1, 3, 2, 16], filter: [16, 16, 3, 3], geometry: same(3), algorithm: algorithm),
            Case(input: [1, 50, 61, 16], filter: [16, 16, 3, 3], geometry: same(3), algorithm: algorithm),
            Case(input: [1, 6, 6, 528], filter: [16, 528, 3, 3], geometry: same(3), algorithm: algorithm),
            Case(input: [1, 9, 10, 16], filter: [32, 16, 3, 3], geometry: ConvolutionGeometry(), algorithm: algorithm),
        ]
    }

    @Test(arguments: cases + winograd, BackendBuild.runnable)
    func agrees(_ c: Case, build: BackendBuild) throws {
        for threads in [1, 3] {
            let backend = build.backend(threads: threads)
            for (activation, hasResidual) in [(nil, false), (.relu, true), (.relu6, false), (.tanh, true)]
                as [(UnaryFunction?, Bool)]
            {
                let actual = try apply(c, on: backend, activation, hasResidual: hasResidual)
                let expected = try apply(c, on: PortableBackend(), activation, hasResidual: hasResidual)
                expectClose(
                    actual.result, expected.result, tolerance: actual.algorithm.hasPrefix("winograd") ? 1e-4 : 1e-5,
                    "\(actual.algorithm), \(threads) threads, \(activation.map { "\($0)" } ?? "linear")")
                if c.algorithm == .winograd2 { #expect(actual.algorithm == "winograd 2×2") }
                if c.algorithm == .winograd4 { #expect(actual.algorithm == "winograd 4×4") }
            }
        }
    }

    private func apply(
        _ c: Case, on backend: any Backend, _ activation: UnaryFunction?, hasResidual: Bool
    ) throws -> (result: Tensor, algorithm: String) {
        var inputs = Inputs(on: backend, seed: 7)
        let x = inputs.tensor(c.input), bias = inputs.tensor([c.filter[0]])
        // Of a sum as large as 60 tanh would keep the error and not the size.
        let filter = inputs.tensor(c.filter, in: activation == .tanh ? -0.1...0.1 : -1...1)
        let output = c.geometry.output(input: c.input, filter: c.filter)
        let residual = hasResidual ? inputs.tensor(output) : nil
        let convolution = try backend.prepareConvolution(
            PackableWeights(filter, bias: bias), activation: activation, c.geometry, input: c.input, algorithm: c.algorithm)
        return (convolution(x, c.geometry, residual: residual), convolution.algorithm)
    }

    /// A branch of a concatenation writes its own channels and no others.
    @Test(arguments: [cases[1], cases[2], cases[9], winograd[0]], BackendBuild.runnable)
    func slices(_ c: Case, build: BackendBuild) throws {
        let backend = build.backend(threads: 2), output = c.geometry.output(input: c.input, filter: c.filter),
            channels = output[3]
        var inputs = Inputs(on: backend)
        let x = inputs.tensor(c.input), filter = inputs.tensor(c.filter)
        let convolution = try backend.prepareConvolution(
            PackableWeights(filter, bias: nil), activation: nil, c.geometry, input: c.input, algorithm: c.algorithm)
        let wide = output.replacing(axis: 3, with: channels + 9), alone = convolution(x, c.geometry)
        let map = Tensor(shape: wide, on: backend) { y in
            y.update(repeating: 5, count: wide.count)
            convolution.write(x, c.geometry, residual: nil, into: ChannelSlice(base: y, stride: channels + 9).advanced(by: 4))
        }
        let (scalars, expected) = (map.scalars, alone.scalars)
        for pixel in 0..<output.count / channels {
            let row = scalars[pixel * (channels + 9)..<(pixel + 1) * (channels + 9)]
            #expect(row.prefix(4).allSatisfy { $0 == 5 } && row.suffix(5).allSatisfy { $0 == 5 })
            #expect(Array(row.dropFirst(4).dropLast(5)) == Array(expected[pixel * channels..<(pixel + 1) * channels]))
        }
    }

    /// The choice is the same on every run, and quick algorithms are chosen where they pay.
    @Test func choice() throws {
        let backend = BackendBuild.runnable.last!.backend(threads: 2)
        func algorithm(_ size: Int, _ channels: Int, stride: Int = 1) throws -> String {
            let geometry = Self.same(3, stride: stride)
            return try backend.prepareConvolution(
                PackableWeights(.zeros([channels, channels, 3, 3], on: backend)), activation: .relu, geometry,
                input: [1, size, size, channels],
                algorithm: nil
            ).algorithm
        }
        #expect(try algorithm(56, 64) == "winograd 4×4")
        #expect(try algorithm(28, 128) == "winograd 4×4")
        #expect(try algorithm(28, 128, stride: 2) == "matrix product")
        #expect(try algorithm(28, 12) == "matrix product")
    }
}

@Suite("Threads of the OpenBLAS backend")
struct ThreadTests {
    /// Many callers at once, each of whom gets its own result.
    @Test func concurrentCallers() async throws {
        let backend = BackendBuild.runnable.last!.backend(threads: 3)
        var inputs = Inputs(on: backend)
        let x = inputs.tensor([1, 20, 20, 16]), filter = inputs.tensor([16, 16, 3, 3]),
            geometry = ConvolutionGeometry(padding: Padding(1))
        let convolution = try backend.prepareConvolution(
            PackableWeights(filter, bias: nil), activation: nil, geometry, input: x.shape, algorithm: .matrixProduct)
        let expected = convolution(x, geometry).scalars
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<50).allSatisfy { _ in convolution(x, geometry).scalars == expected } }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    /// A backend that goes away takes its threads along, also while they sleep.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/task"))) func threadsEnd() throws {
        func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        let before = try count()
        for round in 0..<20 {
            let backend = BackendBuild.any.backend(threads: 4)
            _ = Tensor.zeros([64, 64], on: backend) + 1
            if round % 2 == 0 { usleep(2000) }
        }
        var waited = 0
        while try count() > before + 8, waited < 200 {
            usleep(10_000)
            waited += 1
        }
        #expect(try count() <= before + 8)
    }
}
