"""Batch normalization and the noise of its statistics, in NumPy.

An *axis set* says over which axes of ``x`` the statistics are taken: ``axis=0`` for a batch of vectors (N, F),
``axis=(0, 2, 3)`` for images (N, C, H, W), ``axis=(0, 1, 2)`` for (N, H, W, C). What remains is the shape of ``gamma``
and ``beta``. NaN and infinity pass through as in NumPy; float32 in, float32 out.

The noise: n independent values of standard deviation sigma give a mean mu_B and a (biased) standard deviation sigma_B. The
four functions that say how these scatter raise a ValueError where n or sigma is outside the range they give.
"""

import math

import numpy as np

LARGEST_N = 10**5                                            # beyond it the exact law cancels; see std_of_std


def moments(x, axis=0):
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


def batch_norm(x, gamma, beta, *, axis=0, eps=1e-5):
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
        fewer than two values a feature, shapes or axes that do not fit, an integer array, or an ``eps`` that is negative
        or 0 beside a variance of 0
    """
    x, feature_shape = _batch(x, axis, at_least=2)
    gamma, beta = _features(x, feature_shape, gamma=gamma, beta=beta)
    mean, var = moments(x, axis)                             # mu_B, sigma^2_B
    x_hat = (x - mean) / _root(var, eps)
    y = np.expand_dims(gamma, axis) * x_hat + np.expand_dims(beta, axis)
    return y, (x_hat, gamma, var, eps, axis)


def batch_norm_inference(x, mean, var, gamma, beta, *, axis=0, eps=1e-5):
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
        shapes or axes that do not fit, an integer array, a negative variance, or an ``eps`` that is negative or 0 beside
        a variance of 0
    """
    x, feature_shape = _batch(x, axis, at_least=0)
    given = _features(x, feature_shape, mean=mean, var=var, gamma=gamma, beta=beta)
    mean, var, gamma, beta = (np.expand_dims(value, axis) for value in given)
    if (var < 0).any():
        raise ValueError(f"expected a variance of 0 or more, got {var.min()}; did you pass its logarithm?")
    return gamma * (x - mean) / _root(var, eps) + beta


def std_of_mean(n, sigma=1.0):
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


def mean_of_std(n, sigma=1.0):
    """Expected value of sigma_B for Gaussian values: sigma * c, with c = sqrt(2/n) Gamma(n/2) / Gamma((n-1)/2) below 1.

    n sigma_B^2 / sigma^2 is chi-squared with n - 1 degrees of freedom, so sigma_B is a chi variable times sigma / sqrt(n).

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


def std_of_std(n, sigma=1.0):
    """Standard deviation of sigma_B, exact for Gaussian values: sigma * sqrt((n-1)/n - c^2), with the c of ``mean_of_std``.

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


def std_of_std_large_n(n, sigma=1.0, kurtosis=3.0):
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
        raise ValueError(f"expected a kurtosis of 1 or more, as every distribution has, got {kurtosis}; is yours the excess? Add 3")
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
        raise ValueError(f"expected {at_least} or more values a feature, got {given}: axis={axis} of x of shape {x.shape}"
                         + ("; with one value the variance is 0 and every output is beta" if count else ""))
    return x, tuple(size for a, size in enumerate(x.shape) if a not in axes)


def _features(x, feature_shape, **arrays):
    """The arrays in the dtype of ``x``, each of the shape that remains beside the axis set."""
    arrays = {name: np.asarray(array, dtype=x.dtype) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.shape != feature_shape:
            raise ValueError(f"expected {name} of shape {feature_shape}, got {array.shape}, for x of shape {x.shape}")
    return arrays.values()


def _root(var, eps):
    """sqrt(var + eps), after a look at eps."""
    eps = var.dtype.type(eps)                                # a NumPy float64 eps would turn float32 into float64
    if not eps >= 0:
        raise ValueError(f"expected eps of 0 or more, got {eps}")
    if eps == 0 and (var == 0).any():
        raise ValueError(f"eps=0 with a variance of 0 in {np.sum(var == 0)} of {var.size} features: 0/0; give a positive eps")
    return np.sqrt(var + eps)


def _check_noise(n, sigma, largest=math.inf):
    if not n >= 2:
        raise ValueError(f"expected n of 2 or more, got {n}")
    if n > largest:
        raise ValueError(f"expected n up to {largest}, got {n}: the exact law loses its digits there, where E[sigma_B] is "
                         "sigma and std_of_std_large_n the noise, both right to four digits and more")
    if not sigma >= 0:
        raise ValueError(f"expected sigma of 0 or more, got {sigma}")
