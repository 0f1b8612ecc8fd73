"""Answers to the exercises of deep-networks-fail as readers write them, right and wrong."""

import numpy as np


def common(h):
    """The sum of squares that the images share: the mean picture, once an image."""
    return sum(np.square(np.mean(h, axis=0))) * len(h)


RIGHT = [("differing_share", lambda h: 1 - common(h) / np.sum(h * h))]

WRONG = [
    (
        "differing_share",
        "mean over the units",
        lambda h: 1 - sum(len(row) * np.mean(row) ** 2 for row in h) / np.sum(h * h),
    ),
    ("differing_share", "one mean for all", lambda h: np.var(h) / np.mean(h * h)),
    ("differing_share", "not squared", lambda h: np.sqrt(1 - common(h) / np.sum(h * h))),
    (
        "differing_share",
        "absolute values",
        lambda h: sum(sum(abs(row - np.mean(h, axis=0))) for row in h) / sum(map(sum, abs(h))),
    ),
    ("differing_share", "what is shared", lambda h: common(h) / np.sum(h * h)),
    ("differing_share", "share of each unit", lambda h: np.mean(np.var(h, axis=0) / np.mean(h * h, axis=0))),
    ("differing_share", "N - 1", lambda h: len(h) / (len(h) - 1) * (1 - common(h) / np.sum(h * h))),
]
