public import Media
public import NeuralNetworks
public import Tensors
import Checkpoints
public import Foundation

/// How a small backbone learns to see what a large one sees (Romero et al. 2015, FitNets; Hinton et al. 2015).
///
/// At several depths a linear map of the student's feature maps regresses the teacher's; at the end the student's pooled
/// features regress the teacher's, and the teacher's own classifier must read the same classes from both. The photos
/// need no labels.
public struct DistillationPlan: Sendable, Decodable {
    /// A pair of layers whose feature maps have the same height and width.
    public struct Hint: Sendable, Decodable {
        public var student: String
        public var teacher: String
        public var weight: Float

        private enum CodingKeys: CodingKey { case student, teacher, weight }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            student = try json.decode(String.self, forKey: .student)
            teacher = try json.decode(String.self, forKey: .teacher)
            weight = try json.decodeNonnegative(.weight)
        }
    }

    /// A part of the training at one picture size.
    public struct Phase: Sendable, Decodable {
        public var epochs: Int
        /// Height and width of the crops, in pixels.
        public var size: Int

        private enum CodingKeys: CodingKey { case epochs, size }
        public init(from decoder: any Decoder) throws {
            let json = try decoder.container(keyedBy: CodingKeys.self)
            epochs = try json.decodePositive(.epochs)
            size = try json.decodePositive(.size)
        }
    }

    /// The card of the teacher.
    public var teacher: String
    public var hints: [Hint]
    /// The teacher's layer before its global average, which the student's last layer before its own must equal.
    public var features: Hint
    /// How much the divergence of the classes counts, and the temperature that softens them.
    public var classesWeight: Float
    public var temperature: Float
    public var phases: [Phase]
    /// The smallest random crop, in parts of the photo's area.
    public var smallestCrop: Float
    /// How far the light of a photo is changed, in parts of the full range (``ColorJitter``).
    public var colorJitter: Float
    public var batch: Int
    public var learningRate: Float
    public var weightDecay: Float
    public var seed: UInt64

    private enum CodingKeys: String, CodingKey {
        case teacher, hints, features, temperature, phases, batch, seed
        case classesWeight = "classes_weight"
        case smallestCrop = "smallest_crop"
        case colorJitter = "color_jitter"
        case learningRate = "learning_rate"
        case weightDecay = "weight_decay"
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        teacher = try json.decode(String.self, forKey: .teacher)
        hints = try json.decode([Hint].self, forKey: .hints)
        features = try json.decode(Hint.self, forKey: .features)
        classesWeight = try json.decodeNonnegative(.classesWeight)
        temperature = try json.decodeNonnegative(.temperature)
        phases = try json.decode([Phase].self, forKey: .phases)
        smallestCrop = try json.decodeNonnegative(.smallestCrop)
        colorJitter = try json.decodeNonnegative(.colorJitter)
        batch = try json.decodePositive(.batch)
        learningRate = try json.decodeNonnegative(.learningRate)
        weightDecay = try json.decodeNonnegative(.weightDecay)
        seed = try json.decode(UInt64.self, forKey: .seed)
        if temperature == 0 {
            throw DecodingError.dataCorruptedError(
                forKey: .temperature, in: json, debugDescription: "a temperature above 0 was expected, not 0")
        }
        if !(0.01...1).contains(smallestCrop) {
            throw DecodingError.dataCorruptedError(
                forKey: .smallestCrop, in: json,
                debugDescription: "a part of the area from 0.01 to 1 was expected, not \(smallestCrop)")
        }
        if phases.isEmpty {
            throw DecodingError.dataCorruptedError(forKey: .phases, in: json, debugDescription: "at least one phase was expected")
        }
    }

    var epochs: Int { phases.reduce(0) { $0 + $1.epochs } }

    /// The picture size of an epoch.
    func size(epoch: Int) -> Int {
        var rest = epoch
        for phase in phases {
            if rest < phase.epochs { return phase.size }
            rest -= phase.epochs
        }
        return phases.last?.size ?? 0
    }
}

/// A distillation that can be killed and resumed at any moment.
public final class Distillation {
    /// What one pass over the development photos finds.
    public struct Scores: Sendable {
        /// The weighted sum that training makes small.
        public var loss: Float
        /// The mean cosine between the student's and the teacher's pooled features.
        public var cosine: Float
        /// The share of photos for which the teacher's classifier picks the same class from both.
        public var agreement: Float
    }

    private let plan: DistillationPlan
    private let student: Backbone, teacher: Backbone
    private let classifier: (Tensor) -> Tensor
    private let store: ParameterStore
    private let regressors: [Linear]
    private let backend: any Backend
    private let normalize: @Sendable (UInt8) -> Float
    private var deviations: [Tensor] = []
    /// The parameters that only training needs.
    private static let scaffold = "distillation"

    /// - Parameters:
    ///   - student: made from `store` up to the layer before its global average.
    ///   - teacher: made for inference up to the layer before its global average.
    ///   - classifier: the teacher's logits from pooled features `[n, c]`.
    ///   - normalize: what both networks expect of an 8-bit colour value.
    public init(
        _ plan: DistillationPlan, student: Backbone, in store: ParameterStore, teacher: Backbone,
        classifier: @escaping (Tensor) -> Tensor,
        normalize: @escaping @Sendable (UInt8) -> Float
    ) throws {
        (self.plan, self.student, self.store, self.teacher, self.classifier) = (plan, student, store, teacher, classifier)
        self.normalize = normalize
        backend = store.backend
        func channels(_ backbone: Backbone, _ tap: String) throws -> Int {
            guard let shape = backbone.summary.taps.first(where: { $0.name == tap })?.shape else {
                throw LayerError.unknownTap(tap, known: backbone.summary.taps.map(\.name))
            }
            return shape[-1]
        }
        let scope = store.root[Self.scaffold]
        regressors = try plan.hints.map { hint in
            try Linear(channels(student, hint.student), channels(teacher, hint.teacher), in: scope[hint.student])
        }
    }

    /// Trains on photos and writes the best student to `path` after every epoch that improves it.
    /// - Parameters:
    ///   - statePath: where the resumable state is kept.
    ///   - deadline: training stops after the batch in which this moment passes, and can be resumed.
    ///   - report: a line for the log.
    /// - Returns: whether all epochs were done.
    public func train(
        on photos: [String], development: [String], statePath: String, deadline: Date = .distantFuture, save: () throws -> Void,
        report: (String) -> Void
    ) throws -> Bool {
        let random = RandomSource(seed: plan.seed)
        var optimizer: any Optimizer = Adam(learningRate: plan.learningRate, weightDecay: plan.weightDecay)
        store.track { _ in true }
        try measureDeviations(photos)
        let fingerprint = "distillation \(plan) \(photos.count)"
        var state = TrainingState()
        state.fingerprint = fingerprint
        state.epochRandom = random.words
        if let saved = try TrainingState.resume(store, &optimizer, from: statePath, fingerprint: fingerprint) {
            state = saved
            report("resumed at epoch \(state.epoch + 1), batch \(state.batch)")
        }
        let batches = max(1, photos.count / plan.batch), clip = GradientClipping.globalNorm(5)
        var lastSave = Date()
        while state.epoch < plan.epochs {
            let started = Date(), size = plan.size(epoch: state.epoch)
            random.words = state.epochRandom
            let order = random.permutation(photos.count)
            if state.batch > 0 { random.words = state.random }
            let firstBatch = state.batch
            while state.batch < batches {
                store.setMode(.training(random))
                let paths = order[state.batch * plan.batch..<min((state.batch + 1) * plan.batch, order.count)].map { photos[$0] }
                let views = paths.map { path in
                    View(
                        path: path, augmentation: Augmentation(random, smallestCrop: plan.smallestCrop),
                        light: ColorJitter(random, strength: plan.colorJitter))
                }
                let pixels = try load(views, size: size)
                let progress = (Float(state.epoch) + Float(state.batch) / Float(batches)) / Float(plan.epochs)
                let warmUp = min(1, Float(optimizer.steps + 1) / 100)
                optimizer.learningRate = plan.learningRate * warmUp * 0.5 * (1 + cos(.pi * progress))
                let loss = losses(pixels).total
                let gradients = loss.gradients()
                let trained = store.all.filter { $0.value.isTracked }
                let (clipped, norm) = clip(trained.map { gradients[$0.value] ?? .zeros($0.value.shape, on: backend) })
                if norm.isFinite { optimizer.step(Array(zip(trained, clipped)).map { (parameter: $0, gradient: $1) }) }
                state.add(loss.scalar, over: 1)
                state.batch += 1
                state.steps = optimizer.steps
                state.random = random.words
                if state.batch % 20 == 0 {
                    let rate = Double((state.batch - firstBatch) * plan.batch) / Date().timeIntervalSince(started)
                    report(
                        "epoch \(state.epoch + 1)/\(plan.epochs) @\(size) batch \(state.batch)/\(batches) "
                            + "loss \(Float(state.meanLoss)) \(Int(rate)) photos/s"
                    )
                }
                if Date().timeIntervalSince(lastSave) > 120 || Date() > deadline {
                    try state.save(store, optimizer, to: statePath)
                    lastSave = Date()
                    if Date() > deadline { return false }
                }
            }
            let scores = try evaluate(development, size: plan.phases.last?.size ?? size)
            let trainingLoss = Float(state.meanLoss)
            state.finishEpoch(random)
            state.history.append(
                EpochRecord(
                    epoch: state.epoch, trainingLoss: trainingLoss, developmentLoss: scores.loss,
                    learningRate: optimizer.learningRate,
                    seconds: Date().timeIntervalSince(started), scores: ["cosine": scores.cosine, "agreement": scores.agreement]))
            report(
                "epoch \(state.epoch)/\(plan.epochs) done: training loss \(trainingLoss), development loss \(scores.loss), "
                    + "cosine \(scores.cosine), same class \(scores.agreement), \(Int(Date().timeIntervalSince(started))) s")
            if scores.loss < state.best?.score ?? .infinity {
                state.best = .init(epoch: state.epoch, score: scores.loss)
                try save()
            }
            try state.save(store, optimizer, to: statePath)
        }
        return true
    }

    /// The parameters of the student alone.
    public var studentParameters: [Parameter] { store.all.filter { !$0.name.hasPrefix(Self.scaffold) } }

    public func evaluate(_ photos: [String], size: Int) throws -> Scores {
        store.setMode(.inference)
        var loss: Float = 0, cosine: Float = 0, agreement: Float = 0, count: Float = 0
        for start in stride(from: 0, to: photos.count, by: plan.batch) {
            let paths = photos[start..<min(start + plan.batch, photos.count)]
            let pixels = try load(paths.map { View(path: $0) }, size: size), n = Float(paths.count)
            let result = losses(pixels)
            loss += result.total.scalar * n
            cosine += result.cosine * n
            agreement += result.agreement * n
            count += n
        }
        return Scores(loss: loss / count, cosine: cosine / count, agreement: agreement / count)
    }

    private func losses(_ pixels: Tensor) -> (total: Tensor, cosine: Float, agreement: Float) {
        let (teacherMaps, teacherHints) = teacher(pixels, taps: plan.hints.map(\.teacher))
        let (studentMaps, studentHints) = student(pixels, taps: plan.hints.map(\.student))
        var total = Tensor.zeros([], on: backend)
        for (i, hint) in plan.hints.enumerated() {
            // Channels count alike, however large the teacher's numbers are.
            total = total + ((regressors[i](studentHints[i]) - teacherHints[i]) / deviations[i]).squared.mean * hint.weight
        }
        let (t, s) = (teacherMaps.globalAverage, studentMaps.globalAverage)
        total = total + ((studentMaps - teacherMaps) / deviations[plan.hints.count]).squared.mean * plan.features.weight
        total = total + ((s - t) / deviations[plan.hints.count + 1]).squared.mean * plan.features.weight
        let tLogits = classifier(t), sLogits = classifier(s)
        let p = softmax(tLogits / plan.temperature)
        // Cross entropy with soft targets, less the targets' own entropy: the Kullback–Leibler divergence.
        let divergence = (p * (log(p + 1e-8) - logSoftmax(sLogits / plan.temperature))).sum / Float(t.shape[0])
        total = total + divergence * plan.classesWeight
        return (total, meanCosine(t, s), sameTop(tLogits, sLogits))
    }

    /// The standard deviation of every channel the losses compare, from a few batches.
    private func measureDeviations(_ photos: [String]) throws {
        store.setMode(.inference)
        let random = RandomSource(seed: plan.seed ^ 1), size = plan.phases.last?.size ?? 224
        let sample = random.permutation(photos.count).prefix(4 * plan.batch).map { photos[$0] }
        let pixels = try load(sample.map { View(path: $0) }, size: size)
        let (maps, hints) = teacher(pixels, taps: plan.hints.map(\.teacher))
        deviations = (hints + [maps, maps.globalAverage]).map { x in
            let rows = x.reshaped([x.shape.count / x.shape[-1], x.shape[-1]]), mean = rows.mean(axis: 0)
            return sqrt((rows - mean).squared.mean(axis: 0) + 1e-4)
        }
    }

    /// A photo, the part of it that is looked at, and its light.
    private struct View {
        var path: String
        var augmentation = Augmentation.none
        var light = ColorJitter.none
    }

    private func load(_ photos: [View], size: Int) throws -> Tensor {
        let rows = try concurrently(photos.count) {
            try photos[$0].augmentation(Image(contentsOf: photos[$0].path), size: size).pixels
        }
        return Tensor(shape: [photos.count, size, size, 3], on: backend) { pixels in
            for (n, row) in rows.enumerated() {
                let tables = photos[n].light.tables(normalize)
                for i in stride(from: 0, to: row.count, by: 3) {
                    for c in 0..<3 { pixels[n * row.count + i + c] = tables[c][Int(row[i + c])] }
                }
            }
        }
    }
}

private func logSoftmax(_ x: Tensor) -> Tensor {
    // A constant shift per row keeps the exponentials finite and has no gradient.
    let rows = x.shape[0], n = x.shape[1]
    let top = Tensor(shape: [rows, 1], on: x.backend) { top in
        x.withScalars { x in for r in 0..<rows { top[r] = x[r * n..<(r + 1) * n].max() ?? 0 } }
    }
    let shifted = x - top
    return shifted - log(exp(shifted).sum(axis: 1).expanded(axis: 1))
}

private func meanCosine(_ a: Tensor, _ b: Tensor) -> Float {
    let (a, b) = (a.detached, b.detached)
    let cosines = (a * b).sum(axis: 1) / sqrt(a.squared.sum(axis: 1) * b.squared.sum(axis: 1) + 1e-12)
    return cosines.mean.scalar
}

private func sameTop(_ a: Tensor, _ b: Tensor) -> Float {
    let rows = a.shape[0]
    return Float((0..<rows).count { a.detached[$0].argmax == b.detached[$0].argmax }) / Float(rows)
}
