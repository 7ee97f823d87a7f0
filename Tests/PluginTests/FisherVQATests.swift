import FisherVQA
import Foundation
import Language
import Media
import ModelKit
import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

/// Reference/fisher.json, which fisher.py computed with NumPy and scikit-image.
private func reference(_ part: String) throws -> JSONNode {
    try #require(JSONDocument(contentsOf: Project.tests.appending(path: "Reference/fisher.json").path).root[part])
}

extension JSONNode {
    fileprivate func floats(_ name: String) throws -> [Float] { try #require(self[name]).numbers.map { Float($0) } }
    fileprivate func number(_ name: String) throws -> Double { try #require(self[name]?.numbers.first) }
    fileprivate func count(_ name: String) throws -> Int { Int(try number(name)) }
    /// Those of the arrays inside, too.
    private var numbers: [Double] { Double(source).map { [$0] } ?? elements.flatMap(\.numbers) }
}

/// The largest difference as a share of the largest magnitude.
private func relativeDifference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count, let largest = expected.map(abs).max() else { return .infinity }
    return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
}

/// What every part is tested on.
private let backends: [any Backend] = [PortableBackend(), OpenBLAS(threads: 1), OpenBLAS(threads: 2)]

/// Three descriptors and two Gaussians; what a program in double precision made of them stands in the tests.
private func example(on backend: any Backend) -> (x: Tensor, mixture: GaussianMixture) {
    (
        Tensor([0.5, -1, 1.5, 0.25, -0.75, 2], [3, 2], on: backend),
        GaussianMixture(
            means: Tensor([0, 0, 1, 1], [2, 2], on: backend), variances: Tensor([1, 4, 0.25, 1], [2, 2], on: backend),
            priors: Tensor([0.25, 0.75], [2], on: backend))
    )
}

private func fisher(_ form: FisherVector.Form, _ mixture: GaussianMixture) throws -> FisherVector {
    let store = ParameterStore(FreshParameters(seed: 1), on: mixture.means.backend)
    let fisher = try FisherVector(form, components: mixture.components, dimension: mixture.dimension, in: store.root)
    fisher.mixture = mixture
    return fisher
}

@Suite struct FisherVectors {
    private static let raw: [Float] = [
        -0.280631007, 0.501696934, 0.103358494, -0.68965286, -0.322781165, -0.181809416, 0.102899292, 0.343501529,
    ]
    private static let improved: [Float] = [
        -0.333290341, 0.445631235, 0.202268376, -0.522480602, -0.357444808, -0.268264426, 0.201818555, 0.368739139,
    ]
    private static let scikitRaw: [Float] = [
        0.475546741, -0.274557039, -0.280631007, 0.501696934, 0.103358494, -0.68965286, 0.322781165, 0.181809416, -0.102899292,
        -0.343501529,
    ]
    private static let scikitImproved: [Float] = [
        0.380974459, -0.289477989, -0.292662504, 0.391309129, 0.177612016, -0.458790617, 0.313872559, 0.235563198,
        -0.177217028, -0.323790121,
    ]

    @Test(arguments: 0..<3) func goldenNumbers(_ index: Int) throws {
        let (x, mixture) = example(on: backends[index])
        func check(_ form: FisherVector.Form, _ expected: [Float]) throws {
            let found = try fisher(form, mixture)(x.expanded(axis: 0))
            #expect(found.shape == [1, expected.count])
            #expect(zip(found.scalars, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(form): \(found.scalars)")
        }
        try check(.init(.vlfeat, isImproved: false), Self.raw)
        try check(.init(.vlfeat), Self.improved)
        try check(.init(.scikitImage, isImproved: false), Self.scikitRaw)
        try check(.init(.scikitImage), Self.scikitImproved)
    }

    /// Every picture of a batch as if it were alone.
    @Test(arguments: 0..<3) func batches(_ index: Int) throws {
        let (x, mixture) = example(on: backends[index]), encode = try fisher(.init(), mixture)
        let other = x * -0.5 + 0.25, both = encode(.concatenated([x, other], axis: 0).reshaped([2, 3, 2]))
        for (n, picture) in [x, other].enumerated() {
            #expect(relativeDifference(both[n].scalars, encode(picture.expanded(axis: 0)).scalars) < 1e-6)
        }
    }

    /// With one Gaussian of mean 0 and variance 1 the vector is `[mean x, mean (x² - 1)/√2]`.
    @Test(arguments: 0..<3) func standardGaussian(_ index: Int) throws {
        let on = backends[index], x = RandomSource(seed: 3).normal([1, 50, 8], deviation: 1.5, on: on)
        let mixture = GaussianMixture(
            means: .zeros([1, 8], on: on), variances: Tensor(repeating: 1, [1, 8], on: on), priors: Tensor([1], [1], on: on))
        let found = try fisher(.init(isImproved: false), mixture)(x)
        let expected = Tensor.concatenated([x.mean(axis: 1), (x.squared - 1).mean(axis: 1) / Float(2).squareRoot()], axis: 1)
        #expect(relativeDifference(found.scalars, expected.scalars) < 1e-6)
    }

    @Test(arguments: 0..<3) func scikitImage(_ index: Int) throws {
        let expected = try reference("scikit"), on = backends[index]
        let mixture = GaussianMixture(
            means: Tensor(try expected.floats("means"), [3, 4], on: on),
            variances: Tensor(try expected.floats("variances"), [3, 4], on: on),
            priors: Tensor(try expected.floats("priors"), [3], on: on))
        let x = Tensor(try expected.floats("descriptors"), [1, 25, 4], on: on)
        for (isImproved, name) in [(false, "raw"), (true, "improved")] {
            let found = try fisher(.init(.scikitImage, isImproved: isImproved), mixture)(x)
            #expect(relativeDifference(found.scalars, try expected.floats(name)) < 1e-5)
        }
        let likelihood = try expected.number("log_likelihood")
        #expect(abs(mixture.logLikelihood(of: x[0]) / likelihood - 1) < 1e-6)
    }

    /// Descriptors belong to their likeliest Gaussian alone: the first two here to the second, the third to the first.
    @Test(arguments: 0..<3) func hardAssignment(_ index: Int) throws {
        let (x, mixture) = example(on: backends[index])
        let found = try fisher(.init(isImproved: false, isFast: true), mixture)(x.expanded(axis: 0)).scalars
        let u: [Float] = [-0.75 / 1.5, 1 / 1.5, 0, -2.75 / 3 / Float(0.75).squareRoot()]
        let v: [Float] = [
            (0.5625 - 1) / 3 / Float(0.5).squareRoot(), 0, 0, (4 + 0.5625 - 2) / 3 / Float(1.5).squareRoot(),
        ]
        #expect(zip(found, u + v).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found)")
    }

    /// VLFeat leaves out posteriors below 1e-6, and Gaussians whose prior is as small.
    @Test func whatDoesNotCount() throws {
        let on = PortableBackend(), x = Tensor([0, 1, 5.4], [1, 3, 1], on: on)
        func vector(_ convention: FisherVector.Convention, _ means: [Float], _ priors: [Float]) throws -> [Float] {
            let k = means.count
            let mixture = GaussianMixture(
                means: Tensor(means, [k, 1], on: on), variances: Tensor(repeating: 1, [k, 1], on: on),
                priors: Tensor(priors, [k], on: on))
            return try fisher(.init(convention, isImproved: false), mixture)(x).scalars
        }
        // The third descriptor belongs to the first Gaussian by less than 1e-6, the second by a little more.
        let counted = try vector(.vlfeat, [0, 6], [0.5, 0.5]), all = try vector(.scikitImage, [0, 6], [0.5, 0.5])
        #expect(abs(counted[0] - all[2]) > 1e-7 && abs(counted[0] - all[2]) < 1e-5)
        let dead = try vector(.vlfeat, [0, 3, 6], [0.5, 0, 0.5])
        #expect([dead[0], dead[2], dead[3], dead[5]] == counted)
        #expect(dead[1] == 0 && dead[4] == 0)
    }

    /// Descriptors that say nothing: VLFeat's vector of zeros, which scikit-image would divide by 0.
    @Test(arguments: [FisherVector.Convention.vlfeat, .scikitImage])
    func zeros(_ convention: FisherVector.Convention) throws {
        let on = PortableBackend()
        let mixture = GaussianMixture(
            means: .zeros([1, 1], on: on), variances: Tensor(repeating: 1, [1, 1], on: on), priors: Tensor([1], [1], on: on))
        let found = try fisher(.init(convention), mixture)(Tensor([1, -1], [1, 2, 1], on: on))
        #expect(found.scalars.allSatisfy { $0 == 0 })
    }
}

@Suite struct GaussianMixtures {
    @Test(arguments: 0..<3) func goldenNumbers(_ index: Int) {
        let (x, mixture) = example(on: backends[index])
        func check(_ found: Tensor, _ expected: [Float]) {
            #expect(zip(found.scalars, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found.scalars), not \(expected)")
        }
        check(mixture.posteriors(of: x), [0.441541906, 0.558458094, 0.055384973, 0.944615027, 0.966393232, 0.033606768])
        #expect(abs(mixture.logLikelihood(of: x) + 10.170904559664779) < 1e-5)
        let (better, _, iterations) = mixture.improved(by: x, iterations: 1)
        #expect(iterations == 1)
        check(better.means, [-0.287665363, 1.028545149, 1.087374491, -0.166001262])
        check(better.variances, [0.449324877, 1.887845682, 0.303874302, 0.461760589])
        check(better.priors, [0.48777337, 0.51222663])
    }

    /// VLFeat's rules in NumPy: one step; to the end; with a bound that is reached; with a component that is empty at first.
    @Test(arguments: 0..<4, 0..<3) func expectationMaximization(_ row: Int, _ index: Int) throws {
        let part = try reference("mixtures"), expected = try #require(part["rows"]).elements[row], on = backends[index]
        let k = try expected.count("components"), x = Tensor(try part.floats("descriptors"), [90, 3], on: on)
        let start = GaussianMixture(
            means: Tensor(Array(try part.floats("start").prefix(3 * k)), [k, 3], on: on),
            variances: Tensor(repeating: 2, [k, 3], on: on), priors: Tensor(repeating: 1 / Float(k), [k], on: on))
        let (found, likelihood, iterations) = start.improved(
            by: x, minimumVariance: Float(try expected.number("bound")), iterations: try expected.count("limit"))
        #expect(iterations == (try expected.count("iterations")))
        #expect(abs(likelihood / (try expected.number("log_likelihood")) - 1) < 1e-5)
        #expect(relativeDifference(found.means.scalars, try expected.floats("means")) < 1e-4)
        #expect(relativeDifference(found.variances.scalars, try expected.floats("variances")) < 1e-4)
        #expect(relativeDifference(found.priors.scalars, try expected.floats("priors")) < 1e-4)
    }

    private static func heaps(on backend: any Backend) -> Tensor {
        let centers: [Float] = [0, 0, 9, 1, -3, 12], random = RandomSource(seed: 8)
        let noise = random.normal([600, 2], deviation: 0.7, on: backend).scalars
        return Tensor(noise.indices.map { noise[$0] + centers[$0 % 6] }, [600, 2], on: backend)
    }

    /// Heaps far from each other are found whatever the seed, and the same seed finds the same to the bit.
    @Test(arguments: 0..<3) func findsHeaps(_ index: Int) {
        let x = Self.heaps(on: backends[index])
        for seed in 1...5 as ClosedRange<UInt64> {
            let found = GaussianMixture.fitted(to: x, components: 3, random: RandomSource(seed: seed))
            let order = (0..<3).sorted { found.means.scalars[2 * $0] < found.means.scalars[2 * $1] }
            for (component, center) in zip(order, [[-3, 12], [0, 0], [9, 1]] as [[Float]]) {
                for axis in 0..<2 {
                    #expect(abs(found.means[component].scalars[axis] - center[axis]) < 0.15)
                    #expect(abs(found.variances[component].scalars[axis] - 0.49) < 0.1)
                }
                #expect(abs(found.priors.scalars[component] - 1 / 3) < 1e-4)
            }
            let again = GaussianMixture.fitted(to: x, components: 3, random: RandomSource(seed: seed))
            #expect(again.means.scalars == found.means.scalars && again.variances.scalars == found.variances.scalars)
        }
    }

    /// Where the likelihood is largest its gradient, which Fisher vectors are made of, is zero.
    @Test func fisherVectorsOfTheDataAreZero() throws {
        let on = OpenBLAS(threads: 1), x = Self.heaps(on: on)
        let mixture = GaussianMixture.fitted(to: x, components: 3, random: RandomSource(seed: 1))
        let vector = try fisher(.init(.scikitImage, isImproved: false), mixture)(x.expanded(axis: 0))
        #expect(vector.scalars.allSatisfy { abs($0) < 1e-3 }, "\(vector.scalars)")
    }

    /// Fewer descriptors than components, and all alike: nothing that is not finite.
    @Test(arguments: [1, 2, 5]) func hardlyAnyDescriptors(_ count: Int) throws {
        let on = OpenBLAS(threads: 1), x = Tensor(repeating: 0.3, [count, 2], on: on)
        let mixture = GaussianMixture.fitted(to: x, components: 4, random: RandomSource(seed: 1))
        for part in [mixture.means, mixture.variances, mixture.priors] { #expect(part.scalars.allSatisfy { $0.isFinite }) }
        #expect(try fisher(.init(), mixture)(x.expanded(axis: 0)).scalars.allSatisfy { $0.isFinite })
    }

    @Test func clusters() {
        let x = Self.heaps(on: OpenBLAS(threads: 2)), found = KMeans(x, clusters: 3, random: RandomSource(seed: 4))
        // Neighbours come from different heaps, every third descriptor from the same.
        #expect(Set(found.assignments[0..<3]).count == 3)
        #expect((3..<600).allSatisfy { found.assignments[$0] == found.assignments[$0 - 3] })
        for n in 0..<3 {
            let own = (0..<200).map { x[3 * $0 + n].scalars[0] }.reduce(0, +) / 200
            #expect(abs(found.centers[found.assignments[n]].scalars[0] - own) < 1e-5)
        }
    }
}

@Suite struct PrincipalComponentsOfDescriptors {
    @Test(arguments: 0..<3) func againstNumPy(_ index: Int) throws {
        let expected = try reference("components"), on = backends[index], store = ParameterStore(FreshParameters(seed: 1), on: on)
        let x = Tensor(try expected.floats("descriptors"), [40, 6], on: on)
        let components = try PrincipalComponents(4, of: 6, in: store.root)
        components.fit(to: x)
        let found = Dictionary(uniqueKeysWithValues: store.all.map { ($0.name, $0) })
        #expect(found.values.allSatisfy { $0.isStatistic })
        #expect(relativeDifference(try #require(found["mean"]).value.scalars, try expected.floats("mean")) < 1e-6)
        #expect(relativeDifference(try #require(found["projection"]).value.scalars, try expected.floats("vectors")) < 5e-5)
        // Projections have the eigenvalues for their sums of squares.
        let sums = components(x).squared.sum(axis: 0).scalars
        #expect(relativeDifference(sums, try expected.floats("values")) < 1e-5)
    }

    /// Eigenvectors are those of the matrix, orthogonal, in falling order, and no larger eigenvalue is missing.
    @Test(arguments: [1, 2, 3, 7, 40, 129]) func eigenvectors(_ n: Int) {
        let random = RandomSource(seed: UInt64(n))
        var matrix = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0...i {
                matrix[i * n + j] = Double(random.uniform()) - 0.5
                matrix[j * n + i] = matrix[i * n + j]
            }
        }
        let all = LeadingEigenvectors(of: matrix, size: n, count: n), trace = (0..<n).reduce(0) { $0 + matrix[$1 * n + $1] }
        #expect(abs(all.values.reduce(0, +) - trace) < 1e-11 * Double(n))
        #expect(all.values == all.values.sorted(by: >))
        var worst = 0.0
        for t in 0..<n {
            let v = all.vectors[t * n..<(t + 1) * n]
            for i in 0..<n {
                let product = zip(matrix[i * n..<(i + 1) * n], v).reduce(0) { $0 + $1.0 * $1.1 }
                worst = max(worst, abs(product - all.values[t] * v[t * n + i]))
                let dot = zip(all.vectors[i * n..<(i + 1) * n], v).reduce(0) { $0 + $1.0 * $1.1 }
                worst = max(worst, abs(dot - (i == t ? 1 : 0)))
            }
            #expect((v.max() ?? 0) >= -(v.min() ?? 0))
        }
        #expect(worst < 1e-12 * Double(n + 10), "\(worst)")
        let few = LeadingEigenvectors(of: matrix, size: n, count: (n + 3) / 4)
        #expect(few.values == Array(all.values.prefix((n + 3) / 4)))
        #expect(zip(few.vectors, all.vectors).allSatisfy { abs($0 - $1) < 1e-13 })
    }

    @Test func degenerateMatrices() {
        // Nothing to reflect, equal eigenvalues, rank one.
        let diagonal = LeadingEigenvectors(of: [2, 0, 0, 0, -1, 0, 0, 0, 5], size: 3, count: 3)
        #expect(diagonal.values == [5, 2, -1])
        #expect(diagonal.vectors == [0, 0, 1, 1, 0, 0, 0, 1, 0])
        let zero = LeadingEigenvectors(of: [Double](repeating: 0, count: 16), size: 4, count: 2)
        #expect(zero.values == [0, 0] && zero.vectors.map(abs).reduce(0, +) == 2)
        let ones = LeadingEigenvectors(of: [Double](repeating: 1, count: 25), size: 5, count: 2)
        #expect(abs(ones.values[0] - 5) < 1e-14 && abs(ones.values[1]) < 1e-14)
        #expect(ones.vectors.prefix(5).allSatisfy { abs($0 - 1 / 5.0.squareRoot()) < 1e-14 })
    }
}

/// The whole model, stage by stage, against a transcription of its equations.
@Suite struct FisherVQAs {
    private static let words = try! Vocabulary(
        words: ["what", "is", "on", "the", "table", "red", "shape", "there"], convention: convention)
    private static let convention = VocabularyConvention(start: nil, end: nil, unknown: "<UNK>")
    /// The ids of fisher.py.
    private static let questions = [[2, 0, 7], [5], [1, 8, 3, 3, 6]].map { Question(text: "", words: $0) }

    /// A backbone that passes feature maps on.
    private static func assets(_ channels: Int, _ positions: Int, on backend: any Backend) -> Assets {
        Assets(
            backend: backend,
            backbone: BackboneDescription(input: [1, positions, channels], layers: [NamedLayer(nil, .dropout(rate: 0))]),
            vocabulary: words, labels: ["yes", "no", "two", "chair", "lamp"])
    }

    /// The model with the parameters of the script.
    private static func make(
        _ row: JSONNode, for purpose: ParameterStore.Purpose = .inference, on backend: any Backend
    ) throws -> (model: FisherVQA, store: ParameterStore) {
        let assets = assets(try row.count("channels"), try row.count("positions"), on: backend)
        let hyperparameters = try StrictJSONDecoder().decode(
            FisherVQA.Hyperparameters.self, from: try #require(row["hyperparameters"]))
        let names = try #require(row["parameters"]).elements.compactMap(\.string)
        let store = ParameterStore(NumberedParameters(names: names), for: purpose, on: backend)
        let model = try FisherVQA(hyperparameters, assets: assets, parameters: store.root)
        #expect(store.all.map(\.name) == names)
        return (model, store)
    }

    private static func descriptors(_ row: JSONNode, on backend: any Backend) throws -> Tensor {
        let (positions, channels) = (try row.count("positions"), try row.count("channels"))
        let scalars = (0..<3 * positions * channels).map { i in
            let (n, p, c) = (i / (positions * channels), i / channels % positions, i % channels)
            return Float(1.5 * sin(0.9 * Double(n) + 0.4 * Double(p) + 1.1 * Double(c) + 0.31 * Double(n * p * c)))
        }
        return Tensor(scalars, [3, positions, channels], on: backend)
    }

    @Test(arguments: 0..<4, 0..<3) func stages(_ index: Int, _ on: Int) throws {
        let row = try reference("models").elements[index], f = try Self.descriptors(row, on: backends[on])
        for purpose in [ParameterStore.Purpose.inference, .training] {
            let (model, _) = try Self.make(row, for: purpose, on: backends[on])
            let φ = model.condensed(f)
            for (name, found) in [
                ("fisher", φ), ("joint", model.joint(φ, Self.questions)), ("logits", model.answer(φ, Self.questions).logits),
            ] {
                let difference = relativeDifference(found.scalars, try row.floats(name))
                #expect(difference < 1e-4, "\(name) differs by \(difference)")
            }
        }
    }

    @Test(arguments: [0, 2, 3]) func reducedDescriptors(_ index: Int) throws {
        let row = try reference("models").elements[index], on = backends[1], names = ["pca.mean", "pca.projection"]
        let all = try #require(row["parameters"]).elements.compactMap(\.string)
        let store = ParameterStore(NumberedParameters(names: all), on: on)
        let components = try PrincipalComponents(
            try #require(row["hyperparameters"]).count("components"), of: row.count("channels"), in: store.root["pca"])
        #expect(store.all.map(\.name) == names)
        let found = components(try Self.descriptors(row, on: on))
        #expect(relativeDifference(found.scalars, try row.floats("reduced")) < 1e-5)
    }

    /// One row of descriptors for all questions is the same row for each.
    @Test(arguments: 0..<4) func oneRowForAll(_ index: Int) throws {
        let row = try reference("models").elements[index], (model, _) = try Self.make(row, on: backends[1])
        let f = model.condensed(try Self.descriptors(row, on: backends[1])[1..<2])
        let once = model.answer(f, Self.questions).logits
        let thrice = model.answer(.concatenated([f, f, f], axis: 0), Self.questions).logits
        #expect(once.shape == [3, 5])
        #expect(relativeDifference(once.scalars, thrice.scalars) < 1e-5)
    }

    /// Everything that learns gets a gradient, and the statistics do not.
    @Test func gradients() throws {
        let row = try reference("models").elements[0], (model, store) = try Self.make(row, for: .training, on: backends[1])
        store.setMode(.training(RandomSource(seed: 1)))
        store.track { _ in true }
        let f = model.condensed(try Self.descriptors(row, on: backends[1]))
        let batch = zip(Self.questions, [0, 4, 2]).map(QuestionAnswer.init)
        let gradients = model.loss(f, batch).value.gradients()
        for parameter in store.all {
            #expect((gradients[parameter.value] != nil) == !parameter.isStatistic, "\(parameter.name)")
        }
        #expect(store.all.filter(\.isStatistic).count == 5)
    }

    /// A picture is looked at in every size, and each pixel of each feature map is a descriptor.
    @Test func scales() throws {
        let on = backends[1], question = #"{"embedding": 2, "hidden": 2, "lstm": {"order": "ifgo"}}"#
        let json = #"{"question": \#(question), "gaussians": 2, "joint": 2, "scales": [1, 0.5, 1.25]}"#
        var assets = Self.assets(3, 8, on: on)
        let convolution = try JSONDocument(
            #"{"op": "convolution", "name": "a", "outputs": 4, "kernel": 3, "stride": 2, "padding": "same"}"#, file: ""
        ).root
        assets.backbone = BackboneDescription(
            input: [8, 12, 3], layers: [try StrictJSONDecoder().decode(NamedLayer.self, from: convolution)])
        let store = ParameterStore(FreshParameters(seed: 1), on: on)
        let model = try FisherVQA(
            StrictJSONDecoder().decode(FisherVQA.Hyperparameters.self, from: JSONDocument(json, file: "").root), assets: assets,
            parameters: store.root)
        let pixels = RandomSource(seed: 2).uniform([2, 8, 12, 3], -1..<1, on: on), found = model.encode(pixels: pixels)
        #expect(found.shape == [2, 4 * 6 + 2 * 3 + 5 * 8, 4])
        let cnn = try #require(assets.backbone).make(in: store.root["cnn"])
        for n in 0..<2 {
            let picture = FloatImage(height: 8, width: 12, channels: 3, values: pixels[n].scalars)
            let small = picture.resized(height: 4, width: 6), large = picture.resized(height: 10, width: 15)
            let levels = [picture, small, large].flatMap {
                cnn(Tensor($0.values, [1, $0.height, $0.width, 3], on: on)).scalars
            }
            #expect(relativeDifference(found[n].scalars, levels) < 1e-6)
        }
    }

    /// Statistics are those of the descriptors: centred components, and a mixture that their Fisher vectors cancel under.
    @Test func statistics() throws {
        let row = try reference("models").elements[3], on = backends[2], (model, store) = try Self.make(row, on: on)
        let f = RandomSource(seed: 6).normal([20, 100, 40], deviation: 1, on: on) + 3
        model.fitStatistics(to: f, random: RandomSource(seed: 1))
        let found = Dictionary(uniqueKeysWithValues: store.all.map { ($0.name, $0.value) })
        let mean = f.reshaped([2000, 40]).mean(axis: 0)
        #expect(relativeDifference(try #require(found["pca.mean"]).scalars, mean.scalars) < 1e-5)
        #expect(abs(try #require(found["mixture.prior"]).sum.scalar - 1) < 1e-5)
        let projection = try #require(found["pca.projection"]), identity = matmul(projection, projection, transposed: true)
        #expect(zip(identity.scalars, (0..<256).map { $0 % 17 == 0 ? 1 : 0 }).allSatisfy { abs($0 - $1) < 1e-5 })
        // The same numbers, the same statistics.
        let (again, second) = try Self.make(row, on: on)
        again.fitStatistics(to: f, random: RandomSource(seed: 1))
        #expect(zip(store.all, second.all).allSatisfy { $0.value.scalars == $1.value.scalars })
        // Vectors have length 1.
        #expect(model.condensed(f).squared.sum(axis: 1).scalars.allSatisfy { abs($0 - 1) < 1e-5 })
    }

    @Test(arguments: [
        (#"{"gaussians": 2}"#, "fisher.json:1:1: the key 'question' is missing."),
        (#"{"question": Q, "gaussians": 0}"#, "fisher.json:1:85: gaussians: expected a whole number from 1 to 4096, found 0."),
        (
            #"{"question": Q, "components": 5000}"#,
            "fisher.json:1:86: components: expected a whole number from 1 to 4096, found 5000."
        ),
        (#"{"question": Q, "scales": []}"#, "fisher.json:1:82: scales: expected 1 to 16 numbers from 0.05 to 4."),
        (#"{"question": Q, "scales": [1, 0]}"#, "fisher.json:1:82: scales: expected 1 to 16 numbers from 0.05 to 4."),
        (#"{"question": Q, "fusion": "sum"}"#, "fisher.json:1:82: fusion: 'sum' is not one of 'product', 'concatenation'."),
        (
            #"{"question": Q, "convention": "sklearn"}"#,
            "fisher.json:1:86: convention: 'sklearn' is not one of 'vlfeat', 'scikit-image'."
        ),
        (#"{"question": Q, "dropout": 1}"#, "fisher.json:1:83: dropout: a dropout rate must be at least 0 and below 1."),
        (#"{"question": Q, "gausians": 5}"#, "fisher.json:1:72: gausians: unknown key; did you mean 'gaussians'?"),
    ])
    func hyperparameters(_ json: String, _ expected: String) throws {
        let question = #"{"embedding": 3, "hidden": 4, "lstm": {"order": "ifgo"}}"#
        let found = sentence {
            _ = try StrictJSONDecoder().decode(
                FisherVQA.Hyperparameters.self,
                from: JSONDocument(json.replacing("Q", with: question), file: "fisher.json").root)
        }
        #expect(found == expected)
    }

    @Test func unsuitableAssets() throws {
        let row = try reference("models").elements[0]
        let hyperparameters = try StrictJSONDecoder().decode(
            FisherVQA.Hyperparameters.self, from: try #require(row["hyperparameters"]))
        func make(_ change: (inout Assets) throws -> Void) throws -> String? {
            var assets = Self.assets(6, 7, on: PortableBackend())
            try change(&assets)
            return sentence {
                let store = ParameterStore(FreshParameters(seed: 1), on: assets.backend)
                _ = try FisherVQA(hyperparameters, assets: assets, parameters: store.root)
            }
        }
        #expect(try make { _ in } == nil)
        #expect(try make { $0.backbone = nil } == "the card has no 'backbone', which this model needs")
        #expect(try make { $0.vocabulary = nil } == "the card has no 'vocabulary', which this model needs")
        #expect(try make { $0.labels = [] } == "the card has no 'answers', which this model needs")
        #expect(
            try make { $0.backbone?.layers = [NamedLayer(nil, .globalAveragePool)] }
                == "the card's 'backbone' gives [6] and no feature map, whose pixels would be descriptors: tap a convolution")
        #expect(
            try make { $0.backbone?.input = [1, 7, 3] }
                == "the card's 'hyperparameters.components' is 4, but the backbone's descriptors have 3 scalars")
    }
}

/// The parameters of fisher.py.
private struct NumberedParameters: ParameterSource {
    let names: [String]

    func contains(_ name: String) -> Bool { names.contains(name) }

    func tensor(named name: String, shape: Shape, initializer: Initializer, on backend: any Backend) throws -> Tensor {
        let k = Double(try #require(names.firstIndex(of: name), "\(name) is no parameter of the script"))
        let indices = (0..<shape.count).map(Double.init)
        var values = indices.map { 0.6 * sin(1.3 * k + 0.7 * $0 + 0.05 * $0 * k) }
        if name.hasSuffix(".variance") { values = values.map { 0.1 + $0 * $0 } }
        if name.hasSuffix(".prior") {
            let total = indices.reduce(0) { $0 + 1.5 + sin($1) }
            values = indices.map { (1.5 + sin($0)) / total }
        }
        return Tensor(values.map { Float($0) }, shape, on: backend)
    }
}
