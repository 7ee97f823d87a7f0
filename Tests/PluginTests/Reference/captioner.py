"""Writes captioner.json: the loss, its gradients and the greedy sentence of small captioners, by PyTorch.

Parameters are numbered in the order of their names; scalar i of parameter k is 0.6 sin(1.3 k + 0.7 i + 0.05 i k), and of a
variance 0.1 more than its square. The
features of picture n are sin(0.9 n + 0.4 i). Words: see WORDS, then start, end and unknown.

    python3 captioner.py        (NumPy, PyTorch)
"""

import json
import math
import os

import torch

WORDS = ["a", "dog", "cat", "runs", "sleeps", "on", "grass", "sofa"]
START, END, UNKNOWN = 8, 9, 10
CAPTIONS = ["a dog runs on grass", "cat", "a cat sleeps well on a sofa"]
FEATURES = 5
MODELS = [
    # im2txt: no bias in the image's map, gates i g f o, 1 added to the forget gate, a softmax wider than the vocabulary.
    dict(inject="first", embedding=3, hidden=4, lstm=dict(order="igfo", forget_bias=1.0), image_bias=False, outputs=13),
    # NeuralTalk: gates i f o g, no tanh on the cell's output.
    dict(inject="first", embedding=4, hidden=4, lstm=dict(order="ifog", tanh_on_cell=False), image_bias=True),
    dict(inject="every", embedding=3, hidden=5, lstm=dict(order="ifgo"), image_bias=True, image_activation="relu", max_words=5),
    dict(inject="initial", embedding=4, hidden=3, lstm=dict(order="ifgo"), image_bias=True, image_activation="tanh"),
    dict(inject="first", embedding=3, hidden=4, lstm=dict(order="ifgo"), image_bias=True, image_normalization=True),
]


def parameters(h):
    e, n, words = h["embedding"], h["hidden"], h.get("outputs", len(WORDS) + 3)
    inputs = 2 * e if h["inject"] == "every" else e
    shapes = {
        "image.weight": (e, FEATURES), "word.weight": (words, e), "lstm.input.weight": (4 * n, inputs),
        "lstm.recurrent.weight": (4 * n, n), "lstm.bias": (4 * n,), "logits.weight": (words, n), "logits.bias": (words,),
    }
    if h["image_bias"]:
        shapes["image.bias"] = (e,)
    if h.get("image_normalization"):
        for part in ("mean", "shift", "variance"):
            shapes[f"image.normalization.{part}"] = (FEATURES,)
    if h["inject"] == "initial":
        for part in ("hidden", "cell"):
            shapes[f"initial.{part}.weight"], shapes[f"initial.{part}.bias"] = (n, e), (n,)
    result = {}
    for k, name in enumerate(sorted(shapes)):
        count = math.prod(shapes[name])
        values = [0.6 * math.sin(1.3 * k + 0.7 * i + 0.05 * i * k) for i in range(count)]
        if name.endswith(".variance"):
            values = [0.1 + x * x for x in values]
        # Rounded to single precision, as the program under test has them.
        value = torch.tensor(values, dtype=torch.float32).to(torch.float64).reshape(shapes[name])
        result[name] = value.requires_grad_(not name.endswith((".mean", ".variance")))
    return result


def features(n):
    values = [math.sin(0.9 * n + 0.4 * i) for i in range(FEATURES)]
    return torch.tensor(values, dtype=torch.float32).to(torch.float64)


def step(h, p, x, state):
    hidden, cell = state
    a = p["lstm.input.weight"] @ x + p["lstm.recurrent.weight"] @ hidden + p["lstm.bias"]
    block = dict(zip(h["lstm"]["order"], a.chunk(4)))
    i, o, g = torch.sigmoid(block["i"]), torch.sigmoid(block["o"]), torch.tanh(block["g"])
    f = torch.sigmoid(block["f"] + h["lstm"].get("forget_bias", 0.0))
    cell = f * cell + i * g
    return o * (torch.tanh(cell) if h["lstm"].get("tanh_on_cell", True) else cell), cell


def begin(h, p, picture):
    if h.get("image_normalization"):
        n = {part: p[f"image.normalization.{part}"] for part in ("mean", "shift", "variance")}
        picture = (picture - n["mean"]) / torch.sqrt(n["variance"] + 1e-5) + n["shift"]
    v = p["image.weight"] @ picture
    if h["image_bias"]:
        v = v + p["image.bias"]
    v = {"relu": torch.relu, "tanh": torch.tanh, None: lambda x: x}[h.get("image_activation")](v)
    zero = torch.zeros(h["hidden"], dtype=torch.float64)
    if h["inject"] == "first":
        return v, step(h, p, v, (zero, zero))
    if h["inject"] == "initial":
        hidden = torch.tanh(p["initial.hidden.weight"] @ v + p["initial.hidden.bias"])
        return v, (hidden, p["initial.cell.weight"] @ v + p["initial.cell.bias"])
    return v, (zero, zero)


def say(h, p, word, v, state):
    x = p["word.weight"][word]
    state = step(h, p, torch.cat([x, v]) if h["inject"] == "every" else x, state)
    return torch.log_softmax(p["logits.weight"] @ state[0] + p["logits.bias"], 0), state


def loss(h, p):
    total, count = 0.0, 0
    for n, caption in enumerate(CAPTIONS):
        ids = [WORDS.index(w) if w in WORDS else UNKNOWN for w in caption.split()][: h.get("max_words", 50)]
        v, state = begin(h, p, features(n))
        for before, word in zip([START] + ids, ids + [END]):
            logp, state = say(h, p, before, v, state)
            total, count = total - logp[word], count + 1
    return total / count, count


def greedy(h, p, picture, steps):
    v, state = begin(h, p, picture)
    word, tokens, logps = START, [], []
    while word != END and len(tokens) < steps:
        logp, state = say(h, p, word, v, state)
        word = int(logp.argmax())
        tokens.append(word)
        logps.append(round(float(logp[word]), 6))
    return tokens, logps


def main():
    rows = []
    for h in MODELS:
        p = parameters(h)
        value, count = loss(h, p)
        value.backward()
        tokens, logps = greedy(h, p, features(1), 6)
        rows.append(
            dict(
                hyperparameters=h, loss=round(float(value), 7), predictions=count,
                gradients={name: round(float(p[name].grad.norm()), 7) for name in sorted(p) if p[name].requires_grad},
                greedy=dict(tokens=tokens, log_probabilities=logps)))
        assert all(g > 1e-4 for g in rows[-1]["gradients"].values()), rows[-1]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "captioner.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


main()
