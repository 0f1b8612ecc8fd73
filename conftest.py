"""What every test run needs: the CPU settings of the press, and what nbval must not compare."""

import os

from bnutils import claims, evidence
from press import CPU

for name, value in CPU.items():
    os.environ.setdefault(name, value)


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += (claims.MIME, evidence.MIME)
