"""Batch normalization forward and backward, and the noise of its statistics, in NumPy.

An *axis set* says over which axes of ``x`` the statistics are taken: ``axis=0`` for a batch of vectors (N, F),
``axis=(0, 2, 3)`` for images (N, C, H, W), ``axis=(0, 1, 2)`` for (N, H, W, C). What remains is the shape of ``gamma``
and ``beta``. NaN and infinity pass through as in NumPy; float32 in, float32 out.

The noise: n independent values of standard deviation sigma give a mean mu_B and a (biased) standard deviation sigma_B.
The four functions that say how these scatter raise a ValueError where n or sigma is outside the range they give.
"""

import math

import numpy as np

LARGEST_N = 10**5                                            # beyond it the exact law cancels; see std_of_std


def moments(x: np.ndarray, axis: int | tuple[int, ...] = 0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of ``x`` over ``axis``, in two passes.

    Parameters
    ----------
    x
        (..., F) float array
    axis : int or tuple
        the axes averaged over

    Returns
    -------
    tuple
        ``(mean, var)``, with the averaged axes kept at size 1

    Raises
    ------
    ValueError
        an integer array, an empty batch, or axes that are repeated or out of range
    """
    x, _ = _batch(x, axis, at_least=1)
    mean = x.mean(axis, keepdims=True)                       # mu_B
    centred = x - mean                                       # second pass: no cancellation at large means
    return mean, np.square(centred).mean(axis, keepdims=True)


def batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, axis: int | tuple[int, ...] = 0,
               eps: float = 1e-5) -> tuple[np.ndarray, tuple]:
    """Standardise ``x`` over ``axis``, then scale by ``gamma`` and shift by ``beta``.

    Ioffe & Szegedy (2015), Algorithm 1. The variance is the biased one, over N.

    Parameters
    ----------
    x
        (..., F) float array: the batch; statistics are taken over ``axis``, one pair a feature
    gamma, beta
        arrays of the shape that remains, (F,): scale and shift
    axis : int or tuple
        the axes averaged over
    eps : float
        added to the variance, in the units of ``x`` squared; 0 only where no variance is 0

    Returns
    -------
    tuple
        ``(y, cache)``: ``y = gamma * x_hat + beta``, an array like ``x``, and what the backward pass needs,
        ``cache = (x_hat, gamma, var, eps, axis)``

    Raises
    ------
    ValueError
        fewer than two values a feature, shapes or axes that do not fit, an integer array, or an ``eps`` that is
        negative or 0 beside a variance of 0
    """
    x, feature_shape = _batch(x, axis, at_least=2)
    gamma, beta = _features(x, feature_shape, gamma=gamma, beta=beta)
    mean, var = moments(x, axis)                             # mu_B, sigma^2_B
    x_hat = (x - mean) / _root(var, eps)
    y = np.expand_dims(gamma, axis) * x_hat + np.expand_dims(beta, axis)
    return y, (x_hat, gamma, var, eps, axis)


def batch_norm_inference(x: np.ndarray, mean: np.ndarray, var: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *,
                         axis: int | tuple[int, ...] = 0, eps: float = 1e-5) -> np.ndarray:
    """Normalise with given statistics: the same affine map for every input, whatever else is in the batch.

    Ioffe & Szegedy (2015), Algorithm 2, step 11.

    Parameters
    ----------
    x
        (..., F) float array; a batch of one, or of none, is as good as any
    mean, var, gamma, beta
        arrays of the shape that remains, (F,): the statistics, the scale and the shift
    axis : int or tuple
        the axes that statistics were averaged over
    eps : float
        added to the variance, as in ``batch_norm``

    Returns
    -------
    array
        ``gamma * (x - mean) / sqrt(var + eps) + beta``, like ``x``

    Raises
    ------
    ValueError
        shapes or axes that do not fit, an integer array, a negative variance, or an ``eps`` that is negative or 0
        beside a variance of 0
    """
    x, feature_shape = _batch(x, axis, at_least=0)
    given = _features(x, feature_shape, mean=mean, var=var, gamma=gamma, beta=beta)
    mean, var, gamma, beta = (np.expand_dims(value, axis) for value in given)
    if (var < 0).any():
        raise ValueError(f"expected a variance of 0 or more, got {var.min()}; did you pass its logarithm?")
    return gamma * (x - mean) / _root(var, eps) + beta


def batch_norm_nodes(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, axis: int | tuple[int, ...] = 0,
                     eps: float = 1e-5) -> tuple[np.ndarray, dict]:
    """``batch_norm`` as a computational graph: one elementary operation a line, every intermediate result kept.

    Parameters
    ----------
    x, gamma, beta, axis, eps
        as in ``batch_norm``

    Returns
    -------
    tuple
        ``(y, nodes)``: the output, and a dict with the value of every node by name, in the order of computation, and
        the axis set under ``"axis"``; averages keep their axes at size 1

    Raises
    ------
    ValueError
        as in ``batch_norm``
    """
    x, feature_shape = _batch(x, axis, at_least=2)
    gamma, beta = _features(x, feature_shape, gamma=gamma, beta=beta)
    mean = x.mean(axis, keepdims=True)
    centred = x - mean
    squared = np.square(centred)
    var = squared.mean(axis, keepdims=True)
    std = _root(var, eps)
    inv_std = 1 / std
    x_hat = centred * inv_std
    scaled = np.expand_dims(gamma, axis) * x_hat
    y = scaled + np.expand_dims(beta, axis)
    return y, {"x": x, "gamma": gamma, "beta": beta, "mean": mean, "centred": centred, "squared": squared, "var": var,
               "std": std, "inv_std": inv_std, "x_hat": x_hat, "scaled": scaled, "y": y, "axis": axis}


def batch_norm_nodes_backward(dy: np.ndarray, nodes: dict) -> dict[str, np.ndarray]:
    """The chain rule through the graph of ``batch_norm_nodes``, from the last node to the first.

    A node used twice receives a sum of two gradients: ``centred`` goes into ``x_hat`` and into ``squared``, ``x`` into
    ``centred`` and into ``mean``. A node that was broadcast receives a sum over the axes it was stretched along.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    nodes : dict
        from ``batch_norm_nodes``

    Returns
    -------
    dict
        the gradient of the loss at every node, by the name of the node and in its shape

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    axis, gamma = nodes["axis"], np.expand_dims(nodes["gamma"], nodes["axis"])
    dy = _upstream(dy, nodes["y"])
    count = dy.size // nodes["mean"].size                    # values averaged, N
    d = {"y": dy, "scaled": dy}
    d["beta"] = dy.sum(axis)                                 # y = scaled + beta
    d["gamma"] = (d["scaled"] * nodes["x_hat"]).sum(axis)    # scaled = gamma * x_hat
    d["x_hat"] = d["scaled"] * gamma
    d["inv_std"] = (d["x_hat"] * nodes["centred"]).sum(axis, keepdims=True)    # x_hat = centred * inv_std
    d["std"] = -d["inv_std"] / nodes["std"] ** 2             # inv_std = 1 / std
    d["var"] = d["std"] / (2 * nodes["std"])                 # std = sqrt(var + eps)
    d["squared"] = np.broadcast_to(d["var"] / count, dy.shape)                 # var = mean of squared
    d["centred"] = d["x_hat"] * nodes["inv_std"] + d["squared"] * 2 * nodes["centred"]
    d["mean"] = -d["centred"].sum(axis, keepdims=True)       # centred = x - mean
    d["x"] = d["centred"] + d["mean"] / count                # mean = mean of x
    return d


def batch_norm_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of batch normalization in one line, equal to the walk through the graph.

    dx = gamma / sqrt(var + eps) * (dy - mean(dy) - x_hat * mean(dy * x_hat)). The second term is what comes through the
    batch mean, the third what comes through the batch variance. Ioffe & Szegedy (2015), section 3, simplified.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``batch_norm``

    Returns
    -------
    tuple
        ``(dx, dgamma, dbeta)``: an array like ``x`` and two like ``gamma``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    x_hat, gamma, var, eps, axis = cache
    dy = _upstream(dy, x_hat)
    dx = np.expand_dims(gamma, axis) / _root(var, eps) * _shrink(dy, x_hat, axis)
    return dx, (dy * x_hat).sum(axis), dy.sum(axis)


def batch_norm_double_backward(ddx: np.ndarray, dy: np.ndarray,
                               cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of the gradient: of ``sum(ddx * dx)``, where ``dx`` is what ``batch_norm_backward`` returned.

    With P u = u - mean(u) - x_hat * mean(u * x_hat), s = sqrt(var + eps) and dx = gamma / s * P dy, the product rule
    over gamma, 1/s (whose gradient is -x_hat / (N s^2)) and the two x_hat inside P (each with the gradient P / s) gives

    grad_x = -gamma / s^2 * (x_hat * mean(ddx * P dy) + P ddx * mean(dy * x_hat) + P dy * mean(ddx * x_hat)).

    Parameters
    ----------
    ddx
        array like ``x``: the upstream gradient of ``dx``
    dy, cache
        what ``batch_norm_backward`` was given

    Returns
    -------
    tuple
        ``(grad_dy, grad_x, grad_gamma)``; ``beta`` has no part in ``dx``, its gradient is 0

    Raises
    ------
    ValueError
        ``ddx`` or ``dy`` not of the shape of ``x``
    """
    x_hat, gamma, var, eps, axis = cache
    ddx, dy = _upstream(ddx, x_hat, "ddx"), _upstream(dy, x_hat)
    gamma, std = np.expand_dims(gamma, axis), _root(var, eps)
    p_ddx, p_dy = _shrink(ddx, x_hat, axis), _shrink(dy, x_hat, axis)
    along_x_hat, along_ddx, along_dy = ((a * b).mean(axis, keepdims=True)
                                        for a, b in ((ddx, p_dy), (dy, x_hat), (ddx, x_hat)))
    grad_x = -gamma / std**2 * (x_hat * along_x_hat + p_ddx * along_ddx + p_dy * along_dy)
    return gamma / std * p_ddx, grad_x, (ddx * p_dy / std).sum(axis)


def batch_norm_jacobian(x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """The derivatives of x_hat by x for one feature: J[i, j] = d x_hat_i / d x_j.

    J = (I - 1 1^T / N - x_hat x_hat^T / N) / sqrt(var + eps). It is symmetric. Its eigenvalues, times sqrt(var + eps),
    are 0 for the direction of ones, eps / (var + eps) for x_hat, and 1 for the N - 2 directions orthogonal to both.

    Parameters
    ----------
    x
        (N,) float array: the values of one feature in the batch
    eps : float
        added to the variance

    Returns
    -------
    array
        (N, N)

    Raises
    ------
    ValueError
        ``x`` not of one axis, and whatever ``batch_norm`` refuses
    """
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"expected the values of one feature, shape (N,), got shape {x.shape}; take one column")
    _, (x_hat, _, var, eps, _) = batch_norm(x, np.ones(()), np.zeros(()), eps=eps)
    n = len(x)
    return (np.eye(n, dtype=x.dtype) - 1 / x.dtype.type(n) - np.outer(x_hat, x_hat) / n) / _root(var, eps)


def effective_positions(x: np.ndarray, axis: tuple[int, ...] = (2, 3)) -> np.ndarray:
    """How many independent values the positions of one example are worth in a batch mean, one number a channel.

    p = var(x) / var(m), where m is the mean of an example over its positions. Examples are independent, so the mean of
    a batch of N scatters by sqrt(var(m) / N) = sigma / sqrt(N p). p is 1 where an example is constant, the number of
    positions where these are uncorrelated on average, more where they are negatively correlated; never below 1.

    Parameters
    ----------
    x
        (N, ...) float array: examples along axis 0
    axis : tuple
        the axes of the positions, (2, 3) in (N, C, H, W)

    Returns
    -------
    array
        of the shape that remains, (C,); infinity where the mean is the same in every example

    Raises
    ------
    ValueError
        as ``moments``; axis 0 among the positions
    """
    x = np.asarray(x)
    if any(a in (0, -x.ndim) for a in axis):
        raise ValueError(f"expected the axes of positions, got axis={axis}: axis 0 holds the examples")
    both = (0, *axis)
    _, total = moments(x, both)
    _, between = moments(x.mean(axis, keepdims=True), both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.squeeze(total / between, both)


def std_of_mean(n: int, sigma: float = 1.0) -> float:
    """Standard deviation of mu_B, sigma / sqrt(n): exact for any distribution, needs independence and nothing else.

    Parameters
    ----------
    n, sigma
        independent values in the batch, 2 or more, and their standard deviation, 0 or more

    Returns
    -------
    float
        in the units of ``sigma``
    """
    _check_noise(n, sigma)
    return sigma / math.sqrt(n)


def mean_of_std(n: int, sigma: float = 1.0) -> float:
    """Expected value of sigma_B for Gaussian values: sigma * c, with c = sqrt(2/n) Gamma(n/2) / Gamma((n-1)/2) below 1.

    n sigma_B^2 / sigma^2 is chi-squared with n - 1 degrees of freedom, so sigma_B is a chi variable times
    sigma / sqrt(n).

    Parameters
    ----------
    n, sigma
        independent Gaussian values in the batch, 2 to ``LARGEST_N``, and their standard deviation, 0 or more

    Returns
    -------
    float
        in the units of ``sigma``
    """
    _check_noise(n, sigma, largest=LARGEST_N)
    return sigma * math.sqrt(2 / n) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))


def std_of_std(n: int, sigma: float = 1.0) -> float:
    """Standard deviation of sigma_B, exact for Gaussian values: sigma * sqrt((n-1)/n - c^2), c as in ``mean_of_std``.

    E[sigma_B^2] = sigma^2 (n-1)/n and E[sigma_B] = sigma c; their difference is the variance. Two numbers near 1 are
    subtracted: 8 digits remain at n = 1000, 4 at 10^5, none far beyond; hence the limit.

    Parameters
    ----------
    n, sigma
        independent Gaussian values in the batch, 2 to ``LARGEST_N``, and their standard deviation, 0 or more

    Returns
    -------
    float
        in the units of ``sigma``
    """
    _check_noise(n, sigma, largest=LARGEST_N)
    c = mean_of_std(n)
    return sigma * math.sqrt((n - 1) / n - c**2)


def std_of_std_large_n(n: int, sigma: float = 1.0, kurtosis: float = 3.0) -> float:
    """Standard deviation of sigma_B to first order in 1/n: sigma * sqrt((kurtosis - 1) / (4 n)), for any distribution.

    var(sigma_B^2) = sigma^4 (kurtosis - 1)/n, and the root halves the relative error. Gaussian: sigma / sqrt(2 n).

    Parameters
    ----------
    n, sigma
        independent values in the batch, 2 or more, and their standard deviation, 0 or more
    kurtosis : float
        fourth central moment over the squared variance, never below 1; 3 for a Gaussian

    Returns
    -------
    float
        in the units of ``sigma``
    """
    _check_noise(n, sigma)
    if not kurtosis >= 1:
        raise ValueError(f"expected a kurtosis of 1 or more, as every distribution has, got {kurtosis}; "
                         "is yours the excess? Add 3")
    return sigma * math.sqrt((kurtosis - 1) / (4 * n))


def _batch(x, axis, *, at_least):
    """``x`` as a float array and the shape that remains beside ``axis``, or an error that says what is wrong."""
    x = np.asarray(x)
    if x.dtype.kind != "f":
        raise ValueError(f"expected a floating-point x, got {x.dtype}; convert it with x.astype(float)")
    axes = axis if isinstance(axis, tuple) else (axis,)
    if any(not -x.ndim <= a < x.ndim for a in axes):
        raise ValueError(f"expected axes from {-x.ndim} to {x.ndim - 1} for x of shape {x.shape}, got axis={axis}")
    axes = [a % x.ndim for a in axes]
    if len(set(axes)) < len(axes):
        raise ValueError(f"expected each axis once for x of shape {x.shape}, got axis={axis}")
    count = math.prod(x.shape[a] for a in axes)
    if count < at_least:
        given = "an empty batch" if count == 0 else "one value"
        raise ValueError(f"expected {at_least} or more values a feature, got {given}: axis={axis} of x of shape "
                         f"{x.shape}{'; with one value the variance is 0 and every output is beta' if count else ''}")
    return x, tuple(size for a, size in enumerate(x.shape) if a not in axes)


def _features(x, feature_shape, **arrays):
    """The arrays in the dtype of ``x``, each of the shape that remains beside the axis set."""
    arrays = {name: np.asarray(array, dtype=x.dtype) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.shape != feature_shape:
            raise ValueError(f"expected {name} of shape {feature_shape}, got {array.shape}, for x of shape {x.shape}")
    return arrays.values()


def _upstream(given, like, name="dy"):
    """An upstream gradient in the dtype of what it belongs to, of the same shape."""
    given = np.asarray(given, dtype=like.dtype)
    if given.shape != like.shape:
        raise ValueError(f"expected {name} of shape {like.shape}, one value for each of the batch, got {given.shape}")
    return given


def _shrink(dy, x_hat, axis):
    """P dy: without its mean, and without the part along x_hat that the variance takes away."""
    return dy - dy.mean(axis, keepdims=True) - x_hat * (dy * x_hat).mean(axis, keepdims=True)


def _root(var, eps):
    """sqrt(var + eps), after a look at eps."""
    eps = var.dtype.type(eps)                                # a NumPy float64 eps would turn float32 into float64
    if not eps >= 0:
        raise ValueError(f"expected eps of 0 or more, got {eps}")
    if eps == 0 and (var == 0).any():
        raise ValueError(f"eps=0 with a variance of 0 in {np.sum(var == 0)} of {var.size} features: 0/0; "
                         "give a positive eps")
    return np.sqrt(var + eps)


def _check_noise(n, sigma, largest=math.inf):
    if not n >= 2:
        raise ValueError(f"expected n of 2 or more, got {n}")
    if n > largest:
        raise ValueError(f"expected n up to {largest}, got {n}: the exact law loses its digits there, where E[sigma_B] "
                         "is sigma and std_of_std_large_n the noise, both right to four digits and more")
    if not sigma >= 0:
        raise ValueError(f"expected sigma of 0 or more, got {sigma}")
