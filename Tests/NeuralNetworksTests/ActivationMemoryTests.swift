import Foundation
import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

@Suite struct ActivationMemory {
    /// Released activations serve later layers: after a forward pass the backend holds all the memory that it ever took, and
    /// that is at most two and a half times the two largest neighbouring maps, those of the first convolution here.
    @Test(arguments: [ConvolutionAlgorithm.matrixProduct, .winograd4]) func isReused(_ algorithm: ConvolutionAlgorithm) throws {
        let backend = OpenBLAS(threads: 2), side = 96, channels = 32
        let layers = (0..<6).map {
            """
            {"op": "convolution", "name": "c\($0)", "outputs": \(channels), "kernel": 3, "padding": 1, "activation": "relu",
            "algorithm": "\(algorithm.rawValue)"}
            """
        }
        let network = try Backbone(
            JSONDecoder().decode([NamedLayer].self, from: Data("[\(layers.joined(separator: ","))]".utf8)),
            input: [side, side, channels], in: ParameterStore(FormulaParameters(), on: backend).root)
        let x = Tensor.zeros([1, side, side, channels], on: backend), map = side * side * channels * 4
        let before = backend.pooledBytes
        var y: Tensor? = network(x)
        #expect(y!.shape == [1, side, side, channels])
        y = nil
        #expect(Double(backend.pooledBytes - before) <= 2.5 * Double(2 * map))
    }
}
