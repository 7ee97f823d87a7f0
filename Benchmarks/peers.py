"""zoo beside other inference runtimes: the same networks, the same weights, interleaved runs on this machine.

    python3 Benchmarks/peers.py [--models squeezenet-1.1,vgg-19@448:pool5] [--batches 1,8] [--threads 1,2] [--rounds 5]

One command does all of it. It makes a virtual environment, installs the peers into it (one that cannot be installed is left
out with a message), lets zoo write its weights, builds the network of the card in PyTorch with them, translates that for
every peer, checks that all results agree, and then runs zoo and the peers in turn, every time in a new process that reports
a median. Prints a Markdown table with the ratio best peer ÷ zoo (above 1: zoo is faster) and writes everything as JSON.
Needs `swift build -c release` before, and Python 3.9 or later with venv.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HERE = os.path.join(ROOT, "Benchmarks")
MODELS = "vgg-16,vgg-19@448:pool5,resnet-50,inception-v3,squeezenet-1.1,mobilenet-v2"
# What each peer needs from PyPI; PyTorch builds the networks and is needed by all.
PEERS = {
    "torch": [], "torch-channels-last": [], "onnxruntime": ["onnx", "onnxruntime"], "openvino": ["onnx", "openvino"],
    "ncnn": ["ncnn", "pnnx"], "mnn": ["onnx", "MNN"],
}
TITLES = {
    "torch": "PyTorch", "torch-channels-last": "PyTorch channels-last", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
    "ncnn": "ncnn", "mnn": "MNN",
}
LARGEST_DIFFERENCE = 1e-3


def say(text):
    print(text, file=sys.stderr, flush=True)


def words(text):
    return [word for word in text.split(",") if word]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=words, default=words(MODELS), metavar="NAME[@SIZE][:LAYER],…",
                        help="cards; the size of the picture and the layer to stop after (default: %(default)s)")
    parser.add_argument("--peers", type=words, default=["torch", "onnxruntime", "openvino", "ncnn", "mnn"], metavar="PEER,…",
                        help="of " + ", ".join(PEERS))
    parser.add_argument("--batches", type=lambda s: [int(n) for n in words(s)], default=[1, 8], metavar="N,…")
    parser.add_argument("--threads", type=lambda s: [int(n) for n in words(s)], default=[1, 2], metavar="N,…")
    parser.add_argument("--rounds", type=int, default=5, help="of every row; 5 or more for figures to be shown")
    parser.add_argument("--seconds", type=float, default=3, help="that every process measures")
    parser.add_argument("--no-cold", action="store_true", help="leave out the time of whole processes")
    parser.add_argument("--folder", default=os.path.join(ROOT, ".build", "peers"), help="for the environment and the models")
    parser.add_argument("--environment", help="the virtual environment (default: FOLDER/environment)")
    parser.add_argument("--no-install", action="store_true", help="take the environment as it is")
    parser.add_argument("--zoo", default=os.path.join(ROOT, ".build", "release", "zoo"))
    parser.add_argument("--json", help="where the results go (default: FOLDER/results.json)")
    a = parser.parse_args()
    for peer in a.peers:
        if peer not in PEERS:
            parser.error(f"there is no peer '{peer}'; the peers are {', '.join(PEERS)}")
    if not os.access(a.zoo, os.X_OK):
        parser.error(f"{a.zoo} is not there; run 'swift build -c release --product zoo' first, or name it with --zoo")
    if a.rounds < 1:
        parser.error("--rounds must be at least 1")
    a.folder = os.path.abspath(a.folder)
    a.environment = os.path.abspath(a.environment or os.path.join(a.folder, "environment"))
    a.json = os.path.abspath(a.json or os.path.join(a.folder, "results.json"))
    a.python = os.path.join(a.environment, "bin", "python")
    return a


# Installation


def install(a):
    """Makes the environment. Returns the peers that are there, and their versions."""
    os.makedirs(a.folder, exist_ok=True)
    if not os.path.exists(a.python):
        say(f"Making {a.environment}")
        subprocess.run([sys.executable, "-m", "venv", a.environment], check=True)

    def pip(*packages):
        missing = [p for p in packages if not version(a, p)]
        if not missing or a.no_install:
            return not missing
        say("Installing " + " ".join(missing))
        command = [a.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *missing]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3600)
        return done.returncode == 0 or all(version(a, p) for p in missing)

    if not pip("torch", "numpy", "safetensors", "h5py"):
        sys.exit("PyTorch, NumPy, safetensors and h5py cannot be installed, and without them there is no model to compare.")
    peers = []
    for peer in a.peers:
        if pip(*PEERS[peer]):
            peers.append(peer)
        else:
            say(f"{TITLES[peer]} is left out: {' or '.join(PEERS[peer])} cannot be installed.")
    packages = sorted({"torch", *(package for peer in peers for package in PEERS[peer])})
    return peers, {package: version(a, package) for package in packages}


def version(a, package):
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([a.python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


# Models


class Model:
    def __init__(self, text, a):
        name, _, self.tap = text.partition(":")
        self.name, _, size = name.partition("@")
        self.size = int(size) if size else None
        self.title = name + (" to " + self.tap if self.tap else "")
        self.folder = os.path.join(a.folder, "models", text.replace("@", "_").replace(":", "_"))
        self.weights = os.path.join(self.folder, "weights.safetensors")
        card, self.card = json.loads(output([a.zoo, "show", self.name, "--json"])), os.path.join(self.folder, "card.json")
        while "model" in card["backbone"]:
            self.tap = self.tap or card["backbone"].get("tap")
            card = json.loads(output([a.zoo, "show", card["backbone"]["model"], "--json"]))
        if not self.tap and card["backbone"]["layers"][-1]["op"] == "softmax":
            # Scores say more about agreement than probabilities, of which most are nearly 0.
            self.tap = next(layer["name"] for layer in reversed(card["backbone"]["layers"]) if "name" in layer)
        os.makedirs(self.folder, exist_ok=True)
        with open(self.card, "w") as file:
            json.dump(card, file)

    @property
    def options(self):
        return (["--size", str(self.size)] if self.size else []) + (["--tap", self.tap] if self.tap else [])

    def zoo(self, a, *options):
        return [a.zoo, "bench", self.name, *self.options, "--json", *options]

    def prepare(self, a):
        """Writes the weights and the peers' models. Returns why peers cannot have it, by peer."""
        if not os.path.exists(self.weights):
            output(self.zoo(a, "--cold", "--save-weights", self.weights))
        done = output([a.python, os.path.join(HERE, "peer_models.py"), self.card, self.weights, self.folder, *self.options])
        return json.loads(done.splitlines()[-1])["problems"]

    def difference(self, a):
        """How far zoo is from PyTorch, relative to the largest value."""
        result = os.path.join(self.folder, "zoo.npy")
        pictures = os.path.join(self.folder, "input.npy")
        output(self.zoo(a, "--cold", "--weights", self.weights, "--input", pictures, "--save-output", result))
        code = ("import numpy, sys; y, r = map(numpy.load, sys.argv[1:]); "
                "print(float(abs(y.reshape(r.shape) - r).max() / abs(r).max()) if y.shape == r.shape else 'nan')")
        return float(output([a.python, "-c", code, result, os.path.join(self.folder, "reference.npy")]))


def output(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr.strip()[-1000:]}")
    return done.stdout


# Measurements


def command(a, who, model, batch, threads, *options):
    if who == "zoo":
        return model.zoo(a, "--weights", model.weights, "--batch", str(batch), "--threads", str(threads), *options)
    setting = ["--batch", str(batch), "--threads", str(threads)]
    return [a.python, os.path.join(HERE, "peer_run.py"), model.folder, who, *setting, *options]


def interleaved(runners, rounds, measure):
    """The values of every runner by round; a runner that fails once is asked no more."""
    values, failed = {runner: [] for runner in runners}, {}
    for number in range(rounds):
        # Forwards and backwards in turn, so that nobody always follows the same neighbour.
        for runner in runners if number % 2 == 0 else runners[::-1]:
            if runner in failed:
                continue
            try:
                values[runner].append(measure(runner))
            except Exception as error:
                failed[runner] = str(error)
                say(f"    {runner} failed: {str(error)[-300:]}")
    return {runner: found for runner, found in values.items() if found and runner not in failed}


def steady(a, runners, model, batch, threads):
    def measure(runner):
        # Some runtimes print lines of their own before the result.
        lines = output(command(a, runner, model, batch, threads, "--seconds", str(a.seconds))).splitlines()
        answer = json.loads("".join(lines) if runner == "zoo" else lines[-1])
        return answer["milliseconds"]["median"]

    return row(model, interleaved(runners, a.rounds, measure), "milliseconds", batch=batch, threads=threads)


def cold(a, runners, model, threads):
    memory = {}

    def measure(runner):
        with tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            process = subprocess.Popen(command(a, runner, model, 1, threads, "--cold"), stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            # Collected above, behind its back.
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                errors.seek(0)
                raise RuntimeError(errors.read().decode(errors="replace")[-1000:])
        memory.setdefault(runner, []).append(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
        return 1e3 * seconds

    for runner in runners:  # Files into the cache.
        try:
            measure(runner)
        except RuntimeError:
            pass
    memory.clear()
    found = row(model, interleaved(runners, a.rounds, measure), "cold", batch=1, threads=threads)
    found["peakBytes"] = {runner: max(values) for runner, values in memory.items()}
    return found


def row(model, values, kind, **setting):
    medians = {runner: statistics.median(found) for runner, found in values.items()}
    best = min((runner for runner in medians if runner != "zoo"), key=medians.get, default=None)
    ratio = medians[best] / medians["zoo"] if best and "zoo" in medians else None
    return {"kind": kind, "model": model.title, **setting, "medians": medians, "rounds": values, "bestPeer": best, "ratio": ratio}


# Report


def table(rows, peers):
    def number(value):
        return "–" if value is None else f"{value:.1f}" if value < 1000 else f"{value:.0f}"

    heads = ["model", "batch", "threads", "zoo", *(TITLES[p] for p in peers), "best peer ÷ zoo"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for found in rows:
        values = [number(found["medians"].get(runner)) for runner in ["zoo", *peers]]
        ratio = "–" if found["ratio"] is None else f"**{found['ratio']:.2f}** ({TITLES[found['bestPeer']]})"
        lines.append("| " + " | ".join([found["model"], str(found["batch"]), str(found["threads"]), *values, ratio]) + " |")
    return "\n".join(lines)


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    a = arguments()
    installed, versions = install(a)
    results = {
        "processor": processor(), "processors": os.cpu_count(), "date": datetime.date.today().isoformat(),
        "zoo": output([a.zoo, "--version"]).strip(), "versions": versions, "rounds": a.rounds, "seconds": a.seconds,
        "differences": {}, "problems": {}, "rows": [],
    }
    disagree = False
    for text in a.models:
        model = Model(text, a)
        say(f"{model.title}: making the peers' models")
        problems = model.prepare(a)
        differences = {"zoo": model.difference(a)}
        peers = []
        for peer in installed:
            if peer in problems:
                say(f"    {TITLES[peer]} is left out: {problems[peer]}")
                continue
            try:
                answer = output(command(a, peer, model, 1, max(a.threads), "--check"))
                differences[peer] = json.loads(answer.splitlines()[-1])["difference"]
                peers.append(peer)
            except RuntimeError as error:
                problems[peer] = str(error)
                say(f"    {TITLES[peer]} is left out: {str(error)[-300:]}")
        wrong = [runner for runner, found in differences.items() if not found <= LARGEST_DIFFERENCE]
        for runner in wrong:
            say(f"    {runner} differs from PyTorch by {differences[runner]:.1e} of the largest value and is left out")
        disagree = disagree or "zoo" in wrong
        say("    results differ by " + ", ".join(f"{runner} {found:.1e}" for runner, found in differences.items()))
        results["differences"][model.title], results["problems"][model.title] = differences, problems
        runners = [runner for runner in ["zoo", *peers] if runner not in wrong]
        for batch in a.batches:
            for threads in a.threads:
                say(f"    batch {batch}, threads {threads}")
                results["rows"].append(steady(a, runners, model, batch, threads))
                save(results, a.json)
        if not a.no_cold:
            say("    whole processes")
            results["rows"].append(cold(a, runners, model, max(a.threads)))
            save(results, a.json)
    print(f"{results['processor']}, {results['processors']} processors; zoo {results['zoo']}; "
          + ", ".join(f"{name} {number}" for name, number in versions.items()))
    print(f"\nMilliseconds, medians of {a.rounds} interleaved rounds; float32; the same weights.\n")
    print(table([found for found in results["rows"] if found["kind"] == "milliseconds"], a.peers))
    whole = [found for found in results["rows"] if found["kind"] == "cold"]
    if whole:
        print("\nCold start: the whole process, from its start over loading to one result and its end; "
              "milliseconds, files in the cache.\n")
        print(table(whole, a.peers))
    say(f"\nEverything is in {a.json}")
    if disagree:
        sys.exit("zoo's results differ from PyTorch's by more than they may; see above.")


def save(results, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w") as file:
        json.dump(results, file, indent=1)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main()
