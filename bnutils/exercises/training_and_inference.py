"""Exercises of the chapter on training and inference."""

import math

import numpy as np

from .engine import Case, Mistake, exercise


@exercise(
    "the old statistics fade as fast per image, whatever the word and the batch size.",
    [
        Case(f"Keras {keras} at {n} images, wanted at {new_n}", (keras, n, new_n))
        for keras, n, new_n in ((0.99, 32, 64), (0.9, 64, 8), (0.5, 16, 48), (0.999, 100, 1000))
    ],
    Mistake(
        "batch size left out",
        "the batch size is left out: a batch twice as large is seen half as often, and forgets twice as much at a "
        "time.",
        lambda keras, n, new_n: 1 - keras,
    ),
    Mistake(
        "weight of the old",
        "this is the weight of the old value, as Keras counts. PyTorch counts the weight of the new one: one minus it.",
        lambda keras, n, new_n: keras ** (new_n / n),
    ),
    Mistake(
        "in proportion",
        "scaled in proportion. That is the first term only; what is kept multiplies from batch to batch, so take a "
        "power of it.",
        lambda keras, n, new_n: (1 - keras) * new_n / n,
    ),
    Mistake(
        "ratio upside down",
        "the ratio stands upside down: a larger batch has to forget more, not less.",
        lambda keras, n, new_n: 1 - keras ** (n / new_n),
    ),
    Mistake(
        "power of the new",
        "the power belongs to what is kept, not to what is new: 0.99 of 0.99 is kept after two batches.",
        lambda keras, n, new_n: (1 - keras) ** (new_n / n),
    ),
    Mistake(
        "as Keras counts",
        "Keras's number as it is: PyTorch would forget nearly everything with each batch.",
        lambda keras, n, new_n: keras,
    ),
)
def convert(keras: float, n: int, new_n: int) -> float:
    """Return PyTorch's momentum, a number, for batches of ``new_n`` images.

    It forgets as fast an image as the momentum ``keras``, in Keras's convention, at batches of ``n``.
    """
    return 1 - keras ** (new_n / n)


def _debias_cases():
    rng = np.random.default_rng(25)
    cases = []
    for momentum, t in ((0.1, 1), (0.3, 4), (0.01, 20)):
        k = (1 - momentum) ** t
        mean, var = rng.normal(2, 1, 3), rng.uniform(2, 4, 3)
        cases.append(Case(f"momentum={momentum}, t={t}", ((1 - k) * mean, k + (1 - k) * var, momentum, t)))
    return cases


@exercise(
    "right on average from the first batch on, for the mean and for the variance.",
    _debias_cases(),
    Mistake(
        "variance only divided",
        "the variance is only divided. It started at 1, not at 0: what is left of that 1, k^t, has to go first.",
        lambda mean, var, momentum, t: (mean / (1 - (1 - momentum) ** t), var / (1 - (1 - momentum) ** t)),
    ),
    Mistake(
        "mean started at 1",
        "the mean started at 0: nothing to subtract there.",
        lambda mean, var, momentum, t: (
            (mean - (1 - momentum) ** t) / (1 - (1 - momentum) ** t),
            debias.reference(mean, var, momentum, t)[1],
        ),
    ),
    Mistake(
        "momentum for 1 - momentum",
        "k is the weight of the old value, 1 - momentum. With momentum^t the start is gone after a step or two.",
        lambda mean, var, momentum, t: debias.reference(mean, var, 1 - momentum, t),
    ),
    Mistake(
        "not divided",
        "the start is subtracted, but the batches share 1 - k^t only: divide by it.",
        lambda mean, var, momentum, t: (mean, var - (1 - momentum) ** t),
    ),
    Mistake(
        "1 subtracted",
        "subtracted once and for all: of the initial 1 only k^t is left after t batches.",
        lambda mean, var, momentum, t: (mean / (1 - (1 - momentum) ** t), (var - 1) / (1 - (1 - momentum) ** t)),
    ),
    Mistake(
        "one batch more",
        "t batches, t factors: this is the correction for one batch more.",
        lambda mean, var, momentum, t: debias.reference(mean, var, momentum, t + 1),
    ),
)
def debias(mean: np.ndarray, var: np.ndarray, momentum: float, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the running (mean, var), each (F,), without what is left of their start at 0 and 1 after ``t`` batches."""
    k = (1 - momentum) ** t
    return mean / (1 - k), (var - k) / (1 - k)


@exercise(
    "k^t falls to any share in log(share) / log(k) steps: about 2.3 / momentum for a tenth.",
    [
        Case(f"momentum={momentum}, share={share}", (momentum, share))
        for momentum, share in ((0.1, 0.01), (0.01, 0.05), (0.001, 0.5), (0.5, 0.3), (0.3, 0.05))
    ],
    Mistake(
        "momentum for 1 - momentum",
        "the start keeps the factor 1 - momentum at each step, not momentum.",
        lambda momentum, share: math.ceil(math.log(share) / math.log(momentum)),
    ),
    Mistake(
        "rounded down",
        "rounded down: after that many steps more than the share is left.",
        lambda momentum, share: math.floor(math.log(share) / math.log(1 - momentum)),
    ),
    Mistake(
        "memory",
        "1/momentum is the memory of the average, the steps until 1/e is left. The share asked for is another.",
        lambda momentum, share: math.ceil(1 / momentum),
    ),
    Mistake(
        "one too many",
        "one too many: one step earlier is enough already.",
        lambda momentum, share: math.ceil(math.log(share) / math.log(1 - momentum)) + 1,
    ),
    Mistake(
        "log taken as linear",
        "log(1 - momentum) is taken as -momentum. That is close for a small momentum, and too slow for a large one.",
        lambda momentum, share: math.ceil(-math.log(share) / momentum),
    ),
    Mistake(
        "not whole",
        "a number of steps is whole: round up.",
        lambda momentum, share: math.log(share) / math.log(1 - momentum),
    ),
)
def forget(momentum: float, share: float) -> int:
    """Return the smallest integer number of steps after which at most ``share`` of the start is left."""
    return math.ceil(math.log(share) / math.log(1 - momentum))


def _affine_cases():
    rng = np.random.default_rng(26)
    return [
        Case(
            f"3 features, eps={eps:g}",
            (rng.normal(0, 3, 3), rng.uniform(0.2, 4, 3), rng.normal(size=3), rng.normal(size=3), eps),
        )
        for eps in (1e-5, 0.1, 1.0)
    ]


@exercise(
    "one multiplication and one addition a value, the same for every batch.",
    _affine_cases(),
    Mistake(
        "eps forgotten",
        "eps is forgotten: the layer divides by sqrt(var + eps), and so does the map.",
        lambda mean, var, gamma, beta, eps: affine.reference(mean, var, gamma, beta, 0.0),
    ),
    Mistake(
        "mean not scaled",
        "the mean is subtracted before it is scaled, so it comes out scaled: b = beta - a * mean.",
        lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), beta - mean),
    ),
    Mistake(
        "sign of the mean",
        "the mean has the wrong sign: it is subtracted from x.",
        lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), beta + gamma / np.sqrt(var + eps) * mean),
    ),
    Mistake(
        "beta scaled",
        "beta is scaled too. It is added after the scaling.",
        lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), gamma / np.sqrt(var + eps) * (beta - mean)),
    ),
    Mistake(
        "root forgotten",
        "the root is forgotten: divide by sqrt(var + eps), not by var + eps.",
        lambda mean, var, gamma, beta, eps: (gamma / (var + eps), beta - gamma / (var + eps) * mean),
    ),
    Mistake(
        "gamma left out of the shift",
        "gamma is left out of the shift: gamma multiplies x - mean, the mean included.",
        lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), beta - mean / np.sqrt(var + eps)),
    ),
)
def affine(
    mean: np.ndarray, var: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (a, b), each (F,), with a * x + b equal to BN of these fixed statistics, all of them (F,)."""
    a = gamma / np.sqrt(var + eps)
    return a, beta - a * mean
