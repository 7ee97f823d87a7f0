"""Words per second of a captioner's decoder: zoo beside other runtimes, interleaved runs on this machine.

    python3 Benchmarks/decoding.py --environment .build/peers/environment [--threads 1,2] [--rounds 5]

Show and Tell's size: embedding 512, LSTM 512, 12,000 words, 20 steps; greedily, with a beam of 3 and of 20. Every runtime gets
one graph for a step (embedding, LSTM, logits and, for beams, log-softmax and top-k) and does the rest in NumPy or PyTorch.
The environment is the one that peers.py makes. Prints a Markdown table with the ratio best peer's time ÷ zoo's.
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
PEERS = ["torch", "torch-jit", "onnxruntime", "openvino", "mnn"]
BEAMS = [1, 3, 20]
EMBEDDING = HIDDEN = 512
WORDS, STEPS = 12000, 20


# The peers; these run in the environment, one process a round.


def step_module(beam):
    import torch
    from torch import nn

    class Step(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.word, self.cell, self.logits = nn.Embedding(WORDS, EMBEDDING), nn.LSTMCell(EMBEDDING, HIDDEN), nn.Linear(HIDDEN, WORDS)

        def chosen(self, h):
            y = self.logits(h)
            return (y.argmax(1),) if beam == 1 else tuple(torch.log_softmax(y, 1).topk(beam, 1))

        def forward(self, w, h, c):
            h, c = self.cell(self.word(w), (h, c))
            return *self.chosen(h), h, c

    class SpelledOut(Step):
        """The cell in products and functions, which is what converted graphs compute fastest."""

        def forward(self, w, h, c):
            cell = self.cell
            gates = self.word(w) @ cell.weight_ih.t() + h @ cell.weight_hh.t() + (cell.bias_ih + cell.bias_hh)
            i, f, g, o = gates.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            return *self.chosen(h), h, c

    return Step().eval(), SpelledOut().eval()


def names(beam):
    return (["w1"] if beam == 1 else ["p", "i"]) + ["h1", "c1"]


def make(folder):
    import torch
    for beam in BEAMS:
        base, outputs = os.path.join(folder, f"step{beam}"), names(beam)
        arguments = (torch.zeros(beam, dtype=torch.long), torch.zeros(beam, HIDDEN), torch.zeros(beam, HIDDEN))
        torch.onnx.export(step_module(beam)[1], arguments, base + ".onnx", input_names=["w", "h", "c"], output_names=outputs,
                          opset_version=17, dynamo=False, dynamic_axes={n: {0: "rows"} for n in ["w", "h", "c"] + outputs})
        import openvino
        openvino.save_model(openvino.convert_model(base + ".onnx"), base + ".xml", compress_to_fp16=False)
        subprocess.run([sys.executable, "-c", "import sys, _tools; _tools.mnnconvert(sys.argv)", "-f", "ONNX", "--modelFile",
                        base + ".onnx", "--MNNModel", base + ".mnn", "--bizCode", "x"], stdout=subprocess.DEVNULL, check=True)


def runner(peer, beam, threads, folder):
    """A function that says 20 words."""
    import numpy as np
    base = os.path.join(folder, f"step{beam}")
    if peer.startswith("torch"):
        import torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        step = step_module(beam)[0]
        if peer == "torch-jit":
            step = torch.jit.freeze(torch.jit.trace(step, (torch.zeros(beam, dtype=torch.long), torch.zeros(beam, HIDDEN), torch.zeros(beam, HIDDEN))))

        def say():
            w, h, c, scores = torch.zeros(1, dtype=torch.long), torch.zeros(1, HIDDEN), torch.zeros(1, HIDDEN), torch.zeros(1, 1)
            for _ in range(STEPS):
                if beam == 1:
                    w, h, c = step(w, h, c)
                    int(w)
                else:
                    p, i, h, c = step(w, h, c)
                    best, at = (p + scores).flatten().topk(beam)
                    scores, rows, w = best[:, None], at // beam, i.flatten()[at]
                    h, c = h[rows], c[rows]
        return say
    if peer == "onnxruntime":
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
        session = onnxruntime.InferenceSession(base + ".onnx", settings, providers=["CPUExecutionProvider"])
        step = lambda w, h, c: session.run(None, {"w": w, "h": h, "c": c})
    elif peer == "openvino":
        import openvino
        core = openvino.Core()
        request = core.compile_model(core.read_model(base + ".xml"), "CPU", {
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        step = lambda w, h, c: [x.copy() for x in request.infer({0: w, 1: h, 2: c}).values()]
    elif peer == "mnn":
        import MNN
        import MNN.expr as F
        runtime = MNN.nn.create_runtime_manager(({"backend": 0, "numThread": threads, "precision": "high"},))
        net = MNN.nn.load_module_from_file(base + ".mnn", ["w", "h", "c"], names(beam), runtime_manager=runtime)

        def step(w, h, c):
            inputs = [F.placeholder(list(w.shape), F.NCHW, F.int), *(F.placeholder(list(x.shape), F.NCHW) for x in (h, c))]
            for variable, x in zip(inputs, (w.astype(np.int32), h, c)):
                variable.write(x)
            return [np.array(F.convert(y, F.NCHW).read()) for y in net.forward(inputs)]

    def say():
        w, scores = np.zeros(1, np.int64), np.zeros((1, 1), np.float32)
        h = c = np.zeros((1, HIDDEN), np.float32)
        for _ in range(STEPS):
            if beam == 1:
                w, h, c = step(w, h, c)
                w = w.astype(np.int64)
            else:
                p, i, h, c = step(w, h, c)
                sums = (p + scores).ravel()
                at = np.argpartition(-sums, beam - 1)[:beam]
                scores, rows, w = sums[at, None], at // beam, i.ravel()[at].astype(np.int64)
                h, c = h[rows], c[rows]
    return say


def measure(peer, beam, threads, seconds, folder):
    say = runner(peer, beam, threads, folder)
    say()
    say()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        say()
        times.append(time.perf_counter() - start)
    print(json.dumps({"wordsPerSecond": STEPS / statistics.median(times)}), flush=True)
    os._exit(0)


# zoo


def card(folder):
    """A captioner of that size, behind a backbone that hardly counts."""
    with open(os.path.join(folder, "words.txt"), "w") as file:
        file.write("".join(f"{word} 9\n" for word in ["<S>", "</S>", "<UNK>"] + [f"w{i}" for i in range(WORDS - 3)]))
    path = os.path.join(folder, "decoder.json")
    with open(path, "w") as file:
        json.dump({
            "schema_version": 1, "name": "decoder", "version": "1.0.0", "title": "Decoder", "summary": "To be timed.",
            "task": "image-captioning", "architecture": "Captioner",
            "hyperparameters": {"inject": "first", "embedding": EMBEDDING, "hidden": HIDDEN, "lstm": {"order": "ifgo"}},
            "backbone": {"input": [32, 32, 3], "layers": [
                {"op": "convolution", "name": "c", "outputs": 8, "kernel": 3}, {"op": "global_average_pool"}]},
            "preprocess": [{"op": "resize", "mode": "stretch", "size": 32, "interpolation": "bilinear", "convention": "pil"},
                           {"op": "to_float"}],
            "vocabulary": {"path": "words.txt", "format": "word_counts", "how_to_get": "Made here.",
                           "tokenizer": {"kind": "letters"},
                           "convention": {"start": "<S>", "end": "</S>", "unknown": "<UNK>"}},
            "weights": [], "license": {"weights": "MIT", "code": "MIT"},
        }, file)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", default=os.path.join(ROOT, ".build", "peers", "environment"))
    parser.add_argument("--peers", type=lambda s: s.split(","), default=PEERS)
    parser.add_argument("--threads", type=lambda s: [int(n) for n in s.split(",")], default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--zoo", default=os.path.join(ROOT, ".build", "release", "zoo"))
    parser.add_argument("--folder", help="for the graphs (default: one that is removed)")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=3, metavar=("PEER", "BEAM", "THREADS"), help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.make:
        return make(a.folder)
    if a.measure:
        return measure(a.measure[0], int(a.measure[1]), int(a.measure[2]), a.seconds, a.folder)

    python = os.path.join(a.environment, "bin", "python")
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.folder or temporary
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(os.path.join(folder, "step20.mnn")):
            subprocess.run([python, __file__, "--make", "--folder", folder], check=True, stdout=sys.stderr)
        path = card(folder)
        print("| decoding | threads | " + " | ".join(a.peers) + " | zoo | ratio | zoo, half precision | ratio |")
        print("|---|---:|" + "---:|" * (len(a.peers) + 4))
        for threads in a.threads:
            found = {}
            for number in range(a.rounds):
                who = ["zoo", *a.peers]
                for name in who if number % 2 == 0 else who[::-1]:
                    if name == "zoo":
                        done = subprocess.run([a.zoo, "bench", path, "--threads", str(threads), "--seconds", str(a.seconds), "--json"],
                                              capture_output=True, text=True, check=True)
                        for row in json.loads(done.stdout)["decoding"]:
                            found.setdefault((row["storage"], row["beam"]), []).append(row["wordsPerSecond"])
                        continue
                    for beam in BEAMS:
                        done = subprocess.run(
                            [python, __file__, "--folder", folder, "--seconds", str(a.seconds), "--measure", name, str(beam), str(threads)],
                            capture_output=True, text=True, check=True)
                        found.setdefault((name, beam), []).append(json.loads(done.stdout.splitlines()[-1])["wordsPerSecond"])
            for beam in BEAMS:
                medians = {name: statistics.median(values) for (name, b), values in found.items() if b == beam}
                best = max(medians[name] for name in a.peers)
                cells = [f"{medians[name]:.0f}" for name in a.peers]
                for storage in ("float32", "float16"):
                    cells += [f"{medians[storage]:.0f}", f"**{medians[storage] / best:.2f}**"]
                print(f"| {'greedy' if beam == 1 else f'beam {beam}'} | {threads} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
