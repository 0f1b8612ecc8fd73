"""Machine numbers: what the book costs to build. `make bench` writes them to records/, nothing else does."""

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

RUNS = 3
EMPTY_PAGES = 2
PARTS = ("_config.yml", "_toc.yml", "index.md", "references.bib", "chapters", "press", "bnutils", "node_modules")


def pages(house):
    """Cost of the pages from stored outputs, above the builder's start-up (a book of two empty pages, same settings)."""
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
        "method": f"user + system time of jupyter-book build from an empty _build, median of {RUNS}, the two books in turn",
        "machine": machine(),
    }


def effective_positions():
    """What one image of Fashion-MNIST is worth in a batch mean: pixels, and layers of random convolutions as in the chapter."""
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
    return {"positions": 784, "pixels": round(pixels, 2), "factor_pixels": round(784 / pixels, 1)} | {
        f"layer_{k + 1}": round(float(median[k]), 1) for k in range(3)} | {
        f"layer_{k + 1}_{name}": round(float(edge[k]), 1) for k in range(3) for name, edge in (("lowest", low), ("highest", high))} | {
        "factor_1": round(784 / float(median[0]), 1), "factor_3": round(784 / float(median[2]), 1),
        "method": "2000 training images of Fashion-MNIST, standardised; three layers of 16 random 3 by 3 kernels (He's scale), batch norm and ReLU between "
                  "them; median over the channels of a layer, then median, lowest and highest of 5 seeds"}


def build_cpu_seconds(house, *, empty):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        copy.mkdir()
        for name in PARTS:
            source = house / name
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
        command = [str(Path(sys.executable).parent / "jupyter-book"), "build", "-q", "-W", "-n", "--keep-going", "."]
        subprocess.run(command, cwd=copy, env=dict(os.environ) | {"PYTHONPATH": str(copy)}, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def machine():
    """The machine in words, without its name."""
    info = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return f"{(models or [platform.processor() or platform.machine()])[0]}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def write(house):
    """Measure, and write records/*.json."""
    (house / "records").mkdir(exist_ok=True)
    for name, found in (("effective_positions", effective_positions()), ("pages", pages(house))):
        (house / "records" / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf8")
