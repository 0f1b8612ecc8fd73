"""Convolution and pooling against PyTorch in both layouts, finite differences and invariances."""

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from bnutils.scratch import convolution as c
from bnutils.scratch.gradcheck import gradcheck

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=40,
    phases=[Phase.generate, Phase.shrink],
)
LAYOUT, SEED = st.sampled_from(["NCHW", "NHWC"]), st.integers(0, 10**6)
POOLS = {"max_pool2d": F.max_pool2d, "average_pool2d": F.avg_pool2d}


def draw(*shapes, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 2, shape).astype(dtype) for shape in shapes]


def pair(name):
    """A forward and its backward function."""
    return getattr(c, name), getattr(c, f"{name}_backward")


def to(layout, x):
    """(N, C, H, W) into the layout."""
    return x if layout == "NCHW" else np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def back(layout, x):
    return x if layout == "NCHW" else x.transpose(0, 3, 1, 2)


def autograd(f, dy_seed, *inputs):
    """What PyTorch returns, an upstream gradient of that shape, and its gradients."""
    tensors = [torch.tensor(a, requires_grad=True) for a in inputs]
    y = f(*tensors)
    (dy,) = draw(tuple(y.shape), seed=(dy_seed, 999))
    return y.detach().numpy(), dy, [gradient.numpy() for gradient in torch.autograd.grad(y, tensors, torch.tensor(dy))]


def close(given_, expected):
    assert given_.shape == expected.shape
    np.testing.assert_allclose(given_, expected, rtol=0, atol=1e-10 * max(1, np.abs(expected).max(initial=0)))


@st.composite
def convolutions(draw_):
    """Sizes of a batch and a kernel that fits into it, as often as not in one direction only just."""
    n, channels, outputs, height, width, padding = (
        draw_(st.integers(low, high)) for low, high in ((1, 3), (1, 3), (1, 3), (1, 6), (1, 6), (0, 2))
    )
    kh, kw = (draw_(st.integers(1, min(4, pixels + 2 * padding))) for pixels in (height, width))
    return (n, channels, height, width), (outputs, channels, kh, kw), draw_(st.integers(1, 3)), padding


# --- Against PyTorch --------------------------------------------------------------------------------------------------


@STEADY
@given(convolutions(), st.booleans(), LAYOUT, SEED)
def test_convolution_equals_pytorch(sizes, with_bias, layout, seed):
    shape, kernel, stride, padding = sizes
    x, weight, bias = draw(shape, kernel, kernel[0], seed=seed)
    inputs = (x, weight, bias) if with_bias else (x, weight)
    expected, dy, gradients = autograd(lambda *a: F.conv2d(*a, stride=stride, padding=padding), seed, *inputs)
    y, cache = c.conv2d(to(layout, x), *inputs[1:], stride=stride, padding=padding, layout=layout)
    close(back(layout, y), expected)
    dx, *rest = c.conv2d_backward(to(layout, dy), cache)
    close(back(layout, dx), gradients[0])
    for mine, theirs in zip(rest, gradients[1:]):
        close(mine, theirs)
    assert with_bias or rest[1] is None


@pytest.mark.parametrize("name", POOLS)
@STEADY
@given(st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(2, 7)] * 2), st.integers(1, 3), LAYOUT, st.booleans(), SEED)
def test_pooling_equals_pytorch(name, shape, size, layout, rounded, seed):
    """Rounded to whole numbers a square often has several largest pixels: the gradient goes to the first of them."""
    size = min(size, *shape[2:])
    f, backward = pair(name)
    (x,) = draw(shape, seed=seed)
    x = np.round(x / 2) if rounded else x
    expected, dy, (gradient,) = autograd(lambda a: POOLS[name](a, size), seed, x)
    y, cache = f(to(layout, x), size, layout=layout)
    close(back(layout, y), expected)
    close(back(layout, backward(to(layout, dy), cache)), gradient)


@STEADY
@given(st.tuples(*[st.integers(1, 4)] * 4), LAYOUT, SEED)
def test_global_average_equals_pytorch(shape, layout, seed):
    (x,) = draw(shape, seed=seed)
    expected, dy, (gradient,) = autograd(lambda a: F.adaptive_avg_pool2d(a, 1).flatten(1), seed, x)
    y, cache = c.global_average_pool(to(layout, x), layout=layout)
    close(y, expected)
    close(back(layout, c.global_average_pool_backward(dy, cache)), gradient)


# --- Against finite differences, loops and what must not matter -------------------------------------------------------


def error(f, backward, *arrays, **how):
    """The largest error of a pair of functions, against finite differences by each of the arrays."""
    return gradcheck(lambda *a: f(*a, **how)[0], lambda dy, *a: backward(dy, f(*a, **how)[1]), *arrays)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_gradients_against_finite_differences(layout):
    x, weight, bias = draw((2, 2, 4, 5), (3, 2, 3, 2), 3, seed=1)
    x = to(layout, x)
    assert error(c.conv2d, c.conv2d_backward, x, weight, bias, stride=2, padding=1, layout=layout) < 1e-8
    assert error(c.global_average_pool, c.global_average_pool_backward, x, layout=layout) < 1e-8
    for f, backward in map(pair, POOLS):
        assert error(f, backward, x, size=2, layout=layout) < 1e-8


def test_convolution_is_the_formula_in_its_docstring():
    """Seven loops. The kernel is not flipped and not transposed."""
    x, weight, bias = draw((2, 3, 5, 4), (2, 3, 2, 3), 2, seed=2)
    y, _ = c.conv2d(x, weight, bias, stride=2)
    expected = np.zeros((2, 2, 2, 1))
    for n, o, i, j in np.ndindex(expected.shape):
        expected[n, o, i, j] = bias[o] + sum(
            weight[o, k, a, b] * x[n, k, 2 * i + a, 2 * j + b] for k, a, b in np.ndindex(3, 2, 3)
        )
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


def test_a_kernel_of_one_pixel_is_a_linear_layer_on_every_pixel():
    x, weight, bias = draw((2, 3, 4, 4), (5, 3, 1, 1), 5, seed=3)
    y, _ = c.conv2d(x, weight, bias)
    np.testing.assert_allclose(
        y, np.einsum("nchw,oc->nohw", x, weight[:, :, 0, 0]) + bias[:, None, None], rtol=0, atol=1e-12
    )


def test_a_shifted_image_gives_a_shifted_output():
    x, weight = draw((2, 1, 9, 9), (2, 1, 3, 3), seed=4)
    y, _ = c.conv2d(x, weight)
    moved, _ = c.conv2d(np.roll(x, (1, 2), (2, 3)), weight)
    np.testing.assert_allclose(moved[:, :, 1:, 2:], y[:, :, :-1, :-2], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "name, rest",
    [("conv2d", (np.ones((3, 2, 3, 3)),)), ("max_pool2d", (2,)), ("average_pool2d", (2,)), ("global_average_pool", ())],
)
def test_order_of_the_batch_only_orders_the_output(name, rest):
    (x,) = draw((5, 2, 4, 4), seed=5)
    order = np.random.default_rng(6).permutation(5)
    f, _ = pair(name)
    np.testing.assert_allclose(f(x[order], *rest)[0], f(x, *rest)[0][order], rtol=0, atol=1e-13)


def test_the_first_of_equal_pixels_gets_all_of_the_gradient():
    x = np.array([[[[1.0, 3, 0, 0], [3, 3, 0, 0]]]])
    y, cache = c.max_pool2d(x, 2)
    assert y.tolist() == [[[[3, 0]]]]
    assert c.max_pool2d_backward(np.array([[[[5.0, 7.0]]]]), cache).tolist() == [[[[0, 5, 7, 0], [0, 0, 0, 0]]]]


def test_a_nan_spoils_its_own_square_and_is_not_hidden():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 1, 1] = np.nan
    for f, backward in map(pair, POOLS):
        y, cache = f(x, 2)
        assert np.isnan(y[0, 0]).tolist() == [[True, False], [False, False]]
        assert backward(np.ones((1, 1, 2, 2)), cache)[0, 0, :2, :2].sum() == 1
    assert np.isnan(c.conv2d(x, np.ones((1, 1, 2, 2)))[0]).sum() == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_has_the_dtype_of_the_input(dtype):
    x, weight, bias, dy = draw((2, 3, 4, 4), (2, 3, 3, 3), 2, (2, 2, 2, 2), seed=7)
    x = x.astype(dtype)
    y, cache = c.conv2d(x, weight, bias)
    arrays = [y, *c.conv2d_backward(dy, cache)]
    for f, backward in map(pair, POOLS):
        y, cache = f(x, 2)
        arrays += [y, backward(np.ones(y.shape), cache)]
    y, cache = c.global_average_pool(x)
    assert {a.dtype for a in (*arrays, y, c.global_average_pool_backward(np.ones(y.shape), cache))} == {np.dtype(dtype)}


def test_inputs_and_caches_are_left_as_they_were():
    x, weight, bias, dy = draw((2, 2, 4, 4), (2, 2, 3, 3), 2, (2, 2, 2, 2), seed=8)
    before = [a.copy() for a in (x, weight, bias, dy)]
    _, cache = c.conv2d(x, weight, bias)
    for mine, again in zip(c.conv2d_backward(dy, cache), c.conv2d_backward(dy, cache)):
        np.testing.assert_array_equal(mine, again)
    for f, backward in map(pair, POOLS):
        _, cache = f(x, 2)
        np.testing.assert_array_equal(backward(dy, cache), backward(dy, cache))
    _, cache = c.global_average_pool(x)
    c.global_average_pool_backward(dy[:, :, 0, 0], cache)[...] = 0
    for now, then in zip((x, weight, bias, dy), before):
        np.testing.assert_array_equal(now, then)


# --- Errors -----------------------------------------------------------------------------------------------------------

X, W = np.arange(96.0).reshape(2, 3, 4, 4), np.ones((2, 3, 3, 3))


@pytest.mark.parametrize(
    "call, says",
    [
        (
            lambda: c.conv2d(X.astype(int), W),
            r"expected a floating-point x, got int64; convert it with x.astype\(float\)",
        ),
        (lambda: c.conv2d(X[0], W), r"expected x of shape \(N, C, H, W\), got \(3, 4, 4\)"),
        (lambda: c.conv2d(X[0], W, layout="NHWC"), r"expected x of shape \(N, H, W, C\), got \(3, 4, 4\)"),
        (lambda: c.conv2d(X, W, layout="channels_last"), "expected layout 'NCHW' or 'NHWC', got 'channels_last'"),
        (
            lambda: c.conv2d(X, W, layout="NHWC"),
            r"expected x with 3 channels for a weight of shape \(2, 3, 3, 3\), got 4; is the layout",
        ),
        (lambda: c.conv2d(X, W[0]), r"expected weight of shape \(out, in, kh, kw\), got \(3, 3, 3\)"),
        (
            lambda: c.conv2d(X, W, np.zeros(3)),
            r"expected bias of shape \(2,\), one number an output of weight, got \(3,\)",
        ),
        (lambda: c.conv2d(X, W, stride=0), "expected stride as an integer of 1 or more, got 0"),
        (lambda: c.conv2d(X, W, stride=(1, 1)), r"expected stride as an integer of 1 or more, got \(1, 1\)"),
        (lambda: c.conv2d(X, W, padding=-1), "expected padding as an integer of 0 or more, got -1"),
        (lambda: c.conv2d(X, W, padding=0.5), "expected padding as an integer of 0 or more, got 0.5"),
        (
            lambda: c.conv2d(X, np.ones((2, 3, 5, 3))),
            "expected a kernel from 1 by 1 to 4 by 4, the padded image, got one of 5 by 3",
        ),
        (
            lambda: c.conv2d_backward(X, c.conv2d(X, W)[1]),
            r"expected dy of shape \(2, 2, 2, 2\), .* got \(2, 3, 4, 4\)",
        ),
        (lambda: c.conv2d_backward(np.ones((2, 2, 1, 4)), c.conv2d(X, W)[1]), r"expected dy of shape \(2, 2, 2, 2\)"),
        (lambda: c.max_pool2d(X.astype(int), 2), "got int64"),
        (lambda: c.max_pool2d(X, 5), "expected a size from 1 to 4, the shorter side of images of 4 by 4 pixels, got 5"),
        (lambda: c.max_pool2d(X, (2, 2)), r"expected a size from 1 to 4, .* got \(2, 2\)"),
        (lambda: c.max_pool2d(X, 2, layout="NCWH"), "expected layout"),
        (lambda: c.max_pool2d_backward(X, c.max_pool2d(X, 2)[1]), r"expected dy of shape \(2, 3, 2, 2\)"),
        (lambda: c.average_pool2d(X > 2, 2), "got bool"),
        (lambda: c.average_pool2d(X, 0), "expected a size from 1 to 4"),
        (lambda: c.average_pool2d_backward(X, c.average_pool2d(X, 2)[1]), r"expected dy of shape \(2, 3, 2, 2\)"),
        (lambda: c.global_average_pool(X.astype(int)), "got int64"),
        (lambda: c.global_average_pool(X[:, :, :0]), "expected images of one pixel or more, got 0 by 4"),
        (lambda: c.global_average_pool_backward(X, c.global_average_pool(X)[1]), r"expected dy of shape \(2, 3\)"),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("height, width", [(4, 9), (9, 4)])
def test_a_square_must_fit_the_shorter_side(height, width):
    """Five pixels fit along one side and not along the other: what came out would be empty."""
    for name in POOLS:
        with pytest.raises(ValueError, match=f"from 1 to 4, the shorter side of images of {height} by {width} pixels"):
            getattr(c, name)(np.ones((2, 3, height, width)), 5)
