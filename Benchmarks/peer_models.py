"""The network of a card in PyTorch, with the weights that zoo wrote, and its translation for every other runtime.

    python peer_models.py CARD.json WEIGHTS FOLDER [--size N] [--tap LAYER]

CARD.json is the card that lists the layers. Writes FOLDER/model.{pt,ts,onnx,xml,mnn,ncnn.param,ncnn.bin} as far as the
packages are installed, input.npy (two pictures of noise, channels last) and reference.npy (PyTorch's result, channels
last), and prints one JSON object: what was made, and why the rest was not.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {"relu": F.relu, "relu6": F.relu6, "tanh": torch.tanh, "sigmoid": torch.sigmoid}


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def sides(padding, size, kernel, stride, dilation=(1, 1)):
    """top, left, bottom, right; `size` is (height, width)."""
    if padding == "same":
        total = [max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n) for n, k, s, d in zip(size, kernel, stride, dilation)]
        return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2
    if padding == "valid":
        return 0, 0, 0, 0
    if isinstance(padding, int):
        return (padding,) * 4
    return tuple(padding) * 2 if len(padding) == 2 else tuple(padding)


class Padded(nn.Module):
    """A layer behind padding: its own where both sides are alike, a separate one otherwise."""

    def __init__(self, padding, value, make):
        super().__init__()
        top, left, bottom, right = padding
        self.separate = None if (top, left) == (bottom, right) else (left, right, top, bottom)
        self.value = value
        self.layer = make((0, 0) if self.separate else (top, left))

    def forward(self, x):
        return self.layer(F.pad(x, self.separate, value=self.value) if self.separate else x)


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Residual(nn.Module):
    def __init__(self, main, shortcut, activation):
        super().__init__()
        self.main, self.shortcut, self.activation = main, shortcut, activation

    def forward(self, x):
        y = self.main(x) + self.shortcut(x)
        return ACTIVATIONS[self.activation](y) if self.activation else y


class Concatenation(nn.Module):
    def __init__(self, branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Builder:
    """Makes modules in the order of the card and follows the shape, [channels, height, width] or [features]."""

    def __init__(self, weights):
        self.weights = weights

    def set(self, parameter, name):
        value = torch.from_numpy(np.ascontiguousarray(self.weights[name]))
        assert parameter.shape == value.shape, f"{name} is {tuple(value.shape)}, the network needs {tuple(parameter.shape)}"
        parameter.data = value

    def normalization(self, spec, name, channels):
        layer = nn.BatchNorm2d(channels, eps=spec["epsilon"])
        if spec.get("scale", True):
            self.set(layer.weight, name + ".scale")
        self.set(layer.bias, name + ".shift")
        layer.running_mean = torch.from_numpy(np.array(self.weights[name + ".mean"]))
        layer.running_var = torch.from_numpy(np.array(self.weights[name + ".variance"]))
        return layer

    def sequence(self, specs, shape):
        layers = []
        for spec in specs:
            layer, shape = self.layer(spec, shape)
            layers.append(layer)
        return nn.Sequential(*layers), shape

    def layer(self, spec, shape):
        layer = self.made(spec, shape)
        with torch.no_grad():
            return layer, list(layer.eval()(torch.zeros([1] + shape)).shape[1:])

    def made(self, spec, shape):
        op, name = spec["op"], spec.get("name")
        if op == "convolution":
            kernel, stride, dilation = pair(spec["kernel"]), pair(spec.get("stride", 1)), pair(spec.get("dilation", 1))
            depthwise, normalization = spec.get("depthwise", False), spec.get("normalization")
            outputs, groups = spec.get("outputs", shape[0]), shape[0] if depthwise else spec.get("groups", 1)
            has_bias = spec.get("bias", normalization is None)
            # A file that was folded before has a bias instead of the normalisation.
            folded = normalization is not None and name + ".normalization.shift" not in self.weights

            def make(padding):
                layer = nn.Conv2d(shape[0], outputs, kernel, stride, padding, dilation, groups, bias=has_bias or folded)
                self.set(layer.weight, name + ".weight")
                if has_bias or folded:
                    self.set(layer.bias, name + ".bias")
                return layer

            layers = [Padded(sides(spec.get("padding", 0), shape[1:], kernel, stride, dilation), 0.0, make)]
            if normalization is not None and not folded:
                layers.append(self.normalization(normalization, name + ".normalization", outputs))
            if spec.get("activation"):
                layers.append(Function(ACTIVATIONS[spec["activation"]]))
            return nn.Sequential(*layers)
        if op == "linear":
            layer = nn.Linear(shape[0], spec["outputs"], bias=spec.get("bias", True))
            self.set(layer.weight, name + ".weight")
            if spec.get("bias", True):
                self.set(layer.bias, name + ".bias")
            return nn.Sequential(layer, Function(ACTIVATIONS[spec["activation"]])) if spec.get("activation") else layer
        if op in ACTIVATIONS:
            return Function(ACTIVATIONS[op])
        if op == "softmax":
            return nn.Softmax(1)
        if op == "dropout":
            return nn.Identity()
        if op in ("max_pool", "average_pool"):
            size = pair(spec["size"])
            stride, ceil = pair(spec.get("stride", list(size))), spec.get("rounding") == "ceil"
            padding = sides(spec.get("padding", 0), shape[1:], size, stride)
            if op == "max_pool":
                return Padded(padding, float("-inf"), lambda p: nn.MaxPool2d(size, stride, p, ceil_mode=ceil))
            counts = spec.get("counts_padding", True)
            if not counts and padding[:2] != padding[2:]:
                raise NotImplementedError("an average over uneven padding that does not count it")
            return Padded(padding, 0.0, lambda p: nn.AvgPool2d(size, stride, p, ceil_mode=ceil, count_include_pad=counts))
        if op == "global_average_pool":
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if op == "flatten":
            return nn.Flatten() if spec.get("order", "CHW") == "CHW" else Function(lambda x: x.permute(0, 2, 3, 1).flatten(1))
        if op == "batch_normalization":
            return self.normalization(spec, name, shape[0])
        if op == "local_response_normalization":
            alpha = spec["alpha"] * (1 if spec.get("divides_alpha", True) else spec["size"])
            return nn.LocalResponseNorm(spec["size"], alpha, spec["beta"], spec.get("k", 1.0))
        if op == "residual":
            main, _ = self.sequence(spec["main"], shape)
            shortcut, _ = self.sequence(spec.get("shortcut", []), shape)
            return Residual(main, shortcut, spec.get("activation"))
        if op == "concatenate":
            return Concatenation([self.sequence(branch, shape)[0] for branch in spec["branches"]])
        raise NotImplementedError(f"the operation {op}")


def load(path):
    if path.endswith(".safetensors"):
        from safetensors.numpy import load_file
        return load_file(path)
    import h5py
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.__setitem__(name.replace("/", "."), item[()].astype(np.float32))
                        if isinstance(item, h5py.Dataset) else None)
    return found


def network(card, weights, size=None, tap=None):
    """The module, and the shape of its input, [channels, height, width]."""
    with open(card) as file:
        backbone = json.load(file)["backbone"]
    height, width, channels = backbone["input"]
    shape = [channels, size or height, size or width]
    layers, tap = backbone["layers"], tap or backbone.get("tap")
    if tap:
        layers = layers[:[layer.get("name") for layer in layers].index(tap) + 1]
    return Builder(load(weights)).sequence(layers, shape)[0].eval(), shape


def channels_last(y):
    return np.ascontiguousarray(y.transpose(0, 2, 3, 1)) if y.ndim == 4 else y


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip()[-400:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("card")
    parser.add_argument("weights")
    parser.add_argument("folder")
    parser.add_argument("--size", type=int)
    parser.add_argument("--tap")
    a = parser.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    module, shape = network(a.card, a.weights, a.size, a.tap)
    base = os.path.join(a.folder, "model")
    x = np.random.default_rng(0).standard_normal([2, shape[1], shape[2], shape[0]], dtype=np.float32)
    np.save(os.path.join(a.folder, "input.npy"), x)
    first = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    with torch.inference_mode():
        np.save(os.path.join(a.folder, "reference.npy"), channels_last(module(first).numpy()))
    with torch.no_grad():
        traced = torch.jit.trace(module, first[:1])
    traced.save(base + ".ts")
    problems = {}

    def attempt(name, body):
        try:
            body()
        except Exception as error:  # A peer that cannot have the model is left out, and the reason told.
            problems[name] = f"{type(error).__name__}: {error}"[:400]

    def onnx():
        names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "n"}, "y": {0: "n"}}}
        torch.onnx.export(module, (first[:1],), base + ".onnx", opset_version=17, dynamo=False, **names)

    def openvino():
        import openvino
        openvino.save_model(openvino.convert_model(base + ".onnx"), base + ".xml", compress_to_fp16=False)

    def mnn():
        # The converter itself: its wrapper on the path installs a package for telemetry first.
        run([sys.executable, "-c", "import sys, _tools; _tools.mnnconvert(sys.argv)", "-f", "ONNX", "--modelFile", base + ".onnx",
             "--MNNModel", base + ".mnn", "--bizCode", "x"])
        if not os.path.exists(base + ".mnn"):
            raise RuntimeError("the converter wrote nothing")

    def ncnn():
        import shutil
        import tempfile
        with tempfile.TemporaryDirectory(dir=a.folder) as folder:
            converter = os.path.join(os.path.dirname(sys.executable), "pnnx")
            part = lambda name: os.path.join(folder, name)
            run([converter, base + ".ts", f"inputshape=[1,{shape[0]},{shape[1]},{shape[2]}]", "fp16=0",
                 f"ncnnparam={part('a.param')}", f"ncnnbin={part('a.bin')}", f"pnnxparam={part('p.param')}", f"pnnxbin={part('p.bin')}",
                 f"pnnxpy={part('p.py')}", f"pnnxonnx={part('p.onnx')}", f"ncnnpy={part('n.py')}"])
            shutil.move(part("a.param"), base + ".ncnn.param")
            shutil.move(part("a.bin"), base + ".ncnn.bin")

    attempt("onnxruntime", onnx)
    for name, body in [("openvino", openvino), ("mnn", mnn), ("ncnn", ncnn)]:
        attempt(name, body)
    print(json.dumps({"problems": problems}))


if __name__ == "__main__":
    main()
