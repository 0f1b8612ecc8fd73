"""Exercises of the chapter on convolution."""

import numpy as np

from .engine import Case, Mistake, exercise


def _image_cases():
    rng = np.random.default_rng(63)
    scale = np.array([1.0, 20.0, 0.1])
    return (
        Case("4 images of 5 by 6, 3 channels, eps=1e-5", (rng.normal(2, 1, (4, 5, 6, 3)) * scale, 1e-5)),
        Case("1 image of 3 by 3, 2 channels, eps=0.5", (rng.normal(size=(1, 3, 3, 2)), 0.5)),
    )


def _over(x, eps, axis):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


@exercise(
    "every channel has mean 0 and variance v/(v + eps) over images, rows and columns.",
    _image_cases(),
    Mistake(
        "a position",
        "one pair of statistics a position. A convolution looks for the same thing everywhere: average over rows and "
        "columns too.",
        lambda x, eps: _over(x, eps, 0),
    ),
    Mistake(
        "an image",
        "one pair of statistics an image and channel. That is instance norm; batch norm averages over the images too.",
        lambda x, eps: _over(x, eps, (1, 2)),
    ),
    Mistake(
        "channels first",
        "the axes are those of (N, C, H, W). Here the channel comes last: average over axes 0, 1 and 2.",
        lambda x, eps: _over(x, eps, (0, 2, 3)),
    ),
    Mistake(
        "one pair for all",
        "one pair of statistics for everything. Each channel has its own.",
        lambda x, eps: _over(x, eps, None),
    ),
    Mistake(
        "layer norm",
        "the statistics run over the channels of one image. That is layer norm.",
        lambda x, eps: _over(x, eps, (1, 2, 3)),
    ),
    Mistake(
        "eps outside the root",
        "eps stands outside the root. It belongs to the variance: sqrt(var + eps).",
        lambda x, eps: (x - x.mean((0, 1, 2))) / (x.std((0, 1, 2)) + eps),
    ),
)
def normalise_images(x: np.ndarray, eps: float) -> np.ndarray:
    """Return x_hat for images ``x`` of shape (N, H, W, C), one pair of statistics a channel; ``eps`` is a number."""
    return _over(x, eps, (0, 1, 2))


def _worth_cases():
    rng = np.random.default_rng(64)
    noise = rng.normal(size=(20, 2, 4, 5))
    return (
        Case("20 images of noise, 2 channels, 4 by 5", (noise,)),
        Case("the same with a brightness of its own added to each image", (noise + rng.normal(3, 1, (20, 2, 1, 1)),)),
    )


def _total(x):
    return x.var(axis=(0, 2, 3))


@exercise(
    "p is the variance of all values of a channel over the variance of its image means.",
    _worth_cases(),
    Mistake(
        "upside down",
        "the ratio is upside down. The less the image means vary, the more an image is worth.",
        lambda x: x.mean(axis=(2, 3)).var(axis=0) / _total(x),
    ),
    Mistake(
        "standard deviations",
        "a ratio of standard deviations. Variances add, so it is a ratio of variances.",
        lambda x: x.std(axis=(0, 2, 3)) / x.mean(axis=(2, 3)).std(axis=0),
    ),
    Mistake(
        "within images",
        "the variance within the images, over that of their means. The variance of all values has both parts: yours "
        "is p - 1.",
        lambda x: x.var(axis=(2, 3)).mean(axis=0) / x.mean(axis=(2, 3)).var(axis=0),
    ),
    Mistake(
        "positions counted",
        "the number of positions. That is right for uncorrelated positions only.",
        lambda x: np.full(x.shape[1], x.shape[2] * x.shape[3], float),
    ),
    Mistake(
        "times the images",
        "multiplied by the number of images. p is what one image is worth.",
        lambda x: len(x) * _total(x) / x.mean(axis=(2, 3)).var(axis=0),
    ),
    Mistake(
        "channels together",
        "all channels together. Each channel has its own p.",
        lambda x: np.asarray(x.var() / x.mean(axis=(1, 2, 3)).var()),
    ),
)
def worth_of_an_image(x: np.ndarray) -> np.ndarray:
    """Return p, the number of independent values an image is worth, (C,), for images ``x`` of shape (N, C, H, W)."""
    return _total(x) / x.mean(axis=(2, 3)).var(axis=0)


def _kernel_cases():
    rng = np.random.default_rng(65)
    return (
        Case("2 images of 5 by 5", (rng.normal(size=(2, 5, 5)), rng.normal(size=(2, 5, 5)))),
        Case("3 images of 4 by 6", (rng.normal(size=(3, 4, 6)), rng.normal(size=(3, 4, 6)))),
    )


def _kernel(x, dy, edge=1, reduce=np.sum):
    _, h, w = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    return np.array(
        [
            [
                reduce(
                    dy[:, 1 - edge : h - 1 + edge, 1 - edge : w - 1 + edge]
                    * padded[:, a + 1 - edge : a + h - 1 + edge, b + 1 - edge : b + w - 1 + edge]
                )
                for b in range(3)
            ]
            for a in range(3)
        ]
    )


@exercise(
    "each weight of the kernel collects dy times the value it saw, over all positions and images.",
    _kernel_cases(),
    Mistake(
        "flipped",
        "the kernel is flipped. Weight (a, b) saw the padded image shifted by (a, b); the flip belongs to the "
        "gradient of x.",
        lambda x, dy: _kernel(x, dy)[::-1, ::-1],
    ),
    Mistake(
        "rows and columns",
        "rows and columns of the kernel are exchanged. Weight (a, b) belongs to row a, column b.",
        lambda x, dy: _kernel(x, dy).T,
    ),
    Mistake(
        "mean for sum",
        "a mean over images and positions. The kernel is used at every one of them: its gradient is a sum.",
        lambda x, dy: _kernel(x, dy, reduce=np.mean),
    ),
    Mistake(
        "divided by N",
        "divided by the number of images. The loss has divided already: dy carries the 1/N.",
        lambda x, dy: _kernel(x, dy) / len(x),
    ),
    Mistake(
        "border left out",
        "the positions at the border are left out. There the kernel sees padded zeros, and its other weights see "
        "values.",
        lambda x, dy: _kernel(x, dy, edge=0),
    ),
)
def kernel_gradient(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Return the gradient (3, 3) of the kernel of a convolution with zeros around; ``x`` and ``dy`` are (N, H, W)."""
    return _kernel(x, dy)
