"""Batch normalization in PyTorch: modules that stand in for those of ``torch.nn``, with a backward pass of their own.

functional.py      standardise over an index set, its gradient derived by hand
batchnorm.py       BatchNorm1d, BatchNorm2d, BatchNorm3d
"""

from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]
