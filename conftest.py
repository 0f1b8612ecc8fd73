"""What every test run needs: the kernel settings of the press, this book's bnutils, what nbval must not compare."""

import os
import tempfile
from pathlib import Path

from bnutils import claims, evidence, figures
from press import CPU, kernel_settings

HOUSE = str(Path(__file__).resolve().parent)
empty = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
device = os.environ.get("BNUTILS_DEVICE", CPU["BNUTILS_DEVICE"])
os.environ |= kernel_settings(empty.name) | {"BNUTILS_DEVICE": device}
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HOUSE, os.environ.get("PYTHONPATH")]))  # for kernels


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += (claims.MIME, evidence.MIME, figures.MIME)
