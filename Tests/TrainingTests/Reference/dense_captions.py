"""Expected values for DenseCapScoresTests: random regions, judged by NumPy as eval/eval_utils.lua of jcjohnson/densecap does it
(corners of pixels, with + 1), with a METEOR of the matchers "exact" and "stem" that tries all alignments. Writes
dense_captions.json beside this file.

    pip install numpy snowballstemmer==2.2.0
    python dense_captions.py
"""
import itertools
import json
import pathlib

import numpy as np
import snowballstemmer

IOUS = [0.3, 0.4, 0.5, 0.6, 0.7]
METEORS = [0, 0.05, 0.1, 0.15, 0.2, 0.25]
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
NOUNS = ["dog", "dogs", "man", "ball", "grass", "shirts", "shirt", "runs", "running"]
ADJECTIVES = ["red", "brown", "big", "grassy"]
FUNCTION = {"a", "the", "on", "in", "of"}
stem = snowballstemmer.stemmer("english").stemWord
random = np.random.default_rng(7)


def phrase():
    words = [random.choice(["a", "the"])]
    if random.random() < 0.6:
        words.append(random.choice(ADJECTIVES))
    words.append(random.choice(NOUNS))
    if random.random() < 0.4:
        words += [random.choice(["on", "in", "of"]), "the", random.choice(NOUNS)]
    return " ".join(words)


def alignments(said, meant, i=0, taken=frozenset()):
    """All of them, as lists of (i, j, weight)."""
    if i == len(said):
        yield []
        return
    yield from alignments(said, meant, i + 1, taken)
    for j, word in enumerate(meant):
        weight = 1.0 if said[i] == word else 0.6 if stem(said[i]) == stem(word) else None
        if weight and j not in taken:
            for rest in alignments(said, meant, i + 1, taken | {j}):
                yield [(i, j, weight)] + rest


def chunks(pairs):
    return sum(1 for k, (i, j, _) in enumerate(pairs) if k == 0 or pairs[k - 1][:2] != (i - 1, j - 1))


def meteor(candidate, reference):
    said, meant = candidate.split(), reference.split()
    best = max(alignments(said, meant), key=lambda a: (len(a), -chunks(a), sum(w for *_, w in a)))
    if not best:
        return 0.0

    def value(word):
        return 1 - DELTA if word in FUNCTION else DELTA

    p = sum(w * value(said[i]) for i, _, w in best) / sum(map(value, said))
    r = sum(w * value(meant[j]) for _, j, w in best) / sum(map(value, meant))
    f = p * r / (ALPHA * p + (1 - ALPHA) * r)
    whole = len(best) == len(said) == len(meant) and chunks(best) == 1
    return f if whole else f * (1 - GAMMA * (chunks(best) / len(best)) ** BETA)


def corners(b):
    """Centre and size to the first and the last pixel."""
    b = np.asarray(b, float)
    return np.stack([b[:, 0] - (b[:, 2] - 1) / 2, b[:, 1] - (b[:, 3] - 1) / 2,
                     b[:, 0] + (b[:, 2] - 1) / 2, b[:, 1] + (b[:, 3] - 1) / 2], 1)


def overlaps(a, b):
    w = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0]) + 1
    h = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1]) + 1
    both = np.maximum(w, 0) * np.maximum(h, 0)

    def area(c):
        return (c[:, 2] - c[:, 0] + 1) * (c[:, 3] - c[:, 1] + 1)
    return both / (area(a)[:, None] + area(b)[None] - both)


def merge(boxes, threshold=0.7):
    d, groups = overlaps(boxes, boxes), []
    while True:
        good = d >= threshold
        counts = good.sum(0)
        if counts.max() == 0:
            return groups
        group = np.nonzero(good[counts.argmax()])[0]
        groups.append(group)
        d[group] = 0
        d[:, group] = 0


def average_precision(right, positives):
    tp = np.cumsum(right)
    precision, recall = tp / np.arange(1, len(right) + 1), tp / positives
    return np.mean([np.max(precision * (recall >= k / 100 - 1e-12)) for k in range(101)])


def image():
    size = random.integers(20, 90, (5, 2)).astype(float)
    marked = np.concatenate([random.integers(50, 170, (5, 2)).astype(float), size], 1)
    marked = np.concatenate([marked, marked[:2] + random.integers(-3, 4, (2, 4))])  # to be merged
    near = marked[random.integers(0, len(marked), 9)] + random.integers(-12, 13, (9, 4))
    far = np.concatenate([random.integers(20, 200, (5, 2)), random.integers(10, 80, (5, 2))], 1)
    found = np.concatenate([near, far])
    found[:, 2:] = np.maximum(found[:, 2:], 4)
    phrases = [[phrase() for _ in range(random.integers(1, 4))] for _ in marked]
    said = [str(random.choice(phrases[random.integers(len(phrases))])) if random.random() < 0.6 else phrase() for _ in found]
    return {"marked": marked.tolist(), "phrases": phrases, "found": found.tolist(),
            "scores": [round(float(s), 4) for s in random.normal(size=len(found))], "said": said,
            "proposals": np.concatenate([near[::2], far]).tolist()}


def judge(images):
    records, positives, covered, all_marked, covered_merged = [], 0, 0, 0, 0
    proposed, proposed_merged = 0, 0
    for one in images:
        marked, found = corners(one["marked"]), corners(one["found"])
        groups = merge(marked)
        boxes = np.array([marked[g].mean(0) for g in groups])
        texts = [[p for i in g for p in one["phrases"][i]] for g in groups]
        d, used = overlaps(found, boxes), set()
        order = np.argsort(-np.array(one["scores"]), kind="stable")
        for i in order:
            j = int(d[i].argmax())
            ok = d[i, j] > 0 and j not in used
            if ok:
                used.add(j)
            score = max((meteor(one["said"][i], t) for t in texts[j]), default=0.0)
            records.append((one["scores"][i], ok, d[i, j], score))
        positives += len(groups)
        all_marked += len(marked)
        top = found[order][:10]
        covered += int((overlaps(top, marked).max(0) >= 0.5).sum())
        covered_merged += int((overlaps(top, boxes).max(0) >= 0.5).sum())
        proposals = corners(one["proposals"])[:10]
        proposed += int((overlaps(proposals, marked).max(0) >= 0.5).sum())
        proposed_merged += int((overlaps(proposals, boxes).max(0) >= 0.5).sum())
    records.sort(key=lambda r: -r[0])
    ok, iou, score = (np.array([r[k] for r in records]) for k in (1, 2, 3))
    cells = [[average_precision(ok & (iou >= o) & (score > m), positives) for m in METEORS] for o in IOUS]
    localization = [average_precision(ok & (iou >= o), positives) for o in IOUS]
    return {"cells": cells, "localization": localization, "map": np.mean(cells), "merged": positives, "marked": all_marked,
            "recall": covered / all_marked, "recall_merged": covered_merged / positives, "proposal_recall": proposed / all_marked,
            "proposal_recall_merged": proposed_merged / positives}


images = [image() for _ in range(12)]
pairs = [(phrase(), phrase()) for _ in range(60)]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({
    "images": images, "expected": judge(images),
    "meteor": [{"candidate": c, "reference": r, "score": meteor(c, r)} for c, r in pairs]}) + "\n")
print(judge(images))
