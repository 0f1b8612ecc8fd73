"""Answers to the exercises of convolution as readers write them, right and wrong."""

import numpy as np

from bnutils.scratch import norm


def kernel_by_loops(x, dy, border=0):
    """Position by position, as the definition reads; ``border`` rows and columns of dy are left out."""
    n, h, w = x.shape
    kernel = np.zeros((3, 3))
    for image in range(n):
        for i in range(border, h - border):
            for j in range(border, w - border):
                for a in range(3):
                    for b in range(3):
                        if 0 <= i + a - 1 < h and 0 <= j + b - 1 < w:
                            kernel[a, b] += dy[image, i, j] * x[image, i + a - 1, j + b - 1]
    return kernel


RIGHT = [
    (
        "normalise_images",
        lambda x, eps: np.stack(
            [(x[..., k] - x[..., k].mean()) / np.sqrt(x[..., k].var() + eps) for k in range(x.shape[-1])], axis=-1
        ),
    ),
    ("worth_of_an_image", lambda x: 1 + x.var((2, 3)).mean(0) / x.mean((2, 3)).var(0)),
    ("worth_of_an_image", lambda x: norm.effective_positions(x)),
    ("kernel_gradient", kernel_by_loops),
]

WRONG = [
    ("normalise_images", "a position", lambda x, eps: (x - x.mean(0)) / np.sqrt(np.var(x, 0) + eps)),
    (
        "normalise_images",
        "an image",
        lambda x, eps: np.stack([(i - i.mean((0, 1))) / np.sqrt(i.var((0, 1)) + eps) for i in x]),
    ),
    (
        "normalise_images",
        "channels first",
        lambda x, eps: np.stack(
            [(x[:, i] - x[:, i].mean()) / np.sqrt(x[:, i].var() + eps) for i in range(x.shape[1])], axis=1
        ),
    ),
    ("normalise_images", "one pair for all", lambda x, eps: (x - x.mean()) / np.sqrt(np.var(x) + eps)),
    ("normalise_images", "layer norm", lambda x, eps: np.stack([(i - i.mean()) / np.sqrt(i.var() + eps) for i in x])),
    (
        "normalise_images",
        "eps outside the root",
        lambda x, eps: (x - x.mean((0, 1, 2))) / (np.sqrt(x.var((0, 1, 2))) + eps),
    ),
    ("worth_of_an_image", "upside down", lambda x: np.var(x.mean((2, 3)), 0) / np.var(x, (0, 2, 3))),
    ("worth_of_an_image", "standard deviations", lambda x: np.sqrt(np.var(x, (0, 2, 3)) / np.var(x.mean((2, 3)), 0))),
    ("worth_of_an_image", "within images", lambda x: np.var(x, (0, 2, 3)) / np.var(x.mean((2, 3)), 0) - 1),
    ("worth_of_an_image", "positions counted", lambda x: [float(x[0, 0].size)] * x.shape[1]),
    ("worth_of_an_image", "times the images", lambda x: np.var(x, (0, 2, 3)) / np.var(x.mean((2, 3)), 0) * x.shape[0]),
    ("worth_of_an_image", "channels together", lambda x: np.var(x) / np.var(x.mean((1, 2, 3)))),
    ("kernel_gradient", "flipped", lambda x, dy: kernel_by_loops(x, dy)[::-1, ::-1]),
    ("kernel_gradient", "rows and columns", lambda x, dy: kernel_by_loops(x, dy).T),
    ("kernel_gradient", "mean for sum", lambda x, dy: kernel_by_loops(x, dy) / x.size),
    ("kernel_gradient", "divided by N", lambda x, dy: kernel_by_loops(x, dy) / x.shape[0]),
    ("kernel_gradient", "border left out", lambda x, dy: kernel_by_loops(x, dy, border=1)),
]
