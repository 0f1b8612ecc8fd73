"""bnutils as others install it: a wheel, and an environment that holds nothing of the book.

python -m press.wheel     build the wheel, install it and what it declares from the package index, run a notebook there
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import nbformat

SOURCES = ("pyproject.toml", "LICENSE", "bnutils", "manuscript/claims.yml")
READER = ("ipykernel", "nbclient")  # what a notebook runs in
CELLS = [
    "import sys\nfrom pathlib import Path\nimport bnutils\nassert Path(bnutils.__file__).is_relative_to(sys.prefix)",
    "import importlib.util\nassert importlib.util.find_spec('torch') is None\nfrom bnutils import claims, data, plots",
    "import numpy as np\nfrom bnutils.scratch.norm import batch_norm\nassert claims.load()\n"
    "digits = data.load('digits', standardise=True)",
    "y, _ = batch_norm(digits.x_train, np.full(64, 2.0), np.ones(64))\nassert abs(y.mean() - 1) < 1e-9",
    "fig, ax = plots.figure('Batch normalization moves the mean to β')\nax.hist(y[:, 20])\n"
    "plots.show(fig, 'moved', alt=f'A histogram of one pixel with mean {y[:, 20].mean():.2f}')",
]


def build(house: Path, out: Path, *options: str) -> Path:
    """Build the wheel of bnutils from a copy, which leaves the house clean and takes in nothing stale; its path."""
    with tempfile.TemporaryDirectory() as folder:
        for name in SOURCES:
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if (house / name).is_dir():
                shutil.copytree(house / name, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(house / name, copy)
        pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", out, *options, folder)
    return next(Path(out).glob("bnutils-*.whl"))


def pip(python: str | Path, command: str, *arguments: str | Path) -> None:
    """Run pip for an environment, which need not hold it."""
    options = ["--quiet", "--disable-pip-version-check", "--progress-bar", "off"]
    call = [sys.executable, "-m", "pip", "--python", str(python), command, *options, *map(str, arguments)]
    subprocess.run(call, check=True, env=alone())


def alone() -> dict[str, str]:
    """The variables of this process without those that lead Python to the book."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def main(house: Path) -> None:
    out = house / "_build" / "wheel"
    shutil.rmtree(out, ignore_errors=True)
    wheel = build(house, out)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder, "venv"), symlinks=True)
        python = Path(folder, "venv", "bin", "python")
        pip(python, "install", wheel, *READER)
        notebook = Path(folder, "empty", "notebook.ipynb")
        notebook.parent.mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS]), notebook)
        run = [python, "-m", "jupyter", "execute", notebook.name]
        done = subprocess.run(run, cwd=notebook.parent, env=alone(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{wheel.name} does not work in an environment of its own:\n{done.stderr}")
    print(f"{wheel.relative_to(house)} works in an environment of its own")


if __name__ == "__main__":
    main(Path.cwd())
