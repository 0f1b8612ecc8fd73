"""Where parity is checked: on the device of the book, the CPU unless ``make test DEVICE=...`` names another."""

import pytest
import torch

from bnutils.device import choose


@pytest.fixture(scope="session")
def device():
    """The device of parity with ``torch.nn``. Algebra in float64 does not ask for it, and stays on the CPU."""
    return choose()


@pytest.fixture(autouse=True)
def _skip_what_the_device_lacks(request):
    if "device" in request.fixturenames and request.getfixturevalue("device").type == "mps":
        callspec = getattr(request.node, "callspec", None)
        if callspec and torch.float64 in callspec.params.values():
            pytest.skip("MPS has no float64")
