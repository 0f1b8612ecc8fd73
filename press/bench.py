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
    """Measure, and write records/pages.json."""
    (house / "records").mkdir(exist_ok=True)
    (house / "records" / "pages.json").write_text(json.dumps(pages(house), indent=1) + "\n", "utf8")
