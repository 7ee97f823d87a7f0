"""Time of a training step of a small CNN: zoo beside PyTorch.

The same network (built from the card's JSON), weights, batch of noise, loss and optimiser on both sides: forward with the
statistics of the batch, mean square of the result, backward, stochastic gradient descent with momentum. Rounds are
interleaved; every run is a process of its own that warms up and reports a median. PyTorch runs eagerly with its default and
with the channels-last memory format; the ratio is that of the faster. Nothing is printed where the losses of the first steps
or the length of the first gradient differ.

    swift build -c release --product zoo
    python Benchmarks/cnn_training.py [--model zoo-cnn] [--size 128] [--batch 32] [--threads 1,2] [--rounds 5]

Needs, from PyPI: torch numpy safetensors.
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
LARGEST_DIFFERENCE = 1e-3
FORMATS = {"torch": "default", "torch-channels-last": "channels last"}


def output(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr.strip()}")
    return done.stdout


def torch_steps(card, weights, pictures, size, tap, threads, channels_last, seconds, optimizer):
    """What `zoo bench --training --json` reports, of PyTorch."""
    import numpy as np
    import torch
    import peer_models
    torch.set_num_threads(threads)
    module, _ = peer_models.network(card, weights, size, tap)
    module.train()
    x = torch.from_numpy(np.ascontiguousarray(np.load(pictures).transpose(0, 3, 1, 2)))
    if channels_last:
        module, x = module.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    descent = torch.optim.SGD(module.parameters(), lr=optimizer["learningRate"], momentum=optimizer["momentum"])
    losses, norm, times = [], None, []

    def step():
        nonlocal norm
        descent.zero_grad(set_to_none=True)
        loss = module(x).square().mean()
        loss.backward()
        if norm is None:
            norm = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in module.parameters() if p.grad is not None])).item()
        descent.step()
        losses.append(loss.item())

    for _ in range(2):
        step()
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return {"milliseconds": {"median": 1e3 * statistics.median(times)}, "losses": losses[:3], "gradientNorm": norm}


def check(ours, theirs, name):
    def far(a, b):
        return not abs(a - b) <= LARGEST_DIFFERENCE * abs(b)

    for what, a, b in [(f"loss {i + 1}", *pair) for i, pair in enumerate(zip(ours["losses"], theirs["losses"]))] + [
            ("length of the gradient", ours["gradientNorm"], theirs["gradientNorm"])]:
        if far(a, b):
            sys.exit(f"The {what} is {a:.6g} in zoo and {b:.6g} in {name}: there is nothing to compare.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="zoo-cnn")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--tap")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=lambda s: [int(n) for n in s.split(",")], default=[1, 2], metavar="N,…")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="that every process measures, at least five steps")
    parser.add_argument("--zoo", default=os.path.join(ROOT, ".build", "release", "zoo"))
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.peer:
        return print(json.dumps(torch_steps(**json.loads(a.peer))))

    import numpy as np
    card = json.loads(output([a.zoo, "show", a.model, "--json"]))
    tap = a.tap or card["backbone"].get("tap")
    while "model" in card["backbone"]:
        card = json.loads(output([a.zoo, "show", card["backbone"]["model"], "--json"]))
    with tempfile.TemporaryDirectory() as folder:
        path = {name: os.path.join(folder, name) for name in ["card.json", "weights.safetensors", "pictures.npy"]}
        with open(path["card.json"], "w") as file:
            json.dump(card, file)
        # Folded weights have no normalisation to train, so a network for training writes them.
        options = ["--size", str(a.size)] + (["--tap", tap] if tap else [])
        zoo = [a.zoo, "bench", a.model, *options, "--training", "--json"]
        output(zoo + ["--repetitions", "1", "--batch", "1", "--save-weights", path["weights.safetensors"]])
        noise = np.random.default_rng(0).standard_normal([a.batch, a.size, a.size, card["backbone"]["input"][2]], dtype=np.float32)
        np.save(path["pictures.npy"], noise)

        def run(who, threads):
            if who == "zoo":
                return json.loads(output(zoo + [
                    "--input", path["pictures.npy"], "--threads", str(threads), "--seconds", str(a.seconds)]))
            peer = {"card": path["card.json"], "weights": path["weights.safetensors"], "pictures": path["pictures.npy"],
                    "size": a.size, "tap": tap, "threads": threads, "channels_last": who == "torch-channels-last",
                    "seconds": a.seconds, "optimizer": optimizer}
            return json.loads(output([sys.executable, os.path.abspath(__file__), "--peer", json.dumps(peer)]))

        times, checked, optimizer = {}, set(), None
        for i in range(a.rounds):
            for threads in a.threads:
                first = run("zoo", threads)
                optimizer = first["optimizer"]
                times.setdefault((threads, "zoo"), []).append(first["milliseconds"]["median"])
                for peer in FORMATS if i % 2 == 0 else reversed(FORMATS):
                    theirs = run(peer, threads)
                    if (threads, peer) not in checked:
                        check(first, theirs, f"PyTorch ({FORMATS[peer]})")
                        checked.add((threads, peer))
                    times.setdefault((threads, peer), []).append(theirs["milliseconds"]["median"])
            print(f"round {i + 1} of {a.rounds}", file=sys.stderr, flush=True)

    print(f"A training step of {a.model}, {a.batch} pictures of {a.size}×{a.size}, milliseconds, medians of {a.rounds}:\n")
    print("| threads | zoo | " + " | ".join(f"PyTorch, {title}" for title in FORMATS.values()) + " | PyTorch ÷ zoo |")
    print("|---:|---:|" + "---:|" * len(FORMATS) + "---:|")
    for threads in a.threads:
        ours, *theirs = [statistics.median(times[threads, who]) for who in ["zoo", *FORMATS]]
        print(f"| {threads} | {ours:.0f} | " + " | ".join(f"{t:.0f}" for t in theirs) + f" | {min(theirs) / ours:.2f} |")


if __name__ == "__main__":
    main()
