import Foundation
import Tensors
import Testing

@Suite("Prepared linear maps compute what the portable kernels compute")
struct PreparedLinearTests {
    /// Rows, inputs, outputs: outputs that fill no register, one, panels and a bit; depths that no step of the kernels divides.
    static let cases = [
        Case(1, 1, 1), Case(1, 5, 33), Case(1, 512, 1000), Case(2, 37, 64), Case(3, 130, 100), Case(4, 300, 31), Case(5, 16, 16),
        Case(7, 129, 17), Case(20, 512, 200), Case(13, 260, 96),
    ]
    struct Case: Sendable {
        let rows: Int, inputs: Int, outputs: Int
        init(_ rows: Int, _ inputs: Int, _ outputs: Int) { (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs) }
    }

    /// A linear map and what it is applied to.
    private struct Operands {
        let x: Tensor, w: Tensor, b: Tensor
        init(_ c: Case, on backend: any Backend) {
            var inputs = Inputs(on: backend, seed: 3)
            x = inputs.tensor([c.rows, c.inputs])
            w = inputs.tensor([c.outputs, c.inputs], in: -0.1...0.1)
            b = inputs.tensor([c.outputs], in: -0.5...0.5)
        }
    }

    @Test(arguments: cases, BackendBuild.runnable)
    func products(_ c: Case, build: BackendBuild) throws {
        let portable = Operands(c, on: PortableBackend())
        for hasBias in [true, false] {
            let oracle = try PortableBackend().prepareLinear(
                PackableWeights(portable.w, bias: hasBias ? portable.b : nil), storage: .float32, isRanked: true)
            let expected = oracle(portable.x)
            for threads in [1, 3] {
                let backend = build.backend(threads: threads), my = Operands(c, on: backend)
                for storage in WeightStorage.allCases {
                    let map = try backend.prepareLinear(
                        PackableWeights(my.w, bias: hasBias ? my.b : nil), storage: storage, isRanked: true)
                    let tolerance: Float = storage == .float32 ? 1e-5 : 0.02
                    expectClose(map(my.x), expected, tolerance: tolerance, "\(storage), \(threads) threads")
                }
            }
        }
    }

    @Test(arguments: cases, BackendBuild.runnable)
    func mostProbable(_ c: Case, build: BackendBuild) throws {
        let portable = Operands(c, on: PortableBackend())
        let oracle = try PortableBackend().prepareLinear(
            PackableWeights(portable.w, bias: portable.b), storage: .float32, isRanked: true)
        for threads in [1, 3] {
            let backend = build.backend(threads: threads), my = Operands(c, on: backend)
            for storage in WeightStorage.allCases {
                let map = try backend.prepareLinear(PackableWeights(my.w, bias: my.b), storage: storage, isRanked: true)
                for count in [1, 3, 20, 45, 5000] {
                    expectMostProbable(map.mostProbable(count, of: my.x), count, oracle(portable.x), "\(storage), \(count)")
                }
            }
        }
    }

    /// That the candidates are the best by `scores`, a row for each list. Scores that differ by no more than the rounding of
    /// their sums may be in either order.
    private func expectMostProbable(_ found: [[Candidate]], _ count: Int, _ scores: Tensor, _ label: String) {
        #expect(found.count == scores.shape[0])
        for (row, candidates) in found.enumerated() {
            let s = scores[row].scalars, sorted = s.sorted(by: >)
            let total = log(s.reduce(0) { $0 + exp(Double($1 - sorted[0])) }) + Double(sorted[0])
            #expect(candidates.count == min(count, s.count), "\(label)")
            #expect(Set(candidates.map(\.index)).count == candidates.count, "\(label)")
            for (rank, candidate) in candidates.enumerated() {
                #expect(abs(s[candidate.index] - sorted[rank]) < 4e-6, "\(label), rank \(rank)")
                #expect(abs(Double(candidate.logProbability) - (Double(s[candidate.index]) - total)) < 5e-4, "\(label)")
            }
        }
    }

    /// Outputs that half precision cannot tell apart, or tells apart wrongly.
    @Test(arguments: BackendBuild.runnable)
    func halfPrecisionChoosesTheSame(build: BackendBuild) throws {
        let backend = build.backend(threads: 2), inputs = 64, outputs = 4000
        var random = Inputs(on: backend, seed: 11)
        let base = random.tensor([1, inputs]).scalars, x = random.tensor([20, inputs])
        // Every output is the same but for changes around the last bit of eleven, so that rounding reorders them.
        let noise = random.tensor([outputs, inputs], in: -4e-4...4e-4).scalars
        let w = Tensor((0..<outputs * inputs).map { base[$0 % inputs] + noise[$0] }, [outputs, inputs], on: backend)
        let exact = try backend.prepareLinear(PackableWeights(w, bias: nil), storage: .float32, isRanked: true)
        let half = try backend.prepareLinear(PackableWeights(w, bias: nil), storage: .float16, isRanked: true)
        let scores = half(x), right = exact(x)
        func best(_ scores: Tensor) -> [Int] {
            (0..<20).map { row in
                let s = scores[row].scalars
                return s.indices.max { s[$0] < s[$1] }!
            }
        }
        #expect(best(scores) != best(right), "the test is too easy")
        for count in [1, 5] { expectMostProbable(half.mostProbable(count, of: x), count, right, "\(count)") }
    }

    /// The first of equals first, over the borders of threads and registers.
    @Test(arguments: BackendBuild.runnable, WeightStorage.allCases)
    func ties(build: BackendBuild, storage: WeightStorage) throws {
        let backend = build.backend(threads: 3), outputs = 1003
        let w = Tensor((0..<outputs).map { $0 % 7 == 3 ? 1 : 0.5 }, [outputs, 1], on: backend)
        let map = try backend.prepareLinear(PackableWeights(w, bias: nil), storage: storage, isRanked: true)
        let found = map.mostProbable(30, of: Tensor([2], [1, 1], on: backend))[0]
        #expect(found.map(\.index) == (0..<30).map { 7 * $0 + 3 })
    }

    /// Weights beyond the range of half precision are kept as they are.
    @Test(arguments: BackendBuild.runnable)
    func largeWeights(build: BackendBuild) throws {
        let backend = build.backend(threads: 1)
        let w = Tensor([1e6, -2e6, 3e38, 1, 2, 3, 4e6, 5, 6], [9, 1], on: backend)
        let map = try backend.prepareLinear(PackableWeights(w, bias: nil), storage: .float16, isRanked: true)
        #expect(map.mostProbable(2, of: Tensor([1], [1, 1], on: backend))[0].map(\.index) == [2, 6])
    }

    /// Scores that are no numbers are never chosen.
    @Test(arguments: BackendBuild.runnable, WeightStorage.allCases)
    func notNumbers(build: BackendBuild, storage: WeightStorage) throws {
        let backend = build.backend(threads: 2)
        let map = try backend.prepareLinear(
            PackableWeights(Tensor(repeating: 1, [50, 2], on: backend), bias: nil), storage: storage, isRanked: true)
        let found = map.mostProbable(3, of: Tensor([.nan, 1, 1, 1], [2, 2], on: backend))
        #expect(found[0].isEmpty)
        #expect(found[1].map(\.index) == [0, 1, 2])
    }
}
