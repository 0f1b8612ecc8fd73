"""Normalizations that look at the weights, or at nothing: no batch, no example, no statistics of the data.

==================================  ==============================================================================
`WeightNorm`, `weight_norm`         a weight as length times direction: *RMS normalization of the weight*
`WSLinear`, `WSConv2d`              weight standardization: *layer normalization of the weight*, one output at a time
`DynamicTanh`, `DynamicErf`         a squashing function in the place of a normalization
==================================  ==============================================================================

The first two are `functional.standardise` again, its area the axes of a weight that lead to one output. Scaling all
weights of an output by a positive number changes nothing under either; shifting them changes nothing under the second.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from .functional import HALF, check_dtypes, recover, standardise


class WeightNorm(nn.Module):
    """``g * v / |v|``, a parametrization: the length g and the direction v of a weight are learned apart.

    Salimans & Kingma (2016). With n weights to an output ``v / |v|`` is ``v / rms(v) / sqrt(n)``, so the direction is
    RMS normalization, and g / sqrt(n) its recovery. A direction of all zeros gives the weight 0 (PyTorch's is NaN).

    Parameters
    ----------
    dim
        the axis of the outputs, which has a length for each; None, or -1 as in PyTorch, for one length in all
    """

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"dim={self.dim}"

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """The weight of length ``weight_g`` in the direction of ``weight_v``.

        Parameters
        ----------
        weight_g
            of size 1 on all axes but ``dim``; a number for one length in all
        weight_v
            of the shape of the weight
        """
        if not weight_v.numel():
            return weight_v
        v = weight_v[..., None]  # an axis more, lest of a bias, an output an entry, no axis be left to average over
        area = self._area(v)
        largest = v.detach().abs().amax(area, keepdim=True)
        v = v / torch.where(largest > 0, largest, 1)  # its length does not matter, but squares of small numbers are 0
        wide = torch.promote_types(v.dtype, torch.float32)
        direction = standardise(v, area, eps=torch.finfo(wide).tiny, centre=False).x_hat[..., 0]
        count = v.numel() // largest.numel()
        return recover(direction, weight_g / math.sqrt(count), None, weight_v.dtype)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The length and the direction of a weight: g and v, of which v is the weight itself.

        Parameters
        ----------
        weight
            float tensor
        """
        if self.dim == -1:
            return torch.linalg.vector_norm(weight), weight
        v = weight[..., None]
        return torch.linalg.vector_norm(v, dim=self._area(v), keepdim=True)[..., 0], weight

    def _area(self, v: Tensor) -> tuple[int, ...]:
        """All axes but that of the outputs, of a weight with an axis more."""
        outputs = None if self.dim == -1 else self.dim % (v.dim() - 1)
        return tuple(axis for axis in range(v.dim()) if axis != outputs)


def weight_norm(module: nn.Module, name: str = "weight", dim: int | None = 0) -> nn.Module:
    """Put `WeightNorm` on a parameter, as ``torch.nn.utils.parametrizations.weight_norm`` does, keys and all.

    ``torch.nn.utils.parametrize.remove_parametrizations(module, name)`` takes it off again.

    Parameters
    ----------
    module
        a linear or convolutional layer; changed in place
    name
        of the parameter
    dim
        as in `WeightNorm`; 1 for a transposed convolution, whose outputs are on that axis

    Returns
    -------
    nn.Module
        ``module``
    """
    return parametrize.register_parametrization(module, name, WeightNorm(dim), unsafe=True)


class WSLinear(nn.Linear):
    """``torch.nn.Linear`` whose weights are standardised for every output. Qiao et al. (2019).

    The weight that is learned is the one before. Weight standardization is meant to stand before a normalization of
    activations, which sets the scale; so nothing is learned behind it. The outputs of fan-in n are about sqrt(n) times
    those of a usual initialization. Brock, De & Smith (2021) use it without such a normalization, and therefore divide
    by sqrt(n) too; in their program (``nfnets/base.py`` of google-deepmind/deepmind-research) a gain is learned for
    each output, and a constant for the nonlinearity multiplies what comes out of that.

    The variance is the biased one, eps inside the root; the authors' program (joe-siyuan-qiao/WeightStandardization)
    takes ``std`` over n - 1, plus 1e-5.

    Parameters
    ----------
    in_features, out_features, bias, device, dtype
        as ``torch.nn.Linear``
    eps
        added to the variance of the weights of an output
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        eps: float = 1e-5,
    ) -> None:
        super().__init__(in_features, out_features, bias, device=device, dtype=dtype)
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        """``input @ W_hat.T + bias``.

        Parameters
        ----------
        input
            (..., in_features) float tensor
        """
        return F.linear(input, weight_standardise(self.weight, self.eps), self.bias)

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"{super().extra_repr()}, eps={self.eps}"


class WSConv2d(nn.Conv2d):
    """``torch.nn.Conv2d`` whose weights are standardised for every output channel, as `WSLinear`. Qiao et al. (2019).

    Parameters
    ----------
    in_channels, out_channels, kernel_size, conv
        as ``torch.nn.Conv2d``, the rest by name
    eps
        added to the variance of the weights of an output channel
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int], *, eps: float = 1e-5, **conv: Any
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, **conv)
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        """The convolution with ``W_hat``.

        Parameters
        ----------
        input
            (N, C, H, W) or (C, H, W) float tensor
        """
        return self._conv_forward(input, weight_standardise(self.weight, self.eps), self.bias)

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"{super().extra_repr()}, eps={self.eps}"


def weight_standardise(weight: Tensor, eps: float = 1e-5) -> Tensor:
    """``(W - mean) / sqrt(var + eps)`` over all axes but the first, that of the outputs.

    Parameters
    ----------
    weight
        (outputs, ...) float tensor
    eps
        added to the variance

    Returns
    -------
    Tensor
        like ``weight``
    """
    return standardise(weight, tuple(range(1, weight.dim())), eps=eps).x_hat.to(weight.dtype)


class DynamicTanh(nn.Module):
    """``weight * tanh(alpha * x) + bias``, in the place of layer normalization. Zhu et al. (2025).

    It averages over nothing: each entry is squashed alone, and only alpha is shared. So no rescaling of the input
    leaves it unchanged. Parameters and ``state_dict`` are those of the authors' program.

    Parameters
    ----------
    normalized_shape
        shape of ``weight`` and ``bias``; the channels
    channels_last
        whether the channels are the last axes of the input; False for (N, C, H, W)
    alpha_init_value
        where ``alpha`` begins
    device, dtype
        of the parameters

    Raises
    ------
    ValueError
        without ``channels_last``, a ``normalized_shape`` of several axes
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        channels_last: bool = True,
        alpha_init_value: float = 0.5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not channels_last and not isinstance(normalized_shape, int) and len(normalized_shape) != 1:
            raise ValueError(f"expected one axis of channels before those of an image, got {normalized_shape}")
        self.normalized_shape, self.channels_last = normalized_shape, channels_last
        self.alpha_init_value = alpha_init_value
        self.alpha = nn.Parameter(torch.full((1,), alpha_init_value, device=device, dtype=dtype))
        self.weight = nn.Parameter(torch.ones(normalized_shape, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(normalized_shape, device=device, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        """Squash, then scale and shift.

        Parameters
        ----------
        input
            ``(..., *normalized_shape)`` float tensor; (..., C, H, W) without ``channels_last``

        Returns
        -------
        Tensor
            like ``input``; half precision is computed in float32

        Raises
        ------
        RuntimeError
            other channels than ``normalized_shape``, or another dtype than the parameters have; a half-precision input
            may have float32 parameters
        """
        weight, bias = self.weight, self.bias
        if not self.channels_last:
            weight, bias = weight[:, None, None], bias[:, None, None]
        self._check(input, weight)
        wide = input.float() if input.dtype in HALF else input
        return recover(self._squash(wide), weight, bias, input.dtype)

    def _check(self, input: Tensor, weight: Tensor) -> None:
        name = type(self).__name__
        features = input.shape[input.dim() - weight.dim() :][: self.weight.dim()]
        if input.dim() < weight.dim() or features != self.weight.shape:
            wanted = ", ".join([*map(str, self.weight.shape), *([] if self.channels_last else "HW")])
            raise RuntimeError(f"{name} expected input of shape (..., {wanted}), got {tuple(input.shape)}")
        check_dtypes(name, input, *self.parameters())

    def _squash(self, x: Tensor) -> Tensor:
        return torch.tanh(self.alpha * x)

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return (
            f"normalized_shape={self.normalized_shape}, channels_last={self.channels_last}, "
            f"alpha_init_value={self.alpha_init_value}"
        )


class DynamicErf(DynamicTanh):
    """``weight * erf(alpha * x + shift) + bias``: the sibling of `DynamicTanh`. Chen et al. (2025), there *Derf*.

    Parameters
    ----------
    normalized_shape, channels_last, alpha_init_value, device, dtype
        as `DynamicTanh`
    shift_init_value
        where ``shift`` begins
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        channels_last: bool = True,
        alpha_init_value: float = 0.5,
        shift_init_value: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(normalized_shape, channels_last, alpha_init_value, device, dtype)
        self.shift_init_value = shift_init_value
        self.shift = nn.Parameter(torch.full((1,), shift_init_value, device=device, dtype=dtype))

    def _squash(self, x: Tensor) -> Tensor:
        return torch.erf(self.alpha * x + self.shift)

    def extra_repr(self) -> str:
        """The arguments, as ``print`` shows them."""
        return f"{super().extra_repr()}, shift_init_value={self.shift_init_value}"
