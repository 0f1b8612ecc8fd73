"""Answers to the exercises of training-and-inference as readers write them, right and wrong."""

import math

import numpy as np


def by_steps(momentum, share, *, first=0):
    left, t = 1.0, first
    while left > share:
        left, t = left * (1 - momentum), t + 1
    return t


def without_start(mean, var, kept, *, of_mean=0.0, of_var=1.0):
    """An average less what is left of a start, shared out again."""
    return [(mean - kept * of_mean) / (1 - kept), (var - kept * of_var) / (1 - kept)]


def line_through(gamma, beta, mean, std):
    """Slope and intercept from the values at 0 and 1."""
    at_0, at_1 = (gamma * (x - mean) / std + beta for x in (0, 1))
    return at_1 - at_0, at_0


RIGHT = [
    ("convert", lambda keras, n, new_n: -math.expm1(new_n / n * math.log(keras))),
    ("debias", lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** t)),
    ("forget", by_steps),
    ("affine", lambda mean, var, gamma, beta, eps: line_through(gamma, beta, mean, np.sqrt(var + eps))),
]

WRONG = [
    ("convert", "batch size left out", lambda keras, n, new_n: 1.0 - np.float64(keras)),
    ("convert", "weight of the old", lambda keras, n, new_n: math.exp(math.log(keras) * new_n / n)),
    ("convert", "in proportion", lambda keras, n, new_n: new_n / n - keras * new_n / n),
    ("convert", "ratio upside down", lambda keras, n, new_n: -math.expm1(math.log(keras) / new_n * n)),
    ("convert", "power of the new", lambda keras, n, new_n: math.exp(math.log(1 - keras) * new_n / n)),
    ("convert", "as Keras counts", lambda keras, n, new_n: keras + 0 * n),
    (
        "debias",
        "variance only divided",
        lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** t, of_var=0),
    ),
    (
        "debias",
        "mean started at 1",
        lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** t, of_mean=1),
    ),
    ("debias", "momentum for 1 - momentum", lambda mean, var, momentum, t: without_start(mean, var, momentum**t)),
    ("debias", "not divided", lambda mean, var, momentum, t: (mean * 1.0, var - math.exp(t * math.log(1 - momentum)))),
    (
        "debias",
        "1 subtracted",
        lambda mean, var, momentum, t: (
            mean / (1 - (1 - momentum) ** t),
            var / (1 - (1 - momentum) ** t) - 1 / (1 - (1 - momentum) ** t),
        ),
    ),
    ("debias", "one batch more", lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** (t + 1))),
    ("forget", "momentum for 1 - momentum", lambda momentum, share: by_steps(1 - momentum, share)),
    ("forget", "rounded down", lambda momentum, share: by_steps(momentum, share) - 1),
    ("forget", "memory", lambda momentum, share: int(np.ceil(1 / momentum))),
    ("forget", "one too many", lambda momentum, share: by_steps(momentum, share, first=1)),
    ("forget", "log taken as linear", lambda momentum, share: int(np.ceil(np.log(1 / share) / momentum))),
    ("forget", "not whole", lambda momentum, share: math.log(share, 1 - momentum)),
    ("affine", "eps forgotten", lambda mean, var, gamma, beta, eps: line_through(gamma, beta, mean, np.sqrt(var))),
    ("affine", "mean not scaled", lambda mean, var, gamma, beta, eps: (gamma * (var + eps) ** -0.5, -mean + beta)),
    (
        "affine",
        "sign of the mean",
        lambda mean, var, gamma, beta, eps: line_through(gamma, beta, -mean, np.sqrt(var + eps)),
    ),
    (
        "affine",
        "beta scaled",
        lambda mean, var, gamma, beta, eps: line_through(
            gamma, gamma * beta / np.sqrt(var + eps), mean, np.sqrt(var + eps)
        ),
    ),
    ("affine", "root forgotten", lambda mean, var, gamma, beta, eps: line_through(gamma, beta, mean, var + eps)),
    (
        "affine",
        "gamma left out of the shift",
        lambda mean, var, gamma, beta, eps: (
            line_through(gamma, beta, mean, np.sqrt(var + eps))[0],
            line_through(1, beta, mean, np.sqrt(var + eps))[1],
        ),
    ),
]
