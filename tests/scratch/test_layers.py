"""Layers and their gradients against PyTorch, finite differences and closed forms."""

import contextlib
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from bnutils.scratch import layers
from bnutils.scratch.gradcheck import gradcheck

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=40,
    phases=[Phase.generate, Phase.shrink],
)
SIZE, SEED = st.integers(1, 6), st.integers(0, 10**6)
ENTRYWISE = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "flatten": lambda x: x.flatten(1)}


def draw(*shapes, seed, dtype=np.float64):
    """One random array for each shape, the last often an upstream gradient: one generator, no array like another."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 2, shape).astype(dtype) for shape in shapes]


def pair(name):
    """A forward and its backward function."""
    return getattr(layers, name), getattr(layers, f"{name}_backward")


def autograd(f, dy, *inputs):
    """What PyTorch returns, and its gradients; dy is None for a loss."""
    tensors = [torch.tensor(a, requires_grad=True) for a in inputs]
    y = f(*tensors)
    gradients = torch.autograd.grad(y, tensors, None if dy is None else torch.tensor(dy))
    return y.detach().numpy(), [gradient.numpy() for gradient in gradients]


def close(given_, expected):
    assert given_.shape == expected.shape
    np.testing.assert_allclose(given_, expected, rtol=0, atol=1e-10 * max(1, np.abs(expected).max(initial=0)))


# --- Against PyTorch --------------------------------------------------------------------------------------------------


@STEADY
@given(SIZE, SIZE, SIZE, st.booleans(), SEED)
def test_linear_equals_pytorch(n, width, outputs, with_bias, seed):
    x, weight, bias, dy = draw((n, width), (outputs, width), outputs, (n, outputs), seed=seed)
    inputs = (x, weight, bias) if with_bias else (x, weight)
    y, cache = layers.linear(*inputs)
    expected, gradients = autograd(F.linear, dy, *inputs)
    close(y, expected)
    ours = layers.linear_backward(dy, cache)
    for mine, theirs in zip(ours, gradients):
        close(mine, theirs)
    assert with_bias or ours[2] is None


@pytest.mark.parametrize("name", ENTRYWISE)
@STEADY
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), SEED)
def test_entrywise_layers_equal_pytorch(name, shape, seed):
    f, backward = pair(name)
    (x,) = draw(shape, seed=seed)
    x[x < -2] = 0  # the corner of ReLU too
    y, cache = f(x)
    (dy,) = draw(y.shape, seed=seed + 1)
    expected, (gradient,) = autograd(ENTRYWISE[name], dy, x)
    close(y, expected)
    close(backward(dy, cache), gradient)


@STEADY
@given(SIZE, SIZE, SEED)
def test_cross_entropy_equals_pytorch(n, classes, seed):
    (scores,) = draw((n, classes), seed=seed)
    labels = np.random.default_rng(seed).integers(0, classes, n)
    loss, cache = layers.softmax_cross_entropy(scores, labels)
    expected, (gradient,) = autograd(lambda s: F.cross_entropy(s, torch.tensor(labels)), None, scores)
    close(loss, expected)
    close(layers.softmax_cross_entropy_backward(cache), gradient)


# --- Against finite differences and closed forms ----------------------------------------------------------------------


def error(f, backward, *arrays):
    """The largest error of a pair of functions, against finite differences by each of the arrays."""
    return gradcheck(lambda *a: f(*a)[0], lambda dy, *a: backward(dy, f(*a)[1]), *arrays)


def test_gradients_against_finite_differences():
    x, weight, bias = draw((5, 4), (3, 4), 3, seed=1)
    x += np.sign(x) * 0.01  # no difference across the corner of ReLU
    assert error(layers.linear, layers.linear_backward, x, weight, bias) < 1e-8
    for f, backward in map(pair, ENTRYWISE):
        assert error(f, backward, x) < 1e-7
    loss = partial(layers.softmax_cross_entropy, labels=np.array([0, 3, 3, 1, 2]))
    assert error(loss, lambda dy, cache: dy * layers.softmax_cross_entropy_backward(cache), x) < 1e-7


@contextlib.contextmanager
def no_overflow():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        try:
            yield
        except FloatingPointError as error:
            raise AssertionError(f"a thousand is not a large number: {error}") from None


def test_sigmoid_and_cross_entropy_do_not_overflow():
    """Where a naive formula meets infinity."""
    with no_overflow():
        y, cache = layers.sigmoid(np.array([-1000.0, -30.0, 0.0, 30.0, 1000.0]))
        assert y[[0, 2, 4]].tolist() == [0, 0.5, 1] and math.isclose(y[1], math.exp(-30), rel_tol=1e-12)
        assert layers.sigmoid_backward(np.ones(5), cache)[[0, 2, 4]].tolist() == [0, 0.25, 0]
    with no_overflow():
        loss, cache = layers.softmax_cross_entropy(np.array([[1000.0, 0.0], [-1000.0, 0.0]]), np.array([1, 1]))
        assert loss == 500  # 1000 for the first, 0 for the second
        assert layers.softmax_cross_entropy_backward(cache).tolist() == [[0.5, -0.5], [0, 0]]


def test_equal_scores_cost_the_logarithm_of_the_number_of_classes():
    loss, _ = layers.softmax_cross_entropy(np.full((6, 10), 3.0), np.arange(6))
    assert math.isclose(loss, math.log(10), rel_tol=1e-14)


def test_loss_is_a_mean_over_the_batch():
    """Each example twice: the same loss, and half the gradient for each copy."""
    (scores,) = draw((4, 3), seed=2)
    labels = np.array([0, 2, 1, 1])
    once, cache = layers.softmax_cross_entropy(scores, labels)
    twice, double = layers.softmax_cross_entropy(np.concatenate([scores, scores]), np.concatenate([labels, labels]))
    assert math.isclose(once, twice, rel_tol=1e-13)
    np.testing.assert_allclose(
        layers.softmax_cross_entropy_backward(double)[4:], layers.softmax_cross_entropy_backward(cache) / 2, atol=1e-15
    )


def test_a_constant_added_to_the_scores_changes_nothing():
    (scores,) = draw((4, 3), seed=3)
    labels = np.array([0, 2, 1, 1])
    loss, cache = layers.softmax_cross_entropy(scores, labels)
    moved, _ = layers.softmax_cross_entropy(scores + np.array([[5.0], [-3.0], [0.0], [40.0]]), labels)
    assert math.isclose(loss, moved, rel_tol=1e-12)
    np.testing.assert_allclose(layers.softmax_cross_entropy_backward(cache).sum(1), 0, atol=1e-15)


# --- Invariances and care ---------------------------------------------------------------------------------------------


def test_order_of_the_batch_only_orders_the_output():
    x, weight, bias, dy = draw((6, 4), (3, 4), 3, (6, 3), seed=4)
    order = np.random.default_rng(5).permutation(6)
    (y, cache), (moved, moved_cache) = layers.linear(x, weight, bias), layers.linear(x[order], weight, bias)
    np.testing.assert_allclose(moved, y[order], atol=1e-13)
    (dx, *rest), (moved_dx, *moved_rest) = (
        layers.linear_backward(dy, cache),
        layers.linear_backward(dy[order], moved_cache),
    )
    np.testing.assert_allclose(moved_dx, dx[order], atol=1e-13)
    for mine, theirs in zip(rest, moved_rest):
        np.testing.assert_allclose(mine, theirs, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_has_the_dtype_of_the_input(dtype):
    x, weight, bias, dy = draw((5, 4), (3, 4), 3, (5, 3), seed=6)
    x = x.astype(dtype)
    y, cache = layers.linear(x, weight, bias)
    arrays = [y, *layers.linear_backward(dy, cache)]
    for f, backward in map(pair, ENTRYWISE):
        y, cache = f(x)
        arrays += [y, backward(np.ones(y.shape), cache)]
    loss, cache = layers.softmax_cross_entropy(x, np.zeros(5, int))
    assert {a.dtype for a in (*arrays, loss, layers.softmax_cross_entropy_backward(cache))} == {np.dtype(dtype)}


def test_inputs_and_caches_are_left_as_they_were():
    x, weight, bias, dy, dx = draw((5, 4), (3, 4), 3, (5, 3), (5, 4), seed=7)
    given_ = x, weight, bias, dy, dx
    before = [a.copy() for a in given_]
    _, cache = layers.linear(x, weight, bias)
    first = layers.linear_backward(dy, cache)
    for mine, again in zip(first, layers.linear_backward(dy, cache)):
        np.testing.assert_array_equal(mine, again)
    for f, backward in map(pair, ENTRYWISE):
        _, cache = f(x)
        np.testing.assert_array_equal(backward(dx, cache), backward(dx, cache))
    _, cache = layers.softmax_cross_entropy(x, np.zeros(5, int))
    np.testing.assert_array_equal(
        layers.softmax_cross_entropy_backward(cache), layers.softmax_cross_entropy_backward(cache)
    )
    for now, then in zip(given_, before):
        np.testing.assert_array_equal(now, then)


def test_a_nan_is_not_hidden():
    x = np.array([[np.nan, 1.0, -1.0]])
    for f, _ in map(pair, ENTRYWISE):
        assert np.isnan(f(x)[0]).tolist() == [[True, False, False]]
    assert math.isnan(layers.softmax_cross_entropy(x, np.array([1]))[0])


# --- Errors -----------------------------------------------------------------------------------------------------------

X, W, B = np.arange(12.0).reshape(4, 3), np.ones((2, 3)), np.zeros(2)
LABELS = np.array([0, 1, 2, 1])


@pytest.mark.parametrize(
    "call, says",
    [
        (
            lambda: layers.linear(X.astype(int), W, B),
            r"expected a floating-point x, got int64; convert it with x.astype\(float\)",
        ),
        (lambda: layers.linear(X[0], W, B), r"expected x of shape \(N, in_features\), got \(3,\)"),
        (
            lambda: layers.linear(X[None], W, B),
            r"expected x of shape \(N, in_features\), got \(1, 4, 3\); flatten it first",
        ),
        (lambda: layers.linear(X, W.T, B), r"expected bias of shape \(3,\)"),
        (lambda: layers.linear(X, W.T), r"expected x of shape \(N, 2\) for a weight of shape \(3, 2\), got \(4, 3\)"),
        (lambda: layers.linear(X, W[0], B), r"expected weight of shape \(out_features, in_features\), got \(3,\)"),
        (
            lambda: layers.linear(X, W, np.zeros(3)),
            r"expected bias of shape \(2,\), one number an output of weight, got \(3,\)",
        ),
        (lambda: layers.linear_backward(X, layers.linear(X, W)[1]), r"expected dy of shape \(4, 2\), .* got \(4, 3\)"),
        (lambda: layers.relu(X > 3), "expected a floating-point x, got bool"),
        (lambda: layers.relu_backward(X[:3], layers.relu(X)[1]), r"expected dy of shape \(4, 3\)"),
        (lambda: layers.sigmoid([1, 2]), "got int64"),
        (lambda: layers.sigmoid_backward(X.T, layers.sigmoid(X)[1]), r"expected dy of shape \(4, 3\), .* got \(3, 4\)"),
        (lambda: layers.tanh(3), "got int64"),
        (lambda: layers.tanh_backward(1.0, layers.tanh(X)[1]), r"expected dy of shape \(4, 3\), .* got \(\)"),
        (lambda: layers.flatten(3.0), r"expected x of shape \(N, \.\.\.\), got shape \(\)"),
        (lambda: layers.flatten(X.astype(int)), "got int64"),
        (
            lambda: layers.flatten_backward(X[None], layers.flatten(X[None])[1]),
            r"expected dy of shape \(1, 12\), .* got \(1, 4, 3\)",
        ),
        (
            lambda: layers.softmax_cross_entropy(X.astype(int), LABELS),
            r"floating-point scores, got int64; convert it with scores.astype\(float\)",
        ),
        (lambda: layers.softmax_cross_entropy(X[0], LABELS), r"expected scores of shape \(N, K\), got \(3,\)"),
        (lambda: layers.softmax_cross_entropy(X[:0], LABELS[:0]), "got an empty batch"),
        (
            lambda: layers.softmax_cross_entropy(X, LABELS.astype(float)),
            r"expected labels as integers, got float64; one-hot .* y.argmax\(1\)",
        ),
        (lambda: layers.softmax_cross_entropy(X, LABELS > 0), "expected labels as integers, got bool"),
        (
            lambda: layers.softmax_cross_entropy(X, LABELS[:, None]),
            r"expected labels of shape \(4,\), one an example, got \(4, 1\)",
        ),
        (
            lambda: layers.softmax_cross_entropy(X, LABELS + 1),
            "expected labels from 0 to 2, got 1 to 3: scores have 3 columns",
        ),
        (lambda: layers.softmax_cross_entropy(X, LABELS - 1), "expected labels from 0 to 2, got -1 to 1"),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()
