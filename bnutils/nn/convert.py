"""A model's normalization layers, PyTorch's made ours and back, in place."""

from __future__ import annotations

from types import ModuleType

from torch import nn

from . import batchnorm, family

OURS = {
    getattr(nn, name): getattr(room, name)
    for room, names in {
        batchnorm: ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
        family: ("LayerNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "GroupNorm", "RMSNorm"),
    }.items()
    for name in names
}
THEIRS = {ours: theirs for theirs, ours in OURS.items()}


def convert(model: nn.Module, to: ModuleType | None = None) -> nn.Module:
    """Make the normalization layers of ``torch.nn`` in a model those of this package, or turn them back.

    Only the class of a layer is exchanged. The layer stays the same object, and with it all that hangs on it:
    parameters, which an optimiser may hold, buffers, hooks, the training flag, its places in a model that has it twice.

    Left alone is whatever is not of exactly such a class: subclasses, for their ``forward`` may be another one, among
    them ``SyncBatchNorm``, lazy layers that have not seen a batch, and layers with a parametrization. A model that runs
    a layer without calling it is not reached either: ``torch.nn.TransformerEncoderLayer`` does so in eval mode, and
    hands the weights of its norms to one fused kernel. Turn a model back before ``torch.jit.script`` or
    ``torch.fx.symbolic_trace``: neither takes these layers.

    Parameters
    ----------
    model
        any module, changed in place; it may be a normalization layer itself
    to
        None for this package; ``torch.nn`` for the way back

    Returns
    -------
    nn.Module
        ``model``

    Raises
    ------
    ValueError
        another ``to``
    """
    if to is not None and to is not nn:
        raise ValueError(f"expected to=None, for the layers of this package, or to=torch.nn, got {to!r}")
    become = OURS if to is None else THEIRS
    for module in model.modules():
        module.__class__ = become.get(type(module), type(module))
    return model
