"""Machine numbers: what the book costs to build. `make bench` writes them to records/, nothing else does."""

import functools
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from press import notebook

RUNS = 3
EMPTY_PAGES = 2
IMAGES, REPETITIONS, STEPS = 50, 25, 20
SHAPES = ((128, 512), (256, 1024), (4096, 1024), (64, 64, 28, 28), (32, 128, 56, 56), (256, 64, 14, 14))
PASSES = 2**22  # numbers that go through a layer before it is timed again
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PARTS = ("_config.yml", "_toc.yml", "index.md", "references.bib", "chapters", "press", "bnutils", "node_modules")


def pages(house: Path) -> dict:
    """Cost of the pages from stored outputs, above that of a book of two empty pages: the builder's start-up."""
    toc = yaml.safe_load((house / "_toc.yml").read_text("utf8"))
    count = 1 + sum(len(part["chapters"]) for part in toc["parts"])
    whole, empty = [], []
    for _ in range(RUNS):  # in turn, so that both meet the same machine
        whole.append(build_cpu_seconds(house, empty=False))
        empty.append(build_cpu_seconds(house, empty=True))
    startup = statistics.median(empty)
    return {
        "pages": count,
        "startup_cpu_seconds": round(startup, 2),
        "cpu_seconds_per_page": round((statistics.median(whole) - startup) / (count - EMPTY_PAGES), 3),
        "whole_cpu_seconds": [round(seconds, 2) for seconds in whole],
        "empty_cpu_seconds": [round(seconds, 2) for seconds in empty],
        "method": f"user + system time of `python -m press.site` from an empty _build, median of {RUNS}, "
        "the two books in turn",
        "machine": machine(),
    }


def effective_positions(house: Path) -> dict:
    """What one image of Fashion-MNIST is worth in a batch mean: pixels, and random convolutions as in the chapter."""
    import numpy as np

    from bnutils import data
    from bnutils.scratch import convolution, norm

    x = data.load("fashion-mnist", standardise=True, seed=0).x_train[:2000].reshape(-1, 1, 28, 28).astype(float)
    pixels, worth = float(norm.effective_positions(x)[0]), []
    for seed in range(5):
        rng, z, found = np.random.default_rng(seed), x, []
        for _ in range(3):
            kernels = rng.normal(size=(16, z.shape[1], 3, 3)) * np.sqrt(2 / (9 * z.shape[1]))
            z, _ = convolution.conv2d(z, kernels, padding=1)
            found.append(np.median(norm.effective_positions(z)))
            z = np.maximum(norm.batch_norm(z, np.ones(16), np.zeros(16), axis=(0, 2, 3))[0], 0)
        worth.append(found)
    median, low, high = np.median(worth, axis=0), np.min(worth, axis=0), np.max(worth, axis=0)
    return (
        {"positions": 784, "pixels": round(pixels, 2), "factor_pixels": round(784 / pixels, 1)}
        | {f"layer_{k + 1}": round(float(median[k]), 1) for k in range(3)}
        | {
            f"layer_{k + 1}_{name}": round(float(edge[k]), 1)
            for k in range(3)
            for name, edge in (("lowest", low), ("highest", high))
        }
        | {
            "factor_1": round(784 / float(median[0]), 1),
            "factor_3": round(784 / float(median[2]), 1),
            "method": "2000 training images of Fashion-MNIST, standardised; three layers of 16 random 3 by 3 kernels "
            "(He's scale), batch norm and ReLU between them; median over the channels of a layer, then median, lowest "
            "and highest of 5 seeds",
        }
    )


def build_cpu_seconds(house: Path, *, empty: bool) -> float:
    """User and system time of one build of a copy of the book, or of its two empty pages."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        copy.mkdir()
        for name in PARTS:
            source = house / name
            if name == "bnutils" and empty:
                continue  # its pages are pages of the book
            if name == "node_modules":
                (copy / name).symlink_to(source)
            elif source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        if empty:
            for name in ("index.md", "empty.md"):  # the theme cannot build a book of one page
                (copy / name).write_text("# Empty\n", "utf8")
            (copy / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: empty\n", "utf8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "press.site"]
        subprocess.run(
            command, cwd=copy, env=dict(os.environ) | {"PYTHONPATH": str(copy)}, check=True, stdout=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def convolution(house: Path) -> dict:
    """Time of a training step of a small convolutional network, NumPy over PyTorch."""
    return alone(house, convolution_steps)


def nn(house: Path) -> dict:
    """Time of batch normalization, forward and backward, our module over PyTorch's."""
    return alone(house, normalization_steps)


def alone(house: Path, measure: Callable[[], dict]) -> dict:
    """What a function of this module measures in a process of its own: threads are set before NumPy loads."""
    environment = (
        {name: value for name, value in os.environ.items() if name != "ATEN_CPU_CAPABILITY"}
        | THREADS
        | {"PYTHONPATH": str(house)}
    )
    code = f"import json; from press import bench; print(json.dumps(bench.{measure.__name__}()))"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=house, env=environment, check=True, capture_output=True, text=True
    ).stdout
    return json.loads(printed) | {"machine": machine()}


def ratios(ours: Callable[[], None], theirs: Callable[[], None], steps: int) -> dict:
    """CPU times of two ways to do one thing, in turn, and the ratio: median, lowest and highest."""
    milliseconds(ours, steps), milliseconds(theirs, steps)  # warms up
    pairs = [(milliseconds(ours, steps), milliseconds(theirs, steps)) for _ in range(REPETITIONS)]
    found = [mine / other for mine, other in pairs]
    return {
        "ratio": round(statistics.median(found), 2),
        "lowest": round(min(found), 2),
        "highest": round(max(found), 2),
        "our_milliseconds": round(statistics.median(mine for mine, _ in pairs), 3),
        "torch_milliseconds": round(statistics.median(other for _, other in pairs), 3),
    }


def convolution_steps() -> dict:
    """A training step of both networks in float64 and in float32: their CPU times, and the ratio of the two."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    record: dict = {"images": IMAGES}
    for dtype in (np.float64, np.float32):
        numpy_step, torch_step = training_steps(dtype)
        name = np.dtype(dtype).name
        for field, value in ratios(numpy_step, torch_step, STEPS).items():
            record[f"{name}_{field.replace('our_', 'numpy_')}"] = value
    return record | {
        "method": "CPU time of a training step, NumPy over PyTorch, both on one thread, in turn: median, lowest and "
        f"highest of {REPETITIONS} ratios over {STEPS} steps each",
        "versions": f"NumPy {np.__version__}, PyTorch {torch.__version__}",
    }


def training_steps(dtype: type) -> tuple[Callable[[], None], Callable[[], None]]:
    """One step in NumPy and the same in PyTorch: forward, loss, backward, SGD with momentum, on the same digits.

    The network: conv(1 to 8)-BN-ReLU-pool-conv(8 to 16)-BN-ReLU-pool-linear.
    """
    import numpy as np
    import torch
    from torch import nn

    from bnutils import data
    from bnutils.scratch import network, training

    digits, rng = data.load("digits", standardise=True, seed=0), np.random.default_rng(0)
    x, y = digits.x_train[:IMAGES].reshape(-1, 1, 8, 8).astype(dtype), digits.y_train[:IMAGES]
    ours = network.Sequential(
        network.Conv2d(1, 8, 3, rng, padding=1, dtype=dtype),
        network.BatchNorm(8, axis=(0, 2, 3), dtype=dtype),
        network.ReLU(),
        network.MaxPool2d(2),
        network.Conv2d(8, 16, 3, rng, padding=1, dtype=dtype),
        network.BatchNorm(16, axis=(0, 2, 3), dtype=dtype),
        network.ReLU(),
        network.MaxPool2d(2),
        network.Flatten(),
        network.Linear(64, 10, rng, dtype=dtype),
    )
    sgd = training.SGD(ours, 0.01, 0.9)
    theirs = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    ).to(torch.from_numpy(x).dtype)
    optimiser = torch.optim.SGD(theirs.parameters(), 0.01, 0.9)
    images, labels = torch.tensor(x), torch.tensor(y)

    def numpy_step() -> None:
        training.train(ours, sgd, [(x, y)])

    def torch_step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(theirs(images), labels).backward()
        optimiser.step()

    return numpy_step, torch_step


def normalization_steps() -> dict:
    """Our BatchNorm against PyTorch's on six shapes: forward and backward in training, float32."""
    import torch

    from bnutils import nn as ours

    torch.set_num_threads(1)
    torch.manual_seed(0)
    record: dict = {"shapes": len(SHAPES)}
    for shape in SHAPES:
        kind, channels = ("BatchNorm1d" if len(shape) == 2 else "BatchNorm2d"), shape[1]
        x, dy = torch.randn(shape, requires_grad=True), torch.randn(shape)
        mine, other = (
            functools.partial(there_and_back, getattr(room, kind)(channels), x, dy) for room in (ours, torch.nn)
        )
        steps = max(1, PASSES // x.numel())
        name = "x".join(map(str, shape))
        record |= {f"{name}_{field}": value for field, value in ratios(mine, other, steps).items()}
    medians = [record[f"{'x'.join(map(str, shape))}_ratio"] for shape in SHAPES]
    return record | {
        "smallest_ratio": min(medians),
        "largest_ratio": max(medians),
        "method": "CPU time of forward and backward in training mode, float32, bnutils.nn over torch.nn, both on one "
        f"thread, in turn: median, lowest and highest of {REPETITIONS} ratios",
        "versions": f"PyTorch {torch.__version__}",
    }


def there_and_back(layer: Callable, x: Any, dy: Any) -> None:
    layer(x).backward(dy)
    x.grad = None


def milliseconds(step: Callable[[], None], steps: int) -> float:
    """CPU time of one step, so that other programs on the machine count less."""
    start = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - start) / steps * 1000


def machine() -> str:
    """The machine in words, without its name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    processor = (models or [platform.processor() or platform.machine()])[0]
    system = f"{platform.system()} {platform.machine()}"
    return f"{processor}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def device(house: Path) -> dict:
    """What ``make test`` finds on the accelerator of this machine, or on the one that ``BNUTILS_DEVICE`` names.

    Raises
    ------
    ValueError
        a machine without one
    """
    import torch

    from bnutils import device as devices

    place = devices.choose()
    if place.type == "cpu":
        raise ValueError("expected a machine with an accelerator, cuda or mps, for records/device.json; got the CPU")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        asked = f"DEVICE={place}", f"PYTEST_ADDOPTS=--junitxml={report}"
        subprocess.run(["make", "test", *asked], cwd=house, check=False)
        suite = ElementTree.parse(report).getroot().find("testsuite").attrib
    counts = {name: int(suite[name]) for name in ("tests", "failures", "errors", "skipped")}
    return counts | {
        "device": torch.cuda.get_device_name(place) if place.type == "cuda" else str(place),
        "date": suite["timestamp"][:10],
        "method": "make test DEVICE=...: the cells of every chapter, their assertions and verdicts, and the parity of "
        "bnutils.nn with torch.nn",
        "versions": f"PyTorch {torch.__version__}",
        "machine": machine(),
    }


def write(house: Path, names: Sequence[str] = ()) -> None:
    """Measure, and write records/*.json, each by the function of its name, with a digest of its fields."""
    (house / "records").mkdir(exist_ok=True)
    by_name = {measure.__name__: measure for measure in (*RECORDS, device)}
    for measure in [by_name[name] for name in names] if names else RECORDS:
        keep(house / "records" / f"{measure.__name__}.json", measure(house))


RECORDS = (pages, convolution, nn, effective_positions)  # of any machine; `device` asks for an accelerator


def keep(file: Path, record: dict) -> None:
    file.write_text(json.dumps(record | {"digest": notebook.digest(record)}, indent=1) + "\n", "utf8")
