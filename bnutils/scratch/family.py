"""The relatives of batch normalization: one formula, and a choice of the entries that share a mean and a variance.

- batch: over the examples (and the places), one pair a channel; see ``norm.batch_norm``;
- layer: over the features of one example, one pair an example;
- instance: over the places of one channel of one example;
- group: over the places of a few channels of one example;
- RMS: as layer, but without the mean: every value is divided by the root of the mean square.

All but the first look at one example at a time. So there are no running statistics: training and inference are the
same, and a batch of one is as good as any. gamma and beta belong to the features, as everywhere.

Pairs of functions: ``f(x, ...) -> (y, cache)``, ``f_backward(dy, cache)``. Float32 in, float32 out.
"""

import numpy as np

from . import norm
from .norm import _batch, _features, _root, _shrink, _upstream


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *,
               eps: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Standardise every example over its features. Ba, Kiros & Hinton (2016).

    Parameters
    ----------
    x
        (..., F) float array
    gamma, beta
        (F,) arrays: scale and shift, one a feature; with more axes, (C, H, W) for example, all of those are averaged
        over, as with PyTorch's ``normalized_shape``
    eps : float
        added to the variance

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        an integer array, shapes that do not fit, fewer than two features, an ``eps`` that is negative or 0 beside a
        variance of 0
    """
    x, axis = _last_axes(x, gamma)
    gamma, beta = _features(x, tuple(x.shape[a] for a in axis), gamma=gamma, beta=beta)
    return _standardise(x, axis, gamma, beta, eps)


def layer_norm_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of ``layer_norm``.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``layer_norm``

    Returns
    -------
    tuple
        ``(dx, dgamma, dbeta)``, like ``x``, ``gamma`` and ``beta``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    return _standardise_backward(dy, cache)


def group_norm(x: np.ndarray, groups: int, gamma: np.ndarray, beta: np.ndarray, *,
               eps: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Standardise every group of neighbouring channels of every example. Wu & He (2018).

    One group is ``layer_norm`` over (C, H, W), but for gamma and beta, which stay one a channel; as many groups as
    channels is ``instance_norm``.

    Parameters
    ----------
    x
        (N, C, ...) float array, (N, C, H, W) for images
    groups : int
        number of groups, a divisor of C
    gamma, beta
        (C,) arrays: scale and shift, one a channel
    eps : float
        added to the variance

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        an integer array, shapes that do not fit, groups that do not divide the channels, fewer than two values a group,
        an ``eps`` that is negative or 0 beside a variance of 0
    """
    x = np.asarray(x)
    if x.ndim < 2:
        raise ValueError(f"expected x of shape (N, C, ...), got {x.shape}")
    channels = x.shape[1]
    if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or groups < 1 or channels % groups:
        raise ValueError(f"expected a number of groups that divides the {channels} channels of x, of shape {x.shape}, "
                         f"got {groups!r}")
    split = x.reshape(len(x), groups, channels // groups, *x.shape[2:])      # N, groups, channels of one group, H, W
    _batch(split, tuple(range(2, split.ndim)), at_least=2)
    gamma, beta = (value.reshape(groups, channels // groups, *[1] * (x.ndim - 2))
                   for value in _features(x, (channels,), gamma=gamma, beta=beta))
    y, cache = _standardise(split, tuple(range(2, split.ndim)), gamma, beta, eps)
    return y.reshape(x.shape), cache


def group_norm_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of ``group_norm``.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``group_norm``

    Returns
    -------
    tuple
        ``(dx, dgamma, dbeta)``, like ``x``, ``gamma`` and ``beta``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    x_hat = cache[0]
    n, groups, width, *places = x_hat.shape
    dy = _upstream(dy, x_hat.reshape(n, groups * width, *places))
    dx, dgamma, dbeta = _standardise_backward(dy.reshape(x_hat.shape), cache)
    return dx.reshape(dy.shape), dgamma.reshape(-1), dbeta.reshape(-1)


def instance_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *,
                  eps: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Standardise every channel of every example over its places: groups of one channel.

    Ulyanov, Vedaldi & Lempitsky (2016).

    Parameters
    ----------
    x
        (N, C, ...) float array with two places or more, (N, C, H, W) for images
    gamma, beta
        (C,) arrays: scale and shift, one a channel
    eps : float
        added to the variance

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        as ``group_norm``
    """
    x = np.asarray(x)
    return group_norm(x, x.shape[1] if x.ndim > 1 else 1, gamma, beta, eps=eps)


def instance_norm_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of ``instance_norm``.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``instance_norm``

    Returns
    -------
    tuple
        ``(dx, dgamma, dbeta)``, like ``x``, ``gamma`` and ``beta``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    return group_norm_backward(dy, cache)


def rms_norm(x: np.ndarray, gamma: np.ndarray, *, eps: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Divide every example by the root of the mean square of its features; no mean, no shift. Zhang & Sennrich (2019).

    PyTorch's default for ``eps`` is the machine epsilon of the dtype.

    Parameters
    ----------
    x
        (..., F) float array
    gamma
        (F,) array: scale, one a feature; with more axes, all of those are averaged over
    eps : float
        added to the mean square

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        an integer array, shapes that do not fit, no features, an ``eps`` that is negative or 0 beside a mean square
        of 0
    """
    x, axis = _last_axes(x, gamma, at_least=1)
    gamma, = _features(x, tuple(x.shape[a] for a in axis), gamma=gamma)
    root = _root(np.square(x).mean(axis, keepdims=True), eps)
    x_hat = x / root
    return gamma * x_hat, (x_hat, gamma, root, axis)


def rms_norm_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of ``rms_norm``: dx = (g - x_hat * mean(g * x_hat)) / root, with g = gamma * dy.

    As with the others, but no mean was subtracted, so none is taken out here.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``rms_norm``

    Returns
    -------
    tuple
        ``(dx, dgamma)``, like ``x`` and ``gamma``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    x_hat, gamma, root, axis = cache
    dy = _upstream(dy, x_hat)
    g = gamma * dy
    dx = (g - x_hat * (g * x_hat).mean(axis, keepdims=True)) / root
    return dx, _sum_to(dy * x_hat, gamma.shape)


def _standardise(x, axis, gamma, beta, eps):
    """x_hat over an axis set, then gamma and beta, which broadcast against ``x``."""
    mean, var = norm.moments(x, axis)
    root = _root(var, eps)
    x_hat = (x - mean) / root
    return gamma * x_hat + beta, (x_hat, gamma, root, axis)


def _standardise_backward(dy, cache):
    """dx = P(gamma * dy) / root, P as in ``norm.batch_norm_backward``.

    There all values that share statistics share one gamma, which could be taken out of P. Here it varies among them.
    """
    x_hat, gamma, root, axis = cache
    dy = _upstream(dy, x_hat)
    dx = _shrink(gamma * dy, x_hat, axis) / root
    return dx, _sum_to(dy * x_hat, gamma.shape), _sum_to(dy, gamma.shape)


def _last_axes(x, gamma, at_least=2):
    """``x`` as a float array, and its last axes, as many as ``gamma`` has."""
    x, count = np.asarray(x), np.ndim(gamma)
    if not 1 <= count <= x.ndim:
        raise ValueError(f"expected gamma of the shape of the last axes of x, {x.shape}, got {np.shape(gamma)}")
    axis = tuple(range(x.ndim - count, x.ndim))
    _batch(x, axis, at_least=at_least)
    return x, axis


def _sum_to(values, shape):
    """The sum over every axis along which an array of this shape was stretched."""
    values = values.sum(tuple(range(values.ndim - len(shape))))
    return values.sum(tuple(a for a, size in enumerate(shape) if size == 1), keepdims=True)
