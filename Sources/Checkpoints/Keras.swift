public import Tensors

// Keras' layouts inside HDF5. Source: keras 2.2.5 engine/saving.py, keras 3 legacy/saving/legacy_h5_format.py and
// saving_lib.py (formats only).

/// The tensors of a Keras 1 or 2 file in the order of its layers, or `nil` if the file is not laid out by Keras.
///
/// A weights-only file has the attribute `layer_names` at its root, a whole model in the group `model_weights`; every
/// layer is a group with the attribute `weight_names`. A tensor keeps the name Keras gave it (`dense_1/kernel:0`),
/// preceded by its layer's where two layers use one name. The state of the optimiser is left out.
func kerasContents(_ file: HDF5File, _ root: HDF5Group) throws(CheckpointError) -> CheckpointFormat.Contents? {
    var attributes = root.texts
    let weights: HDF5Group
    if let group = root.group("model_weights"), try kerasNames("layer_names", of: group, file) != nil {
        weights = group
        // The framework's version stands in both places.
        attributes.merge(group.texts) { atRoot, _ in atRoot }
    } else {
        weights = root
    }
    guard let layers = try kerasNames("layer_names", of: weights, file) else { return nil }
    // They tell how this file is laid out; a file that keeps what this one says of itself is laid out otherwise.
    attributes = attributes.filter { !$0.key.hasPrefix("layer_names") }
    // Keras 1 up to 1.2 wrote no version.
    if attributes["keras_version"] == nil { attributes["keras_version"] = "1" }
    let classes = kerasLayerClasses(attributes["model_config"])

    struct Entry {
        let layer: String
        let name: String
        let dataset: HDF5Dataset
    }
    var entries: [Entry] = []
    var uses: [String: Int] = [:]
    // Weights of a model outside of its layers; Keras writes the group since 2.12, without listing it.
    let topLevel = "top_level_model_weights"
    for layer in layers + (weights.group(topLevel) != nil && !layers.contains(topLevel) ? [topLevel] : []) {
        let place = "layer '\(layer)'"
        guard case .group(let group)? = weights.node(layer) else {
            throw .malformed(path: file.path, place: place, problem: "layer_names lists it, but it is not there")
        }
        for name in try kerasNames("weight_names", of: group, file) ?? [] {
            guard case .dataset(let dataset)? = group.node(name) else {
                throw .malformed(path: file.path, place: place, problem: "weight_names lists '\(name)', but it is not there")
            }
            entries.append(Entry(layer: layer, name: name, dataset: dataset))
            uses[name, default: 0] += 1
        }
    }
    var contents = CheckpointFormat.Contents([], attributes: attributes)
    for entry in entries {
        var facts = ["layer": entry.layer]
        facts["layer_class"] = classes[entry.layer]
        let name = uses[entry.name] == 1 ? entry.name : entry.layer + "/" + entry.name
        entry.dataset.add(named: name, file, attributes: facts, to: &contents)
    }
    return contents
}

/// The names an attribute lists. Lists beyond 64 KiB are split into `layer_names0`, `layer_names1`, …
private func kerasNames(_ name: String, of group: HDF5Group, _ file: HDF5File) throws(CheckpointError) -> [String]? {
    func names(_ value: HDF5Value) throws(CheckpointError) -> [String] {
        switch value {
        case .texts(let texts, _): return texts
        case .numbers(let numbers, _) where numbers.isEmpty: return []  // NumPy's empty list has the type float64
        case .numbers:
            throw .malformed(
                path: file.path, place: "'\(group.path)'", problem: "the attribute \(name) lists numbers instead of names")
        }
    }
    if let value = group[attribute: name] { return try names(value) }
    var all: [String]?
    var part = 0
    while let value = group[attribute: "\(name)\(part)"] {
        all = (all ?? []) + (try names(value))
        part += 1
    }
    return all
}

/// The class of every layer that a model's description names, also within models that are layers.
private func kerasLayerClasses(_ configuration: String?) -> [String: String] {
    guard let configuration, let json = try? JSON(parsing: configuration) else { return [:] }
    var classes: [String: String] = [:]
    func visit(_ json: JSON) {
        switch json {
        case .object(let members):
            if case .string(let kind)? = json["class_name"], let config = json["config"] {
                if case .string(let name)? = json["name"] ?? config["name"] {
                    // Wrappers (TimeDistributed, Bidirectional) tell less than what they wrap.
                    if case .string(let inner)? = config["layer"]?["class_name"] {
                        classes[name] = "\(kind)(\(inner))"
                    } else {
                        classes[name] = kind
                    }
                }
            }
            for member in members { visit(member.value) }
        case .array(let elements):
            for element in elements { visit(element) }
        default: break
        }
    }
    visit(json)
    return classes
}

extension CheckpointFormat {
    /// Keras 3: a zip of `config.json`, `metadata.json` and `model.weights.h5`. Names are paths, `layers/dense/vars/0`.
    static let keras3 = CheckpointFormat(
        name: "keras", extensions: ["keras"],
        recognizes: { ZipArchive.mayBe($0) && (try? ZipArchive($0))?["model.weights.h5"] != nil },
        read: { bytes throws(CheckpointError) in
            let archive = try ZipArchive(bytes)
            guard let member = archive["model.weights.h5"] else {
                throw .malformed(path: bytes.path, place: "the archive", problem: "model.weights.h5 is missing")
            }
            var contents = try hdf5Contents(try archive.contents(of: member))
            contents.tensors.removeAll { $0.name.hasPrefix("optimizer/") }
            for (file, attribute) in [("config.json", "model_config"), ("metadata.json", "metadata")] {
                guard let member = archive[file], member.size <= Limits.textLength else { continue }
                contents.attributes[attribute] = try archive.contents(of: member).text
            }
            return contents
        })
}

/// How Keras lays out the weights of a layer, and how they become those of this project:
/// filters `[outputs, inputs / groups, spatial…]`, matrices `[outputs, inputs]`.
public enum KerasLayout: String, Sendable, Hashable, CaseIterable, Codable {
    /// `[in, out]` → `[out, in]`. Also the kernels of recurrent layers: `[in, gates·hidden]` → `[gates·hidden, in]`.
    case dense
    /// `[length, in, out]` → `[out, in, length]`.
    case convolution1D
    /// `[height, width, in, out]` → `[out, in, height, width]`.
    case convolution2D
    /// `[depth, height, width, in, out]` → `[out, in, depth, height, width]`.
    case convolution3D
    /// `[height, width, in, multiplier]` → `[in · multiplier, 1, height, width]`, with `in` groups.
    case depthwiseConvolution2D
    /// `[height, width, out, in]` → `[in, out, height, width]`, as PyTorch has it.
    case transposedConvolution2D
    /// Biases, statistics, embeddings `[vocabulary, dimensions]`: as they are.
    case asIs

    /// What rearranges a kernel of this layout.
    public func transform(of shape: Shape) -> TensorTransform {
        switch self {
        case .asIs: TensorTransform()
        case .dense: TensorTransform(transpose: [1, 0])
        case .convolution1D: TensorTransform(transpose: [2, 1, 0])
        case .convolution2D: TensorTransform(transpose: [3, 2, 0, 1])
        case .convolution3D: TensorTransform(transpose: [4, 3, 0, 1, 2])
        case .transposedConvolution2D: TensorTransform(transpose: [3, 2, 0, 1])
        case .depthwiseConvolution2D:
            TensorTransform(
                transpose: [2, 3, 0, 1],
                reshapeResult: shape.rank == 4 ? [shape[2] * shape[3], 1, shape[0], shape[1]] : nil)
        }
    }

    /// The layout of a tensor of a Keras checkpoint, by its name, its layer's class where the file tells it, and its
    /// rank. Kernels of Keras 1 are taken for TensorFlow's order; for `dim_ordering: th` they are `asIs` (but flipped
    /// in every spatial axis if the file's attribute `backend` is `theano`).
    public init(of tensor: CheckpointTensor) {
        let last = tensor.name.split(separator: "/").last.map(String.init) ?? tensor.name
        let kind = tensor.attributes["layer_class"] ?? ""
        if kind.contains("Embedding") || last.contains("embeddings") {
            self = .asIs
        } else if kind.contains("Depthwise") || last.contains("depthwise_kernel") {
            self = .depthwiseConvolution2D
        } else if kind.contains("Conv2DTranspose") {
            self = tensor.shape.rank == 4 ? .transposedConvolution2D : .asIs
        } else {
            switch tensor.shape.rank {
            // A GRU with reset_after has a bias [2, 3·hidden].
            case 2: self = last.hasPrefix("bias") ? .asIs : .dense
            case 3: self = .convolution1D
            case 4: self = .convolution2D
            case 5: self = .convolution3D
            default: self = .asIs
            }
        }
    }
}

extension TensorMap {
    /// Rules that bring every tensor of a Keras checkpoint into this project's layout and keep its name: one rule for each
    /// kernel. A dense layer after Flatten needs a rule of its own, because only the network tells the maps' extents.
    public static func keras(_ checkpoint: Checkpoint) -> TensorMap {
        var rules: [Rule] = []
        for tensor in checkpoint.tensors {
            let transform = KerasLayout(of: tensor).transform(of: tensor.shape)
            if transform.isIdentity { continue }
            var pattern = ""
            for character in tensor.name {
                if character.isASCII, !character.isLetter, !character.isNumber { pattern += "\\" }
                pattern.append(character)
            }
            rules.append(Rule(from: pattern, to: "$0", transform: transform))
        }
        return TensorMap(rules)
    }
}
