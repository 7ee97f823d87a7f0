"""Writes the values that PyTorchTests.swift compares with, as Swift literals on standard output.

Pictures are channels-last there, [n, h, w, c], and channels-first here; the script permutes. Every input is drawn by
the formula of `ramp`, so that it need not be written out.

    python torch_values.py > ../PyTorchValues.swift
"""
import numpy
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def ramp(shape, step):
    """Values in -1 ... 1 that repeat after 19, a prime, so that no two rows are alike: (i · step mod 19) / 9 - 1."""
    count = int(numpy.prod(shape))
    values = (numpy.arange(count, dtype=numpy.int64) * step % 19).astype(numpy.float64) / 9 - 1
    return torch.tensor(values.astype(numpy.float32)).reshape(shape)


def picture(shape, step):
    """Drawn channels-last, returned channels-first."""
    return ramp(shape, step).permute(0, 3, 1, 2).contiguous().requires_grad_(True)


def last(tensor):
    return tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor


def backward(y, dy_step):
    """Back-propagates a ramp that was drawn channels-last."""
    dy = ramp(last(y).shape, dy_step)
    y.backward(dy.permute(0, 3, 1, 2) if y.dim() == 4 else dy)


entries = []


def emit(name, tensor):
    flat = tensor.detach().contiguous().flatten().tolist()
    rows = [", ".join(f"{v:.8g}" for v in flat[i : i + 8]) for i in range(0, len(flat), 8)]
    body = ",\n        ".join(rows)
    entries.append(f"    static let {name}: [Float] = [\n        {body},\n    ]\n")


# Convolution: stride 2, padding 1, 2 groups, a bias.
x, w, b = picture([2, 5, 6, 4], 7), ramp([6, 2, 3, 3], 5).requires_grad_(True), ramp([6], 3).requires_grad_(True)
y = F.conv2d(x, w, b, stride=2, padding=1, groups=2)
backward(y, 11)
for name, value in [("", last(y)), ("DX", last(x.grad)), ("DW", w.grad), ("DBias", b.grad)]:
    emit("convolution" + name, value)

# Depthwise with two filters per channel and dilation.
x, w = picture([1, 6, 6, 3], 7), ramp([6, 1, 3, 3], 5).requires_grad_(True)
y = F.conv2d(x, w, None, stride=(1, 2), padding=(2, 1), dilation=(2, 1), groups=3)
backward(y, 11)
for name, value in [("", last(y)), ("DX", last(x.grad)), ("DW", w.grad)]:
    emit("depthwise" + name, value)

# Pooling. The maximum of every window is unique: the values do not repeat.
for name, function in [
    ("maximum", lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True)),
    ("maximumNarrow", lambda x: F.max_pool2d(x, 2, 2, 0, ceil_mode=True)),
    ("average", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)),
    ("averagePadded", lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=True)),
    ("averageDown", lambda x: F.avg_pool2d(x, (2, 3), (2, 1), (0, 1), ceil_mode=False, count_include_pad=True)),
]:
    values = (numpy.arange(2 * 6 * 7 * 2) * 67 % 169).astype(numpy.float32) / 84 - 1
    x = torch.tensor(values).reshape(2, 6, 7, 2).permute(0, 3, 1, 2).contiguous().requires_grad_(True)
    y = function(x)
    backward(y, 11)
    emit(name, last(y))
    emit(name + "DX", last(x.grad))

# Batch normalisation in training.
x, s, t = picture([2, 3, 3, 3], 7), ramp([3], 4).requires_grad_(True), ramp([3], 3).requires_grad_(True)
mean, variance = torch.zeros(3), torch.zeros(3)
y = F.batch_norm(x, mean, variance, s, t, training=True, momentum=1.0, eps=1e-3)
backward(y, 11)
for name, value in [("", last(y)), ("Mean", mean), ("UnbiasedVariance", variance), ("DX", last(x.grad)), ("DScale", s.grad), ("DShift", t.grad)]:
    emit("batchNormalization" + name, value)

# LSTM cell, gates in the order i f g o.
x, h, c = [ramp(shape, step).requires_grad_(True) for shape, step in [([3, 4], 7), ([3, 2], 5), ([3, 2], 3)]]
cell = torch.nn.LSTMCell(4, 2)
with torch.no_grad():
    for parameter, step in zip([cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh], [4, 6, 9, 8]):
        parameter.copy_(ramp(list(parameter.shape), step))
hidden, after = cell(x, (h, c))
((hidden * ramp([3, 2], 11)).sum() + (after * ramp([3, 2], 13)).sum()).backward()
for name, value in [
    ("Hidden", hidden), ("Cell", after), ("DX", x.grad), ("DHidden", h.grad), ("DCell", c.grad), ("DInput", cell.weight_ih.grad),
    ("DRecurrent", cell.weight_hh.grad), ("DBias", cell.bias_ih.grad),
]:
    emit("lstm" + name, value)

# A whole sequence of the same cell.
xs, h, c = ramp([4, 3, 4], 7).requires_grad_(True), ramp([3, 2], 5).requires_grad_(True), ramp([3, 2], 3).requires_grad_(True)
lstm = torch.nn.LSTM(4, 2)
with torch.no_grad():
    for parameter, step in zip([lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0], [4, 6, 9, 8]):
        parameter.copy_(ramp(list(parameter.shape), step))
states, (_, final) = lstm(xs, (h[None], c[None]))
(states * ramp([4, 3, 2], 11)).sum().backward()
for name, value in [
    ("Hidden", states), ("Cell", final), ("DX", xs.grad), ("DHidden", h.grad), ("DCell", c.grad),
    ("DRecurrent", lstm.weight_hh_l0.grad), ("DInput", lstm.weight_ih_l0.grad),
]:
    emit("sequence" + name, value)

# A whole sequence of a GRU, gates in the order r z n, the reset after the product.
xs, h = ramp([4, 3, 4], 7).requires_grad_(True), ramp([3, 2], 5).requires_grad_(True)
gru = torch.nn.GRU(4, 2)
with torch.no_grad():
    for parameter, step in zip([gru.weight_ih_l0, gru.weight_hh_l0, gru.bias_ih_l0, gru.bias_hh_l0], [4, 6, 9, 8]):
        parameter.copy_(ramp(list(parameter.shape), step))
states, _ = gru(xs, h[None])
(states * ramp([4, 3, 2], 11)).sum().backward()
for name, value in [
    ("", states), ("DX", xs.grad), ("DHidden", h.grad), ("DInput", gru.weight_ih_l0.grad), ("DRecurrent", gru.weight_hh_l0.grad),
    ("DBias", gru.bias_ih_l0.grad), ("DRecurrentBias", gru.bias_hh_l0.grad),
]:
    emit("gru" + name, value)

# Softmax and cross entropy; the second row does not count.
x = (ramp([4, 5], 7) * 3).requires_grad_(True)
losses = F.cross_entropy(x, torch.tensor([2, -100, 0, 4]), reduction="none")
losses.backward(ramp([4], 11))
for name, value in [("", losses), ("DX", x.grad), ("Softmax", F.softmax(x, 1))]:
    emit("crossEntropy" + name, value)

# Local response normalisation: PyTorch divides α by the size of the window.
x = picture([1, 2, 3, 7], 7)
y = F.local_response_norm(x, 5, alpha=2.0, beta=0.75, k=1.5)
backward(y, 11)
emit("localResponse", last(y))
emit("localResponseDX", last(x.grad))

# Functions of one scalar.
points = torch.tensor([-9, -3, -1.5, -0.05, 0, 1e-4, 0.07, 0.3, 2, 5.5, 9, 40], dtype=torch.float32)
for name, function in [("tanh", torch.tanh), ("sigmoid", torch.sigmoid), ("relu6", F.relu6)]:
    emit(name, function(points))

print("// Written by Reference/torch_values.py with PyTorch " + torch.__version__.split("+")[0] + ".\n")
print("enum PyTorchValues {")
print("\n".join(entries) + "}")
