"""Batch normalization as modules that stand in for PyTorch's: same names, same arguments, same ``state_dict``.

In training a batch is normalised by its own statistics, and running averages of them are kept; in eval mode the
averages take their place. Ioffe & Szegedy (2015), Algorithms 1 and 2, with PyTorch's conventions: ``momentum`` is the
weight of the newest batch, and the variance that is averaged is the unbiased one.

Departures: a refused batch changes nothing (PyTorch has counted it by then), and the messages say what to do; another
number of channels than ``num_features`` is refused where PyTorch has no parameter to compare it with, too;
``momentum=None`` compiles without a graph break; and sums are taken in float32, where PyTorch on a CPU adds up in
float64, so that they overflow once they pass 3e38. ``torch.jit.script`` and ``torch.fx.symbolic_trace`` take PyTorch's
layers and not these: `convert` turns a model back.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as TorchBatchNorm

from .functional import channels, check_dtypes, laid_out, recover, standardise, standardise_by


class BatchNorm(TorchBatchNorm):
    """What `BatchNorm1d`, `BatchNorm2d` and `BatchNorm3d` share; they differ in the inputs they take.

    The class derives from PyTorch's, so that who looks for that finds this: ``torch.optim.swa_utils.update_bn``,
    ``SyncBatchNorm.convert_sync_batchnorm``. Only the reading of old checkpoints is inherited.

    Parameters
    ----------
    num_features
        C, the size of axis 1 of the input
    eps
        added to the variance
    momentum
        weight of the newest batch in the running averages, 0 to 1; None for the plain average of all batches
    affine
        whether there are a ``weight`` (gamma) and a ``bias`` (beta) to be learned
    track_running_stats
        whether running averages are kept; without them, batch statistics are used in eval mode too
    device, dtype
        of parameters and buffers
    bias
        whether there is a ``bias`` beside the ``weight``
    """

    axes: tuple[int, ...]  # how many axes an input may have

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        nn.Module.__init__(self)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        parameters = {"weight": affine, "bias": affine and bias}
        for name, wanted in parameters.items():
            empty = torch.empty(num_features, device=device, dtype=dtype) if wanted else None
            self.register_parameter(name, None if empty is None else nn.Parameter(empty))
        for name in ("running_mean", "running_var"):
            self.register_buffer(
                name, torch.empty(num_features, device=device, dtype=dtype) if track_running_stats else None
            )
        count = torch.tensor(0, dtype=torch.long, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Running mean 0, running variance 1, no batch counted."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """The state of a new layer: running statistics as above, weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise every channel, by the batch in training, by the running statistics in eval mode.

        Parameters
        ----------
        input
            (N, C, ...) float tensor

        Returns
        -------
        Tensor
            like ``input``

        Raises
        ------
        ValueError
            another number of axes than the class takes; in training, one value a channel or an ``eps`` that is not
            positive, in eval mode an ``eps`` below 0
        RuntimeError
            another C than ``num_features``, or another dtype or device than the parameters have; a half-precision input
            may have float32 parameters
        """
        self._check(input)
        if not self.training and self.running_mean is not None:
            return self._recover(self._by_running_statistics(input), input)
        self._check_batch(input)
        if not input.numel():  # nothing to average: counted, as PyTorch counts it
            self._track()
            return self._recover(input, input)
        return self._recover(self._by_batch(input), input)

    def _by_batch(self, input: Tensor) -> Tensor:
        """x_hat by the statistics of the batch, which go into the running averages."""
        normal = standardise(input, (0, *range(2, input.dim())), eps=self.eps)
        n = input.numel() // input.shape[1]
        self._track(normal.mean, normal.var * (n / (n - 1)))
        return normal.x_hat

    def _by_running_statistics(self, input: Tensor) -> Tensor:
        if self.eps < 0:
            raise ValueError(f"expected an eps of 0 or more, got {self.eps}")
        mean, var = channels(self.running_mean, input), channels(self.running_var, input)
        return standardise_by(input, mean, var, eps=self.eps)

    def _recover(self, x_hat: Tensor, input: Tensor) -> Tensor:
        return laid_out(recover(x_hat, channels(self.weight, input), channels(self.bias, input), input.dtype))

    @torch.no_grad()
    def _track(self, *statistics: Tensor, where: Tensor | None = None) -> None:
        """Count a training batch; its mean, and variance over n - 1, into the averages of the channels ``where``."""
        if not (self.training and self.track_running_stats and self.running_mean is not None):
            return
        counted = self.num_batches_tracked is not None  # some programs take the count off a layer
        count = self.num_batches_tracked + 1 if counted else None
        for average, new in zip((self.running_mean, self.running_var), statistics):
            newest = self.momentum
            if newest is None:  # without a count PyTorch leaves the averages alone
                newest = 1 / count.to(new.dtype) if counted else 0.0  # 1 / count alone is float32
            mixed = (1 - newest) * average.to(new.dtype) + newest * new.flatten()
            average.copy_(mixed if where is None else torch.where(where, mixed, average))
        if counted:
            self.num_batches_tracked.copy_(count)

    def _check(self, input: Tensor) -> None:
        name, axes = type(self).__name__, self.axes
        if input.dim() not in axes:
            wanted = " or ".join(f"{each}D" for each in axes)
            raise ValueError(f"{name} expected {wanted} input (got {input.dim()}D input of shape {tuple(input.shape)})")
        if input.shape[1] != self.num_features:
            raise RuntimeError(
                f"{name} expected {self.num_features} channels, num_features, on axis 1 of the input, "
                f"got {input.shape[1]}: shape {tuple(input.shape)}"
            )
        check_dtypes(name, input, self.weight, self.bias, self.running_mean, self.running_var)

    def _check_batch(self, input: Tensor) -> None:
        if input.numel() == input.shape[1] > 0:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size {input.shape}: one value is its "
                "own mean, and every output would be the bias. For inference call eval() first; in training leave out "
                "a last batch of one, DataLoader(drop_last=True)"
            )
        if not self.eps > 0:
            raise ValueError(f"expected a positive eps during training, got {self.eps}")


class BatchNorm1d(BatchNorm):
    """Batch normalization of (N, C) features or (N, C, L) sequences; drops in for ``torch.nn.BatchNorm1d``."""

    axes = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch normalization of (N, C, H, W) images; drops in for ``torch.nn.BatchNorm2d``."""

    axes = (4,)


class BatchNorm3d(BatchNorm):
    """Batch normalization of (N, C, D, H, W) volumes; drops in for ``torch.nn.BatchNorm3d``."""

    axes = (5,)
