"""What the scripts of several plugins have in common: parameters by their names, and the file that is written."""

import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../NeuralNetworksTests/Reference"))
from formula import parameter, uniform  # noqa: E402


def values(name, *shape):
    """Numbers from -1 up to 1, rounded to single precision as the program under test has them."""
    return torch.from_numpy(uniform(name, int(torch.tensor(shape).prod()))).double().reshape(shape)


class Parameters(dict):
    """Tensors by name, made when they are first asked for."""

    def get(self, name, *shape):
        if name not in self:
            self[name] = torch.from_numpy(parameter(name, shape).copy()).double().requires_grad_()
        assert self[name].shape == shape, name
        return self[name]

    def linear(self, name, x, outputs, bias=True):
        y = x @ self.get(name + ".weight", outputs, x.shape[-1]).T
        return y + self.get(name + ".bias", outputs) if bias else y


def lstm(p, name, xs, hidden, order="ifog", tanh_on_cell=True, forget_bias=0.0):
    """The hidden and the cell state after every one of `xs`."""
    h = c = torch.zeros(hidden, dtype=torch.float64)
    states = []
    for x in xs:
        a = (
            p.get(name + ".input.weight", 4 * hidden, x.shape[-1]) @ x
            + p.get(name + ".recurrent.weight", 4 * hidden, hidden) @ h + p.get(name + ".bias", 4 * hidden)
        )
        gate = dict(zip(order, a.chunk(4)))
        c = torch.sigmoid(gate["f"] + forget_bias) * c + torch.sigmoid(gate["i"]) * torch.tanh(gate["g"])
        h = torch.sigmoid(gate["o"]) * (torch.tanh(c) if tanh_on_cell else c)
        states.append((h, c))
    return states


WORDS = ["<unk>", "what", "is", "on", "the", "bed", "left", "of", "red", "chair", "color"]
# The third is longer than a convolution over words has places, and names some words twice; nobody knows zebras.
QUESTIONS = ["what is on the bed", "color", "the chair left of the red bed is the red chair", "is zebra"]
TARGETS = [1, 0, 2, 1]
ANSWERS = 3


def ids(question):
    """Unknown words are the first."""
    return [WORDS.index(word) if word in WORDS else 0 for word in question.split()]


def loss(logits):
    return torch.nn.functional.cross_entropy(logits, torch.tensor(TARGETS))


def plain(x):
    """Tensors as lists of numbers with seven digits."""
    if isinstance(x, torch.Tensor):
        x = x.detach().tolist()
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(element) for element in x]
    return float(f"{x:.7g}") if isinstance(x, float) else x


def gradients(p, idle=lambda name: False):
    """The length of every parameter's gradient. None is tiny but those of `idle` parameters, which change nothing."""
    norms = {name: 0.0 if idle(name) else p[name].grad.norm().item() for name in sorted(p)}
    assert all((norm > 1e-5) != idle(name) for name, norm in norms.items()), norms
    return norms


def write(name, **lists):
    """Writes an object: the questions with the words that are known and the right answers, then lists, an element a line."""
    asked = dict(words=WORDS, questions=QUESTIONS, targets=TARGETS)
    members = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in asked.items()]
    for key, rows in lists.items():
        members.append(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(plain(row)) for row in rows) + "\n]")
    with open(os.path.join(HERE, name), "w") as file:
        file.write("{\n" + ",\n".join(members) + "\n}\n")
