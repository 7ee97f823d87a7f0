"""Writes fusion.json: what small fusion models compute, stage by stage, their loss and its gradients, by PyTorch.

 * deeper LSTM Q + norm I: VQA_LSTM_CNN's train.lua and misc/netdef.lua. A table with a bias, dropout, then tanh; the code
   of a question is [c1, h1, c2, h2]; the picture has length 1; AxB makes tanh of both, multiplies, classifies.
 * iBOWIMG: VQAbaseline's opensource_*.lua. Which words are there, through a matrix, beside the picture; no bias anywhere.
 * the question alone: the same network without the picture.

    python3 fusion.py        (NumPy, PyTorch)
"""

import torch

from parity import ANSWERS, QUESTIONS, WORDS, Parameters, gradients, ids, loss, lstm, values, write

PIXELS = 6

DEEPER = {
    "lstm": {
        "embedding": 3, "hidden": 2, "layers": 2, "code": "states", "activation": "tanh", "bias": True, "dropout": 0.5,
        "lstm": {"order": "ifog"},
    }
}


def linear(name, outputs, **options):
    return {"op": "linear", "name": name, "outputs": outputs, **options}


MODELS = [
    dict(
        fusion="product", image_normalization=True, question=DEEPER,
        image_layers=[{"op": "dropout", "rate": 0.5}, linear("map", 5, activation="tanh")],
        question_layers=[{"op": "dropout", "rate": 0.5}, linear("map", 5, activation="tanh")],
        answer_layers=[{"op": "dropout", "rate": 0.5}]),
    dict(fusion="product", question={"bag_of_words": {}}, question_layers=[linear("map", PIXELS)], image_normalization=True),
    dict(
        fusion="concatenation", question={"bag_of_words": {}}, question_layers=[linear("map", 4, bias=False)],
        answer_bias=False),
    dict(fusion="question", question=DEEPER, question_layers=[linear("map", 5, activation="tanh")]),
    dict(fusion="question", question={"bag_of_words": {}}, answer_layers=[linear("map", 4, activation="tanh")]),
]


def code(p, spec, question):
    if "bag_of_words" in spec:
        return torch.tensor([float(word in question) for word in range(len(WORDS))], dtype=torch.float64)
    h = spec["lstm"]
    table, bias = p.get("encoder.word.weight", len(WORDS), h["embedding"]), p.get("encoder.word.bias", h["embedding"])
    xs, state = torch.tanh(table[question] + bias), []
    for n in range(1, h["layers"] + 1):
        states = lstm(p, f"encoder.layer{n}", xs, h["hidden"], h["lstm"]["order"])
        hidden, cell = states[-1]
        state += [cell, hidden]
        xs = [hidden for hidden, _ in states]
    return torch.cat(state)


def layers(p, place, specs, x):
    for spec in specs:
        if spec["op"] == "linear":
            x = p.linear(f"{place}.{spec['name']}", x, spec["outputs"], bias=spec.get("bias", True))
            x = torch.tanh(x) if spec.get("activation") == "tanh" else x
    return x  # dropout does nothing after training


def run(h):
    p = Parameters()
    pictures = values("pictures", len(QUESTIONS), PIXELS)
    stages = dict(code=[], question=[], image=[], fused=[], logits=[])
    for question, f in zip(QUESTIONS, pictures):
        v = f / f.norm() if h.get("image_normalization") else f
        stages["code"].append(code(p, h["question"], ids(question)))
        q = layers(p, "question", h.get("question_layers", []), stages["code"][-1])
        if h["fusion"] != "question":
            v = layers(p, "image", h.get("image_layers", []), v)
        z = {"product": lambda: v * q, "concatenation": lambda: torch.cat([q, v]), "question": lambda: q}[h["fusion"]]()
        stages["question"].append(q)
        stages["image"].append(v)
        stages["fused"].append(layers(p, "joint", h.get("answer_layers", []), z))
        stages["logits"].append(p.linear("answer", stages["fused"][-1], ANSWERS, bias=h.get("answer_bias", True)))
    result = {name: torch.stack(stage) for name, stage in stages.items()}
    value = loss(result["logits"])
    value.backward()
    return dict(hyperparameters=h, **result, loss=value.item(), gradients=gradients(p))


write("fusion.json", models=[run(h) for h in MODELS])
