package import NeuralNetworks
package import Tensors

/// Where in the picture a pixel of the feature map looks: the centre of what it sees.
package struct ReceptiveField: Sendable, Hashable {
    /// Along one side of the picture.
    package struct Axis: Sendable, Hashable {
        /// The centre of the first pixel's field; pixels of the picture count from 1.
        package var start: Float = 1
        /// From one centre to the next.
        package var step: Float = 1

        package init(start: Float = 1, step: Float = 1) { (self.start, self.step) = (start, step) }

        /// The centre of a pixel that counts from 0.
        package func centre(of index: Int) -> Float { start + step * Float(index) }

        /// A window of `size` pixels of this feature map, of which the first lies `padding` pixels before it.
        fileprivate mutating func look(size: Int, dilation: Int = 1, stride: Int, padding: Int) {
            start += step * (Float((size - 1) * dilation) / 2 - Float(padding))
            step *= Float(stride)
        }
    }

    package var vertical: Axis
    package var horizontal: Axis

    package init(vertical: Axis = Axis(), horizontal: Axis = Axis()) { (self.vertical, self.horizontal) = (vertical, horizontal) }

    /// After the layers of a backbone. Branches are taken to agree, so the first stands for all.
    /// - Parameter input: `[height, width, channels]` of the picture: what `same` padding adds depends on it.
    package init(_ layers: [NamedLayer], input: Shape) {
        self.init()
        var height = input[0], width = input[1]
        follow(layers, &height, &width)
    }

    private mutating func follow(_ layers: [NamedLayer], _ height: inout Int, _ width: inout Int) {
        for layer in layers {
            switch layer.layer {
            case .convolution(let s):
                let (kernel, stride, dilation) = (s.kernel, s.stride, s.dilation)
                let padding = s.padding.pixels(height, width, kernel, stride, dilation)
                look(kernel, stride, dilation, padding)
                let geometry = ConvolutionGeometry(
                    stride: (stride.height, stride.width), padding: padding, dilation: (dilation.height, dilation.width))
                let shape = geometry.output(input: [1, height, width, 1], filter: [1, 1, kernel.height, kernel.width])
                (height, width) = (shape[1], shape[2])
            case .pool(let s):
                let padding = s.padding.pixels(height, width, s.size, s.stride, Extent(1, 1))
                look(s.size, s.stride, Extent(1, 1), padding)
                let geometry = PoolingGeometry(
                    s.kind, size: (s.size.height, s.size.width), stride: (s.stride.height, s.stride.width), padding: padding,
                    roundsUp: s.roundsUp)
                let shape = geometry.output(input: [1, height, width, 1])
                (height, width) = (shape[1], shape[2])
            case .residual(let main, _, _): follow(main, &height, &width)
            case .concatenate(let branches): follow(branches.first ?? [], &height, &width)
            case .linear, .activation, .softmax, .dropout, .globalAveragePool, .flatten, .batchNormalization,
                .localResponseNormalization:
                break
            }
        }
    }

    private mutating func look(_ window: Extent, _ stride: Extent, _ dilation: Extent, _ padding: Padding) {
        vertical.look(size: window.height, dilation: dilation.height, stride: stride.height, padding: padding.top)
        horizontal.look(size: window.width, dilation: dilation.width, stride: stride.width, padding: padding.left)
    }
}

extension PaddingSpec {
    fileprivate func pixels(_ height: Int, _ width: Int, _ window: Extent, _ stride: Extent, _ dilation: Extent) -> Padding {
        switch self {
        case .fixed(let padding): padding
        case .same:
            .same(
                height: height, width: width, kernel: (window.height, window.width), stride: (stride.height, stride.width),
                dilation: (dilation.height, dilation.width))
        }
    }
}
