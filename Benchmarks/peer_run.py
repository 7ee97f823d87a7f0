"""One peer runs one model, and prints one JSON object: medians, or a comparison with the reference.

    python peer_run.py FOLDER PEER [--threads N] [--batch N] [--seconds S] [--check | --cold]

FOLDER is what peer_models.py wrote. PEER:
    torch        PyTorch, a frozen and optimised TorchScript
    torch-channels-last  the TorchScript as it is, on pictures that are channels last
    onnxruntime  the CPU provider with all optimisations
    openvino     the CPU plugin, float32, tuned for latency
    ncnn         float32 only; it has no batches, so it runs once per picture
    mnn          precision high (float32)
"""
import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("peer")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--check", action="store_true")
parser.add_argument("--cold", action="store_true")
a = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(a.threads)

import numpy as np

base = os.path.join(a.folder, "model")
pictures = np.load(os.path.join(a.folder, "input.npy"), mmap_mode="r")
count = len(pictures) if a.check else a.batch
x = np.ascontiguousarray(np.concatenate([pictures] * -(-count // len(pictures)))[:count].transpose(0, 3, 1, 2))

if a.peer in ("torch", "torch-channels-last"):
    import torch
    torch.set_num_threads(a.threads)
    module, tensor = torch.jit.load(base + ".ts").eval(), torch.from_numpy(x)
    if a.peer == "torch":
        module = torch.jit.optimize_for_inference(torch.jit.freeze(module))
    else:
        module, tensor = module.to(memory_format=torch.channels_last), tensor.to(memory_format=torch.channels_last)

    def run():
        with torch.inference_mode():
            return module(tensor).contiguous().numpy()
elif a.peer == "onnxruntime":
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = a.threads, 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.add_free_dimension_override_by_name("n", count)
    session = onnxruntime.InferenceSession(base + ".onnx", settings, providers=["CPUExecutionProvider"])

    def run():
        return session.run(None, {"x": x})[0]
elif a.peer == "openvino":
    import openvino
    core = openvino.Core()
    model = core.read_model(base + ".xml")
    model.reshape(list(x.shape))
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": a.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()

    def run():
        return next(iter(request.infer({0: x}).values()))
elif a.peer == "ncnn":
    import ncnn
    net = ncnn.Net()
    net.opt.num_threads, net.opt.use_vulkan_compute = a.threads, False
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_bf16_packed"):
        if hasattr(net.opt, option):
            setattr(net.opt, option, False)
    net.load_param(base + ".ncnn.param")
    net.load_model(base + ".ncnn.bin")

    def run():
        results = []
        for picture in x:
            extractor = net.create_extractor()
            extractor.input("in0", ncnn.Mat(picture))
            results.append(np.array(extractor.extract("out0")[1]))
        return np.stack(results)
elif a.peer == "mnn":
    import MNN
    import MNN.expr
    runtime = MNN.nn.create_runtime_manager(({"backend": 0, "numThread": a.threads, "precision": "high"},))
    net = MNN.nn.load_module_from_file(base + ".mnn", ["x"], ["y"], runtime_manager=runtime)
    variable = MNN.expr.placeholder(list(x.shape), MNN.expr.NCHW)

    def run():
        variable.write(x)
        return np.array(MNN.expr.convert(net.forward(variable), MNN.expr.NCHW).read())
else:
    sys.exit(f"there is no peer '{a.peer}'")

y = run()
if a.check:
    reference = np.load(os.path.join(a.folder, "reference.npy"))
    if reference.ndim == 4:
        reference = reference.transpose(0, 3, 1, 2)
    answer = {"difference": float(np.abs(y.reshape(reference.shape) - reference).max() / np.abs(reference).max())}
elif a.cold:
    answer = {}
else:
    run()
    times, end = [], time.perf_counter() + a.seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    times.sort()
    answer = {"milliseconds": {"median": float(np.median(times)), "minimum": times[0]}, "repetitions": len(times)}
print(json.dumps(answer), flush=True)
# Some runtimes crash or hang while Python takes them down.
os._exit(0)
