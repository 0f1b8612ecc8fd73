"""Where tensors live: one function chooses the device, for the whole book."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def choose() -> torch.device:
    """The device of experiments: what ``BNUTILS_DEVICE`` names, else the fastest that this machine has.

    Algebra in float64 does not ask: it stays on the CPU, where it is exact to the last digits on every machine.

    Returns
    -------
    torch.device
        ``cuda``, ``mps`` or ``cpu``, in this order

    Raises
    ------
    ValueError
        a ``BNUTILS_DEVICE`` that PyTorch does not know, or that this machine does not have
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    asked = os.environ.get("BNUTILS_DEVICE", "")
    if not asked:
        return torch.device(next(name for name, is_there in there.items() if is_there))
    try:
        device = torch.device(asked)
    except RuntimeError:
        device = None
    if device is None or not there.get(device.type):
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise ValueError(f"expected BNUTILS_DEVICE to name a device of this machine, one of {found}, got {asked!r}")
    return device
