import Tensors
import Testing

/// One call, or a few related ones, of a kernel.
struct KernelCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Relative to the largest scalar of a result. Both sides sum in single precision but in different orders: n terms
    /// differ by about √n · 6e-8 of their magnitude, for the longest sums here (10⁴ terms) 6e-6.
    var tolerance: Float = 1e-5
    let run: @Sendable (_ backend: any Backend, _ inputs: inout Inputs) -> [(label: String, result: Tensor)]
    var testDescription: String { name }
}

@Suite("Every kernel of every backend agrees with the portable one")
struct KernelAgreementTests {
    static let cases =
        KernelCase.products + KernelCase.elementwise + KernelCase.rows + KernelCase.convolutions + KernelCase.poolings
        + KernelCase.normalizations + KernelCase.recurrences

    @Test(arguments: cases, BackendBuild.runnable)
    func agrees(kernel: KernelCase, build: BackendBuild) {
        for threads in 1...3 { agrees(kernel, build.backend(threads: threads)) }
    }

    private func agrees(_ kernel: KernelCase, _ backend: any Backend) {
        let portable = PortableBackend()
        var expectedInputs = Inputs(on: portable)
        let expected = kernel.run(portable, &expectedInputs)
        // The second round gets the memory of the first back, full of NaN: a kernel that reads what it did not write
        // would show it.
        for _ in 0..<2 {
            var inputs = Inputs(on: backend)
            let actual = kernel.run(backend, &inputs)
            for (a, e) in zip(actual, expected) { expectClose(a.result, e.result, tolerance: kernel.tolerance, a.label) }
            for (_, result) in actual { result.storage.base.update(repeating: .nan, count: result.storage.count) }
        }
    }

    @Test("Results repeat exactly for one number of threads", arguments: [1, 2, 3], BackendBuild.runnable)
    func repeats(threads: Int, build: BackendBuild) {
        let backend = build.backend(threads: threads)
        for kernel in Self.cases {
            var (first, second) = (Inputs(on: backend), Inputs(on: backend))
            for (a, b) in zip(kernel.run(backend, &first), kernel.run(backend, &second)) {
                #expect(a.result.scalars == b.result.scalars, "\(kernel.name): \(a.label)")
            }
        }
    }
}
