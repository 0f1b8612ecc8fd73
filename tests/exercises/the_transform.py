"""Answers to the exercises of the-transform as readers write them, right and wrong."""

import math

import numpy as np


def c(n):
    """E[sigma_B] for Gaussian values, by the gamma function itself."""
    return math.sqrt(2 / n) * math.gamma(n / 2) / math.gamma((n - 1) / 2)


def layer_norm(x, eps):
    return ((x.T - x.mean(1)) / np.sqrt(x.var(1) + eps)).T


def single_pass(x, eps):
    return (x - x.mean(axis=0)) / ((x * x).mean(axis=0) - np.square(x.mean(axis=0)) + np.float32(eps)) ** 0.5


def single_pass_by_sums(x, eps):
    n = len(x)
    mean = sum(x) / n
    return (x - mean) / np.sqrt(np.maximum(sum(row**2 for row in x) / n - mean**2, 0) + eps).astype(x.dtype)


def over_n_minus_one(x, eps):
    centred = x - sum(x) / len(x)
    return centred / np.sqrt((centred**2).sum(0) / (len(x) - 1) + eps)


def first_n(noise):
    n = 1
    while 1 / math.sqrt(n) >= noise:  # >=: equality should have been enough
        n += 1
    return n


def by_loops(x, eps):
    out = np.empty_like(x)
    for k in range(x.shape[1]):
        column = x[:, k].astype(float)
        out[:, k] = (column - column.mean()) / math.sqrt(column.var() + eps)
    return out


def smallest_by_search(noise):
    return next(n for n in range(1, 10**6) if n**-0.5 <= noise)


RIGHT = [
    ("standardise", by_loops),
    ("standardise", lambda x, eps: ((x - x.mean(0)) / np.sqrt(x.var(0) + eps)).tolist()),
    ("standardise", lambda x, eps: (x - x.mean(0)) * (np.mean((x - x.mean(0)) ** 2, axis=0) + eps) ** -0.5),
    ("undo", lambda mean, var, eps: [np.sqrt(var + eps), +mean]),
    ("undo", lambda mean, var, eps: (((var + eps) ** 0.5).tolist(), list(mean))),
    ("batch_size", smallest_by_search),
    ("batch_size", lambda noise: np.ceil(noise**-2.0)),
    ("noise_of_std", lambda n: np.sqrt(1 - 1 / n - c(n) ** 2)),
]

WRONG = [
    ("standardise", "over N - 1", over_n_minus_one),
    ("standardise", "eps outside the root", lambda x, eps: (x - np.mean(x, 0)) / (np.std(x, 0) + eps)),
    ("standardise", "over the features", layer_norm),
    ("standardise", "one pair for all", lambda x, eps: (x - np.mean(x)) / np.sqrt(np.var(x) + eps)),
    ("standardise", "eps missing", lambda x, eps: (x - np.mean(x, 0)) / np.sqrt(np.var(x, 0))),
    ("standardise", "not scaled", lambda x, eps: x - np.mean(x, axis=0)),
    ("standardise", "not centred", lambda x, eps: x / np.sqrt(np.var(x, axis=0) + eps)),
    (
        "standardise",
        "root forgotten",
        lambda x, eps: (x - np.mean(x, 0)) / (np.square(x - np.mean(x, 0)).mean(0) + eps),
    ),
    ("standardise", "single pass", single_pass),
    ("standardise", "single pass", single_pass_by_sums),
    ("undo", "eps forgotten", lambda mean, var, eps: (var**0.5, mean)),
    ("undo", "divided again", lambda mean, var, eps: [(var + eps) ** -0.5, mean]),
    ("undo", "sign of beta", lambda mean, var, eps: (np.sqrt(var + eps), 0 - mean)),
    ("undo", "beta over std", lambda mean, var, eps: (np.sqrt(var + eps), -mean / np.sqrt(var + eps))),
    ("undo", "not inverted", lambda mean, var, eps: ((var + eps) ** -0.5, -mean * (var + eps) ** -0.5)),
    ("undo", "root forgotten", lambda mean, var, eps: (eps + var, mean)),
    ("undo", "beta scaled", lambda mean, var, eps: (np.sqrt(var + eps), np.sqrt(var + eps) * mean)),
    ("batch_size", "square forgotten", lambda noise: int(np.ceil(1 / noise))),
    ("batch_size", "rounded down", lambda noise: int(noise**-2)),
    ("batch_size", "noise of the std", lambda noise: math.ceil(0.5 / noise**2)),
    ("batch_size", "one too many", lambda noise: -int(-(1 / noise**2) // 1) + 1),
    ("batch_size", "equality excluded", first_n),
    ("batch_size", "not whole", lambda noise: 1 / noise / noise),
    ("noise_of_std", "law for large n", lambda n: (2 * n) ** -0.5),
    ("noise_of_std", "variance taken as 1", lambda n: np.sqrt(1 - c(n) ** 2)),
    ("noise_of_std", "centre taken as 1", lambda n: np.sqrt((n - 1) / n - 2 * c(n) + 1)),
    ("noise_of_std", "over N - 1", lambda n: np.sqrt(1 - n / (n - 1) * c(n) ** 2)),
    ("noise_of_std", "root forgotten", lambda n: (n - 1) / n - c(n) ** 2),
    ("noise_of_std", "noise of the mean", lambda n: n**-0.5),
]
