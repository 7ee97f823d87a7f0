/// The kernels a machine offers.
///
/// Every kernel has a portable default (`Backend+….swift`): a new backend overrides only what it accelerates, and the
/// defaults are the oracle that the tests compare every backend with. Kernels take and return tensors without history;
/// derivatives stand beside the operations that call them. Shapes are checked by the operations.
public protocol Backend: Sendable {
    /// How `zoo doctor` and benchmark reports call it.
    var name: String { get }

    /// Uninitialised memory for `count` scalars, aligned to 64 bytes.
    func allocate(_ count: Int) -> UnsafeMutablePointer<Float>
    func deallocate(_ memory: UnsafeMutablePointer<Float>, _ count: Int)

    /// Runs `body` over parts of `0..<count` that together are the whole, on as many threads as kernels use.
    func forEachPart(of count: Int, _ body: @Sendable (Range<Int>) -> Void)

    /// `op(a) · op(b)` of two matrices, where `op` transposes if asked; plus `bias`, a row, if there is one.
    func product(_ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool, bias: Tensor?) -> Tensor

    /// `f` of every scalar.
    func map(_ f: UnaryFunction, _ x: Tensor) -> Tensor
    /// `dy · f′`, where `f′` is computed from the input `x` or the result `y`, whichever ``UnaryFunction`` says.
    func mapGradient(_ f: UnaryFunction, _ saved: Tensor, _ dy: Tensor) -> Tensor
    /// `f` of two tensors of one shape, or of shapes that broadcast as NumPy's do, to `shape`.
    func combine(_ f: BinaryFunction, _ a: Tensor, _ b: Tensor, to shape: Shape) -> Tensor
    /// The sum over the axes along which `shape` would broadcast to `x.shape`.
    func sum(_ x: Tensor, to shape: Shape) -> Tensor
    /// The same scalars with axes reordered: axis `i` of the result is axis `axes[i]` of `x`.
    func permute(_ x: Tensor, _ axes: [Int]) -> Tensor

    /// Softmax of every row (last axis).
    func softmax(_ x: Tensor) -> Tensor
    func softmaxGradient(_ y: Tensor, _ dy: Tensor) -> Tensor
    /// For every row of `logits`, `-log softmax(row)[target]`, or 0 where the target is negative; and the softmax.
    func crossEntropy(_ logits: Tensor, _ targets: [Int]) -> (losses: Tensor, probabilities: Tensor)
    /// `(softmax - oneHot(target)) · dy` for every row, 0 where the target is negative.
    func crossEntropyGradient(_ probabilities: Tensor, _ targets: [Int], _ dy: Tensor) -> Tensor

    /// Rows of a matrix, in the order of `indices`.
    func gather(_ table: Tensor, _ indices: [Int]) -> Tensor
    /// A matrix of `rows` rows in which row `indices[i]` is the sum of all `dy[i]`.
    func scatterAdd(_ dy: Tensor, _ indices: [Int], rows: Int) -> Tensor

    /// Cross-correlation of `x`, `[n, h, w, c]`, with `filter`, `[outputs, c / groups, kernelHeight, kernelWidth]`.
    func convolution(_ x: Tensor, _ filter: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor
    func convolutionInputGradient(_ dy: Tensor, _ filter: Tensor, _ geometry: ConvolutionGeometry, input: Shape) -> Tensor
    func convolutionFilterGradient(_ dy: Tensor, _ x: Tensor, _ geometry: ConvolutionGeometry, filter: Shape) -> Tensor

    /// The convolution with `weights` and `activation`, made ready to be applied many times.
    /// - Parameters:
    ///   - weights: `[outputs, c / groups, kernelHeight, kernelWidth]`.
    ///   - input: the shape `x` will mostly have, `[n, h, w, c]`; any other works too.
    ///   - algorithm: what computes it, where it can; `nil`: what the backend expects to be fastest.
    /// - Throws: what reading the weights throws, like the other functions that prepare.
    func prepareConvolution(
        _ weights: PackableWeights, activation: UnaryFunction?, _ geometry: ConvolutionGeometry, input: Shape,
        algorithm: ConvolutionAlgorithm?
    ) throws -> any PreparedConvolution

    /// `x Wᵀ + b`, made ready to be applied many times to few rows.
    /// - Parameters:
    ///   - weights: `[outputs, inputs]`.
    ///   - isRanked: whether ``PreparedLinear/mostProbable(_:of:)`` is what will be asked, which allows of coarser weights than
    ///     products do.
    func prepareLinear(_ weights: PackableWeights, storage: WeightStorage, isRanked: Bool) throws -> any PreparedLinear
    /// - Parameter recurrent: `[4·hidden, hidden]`, blocks in the convention's order.
    func prepareLSTM(recurrent: PackableWeights, _ convention: LSTMConvention) throws -> any PreparedLSTM
    /// - Parameter recurrent: `[3·hidden, hidden]`, blocks in the convention's order, and the bias of the recurrent product.
    func prepareGRU(recurrent: PackableWeights, _ convention: GRUConvention) throws -> any PreparedGRU

    /// Pooling of `x`, `[n, h, w, c]`.
    func pool(_ x: Tensor, _ geometry: PoolingGeometry) -> Tensor
    func poolGradient(_ dy: Tensor, _ x: Tensor, _ y: Tensor, _ geometry: PoolingGeometry) -> Tensor

    /// Normalises every channel (last axis) of `x` by the mean and variance of the batch:
    /// `y = (x - mean) · inverseDeviation · scale + shift`.
    func batchNormalization(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> BatchNormalizationResult
    func batchNormalizationGradient(_ dy: Tensor, _ x: Tensor, scale: Tensor, _ result: BatchNormalizationResult)
        -> (dx: Tensor, dScale: Tensor, dShift: Tensor)

    /// `x / (k + α/divisor · Σ x²)^β`, the sum over `window` neighbouring channels (last axis).
    func localResponseNormalization(_ x: Tensor, _ window: LocalResponseWindow) -> Tensor
    func localResponseNormalizationGradient(_ dy: Tensor, _ x: Tensor, _ window: LocalResponseWindow) -> Tensor

    /// One step of an LSTM from its pre-activations `[rows, 4·hidden]`: the new cell `c`, the new hidden state `h`,
    /// and the activated gates, which the derivative needs.
    func lstmStep(_ preactivations: Tensor, _ cell: Tensor, _ convention: LSTMConvention) -> LSTMStep
    func lstmStepGradient(dh: Tensor?, dc: Tensor?, _ step: LSTMStep, previousCell: Tensor, _ convention: LSTMConvention)
        -> (dPreactivations: Tensor, dCell: Tensor)
}

/// Functions of one scalar that kernels know.
public enum UnaryFunction: Sendable, Hashable, CaseIterable {
    case tanh, sigmoid, hardSigmoid, relu, relu6, exp, log, square, squareRoot, negate

    /// Whether the derivative is computed from the result (`y`) and not from the input (`x`).
    var derivesFromResult: Bool {
        switch self {
        case .tanh, .sigmoid, .hardSigmoid, .relu, .relu6, .exp, .squareRoot, .negate: true
        case .log, .square: false
        }
    }
}

/// Functions of two scalars that kernels know.
public enum BinaryFunction: Sendable, Hashable, CaseIterable { case add, subtract, multiply, divide }

/// What a normalisation by batch statistics leaves behind for its derivative and for the running averages.
public struct BatchNormalizationResult: Sendable {
    public let y: Tensor
    /// `[channels]`.
    public let mean: Tensor
    /// The biased variance, `[channels]`.
    public let variance: Tensor
    /// `1 / √(variance + ε)`, `[channels]`.
    public let inverseDeviation: Tensor
    public init(y: Tensor, mean: Tensor, variance: Tensor, inverseDeviation: Tensor) {
        (self.y, self.mean, self.variance, self.inverseDeviation) = (y, mean, variance, inverseDeviation)
    }
}

/// The neighbourhood of a local response normalisation (Krizhevsky et al. 2012, §3.3).
public struct LocalResponseWindow: Sendable, Hashable {
    /// Channels in the window, an odd number.
    public var size: Int
    /// α; Caffe and Torch divide it by the window's size, TensorFlow does not: the layer decides.
    public var alpha: Float
    public var beta: Float
    public var k: Float
    public init(size: Int, alpha: Float, beta: Float, k: Float) {
        (self.size, self.alpha, self.beta, self.k) = (size, alpha, beta, k)
    }
}

/// The result of one LSTM step.
public struct LSTMStep: Sendable {
    /// `[rows, hidden]`.
    public let hidden: Tensor
    /// `[rows, hidden]`.
    public let cell: Tensor
    /// The four activated gates in the convention's order, `[rows, 4·hidden]`.
    public let gates: Tensor
    public init(hidden: Tensor, cell: Tensor, gates: Tensor) { (self.hidden, self.cell, self.gates) = (hidden, cell, gates) }
}
