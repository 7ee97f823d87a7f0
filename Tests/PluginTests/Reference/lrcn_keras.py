"""Prints what a published Keras network makes of a clip: the literals of KerasLRCNTests.swift.

The graph is the one that LRCN_model.h5 describes in its attribute `model_config`, in NumPy and in double precision. The clip is
made by a formula that the test repeats.

    python3 lrcn_keras.py DATA        (NumPy, h5py; DATA holds checkpoints/)
"""

import sys

import h5py
import numpy as np

weights = {}
with h5py.File(sys.argv[1] + "/checkpoints/keras2.12-lrcn/LRCN_model.h5") as file:
    file["model_weights"].visititems(
        lambda name, item: weights.update({"/".join(name.split("/")[1:]): item[()].astype(float)})
        if isinstance(item, h5py.Dataset) else None)


def convolution(x, name):
    """3 × 3, "same", ReLU."""
    kernel, bias = weights[name + "/kernel:0"], weights[name + "/bias:0"]
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    rows, columns = x.shape[:2]
    y = bias + sum(padded[i:i + rows, j:j + columns] @ kernel[i, j] for i in range(3) for j in range(3))
    return np.maximum(y, 0)


def pool(x, size):
    rows, columns, channels = x.shape
    return x.reshape(rows // size, size, columns // size, size, channels).max((1, 3))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def frame(t, clip):
    y, x = np.mgrid[:64, :64]
    red, green, blue = (x * (3 + clip) + t * 7) % 256, (y * 5 + t * t * (clip + 1)) % 256, (x * y + 11 * t) % 256
    return np.stack([blue, green, red], -1) / 255


for clip in range(2):
    h, c = np.zeros(32), np.zeros(32)
    for t in range(25):
        x = frame(t, clip)
        for name, size in [("time_distributed", 4), ("time_distributed_3", 4), ("time_distributed_6", 2), ("time_distributed_9", 2)]:
            x = pool(convolution(x, name), size)
        a = x.reshape(-1) @ weights["lstm/lstm_cell/kernel:0"] + h @ weights["lstm/lstm_cell/recurrent_kernel:0"]
        i, f, g, o = np.split(a + weights["lstm/lstm_cell/bias:0"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    z = h @ weights["dense/kernel:0"] + weights["dense/bias:0"]
    p = np.exp(z - z.max())
    print(", ".join(f"{value:.6g}" for value in p / p.sum()))
