"""Exercises of the chapter on backpropagation."""

import math
from collections.abc import Callable

import numpy as np

from ..scratch import norm
from .engine import Case, Mistake, exercise


def _backward_cases():
    rng = np.random.default_rng(22)
    cases = []
    for n, d, eps in ((6, 3, 1e-5), (5, 4, 0.5), (4, 2, 2.0)):
        _, (x_hat, gamma, var, _, _) = norm.batch_norm(
            rng.normal(2, 1.5, (n, d)), rng.normal(size=d), np.zeros(d), eps=eps
        )
        cases.append(Case(f"{n} values, {d} features, eps={eps:g}", (rng.normal(size=(n, d)), x_hat, gamma, var, eps)))
    return cases


def _backward(dy, x_hat, gamma, var, eps, *, mean=1, hat=1, axis=0, ddof=0):
    n = dy.shape[axis] - ddof
    along = (dy * x_hat).sum(axis, keepdims=True) / n
    return gamma / np.sqrt(var + eps) * (dy - mean * dy.sum(axis, keepdims=True) / n - hat * x_hat * along)


@exercise(
    "the gradient along all paths, equal to the walk through the graph.",
    _backward_cases(),
    Mistake(
        "mean term missing",
        "the mean term is missing: x also reaches y through the batch mean, and dx must sum to 0 over the batch.",
        lambda *given: _backward(*given, mean=0),
    ),
    Mistake(
        "x_hat term missing",
        "the x_hat term is missing: x also reaches y through the batch variance.",
        lambda *given: _backward(*given, hat=0),
    ),
    Mistake(
        "statistics constant",
        "the statistics are taken as constants. That is the gradient of inference mode, and the bias before it grows "
        "for ever.",
        lambda *given: _backward(*given, mean=0, hat=0),
    ),
    Mistake(
        "sign of the x_hat term",
        "the x_hat term has the wrong sign: the variance takes that direction away, it does not add to it.",
        lambda *given: _backward(*given, hat=-1),
    ),
    Mistake(
        "sums for means",
        "sums where means belong. Each x holds a share of 1/N in the mean and in the variance.",
        lambda dy, x_hat, gamma, var, eps: gamma / np.sqrt(var + eps) * (dy - dy.sum(0) - x_hat * (dy * x_hat).sum(0)),
    ),
    Mistake(
        "over N - 1",
        "N - 1 where N belongs. BN divides by N in the mean and in the variance, and so does its gradient.",
        lambda *given: _backward(*given, ddof=1),
    ),
    Mistake(
        "gamma forgotten",
        "gamma is forgotten: y = gamma * x_hat + beta passes gamma * dy on.",
        lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, 1, var, eps),
    ),
    Mistake(
        "not divided by std",
        "not divided by sqrt(var + eps): what divides x on the way up divides the gradient on the way down.",
        lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, gamma, 1, 0),
    ),
    Mistake(
        "eps forgotten",
        "eps is forgotten: the forward pass divides by sqrt(var + eps), and so does the gradient.",
        lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, gamma, var, 0),
    ),
    Mistake(
        "over the features",
        "the means run over the features of one example. BN averages over the batch, axis 0.",
        lambda *given: _backward(*given, axis=1),
    ),
)
def backward_dx(dy: np.ndarray, x_hat: np.ndarray, gamma: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Return dx (N, F) for a batch normalised over axis 0.

    ``dy`` and ``x_hat`` are (N, F), ``gamma`` and ``var`` (F,), ``eps`` is a number.
    """
    return norm.batch_norm_backward(dy, (x_hat, gamma, var, eps, 0))[0]


def _parameter_cases():
    rng = np.random.default_rng(23)
    return [
        Case(f"images of shape {shape}", (rng.normal(size=shape), rng.normal(size=shape)))
        for shape in ((4, 3, 2, 5), (3, 4, 2, 2), (2, 2, 2, 2))
    ]


@exercise(
    "one number a channel, summed over everything that channel was broadcast to.",
    _parameter_cases(),
    Mistake(
        "swapped",
        "the two are swapped: dgamma holds x_hat, because y = gamma * x_hat + beta.",
        lambda dy, x_hat: (dy.sum((0, 2, 3)), (dy * x_hat).sum((0, 2, 3))),
    ),
    Mistake(
        "means for sums",
        "means where sums belong. One gamma acts on every entry of its channel, and their gradients add up; if the "
        "loss is a mean, its 1/N is inside dy already.",
        lambda dy, x_hat: ((dy * x_hat).mean((0, 2, 3)), dy.mean((0, 2, 3))),
    ),
    Mistake(
        "over examples only",
        "summed over the examples only. In images a channel's gamma is shared by all positions too.",
        lambda dy, x_hat: ((dy * x_hat).sum(0), dy.sum(0)),
    ),
    Mistake(
        "over channels too",
        "summed over the channels as well: each channel has a gamma and a beta of its own.",
        lambda dy, x_hat: ((dy * x_hat).sum(), dy.sum()),
    ),
    Mistake(
        "x_hat forgotten",
        "x_hat is forgotten in dgamma: that is dbeta.",
        lambda dy, x_hat: (dy.sum((0, 2, 3)), dy.sum((0, 2, 3))),
    ),
    Mistake(
        "width as channels",
        "the sums run over the last axis too few: this treats the width as the channels. The layout is (N, C, H, W).",
        lambda dy, x_hat: ((dy * x_hat).sum((0, 1, 2)), dy.sum((0, 1, 2))),
    ),
)
def parameter_gradients(dy: np.ndarray, x_hat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (dgamma, dbeta), each (C,), for images: ``dy`` and ``x_hat`` are (N, C, H, W)."""
    return (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))


@exercise(
    "one direction gone, one shrunk to eps/(var + eps), N - 2 left alone, and all divided by sqrt(var + eps).",
    [
        Case(f"N={n}, var={var:g}, eps={eps:g}", (n, var, eps))
        for n, var, eps in ((5, 1.0, 0.25), (4, 3.0, 1e-2), (2, 0.5, 0.5))
    ],
    Mistake(
        "x_hat direction gone",
        "the x_hat direction is taken as gone. That is the limit eps -> 0; for eps > 0 a share of eps/(var + eps) is "
        "left.",
        lambda n, var, eps: np.array([0.0, 0.0] + [1 / math.sqrt(var + eps)] * (n - 2)),
    ),
    Mistake(
        "x_hat direction left alone",
        "the x_hat direction is left alone: only the mean is removed here. The variance depends on x too.",
        lambda n, var, eps: np.array([0.0] + [1 / math.sqrt(var + eps)] * (n - 1)),
    ),
    Mistake(
        "those of P",
        "these are the eigenvalues of P. The Jacobian is P / sqrt(var + eps).",
        lambda n, var, eps: eigenvalues_of.reference(n, var, eps) * math.sqrt(var + eps),
    ),
    Mistake(
        "what was taken away",
        "what is left of the x_hat direction is eps/(var + eps); var/(var + eps) is what was taken away.",
        lambda n, var, eps: np.sort(
            [0.0, var / (var + eps) / math.sqrt(var + eps)] + [1 / math.sqrt(var + eps)] * (n - 2)
        ),
    ),
    Mistake(
        "x_hat direction not divided",
        "the x_hat direction is divided by sqrt(var + eps) too, not only the others.",
        lambda n, var, eps: np.sort([0.0, eps / (var + eps)] + [1 / math.sqrt(var + eps)] * (n - 2)),
    ),
    Mistake(
        "root forgotten",
        "divided by var + eps: the root is forgotten.",
        lambda n, var, eps: eigenvalues_of.reference(n, var, eps) / math.sqrt(var + eps),
    ),
    Mistake(
        "descending",
        "in descending order; ascending is asked for.",
        lambda n, var, eps: eigenvalues_of.reference(n, var, eps)[::-1],
    ),
)
def eigenvalues_of(n: int, var: float, eps: float) -> np.ndarray:
    """Return the ``n`` eigenvalues of d x_hat / d x for one feature with variance ``var``, ascending."""
    std = math.sqrt(var + eps)
    return np.array([0.0, eps / (var + eps) / std] + [1 / std] * (n - 2))


def _numerical_cases():
    rng = np.random.default_rng(24)
    return (
        Case("y = x cubed, h=0.1", (lambda x: x**3, rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), 0.1)),
        Case(
            "y = the sine of x times its column sum, h=0.01",
            (lambda x: np.sin(x) * x.sum(0), rng.normal(size=(4, 2)), rng.normal(size=(4, 2)), 0.01),
        ),
        Case(
            "y = x / (1 + mean of x squared), h=0.05",
            (lambda x: x / (1 + (x**2).mean(0)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), 0.05),
        ),
    )


def _difference_quotient(f, x, dy, h, *, forward=1, back=1, width=2):
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += forward * h
        below[index] -= back * h
        gradient[index] = (dy * (f(above) - f(below))).sum() / (width * h)
    return gradient


def _in_place(f, x, dy, h):
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h
        above = f(x)
        x[index] -= 2 * h
        gradient[index] = (dy * (above - f(x))).sum() / (2 * h)
    return gradient


def _unit(x, index):
    unit = np.zeros_like(x)
    unit[index] = 1
    return unit


@exercise(
    "central differences of sum(dy * f(x)), one entry at a time.",
    _numerical_cases(),
    Mistake(
        "forward difference",
        "a forward difference: its error falls with h, that of f(x + h) - f(x - h) with h squared.",
        lambda f, x, dy, h: _difference_quotient(f, x, dy, h, back=0, width=1),
    ),
    Mistake(
        "divided by h",
        "the step from x - h to x + h is 2h long: divide by 2h.",
        lambda f, x, dy, h: _difference_quotient(f, x, dy, h, width=1),
    ),
    Mistake(
        "half a step",
        "f(x + h) - f(x) is a step of h, not of 2h.",
        lambda f, x, dy, h: _difference_quotient(f, x, dy, h, back=0),
    ),
    Mistake(
        "dy forgotten",
        "dy is forgotten: this is the gradient of the sum of y, which batch normalization keeps at 0 whatever x is.",
        lambda f, x, dy, h: _difference_quotient(f, x, np.ones_like(dy), h),
    ),
    Mistake(
        "all at once",
        "all entries move at once. Move one at a time: another entry of y may follow it.",
        lambda f, x, dy, h: dy * (f(x + h) - f(x - h)) / (2 * h),
    ),
    Mistake(
        "own output only",
        "only the entry's own y is looked at. Batch normalization moves every y of the batch when one x moves: sum "
        "over all.",
        lambda f, x, dy, h: np.array(
            [
                [
                    (dy * (f(x + h * _unit(x, (i, j))) - f(x - h * _unit(x, (i, j)))))[i, j] / (2 * h)
                    for j in range(x.shape[1])
                ]
                for i in range(x.shape[0])
            ]
        ),
    ),
    Mistake("not put back", "the entry is not put back: x moved in place drifts by -h with each entry.", _in_place),
)
def numerical_gradient(f: Callable, x: np.ndarray, dy: np.ndarray, h: float) -> np.ndarray:
    """Return the gradient of sum(``dy`` * ``f(x)``) by ``x``, of the shape of x, by central differences of step ``h``.

    ``f`` maps arrays of shape (N, F) to such, ``dy`` has that shape too.
    """
    return _difference_quotient(f, x, dy, h)
