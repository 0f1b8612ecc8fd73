"""One function for the whole family: standardise over an *index set*, by a backward pass derived by hand.

Normalizations differ in three choices (Huang et al., 2023): the *area* whose values share a mean and a variance, the
*operation* (standardise, or scale without centring), and the *recovery*, the learned map behind it. The area is a tuple
of axes of a view of ``x``: ``(0, 2, 3)`` is batch normalization of images, ``(2, 3)`` instance normalization. A mask
takes entries out of it.

Shapes as in PyTorch: (N, C, ...) for images and sequences, features last for layer and RMS norm. Half precision is
computed in float32, as PyTorch does, and comes back in its own dtype.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)


class Standardised(NamedTuple):
    """``x_hat`` like x, and the statistics it was made with, averaged axes kept at size 1: constants to autograd."""

    x_hat: Tensor
    mean: Tensor  # zeros where nothing was centred
    var: Tensor  # biased; the mean square where nothing was centred


def standardise(
    x: Tensor, area: tuple[int, ...], *, eps: float = 1e-5, centre: bool = True, mask: Tensor | None = None
) -> Standardised:
    """``(x - mean) / sqrt(var + eps)`` over the axes of ``area``; without ``centre``, ``x / sqrt(mean of x^2 + eps)``.

    The gradient is written out, and differentiable again: `torch.autograd.gradcheck` and ``gradgradcheck`` pass, and so
    do forward mode, ``torch.func`` and ``torch.compile``. Ioffe & Szegedy (2015), Algorithm 1 and section 3.

    Parameters
    ----------
    x
        float tensor of any shape; float16 and bfloat16 are computed in float32
    area
        the axes whose values share their statistics; one at least
    eps
        added to the variance; positive
    centre
        whether the mean is subtracted; False is RMS normalization
    mask
        bool tensor that broadcasts to ``x``, True for entries that count; None for all. What does not count, NaN too,
        reaches neither the statistics nor a gradient, and its ``x_hat`` is 0

    Returns
    -------
    Standardised
        ``x_hat`` in the shape and the precision of the computation (float32 for a half-precision ``x``), ``mean`` and
        ``var``; gradients flow through ``x_hat`` alone

    Raises
    ------
    ValueError
        an ``eps`` that is not positive, an ``area`` without an axis, a ``mask`` that does not broadcast to ``x``
    TypeError
        an ``x`` that is not floating-point, a ``mask`` that is not boolean
    """
    if not x.is_floating_point():
        raise TypeError(f"expected a floating-point x, got {x.dtype}; convert it with x.float()")
    if not eps > 0:
        raise ValueError(f"expected a positive eps, got {eps}: a constant feature has the variance 0, and 0/0 is NaN")
    if not area:  # PyTorch would average over all
        raise ValueError("expected an area of one axis or more, got (): a single value is its own mean")
    if mask is not None:
        _check_mask(mask, x)
    wide = x.float() if x.dtype in HALF else x
    if mask is not None:
        wide = torch.where(mask, wide, 0)  # at once: a NaN times 0 is a NaN, forward and backward
    function = _Standardise if torch.compiler.is_compiling() else _ForwardMode
    return Standardised(*function.apply(wide, mask, area, eps, centre))


def standardise_by(x: Tensor, mean: Tensor, var: Tensor, *, eps: float = 1e-5) -> Tensor:
    """``(x - mean) / sqrt(var + eps)`` by statistics that are given, running averages say, not taken from ``x``.

    Parameters
    ----------
    x
        float tensor; float16 and bfloat16 are computed in float32, and the result is
    mean, var
        tensors that broadcast to ``x``
    eps
        added to the variance
    """
    wide = x.float() if x.dtype in HALF else x
    return (wide - mean.to(wide.dtype)) * torch.rsqrt(var.to(wide.dtype) + eps)


def recover(x_hat: Tensor, weight: Tensor | None, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """``x_hat * weight + bias`` in ``dtype``: scale and shift, where there are any.

    Parameters
    ----------
    x_hat
        from `standardise`
    weight, bias
        tensors that broadcast to ``x_hat``, or None
    dtype
        of the result, that of the input of the layer
    """
    if weight is None and bias is None:
        return x_hat.to(dtype, copy=True)  # a ReLU in place behind it must not write on what the backward pass needs
    if weight is not None and bias is not None:
        return torch.addcmul(bias, x_hat, weight).to(dtype)  # in one pass over memory
    y = x_hat if weight is None else x_hat * weight
    return (y if bias is None else y + bias).to(dtype)


def normalise(
    x: Tensor,
    area: tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    eps: float = 1e-5,
    centre: bool = True,
) -> Tensor:
    """Area, operation and recovery in one call, for the members that keep no statistics.

    Parameters
    ----------
    x, area, eps, centre
        as in `standardise`
    weight, bias
        as in `recover`

    Returns
    -------
    Tensor
        like ``x``
    """
    return recover(standardise(x, area, eps=eps, centre=centre).x_hat, weight, bias, x.dtype)


def laid_out(y: Tensor) -> Tensor:
    """Contiguous or channels last, as PyTorch's batch and group normalization give their output whatever the input's.

    Elementwise operations keep a transposed layout, and a ``y.view(len(y), -1)`` behind the layer would fail on it.
    """
    return y if y.dim() > 3 and y.stride(1) == 1 else y.contiguous()


def channels(values: Tensor | None, like: Tensor) -> Tensor | None:
    """(C,) values, shaped to broadcast against ``like``, (N, C, ...); None stays None."""
    return None if values is None else values.view(1, -1, *[1] * (like.dim() - 2))


def check_dtypes(name: str, input: Tensor, *learned: Tensor | None) -> None:
    """Refuse what PyTorch's normalizations refuse: integers, and a dtype that is not that of the parameters.

    Parameters
    ----------
    name
        of the layer, for the message
    input
        what the layer was given
    learned
        its parameters and buffers; a half-precision input may have float32 ones

    Raises
    ------
    NotImplementedError
        an input that is not floating-point
    RuntimeError
        another dtype
    """
    if not input.is_floating_point():
        raise NotImplementedError(f"{name} expected a floating-point input, got {input.dtype}; convert it first")
    for each in learned:
        if each is not None and not (
            each.dtype == input.dtype or (input.dtype in HALF and each.dtype == torch.float32)
        ):
            raise RuntimeError(
                f"{name} expected an input of dtype {each.dtype}, that of its parameters, got {input.dtype}; "
                "convert one of them: input.to(dtype) or module.to(dtype)"
            )


def moments(x: Tensor, area: tuple[int, ...], centre: bool = True, mask: Tensor | None = None) -> tuple[Tensor, ...]:
    """What the values are without their mean, their mean, and their biased variance over the axes of ``area``.

    Two passes: the mean is subtracted before anything is squared, so that a large mean cancels no digits. ``mask`` and
    ``centre`` as in `standardise`; mean and variance keep the averaged axes at size 1.
    """
    mean = _mean(x, area, mask)
    mean = mean if centre else torch.zeros_like(mean)
    centred = x - mean
    return centred, mean, _mean(centred * centred, area, mask)


def _check_mask(mask, x):
    if mask.dtype != torch.bool:
        raise TypeError(f"expected a mask of dtype torch.bool, True for entries that count, got {mask.dtype}")
    if mask.dim() > x.dim() or any(m not in (1, n) for m, n in zip(mask.shape[::-1], x.shape[::-1])):
        raise ValueError(f"expected a mask that broadcasts to x, of shape {tuple(x.shape)}, got {tuple(mask.shape)}")


def _mean(values: Tensor, area: tuple[int, ...], mask: Tensor | None) -> Tensor:
    """The mean of what counts, over the axes of the area, kept at size 1; 0 where nothing counts."""
    if mask is None:
        return values.mean(area, keepdim=True)
    count = mask.expand(values.shape).sum(area, keepdim=True).clamp(min=1)
    return torch.where(mask, values, 0).sum(area, keepdim=True) / count


def _project(g: Tensor, x_hat: Tensor, area: tuple[int, ...], centre: bool, mask: Tensor | None) -> Tensor:
    """P g = g - mean(g) - x_hat * mean(g * x_hat), the second term only where a mean was subtracted.

    It begins with x_hat, whose memory layout it takes over, and goes on in place: on a CPU most of the time goes into
    fresh memory.
    """
    rest = (x_hat * -_mean(g * x_hat, area, mask)).add_(g)
    rest = rest.sub_(_mean(g, area, mask)) if centre else rest
    return rest if mask is None else torch.where(mask, rest, 0)


class _Standardise(torch.autograd.Function):
    """``dx = P g / sqrt(var + eps)``, g the upstream gradient of x_hat.

    Where the gradient will itself be differentiated, the statistics are computed again from x. Taken from the forward
    pass they would be constants, and the second derivative would be wrong while the first is right.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, mask: Tensor | None, area: tuple[int, ...], eps: float, centre: bool) -> tuple[Tensor, ...]:
        centred, mean, var = moments(x, area, centre, mask)
        x_hat = centred.mul_(torch.rsqrt(var + eps))
        return x_hat if mask is None else torch.where(mask, x_hat, 0), mean, var

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        x, mask, *ctx.how = inputs
        x_hat, mean, var = output
        ctx.mark_non_differentiable(mean, var)
        ctx.save_for_backward(x, mask, x_hat, var)

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Tensor) -> tuple:
        return _through(ctx, g), None, None, None, None


class _ForwardMode(_Standardise):
    """The same with forward mode: P / sqrt(var + eps) is symmetric. ``torch.compile`` takes no function that has it."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        _Standardise.setup_context(ctx, inputs, output)
        x, mask, *_ = inputs
        x_hat, _, var = output
        ctx.save_for_forward(x, mask, x_hat, var)

    @staticmethod
    def jvp(ctx: Any, t: Tensor, *_: Any) -> tuple:
        return _through(ctx, t), None, None


def _through(ctx, g):
    """What the Jacobian makes of an upstream gradient, or of a tangent."""
    x, mask, x_hat, var = ctx.saved_tensors
    area, eps, centre = ctx.how
    if torch.is_grad_enabled():
        centred, _, var = moments(x, area, centre, mask)
        x_hat = centred * torch.rsqrt(var + eps)
        x_hat = x_hat if mask is None else torch.where(mask, x_hat, 0)
    return _project(g, x_hat, area, centre, mask).mul_(torch.rsqrt(var + eps))
