import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

@Suite struct OptimizerTests {
    private let backend = OpenBLAS(threads: 1)

    private func parameter(_ shape: Shape = [6]) throws -> Parameter {
        let start = FormulaParameters.uniform("start", shape, on: backend).scalars
        let store = ParameterStore(GivenParameters(values: ["w": start]), for: .training, on: backend)
        let parameter = try store.root.parameter("w", shape, .he)
        store.track { _ in true }
        return parameter
    }

    private func gradient(_ t: Int, _ shape: Shape = [6]) -> Tensor {
        FormulaParameters.uniform("gradient \(t)", shape, on: backend)
    }

    private func afterFiveSteps(_ optimizer: any Optimizer, _ shape: Shape = [6]) throws -> [Float] {
        var optimizer = optimizer
        let w = try parameter(shape)
        for t in 1...5 {
            optimizer.step([(w, gradient(t, shape))])
            #expect(w.value.isTracked, "it can be differentiated again")
        }
        #expect(optimizer.steps == 5)
        return w.value.scalars
    }

    @Test func sgd() throws { expectClose(try afterFiveSteps(SGD(learningRate: 0.1)), TrainingValues.sgd, tolerance: 1e-6) }

    @Test func momentum() throws {
        expectClose(try afterFiveSteps(SGD(learningRate: 0.1, momentum: 0.9)), TrainingValues.momentum, tolerance: 1e-6)
    }

    @Test func rmsProp() throws {
        expectClose(
            try afterFiveSteps(RMSProp(learningRate: 0.01, decay: 0.9, epsilon: 0.05)), TrainingValues.rmsProp, tolerance: 2e-6)
    }

    /// The large ε tells its place: before the bias correction, beside the root.
    @Test func adam() throws {
        expectClose(try afterFiveSteps(Adam(learningRate: 0.01, epsilon: 0.05)), TrainingValues.adam, tolerance: 2e-6)
    }

    /// Without it all Adams are one.
    @Test func adamAsInPyTorch() throws {
        expectClose(
            try afterFiveSteps(Adam(learningRate: 0.01, epsilon: 1e-12)), TrainingValues.adamWithoutEpsilon, tolerance: 2e-6)
        expectClose(
            try afterFiveSteps(Adam(learningRate: 0.01, epsilon: 1e-12, weightDecay: 0.1), [2, 3]), TrainingValues.adamW,
            tolerance: 2e-6)
    }

    /// Weights decay, biases do not.
    @Test func vectorsDoNotDecay() throws {
        expectClose(
            try afterFiveSteps(Adam(learningRate: 0.01, epsilon: 1e-12, weightDecay: 0.1)), TrainingValues.adamWithoutEpsilon,
            tolerance: 2e-6)
    }

    /// What a state file keeps is enough to go on.
    @Test(
        arguments: [SGD(learningRate: 0.1, momentum: 0.9), RMSProp(learningRate: 0.01, decay: 0.9), Adam(learningRate: 0.01)]
            as [any Optimizer])
    func resumes(_ optimizer: any Optimizer) throws {
        var whole = optimizer
        var first = optimizer
        var second = optimizer
        let a = try parameter()
        let b = try parameter()
        for t in 1...5 { whole.step([(a, gradient(t))]) }
        for t in 1...2 { first.step([(b, gradient(t))]) }
        second.slots = first.slots
        second.steps = first.steps
        for t in 3...5 { second.step([(b, gradient(t))]) }
        #expect(b.value.scalars == a.value.scalars)
    }

    @Test func learningRateCanChange() throws {
        var optimizer = SGD(learningRate: 1)
        let w = try parameter()
        let start = w.value.scalars
        optimizer.learningRate = 0
        optimizer.step([(w, gradient(1))])
        #expect(w.value.scalars == start)
    }

    /// A whole training: a line through points.
    @Test(
        arguments: [SGD(learningRate: 0.5, momentum: 0.5), RMSProp(learningRate: 0.02, decay: 0.9), Adam(learningRate: 0.05)]
            as [any Optimizer])
    func fitsALine(_ optimizer: any Optimizer) throws {
        var optimizer = optimizer
        let store = ParameterStore(FreshParameters(seed: 2), for: .training, on: backend)
        let layer = try Linear(2, 1, in: store.root)
        store.startTraining()
        let x = FormulaParameters.uniform("x", [64, 2], on: backend)
        let target = matmul(x, Tensor([2, -1], [1, 2], on: backend), transposed: true) + 0.5
        for _ in 0..<300 {
            let gradients = (layer(x) - target).squared.mean.gradients()
            optimizer.step(store.all.map { ($0, gradients[$0.value]!) })
        }
        #expect(store.all.map(\.name) == ["bias", "weight"])
        expectClose(store.all[1].value.scalars, [2, -1], tolerance: 0.02)
        expectClose(store.all[0].value.scalars, [0.5], tolerance: 0.05)
    }
}

@Suite struct GradientClippingTests {
    private let backend = OpenBLAS(threads: 1)
    private var gradients: [Tensor] { [Tensor([3, 0, -6], [3], on: backend), Tensor([2], [1, 1], on: backend)] }

    @Test func none() {
        let (clipped, norm) = GradientClipping.none(gradients)
        #expect(norm == 7 && clipped.map(\.scalars) == [[3, 0, -6], [2]])
    }

    @Test func globalNorm() {
        let (clipped, norm) = GradientClipping.globalNorm(3.5)(gradients)
        #expect(norm == 7 && clipped.map(\.scalars) == [[1.5, 0, -3], [1]])
        #expect(clipped.map(\.shape) == [[3], [1, 1]])
        #expect(GradientClipping.globalNorm(7)(gradients).clipped.map(\.scalars) == [[3, 0, -6], [2]])
    }

    @Test func value() {
        let (clipped, norm) = GradientClipping.value(2.5)(gradients)
        #expect(norm == 7 && clipped.map(\.scalars) == [[2.5, 0, -2.5], [2]])
    }

    /// Two million summands in single precision would stop growing.
    @Test func longSums() {
        let many = Tensor(repeating: 0.001, [2_000_003], on: backend)
        let (_, norm) = GradientClipping.none([many])
        #expect(abs(norm - 1.4142146) < 1e-5)
        #expect(GradientClipping.none([]).norm == 0)
    }

    @Test func json() throws {
        #expect(try GradientClipping(json: #"{"kind": "none"}"#) == .none)
        #expect(try GradientClipping(json: #"{"kind": "value", "limit": 0.1}"#) == .value(0.1))
        #expect(try GradientClipping(json: #"{"kind": "global_norm", "limit": 5}"#) == .globalNorm(5))
        #expect(refusal(GradientClipping.self, #"{"kind": "global_norm"}"#) == "missing limit")
        #expect(refusal(GradientClipping.self, #"{"kind": "value", "limit": 0}"#) == "a limit must be above 0")
        #expect(refusal(GradientClipping.self, #"{"kind": "norm", "limit": 5}"#) != nil)
    }
}

@Suite struct LearningRateScheduleTests {
    private func factors(_ schedule: LearningRateSchedule, _ epochs: [Float], of count: Int = 10) -> [Float] {
        epochs.map { schedule.factor(epoch: $0, of: count, developmentLosses: []) }
    }

    @Test func constant() { #expect(factors(.constant, [0, 3.7, 20]) == [1, 1, 1]) }

    @Test func step() {
        expectClose(factors(.step(factor: 0.5, epochs: 8), [0, 7.99, 8, 15.9, 16, 24]), [1, 1, 0.5, 0.5, 0.25, 0.125])
    }

    /// PyTorch's CosineAnnealingLR: floor + (1 - floor) (1 + cos(π t / T)) / 2.
    @Test func cosine() {
        expectClose(factors(.cosine(floor: 0.1), [0, 2.5, 5, 7.5, 10, 12]), [1, 0.8681981, 0.55, 0.2318019, 0.1, 0.1])
        #expect(LearningRateSchedule.cosine(floor: 0).factor(epoch: 0, of: 0, developmentLosses: []) == 1)
    }

    @Test func plateau() {
        func factor(_ losses: [Float], patience: Int = 2) -> Float {
            LearningRateSchedule.plateau(factor: 0.5, patience: patience).factor(epoch: 3, of: 10, developmentLosses: losses)
        }
        #expect(factor([]) == 1)
        #expect(factor([5, 4, 3, 2]) == 1)
        #expect(factor([5, 4, 4.1]) == 1)
        #expect(factor([5, 4, 4.1, 4]) == 0.5, "as good as before is no improvement")
        #expect(factor([5, 4, 4.1, 4.2, 4.3]) == 0.5)
        #expect(factor([5, 4, 4.1, 4.2, 4.3, 4.4]) == 0.25)
        #expect(factor([5, 4, 4.1, 4.2, 3, 3.1]) == 0.5)
        #expect(factor([5, 4, 4.1], patience: 1) == 0.5)
        #expect(factor([5, .nan, .nan], patience: 2) == 0.5, "a loss that is no number is no improvement")
    }

    @Test func json() throws {
        #expect(try LearningRateSchedule(json: #"{"kind": "constant"}"#) == .constant)
        #expect(try LearningRateSchedule(json: #"{"kind": "step", "epochs": 8}"#) == .step(factor: 0.5, epochs: 8))
        #expect(
            try LearningRateSchedule(json: #"{"kind": "step", "factor": 0.1, "epochs": 2.5}"#) == .step(factor: 0.1, epochs: 2.5))
        #expect(try LearningRateSchedule(json: #"{"kind": "plateau"}"#) == .plateau(factor: 0.5, patience: 1))
        #expect(
            try LearningRateSchedule(json: #"{"kind": "plateau", "factor": 0.2, "patience": 3}"#)
                == .plateau(factor: 0.2, patience: 3))
        #expect(try LearningRateSchedule(json: #"{"kind": "cosine"}"#) == .cosine(floor: 0))
        #expect(try LearningRateSchedule(json: #"{"kind": "cosine", "floor": 0.01}"#) == .cosine(floor: 0.01))
        #expect(refusal(LearningRateSchedule.self, #"{"kind": "step"}"#) == "missing epochs")
        #expect(refusal(LearningRateSchedule.self, #"{"kind": "step", "epochs": 0}"#) == "a step must last longer than 0 epochs")
        #expect(
            refusal(LearningRateSchedule.self, #"{"kind": "plateau", "patience": 0}"#) == "patience must last at least 1 epoch")
        #expect(refusal(LearningRateSchedule.self, #"{"kind": "linear"}"#) != nil)
    }
}
