import Tensors

/// The JSON of a layer: `{"op": "convolution", "name": "conv1", "outputs": 64, "kernel": 3, …}`.
extension NamedLayer: Decodable {
    private enum CodingKeys: String, CodingKey {
        case op, name, outputs, kernel, stride, padding, dilation, groups, depthwise, bias, normalization, activation, algorithm
        case rate, size, rounding, order, epsilon, scale, alpha, beta, k, main, shortcut, branches
        case countsPadding = "counts_padding"
        case dividesAlpha = "divides_alpha"
    }

    private enum Operation: String, Decodable, CaseIterable {
        case convolution, linear, relu, relu6, tanh, sigmoid, softmax, dropout, flatten, residual, concatenate
        case maxPool = "max_pool"
        case averagePool = "average_pool"
        case globalAveragePool = "global_average_pool"
        case batchNormalization = "batch_normalization"
        case localResponseNormalization = "local_response_normalization"
    }

    private enum Rounding: String, Decodable, CaseIterable { case floor, ceil }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        func optional<T: Decodable>(_ key: CodingKeys, _ type: T.Type = T.self) throws -> T? {
            try json.decodeIfPresent(T.self, forKey: key)
        }
        func positive(_ key: CodingKeys) throws -> Int { try json.decode(PositiveInteger.self, forKey: key).value }

        let operation = try json.decode(Operation.self, forKey: .op)
        name = try optional(.name)
        switch operation {
        case .convolution:
            let depthwise = try optional(.depthwise) ?? false
            let normalization: NormalizationSpec? = try optional(.normalization)
            layer = .convolution(
                ConvolutionSpec(
                    outputs: depthwise ? try optional(.outputs, PositiveInteger.self)?.value : try positive(.outputs),
                    kernel: try json.decode(Extent.self, forKey: .kernel), stride: try optional(.stride) ?? Extent(1, 1),
                    padding: try optional(.padding) ?? .fixed(Padding(0)), dilation: try optional(.dilation) ?? Extent(1, 1),
                    groups: depthwise ? nil : try optional(.groups, PositiveInteger.self)?.value ?? 1,
                    bias: try optional(.bias) ?? (normalization == nil), normalization: normalization,
                    activation: try optional(.activation), algorithm: depthwise ? nil : try optional(.algorithm)))
        case .linear:
            layer = .linear(
                LinearSpec(
                    outputs: try positive(.outputs), bias: try optional(.bias) ?? true, activation: try optional(.activation)))
        case .relu: layer = .activation(.relu)
        case .relu6: layer = .activation(.relu6)
        case .tanh: layer = .activation(.tanh)
        case .sigmoid: layer = .activation(.sigmoid)
        case .softmax: layer = .softmax
        case .dropout:
            let rate = try json.decode(Float.self, forKey: .rate)
            guard 0 <= rate, rate < 1 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .rate, in: json, debugDescription: "a dropout rate must be at least 0 and below 1")
            }
            layer = .dropout(rate: rate)
        case .flatten: layer = .flatten(try optional(.order) ?? .channelsFirst)
        case .maxPool, .averagePool:
            let size = try json.decode(Extent.self, forKey: .size)
            layer = .pool(
                PoolingSpec(
                    kind: operation == .maxPool ? .maximum : .average(countsPadding: try optional(.countsPadding) ?? true),
                    size: size, stride: try optional(.stride) ?? size, padding: try optional(.padding) ?? .fixed(Padding(0)),
                    roundsUp: try optional(.rounding, Rounding.self) == .ceil))
        case .globalAveragePool: layer = .globalAveragePool
        case .batchNormalization:
            layer = .batchNormalization(try NormalizationSpec(from: decoder))
        case .localResponseNormalization:
            guard try positive(.size) % 2 == 1 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .size, in: json, debugDescription: "the window must have a middle: an odd number of channels")
            }
            layer = .localResponseNormalization(
                LocalResponseSpec(
                    size: try positive(.size), alpha: try json.decode(Float.self, forKey: .alpha),
                    beta: try json.decode(Float.self, forKey: .beta), k: try optional(.k) ?? 1,
                    dividesAlpha: try optional(.dividesAlpha) ?? true))
        case .residual:
            layer = .residual(
                main: try json.decode([NamedLayer].self, forKey: .main), shortcut: try optional(.shortcut) ?? [],
                activation: try optional(.activation))
        case .concatenate: layer = .concatenate(try json.decode([[NamedLayer]].self, forKey: .branches))
        }
    }
}

/// A whole number of at least 1.
private struct PositiveInteger: Decodable {
    let value: Int
    init(from decoder: any Decoder) throws {
        let json = try decoder.singleValueContainer()
        value = try json.decode(Int.self)
        guard value >= 1, value <= 1 << 24 else {
            throw DecodingError.dataCorruptedError(
                in: json, debugDescription: "expected a whole number from 1 to \(1 << 24), found \(value)")
        }
    }
}

/// `3` or `[1, 7]`.
extension Extent: Decodable {
    public init(from decoder: any Decoder) throws {
        let json = try decoder.singleValueContainer()
        if let both = try? json.decode(PositiveInteger.self).value {
            self.init(both, both)
        } else if let pair = try? json.decode([PositiveInteger].self), pair.count == 2 {
            self.init(pair[0].value, pair[1].value)
        } else {
            throw DecodingError.dataCorruptedError(
                in: json, debugDescription: "expected a positive whole number or [height, width]")
        }
    }
}

/// `"same"`, `"valid"`, `1`, `[height, width]` or `[top, left, bottom, right]`.
extension PaddingSpec: Decodable {
    public init(from decoder: any Decoder) throws {
        let json = try decoder.singleValueContainer()
        if let word = try? json.decode(String.self) {
            switch word {
            case "same": self = .same
            case "valid": self = .fixed(Padding(0))
            default:
                throw DecodingError.dataCorruptedError(
                    in: json, debugDescription: "expected \"same\", \"valid\" or numbers, found \"\(word)\"")
            }
            return
        }
        let sides = (try? json.decode(Int.self)).map { [$0] } ?? (try? json.decode([Int].self)) ?? []
        guard [1, 2, 4].contains(sides.count), sides.allSatisfy({ 0 <= $0 && $0 <= 1 << 16 }) else {
            throw DecodingError.dataCorruptedError(
                in: json,
                debugDescription: "expected \"same\", \"valid\", a number, [height, width] or [top, left, bottom, right]")
        }
        switch sides.count {
        case 1: self = .fixed(Padding(sides[0]))
        case 2: self = .fixed(Padding(top: sides[0], left: sides[1], bottom: sides[0], right: sides[1]))
        default: self = .fixed(Padding(top: sides[0], left: sides[1], bottom: sides[2], right: sides[3]))
        }
    }
}
