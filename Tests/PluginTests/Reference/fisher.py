"""Writes fisher.json: what FisherVQA and its parts compute, by NumPy in double precision from the equations, and by scikit-image.

Inputs are formulas of their indices, rounded to single precision; see `numbers`. The parameters of the models are numbered
in the order of their names; scalar i of parameter k is 0.6 sin(1.3 k + 0.7 i + 0.05 i k); of a variance 0.1 more than its
square; prior i is 1.5 + sin(i), divided by the sum.

    python3 fisher.py        (NumPy, scikit-image, scikit-learn)
"""

import json
import math
import os

import numpy as np
from skimage.feature import fisher_vector
from sklearn.mixture import GaussianMixture


def single(values):
    """As the program under test has them."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def numbers(shape, scale, *frequencies):
    """scale sin(Σ frequency · index + 0.31 · product of indices)"""
    indices = np.indices(shape).astype(np.float64)
    phase = sum(f * i for f, i in zip(frequencies, indices))
    return single(scale * np.sin(phase + 0.31 * np.prod(indices, axis=0)))


def rounded(values):
    return np.vectorize(lambda x: float(f"{x:.9g}"))(np.asarray(values, dtype=np.float64)).reshape(-1).tolist()


# Principal components


def principal_components(x, count):
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh((x - mean).T @ (x - mean))
    order = np.argsort(values)[::-1][:count]
    rows = vectors[:, order].T
    signs = np.sign(rows[np.arange(count), np.abs(rows).argmax(axis=1)])
    return mean, values[order], rows * signs[:, None]


# Gaussian mixtures, after vl/gmm.c


def log_densities(x, mixture):
    means, variances, priors = mixture
    with np.errstate(divide="ignore"):
        logs = np.where(priors < 1e-6, -np.inf, np.log(priors))
    squares = ((x[:, None] - means) ** 2 / variances).sum(axis=2)
    return logs - 0.5 * np.log(2 * np.pi * variances).sum(axis=1) - 0.5 * squares


def expectation(x, mixture):
    logs = log_densities(x, mixture)
    top = logs.max(axis=1, keepdims=True)
    total = np.exp(logs - top).sum(axis=1, keepdims=True)
    return np.exp(logs - top) / total, float((top + np.log(total)).sum())


def maximization(x, q, mixture, bound):
    means, variances, priors = (part.copy() for part in mixture)
    k = len(priors)
    q = np.where(q < 1e-2 / k, 0, q)
    masses = q.sum(axis=0)
    for c in range(k):
        if masses[c] >= 1e-6 / k:
            old = means[c].copy()
            means[c] = q[:, c] @ x / masses[c]
            variances[c] = q[:, c] @ (x - old) ** 2 / masses[c] - (means[c] - old) ** 2
    return means, np.maximum(variances, bound), masses / max(masses.sum(), 1e-12)


def revive(x, q, mixture, bound):
    n, k = q.shape
    masses = q.sum(axis=0)
    q, revived = q.copy(), 0
    for empty in range(k):
        if masses[empty] >= 1e-2 * max(1.0, n / k):
            continue
        means, variances, priors = mixture
        sizes = priors * -0.5 * (1 + math.log(2 * math.pi) + np.log(variances).sum(axis=1))
        sizes[priors < 1e-6] = -np.inf
        split = int(sizes.argmax())
        if split == empty:
            continue
        axis = int(variances[split].argmax())
        both = q[:, split] + q[:, empty]
        below = x[:, axis] < means[split, axis]
        q[:, empty], q[:, split] = np.where(below, both, 0), np.where(below, 0, both)
        mixture = maximization(x, q, mixture, bound)
        revived += 1
    return q, mixture, revived


def expectation_maximization(x, mixture, bound, iterations):
    means, variances, priors = mixture
    mixture = means, np.maximum(variances, bound), priors
    previous, iteration, revived = -np.inf, 0, 0
    while True:
        q, likelihood = expectation(x, mixture)
        if iteration == iterations or (iteration > 0 and abs((likelihood - previous) / likelihood) < 1e-5):
            return mixture, likelihood, iteration, revived
        previous = likelihood
        if iteration > 1:
            q, mixture, more = revive(x, q, mixture, bound)
            revived += more
        mixture = maximization(x, q, mixture, bound)
        iteration += 1


# Fisher vectors


def encoding(x, mixture, convention, improved, fast):
    means, variances, priors = mixture
    n, d = x.shape
    q, _ = expectation(x, mixture)
    if fast:
        q = np.eye(len(priors))[q.argmax(axis=1)]
    elif convention == "vlfeat":
        q = np.where(q < 1e-6, 0, q)
    w, u, v = np.zeros(len(priors)), np.zeros(means.shape), np.zeros(means.shape)
    for k in range(len(priors)):
        if priors[k] < 1e-6:
            continue
        z = (x - means[k]) / np.sqrt(variances[k])
        w[k] = (q[:, k].mean() - priors[k]) / math.sqrt(priors[k])
        u[k] = q[:, k] @ z / (n * math.sqrt(priors[k]))
        v[k] = q[:, k] @ (z**2 - 1) / (n * math.sqrt(2 * priors[k]))
    parts = [u, v] if convention == "vlfeat" else [w, u, -v]
    vector = np.concatenate([part.reshape(-1) for part in parts])
    if improved:
        vector = np.sign(vector) * np.sqrt(np.abs(vector))
        vector = vector / max(np.linalg.norm(vector), 1e-12)
    return vector


# Models


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def shapes(h, words, answers, channels):
    d = h.get("components", channels)
    k, joint, q = h["gaussians"], h["joint"], h["question"]
    width = 2 * k * d + (k if h.get("convention") == "scikit-image" else 0)
    code = 2 * q["layers"] * q["hidden"] if q.get("code") == "states" else q["hidden"]
    joined = joint if h.get("fusion", "product") == "product" else 2 * joint
    result = {
        "mixture.mean": (k, d), "mixture.variance": (k, d), "mixture.prior": (k,), "question.word.weight": (words, q["embedding"]),
        "joint.image.weight": (joint, width), "joint.image.bias": (joint,), "joint.question.weight": (joint, code),
        "joint.question.bias": (joint,), "answer.weight": (answers, joined), "answer.bias": (answers,),
    }
    if "components" in h:
        result |= {"pca.mean": (channels,), "pca.projection": (d, channels)}
    if q.get("bias"):
        result["question.word.bias"] = (q["embedding"],)
    for layer in range(q["layers"]):
        inputs = q["hidden"] if layer else q["embedding"]
        scope = f"question.layer{layer + 1}"
        result |= {
            f"{scope}.input.weight": (4 * q["hidden"], inputs), f"{scope}.recurrent.weight": (4 * q["hidden"], q["hidden"]),
            f"{scope}.bias": (4 * q["hidden"],),
        }
    return result


def parameters(*arguments):
    result = {}
    for k, (name, shape) in enumerate(sorted(shapes(*arguments).items())):
        i = np.arange(math.prod(shape), dtype=np.float64)
        values = 0.6 * np.sin(1.3 * k + 0.7 * i + 0.05 * i * k)
        if name.endswith(".variance"):
            values = 0.1 + values**2
        if name.endswith(".prior"):
            values = (1.5 + np.sin(i)) / (1.5 + np.sin(i)).sum()
        result[name] = single(values).reshape(shape)
    return result


def read(words, q, p):
    """The code of one question."""
    states = [(np.zeros(q["hidden"]), np.zeros(q["hidden"])) for _ in range(q["layers"])]
    for word in reversed(words) if q.get("reversed") else words:
        x = p["question.word.weight"][word] + p.get("question.word.bias", 0)
        if q.get("activation") == "tanh":
            x = np.tanh(x)
        for layer, (h, c) in enumerate(states):
            scope = f"question.layer{layer + 1}"
            a = p[f"{scope}.input.weight"] @ x + p[f"{scope}.recurrent.weight"] @ h + p[f"{scope}.bias"]
            block = dict(zip(q["lstm"]["order"], np.split(a, 4)))
            c = sigmoid(block["f"]) * c + sigmoid(block["i"]) * np.tanh(block["g"])
            h = sigmoid(block["o"]) * np.tanh(c)
            states[layer], x = (h, c), h
    if q.get("code") == "states":
        return np.concatenate([part for h, c in states for part in (c, h)])
    return states[-1][0]


def forward(descriptors, words, h, p):
    """Every stage for one picture and one question."""
    x = (descriptors - p["pca.mean"]) @ p["pca.projection"].T if "components" in h else descriptors
    mixture = p["mixture.mean"], p["mixture.variance"], p["mixture.prior"]
    fisher = encoding(x, mixture, h.get("convention", "vlfeat"), h.get("improved", True), h.get("fast", False))
    v = np.tanh(p["joint.image.weight"] @ fisher + p["joint.image.bias"])
    q = np.tanh(p["joint.question.weight"] @ read(words, h["question"], p) + p["joint.question.bias"])
    joint = v * q if h.get("fusion", "product") == "product" else np.concatenate([v, q])
    return dict(reduced=x, fisher=fisher, joint=joint, logits=p["answer.weight"] @ joint + p["answer.bias"])


WORDS, ANSWERS = 9, 5
QUESTIONS = [[2, 0, 7], [5], [1, 8, 3, 3, 6]]
DEEPER = dict(embedding=4, hidden=5, layers=2, lstm=dict(order="ifog"), code="states", activation="tanh", bias=True)
MODELS = [
    # The card of the paper's size, made small.
    (6, 7, dict(question=DEEPER, components=4, gaussians=3, joint=6)),
    (5, 9, dict(question=dict(embedding=3, hidden=4, layers=1, lstm=dict(order="ifgo")), gaussians=2, joint=5,
                convention="scikit-image", fusion="concatenation")),
    (6, 7, dict(question=dict(embedding=3, hidden=4, layers=1, lstm=dict(order="igfo"), reversed=True), components=3,
                gaussians=4, joint=5, fast=True, improved=False)),
    (40, 100, dict(question=dict(embedding=16, hidden=24, layers=2, lstm=dict(order="ifog"), code="states"), components=16,
                   gaussians=8, joint=32)),
]


def models():
    rows = []
    for channels, positions, h in MODELS:
        p = parameters(h, WORDS, ANSWERS, channels)
        f = numbers((len(QUESTIONS), positions, channels), 1.5, 0.9, 0.4, 1.1)
        stages = [forward(f[n], words, h, p) for n, words in enumerate(QUESTIONS)]
        rows.append(
            dict(channels=channels, positions=positions, hyperparameters=h, parameters=sorted(p))
            | {stage: rounded(np.stack([s[stage] for s in stages])) for stage in stages[0]})
    return rows


def blobs():
    """90 descriptors in three heaps."""
    centers = np.array([[0, 0, 0], [4, 1, -2], [-3, 5, 1]], dtype=np.float64)
    return single(centers[np.arange(90) % 3] + numbers((90, 3), 1, 12.9898, 78.233) * np.array([1, 0.5, 2]))


def mixture_rows():
    x, rows = blobs(), []
    far = [[0.5, 0.5, 0], [3, 2, -1], [-2, 4, 0], [40, 40, 40]]
    for k, bound, iterations in [(3, 1e-4, 1), (3, 1e-4, 50), (3, 0.3, 4), (4, 1e-4, 50)]:
        start = single(far[:k]), np.full((k, 3), 2.0), single(np.full(k, 1 / k))
        (means, variances, priors), likelihood, steps, revived = expectation_maximization(x, start, single(bound), iterations)
        assert (revived > 0) == (k == 4)
        rows.append(
            dict(components=k, bound=bound, limit=iterations, iterations=steps, log_likelihood=likelihood, means=rounded(means),
                 variances=rounded(variances), priors=rounded(priors)))
    return dict(descriptors=rounded(x), start=far, rows=rows)


def scikit():
    x, k = numbers((25, 4), 2, 12.9898, 78.233), 3
    mixture = GaussianMixture(k, covariance_type="diag")
    mixture.means_ = numbers((k, 4), 1.5, 1.7, 2.3)
    mixture.covariances_ = single(0.5 + numbers((k, 4), 1, 0.6, 1.9) ** 2)
    mixture.weights_ = single([0.5, 0.2, 0.3])
    mixture.precisions_cholesky_ = 1 / np.sqrt(mixture.covariances_)
    vectors = {improved: fisher_vector(x, mixture, improved=improved) for improved in (False, True)}
    own = mixture.means_, mixture.covariances_, mixture.weights_
    for improved, vector in vectors.items():
        assert np.allclose(vector, encoding(x, own, "scikit-image", improved, False), atol=1e-12)
    return dict(
        descriptors=rounded(x), means=rounded(own[0]), variances=rounded(own[1]), priors=rounded(own[2]),
        raw=rounded(vectors[False]), improved=rounded(vectors[True]), log_likelihood=float(mixture.score(x) * len(x)))


def components():
    x = numbers((40, 6), 1, 12.9898, 78.233) * np.array([3, 1, 2, 0.5, 1.5, 0.25]) + np.arange(6)
    x = single(x @ numbers((6, 6), 1, 1.1, 2.7))
    mean, values, vectors = principal_components(x, 4)
    return dict(descriptors=rounded(x), mean=rounded(mean), values=rounded(values), vectors=rounded(vectors))


def main():
    parts = dict(components=components(), mixtures=mixture_rows(), scikit=scikit(), models=models())
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fisher.json")
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(f'"{name}": {json.dumps(part)}' for name, part in parts.items()) + "\n}\n")


main()
