"""What every test run needs: the kernel settings of the press, this book's bnutils, what nbval must not compare.

``make test DEVICE=cuda``, or ``BNUTILS_DEVICE``, runs cells and the parity tests of ``tests/nn`` on another device than
the CPU. The outputs in a notebook are those of a CPU: elsewhere its cells must run, asserts and all, and come to
the same verdicts.
"""

import os
import tempfile
from pathlib import Path

import pytest

from bnutils import claims, evidence, figures
from press import CPU, kernel_settings

HOUSE = str(Path(__file__).resolve().parent)
empty = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
device = os.environ.get("BNUTILS_DEVICE", CPU["BNUTILS_DEVICE"])
os.environ |= kernel_settings(empty.name) | {"BNUTILS_DEVICE": device}
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HOUSE, os.environ.get("PYTHONPATH")]))  # for kernels
elsewhere = device != CPU["BNUTILS_DEVICE"]


def pytest_configure(config):
    if elsewhere:
        from bnutils.device import choose

        try:
            choose()
        except ValueError as error:
            raise pytest.UsageError(f"{error}; make test DEVICE=... gives it, the CPU without") from None


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += (claims.MIME, evidence.MIME, figures.MIME)
        collector.compare_outputs = not elsewhere


def verdicts(outputs):
    """The verdicts that a cell came to."""
    return [each["data"][claims.MIME]["verdict"] for each in outputs if claims.MIME in each.get("data", {})]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    done = yield
    if elsewhere and hasattr(item, "test_outputs"):
        ran, printed = verdicts(item.test_outputs), verdicts(item.cell.outputs)
        assert ran == printed, f"verdicts on {device}: {ran}, as printed, on the CPU: {printed}"
    return done
