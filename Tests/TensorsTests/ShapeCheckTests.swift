import OpenBLASBackend
import Tensors
import Testing

/// The kernels are compiled without checks, so the operations must stop whatever does not fit, in release builds too.
@Suite("Shapes that do not fit stop the program")
struct ShapeCheckTests {
    @Test func product() async {
        await #expect(processExitsWith: .failure) {
            _ = matmul(zeros([2, 3]), zeros([4, 5]))
        }
    }
    @Test func bias() async {
        await #expect(processExitsWith: .failure) {
            _ = matmul(zeros([2, 3]), zeros([3, 5]), bias: zeros([4]))
        }
    }
    @Test func broadcasting() async {
        await #expect(processExitsWith: .failure) { _ = zeros([2, 3]) + zeros([2, 4]) }
    }
    @Test func rows() async {
        await #expect(processExitsWith: .failure) { _ = zeros([2, 3])[1..<3] }
    }
    @Test func slices() async {
        await #expect(processExitsWith: .failure) { _ = zeros([2, 3]).sliced(axis: 1, 2..<4) }
    }
    @Test func concatenation() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.concatenated([zeros([2, 3]), zeros([3, 3])], axis: 1) }
    }
    @Test func reshaping() async {
        await #expect(processExitsWith: .failure) { _ = zeros([2, 3]).reshaped([7]) }
    }
    @Test func filters() async {
        await #expect(processExitsWith: .failure) {
            _ = convolution(zeros([1, 4, 4, 3]), zeros([2, 4, 3, 3]), ConvolutionGeometry())
        }
    }
    @Test func smallPictures() async {
        await #expect(processExitsWith: .failure) {
            _ = convolution(zeros([1, 2, 2, 3]), zeros([2, 3, 3, 3]), ConvolutionGeometry())
        }
    }
    @Test func targets() async {
        await #expect(processExitsWith: .failure) { _ = crossEntropy(zeros([1, 4]), [4]) }
    }
    @Test func indices() async {
        await #expect(processExitsWith: .failure) { _ = zeros([3, 4]).gathered([-1]) }
    }
    @Test func recurrence() async {
        await #expect(processExitsWith: .failure) {
            _ = lstmStep(zeros([1, 8]), cell: zeros([1, 3]), LSTMConvention(order: .ifog))
        }
    }
    @Test func sequence() async {
        await #expect(processExitsWith: .failure) {
            _ = gruSequence(
                zeros([2, 1, 8]), recurrent: zeros([9, 3]), bias: nil, hidden: zeros([1, 3]),
                GRUConvention(order: .rzn, resetsAfterProduct: true))
        }
    }
}

private func zeros(_ shape: Shape) -> Tensor { Tensor.zeros(shape, on: OpenBLAS(threads: 1)) }
