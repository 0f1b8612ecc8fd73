"""The layers around a normalization, as pairs of functions: ``f(x, ...) -> (y, cache)`` and ``f_backward(dy, cache)``.

A backward function is given dy, the gradient of the loss by what the forward function returned, and returns the
gradient by what it was given. The cache is what has to be remembered in between. Every array has the dtype of ``x``:
float32 in, float32 out. NaN and infinity pass through as in NumPy; what is not a floating-point array is refused.
"""

import numpy as np

from .norm import _upstream


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> tuple[np.ndarray, tuple]:
    """Weighted sums of the features: ``x @ weight.T + bias``.

    Parameters
    ----------
    x
        (N, in_features) float array, one example a row
    weight
        (out_features, in_features), as in PyTorch: one output a row
    bias
        (out_features,), or None for none

    Returns
    -------
    tuple
        ``(y, cache)``; y is (N, out_features)

    Raises
    ------
    ValueError
        an integer array, or shapes that do not fit
    """
    x = _floats(x, "(N, in_features)", axes=2)
    weight, bias = _parameters(x, weight, bias, "(out_features, in_features)", axes=2)
    if x.shape[1] != weight.shape[1]:
        raise ValueError(f"expected x of shape (N, {weight.shape[1]}) for a weight of shape {weight.shape}, "
                         f"got {x.shape}")
    y = x @ weight.T                                         # y_nj = sum_i w_ji x_ni
    if bias is not None:
        y += bias
    return y, (x, weight, bias, y)


def linear_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The gradient of ``linear``: as many matrix products as there are factors.

    Parameters
    ----------
    dy
        (N, out_features): the upstream gradient
    cache : tuple
        from ``linear``

    Returns
    -------
    tuple
        ``(dx, dweight, dbias)``, like ``x``, ``weight`` and ``bias``; None for a bias of None

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    x, weight, bias, y = cache
    dy = _upstream(dy, y)
    dx = dy @ weight                                         # sum_j dy_nj w_ji
    dweight = dy.T @ x                                       # sum_n dy_nj x_ni: over the batch
    return dx, dweight, None if bias is None else dy.sum(0)


def relu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """max(x, 0), entry by entry.

    Parameters
    ----------
    x
        float array of any shape

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        an integer array
    """
    y = np.maximum(_floats(x), 0)
    return y, y


def relu_backward(dy: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """dy where x > 0, else 0; at the corner itself 0, as in PyTorch.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache
        from ``relu``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    y = cache
    return np.where(y <= 0, 0, _upstream(dy, y))             # a NaN is not <= 0: it passes


def sigmoid(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / (1 + e^-x), entry by entry, from 0 to 1.

    e^-x overflows for large negative x. ``e = exp(-abs(x))`` is 1 at most. With it the sigmoid is 1 / (1 + e) for
    x >= 0, and e / (1 + e) for x < 0, numerator and denominator times e^x.

    Parameters
    ----------
    x
        float array of any shape

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        an integer array
    """
    x = _floats(x)
    e = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1, e) / (1 + e)
    return y, y


def sigmoid_backward(dy: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """dy y (1 - y): a quarter of dy at most, at x = 0.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache
        from ``sigmoid``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    y = cache
    return _upstream(dy, y) * y * (1 - y)


def tanh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(e^x - e^-x) / (e^x + e^-x), entry by entry, from -1 to 1.

    Parameters
    ----------
    x
        float array of any shape

    Returns
    -------
    tuple
        ``(y, cache)``; y is like ``x``

    Raises
    ------
    ValueError
        an integer array
    """
    y = np.tanh(_floats(x))
    return y, y


def tanh_backward(dy: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """dy (1 - y^2): all of dy at x = 0, and nowhere more.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache
        from ``tanh``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    y = cache
    return _upstream(dy, y) * (1 - np.square(y))


def flatten(x: np.ndarray) -> tuple[np.ndarray, tuple]:
    """Every example as one row: (N, ...) to (N, F).

    Parameters
    ----------
    x
        (N, ...) float array

    Returns
    -------
    tuple
        ``(y, cache)``; y is (N, F), F the product of all sizes but the first

    Raises
    ------
    ValueError
        an integer array, or one without axes
    """
    x = _floats(x)
    if x.ndim == 0:
        raise ValueError("expected x of shape (N, ...), got shape (), a single number")
    y = x.reshape(len(x), int(np.prod(x.shape[1:])))
    return y, (y, x.shape)


def flatten_backward(dy: np.ndarray, cache: tuple) -> np.ndarray:
    """The same numbers in the shape they had.

    Parameters
    ----------
    dy
        (N, F): the upstream gradient
    cache : tuple
        from ``flatten``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    y, shape = cache
    return _upstream(dy, y).reshape(shape)


def softmax_cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[np.floating, tuple]:
    """The mean over the batch of -log p, p the share that softmax gives to the right class.

    p_k = e^(s_k) / sum_j e^(s_j), so -log p_k = log sum_j e^(s_j) - s_k. The largest score of a row is subtracted
    first: p is the same, and the largest exponential is 1. Scores that are all equal cost log K.

    Parameters
    ----------
    scores
        (N, K) float array: one row an example, one column a class, any real numbers
    labels
        (N,) integers from 0 to K - 1: the right class

    Returns
    -------
    tuple
        ``(loss, cache)``; the loss is one number of the dtype of ``scores``, 0 or more, in nats

    Raises
    ------
    ValueError
        integer scores, an empty batch, labels that are not integers, do not fit, or name no class
    """
    scores = _floats(scores, "(N, K)", axes=2, name="scores")
    labels = _labels(labels, *scores.shape)
    shifted = scores - scores.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    loss = -log_p[np.arange(len(labels)), labels].mean()
    return loss, (log_p, labels)


def softmax_cross_entropy_backward(cache: tuple) -> np.ndarray:
    """The gradient of the loss by the scores: (p - 1 for the right class, p for the others) / N.

    Each row sums to 0: adding a constant to all scores of an example changes nothing. The loss is where a backward pass
    begins, so there is no dy; it is 1.

    Parameters
    ----------
    cache : tuple
        from ``softmax_cross_entropy``

    Returns
    -------
    array
        ``dscores``, (N, K)
    """
    log_p, labels = cache
    dscores = np.exp(log_p)
    dscores[np.arange(len(labels)), labels] -= 1
    return dscores / len(labels)                             # the loss is a mean over N


def _floats(x, shape="", *, axes=None, name="x"):
    """``x`` as a floating-point array of so many axes, or an error that says what is wrong."""
    x = np.asarray(x)
    if x.dtype.kind != "f":
        raise ValueError(f"expected a floating-point {name}, got {x.dtype}; convert it with {name}.astype(float)")
    if axes is not None and x.ndim != axes:
        cure = "; flatten it first" if x.ndim > axes == 2 else ""
        raise ValueError(f"expected {name} of shape {shape}, got {x.shape}{cure}")
    return x


def _parameters(x, weight, bias, shape, *, axes):
    """Weight and bias in the dtype of ``x``; the bias may be None, else it has one number an output."""
    weight = np.asarray(weight, dtype=x.dtype)
    if weight.ndim != axes:
        raise ValueError(f"expected weight of shape {shape}, got {weight.shape}")
    if bias is not None:
        bias = np.asarray(bias, dtype=x.dtype)
        if bias.shape != weight.shape[:1]:
            raise ValueError(f"expected bias of shape {weight.shape[:1]}, one number an output of weight, "
                             f"got {bias.shape}")
    return weight, bias


def _labels(labels, n, classes):
    """``labels`` as n integers that each name a class."""
    labels = np.asarray(labels)
    if n == 0:
        raise ValueError("expected scores of one example or more, got an empty batch: a mean over nothing is undefined")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"expected labels as integers, got {labels.dtype}; one-hot rows become labels by y.argmax(1)")
    if labels.shape != (n,):
        raise ValueError(f"expected labels of shape ({n},), one an example, got {labels.shape}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"expected labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}: "
                         f"scores have {classes} columns")
    return labels
