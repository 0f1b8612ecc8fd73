"""Exercises of the chapter on internal covariate shift."""

import numpy as np

from .engine import Case, Mistake, exercise


def _gradients():
    rng = np.random.default_rng(6)
    return [Case(f"{n} images, {d} units", (rng.normal(1, 2, (n, d)),)) for n, d in ((5, 3), (4, 6), (8, 2))]


@exercise(
    "what passes through a mean loses its own mean over the images, so a bias before it gets no gradient.",
    _gradients(),
    Mistake(
        "mean a constant",
        "the mean is taken for a constant. It moves with every z, and this is what makes the bias grow for ever.",
        lambda d: d.copy(),
    ),
    Mistake(
        "only the mean",
        "only the way through the mean is left. Each z also reaches its own z - mean directly, with slope 1.",
        lambda d: np.broadcast_to(-d.mean(0), d.shape).copy(),
    ),
    Mistake(
        "sum for mean",
        "the sum over the images is subtracted. The mean holds each z with weight 1/N only.",
        lambda d: d - d.sum(0),
    ),
    Mistake(
        "mean of an image",
        "the mean is taken over the units of one image. The centring was over the images of one unit.",
        lambda d: d - d.mean(1, keepdims=True),
    ),
    Mistake(
        "mean of all", "one mean for all units. Each unit was centred by a mean of its own.", lambda d: d - d.mean()
    ),
    Mistake(
        "sign",
        "the mean is added. The mean was subtracted on the way up, so its part of the gradient is negative.",
        lambda d: d + d.mean(0),
    ),
    Mistake(
        "N - 1",
        "the mean divides by N, not by N - 1: no degree of freedom is lost here.",
        lambda d: d - d.sum(0) / (len(d) - 1),
    ),
)
def through_the_mean(gradient: np.ndarray) -> np.ndarray:
    """Return dL/dz, (images, units), for x = z - mean of z over the images; ``gradient`` is dL/dx."""
    return gradient - gradient.mean(axis=0)
