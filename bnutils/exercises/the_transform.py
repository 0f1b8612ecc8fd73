"""Exercises of the chapter on the transform."""

import math

import numpy as np

from ..scratch import norm
from .engine import Case, Mistake, exercise


def _standardise_cases():
    rng = np.random.default_rng(20)
    plain = rng.normal(3, 2, (6, 4))
    flat = rng.normal(-1, 5, (5, 3))
    flat[:, 1] = 2.0
    # multiples of 1/16 around 2^13: sums and rounded squares come out the same in any order, so E[x^2] - E[x]^2 is 0
    large = (2.0**13 + rng.integers(-16, 17, (8, 3)) / 16).astype(np.float32)
    return (
        Case("6 values, 4 features, eps=1e-5", (plain, 1e-5)),
        Case("5 values, 3 features, one of them constant, eps=0.1", (flat, 0.1)),
        Case("8 values, 3 features, float32, mean near 8192, eps=1e-5", (large, 1e-5)),
    )


def _standardise(x, eps, *, axis=0, ddof=0):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True, ddof=ddof) + x.dtype.type(eps))


@exercise(
    "every feature has mean 0 and variance v/(v + eps), also at a mean of 8192 in float32.",
    _standardise_cases(),
    Mistake(
        "over N - 1",
        "the variance is divided by N - 1. BN uses the biased one, over N: it describes this batch, it estimates "
        "nothing.",
        lambda x, eps: _standardise(x, eps, ddof=1),
    ),
    Mistake(
        "eps outside the root",
        "eps stands outside the root. It belongs to the variance: sqrt(var + eps), not sqrt(var) + eps.",
        lambda x, eps: (x - x.mean(0)) / (x.std(0) + x.dtype.type(eps)),
    ),
    Mistake(
        "over the features",
        "the statistics run over the features of one example: that is layer norm. BN averages over the batch, axis 0.",
        lambda x, eps: _standardise(x, eps, axis=1),
    ),
    Mistake(
        "one pair for all",
        "one mean and one variance for all features together. BN takes a pair for each feature: average over axis 0 "
        "only.",
        lambda x, eps: _standardise(x, eps, axis=None),
    ),
    Mistake(
        "eps missing",
        "eps is missing. Without it a constant feature is 0/0.",
        lambda x, eps: (x - x.mean(0)) / x.std(0),
    ),
    Mistake("not scaled", "centred, but not scaled. Divide by sqrt(var + eps) as well.", lambda x, eps: x - x.mean(0)),
    Mistake(
        "not centred",
        "scaled, but not centred. Subtract the mean first.",
        lambda x, eps: x / np.sqrt(x.var(0) + x.dtype.type(eps)),
    ),
    Mistake(
        "root forgotten",
        "divided by the variance. Its unit is that of x squared: take the root.",
        lambda x, eps: (x - x.mean(0)) / (x.var(0) + x.dtype.type(eps)),
    ),
    Mistake(
        "single pass",
        "the variance is E[x^2] - E[x]^2. In float32 at a mean of 8192 the two are equal to the last digit and "
        "nothing is left: centre first, then square.",
        lambda x, eps: (x - x.mean(0)) / np.sqrt((x**2).mean(0) - x.mean(0) ** 2 + x.dtype.type(eps)),
    ),
)
def standardise(x: np.ndarray, eps: float) -> np.ndarray:
    """Return x_hat, the batch ``x`` (N, F) standardised over axis 0, of the same type; ``eps`` is a number."""
    return norm.batch_norm(x, np.ones(x.shape[1]), np.zeros(x.shape[1]), eps=eps)[0]


def _undo_cases():
    rng = np.random.default_rng(21)
    return [
        Case(f"3 features, eps={eps:g}", (rng.normal(0, 3, 3), rng.uniform(0.2, 4, 3), eps)) for eps in (1e-5, 0.1, 1.0)
    ]


@exercise(
    "with given statistics, this gamma and beta make batch normalization the identity, exactly.",
    _undo_cases(),
    Mistake(
        "eps forgotten",
        "eps is forgotten: x was divided by sqrt(var + eps), so gamma = sqrt(var) leaves a factor below 1.",
        lambda mean, var, eps: (np.sqrt(var), mean),
    ),
    Mistake(
        "divided again",
        "gamma divides once more. BN has divided by the standard deviation; to undo that, multiply by it.",
        lambda mean, var, eps: (1 / np.sqrt(var + eps), mean),
    ),
    Mistake(
        "sign of beta",
        "beta has the wrong sign. BN has subtracted the mean; to undo that, add it.",
        lambda mean, var, eps: (np.sqrt(var + eps), -mean),
    ),
    Mistake(
        "beta over std",
        "beta = -mean/std is the shift of BN itself, written as one affine map. To undo it, add the mean.",
        lambda mean, var, eps: (np.sqrt(var + eps), -mean / np.sqrt(var + eps)),
    ),
    Mistake(
        "not inverted",
        "these are the scale and shift of BN itself, 1/std and -mean/std. The inverse map is asked for.",
        lambda mean, var, eps: (1 / np.sqrt(var + eps), -mean / np.sqrt(var + eps)),
    ),
    Mistake(
        "root forgotten",
        "the root is forgotten: x was divided by sqrt(var + eps), not by var + eps.",
        lambda mean, var, eps: (var + eps, mean),
    ),
    Mistake(
        "beta scaled",
        "beta is multiplied by gamma once too often: it is added after the scaling, in the units of x.",
        lambda mean, var, eps: (np.sqrt(var + eps), mean * np.sqrt(var + eps)),
    ),
)
def undo(mean: np.ndarray, var: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (gamma, beta) that make BN with fixed ``mean`` and ``var`` the identity, all of them (F,)."""
    return np.sqrt(var + eps), mean


@exercise(
    "the noise of the mean falls as 1/sqrt(N): half the noise costs four times the batch.",
    [Case(f"noise={noise}", (noise,)) for noise in (0.5, 0.25, 0.125, 0.3, 0.15, 0.07, 0.6)],
    Mistake(
        "square forgotten",
        "the square is forgotten: the standard deviation falls as 1/sqrt(N), not as 1/N.",
        lambda noise: math.ceil(1 / noise),
    ),
    Mistake(
        "rounded down",
        "rounded down: that batch is one too small, its noise is still above the bound.",
        lambda noise: math.floor(1 / noise**2),
    ),
    Mistake(
        "noise of the std",
        "1/(2 noise^2) bounds the noise of the standard deviation. For the mean there is no 2.",
        lambda noise: math.ceil(1 / (2 * noise**2)),
    ),
    Mistake(
        "one too many",
        "one too many: the next batch size down already meets the bound.",
        lambda noise: math.ceil(1 / noise**2) + 1,
    ),
    Mistake(
        "equality excluded",
        "equality counts: the noise may be equal to the bound, so at noise=0.5 a batch of 4 is enough.",
        lambda noise: math.floor(1 / noise**2) + 1,
    ),
    Mistake("not whole", "a batch has a whole number of examples: round up.", lambda noise: 1 / noise**2),
)
def batch_size(noise: float) -> int:
    """Return the smallest integer N with std(mu_B) <= ``noise`` * sigma, for independent values."""
    return math.ceil(1 / noise**2)


def _c_unbiased(n):
    return norm.mean_of_std(n) * math.sqrt(n / (n - 1))  # E of the standard deviation taken over N - 1


@exercise(
    "exact at every N, where 1/sqrt(2N) is 17 % too large at N = 2.",
    [Case(f"n={n}", (n,)) for n in (2, 3, 8, 32, 128)],
    Mistake(
        "law for large n",
        "1/sqrt(2n) is the law for large n. The exact one needs E[sigma_B] = c.",
        lambda n: 1 / math.sqrt(2 * n),
    ),
    Mistake(
        "variance taken as 1",
        "E[sigma_B^2] is taken as 1. The biased variance is (n-1)/n on average.",
        lambda n: math.sqrt(1 - norm.mean_of_std(n) ** 2),
    ),
    Mistake(
        "centre taken as 1",
        "E[sigma_B] is taken as 1, so the squared deviation is taken from the wrong centre. It is c, below 1.",
        lambda n: math.sqrt((n - 1) / n + 1 - 2 * norm.mean_of_std(n)),
    ),
    Mistake(
        "over N - 1",
        "this is the law of the standard deviation over N - 1. BN divides by N.",
        lambda n: math.sqrt(1 - _c_unbiased(n) ** 2),
    ),
    Mistake(
        "root forgotten",
        "this is the variance of sigma_B. Its root is asked for.",
        lambda n: (n - 1) / n - norm.mean_of_std(n) ** 2,
    ),
    Mistake("noise of the mean", "1/sqrt(n) is the noise of the mean.", lambda n: 1 / math.sqrt(n)),
)
def noise_of_std(n: int) -> float:
    """Return the exact standard deviation of sigma_B, a number, for ``n`` Gaussian values with sigma = 1."""
    return norm.std_of_std(n)
