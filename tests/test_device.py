"""The one place where a device is chosen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch

from bnutils import claims, device


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv("BNUTILS_DEVICE", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.choose() == torch.device("cpu")


@pytest.mark.parametrize("cuda, mps, chosen", [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_without_it_the_fastest_that_is_there(cuda, mps, chosen, monkeypatch):
    monkeypatch.delenv("BNUTILS_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device.choose() == torch.device(chosen)


@pytest.mark.parametrize("asked", ["gpu", "cuda", "cuda:1", "meta"])
def test_a_device_that_is_not_there_is_refused(asked, monkeypatch):
    monkeypatch.setenv("BNUTILS_DEVICE", asked)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"one of .*cpu, got '{asked}'"):
        device.choose()


# --- make test DEVICE=... ---------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[1]
VERDICT = "from IPython.display import display\ndisplay({%r: {'verdict': 'holds'}, 'text/plain': ''}, raw=True)"


@pytest.mark.parametrize(
    "asked, says", [((), ("cpu", "tests")), (("DEVICE=cuda",), ("cuda", "tests/nn tests/test_device.py"))]
)
def test_make_test_passes_the_device_on(asked, says):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "DEVICE"))}
    command = ["make", "--dry-run", "test", *asked]
    said = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=True).stdout
    pattern = r"BNUTILS_DEVICE=(\S+) .*-m pytest .* --nbval chapters (?:\\\n)?\s*(.*)$"
    assert re.findall(pattern, said, re.M) == [says]


def pytest_on(place, *arguments):
    """A test run of its own, with this book's settings."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conftest",
        "-p",
        "no:cacheprovider",
        "-c",
        ROOT / "pyproject.toml",
    ]
    environment = os.environ | {"BNUTILS_DEVICE": place, "PYTHONPATH": str(ROOT)}
    return subprocess.run([*command, *arguments], cwd=ROOT, env=environment, text=True, capture_output=True)


def test_a_test_run_on_a_device_that_is_not_there_is_refused_in_one_line(tmp_path):
    done = pytest_on("cuda:77", tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (said,) = done.stderr.split("\n\n")[0].strip().splitlines()
    assert "a device of this machine, one of" in said and "got 'cuda:77'" in said and "make test DEVICE=" in said


def notebook(file, source, *outputs):
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), file)


def test_elsewhere_cells_run_and_come_to_the_same_verdicts_and_no_output_is_compared(tmp_path):
    """``cpu:0`` is the CPU by another name: whatever is not ``cpu`` is treated as a device of its own."""
    printed = nbformat.v4.new_output("stream", text="1\n")
    judged = [
        nbformat.v4.new_output("display_data", {claims.MIME: {"verdict": each}, "text/plain": ""})
        for each in ("holds", "fails")
    ]
    notebook(tmp_path / "output.ipynb", "print(2)", printed)
    notebook(tmp_path / "assert.ipynb", "assert 1 == 2")
    notebook(tmp_path / "same.ipynb", VERDICT % claims.MIME, judged[0])
    notebook(tmp_path / "other.ipynb", VERDICT % claims.MIME, judged[1])
    outcomes = {}
    for place in ("cpu", "cpu:0"):
        said = pytest_on(place, "--nbval", "-rA", tmp_path).stdout
        outcomes[place] = {
            name: outcome for outcome, name in re.findall(r"^(PASSED|FAILED) .*?(\w+)\.ipynb", said, re.M)
        }
    assert outcomes["cpu"] == {"output": "FAILED", "assert": "FAILED", "same": "PASSED", "other": "PASSED"}
    assert outcomes["cpu:0"] == {"output": "PASSED", "assert": "FAILED", "same": "PASSED", "other": "FAILED"}
    assert "verdicts on cpu:0: ['holds'], as printed, on the CPU: ['fails']" in said
