"""Answers to the exercises of internal-covariate-shift as readers write them, right and wrong."""

import numpy as np


def by_matrix(g):
    """Centring is a matrix, and its own transpose."""
    n = len(g)
    return (np.eye(n) - np.ones((n, n)) / n) @ g


RIGHT = [("through_the_mean", by_matrix)]

WRONG = [
    ("through_the_mean", "mean a constant", lambda g: 1 * g),
    ("through_the_mean", "only the mean", lambda g: -np.ones((len(g), 1)) @ g.mean(0, keepdims=True)),
    ("through_the_mean", "sum for mean", lambda g: g - np.ones((1, len(g))) @ g),
    ("through_the_mean", "mean of an image", lambda g: (g.T - g.T.mean(0)).T),
    ("through_the_mean", "mean of all", lambda g: g - np.average(g)),
    ("through_the_mean", "sign", lambda g: g - (-g.mean(0))),
    ("through_the_mean", "N - 1", lambda g: g - g.mean(0) * len(g) / (len(g) - 1)),
]
