"""Writes dppnet.json: what a small DPPnet makes of questions, stage by stage, its loss and its gradients, by PyTorch.

The equations are those of the released code (HyeonwooNoh/DPPnet, 004_train_DPPnet_fixed_cnn/vqa_train.lua), the hashes those
of model/HashedNets/HasherME.lua by the package xxhash, and the GRU is PyTorch's, which has the same equations as the
skip-thoughts one. Parameters are numbered in the order of their names; scalar i of parameter k is
0.6 sin(1.3 k + 0.7 i + 0.05 i k), and of a variance 0.1 more than its square. The features of picture n are
sin(0.9 n + 0.4 i).

    python3 dppnet.py        (NumPy, PyTorch, xxhash)
"""

import json
import math
import os

import torch
import xxhash

FEATURES, WORDS, ANSWERS = 7, 10, 4
QUESTIONS, TARGETS = [[2, 7, 1], [9], [4, 0, 4, 8, 3]], [3, 0, 1]
# A dynamic layer that is not square, so that rows and columns cannot be exchanged unnoticed.
H = dict(
    question=dict(embedding=4, hidden=5, gru=dict(order="rzn", resets_after_product=True)), features=6, outputs=9, candidates=11,
    image_dropout=0, question_dropout=0, answer_dropout=0)


def hashed(rows, columns, candidates, seed=1691):
    """ψ, counted from 0, and ξ."""

    def place(n):
        return "".join(str(n + r) for r in range(3))

    psi = torch.zeros(rows, columns, dtype=torch.long)
    xi = torch.zeros(rows, columns, dtype=torch.float64)
    for o in range(rows):
        for i in range(columns):
            key = place(o + 1) + "_" + place(i + 1)
            psi[o, i] = xxhash.xxh32_intdigest((key + "idxW").encode(), seed) % candidates
            xi[o, i] = (xxhash.xxh32_intdigest((key + "xi_W").encode(), seed) % 2 + 1) * 2 - 3
    return psi, xi


def parameters():
    e, q = H["question"]["embedding"], H["question"]["hidden"]
    shapes = {
        "image.weight": (H["features"], FEATURES), "image.bias": (H["features"],), "question.word.weight": (WORDS, e),
        "question.gru.input.weight": (3 * q, e), "question.gru.recurrent.weight": (3 * q, q), "question.gru.bias": (3 * q,),
        "candidates.weight": (H["candidates"], q), "candidates.bias": (H["candidates"],), "dynamic.bias": (H["outputs"],),
        "answer.weight": (ANSWERS, H["outputs"]), "answer.bias": (ANSWERS,),
    }
    for part in ("mean", "scale", "shift", "variance"):
        shapes[f"dynamic.normalization.{part}"] = (H["outputs"],)
    result = {}
    for k, name in enumerate(sorted(shapes)):
        values = [0.6 * math.sin(1.3 * k + 0.7 * i + 0.05 * i * k) for i in range(math.prod(shapes[name]))]
        if name.endswith(".variance"):
            values = [0.1 + x * x for x in values]
        # Rounded to single precision, as the program under test has them.
        value = torch.tensor(values, dtype=torch.float32).to(torch.float64).reshape(shapes[name])
        result[name] = value.requires_grad_(not name.endswith((".mean", ".variance")))
    return result


def features(n):
    values = [math.sin(0.9 * n + 0.4 * i) for i in range(FEATURES)]
    return torch.tensor(values, dtype=torch.float32).to(torch.float64)


def stages(p, pictures, training):
    w = {name.rsplit(".", 1)[-1]: p[name] for name in p if name.startswith("dynamic.normalization.")}
    f = torch.relu(torch.stack(pictures) @ p["image.weight"].T + p["image.bias"])
    gru = torch.nn.GRU(H["question"]["embedding"], H["question"]["hidden"], dtype=torch.float64)
    weights = {
        "weight_ih_l0": p["question.gru.input.weight"], "weight_hh_l0": p["question.gru.recurrent.weight"],
        "bias_ih_l0": p["question.gru.bias"], "bias_hh_l0": torch.zeros_like(p["question.gru.bias"]),
    }
    read = [torch.func.functional_call(gru, weights, (p["question.word.weight"][words],))[0][-1] for words in QUESTIONS]
    q = torch.stack(read)
    predicted = q @ p["candidates.weight"].T + p["candidates.bias"]
    psi, xi = hashed(H["outputs"], H["features"], H["candidates"])
    g = torch.stack([(row[psi] * xi) @ each for row, each in zip(predicted, f)])
    y = torch.nn.functional.batch_norm(
        g + p["dynamic.bias"], w["mean"].clone(), w["variance"].clone(), w["scale"], w["shift"], training=training, eps=1e-5)
    return dict(f=f, q=q, p=predicted, g=g, logits=torch.relu(y) @ p["answer.weight"].T + p["answer.bias"])


def rows(x):
    return [[float(f"{v:.8g}") for v in row] for row in x.tolist()]


def main():
    p = parameters()
    known = stages(p, [features(5)] * len(QUESTIONS), training=False)
    known["f"] = known["f"][:1]
    learnt = stages(p, [features(3 * n) for n in range(len(QUESTIONS))], training=True)
    loss = torch.nn.functional.cross_entropy(learnt["logits"], torch.tensor(TARGETS))
    loss.backward()
    trained = [name for name in sorted(p) if p[name].requires_grad]
    # The bias before the normalisation learns nothing.
    assert all(p[name].grad.norm() > 1e-4 for name in trained if name != "dynamic.bias")
    result = dict(
        hyperparameters=H, questions=QUESTIONS, targets=TARGETS, stages={name: rows(value) for name, value in known.items()},
        loss=round(float(loss.detach()), 7), gradients={name: round(float(p[name].grad.norm()), 7) for name in trained})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dppnet.json")
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in result.items()) + "\n}\n")


main()
