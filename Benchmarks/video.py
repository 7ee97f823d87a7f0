"""Frames per second from a video file to its class: zoo beside PyTorch and PyAV, the same network, weights and frames.

Both decode every frame, prepare every n-th as the card says (PIL's bilinear scaling), run the card's CNN on batches of 8, then
the LSTM and the linear layer, and must say the same probabilities. PyAV decodes and Pillow scales in a thread of their own, as
zoo does, so that both overlap decoding and the network. Rounds are interleaved. Neither start nor loading counts: Python has its
modules and weights, and zoo's time is what two further runs over the same video add to one process, halved.
Needs, from PyPI: torch av pillow numpy h5py.

    python Benchmarks/video.py clip.mp4 [--model video-lstm] [--every 8] [--rounds 5] [--threads 2]
"""
import argparse
import json
import os
import queue
import statistics
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ZOO = os.path.join(ROOT, ".build/release/zoo")


def card(name):
    with open(os.path.join(ROOT, "ModelCards", name + ".json")) as file:
        return json.load(file)


def weights(name):
    import h5py
    import numpy
    import torch
    with h5py.File(os.path.join(ROOT, "Weights", name + ".h5")) as file:
        found = {}
        file.visititems(
            lambda key, item: found.update({key: torch.from_numpy(numpy.array(item, "float32"))})
            if hasattr(item, "shape") else None)
    return found


class Network:
    """A card of the plugin VideoLSTM whose backbone is another card of plain and residual convolutions."""

    def __init__(self, name):
        self.card, self.w = card(name), weights(name)
        backbone = self.card["backbone"]["model"]
        self.layers = card(backbone)["backbone"]["layers"]
        self.prepare(weights(backbone))

    def prepare(self, w):
        """Folds the normalisations into the convolutions, as zoo does."""
        self.folded = {}
        for layer in [l for outer in self.layers for l in [outer] + outer.get("main", [])]:
            if layer["op"] == "convolution":
                n = layer["name"]
                get = lambda key: w[f"{n}.normalization.{key}"]
                factor = get("scale") / (get("variance") + layer["normalization"]["epsilon"]).sqrt()
                self.folded[n] = (w[n + ".weight"] * factor[:, None, None, None], get("shift") - get("mean") * factor)

    def convolve(self, x, layer):
        import torch.nn.functional as F
        weight, bias = self.folded[layer["name"]]
        kernel, stride, side = layer["kernel"], layer.get("stride", 1), x.shape[2]
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        before = total // 2
        y = F.conv2d(F.pad(x, (before, total - before) * 2) if total else x, weight, bias, stride)
        return {"relu": F.relu_, "relu6": F.relu6}.get(layer.get("activation"), lambda z: z)(y)

    def look(self, x):
        """The map or vector of every frame up to the card's tap."""
        for layer in self.layers:
            if layer["op"] == "convolution":
                x = self.convolve(x, layer)
            elif layer["op"] == "residual":
                y = x
                for inner in layer["main"]:
                    y = self.convolve(y, inner)
                x = (x + y).relu_()
            else:
                x = x.mean((2, 3))
            if layer["name"] == self.card["backbone"].get("tap"):
                break
        return x

    def see(self, f, before):
        """What the card's "sees" is: features, or how much they change."""
        if self.card["hyperparameters"].get("sees", "features") == "features":
            return f.flatten(1)
        import torch
        return (f - torch.cat([f[:1] if before is None else before, f[:-1]])).abs().mean((2, 3))

    def dense(self, name, x, activation=None):
        import torch
        y = x @ self.w[name + ".weight"].T + self.w[name + ".bias"]
        return getattr(torch, activation)(y) if activation else y

    def stack(self, place, layers, x):
        for layer in layers:
            if layer["op"] == "linear":
                x = self.dense(f"{place}.{layer['name']}", x, layer.get("activation"))
            elif layer["op"] == "batch_normalization":
                get = lambda key: self.w[f"{place}.{layer['name']}.{key}"]
                x = (x - get("mean")) / (get("variance") + layer["epsilon"]).sqrt() * get("scale") + get("shift")
        return x

    def classify(self, f):
        """Features of all frames, `[steps, features]` → probabilities of the classes."""
        import torch
        h = self.card["hyperparameters"]
        x = self.stack("frame", h.get("frame_layers", []), f)
        if "pooling" in h:
            count = torch.arange(1, len(x) + 1)[:, None]
            x = x.cumsum(0) / count if h["pooling"] == "mean" else x.cummax(0).values
        else:
            spec = h["recurrent"]
            lstm = torch.nn.LSTM(x.shape[1], spec["hidden"])
            bias = self.w["lstm.layer1.bias"].clone()
            bias[spec["hidden"]:2 * spec["hidden"]] += spec["lstm"].get("forget_bias", 0)
            with torch.no_grad():
                lstm.weight_ih_l0.copy_(self.w["lstm.layer1.input.weight"])
                lstm.weight_hh_l0.copy_(self.w["lstm.layer1.recurrent.weight"])
                lstm.bias_ih_l0.copy_(bias)
                lstm.bias_hh_l0.zero_()
            x = lstm(x[:, None])[0][:, 0]
        p = torch.softmax(self.dense("class", self.stack("state", h.get("class_layers", []), x)), 1)
        t = torch.arange(1, len(p) + 1, dtype=p.dtype)[:, None]
        fused = {"last": p[-1], "mean": p.mean(0), "max": p.max(0).values, "linear": (p * t).sum(0)}[h.get("fusion", "last")]
        return fused / fused.sum()


def torch_round(network, path, every, side):
    import av
    import numpy
    import torch
    from PIL import Image
    waiting = queue.Queue(2)

    def decode():
        batch = []
        with av.open(path) as container:
            container.streams.video[0].thread_type = "AUTO"
            for n, frame in enumerate(container.decode(video=0)):
                if n % every == 0:
                    batch.append(numpy.asarray(frame.to_image().resize((side, side), Image.BILINEAR)))
                if len(batch) == 8:
                    waiting.put(batch)
                    batch = []
        if batch:
            waiting.put(batch)
        waiting.put(None)

    threading.Thread(target=decode, daemon=True).start()
    found, before = [], None
    with torch.inference_mode():
        while (batch := waiting.get()) is not None:
            x = torch.from_numpy(numpy.stack(batch)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
            f = network.look(x.float() / 127.5 - 1)
            found.append(network.see(f, before))
            before = f[-1:]
        return network.classify(torch.cat(found)), sum(len(f) for f in found)


def zoo_round(arguments):
    """What it says, and the seconds a video takes it."""
    def run(videos):
        start = time.perf_counter()
        output = subprocess.run(
            [ZOO, "run", arguments.model, *[arguments.clip] * videos, "--every", f"{arguments.every}f", "--json", "--threads",
             str(arguments.threads)], capture_output=True, text=True, check=True).stdout
        return time.perf_counter() - start, output
    (one, output), (three, _) = run(1), run(3)
    return {a["text"]: a["probability"] for a in json.loads(output)["alternatives"]}, (three - one) / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--model", default="video-lstm")
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    import torch
    torch.set_num_threads(arguments.threads)
    network = Network(arguments.model)
    with open(os.path.join(ROOT, "ModelCards", network.card["answers"]["path"])) as file:
        classes = file.read().split("\n")
    side = network.card["preprocess"][0]["size"]
    times = {"zoo": [], "PyTorch + PyAV": []}
    for _ in range(arguments.rounds + 1):
        ours, seconds = zoo_round(arguments)
        times["zoo"].append(seconds)
        start = time.perf_counter()
        theirs, frames = torch_round(network, arguments.clip, arguments.every, side)
        times["PyTorch + PyAV"].append(time.perf_counter() - start)
    difference = max(abs(ours[name] - theirs[k].item()) for k, name in enumerate(classes) if name in ours)
    for name, seconds in times.items():
        median = statistics.median(seconds[1:])
        print(f"{name:16} {median:7.2f} s, the median of {arguments.rounds}: {frames / median:6.1f} frames looked at a second")
    print(f"{frames} frames of {arguments.clip}, probabilities differ by {difference:.1e} at most")


if __name__ == "__main__":
    main()
