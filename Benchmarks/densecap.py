"""DenseCap at its published size: zoo beside PyTorch, the same weights, the same photo.

    python3 Benchmarks/densecap.py --environment .build/peers/environment [--rounds 5] [--threads 1,2]

VGG-16 on 720×540 pixels, 1,000 proposals, fc layers of 4,096, an LSTM of 512 that says up to 15 of 10,510 words about every
proposal's region that is left. From the picture's file to phrases and boxes: both decode, resize and normalise it. Models are
loaded and have run before (zoo's time is what further photos add to a run). Also prints how far boxes and scores differ.
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
WORDS, WIDTH, PROPOSALS, TOP, STEPS = 10510, 512, 1000, 100, 15
ANCHORS = [(45, 90), (90, 45), (64, 64), (90, 180), (180, 90), (128, 128), (181, 362), (362, 181), (256, 256), (362, 724),
           (724, 362), (512, 512)]


def make(folder):
    """Weights, words, card and photo. Runs in the environment."""
    import numpy as np
    from PIL import Image
    from safetensors.numpy import save_file
    random = np.random.default_rng(1)
    normal = lambda deviation, *shape: (random.standard_normal(shape, dtype=np.float32) * np.float32(deviation))
    he = lambda *shape: normal((2 / np.prod(shape[1:])) ** 0.5, *shape)
    zeros = lambda n: np.zeros(n, np.float32)
    with open(os.path.join(ROOT, "ModelCards", "densecap-vgg16.json")) as file:
        card = json.load(file)
    weights, channels = {}, 3
    for layer in card["backbone"]["layers"]:
        if layer["op"] == "convolution":
            weights[f"cnn.{layer['name']}.weight"] = he(layer["outputs"], channels, 3, 3)
            weights[f"cnn.{layer['name']}.bias"], channels = zeros(layer["outputs"]), layer["outputs"]
    linear = {
        # Small enough that boxes stay near their anchors, large enough that scores and words differ.
        "proposals.boxes": normal(0.002, 48, 256), "proposals.scores": normal(0.01, 24, 256),
        "recognition.1": he(4096, 49 * 512), "recognition.2": he(4096, 4096), "objectness": normal(0.01, 1, 4096),
        "boxes": normal(0.0002, 4, 4096), "language.region": he(WIDTH, 4096), "language.logits": normal(0.3, WORDS, WIDTH),
    }
    weights["proposals.convolution.weight"], weights["proposals.convolution.bias"] = he(256, 512, 3, 3), zeros(256)
    for name, weight in linear.items():
        weights[name + ".weight"], weights[name + ".bias"] = weight, zeros(len(weight))
    weights["language.word.weight"] = normal(1, WORDS + 1, WIDTH)
    weights["language.lstm.input.weight"] = normal(1024 ** -0.5, 4 * WIDTH, WIDTH)
    weights["language.lstm.recurrent.weight"] = normal(1024 ** -0.5, 4 * WIDTH, WIDTH)
    weights["language.lstm.bias"] = zeros(4 * WIDTH)
    save_file(weights, os.path.join(folder, "weights.safetensors"))
    with open(os.path.join(folder, "words.txt"), "w") as file:
        file.write("".join(f"w{i}\n" for i in range(WORDS - 2)) + "<UNK>\n<END>\n")
    card["name"] = "card"
    card["vocabulary"]["path"] = "words.txt"
    card["weights"] = [{"path": "weights.safetensors", "how_to_get": "Made here."}]
    card.pop("training"), card.pop("$schema")
    with open(os.path.join(folder, "card.json"), "w") as file:
        json.dump(card, file)
    # Clouds of colour, so that regions differ, in the size that the network takes: everybody scales photos in another way.
    noise = sum(np.asarray(Image.fromarray(random.integers(0, 255, (n, n * 4 // 3, 3), np.uint8)).resize((720, 540), 3), np.float32)
                for n in (3, 9, 27)) / 3
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(os.path.join(folder, "photo.png"))


def pytorch(folder, threads, photos):
    """Prints the seconds of every photo after the first, and what was found. Runs in the environment."""
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image
    from safetensors.torch import load_file
    from torchvision.ops import nms
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    w = load_file(os.path.join(folder, "weights.safetensors"))
    with open(os.path.join(folder, "card.json")) as file:
        layers = json.load(file)["backbone"]["layers"]
    with open(os.path.join(folder, "words.txt")) as file:
        words = file.read().split()
    # The grid's features come channels first here.
    fc6 = w["recognition.1.weight"].reshape(4096, 7, 7, 512).permute(0, 3, 1, 2).reshape(4096, -1).contiguous()
    lstm = torch.nn.LSTMCell(WIDTH, WIDTH)
    order = torch.cat([torch.arange(k * WIDTH, (k + 1) * WIDTH) for k in (0, 1, 3, 2)])  # ifog to ifgo
    lstm.weight_ih.copy_(w["language.lstm.input.weight"][order])
    lstm.weight_hh.copy_(w["language.lstm.recurrent.weight"][order])
    lstm.bias_ih.zero_(), lstm.bias_hh.zero_()
    linear = lambda name, x: F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def corners(b):
        return torch.stack([b[:, 0] - (b[:, 2] - 1) / 2, b[:, 1] - (b[:, 3] - 1) / 2, b[:, 0] + (b[:, 2] - 1) / 2,
                            b[:, 1] + (b[:, 3] - 1) / 2], 1)

    def moved(t, a):
        return torch.cat([a[:, :2] + t[:, :2] * a[:, 2:], a[:, 2:] * t[:, 2:].exp()], 1)

    def suppressed(boxes, scores, threshold, limit):
        # Both corners' pixels belong to a box.
        return nms(corners(boxes) + torch.tensor([0, 0, 1, 1]), scores, threshold)[:limit]

    def describe(path):
        picture = Image.open(path).convert("RGB")
        width, height = picture.size
        W, H = (720, round(720 * height / width)) if width >= height else (round(720 * width / height), 720)
        x = np.asarray(picture.resize((W, H), Image.BILINEAR), np.float32)[:, :, ::-1] - np.float32([103.939, 116.779, 123.68])
        x = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)[None]))
        for layer in layers:
            name = layer.get("name")
            x = F.relu(F.conv2d(x, w[f"cnn.{name}.weight"], w[f"cnn.{name}.bias"], padding=1)) if layer["op"] == "convolution" \
                else F.max_pool2d(x, 2, ceil_mode=True)
        rows, columns = x.shape[2:]
        u = F.relu(F.conv2d(x, w["proposals.convolution.weight"], w["proposals.convolution.bias"], padding=1))
        flat = u[0].permute(1, 2, 0)
        t = linear("proposals.boxes", flat).reshape(-1, 12, 4).transpose(0, 1).reshape(-1, 4)
        s = linear("proposals.scores", flat).reshape(-1, 12, 2).transpose(0, 1).reshape(-1, 2)
        grid = torch.stack(torch.meshgrid(8.5 + 16 * torch.arange(rows), 8.5 + 16 * torch.arange(columns), indexing="ij"), -1)
        centres = grid.flip(-1).reshape(1, -1, 2).expand(12, -1, 2)
        anchors = torch.cat([centres, torch.tensor(ANCHORS, dtype=torch.float32)[:, None].expand(-1, rows * columns, 2)], 2)
        c = corners(moved(t, anchors.reshape(-1, 4)))
        c[:, 0].clamp_(1, W - 1), c[:, 1].clamp_(1, H - 1), c[:, 2].clamp_(2, W), c[:, 3].clamp_(2, H)
        valid = (c[:, 2] > c[:, 0]) & (c[:, 3] > c[:, 1])
        c, p = c[valid], s.softmax(1)[valid, 0]
        boxes = torch.cat([(c[:, :2] + c[:, 2:]) / 2, c[:, 2:] - c[:, :2]], 1)
        boxes = boxes[suppressed(boxes, p, 0.7, PROPOSALS)]
        base = torch.linspace(-1, 1, 7)
        gx = ((2 * boxes[:, 0] - W - 1) / (W - 1))[:, None] + (boxes[:, 2] / W)[:, None] * base
        gy = ((2 * boxes[:, 1] - H - 1) / (H - 1))[:, None] + (boxes[:, 3] / H)[:, None] * base
        n = len(boxes)
        grid = torch.stack([gx[:, None].expand(n, 7, 7), gy[:, :, None].expand(n, 7, 7)], -1).reshape(1, n * 7, 7, 2)
        v = F.grid_sample(x, grid, align_corners=True).reshape(512, n, 49).transpose(0, 1).reshape(n, -1)
        v = F.relu(F.linear(v, fc6, w["recognition.1.bias"]))
        v = F.relu(linear("recognition.2", v))
        scores, boxes = linear("objectness", v)[:, 0], moved(linear("boxes", v), boxes)
        kept = suppressed(boxes, scores, 0.3, TOP)
        h, c = lstm(F.relu(linear("language.region", v[kept])), None)
        token, said = torch.full((len(kept),), WORDS - 1), []
        for _ in range(STEPS):
            h, c = lstm(w["language.word.weight"][token], (h, c))
            token = linear("language.logits", h).argmax(1)
            said.append(token)
        said = torch.stack(said, 1).tolist()
        phrases = [" ".join(words[t] for t in (s[:s.index(WORDS - 1)] if WORDS - 1 in s else s)) for s in said]
        return phrases, boxes[kept].tolist(), scores[kept].tolist(), (width / W, height / H)

    times, path = [], os.path.join(folder, "photo.png")
    for _ in range(photos + 1):
        start = time.perf_counter()
        phrases, boxes, scores, scale = describe(path)
        times.append(time.perf_counter() - start)
    boxes = [[(x - 0.5 - w / 2) * scale[0], (y - 0.5 - h / 2) * scale[1], w * scale[0], h * scale[1]] for x, y, w, h in boxes]
    print(json.dumps({"times": times[1:], "phrases": phrases, "boxes": boxes, "scores": scores}))


def zoo(command, folder, threads, photos):
    """The seconds that each of some further photos adds, and what was found."""
    def run(count):
        start = time.perf_counter()
        done = subprocess.run(
            [command, "run", os.path.join(folder, "card.json"), *[os.path.join(folder, "photo.png")] * count, "--json", "--top",
             str(TOP), "--threads", str(threads)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return time.perf_counter() - start, done.stdout
    run(1)
    (one, _), (all_, text) = run(1), run(photos + 1)
    return {"times": [(all_ - one) / photos], "regions": json.loads(text.splitlines()[0])["regions"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", default=os.path.join(ROOT, ".build", "peers", "environment"))
    parser.add_argument("--zoo", default=os.path.join(ROOT, ".build", "release", "zoo"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=3, help="in every round, after the first")
    parser.add_argument("--threads", default="2", help="numbers separated by commas")
    parser.add_argument("--inside", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        what, folder, threads, photos = options.inside
        return make(folder) if what == "make" else pytorch(folder, int(threads), int(photos))
    python = os.path.join(options.environment, "bin", "python3")
    inside = lambda *arguments: subprocess.run(
        [python, os.path.abspath(__file__), "--inside", *map(str, arguments)], check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        inside("make", folder, 0, 0)
        print("| threads | zoo, s a photo | PyTorch, s a photo | PyTorch / zoo |\n|---|---|---|---|")
        for threads in map(int, options.threads.split(",")):
            ours, theirs = [], []
            for _ in range(options.rounds):
                a = zoo(options.zoo, folder, threads, options.photos)
                b = json.loads(inside("torch", folder, threads, options.photos))
                ours += a["times"]
                theirs.append(statistics.median(b["times"]))
            x, y = statistics.median(ours), statistics.median(theirs)
            print(f"| {threads} | {x:.3f} | {y:.3f} | {y / x:.2f} |", flush=True)
        regions = a["regions"]
        same = sum(r["text"] == p for r, p in zip(regions, b["phrases"]))
        far = max(abs(r["box"][k] - v) for r, q in zip(regions, b["boxes"]) for k, v in zip(("x", "y", "width", "height"), q))
        print(f"\n{len(regions)} and {len(b['phrases'])} regions, {same} phrases the same, boxes at most {far:.2g} pixels apart, "
              f"scores {max(abs(r['score'] - s) for r, s in zip(regions, b['scores'])):.2g}")


main()
