"""Writes san.json: what small stacked attention networks compute, stage by stage, their loss and its gradients, by PyTorch.

The equations are the paper's (Yang et al., CVPR 2016, sections 3.2 and 3.3) and, where they differ, those of the authors'
imageqa-san: two tanh in a look instead of one, a third on its scores; an LSTM without tanh on the cell's output, which reads
the last word first; padded places that compete for the maximum of a convolution over words.

    python3 san.py        (NumPy, PyTorch)
"""

import itertools

import torch

from parity import ANSWERS, QUESTIONS, WORDS, Parameters, gradients, ids, loss, lstm, values, write

ROWS, COLUMNS, CHANNELS = 2, 3, 4
ATTENTION = 4

RELEASED = {"embedding": 3, "hidden": 5, "lstm": {"order": "ifog", "tanh_on_cell": False}}
CONVOLUTION = {"embedding": 3, "unigrams": 1, "bigrams": 2, "trigrams": 2}
ENCODERS = [
    {"lstm": RELEASED},
    {"lstm": {**RELEASED, "reversed": True}},
    {"lstm": {**RELEASED, "lstm": {"order": "ifgo"}}},
    {"convolution": CONVOLUTION},
    {"convolution": {**CONVOLUTION, "padded_words": 7}},
]


def code(p, spec, question):
    """v_Q of a question of ids."""
    [(kind, h)] = spec.items()
    xs = list(p.get("question.word.weight", len(WORDS), h["embedding"])[question])
    if kind == "lstm":
        order, tanh_on_cell = h["lstm"]["order"], h["lstm"].get("tanh_on_cell", True)
        return lstm(p, "question.layer1", xs[::-1] if h.get("reversed") else xs, h["hidden"], order, tanh_on_cell)[-1][0]
    zero = torch.zeros(h["embedding"], dtype=torch.float64)
    places = max(len(xs), h.get("padded_words", 0))
    parts = []
    for n, name in enumerate(["unigram", "bigram", "trigram"], 1):
        padded = xs + [zero] * (max(places, n) - len(xs))
        windows = torch.stack([torch.cat(padded[t:t + n]) for t in range(len(padded) - n + 1)])
        parts.append(torch.tanh(p.linear(f"question.{name}", windows, h[f"{name}s"])).max(0).values)  # (8), (9)
    return torch.cat(parts)  # (11)


def look(p, name, released, V, u):
    image = p.linear(f"{name}.image", V, ATTENTION, bias=released)
    question = p.linear(f"{name}.question", u, ATTENTION)
    h = torch.tanh(image) + torch.tanh(question) if released else torch.tanh(image + question)  # (15)
    e = p.linear(f"{name}.score", h, 1)[:, 0]
    weights = torch.softmax(torch.tanh(e) if released else e, 0)  # (16)
    return weights, weights @ V  # (17)


def run(h):
    p = Parameters()
    pictures = values("pictures", len(QUESTIONS), ROWS * COLUMNS, CHANNELS)
    rows = []
    for question, f in zip(QUESTIONS, pictures):
        v_Q = code(p, h["question"], ids(question))
        V = torch.tanh(p.linear("image", f, len(v_Q)))  # (3)
        u, looks = v_Q, []
        for k in range(1, h["hops"] + 1):
            weights, context = look(p, f"hop{k}", h["equations"] == "released", V, u)
            u = context + (v_Q if h["final_image_only"] and k == h["hops"] else u)  # (18)
            looks.append((weights, context, u))
        rows.append((v_Q, V, looks, p.linear("answer", u, ANSWERS)))
    logits = torch.stack([row[3] for row in rows])
    value = loss(logits)
    value.backward()
    # A softmax does not see what is added to all scores.
    norms = gradients(p, idle=lambda name: h["equations"] == "paper" and name.endswith("score.bias"))
    stages = [torch.stack(stage) for stage in zip(*[row[:2] for row in rows])]
    looks = [[torch.stack(part) for part in zip(*[row[2][k] for row in rows])] for k in range(h["hops"])]
    result = dict(
        looks=[dict(zip(["weights", "context", "u"], look)) for look in looks], logits=logits, loss=value.item(),
        gradients=norms)
    return stages, result


def main():
    codes, models = [], []
    for n, spec in enumerate(ENCODERS):
        for equations, hops, final in itertools.product(["paper", "released"], [1, 2], [False, True]):
            h = dict(question=spec, attention=ATTENTION, hops=hops, equations=equations, final_image_only=final)
            (code_of_each, regions), result = run(h)
            models.append(dict(encoder=n, hyperparameters=h, **result))
        # The same for all equations, and the regions for all encoders, too.
        codes.append(code_of_each)
    write("san.json", regions=list(regions), codes=codes, models=models)


main()
