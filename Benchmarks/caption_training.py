"""Words per second of training the captioner's LSTM on cached features: zoo beside PyTorch.

The same data, vocabulary size, batches of like length, widths, normalisation, dropout, optimiser and clipping; rounds are
interleaved. Only the first phase of the recipe is timed, the one on people's captions.
Needs, from PyPI: torch numpy h5py.

    python Benchmarks/caption_training.py --data flickr8k [--photos 1000] [--rounds 3] [--threads 2]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def zoo_round(arguments, weights, recipe):
    """Trains one epoch and returns the words per second that zoo reports for it."""
    path = weights.replace(".h5", ".recipe.json")
    with open(path, "w") as file:
        json.dump({key: value for key, value in recipe.items() if key != "self_critical"}, file)
    command = [os.path.join(ROOT, ".build/release/zoo"), "train", "captioner", "--data", arguments.data, "--out", weights, "--recipe", path, "--epochs", "1",
               "--limit", str(arguments.photos), "--threads", str(arguments.threads), "--json", "--seed", str(time.time_ns() % 1000)]
    state = weights.replace(".h5", ".training.h5")
    if os.path.exists(state):
        os.remove(state)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.strip().splitlines()[-1])["scores"]["predictionsPerSecond"]


def captions(folder, photos):
    with open(os.path.join(folder, "train.txt")) as file:
        names = [line.strip() for line in file][:photos]
    sentences = {}
    with open(os.path.join(folder, "captions.txt"), newline="") as file:
        for image, caption in (line.rstrip("\n").split(",", 1) for line in list(file)[1:]):
            sentences.setdefault(image, []).append(re.findall(r"[a-z']+", caption.lower())[:25])
    return [(i, words) for i, name in enumerate(names) for words in sentences[name]]


def torch_round(arguments, features, pairs, vocabulary, recipe, card):
    import torch
    torch.set_num_threads(arguments.threads)
    h = card["hyperparameters"]
    end = len(vocabulary)

    class Captioner(torch.nn.Module):
        def __init__(self):
            super().__init__()
            words = len(vocabulary) + 1
            self.normalize = torch.nn.BatchNorm1d(features.shape[1], momentum=0.01, affine=False)
            self.image = torch.nn.Linear(features.shape[1], h["embedding"])
            self.word = torch.nn.Embedding(words, h["embedding"])
            self.lstm = torch.nn.LSTM(h["embedding"], h["hidden"])
            self.logits = torch.nn.Linear(h["hidden"], words)
            self.drop_input = torch.nn.Dropout(h["input_dropout"])
            self.drop_output = torch.nn.Dropout(h["output_dropout"])

        def forward(self, x, tokens):
            v = self.image(self.normalize(x))[None]
            y, _ = self.lstm(self.drop_input(torch.cat([v, self.word(tokens)])))
            return self.logits(self.drop_output(y[1:]))

    model = Captioner().train()
    o = recipe["optimizer"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=o["learning_rate"], weight_decay=o.get("weight_decay", 0))
    order = torch.randperm(len(pairs)).tolist()
    words, started, batch = 0, time.perf_counter(), recipe["batch"]
    batches = []
    for start in range(0, len(order), 50 * batch):
        pool = sorted(order[start:start + 50 * batch], key=lambda i: len(pairs[i][1]))
        batches += [pool[i:i + batch] for i in range(0, len(pool) - batch + 1, batch)]
    for chosen in batches:
        chosen = [pairs[i] for i in chosen]
        steps = max(len(w) for _, w in chosen) + 1
        tokens = torch.full((steps, batch), end)
        targets = torch.full((steps, batch), -1)
        for b, (_, w) in enumerate(chosen):
            ids = torch.tensor([vocabulary.get(x, end) for x in w] + [end])
            tokens[1:len(ids), b] = ids[:-1]
            targets[:len(ids), b] = ids
        x = torch.from_numpy(features[[i for i, _ in chosen]])
        loss = torch.nn.functional.cross_entropy(model(x, tokens).flatten(0, 1), targets.flatten(), ignore_index=-1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe["clipping"]["limit"])
        optimizer.step()
        words += int((targets >= 0).sum())
    return words / (time.perf_counter() - started)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    import h5py
    with open(os.path.join(ROOT, "ModelCards/captioner.json")) as file:
        card = json.load(file)
    with open(os.path.join(ROOT, "ModelCards", card["training"]["recipe"])) as file:
        recipe = json.load(file)
    with open(os.path.join(ROOT, "ModelCards", card["vocabulary"]["path"])) as file:
        vocabulary = {line.split()[0]: i for i, line in enumerate(file)}
    pairs = captions(arguments.data, arguments.photos)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, "captioner.h5")
        for _ in range(arguments.rounds):
            ours.append(zoo_round(arguments, weights, recipe))
            with h5py.File(weights.replace(".h5", ".encodings.h5")) as file:
                features = file["training"][::recipe["views"]]
            theirs.append(torch_round(arguments, features, pairs, vocabulary, recipe, card))
            print(f"zoo {ours[-1]:.0f}  PyTorch {theirs[-1]:.0f} words/s", flush=True)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"median: zoo {a:.0f}, PyTorch {b:.0f} words/s, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
