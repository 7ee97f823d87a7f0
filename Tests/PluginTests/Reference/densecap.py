"""Writes densecap.json: what the parts of DenseCap compute, by NumPy and PyTorch in double precision from the formulas of the
released code. The inputs stand beside the results, rounded to single precision.

    python3 densecap.py        (NumPy, PyTorch)
"""

import json
import os

import numpy as np
import torch
import torch.nn.functional as F

from parity import Parameters, lstm, values

random = np.random.default_rng(5)


def single(values):
    """As the program under test has them."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def written(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().numpy()
    values = np.asarray(values)
    if values.dtype.kind in "iu":
        return values.tolist()
    return np.vectorize(lambda x: float(f"{x:.9g}"))(values).tolist() if values.size else values.tolist()


def drawn_boxes(count, width, height):
    """Of a picture, many of which leave it."""
    return single(np.stack([
        random.uniform(-0.1 * width, 1.1 * width, count), random.uniform(-0.1 * height, 1.1 * height, count),
        random.uniform(1, 0.7 * width, count), random.uniform(1, 0.7 * height, count)], axis=1).round(2))


def corners(b):
    return np.stack([
        b[..., 0] - (b[..., 2] - 1) / 2, b[..., 1] - (b[..., 3] - 1) / 2,
        b[..., 0] + (b[..., 2] - 1) / 2, b[..., 1] + (b[..., 3] - 1) / 2], axis=-1)


# Clipping (box_utils.lua)


def clipped(b, width, height):
    x1, y1, x2, y2 = corners(b).T
    x1, y1 = x1.clip(1, width - 1), y1.clip(1, height - 1)
    x2, y2 = x2.clip(2, width), y2.clip(2, height)
    result = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], axis=1)
    return result, (x2 > x1) & (y2 > y1)


def clipping():
    boxes = np.concatenate([drawn_boxes(20, 40, 30), [[20, 15, 0.5, 3], [-50, -60, 8, 8], [500, 15, 8, 8], [20.5, 15.5, 40, 30]]])
    result, valid = clipped(boxes, 40, 30)
    return {"boxes": written(boxes), "corners": written(corners(boxes)), "clipped": written(result), "valid": valid.tolist()}


# Intersection over union (BoxIoU.lua)


def ious(a, b):
    ca, cb = corners(a)[:, None], corners(b)[None]
    low, high = np.maximum(ca[..., :2], cb[..., :2]), np.minimum(ca[..., 2:], cb[..., 2:])
    intersection = np.maximum(high - low, 0).prod(axis=-1)
    return intersection / (a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None] - intersection)


def overlaps():
    a, b = drawn_boxes(9, 40, 30), drawn_boxes(6, 40, 30)
    b[0] = a[0]
    return {"boxes": written(a), "others": written(b), "ious": written(ious(a, b))}


# Transforms (ApplyBoxTransform.lua, InvertBoxTransform.lua), with the gradients of Σ direction · result


def transforms():
    anchors = torch.tensor(drawn_boxes(7, 40, 30), requires_grad=True)
    t = torch.tensor(single(random.normal(0, 0.7, (7, 4))), requires_grad=True)
    direction = torch.tensor(single(random.normal(0, 1, (7, 4))))

    def apply(a, t):
        return torch.cat([a[:, :2] + t[:, :2] * a[:, 2:], a[:, 2:] * torch.exp(t[:, 2:])], dim=1)

    def invert(a, b):
        return torch.cat([(b[:, :2] - a[:, :2]) / a[:, 2:], torch.log(b[:, 2:] / a[:, 2:])], dim=1)

    boxes = apply(anchors, t)
    da, dt = torch.autograd.grad((boxes * direction).sum(), [anchors, t])
    others = torch.tensor(drawn_boxes(7, 40, 30), requires_grad=True)
    inverse = invert(anchors, others)
    ia, ib = torch.autograd.grad((inverse * direction).sum(), [anchors, others])
    return {
        "anchors": written(anchors), "transforms": written(t), "direction": written(direction), "boxes": written(boxes),
        "dAnchors": written(da), "dTransforms": written(dt), "others": written(others), "between": written(inverse),
        "dBetweenAnchors": written(ia), "dOthers": written(ib)}


# Anchors (MakeAnchors.lua, ReshapeBoxFeatures.lua)


def anchors():
    sizes = [(45, 90), (90, 45), (64, 64), (90, 180), (180, 90), (128, 128), (181, 362), (362, 181), (256, 256), (362, 724),
             (724, 362), (512, 512)]
    rows, columns = 2, 3
    # Channel a · 4 + number of a map [1, 4 k, rows, columns], made [k · rows · columns, 4].
    channels = np.zeros((4 * len(sizes), rows, columns))
    for a, (w, h) in enumerate(sizes):
        for i in range(rows):
            for j in range(columns):
                channels[4 * a:4 * a + 4, i, j] = [8.5 + 16 * j, 8.5 + 16 * i, w, h]
    flat = channels.reshape(len(sizes), 4, rows, columns).transpose(0, 2, 3, 1).reshape(-1, 4)
    return {"rows": rows, "columns": columns, "map": written(channels.transpose(1, 2, 0)), "flat": written(flat)}


def fields():
    """Which pixels of the picture the pixel at 0 of the last map sees, going backwards through the layers."""

    def centre(layers, index):
        first = last = index
        for kernel, stride, padding, dilation in reversed(layers):
            first, last = first * stride - padding, last * stride - padding + (kernel - 1) * dilation
        return (first + last) / 2 + 1

    networks = {
        "vgg": ([(3, 1, 1, 1)] * 2 + [(2, 2, 0, 1)]) * 2 + ([(3, 1, 1, 1)] * 3 + [(2, 2, 0, 1)]) * 2 + [(3, 1, 1, 1)] * 3,
        "mixed": [(7, 2, 3, 1), (3, 2, 0, 1), (3, 1, 2, 2), (5, 3, 1, 1), (1, 2, 0, 1)],
    }
    return {
        name: {"layers": layers, "centres": [centre(layers, i) for i in range(3)]} for name, layers in networks.items()}


# Non-maximum suppression (box_utils.lua)


def suppressed(boxes, scores, threshold, limit):
    c = corners(boxes)
    area = (c[:, 2] - c[:, 0] + 1) * (c[:, 3] - c[:, 1] + 1)
    left = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))
    kept = []
    while left and len(kept) < limit:
        i = left.pop(0)
        kept.append(i)
        rest = []
        for j in left:
            w = max(0, min(c[i, 2], c[j, 2]) - max(c[i, 0], c[j, 0]) + 1)
            h = max(0, min(c[i, 3], c[j, 3]) - max(c[i, 1], c[j, 1]) + 1)
            if w * h / (area[i] + area[j] - w * h) <= threshold:
                rest.append(j)
        left = rest
    return kept


def suppression():
    boxes = drawn_boxes(120, 40, 30)
    boxes[60:80] = boxes[:20]
    scores = single((random.normal(0, 1, 120) * 4).round() / 4)
    cases = [(0.3, 1000), (0.5, 1000), (0.7, 1000), (0.7, 13), (0.0, 1000), (1.0, 1000)]
    return {
        "boxes": written(boxes), "scores": written(scores),
        "cases": [
            {"threshold": t, "limit": n, "kept": suppressed(boxes, scores, float(np.float32(t)), n)} for t, n in cases]}


# Bilinear pooling (BoxToAffine.lua, AffineGridGeneratorBHWD.lua, BilinearSamplerBHWD.c), by grid_sample


def pooled(features, boxes, width, height, rows, columns):
    """[1, h, w, c] → [n, rows, columns, c]"""
    x, y, w, h = boxes.T
    gy = (2 * y - height - 1)[:, None] / (height - 1) + h[:, None] / height * torch.linspace(-1, 1, rows, dtype=torch.float64)
    gx = (2 * x - width - 1)[:, None] / (width - 1) + w[:, None] / width * torch.linspace(-1, 1, columns, dtype=torch.float64)
    n = len(boxes)
    grid = torch.stack([gx[:, None, :].expand(n, rows, columns), gy[:, :, None].expand(n, rows, columns)], dim=-1)
    maps = features.permute(0, 3, 1, 2).expand(n, -1, -1, -1)
    return F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=True).permute(0, 2, 3, 1)


def pooling(channels, rows, columns):
    width, height = 90, 70
    features = torch.tensor(single(random.normal(0, 1, (1, 4, 5, channels))), requires_grad=True)
    boxes = drawn_boxes(6, width, height)
    boxes = torch.tensor(np.concatenate([boxes, [[300, 35, 20, 20]]]), requires_grad=True)
    direction = torch.tensor(single(random.normal(0, 1, (7, rows, columns, channels))))
    result = pooled(features, boxes, width, height, rows, columns)
    du, db = torch.autograd.grad((result * direction).sum(), [features, boxes])
    return {
        "width": width, "height": height, "features": written(features), "boxes": written(boxes),
        "direction": written(direction), "pooled": written(result), "dFeatures": written(du), "dBoxes": written(db)}


# The boxes that training may draw (BoxSampler.lua)


def sampler():
    width, height, low, high = 40, 30, 0.3, 0.5
    regions = drawn_boxes(4, 30, 20) * [1, 1, 0.5, 0.5] + [5, 5, 5, 5]
    near = single(np.repeat(regions, 5, axis=0) + random.normal(0, 1.5, (20, 4)))
    boxes = np.concatenate([drawn_boxes(40, width, height), near])
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 1)
    regions, boxes = single(regions), single(boxes)

    def candidates(regions, inside_only):
        table = ious(boxes, regions)
        nearest, largest = table.argmax(axis=1), table.max(axis=1)
        c = corners(boxes)
        inside = (c[:, 0] >= 1) & (c[:, 1] >= 1) & (c[:, 2] <= width) & (c[:, 3] <= height)
        positive, negative = largest > high, largest < low
        if inside_only:
            positive, negative = positive & inside, negative & inside
        best = table.argmax(axis=0)
        positive[best], negative[best] = True, False
        if not negative.any():
            negative = ~positive
        return {
            "regions": written(regions), "insideOnly": inside_only, "positives": np.flatnonzero(positive).tolist(),
            "negatives": np.flatnonzero(negative).tolist(), "nearest": nearest.tolist()}

    everything = single([[20, 15, 38, 28], [20, 15, 60, 60]])
    return {
        "width": width, "height": height, "low": low, "high": high, "boxes": written(boxes),
        "cases": [candidates(regions, True), candidates(regions, False), candidates(everything, True)]}


# Losses


def losses():
    def tensor(shape, scale):
        return torch.tensor(single(random.normal(0, scale, shape)), requires_grad=True)

    def result(value, inputs):
        return {"value": written(value), "inputs": [written(i) for i in inputs],
                "gradients": [written(g) for g in torch.autograd.grad(value, inputs)]}

    d = tensor((5, 4), 1.2)
    smooth = result(F.smooth_l1_loss(d, torch.zeros_like(d)), [d])

    t, anchors = tensor((6, 4), 1), torch.tensor(drawn_boxes(6, 40, 30), requires_grad=True)
    with torch.no_grad():
        anchors[2] = torch.tensor([3.0, 3, 1, 1])
    boxes = torch.tensor(drawn_boxes(6, 40, 30))
    wanted = torch.cat([(boxes[:, :2] - anchors[:, :2]) / anchors[:, 2:], torch.log(boxes[:, 2:] / anchors[:, 2:])], dim=1)
    counts = (wanted.abs().max(dim=1, keepdim=True).values <= 10).double()
    assert counts.sum() == 5
    regression = result(F.smooth_l1_loss(t * counts, wanted * counts), [t, anchors])
    regression["boxes"] = written(boxes)

    positives, negatives = tensor((3, 2), 2), tensor((5, 2), 2)
    something = F.cross_entropy(positives, torch.zeros(3, dtype=torch.long))
    nothing = F.cross_entropy(negatives, torch.ones(5, dtype=torch.long))
    proposals = result(something + nothing, [positives, negatives])

    scores = tensor((7, 1), 3)
    labels = torch.tensor([1.0, 1, 1, 0, 0, 0, 0], dtype=torch.float64)[:, None]
    logistic = result(F.binary_cross_entropy_with_logits(scores, labels), [scores])
    return {"smooth": smooth, "regression": regression, "proposals": proposals, "logistic": logistic}


# A whole model: its regions, and the losses of a step that draws all boxes that may be drawn


class Tiny:
    """Parameters and pixels are FormulaParameters'."""

    WIDTH, HEIGHT, ORIGINAL = 48, 40, (96, 120)
    ANCHORS = [(8, 8), (16, 10), (30, 40)]
    WORDS = ["a", "dog", "cat", "red", "ball", "green", "grass"]
    START, END, TOKENS = 7, 8, 10
    GRID, RECOGNITION, EMBEDDING, HIDDEN, FILTERS = (3, 4), (12, 9), 7, 8, 6
    REGIONS = [((10, 20, 30, 40), "a red ball"), ((50, 60, 40, 50), "a dog"), ((0, 0, 96, 120), "green grass")]

    def __init__(self):
        self.p = Parameters()

    def convolution(self, name, x, outputs, stride=1):
        w, b = self.p.get(name + ".weight", outputs, x.shape[1], 3, 3), self.p.get(name + ".bias", outputs)
        return torch.relu(F.conv2d(x, w, b, stride=stride, padding=1))

    def features(self):
        x = values("photo", 1, self.HEIGHT, self.WIDTH, 3).permute(0, 3, 1, 2)
        return F.max_pool2d(self.convolution("cnn.b", self.convolution("cnn.a", x, 4, stride=2), 5), 2)

    def proposals(self, features):
        x = self.convolution("proposals.convolution", features, self.FILTERS).permute(0, 2, 3, 1)[0]
        k, (rows, columns) = len(self.ANCHORS), x.shape[:2]

        def in_order(y):
            return y.reshape(rows * columns, k, -1).permute(1, 0, 2).reshape(k * rows * columns, -1)

        t = in_order(self.p.linear("proposals.boxes", x, 4 * k))
        scores = in_order(self.p.linear("proposals.scores", x, 2 * k))
        # A stride of 2, then windows of 2: centres at 2, 6, 10 …
        anchors = torch.tensor(
            [[2 + 4 * j, 2 + 4 * i, w, h] for w, h in self.ANCHORS for i in range(rows) for j in range(columns)],
            dtype=torch.float64)
        return anchors, t, self.moved(anchors, t), scores

    @staticmethod
    def moved(a, t):
        return torch.cat([a[:, :2] + t[:, :2] * a[:, 2:], a[:, 2:] * torch.exp(t[:, 2:])], dim=1)

    def codes(self, features, boxes):
        maps = pooled(features.permute(0, 2, 3, 1), boxes, self.WIDTH, self.HEIGHT, *self.GRID)
        x = maps.reshape(len(boxes), -1)
        for number, width in enumerate(self.RECOGNITION):
            x = torch.relu(self.p.linear(f"recognition.{number + 1}", x, width))
        return x

    def first(self, code):
        return torch.relu(self.p.linear("language.region", code, self.EMBEDDING))

    def logits(self, code, tokens):
        """After the region and each of `tokens`."""
        table = self.p.get("language.word.weight", self.TOKENS, self.EMBEDDING)
        states = lstm(self.p, "language.lstm", [self.first(code)] + [table[t] for t in tokens], self.HIDDEN)
        return self.p.linear("language.logits", torch.stack([h for h, _ in states[1:]]), self.TOKENS)

    def phrase(self, code, limit):
        tokens, total = [], 0.0
        while len(tokens) < limit:
            p = torch.log_softmax(self.logits(code, [self.START] + tokens)[-1], dim=0)
            best = int(p.argmax())
            total += p[best].item()
            if best == self.END:
                break
            tokens.append(best)
        return " ".join(self.WORDS[t] if t < 7 else {7: "<S>", 9: "<UNK>"}[t] for t in tokens), total

    def found(self):
        features = self.features()
        _, _, boxes, scores = (x.detach() for x in self.proposals(features))
        b, valid = clipped(boxes.numpy(), self.WIDTH, self.HEIGHT)
        b, p = b[valid], torch.softmax(scores, dim=1)[:, 0].numpy()[valid]
        kept = torch.tensor(b[suppressed(b, p, 0.7, 20)])
        codes = self.codes(features, kept)
        final = self.moved(kept, self.p.linear("boxes", codes, 4)).detach().numpy()
        scores = self.p.linear("objectness", codes, 1)[:, 0].detach().numpy()
        order = suppressed(final, scores, 0.3, 10)
        phrases = [self.phrase(codes[i], 6) for i in order]
        return {
            "boxes": written(final), "scores": written(scores), "kept": order, "phrases": [p for p, _ in phrases],
            "logProbabilities": written([total for _, total in phrases])}

    def losses(self):
        features = self.features()
        anchors, t, boxes, scores = self.proposals(features)
        regions = []
        for (x, y, w, h), _ in self.REGIONS:
            sx, sy = self.ORIGINAL[0] / self.WIDTH, self.ORIGINAL[1] / self.HEIGHT
            regions.append([x / sx + w / sx / 2 + 0.5, y / sy + h / sy / 2 + 0.5, w / sx, h / sy])
        regions = torch.tensor(regions, dtype=torch.float64)
        b = boxes.detach().numpy()
        table, c = ious(b, regions.numpy()), corners(b)
        inside = (c[:, 0] >= 1) & (c[:, 1] >= 1) & (c[:, 2] <= self.WIDTH) & (c[:, 3] <= self.HEIGHT)
        positive, negative = (table.max(axis=1) > 0.4) & inside, (table.max(axis=1) < 0.3) & inside
        positive[table.argmax(axis=0)], negative[table.argmax(axis=0)] = True, False
        pos, neg = np.flatnonzero(positive), np.flatnonzero(negative)
        assert 3 <= len(pos) <= len(neg), (len(pos), len(neg))
        nearest = table.argmax(axis=1)[pos]
        shown = regions[nearest]

        def regression(t, a):
            wanted = torch.cat([(shown[:, :2] - a[:, :2]) / a[:, 2:], torch.log(shown[:, 2:] / a[:, 2:])], dim=1)
            counts = (wanted.abs().max(dim=1, keepdim=True).values <= 10).double()
            return F.smooth_l1_loss(t * counts, wanted * counts)

        rois = torch.cat([boxes[pos], boxes[neg]])
        codes = self.codes(features, rois)
        labels = torch.cat([torch.ones(len(pos)), torch.zeros(len(neg))]).double()[:, None]
        captions = 0.0
        for i, region in enumerate(nearest):
            words = [self.WORDS.index(w) for w in self.REGIONS[region][1].split()]
            captions = captions + F.cross_entropy(
                self.logits(codes[i], [self.START] + words), torch.tensor(words + [self.END]), reduction="sum")
        parts = {
            "proposalObjectness": F.cross_entropy(scores[pos], torch.zeros(len(pos), dtype=torch.long))
            + F.cross_entropy(scores[neg], torch.ones(len(neg), dtype=torch.long)),
            "proposalBoxes": regression(t[pos], anchors[pos]),
            "objectness": F.binary_cross_entropy_with_logits(self.p.linear("objectness", codes, 1), labels),
            "boxes": regression(self.p.linear("boxes", codes[:len(pos)], 4), rois[:len(pos)]),
            "captions": captions / len(pos),
            "boxDecay": 0.5 * (t ** 2).sum(),
        }
        weights = {"proposalObjectness": 0.1, "proposalBoxes": 0.05, "objectness": 0.1, "boxes": 0.1, "captions": 1,
                   "boxDecay": 5e-5}
        sum(weights[name] * part for name, part in parts.items()).backward()
        gradients = {name: written(value.grad.norm()) for name, value in sorted(self.p.items())}
        return {
            "count": len(pos) + len(neg), "parts": {name: written(part) for name, part in parts.items()},
            "gradients": gradients}


def main():
    tiny = Tiny()
    reference = {
        "clipping": clipping(), "overlaps": overlaps(), "transforms": transforms(), "anchors": anchors(), "fields": fields(),
        "suppression": suppression(), "pooling": [pooling(3, 2, 5), pooling(19, 4, 3)], "sampler": sampler(), "losses": losses(),
        "model": {"found": tiny.found(), "losses": tiny.losses()}}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "densecap.json")
    with open(path, "w") as file:
        json.dump(reference, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
