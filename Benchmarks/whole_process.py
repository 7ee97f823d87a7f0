"""From a picture's file to its caption, whole processes: zoo beside ONNX Runtime and PyTorch from Python.

    python3 Benchmarks/whole_process.py --environment .build/peers/environment [--rounds 5]

Show and Tell's size: Inception-v3 at 299 pixels, embedding 512, LSTM 512, 12,000 words, a beam of 3, 20 steps. Everybody has the
same weights, reads the same PNG and prints the words. Files are in the cache, zoo's packed weights among them; without those it
is measured too. The environment is the one that peers.py makes. Prints a Markdown table.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EMBEDDING = HIDDEN = 512
WORDS, STEPS, BEAM, SIZE = 12000, 20, 3, 299


def make(folder, picture):
    """The weights, zoo's card, and the graphs of the peers. Runs in the environment."""
    import numpy as np
    import torch
    from PIL import Image
    from safetensors.numpy import load_file, save_file
    from torch import nn
    import peer_models

    path = lambda name: os.path.join(folder, name)
    random = np.random.default_rng(1)
    uniform = lambda *shape: random.uniform(-0.08, 0.08, shape).astype(np.float32)
    decoder = {
        "image.weight": uniform(EMBEDDING, 2048), "word.weight": uniform(WORDS, EMBEDDING),
        "lstm.input.weight": uniform(4 * HIDDEN, EMBEDDING), "lstm.recurrent.weight": uniform(4 * HIDDEN, HIDDEN),
        "lstm.bias": uniform(4 * HIDDEN), "logits.weight": uniform(WORDS, HIDDEN), "logits.bias": uniform(WORDS),
    }
    cnn = load_file(path("cnn.safetensors"))
    save_file({**{"cnn." + name: value for name, value in cnn.items()}, **decoder}, path("weights.safetensors"))
    Image.open(picture).convert("RGB").save(path("photo.png"))
    with open(path("words.txt"), "w") as file:
        file.write("".join(f"{word} 9\n" for word in ["<S>", "</S>", "<UNK>"] + [f"w{i}" for i in range(WORDS - 3)]))
    with open(path("cnn.json")) as file:
        layers = json.load(file)["backbone"]["layers"]
    layers = layers[:[layer.get("name") for layer in layers].index("pool") + 1]
    with open(path("whole.json"), "w") as file:
        json.dump({
            "schema_version": 1, "name": "whole", "version": "1.0.0", "title": "Whole", "summary": "To be timed.",
            "task": "image-captioning", "architecture": "Captioner",
            "hyperparameters": {"inject": "first", "embedding": EMBEDDING, "hidden": HIDDEN, "lstm": {"order": "ifgo"}},
            "backbone": {"input": [SIZE, SIZE, 3], "layers": layers},
            "preprocess": [
                {"op": "resize", "mode": "stretch", "size": SIZE, "interpolation": "bilinear", "convention": "pil"},
                {"op": "to_float", "scale": "1/255"}, {"op": "normalize", "mean": 0.5, "std": 0.5}],
            "decoding": {"beam": BEAM, "max_length": STEPS},
            "vocabulary": {"path": "words.txt", "format": "word_counts", "how_to_get": "Made here.", "tokenizer": {"kind": "letters"},
                           "convention": {"start": "<S>", "end": "</S>", "unknown": "<UNK>"}},
            "weights": [{"path": "weights.safetensors", "how_to_get": "Made here."}], "license": {"weights": "MIT", "code": "MIT"},
        }, file)

    network, _ = peer_models.network(path("cnn.json"), path("cnn.safetensors"), None, "pool")
    tensor = lambda name: nn.Parameter(torch.from_numpy(decoder[name]))

    class Cell(nn.Module):
        """The LSTM in products and functions, which converted graphs compute fastest."""

        def __init__(self):
            super().__init__()
            self.w, self.u, self.b = tensor("lstm.input.weight"), tensor("lstm.recurrent.weight"), tensor("lstm.bias")

        def forward(self, x, h, c):
            i, f, g, o = (x @ self.w.t() + h @ self.u.t() + self.b).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c

    class Begin(nn.Module):
        def __init__(self):
            super().__init__()
            self.network, self.image, self.cell = network, tensor("image.weight"), Cell()

        def forward(self, picture):
            v = self.network(picture) @ self.image.t()
            return self.cell(v, torch.zeros_like(v), torch.zeros_like(v))

    class Step(nn.Module):
        def __init__(self):
            super().__init__()
            self.word, self.cell = tensor("word.weight"), Cell()
            self.logits, self.bias = tensor("logits.weight"), tensor("logits.bias")

        def forward(self, w, h, c):
            h, c = self.cell(self.word[w], h, c)
            p, i = torch.log_softmax(h @ self.logits.t() + self.bias, 1).topk(BEAM, 1)
            return p, i, h, c

    rows = (torch.zeros(BEAM, dtype=torch.long), torch.zeros(BEAM, HIDDEN), torch.zeros(BEAM, HIDDEN))
    picture = (torch.zeros(1, 3, SIZE, SIZE),)
    with torch.no_grad():
        for name, module, example, inputs, outputs in [
                ("begin", Begin(), picture, ["picture"], ["h1", "c1"]),
                ("step", Step(), rows, ["w", "h", "c"], ["p", "i", "h1", "c1"])]:
            torch.jit.trace(module.eval(), example).save(path(name + ".ts"))
            axes = {n: {0: "rows"} for n in inputs + outputs} if name == "step" else None
            torch.onnx.export(module, example, path(name + ".onnx"), input_names=inputs, output_names=outputs, opset_version=17,
                              dynamo=False, dynamic_axes=axes)


def caption(peer, threads, folder):
    """Prints a caption as zoo does. Runs in the environment, a process a time."""
    import numpy as np
    from PIL import Image
    path = lambda name: os.path.join(folder, name)
    photo = Image.open(path("photo.png")).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
    x = ((np.asarray(photo, np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    if peer == "torch":
        import torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        load = lambda name: torch.jit.load(path(name + ".ts")).eval()
        numbers = lambda values: [value.numpy() for value in values]
        first, next_ = load("begin"), load("step")
        begin = lambda x: numbers(first(torch.from_numpy(np.ascontiguousarray(x))))
        step = lambda w, h, c: numbers(next_(torch.from_numpy(w), torch.from_numpy(h), torch.from_numpy(c)))
    else:
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
        load = lambda name: onnxruntime.InferenceSession(path(name + ".onnx"), settings, providers=["CPUExecutionProvider"])
        first, next_ = load("begin"), load("step")
        begin = lambda x: first.run(None, {"picture": np.ascontiguousarray(x)})
        step = lambda w, h, c: next_.run(None, {"w": w, "h": h, "c": c})
    with open(path("words.txt")) as file:
        words = [line.split()[0] for line in file]
    h, c = begin(x)
    w, scores, sentences = np.zeros(1, np.int64), np.zeros((1, 1), np.float32), [[]]
    for _ in range(STEPS):
        p, i, h, c = step(w, h, c)
        sums = (p + scores).ravel()
        at = np.argsort(-sums, kind="stable")[:BEAM]
        scores, rows, w = sums[at, None], at // BEAM, i.ravel()[at].astype(np.int64)
        h, c, sentences = h[rows], c[rows], [sentences[row] + [token] for row, token in zip(rows, w)]
    print(" ".join(words[token] for token in sentences[0]), flush=True)
    os._exit(0)


def output(command, environment):
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr.strip()[-1000:]}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", default=os.path.join(ROOT, ".build", "peers", "environment"))
    parser.add_argument("--picture", default=os.path.join(ROOT, "ModelCards", "samples", "dog-on-a-beach.png"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--zoo", default=os.path.join(ROOT, ".build", "release", "zoo"))
    parser.add_argument("--make", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--caption", nargs=2, metavar=("PEER", "FOLDER"), help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.make:
        return make(a.make, a.picture)
    if a.caption:
        return caption(a.caption[0], a.threads, a.caption[1])

    python = os.path.join(a.environment, "bin", "python")
    with tempfile.TemporaryDirectory() as folder:
        card, environment = os.path.join(folder, "whole.json"), {**os.environ, "XDG_CACHE_HOME": os.path.join(folder, "cache")}
        run = lambda command: output(command, environment)
        with open(os.path.join(folder, "cnn.json"), "w") as file:
            file.write(run([a.zoo, "show", "inception-v3", "--json"]))
        run([a.zoo, "bench", "inception-v3", "--tap", "pool", "--cold", "--no-cache", "--save-weights", os.path.join(folder, "cnn.safetensors")])
        run([python, __file__, "--make", folder, "--picture", a.picture])
        threads = ["--threads", str(a.threads)]
        commands = {
            "zoo": [a.zoo, "run", card, os.path.join(folder, "photo.png"), *threads],
            "zoo, nothing packed before": [a.zoo, "run", card, os.path.join(folder, "photo.png"), "--no-cache", *threads],
            "ONNX Runtime": [python, __file__, "--caption", "onnxruntime", folder, *threads],
            "PyTorch": [python, __file__, "--caption", "torch", folder, *threads],
        }
        captions, seconds = {name: run(command).strip() for name, command in commands.items()}, {name: [] for name in commands}
        for number in range(a.rounds):
            for name in list(commands) if number % 2 == 0 else list(commands)[::-1]:
                start = time.perf_counter()
                run(commands[name])
                seconds[name].append(time.perf_counter() - start)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        print("| from a picture to its caption | seconds | ÷ zoo | same words as zoo |\n|---|---:|---:|---|")
        for name, median in medians.items():
            same = "yes" if captions[name] == captions["zoo"] else "no"
            print(f"| {name} | {median:.3f} | **{median / medians['zoo']:.1f}** | {same} |")


if __name__ == "__main__":
    main()
