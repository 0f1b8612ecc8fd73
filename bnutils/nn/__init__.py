"""Normalization in PyTorch: modules that stand in for those of ``torch.nn``, with a backward pass of their own.

functional.py      standardise over an index set, its gradient derived by hand
batchnorm.py       BatchNorm1d, BatchNorm2d, BatchNorm3d
family.py          LayerNorm, InstanceNorm1d to 3d, GroupNorm, RMSNorm: the same over other index sets
variants.py        GhostBatchNorm, BatchRenorm, MaskedBatchNorm, FrozenBatchNorm
weights.py         WeightNorm, WSLinear, WSConv2d: weights as the index set; DynamicTanh, DynamicErf: none
convert.py         convert: a model's layers of ``torch.nn`` become these, and back
"""

from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .convert import convert
from .family import GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, LayerNorm, RMSNorm
from .variants import BatchRenorm, FrozenBatchNorm, GhostBatchNorm, MaskedBatchNorm
from .weights import DynamicErf, DynamicTanh, WeightNorm, WSConv2d, WSLinear, weight_norm

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchRenorm",
    "DynamicErf",
    "DynamicTanh",
    "FrozenBatchNorm",
    "GhostBatchNorm",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "MaskedBatchNorm",
    "RMSNorm",
    "WSConv2d",
    "WSLinear",
    "WeightNorm",
    "convert",
    "weight_norm",
]
