"""Variants of batch normalization: other batches, a correction, a mask, and statistics that no longer move.

Each takes (N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W), and has the ``state_dict`` of a ``torch.nn.BatchNorm2d``,
so that it can take over a trained network and give it back. In eval mode each is batch normalization in eval mode. The
first three derive from PyTorch's class, as `BatchNorm2d` does: ``SyncBatchNorm.convert_sync_batchnorm`` makes plain
batch normalization of them.

======================  ===============================================================================================
`GhostBatchNorm`        statistics of small groups of the batch
`BatchRenorm`           the batch is normalised by its own statistics, then corrected towards the running ones
`MaskedBatchNorm`       entries that do not count: padding, missing values
`FrozenBatchNorm`       nothing is learned and nothing is tracked: one affine map
======================  ===============================================================================================
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from .batchnorm import BatchNorm
from .functional import channels, check_dtypes, laid_out, recover, standardise, standardise_by

ANY = (2, 3, 4, 5)


class GhostBatchNorm(BatchNorm):
    """Batch normalization of *ghosts*, groups of ``ghost_size`` examples, as if each were a batch of its own.

    Hoffer, Hubara & Soudry (2017), Algorithm 1: a large batch with the noise of a small one. Outputs, gradients,
    running averages and ``num_batches_tracked`` are those of batch normalization that is given the ghosts one after
    another: the averages take in a ghost at a time, each with weight
    ``momentum``, so that a batch of many ghosts moves them further than one batch does. Of images, ghosts of one
    example are instance normalization.

    In the authors' program, ``main_gbn.py`` of eladhoffer/bigBatch, a ghost goes through the whole network before the
    next one does; layer by layer, as here, comes to the same.

    The last ghost takes what is left over: with ``ghost_size=32``, 70 examples are ghosts of 32 and 38. So no ghost has
    fewer than ``ghost_size`` examples, and none twice as many. A batch smaller than that is one ghost.
    ``torch.compile`` and ``torch.export`` make a program for each batch size, for the number of ghosts is in it.

    Parameters
    ----------
    num_features
        C, the size of axis 1 of the input
    ghost_size
        the number of examples in a ghost, at least 1; at least 2 for (N, C) features
    batch_norm
        all other arguments of `BatchNorm2d`, by name

    Raises
    ------
    ValueError
        a ``ghost_size`` that is not a positive integer; in training, ghosts of one value a channel
    """

    axes = ANY

    def __init__(self, num_features: int, ghost_size: int, **batch_norm: Any) -> None:
        if not isinstance(ghost_size, Integral) or isinstance(ghost_size, bool) or ghost_size < 1:
            raise ValueError(f"expected a ghost_size of 1 example or more, an integer, got {ghost_size!r}")
        super().__init__(num_features, **batch_norm)
        self.ghost_size = int(ghost_size)

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"{super().extra_repr()}, ghost_size={self.ghost_size}"

    def _check_batch(self, input: Tensor) -> None:
        if self.ghost_size == 1 < len(input) and input[0].numel() == input.shape[1] > 0:
            raise ValueError(
                f"Expected more than 1 value per channel in a ghost when training, got ghost_size=1 and input size "
                f"{input.shape}: one value is its own mean, and every output would be the bias; take larger ghosts"
            )
        super()._check_batch(input)

    def _by_batch(self, input: Tensor) -> Tensor:
        whole = max(len(input) // self.ghost_size, 1) - 1  # all but the last, which may be larger
        first, last = input[: whole * self.ghost_size], input[whole * self.ghost_size :]
        x_hat = []
        for ghosts in (first.unflatten(0, (whole, self.ghost_size)), last[None]):  # (ghosts, examples, C, ...)
            normal = standardise(ghosts, (1, *range(3, ghosts.dim())), eps=self.eps)
            n = ghosts.shape[1] * input[0, 0].numel()
            for mean, var in zip(normal.mean, normal.var):
                self._track(mean, var * (n / (n - 1)))
            x_hat.append(normal.x_hat.flatten(0, 1))
        return torch.cat(x_hat)


class BatchRenorm(BatchNorm):
    """Batch normalization, corrected so that training computes what eval mode will: ``x_hat * r + d``.

    Ioffe (2017), Algorithm 1, with mu and sigma the running averages as they stand before the batch::

        r = sigma_B / sigma            clamped to [1 / r_max, r_max]
        d = (mu_B - mu) / sigma        clamped to [-d_max, d_max]

    Inside both clamps the output is ``(x - mu) / sigma``, that of eval mode to the digit, while the gradient is still
    that of the batch statistics: r and d are constants to it. With ``r_max=1, d_max=0`` it is batch normalization.
    Begin so: the averages of a new layer are 0 and 1, and corrected towards these the output is the input. The paper
    does for 5000 steps, then widens the clamps to the defaults, ``d_max`` until step 25000 and ``r_max`` until 40000:
    set the attributes. ``torch.compile`` makes another program for every other number, and gives up after eight; given
    tensors, ``layer.r_max = torch.tensor(1.0)``, and ``layer.r_max.fill_(1.1)`` later, it makes one.

    The paper averages sigma; here, as in PyTorch, it is the unbiased variance that is averaged, and sigma is
    ``sqrt(running_var + eps)``. So checkpoints of batch normalization fit, and eval mode is the same. Chainer's
    ``batch_renormalization`` made the same choice.

    Parameters
    ----------
    num_features
        C, the size of axis 1 of the input
    r_max, d_max
        how far the correction may go; at least 1, and at least 0
    batch_norm
        all other arguments of `BatchNorm2d`, by name; running statistics must be tracked

    Raises
    ------
    ValueError
        an ``r_max`` below 1, a negative ``d_max``, ``track_running_stats=False``
    """

    axes = ANY

    def __init__(self, num_features: int, *, r_max: float = 3.0, d_max: float = 5.0, **batch_norm: Any) -> None:
        if not r_max >= 1 or not d_max >= 0:
            raise ValueError(f"expected r_max of 1 or more and d_max of 0 or more, got r_max={r_max}, d_max={d_max}")
        super().__init__(num_features, **batch_norm)
        if not self.track_running_stats:
            raise ValueError("expected track_running_stats=True: the correction is towards the running statistics")
        self.r_max, self.d_max = r_max, d_max

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"{super().extra_repr()}, r_max={self.r_max}, d_max={self.d_max}"

    def _by_batch(self, input: Tensor) -> Tensor:
        normal = standardise(input, (0, *range(2, input.dim())), eps=self.eps)
        r, d = self._correction(normal.mean, normal.var)
        n = input.numel() // input.shape[1]
        self._track(normal.mean, normal.var * (n / (n - 1)))
        return normal.x_hat * r + d

    def _correction(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """r and d. The statistics that `standardise` gives are constants to autograd, so these are, too."""
        if self.running_mean is None:
            raise RuntimeError(
                "BatchRenorm expected running statistics to correct towards, but they were taken off the layer; "
                "where there are none take batch normalization"
            )
        running_mean, running_var = (each.to(var.dtype).view_as(var) for each in (self.running_mean, self.running_var))
        sigma = torch.sqrt(running_var + self.eps)
        r = torch.sqrt(var + self.eps) / sigma
        d = (mean - running_mean) / sigma
        return r.clamp(1 / self.r_max, self.r_max), d.clamp(-self.d_max, self.d_max)


class MaskedBatchNorm(BatchNorm):
    """Batch normalization of the entries that a mask lets count: ``layer(input, mask)``.

    What does not count, NaN too, reaches no output, no statistic, no running average and no gradient; its own output is
    0, so that padding stays padding. Everything else is as if the entries that count had been picked out and normalised
    alone. A channel without two values that count has no variance: its averages stay as they are, and its outputs are
    the bias.

    Parameters
    ----------
    num_features
        C, the size of axis 1 of the input
    batch_norm
        all other arguments of `BatchNorm2d`, by name
    """

    axes = ANY

    def __init__(self, num_features: int, **batch_norm: Any) -> None:
        super().__init__(num_features, **batch_norm)

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input
            (N, C, ...) float tensor
        mask
            bool tensor, True for entries that count: of the shape of ``input`` without the channels, (N,) or (N, L) for
            example, or with as many axes as ``input``, to which it broadcasts; None for all

        Returns
        -------
        Tensor
            like ``input``

        Raises
        ------
        TypeError
            a mask that is not boolean
        ValueError
            a mask of another shape; otherwise as `BatchNorm2d`
        RuntimeError
            as `BatchNorm2d`
        """
        if mask is None:
            return super().forward(input)
        self._check(input)
        mask = self._fit(mask, input)
        if not input.numel():
            return super().forward(input)
        if not self.training and self.running_mean is not None:
            x_hat = self._by_running_statistics(torch.where(mask, input, 0))  # a NaN times 0 is a NaN
        else:
            self._check_batch(input)
            x_hat = self._by_what_counts(input, mask)
        return torch.where(mask, self._recover(x_hat, input), 0)

    def _by_what_counts(self, input: Tensor, mask: Tensor) -> Tensor:
        area = (0, *range(2, input.dim()))
        normal = standardise(input, area, eps=self.eps, mask=mask)
        n = mask.expand(input.shape).sum(area, keepdim=True, dtype=normal.var.dtype)
        self._track(normal.mean, normal.var * (n / (n - 1)), where=n.flatten() > 1)
        return normal.x_hat

    def _fit(self, mask: Tensor, input: Tensor) -> Tensor:
        if mask.dtype != torch.bool:
            raise TypeError(f"MaskedBatchNorm expected a mask of dtype torch.bool, got {mask.dtype}; mask != 0 is one")
        fitted = mask.unsqueeze(1) if mask.dim() == input.dim() - 1 else mask
        sizes = zip(fitted.shape, input.shape)
        if fitted.dim() != input.dim() or any(size not in (1, wanted) for size, wanted in sizes):
            raise ValueError(
                f"MaskedBatchNorm expected a mask of shape {(input.shape[0], *input.shape[2:])}, or one with "
                f"{input.dim()} axes that broadcasts to the input, {tuple(input.shape)}, got {tuple(mask.shape)}"
            )
        return fitted


class FrozenBatchNorm(nn.Module):
    """Batch normalization whose statistics, weight and bias are fixed: one affine map, in training as in eval mode.

    As ``torchvision.ops.FrozenBatchNorm2d`` and detectron2's: all four are buffers, so no optimiser sees them,
    ``train()`` changes nothing and ``state_dict`` holds them. It loads the checkpoint of a ``torch.nn.BatchNorm2d``;
    the count of batches in there is passed over. It is no ``BatchNorm`` on purpose: what looks for layers whose
    statistics it may reset or synchronise must not find this.

    Parameters
    ----------
    num_features
        C, the size of axis 1 of the input
    eps
        added to the variance
    device, dtype
        of the buffers
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps = num_features, eps
        for name, value in {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}.items():
            self.register_buffer(name, torch.full((num_features,), value, device=device, dtype=dtype))

    @classmethod
    def of(cls, batch_norm: nn.Module) -> FrozenBatchNorm:
        """A trained layer, frozen: its numbers are copied, and later training of it changes nothing here.

        Parameters
        ----------
        batch_norm
            a ``torch.nn.BatchNorm2d`` or one of its relatives, with running statistics; weight and bias may be missing

        Raises
        ------
        ValueError
            a layer without running statistics
        """
        if getattr(batch_norm, "running_mean", None) is None:
            raise ValueError(
                f"expected a layer with running statistics, got {batch_norm}; in eval mode that normalises by the batch"
            )
        like = batch_norm.running_mean
        frozen = cls(batch_norm.num_features, batch_norm.eps, device=like.device, dtype=like.dtype)
        for name, buffer in frozen.named_buffers():
            if (value := getattr(batch_norm, name)) is not None:
                buffer.copy_(value.detach())
        return frozen

    def forward(self, input: Tensor) -> Tensor:
        """``(input - running_mean) / sqrt(running_var + eps) * weight + bias``, a channel at a time.

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
        RuntimeError
            another C than ``num_features``, or another dtype than the buffers have; a half-precision input may have
            float32 buffers
        """
        if input.dim() < 2 or input.shape[1] != self.num_features:
            raise RuntimeError(
                f"FrozenBatchNorm expected {self.num_features} channels, num_features, on axis 1 of the input, "
                f"got shape {tuple(input.shape)}"
            )
        weight, bias, mean, var = (channels(each, input) for each in self.buffers())
        check_dtypes("FrozenBatchNorm", input, weight, bias, mean, var)
        return laid_out(recover(standardise_by(input, mean, var, eps=self.eps), weight, bias, input.dtype))

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"{self.num_features}, eps={self.eps}"

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: Any) -> None:
        state_dict.pop(f"{prefix}num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *rest)
