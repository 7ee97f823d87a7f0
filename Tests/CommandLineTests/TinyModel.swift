import Checkpoints
import Tensors

/// A model of a few hundred random numbers called `tiny`: a card, the files that it names, and weights.
protocol TinyModel {
    var members: [(key: String, json: String)] { get set }
    var tensors: [(name: String, shape: Shape)] { get set }
    /// What the card names besides weights.
    var files: [(name: String, text: String)] { get }
    /// The numbers lie between minus this and this.
    var range: Float { get }
    /// A tensor whose first value is not a number.
    var broken: String? { get }
}

extension TinyModel {
    /// One member a line; the first in line 2.
    var text: String { "{\n" + members.map { "\"\($0.key)\": \($0.json)" }.joined(separator: ",\n") + "\n}\n" }

    subscript(key: String) -> String? {
        get { members.first { $0.key == key }?.json }
        set {
            let i = members.firstIndex { $0.key == key }
            switch (i, newValue) {
            case (let i?, let json?): members[i].json = json
            case (let i?, nil): members.remove(at: i)
            case (nil, let json?): members.append((key, json))
            case (nil, nil): break
            }
        }
    }

    func with(_ key: String, _ json: String?) -> Self {
        var copy = self
        copy[key] = json
        return copy
    }

    /// Writes card, files and weights as a small catalogue.
    func write(to place: Workplace) throws {
        try place.write("ModelCards/tiny.json", text)
        for (name, text) in files { try place.write(name, text) }
        var state: UInt64 = 1
        let backend = PortableBackend()
        let tensors = tensors.map { name, shape in
            var scalars = (0..<shape.count).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return range * (Float(state >> 40) / Float(1 << 23) - 1)
            }
            if name == broken { scalars[0] = .nan }
            return CheckpointTensor(name: name, Tensor(scalars, shape, on: backend))
        }
        _ = try Checkpoint(tensors).write(to: place.path + "/Weights/tiny.h5")
    }
}
