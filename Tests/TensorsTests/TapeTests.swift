import OpenBLASBackend
import Synchronization
import Tensors
import Testing

@Suite("The tape")
struct TapeTests {
    private let backend = OpenBLAS(threads: 1)

    @Test("A chain of 100,000 operations is differentiated and released without recursion", .timeLimit(.minutes(1)))
    func longChain() {
        let leaf = Tensor([1], [], on: backend).tracked
        var y = leaf
        for _ in 0..<100_000 { y = y + 0.5 }
        #expect(y.scalar == 50_001)
        #expect(y.gradients()[leaf]?.scalar == 1)
    }

    @Test(
        "Chains of every operation that could hold on to its inputs are released without recursion", .timeLimit(.minutes(1)),
        arguments: [0, 1, 2, 3, 4, 5, 6])
    func longChains(kind: Int) {
        let leaf = Tensor([1, 2], [1, 2], on: backend).tracked
        var y = leaf
        for _ in 0..<50_000 {
            switch kind {
            case 0: y = y - leaf
            case 1: y = leaf * y
            case 2: y = y / leaf
            case 3: y = -tanh(y)
            case 4: y = y.reshaped([2, 1]).permuted([1, 0])
            case 5: y = Tensor.concatenated([y.sliced(axis: 1, 0..<1), y.sliced(axis: 1, 1..<2)], axis: 1)
            default: y = y.sum.broadcast(to: [1, 2]) + y
            }
        }
        #expect(y.sum.isTracked)
    }

    @Test("A tape that branches and joins again is released without recursion and without walking every path")
    func diamonds() {
        let leaf = Tensor([1], [], on: backend).tracked
        var y = leaf
        for _ in 0..<50_000 { y = (y + y) * 0.5 }
        #expect(y.gradients()[leaf]?.scalar == 1)
    }

    @Test("Part of a tape outlives the rest")
    func sharedTrunk() {
        let leaf = Tensor([3], [], on: backend).tracked
        let trunk = leaf * leaf
        var branch: Tensor? = trunk * 2 + 1
        #expect(branch?.gradients()[leaf]?.scalar == 12)
        branch = nil
        #expect((trunk * 3).gradients()[leaf]?.scalar == 18)
    }

    @Test("Untracked inputs record nothing")
    func untracked() {
        let a = Tensor([1, 2], [2], on: backend)
        let b = Tensor([3, 4], [2], on: backend)
        #expect(!(a * b + tanh(a)).sum.isTracked)
        let (h, c) = lstmStep(Tensor.zeros([1, 8], on: backend), cell: a.reshaped([1, 2]), LSTMConvention(order: .ifgo))
        #expect(!h.isTracked && !c.isTracked)
        let tracked = a.tracked
        let product = tracked * b
        #expect(product.isTracked)
        #expect(product.node?.partials.count == 1, "only the tracked input is recorded")
        #expect(!product.detached.isTracked)
        #expect(product.sum.gradients()[b] == nil)
    }

    @Test("What a pullback does not need is released")
    func retention() {
        weak var forgotten: Storage?
        let leaf = Tensor([1, 2], [2], on: backend).tracked
        var y: Tensor
        do {
            let intermediate = leaf * 2
            forgotten = intermediate.storage
            // Sums, reshapes and slices need shapes alone.
            y = (intermediate + leaf - 1).sum
        }
        #expect(forgotten == nil, "the sum kept its terms")
        #expect(y.gradients()[leaf]?.scalars == [3, 3])
        y = leaf.sum
    }

    @Test("The backward pass leaves nothing behind, though the tape lives on", arguments: [0, 1, 2])
    func sharedPullbacks(kind: Int) {
        let backend = CountingBackend()
        let convention = LSTMConvention(order: .ifgo)
        var inputs = Inputs(on: backend)
        let a = inputs.tensor([2, 3, 8]).tracked
        let b = inputs.tensor([8, 2]).tracked
        let c = inputs.tensor([3, 2]).tracked
        let y =
            switch kind {
            case 0: batchNormalization(a, scale: b[0..<4].reshaped([8]), shift: b[4..<8].reshaped([8]), epsilon: 1e-3).y
            case 1: lstmSequence(a, recurrent: b, hidden: c, cell: c, convention)
            default: lstmStep(a[0], cell: lstmStep(a[1], cell: c.detached, convention).cell, convention).hidden
            }
        let loss = y.squared.sum
        let before = backend.live
        #expect(loss.gradients()[a] != nil)
        #expect(backend.live == before)
    }

    @Test("A leaf that is used more than once gets the sum of its gradients")
    func accumulation() {
        let x = Tensor([2, 3], [2], on: backend).tracked
        let y = (x * x * x + x + x[0..<1]).sum
        // 3x² + 1, and 2 for the first, which is stretched.
        #expect(y.gradients()[x]?.scalars == [15, 28])
        // A new leaf of the same values is another variable.
        #expect(y.gradients()[x.tracked] == nil)
    }

    @Test("Gradients can be asked for twice, and of several scalars of one tape")
    func twice() {
        let x = Tensor([0.5, -1, 2, 0, 1, 3, -2, 1], [2, 4], on: backend).tracked
        let s = Tensor([1, 2, 1, 1], [4], on: backend).tracked
        let y = batchNormalization(x, scale: s, shift: Tensor.zeros([4], on: backend), epsilon: 1e-3).y
        let first = y[0][1]
        let second = y[1][1]
        let a = first.gradients()[s]!.scalars
        #expect(a == first.gradients()[s]!.scalars)
        #expect(a == [0, first.scalar / 2, 0, 0])
        let b = second.gradients()[s]!.scalars
        #expect(b[1] == -a[1])
    }

    @Test("A scalar that depends on nothing tracked has no gradients; the leaf itself has 1")
    func trivial() {
        let x = Tensor([4], [1, 1], on: backend)
        #expect(x.gradients()[x] == nil)
        let leaf = x.tracked
        #expect(leaf.gradients()[leaf]?.scalars == [1])
        #expect(leaf.gradients()[leaf]?.shape == [1, 1])
    }

    @Test("The gradient of an intermediate result is not reported")
    func intermediates() {
        let x = Tensor([4], [], on: backend).tracked
        let y = x * x
        let gradients = (y + 1).gradients()
        #expect(gradients[y] == nil)
        #expect(gradients[x]?.scalar == 8)
    }

    @Test("A tape can be built and released on a thread with a small stack", .timeLimit(.minutes(1)))
    func smallStack() async {
        let backend = backend
        let slope = await Task.detached {
            let leaf = Tensor([1], [], on: backend).tracked
            var y = leaf
            for _ in 0..<100_000 { y = y + 1 }
            return y.gradients()[leaf]!.scalar
        }.value
        #expect(slope == 1)
    }
}

/// The portable kernels, and how many blocks of memory are in use.
private final class CountingBackend: Backend {
    let name = "counting"
    private let count = Atomic(0)
    var live: Int { count.load(ordering: .relaxed) }

    func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        self.count.add(1, ordering: .relaxed)
        return PortableBackend().allocate(count)
    }
    func deallocate(_ memory: UnsafeMutablePointer<Float>, _ count: Int) {
        self.count.subtract(1, ordering: .relaxed)
        PortableBackend().deallocate(memory, count)
    }
}
