"""The one place where a device is chosen."""

import pytest
import torch

from bnutils import device


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
