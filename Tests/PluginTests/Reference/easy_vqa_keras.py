"""Prints what the published Keras network answers to a few questions of easy-VQA: the literals of KerasAnswererTests.swift.

The graph is the one that model.h5 describes in its attribute `model_config`, in NumPy and in double precision; its input is
the author's (easy-VQA-keras, prepare_data.py): RGB / 255 - 0.5, and for every word of the question a 1 at its number.

    python3 easy_vqa_keras.py DATA        (NumPy, h5py, Pillow; DATA holds checkpoints/ and easy-vqa/)
"""

import json
import re
import sys

import h5py
import numpy as np
from PIL import Image

data = sys.argv[1]
folder = data + "/checkpoints/keras2.3-easy-vqa"
vocabulary = json.load(open(folder + "/vocabulary.json"))
weights = {}
with h5py.File(folder + "/model.h5") as file:
    file["model_weights"].visititems(
        lambda name, item: weights.update({"/".join(name.split("/")[-2:]): item[()].astype(float)})
        if isinstance(item, h5py.Dataset) else None)


def convolution(x, name):
    """3 × 3, "same", linear."""
    kernel, bias = weights[name + "/kernel:0"], weights[name + "/bias:0"]
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    rows, columns = x.shape[:2]
    return bias + sum(padded[i:i + rows, j:j + columns] @ kernel[i, j] for i in range(3) for j in range(3))


def pool(x):
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, x.shape[2]).max((1, 3))


def dense(x, name):
    return x @ weights[name + "/kernel:0"] + weights[name + "/bias:0"]


def answer(number, question):
    x = np.asarray(Image.open(f"{data}/easy-vqa/train/images/{number}.png").convert("RGB")) / 255 - 0.5
    for n in "123":
        x = pool(convolution(x, "conv2d_" + n))
    v = np.tanh(dense(x.reshape(-1), "dense_1"))
    q = np.zeros(27)
    for word in re.sub("[^a-z]", " ", question.lower()).split():
        if word in vocabulary["word_index"]:
            q[vocabulary["word_index"][word]] = 1
    for n in "234":
        q = np.tanh(dense(q, "dense_" + n))
    z = dense(np.tanh(dense(v * q, "dense_5")), "dense_6")
    p = np.exp(z - z.max())
    return p / p.sum()


for number, question in [
    (0, "what is the blue shape?"), (1, "what color is the shape?"), (7, "does the image contain a circle?"),
    (3999, "is there not a red shape, my friend?"),
]:
    p = answer(number, question)
    print(f'({number}, "{question}", [' + ", ".join(f"{x:.6g}" for x in p) + "]),")
    print("    //", vocabulary["answers"][p.argmax()])
