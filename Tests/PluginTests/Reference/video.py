"""Writes video.json: what small video models make of clips' features, step by step, their loss and its gradients, by PyTorch.

    python3 video.py        (NumPy, PyTorch)
"""

import json
import os

import torch

from parity import HERE, Parameters, gradients, lstm, plain, values

CLIPS, STEPS, FEATURES, CLASSES = 3, 5, 6, 3
TARGETS = [2, 0, 1]


def linear(name, outputs, **options):
    return {"op": "linear", "name": name, "outputs": outputs, **options}


MODELS = [
    dict(
        recurrent={"hidden": 4, "lstm": {"order": "ifgo"}}, fusion="linear",
        frame_layers=[linear("map", 5, activation="tanh")]),
    dict(
        recurrent={"hidden": 3, "layers": 2, "bidirectional": True, "lstm": {"order": "ifog", "forget_bias": 1}}, fusion="max",
        class_layers=[linear("map", 4, activation="relu")]),
    dict(recurrent={"hidden": 3, "layers": 5, "lstm": {"order": "igfo"}}, fusion="mean"),
    dict(recurrent={"hidden": 4, "lstm": {"order": "ifog"}}, fusion="last"),
    dict(pooling="mean", class_layers=[linear("map", 4, activation="tanh")]),
    dict(pooling="max", frame_layers=[linear("map", 5)]),
]


def layers(p, place, specs, x):
    for spec in specs:
        x = p.linear(f"{place}.{spec['name']}", x, spec["outputs"])
        if "activation" in spec:
            x = getattr(torch, spec["activation"])(x)
    return x


def logits(p, h, clip):
    """Of every step, `[steps, classes]`."""
    xs = [layers(p, "frame", h.get("frame_layers", []), x) for x in clip]
    if "pooling" in h:
        parts = [torch.stack(xs[:t + 1]) for t in range(len(xs))]
        states = [part.mean(0) if h["pooling"] == "mean" else part.max(0).values for part in parts]
    else:
        spec, states = h["recurrent"], xs
        for n in range(1, spec.get("layers", 1) + 1):
            read = lambda name, xs: [h for h, _ in lstm(p, name, xs, spec["hidden"], **spec["lstm"])]
            ahead = read(f"lstm.layer{n}", states)
            if spec.get("bidirectional"):
                back = read(f"lstm.backward{n}", states[::-1])[::-1]
                ahead = [torch.cat(both) for both in zip(ahead, back)]
            states = ahead
    return torch.stack([p.linear("class", layers(p, "state", h.get("class_layers", []), s), CLASSES) for s in states])


def verdict(fusion, q):
    """Of the probabilities `q` of some first steps."""
    if fusion == "last":
        return q[-1]
    t = torch.arange(1, len(q) + 1, dtype=torch.float64)
    mixed = {"mean": q.mean(0), "max": q.max(0).values, "linear": (t[:, None] * q).sum(0)}[fusion]
    return mixed / mixed.sum()


clips = values("clips", CLIPS, STEPS, FEATURES)
results = []
for h in MODELS:
    p, fusion = Parameters(), h.get("fusion", "last")
    every = [logits(p, h, clip) for clip in clips]
    probabilities = [torch.softmax(z, -1) for z in every]
    weights = {
        "last": [0.0] * (STEPS - 1) + [1.0], "mean": [1 / STEPS] * STEPS, "max": [1 / STEPS] * STEPS,
        "linear": [2 * (t + 1) / STEPS / (STEPS + 1) for t in range(STEPS)],
    }[fusion]
    loss = sum(
        w * torch.nn.functional.cross_entropy(z[t][None], torch.tensor([target]))
        for z, target in zip(every, TARGETS) for t, w in enumerate(weights)) / CLIPS
    loss.backward()
    results.append(
        {
            "hyperparameters": h, "probabilities": probabilities,
            "verdicts": [torch.stack([verdict(fusion, q[:t + 1]) for t in range(STEPS)]) for q in probabilities],
            "loss": loss.item(), "gradients": gradients(p),
        })
lines = ",\n".join(json.dumps(plain(result)) for result in results)
with open(os.path.join(HERE, "video.json"), "w") as file:
    file.write('{\n"targets": ' + json.dumps(TARGETS) + ',\n"models": [\n' + lines + "\n]\n}\n")
