"""Gradients held against finite differences, and the cases in which that proves nothing.

A check compares two numbers for each entry of an input. It is worth something only where the true gradient stands out
of the rounding errors of the difference; a check that cannot see anything says so instead of passing.
"""

import math
from collections.abc import Callable

import numpy as np

CLEAR = 1000                                                 # a gradient below this many rounding errors is not seen
STREAM = 0x6772616463                                        # with the seed of x alone, dy can be x_hat: see gradcheck


def numerical_gradient(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, dy: np.ndarray,
                       h: float = 1e-5) -> np.ndarray:
    """The gradient of ``sum(dy * f(x))`` by central differences, one entry of ``x`` at a time.

    (L(x + h) - L(x - h)) / 2h is off by h^2/6 times the third derivative, and by the rounding errors of L divided by h.

    Parameters
    ----------
    f
        a function from an array like ``x`` to one like ``dy``; it is given copies
    x
        float64 array: where the gradient is taken
    dy
        array like ``f(x)``: the upstream gradient
    h : float
        the step, in the units of ``x``; positive

    Returns
    -------
    array
        like ``x``

    Raises
    ------
    ValueError
        ``x`` not in float64, a step that is not positive or vanishes beside ``x``, or ``dy`` not of the shape of
        ``f(x)``
    """
    x, dy = np.asarray(x), np.asarray(dy)
    if x.dtype != np.float64:
        raise ValueError(f"expected x in float64, got {x.dtype}: a difference of two losses loses half the digits; "
                         "convert it with x.astype(float)")
    if not h > 0:
        raise ValueError(f"expected a step h above 0, got {h}")
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += h
        below[index] -= h
        step = above[index] - below[index]                   # 2h, as it came out in floating point
        if step == 0:
            raise ValueError(f"expected a step that changes x, got h={h} beside an entry of {x[index]:.3g}; "
                             "take a larger h")
        gradient[index] = (_loss(f, above, dy) - _loss(f, below, dy)) / step
    return gradient


def relative_error(given: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference between two arrays, over the largest entry of both; 0 where both are 0, at most 2.

    Parameters
    ----------
    given, expected
        arrays of one shape

    Returns
    -------
    float
        NaN if an entry is, so that no bound is met

    Raises
    ------
    ValueError
        shapes that differ
    """
    given, expected = np.asarray(given), np.asarray(expected)
    if given.shape != expected.shape:
        raise ValueError(f"expected a gradient of shape {expected.shape}, got {given.shape}")
    largest = max(np.abs(given).max(initial=0), np.abs(expected).max(initial=0))
    return float(np.abs(given - expected).max(initial=0) / largest) if largest != 0 else 0.0


def gradcheck(f: Callable[..., np.ndarray], backward: Callable[..., np.ndarray | tuple[np.ndarray, ...]],
              *inputs: np.ndarray, dy: np.ndarray | None = None, h: float = 1e-5, seed: int = 0) -> float:
    """Hold a backward pass against central differences of its forward pass.

    Parameters
    ----------
    f
        ``f(*inputs)`` is an array
    backward
        ``backward(dy, *inputs)`` returns a gradient for each input, a tuple; for a single input it may be the array
        itself
    *inputs
        float64 arrays
    dy
        the upstream gradient; if not given, drawn from a standard normal distribution by a generator of its own: with
        the seed that drew ``x`` it could come out as ``x_hat``, and batch normalization would let almost nothing of it
        through
    h : float
        the step
    seed : int
        of that draw

    Returns
    -------
    float
        the largest relative error over all inputs; 1e-7 and below is usual for a right gradient of smooth functions

    Raises
    ------
    ValueError
        a number of gradients or a shape that does not fit, and a numerical gradient that does not stand out of its own
        rounding errors, so that any small gradient would pass; what ``numerical_gradient`` refuses
    """
    y = np.asarray(f(*inputs))
    dy = np.random.default_rng((STREAM, seed)).standard_normal(y.shape) if dy is None else np.asarray(dy)
    given = backward(dy, *inputs)
    given = given if isinstance(given, tuple) else (given,)
    if len(given) != len(inputs):
        raise ValueError(f"expected {len(inputs)} gradients from backward, one an input, got {len(given)}")
    rounding = np.finfo(np.float64).eps * np.abs(dy * y).sum() / h
    errors = []
    for place, (x, gradient) in enumerate(zip(inputs, given)):
        expected = numerical_gradient(lambda x, i=place: f(*inputs[:i], x, *inputs[i + 1:]), x, dy, h)
        if (seen := np.abs(expected).max(initial=0)) < CLEAR * rounding:
            raise ValueError(f"expected a gradient that can be seen, got one of {seen:.1g} for input {place}, where "
                             f"rounding alone may leave {rounding:.1g}: a gradient of zeros would pass; take a random "
                             "dy, a larger batch or a larger h")
        errors.append(relative_error(gradient, expected))
    return math.nan if any(map(math.isnan, errors)) else max(errors)


def _loss(f, x, dy):
    y = np.asarray(f(x))
    if y.shape != dy.shape:
        raise ValueError(f"expected dy of the shape of f(x), {y.shape}, got {dy.shape}")
    return float((dy * y).sum())
