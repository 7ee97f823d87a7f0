import NeuralNetworks
import OpenBLASBackend
import Tensors
import Testing

/// Finer feature maps hold the coarser ones.
@Suite struct OutputStrides {
    private static func layers(padding: String) -> String {
        """
        [{"op": "convolution", "name": "a", "outputs": 5, "kernel": 3, "stride": 2, "padding": \(padding), "activation": "relu"},
         {"op": "convolution", "name": "b", "outputs": 6, "kernel": 3, "stride": 2, "padding": \(padding), "activation": "relu"},
         {"op": "residual", "name": "r", "activation": "relu",
          "main": [{"op": "convolution", "name": "r.a", "outputs": 6, "kernel": 3, "padding": \(padding), "activation": "tanh"},
                   {"op": "convolution", "name": "r.b", "outputs": 7, "kernel": 3, "stride": 2, "padding": \(padding)}],
          "shortcut": [{"op": "convolution", "name": "r.c", "outputs": 7, "kernel": 1, "stride": 2}]},
         {"op": "concatenate", "name": "j", "branches": [
           [{"op": "convolution", "name": "j.a", "outputs": 3, "kernel": 3, "padding": \(padding)}],
           [{"op": "convolution", "name": "j.b", "outputs": 2, "kernel": 1}]]}]
        """
    }

    @Test(arguments: [2, 4]) func coarsePixelsAreAmongTheFine(_ stride: Int) throws {
        for backend in [PortableBackend(), OpenBLAS(threads: 2)] as [any Backend] {
            let layers = try [NamedLayer](json: Self.layers(padding: "1")), finer = try layers.finer(outputStride: stride)
            let x = FormulaParameters.uniform("x", [1, 33, 41, 3], on: backend)
            func output(_ layers: [NamedLayer]) throws -> Tensor {
                let store = ParameterStore(FormulaParameters(), on: backend)
                return try Backbone(layers, input: [33, 41, 3], in: store.root)(x)
            }
            let coarse = try output(layers), fine = try output(finer), factor = 8 / stride
            #expect(coarse.shape == [1, 5, 6, 5] && fine.shape == [1, 32 / stride + 1, 40 / stride + 1, 5])
            for row in 0..<5 {
                for column in 0..<6 {
                    let pixel = fine[0][row * factor][column * factor].scalars
                    expectClose(pixel, coarse[0][row][column].scalars, "row \(row), column \(column)")
                }
            }
        }
    }

    /// `same` padding puts the coarse pixels elsewhere, but all of them are there.
    @Test func samePadding() throws {
        let backend = OpenBLAS(threads: 1), layers = try [NamedLayer](json: Self.layers(padding: #""same""#))
        let x = FormulaParameters.uniform("x", [1, 32, 32, 3], on: backend)
        func output(_ layers: [NamedLayer]) throws -> Tensor {
            let store = ParameterStore(FormulaParameters(), on: backend)
            return try Backbone(Array(layers.dropLast(2)), input: [32, 32, 3], in: store.root)(x)
        }
        let coarse = try output(layers), fine = try output(layers.finer(outputStride: 2))
        #expect(coarse.shape == [1, 8, 8, 6] && fine.shape == [1, 16, 16, 6])
        for row in 0..<8 {
            for column in 0..<8 {
                expectClose(fine[0][2 * row + 1][2 * column + 1].scalars, coarse[0][row][column].scalars, "\(row), \(column)")
            }
        }
    }

    @Test func withinTheLimitNothingChanges() throws {
        let layers = try [NamedLayer](json: Self.layers(padding: "1"))
        #expect(try layers.finer(outputStride: 8) == layers)
        #expect(try layers.finer(outputStride: 64) == layers)
    }

    @Test func refusals() throws {
        let pooled = try [NamedLayer](
            json: #"[{"op": "max_pool", "name": "p", "size": 2}, {"op": "max_pool", "name": "q", "size": 2}]"#)
        // The second pooling could move by single pixels, but nothing may pool further apart after it.
        #expect(throws: Never.self) { try pooled.finer(outputStride: 2) }
        #expect(throws: LayerError.cannotBeFiner(layer: "'q'", outputStride: 1)) { try pooled.finer(outputStride: 1) }
        let wide = try [NamedLayer](json: #"[{"op": "convolution", "name": "c", "outputs": 2, "kernel": 3, "stride": [1, 2]}]"#)
        #expect(throws: LayerError.cannotBeFiner(layer: "'c'", outputStride: 1)) { try wide.finer(outputStride: 1) }
        let fast = try [NamedLayer](json: #"[{"op": "convolution", "name": "c", "outputs": 2, "kernel": 3, "stride": 4}]"#)
        #expect(throws: LayerError.cannotBeFiner(layer: "'c'", outputStride: 2)) { try fast.finer(outputStride: 2) }
    }
}
