"""What every test run needs: the CPU settings of the press, this book's bnutils, and what nbval must not compare."""

import os
from pathlib import Path

from bnutils import claims, evidence
from press import CPU

HOUSE = str(Path(__file__).resolve().parent)
os.environ |= CPU | {"BNUTILS_DEVICE": os.environ.get("BNUTILS_DEVICE", CPU["BNUTILS_DEVICE"])}
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HOUSE, os.environ.get("PYTHONPATH")]))  # for kernels


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += (claims.MIME, evidence.MIME)
