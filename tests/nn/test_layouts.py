"""Where numbers lie in memory behind every module that drops in: a ``view`` that works behind PyTorch's must work."""

import pytest
import torch
from torch import nn

from bnutils import nn as ours

LAYERS = {  # name: its arguments, and a shape that it takes
    "BatchNorm1d": ((4,), (5, 4, 3)),
    "BatchNorm2d": ((4,), (5, 4, 3, 2)),
    "BatchNorm3d": ((4,), (5, 4, 3, 2, 2)),
    "GroupNorm": ((2, 4), (5, 4, 3, 2)),
    "InstanceNorm1d": ((4,), (5, 4, 3)),
    "InstanceNorm2d": ((4,), (5, 4, 3, 2)),
    "InstanceNorm3d": ((4,), (5, 4, 3, 2, 2)),
    "LayerNorm": ((3,), (5, 4, 3)),
    "RMSNorm": ((3,), (5, 4, 3)),
}
LAYOUTS = {
    "contiguous": lambda x: x,
    "channels last": lambda x: x.movedim(1, -1).contiguous().movedim(-1, 1),
    "transposed": lambda x: x.permute(*range(x.dim())[::-1]).contiguous().permute(*range(x.dim())[::-1]),
    "sliced": lambda x: torch.stack([x, x], 1)[:, 0],
    "expanded": lambda x: x[:, :1].expand(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", LAYERS)
def test_the_output_lies_as_that_of_pytorch(name, layout, device):
    arguments, shape = LAYERS[name]
    x = LAYOUTS[layout](torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(device))
    mine, theirs = (getattr(library, name)(*arguments, device=device)(x) for library in (ours, nn))
    assert mine.stride() == theirs.stride()
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
