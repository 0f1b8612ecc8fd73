"""The family: layer, instance, group and RMS normalization, each a drop-in for PyTorch's.

All are `functional.normalise` over another *area*. Of images (N, C, H, W):

============================  =================================  ==================
member                        the values that share statistics   area
============================  =================================  ==================
batch (``batchnorm.py``)      a channel                          (0, 2, 3)
layer                         an example                         (1, 2, 3)
instance                      a channel of an example            (2, 3)
group                         a few channels of an example       (2, 3, 4) of a view
RMS                           an example, not centred            (1, 2, 3)
============================  =================================  ==================

The view of group normalization is (N, G, C/G, H, W): an axis taken in two. Constructor, parameters and ``state_dict``
are inherited from PyTorch's classes; ``forward`` is written here. None but instance normalization can keep running
averages, so training and eval mode are the same.

Four departures. An ``eps`` that is not positive is refused: 0/0, of a constant area, is NaN. An empty batch leaves the
running averages of instance normalization alone; PyTorch's become NaN. And under autocast on a GPU, where PyTorch lets
layer, group and RMS normalization return float32, the output has the dtype of the input; either is computed in float32.
The output of RMS normalization is contiguous, as that of layer normalization; PyTorch's on a CPU keeps channels last.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from .functional import channels, check_dtypes, laid_out, normalise, recover, standardise, standardise_by


class LayerNorm(nn.LayerNorm):
    """Normalise every example over its features; drops in for ``torch.nn.LayerNorm``. Ba, Kiros & Hinton (2016).

    Unchanged when an example is scaled by a positive number or shifted by a constant.

    Parameters
    ----------
    normalized_shape
        the last axes of the input, or the last one: what is averaged over, and the shape of the parameters
    eps
        added to the variance
    elementwise_affine
        whether there are a ``weight`` and a ``bias`` to be learned, one for each feature
    bias
        whether there is a ``bias`` beside the ``weight``
    device, dtype
        of the parameters
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input
            ``(..., *normalized_shape)`` float tensor

        Returns
        -------
        Tensor
            like ``input``

        Raises
        ------
        RuntimeError
            other last axes than ``normalized_shape``, or another dtype than the parameters have; a half-precision input
            may have float32 parameters
        ValueError
            an ``eps`` that is not positive
        """
        _check_last_axes(self, input)
        check_dtypes(type(self).__name__, input, self.weight, self.bias)
        return normalise(input, _last_axes(self, input), self.weight, self.bias, eps=self.eps).contiguous()


class RMSNorm(nn.RMSNorm):
    """Divide every example by the root of the mean square of its features; drops in for ``torch.nn.RMSNorm``.

    Zhang & Sennrich (2019). Unchanged when an example is scaled by a positive number, but not when it is shifted.

    Parameters
    ----------
    normalized_shape
        the last axes of the input, or the last one: what is averaged over, and the shape of the ``weight``
    eps
        added to the mean square; None for the machine epsilon of the computation, that of float32 in half precision
    elementwise_affine
        whether there is a ``weight`` to be learned, one number for each feature
    device, dtype
        of the ``weight``
    """

    def forward(self, x: Tensor) -> Tensor:
        """Scale.

        Parameters
        ----------
        x
            ``(..., *normalized_shape)`` float tensor; its dtype may differ from that of the ``weight``, as in PyTorch

        Returns
        -------
        Tensor
            like ``x``

        Raises
        ------
        RuntimeError
            other last axes than ``normalized_shape``
        ValueError
            fewer axes than ``normalized_shape`` has, an ``eps`` that is not positive
        """
        _check_last_axes(self, x, too_few=ValueError)
        check_dtypes(type(self).__name__, x)
        wide = torch.promote_types(x.dtype, torch.float32)
        eps = torch.finfo(wide).eps if self.eps is None else self.eps
        return normalise(x, _last_axes(self, x), self.weight, eps=eps, centre=False).contiguous()


class GroupNorm(nn.GroupNorm):
    """Normalise every group of neighbouring channels of every example; drops in for ``torch.nn.GroupNorm``.

    Wu & He (2018). One group is layer normalization over (C, H, W), but for its parameters, which stay one a channel;
    as many groups as channels is instance normalization. Unchanged when a group of an example is scaled by a positive
    number or shifted by a constant.

    Parameters
    ----------
    num_groups
        a divisor of ``num_channels``
    num_channels
        C, the size of axis 1 of the input
    eps
        added to the variance
    affine
        whether there are a ``weight`` and a ``bias`` to be learned, one for each channel
    device, dtype
        of the parameters
    bias
        whether there is a ``bias`` beside the ``weight``
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        input
            (N, C, ...) float tensor. Where a group holds one value, of (N, C) features with a group for each, the
            output is the bias whatever the input

        Returns
        -------
        Tensor
            like ``input``

        Raises
        ------
        RuntimeError
            fewer than two axes, another C, or another dtype than the parameters have; a half-precision input may have
            float32 parameters
        ValueError
            one example of one value a group, an ``eps`` that is not positive
        """
        self._check(input)
        check_dtypes(type(self).__name__, input, self.weight, self.bias)
        weight, bias = channels(self.weight, input), channels(self.bias, input)
        x, weight, bias = (self._in_groups(each) for each in (input, weight, bias))
        return laid_out(normalise(x, tuple(range(2, x.dim())), weight, bias, eps=self.eps).flatten(1, 2))

    def _in_groups(self, values: Tensor | None) -> Tensor | None:
        """(N, C, H, W) as (N, G, C/G, H, W)."""
        if values is None:
            return None
        return values.unflatten(1, (self.num_groups, values.shape[1] // self.num_groups))

    def _check(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise RuntimeError(f"GroupNorm expected input of shape (N, C, ...), got {tuple(input.shape)}")
        if (self.affine and input.shape[1] != self.num_channels) or input.shape[1] % self.num_groups:
            raise RuntimeError(
                f"GroupNorm expected {self.num_channels} channels, num_channels, on axis 1 of the input, "
                f"got {input.shape[1]}: shape {tuple(input.shape)}"
            )
        if input.numel() == self.num_groups:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size {list(input.shape)}: a group of "
                "one value is its own mean, and every output would be the bias; take fewer groups"
            )


class _InstanceNorm:
    """What `InstanceNorm1d`, `InstanceNorm2d` and `InstanceNorm3d` share."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise every channel of every example over its places, by running averages in eval mode if there are any.

        Parameters
        ----------
        input
            (N, C, ...) float tensor, or (C, ...): one example

        Returns
        -------
        Tensor
            like ``input``

        Raises
        ------
        ValueError
            another number of axes than the class takes, another C than ``num_features`` beside parameters, one place,
            an ``eps`` that is not positive
        RuntimeError
            another C beside running averages, or another dtype than the parameters have; a half-precision input may
            have float32 parameters
        """
        self._check_input_dim(input)
        if input.dim() == self._get_no_batch_dim():
            return self._of_a_batch(input[None])[0]
        return self._of_a_batch(input)

    def _of_a_batch(self, input: Tensor) -> Tensor:
        self._check(input)
        area = tuple(range(2, input.dim()))
        if self.running_mean is not None and self.track_running_stats and not self.training:
            mean, var = channels(self.running_mean, input), channels(self.running_var, input)
            x_hat = standardise_by(input, mean, var, eps=self.eps)
        else:
            self._check_places(input)
            x_hat, mean, var = standardise(input, area, eps=self.eps)
            if self.running_mean is not None and input.numel():
                self._track(mean, var, input[0, 0].numel())
        y = recover(x_hat, channels(self.weight, input), channels(self.bias, input), input.dtype)
        return y.contiguous()

    @torch.no_grad()
    def _track(self, mean: Tensor, var: Tensor, n: int) -> None:
        """The mean over the batch of the statistics of its examples into the running averages, as PyTorch does.

        The variance is that over n - 1. ``momentum=None`` leaves the averages alone, and no batch is ever counted.
        """
        newest = 0.0 if self.momentum is None else self.momentum
        for average, new in ((self.running_mean, mean), (self.running_var, var * (n / (n - 1)))):
            average.copy_((1 - newest) * average + newest * new.mean(0).flatten())

    def _check(self, input: Tensor) -> None:
        name, given, learned = type(self).__name__, input.shape[1], (self.weight, self.bias)
        if given != self.num_features:
            text = f"{name} expected num_features={self.num_features} channels, got {given}: shape {tuple(input.shape)}"
            if self.affine:
                raise ValueError(text)
            if self.running_mean is not None:
                raise RuntimeError(text)
            warnings.warn(f"{text}; nothing here depends on num_features, so it goes on", stacklevel=4)
        check_dtypes(name, input, *learned, self.running_mean, self.running_var)

    def _check_places(self, input: Tensor) -> None:
        if input.numel() and input[0, 0].numel() == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size {input.shape}: one value is its "
                "own mean, and every output would be the bias"
            )


class InstanceNorm1d(_InstanceNorm, nn.InstanceNorm1d):
    """Instance normalization of (N, C, L) or (C, L) sequences; drops in for ``torch.nn.InstanceNorm1d``.

    Ulyanov, Vedaldi & Lempitsky (2016). Unchanged when a channel of an example is scaled by a positive number or
    shifted by a constant.

    Parameters
    ----------
    num_features
        C
    eps
        added to the variance
    momentum
        weight of the newest batch in the running averages, 0 to 1
    affine
        whether there are a ``weight`` and a ``bias`` to be learned, one for each channel; False unless asked for
    track_running_stats
        whether running averages are kept, and used in eval mode; False unless asked for
    device, dtype
        of parameters and buffers
    bias
        whether there is a ``bias`` beside the ``weight``
    """


class InstanceNorm2d(_InstanceNorm, nn.InstanceNorm2d):
    """Instance normalization of (N, C, H, W) or (C, H, W) images, as `InstanceNorm1d` otherwise."""


class InstanceNorm3d(_InstanceNorm, nn.InstanceNorm3d):
    """Instance normalization of (N, C, D, H, W) or (C, D, H, W) volumes, as `InstanceNorm1d` otherwise."""


def _last_axes(module: nn.Module, input: Tensor) -> tuple[int, ...]:
    """The area of layer and RMS normalization: as many axes as ``normalized_shape`` has."""
    return tuple(range(input.dim() - len(module.normalized_shape), input.dim()))


def _check_last_axes(module: nn.Module, input: Tensor, too_few: type[Exception] = RuntimeError) -> None:
    wanted, name = module.normalized_shape, type(module).__name__
    if tuple(input.shape[-len(wanted) :]) != wanted:
        raise (too_few if input.dim() < len(wanted) else RuntimeError)(
            f"{name} expected input of shape (..., {', '.join(map(str, wanted))}), normalized_shape, "
            f"got {tuple(input.shape)}"
        )
