"""Convolution and pooling of images, forward and backward: the same kernel at every place, as one matrix product.

Pairs of functions like those in ``layers``. Images are (N, C, H, W), or (N, H, W, C) with ``layout="NHWC"``; a kernel
is (out, in, kh, kw) in both, as in PyTorch. As there, "convolution" does not flip the kernel: it is a
cross-correlation.

Inside, the channels come first, in memory too: (C, N, H, W). That makes the pixels of all images the columns of one
matrix, and the statistics of a channel sums over one run of memory. What is returned is a view with its axes in the
order asked for.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .layers import _floats, _parameters
from .norm import _upstream

CHANNELS_FIRST = {"NCHW": (1, 0, 2, 3), "NHWC": (3, 0, 1, 2)}           # where C, N, H, W are found
GIVEN_BACK = {"NCHW": (1, 0, 2, 3), "NHWC": (1, 2, 3, 0)}               # and where they go


def conv2d(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, *, stride: int = 1, padding: int = 0,
           layout: str = "NCHW") -> tuple[np.ndarray, tuple]:
    """Slide a kernel over every image, and take a weighted sum of all channels of the pixels that it covers.

    y[n, o, i, j] = bias[o] + sum over c, a, b of weight[o, c, a, b] x[n, c, stride i + a, stride j + b]. Every patch
    that the kernel covers becomes a column of a matrix (in kh kw, N H' W'), "im2col". The kernel, one row an output
    channel, times this matrix is the convolution.

    Parameters
    ----------
    x
        (N, in, H, W) float array, or (N, H, W, in)
    weight
        (out, in, kh, kw) in either layout
    bias
        (out,), or None for none
    stride : int
        the step of the kernel, in pixels
    padding : int
        zeros added on each of the four sides
    layout : str
        ``"NCHW"`` or ``"NHWC"``: the order of the axes of ``x`` and ``y``

    Returns
    -------
    tuple
        ``(y, cache)``; y is (N, out, H', W') or (N, H', W', out), with H' = (H + 2 padding - kh) // stride + 1

    Raises
    ------
    ValueError
        an integer array, an unknown layout, shapes that do not fit, a kernel larger than the padded image
    """
    x = _images(x, layout)
    weight, bias = _parameters(x, weight, bias, "(out, in, kh, kw)", axes=4)
    _check_kernel(x, weight, stride, padding)
    channels, n, height, width = x.shape
    outputs, _, kh, kw = weight.shape

    padded = np.zeros((channels, n, height + 2 * padding, width + 2 * padding), x.dtype)
    padded[_inner(x.shape, padding)] = x
    patches = sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]        # C, N, H', W', kh, kw
    columns = patches.transpose(0, 4, 5, 1, 2, 3).reshape(channels * kh * kw, -1)                 # one patch a column
    y = weight.reshape(outputs, -1) @ columns
    if bias is not None:
        y += bias[:, None]
    y = y.reshape(outputs, *patches.shape[1:4]).transpose(GIVEN_BACK[layout])
    return y, (columns, weight, bias, y, x.shape, stride, padding, layout)


def conv2d_backward(dy: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The gradient of ``conv2d``: the two matrix products of a linear layer, then every patch put back to its place.

    A pixel that was in several patches receives a sum. Patches overlap, but the pixels that meet the same entry (a, b)
    of the kernel do not: kh kw additions of whole arrays put all of them back ("col2im").

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``conv2d``

    Returns
    -------
    tuple
        ``(dx, dweight, dbias)``, like ``x``, ``weight`` and ``bias``; None for a bias of None

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    columns, weight, bias, y, shape, stride, padding, layout = cache
    dy = _upstream(dy, y).transpose(CHANNELS_FIRST[layout])
    _, n, height, width = dy.shape
    outputs, channels, kh, kw = weight.shape
    dy = dy.reshape(outputs, -1)

    dweight = (dy @ columns.T).reshape(weight.shape)         # over every place of every image
    dcolumns = weight.reshape(outputs, -1).T @ dy
    patches = dcolumns.reshape(channels, kh, kw, n, height, width)
    padded = np.zeros((*shape[:2], shape[2] + 2 * padding, shape[3] + 2 * padding), dy.dtype)
    for a in range(kh):
        for b in range(kw):
            padded[:, :, a:a + stride * height:stride, b:b + stride * width:stride] += patches[:, a, b]
    dx = padded[_inner(shape, padding)].transpose(GIVEN_BACK[layout])
    return dx, dweight, None if bias is None else dy.sum(1)


def max_pool2d(x: np.ndarray, size: int, *, layout: str = "NCHW") -> tuple[np.ndarray, tuple]:
    """The largest value of every square of ``size`` by ``size`` pixels; the squares lie side by side.

    Parameters
    ----------
    x
        (N, C, H, W) float array, or (N, H, W, C)
    size : int
        pixels along a side; what is left over at the right and the bottom edge is dropped, as in PyTorch
    layout : str
        ``"NCHW"`` or ``"NHWC"``

    Returns
    -------
    tuple
        ``(y, cache)``; y is (N, C, H // size, W // size) or (N, H // size, W // size, C)

    Raises
    ------
    ValueError
        an integer array, an unknown layout, a size that is below 1 or larger than the image
    """
    x = _images(x, layout)
    corners = _corners(x, size)
    y = corners[0].copy()
    for corner in corners[1:]:
        np.maximum(y, corner, out=y)
    return y.transpose(GIVEN_BACK[layout]), (x, y, size, layout)


def max_pool2d_backward(dy: np.ndarray, cache: tuple) -> np.ndarray:
    """All of dy to the pixel that was the largest; of several equal ones to the first, row by row, as in PyTorch.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``max_pool2d``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    x, y, size, layout = cache
    dy = _upstream(dy, y.transpose(GIVEN_BACK[layout])).transpose(CHANNELS_FIRST[layout])
    dx = np.zeros_like(x)
    waiting = np.ones(y.shape, bool)                         # squares whose largest pixel is still to come
    for corner, dcorner in zip(_corners(x, size), _corners(dx, size)):
        largest = waiting & ~(corner < y)                    # beside a NaN nothing is below y: the first takes it
        np.copyto(dcorner, dy, where=largest)
        waiting &= ~largest
    return dx.transpose(GIVEN_BACK[layout])


def average_pool2d(x: np.ndarray, size: int, *, layout: str = "NCHW") -> tuple[np.ndarray, tuple]:
    """The mean of every square of ``size`` by ``size`` pixels; the squares lie side by side.

    Parameters
    ----------
    x, size, layout
        as in ``max_pool2d``

    Returns
    -------
    tuple
        ``(y, cache)``; y is (N, C, H // size, W // size) or (N, H // size, W // size, C)

    Raises
    ------
    ValueError
        as ``max_pool2d``
    """
    x = _images(x, layout)
    y = sum(_corners(x, size)) / size**2
    return y.transpose(GIVEN_BACK[layout]), (x.shape, y, size, layout)


def average_pool2d_backward(dy: np.ndarray, cache: tuple) -> np.ndarray:
    """An equal share of dy to every pixel of its square.

    Parameters
    ----------
    dy
        array like ``y``: the upstream gradient
    cache : tuple
        from ``average_pool2d``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    shape, y, size, layout = cache
    dy = _upstream(dy, y.transpose(GIVEN_BACK[layout])).transpose(CHANNELS_FIRST[layout])
    dx = np.zeros(shape, dy.dtype)
    for dcorner in _corners(dx, size):
        dcorner[...] = dy / size**2
    return dx.transpose(GIVEN_BACK[layout])


def global_average_pool(x: np.ndarray, *, layout: str = "NCHW") -> tuple[np.ndarray, tuple]:
    """One number a channel: the mean of all its pixels.

    Parameters
    ----------
    x
        (N, C, H, W) float array, or (N, H, W, C), with one pixel or more
    layout : str
        ``"NCHW"`` or ``"NHWC"``

    Returns
    -------
    tuple
        ``(y, cache)``; y is (N, C)

    Raises
    ------
    ValueError
        an integer array, an unknown layout, images without pixels
    """
    x = _images(x, layout)
    if 0 in x.shape[2:]:
        raise ValueError(f"expected images of one pixel or more, got {x.shape[2]} by {x.shape[3]}")
    y = x.mean((2, 3)).T
    return y, (x.shape, y, layout)


def global_average_pool_backward(dy: np.ndarray, cache: tuple) -> np.ndarray:
    """An equal share of dy to every pixel of the channel.

    Parameters
    ----------
    dy
        (N, C): the upstream gradient
    cache : tuple
        from ``global_average_pool``

    Returns
    -------
    array
        ``dx``, like ``x``

    Raises
    ------
    ValueError
        ``dy`` not of the shape of ``y``
    """
    shape, y, layout = cache
    share = _upstream(dy, y).T / (shape[2] * shape[3])
    return np.broadcast_to(share[:, :, None, None], shape).transpose(GIVEN_BACK[layout]).copy()


def _images(x, layout):
    """``x`` as a float array, seen as (C, N, H, W)."""
    if layout not in CHANNELS_FIRST:
        raise ValueError(f"expected layout 'NCHW' or 'NHWC', got {layout!r}")
    return _floats(x, f"({', '.join(layout)})", axes=4).transpose(CHANNELS_FIRST[layout])


def _inner(shape, padding):
    """Where in the padded image the image lies."""
    return ..., slice(padding, padding + shape[2]), slice(padding, padding + shape[3])


def _corners(x, size):
    """size^2 views of (C, N, H, W): of every square its first pixel, of every square its second, and so on by rows."""
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    if not whole or not 1 <= size <= min(x.shape[2:]):
        raise ValueError(f"expected a size from 1 to {min(x.shape[2:])}, the shorter side of images of "
                         f"{x.shape[2]} by {x.shape[3]} pixels, got {size!r}")
    height, width = (pixels // size * size for pixels in x.shape[2:])
    return [x[:, :, a:height:size, b:width:size] for a in range(size) for b in range(size)]


def _check_kernel(x, weight, stride, padding):
    for name, value, least in (("stride", stride, 1), ("padding", padding, 0)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
            raise ValueError(f"expected {name} as an integer of {least} or more, got {value!r}")
    if x.shape[0] != weight.shape[1]:
        raise ValueError(f"expected x with {weight.shape[1]} channels for a weight of shape {weight.shape}, "
                         f"got {x.shape[0]}; is the layout another one?")
    padded = tuple(pixels + 2 * padding for pixels in x.shape[2:])
    if padded[0] < weight.shape[2] or padded[1] < weight.shape[3] or 0 in weight.shape:
        raise ValueError(f"expected a kernel from 1 by 1 to {padded[0]} by {padded[1]}, the padded image, "
                         f"got one of {weight.shape[2]} by {weight.shape[3]}")
