"""Exercises of the chapter on deep networks that fail."""

import numpy as np

from .engine import Case, Mistake, exercise


def _share_cases():
    rng = np.random.default_rng(70)
    return (
        Case("6 images, 4 units", (rng.normal(1.5, 1, size=(6, 4)),)),
        Case("5 images, 5 units, nearly equal rows", (rng.normal(size=5) + 1e-3 * rng.normal(size=(5, 5)),)),
        Case("4 images, 7 units of different sizes", (np.array([1, 2, 5, 0.1, 3, 1, 8]) * rng.normal(size=(4, 7)),)),
    )


def _off_mean(h, axis=0):
    return h - h.mean(axis, keepdims=True)


@exercise(
    "0 means that all images look alike to a layer; what they share does not count as signal.",
    _share_cases(),
    Mistake(
        "mean over the units",
        "the mean of each image over its units is subtracted. Two images that are equal keep all of their pattern that "
        "way: subtract the mean of each unit over the images, axis 0.",
        lambda h: (_off_mean(h, 1) ** 2).sum() / (h**2).sum(),
    ),
    Mistake(
        "one mean for all",
        "one mean of all numbers is subtracted. A unit that says 5 to every image and another that says 2 are no "
        "difference between images: each unit has a mean of its own.",
        lambda h: ((h - h.mean()) ** 2).sum() / (h**2).sum(),
    ),
    Mistake(
        "not squared",
        "lengths are compared, the root of what is asked. Shares of squares add up to 1 with what the images have in "
        "common; shares of lengths do not.",
        lambda h: np.linalg.norm(_off_mean(h)) / np.linalg.norm(h),
    ),
    Mistake(
        "absolute values",
        "absolute values are summed. The share asked for is one of squares.",
        lambda h: np.abs(_off_mean(h)).sum() / np.abs(h).sum(),
    ),
    Mistake(
        "what is shared",
        "this is what the images have in common. Its complement to 1 is what differs.",
        lambda h: len(h) * (h.mean(0) ** 2).sum() / (h**2).sum(),
    ),
    Mistake(
        "share of each unit",
        "a share is taken in each unit and then averaged, so a unit that is almost silent counts as much as a loud "
        "one. Sum over all units first.",
        lambda h: ((_off_mean(h) ** 2).sum(0) / (h**2).sum(0)).mean(),
    ),
    Mistake(
        "N - 1",
        "the squares above are divided by N - 1, those below by N. A share compares two sums over the same images.",
        lambda h: h.var(0, ddof=1).sum() / (h**2).mean(0).sum(),
    ),
)
def differing_share(h: np.ndarray) -> float:
    """Return which share of the sum of squares of ``h`` (images, units) is left without each unit's mean."""
    return (_off_mean(h) ** 2).sum() / (h**2).sum()
