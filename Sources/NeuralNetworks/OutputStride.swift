import Tensors

extension [NamedLayer] {
    /// The same layers with the same weights, whose feature maps are finer: where strides together would go beyond
    /// `outputStride`, a layer moves by single pixels instead, and what follows looks at pixels that are further apart.
    ///
    /// Every pixel of the former feature maps is one of the new ones (Chen et al. 2015, "Semantic Image Segmentation with Deep
    /// Convolutional Nets and Fully Connected CRFs", §3.1; `output_stride` of TF-slim).
    /// - Throws: ``LayerError/cannotBeFiner(layer:outputStride:)`` for a stride that would go from below to beyond the limit, or
    ///   a pooling of several pixels after the limit is reached.
    public func finer(outputStride: Int) throws(LayerError) -> [NamedLayer] {
        var state = Atrous(limit: outputStride)
        return try state.follow(self)
    }
}

/// What the layers so far come to.
private struct Atrous {
    let limit: Int
    /// Pixels of the input from one pixel of the feature map to the next.
    var stride = 1
    /// Pixels of the feature map that one pixel of the former feature map was from the next.
    var dilation = 1

    mutating func follow(_ layers: [NamedLayer]) throws(LayerError) -> [NamedLayer] {
        var finer: [NamedLayer] = []
        for layer in layers { finer.append(NamedLayer(layer.name, try follow(layer.layer, layer.name))) }
        return finer
    }

    private mutating func follow(_ layer: LayerSpec, _ name: String?) throws(LayerError) -> LayerSpec {
        switch layer {
        case .convolution(var s):
            let before = dilation
            s.stride = try move(s.stride, layer.word, name)
            if s.kernel != Extent(1, 1) {
                s.dilation = Extent(s.dilation.height * before, s.dilation.width * before)
                if case .fixed(let p) = s.padding {
                    s.padding = .fixed(
                        Padding(
                            top: p.top * before, left: p.left * before, bottom: p.bottom * before, right: p.right * before))
                }
            }
            return .convolution(s)
        case .pool(var s):
            let before = dilation
            s.stride = try move(s.stride, layer.word, name)
            guard before == 1 || s.size == Extent(1, 1) else { throw refusal(layer.word, name) }
            return .pool(s)
        case .residual(let main, let shortcut, let activation):
            var beside = self
            let main = try follow(main)
            return .residual(main: main, shortcut: try beside.follow(shortcut), activation: activation)
        case .concatenate(let branches):
            let before = self
            var finer: [[NamedLayer]] = []
            for branch in branches {
                self = before
                finer.append(try follow(branch))
            }
            return .concatenate(finer)
        case .linear, .activation, .softmax, .dropout, .globalAveragePool, .flatten, .batchNormalization,
            .localResponseNormalization:
            return layer
        }
    }

    /// What remains of a layer's stride.
    private mutating func move(_ wanted: Extent, _ word: String, _ name: String?) throws(LayerError) -> Extent {
        guard wanted != Extent(1, 1) else { return wanted }
        guard wanted.height == wanted.width, stride * wanted.height <= limit || stride == limit else {
            throw refusal(word, name)
        }
        if stride < limit {
            stride *= wanted.height
            return wanted
        }
        dilation *= wanted.height
        return Extent(1, 1)
    }

    private func refusal(_ word: String, _ name: String?) -> LayerError {
        .cannotBeFiner(layer: name.map { "'\($0)'" } ?? word, outputStride: limit)
    }
}
