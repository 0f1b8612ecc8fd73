"""The relatives of batch normalization against PyTorch, one another, finite differences and what must not matter."""

import re

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from bnutils.scratch import family, norm
from bnutils.scratch.gradcheck import gradcheck

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=50,
    phases=[Phase.generate, Phase.shrink],
)
SEED, EPS = st.integers(0, 10**6), st.sampled_from([1e-5, 1e-2, 1.0])
SHAPE, GROUPS = (3, 4, 2, 3), 2  # of the tests with one shape
MEMBERS = {"layer": (4, 2, 3), "instance": (4,), "group": (4,), "rms": (4, 2, 3)}  # the shape of gamma


def draw(*shapes, seed, dtype=np.float64):
    """A batch with a mean, and whatever else: all from one generator."""
    rng = np.random.default_rng(seed)
    return [rng.normal(3.0 * (place == 0), 2, shape).astype(dtype) for place, shape in enumerate(shapes)]


def in_groups(x, gamma, beta, **how):
    return family.group_norm(x, GROUPS, gamma, beta, **how)


def inputs(name, seed):
    """A member's forward and backward function, what the first is given, and an upstream gradient for the second."""
    f = in_groups if name == "group" else getattr(family, f"{name}_norm")
    features, backward = MEMBERS[name], getattr(family, f"{name}_norm_backward")
    x, gamma, beta, dy = draw(SHAPE, features, features, SHAPE, seed=seed)
    return f, backward, (x, gamma) if name == "rms" else (x, gamma, beta), dy


def check_against_pytorch(f, backward, theirs, dy, *arrays):
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    expected = theirs(*tensors)
    y, cache = f(*arrays)
    for mine, other in zip(
        (y, *backward(dy, cache)), (expected, *torch.autograd.grad(expected, tensors, torch.tensor(dy))), strict=True
    ):
        other = other.detach().numpy()
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-10 * max(1, np.abs(other).max()))


# --- Against PyTorch --------------------------------------------------------------------------------------------------


@STEADY
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 3), EPS, st.booleans(), SEED)
def test_layer_and_rms_norm_equal_pytorch(shape, count, eps, with_mean, seed):
    features = tuple(shape[-min(count, len(shape)) :])
    if np.prod(features) < 2:
        shape, features = [*shape, 2], (*features, 2)
    x, gamma, beta, dy = draw(shape, features, features, shape, seed=seed)
    if with_mean:
        check_against_pytorch(
            lambda *a: family.layer_norm(*a, eps=eps),
            family.layer_norm_backward,
            lambda x, g, b: F.layer_norm(x, features, g, b, eps),
            dy,
            x,
            gamma,
            beta,
        )
    else:
        check_against_pytorch(
            lambda *a: family.rms_norm(*a, eps=eps),
            family.rms_norm_backward,
            lambda x, g: F.rms_norm(x, features, g, eps),
            dy,
            x,
            gamma,
        )


@STEADY
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(1, 4), max_size=2), EPS, SEED)
def test_group_norm_equals_pytorch(n, groups, width, places, eps, seed):
    width = width if width * np.prod(places) > 1 else 2
    x, gamma, beta, dy = draw(
        (n, groups * width, *places), groups * width, groups * width, (n, groups * width, *places), seed=seed
    )
    check_against_pytorch(
        lambda x, g, b: family.group_norm(x, groups, g, b, eps=eps),
        family.group_norm_backward,
        lambda x, g, b: F.group_norm(x, groups, g, b, eps),
        dy,
        x,
        gamma,
        beta,
    )


@STEADY
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.integers(1, 4), min_size=1, max_size=2).filter(lambda p: max(p) > 1),
    EPS,
    SEED,
)
def test_instance_norm_equals_pytorch(n, channels, places, eps, seed):
    x, gamma, beta, dy = draw((n, channels, *places), channels, channels, (n, channels, *places), seed=seed)
    check_against_pytorch(
        lambda *a: family.instance_norm(*a, eps=eps),
        family.instance_norm_backward,
        lambda x, g, b: F.instance_norm(x, weight=g, bias=b, eps=eps),
        dy,
        x,
        gamma,
        beta,
    )


@pytest.mark.parametrize("name", MEMBERS)
def test_gradients_against_finite_differences(name):
    f, backward, arrays, _ = inputs(name, 1)
    assert gradcheck(lambda *a: f(*a)[0], lambda dy, *a: backward(dy, f(*a)[1]), *arrays) < 1e-7


# --- Against one another ----------------------------------------------------------------------------------------------


def test_each_is_batch_norm_over_other_axes():
    """With gamma 1 and beta 0 only the axis set is different."""
    (x,) = draw(SHAPE, seed=2)
    ones, zeros = np.ones(4), np.zeros(4)
    split = x.reshape(3, GROUPS, 2, 2, 3)
    for y, like, axis in (
        (family.layer_norm(x, np.ones(SHAPE[1:]), np.zeros(SHAPE[1:]))[0], x, (1, 2, 3)),
        (family.instance_norm(x, ones, zeros)[0], x, (2, 3)),
        (family.group_norm(x, GROUPS, ones, zeros)[0], split, (2, 3, 4)),
    ):
        remaining = tuple(size for a, size in enumerate(like.shape) if a not in axis)
        expected, _ = norm.batch_norm(like, np.ones(remaining), np.zeros(remaining), axis=axis)
        np.testing.assert_allclose(y, expected.reshape(SHAPE), rtol=0, atol=1e-13)


def test_one_group_is_layer_norm_and_groups_of_one_are_instance_norm():
    x, gamma, beta = draw(SHAPE, 4, 4, seed=3)
    wide = [np.broadcast_to(value[:, None, None], SHAPE[1:]) for value in (gamma, beta)]
    np.testing.assert_allclose(
        family.group_norm(x, 1, gamma, beta)[0], family.layer_norm(x, *wide)[0], rtol=0, atol=1e-13
    )
    np.testing.assert_array_equal(family.group_norm(x, 4, gamma, beta)[0], family.instance_norm(x, gamma, beta)[0])


def test_rms_norm_is_layer_norm_of_what_has_no_mean():
    x, gamma = draw((5, 6), 6, seed=4)
    x -= x.mean(1, keepdims=True)
    np.testing.assert_allclose(
        family.rms_norm(x, gamma)[0], family.layer_norm(x, gamma, np.zeros(6))[0], rtol=0, atol=1e-13
    )


# --- What must not matter ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEMBERS)
def test_every_example_is_treated_alone(name):
    f, backward, (x, *rest), dy = inputs(name, 5)
    y, cache = f(x, *rest)
    dx = backward(dy, cache)[0]
    for k in range(len(x)):
        alone, cache = f(x[k : k + 1], *rest)
        np.testing.assert_allclose(alone, y[k : k + 1], rtol=0, atol=1e-13)
        np.testing.assert_allclose(backward(dy[k : k + 1], cache)[0], dx[k : k + 1], rtol=0, atol=1e-13)
    assert f(x[:0], *rest)[0].shape == (0, *SHAPE[1:])


@pytest.mark.parametrize("name, shifts", [("layer", 1), ("instance", 4), ("group", 2), ("rms", 0)])
def test_scale_and_shift_of_what_shares_statistics_do_not_matter(name, shifts):
    """Of an example, a channel or a group; the shift of RMS norm does matter, it subtracts no mean."""
    f, _, (x, *rest), _ = inputs(name, 6)
    rng = np.random.default_rng(7)
    sets = max(shifts, 1)
    factor, shift = (np.repeat(rng.uniform(1, 9, (3, sets)), 4 // sets, 1)[:, :, None, None] for _ in range(2))
    y, _ = f(x, *rest, eps=0.0)
    np.testing.assert_allclose(f(factor * x + (shift if shifts else 0), *rest, eps=0.0)[0], y, rtol=0, atol=1e-11)
    if not shifts:
        assert np.abs(f(x + shift, *rest, eps=0.0)[0] - y).max() > 0.1


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_has_the_dtype_of_the_input(name, dtype):
    f, backward, (x, *rest), dy = inputs(name, 8)
    y, cache = f(x.astype(dtype), *rest, eps=np.float64(1e-3))
    assert {a.dtype for a in (y, *backward(dy, cache))} == {np.dtype(dtype)}


@pytest.mark.parametrize("name", MEMBERS)
def test_inputs_and_caches_are_left_as_they_were(name):
    f, backward, arrays, dy = inputs(name, 9)
    before = [a.copy() for a in (*arrays, dy)]
    _, cache = f(*arrays)
    for mine, again in zip(backward(dy, cache), backward(dy, cache)):
        np.testing.assert_array_equal(mine, again)
    for now, then in zip((*arrays, dy), before):
        np.testing.assert_array_equal(now, then)


# --- Errors -----------------------------------------------------------------------------------------------------------

X, ONE, ZERO = np.arange(24.0).reshape(3, 4, 2), np.ones(4), np.zeros(4)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: family.layer_norm(X, ONE, ZERO), "expected gamma of shape (2,), got (4,), for x of shape (3, 4, 2)"),
        (lambda: family.layer_norm(X, ONE[:2], ZERO), "expected beta of shape (2,), got (4,)"),
        (
            lambda: family.layer_norm(X, 1.0, 0.0),
            "expected gamma of the shape of the last axes of x, (3, 4, 2), got ()",
        ),
        (
            lambda: family.layer_norm(X[0, 0], X, X),
            "expected gamma of the shape of the last axes of x, (2,), got (3, 4, 2)",
        ),
        (
            lambda: family.layer_norm(X.astype(int), ONE[:2], ZERO[:2]),
            "expected a floating-point x, got int64; convert it with x.astype(float)",
        ),
        (
            lambda: family.layer_norm(X[:, :, :1], ONE[:1], ZERO[:1]),
            "expected 2 or more values a feature, got one value",
        ),
        (lambda: family.layer_norm(X, ONE[:2], ZERO[:2], eps=-1), "expected eps of 0 or more, got -1.0"),
        (lambda: family.layer_norm(X * 0, ONE[:2], ZERO[:2], eps=0), "give a positive eps"),
        (
            lambda: family.layer_norm_backward(X[0], family.layer_norm(X, ONE[:2], ZERO[:2])[1]),
            "expected dy of shape (3, 4, 2)",
        ),
        (
            lambda: family.group_norm(X, 3, ONE, ZERO),
            "expected a number of groups that divides the 4 channels of x, of shape (3, 4, 2), got 3",
        ),
        (lambda: family.group_norm(X, 2.0, ONE, ZERO), "got 2.0"),
        (lambda: family.group_norm(X, 0, ONE, ZERO), "got 0"),
        (lambda: family.group_norm(X[0, 0], 1, ONE, ZERO), "expected x of shape (N, C, ...), got (2,)"),
        (lambda: family.group_norm(X, 2, ONE[:2], ZERO), "expected gamma of shape (4,), got (2,)"),
        (lambda: family.group_norm(X[:, :, 0], 4, ONE, ZERO), "expected 2 or more values a feature, got one value"),
        (lambda: family.group_norm(X.astype(int), 2, ONE, ZERO), "got int64"),
        (
            lambda: family.group_norm_backward(X[0], family.group_norm(X, 2, ONE, ZERO)[1]),
            "expected dy of shape (3, 4, 2)",
        ),
        (lambda: family.instance_norm(X[0, 0], ONE, ZERO), "expected x of shape (N, C, ...), got (2,)"),
        (lambda: family.instance_norm(X[:, :, :1], ONE, ZERO), "got one value"),
        (lambda: family.instance_norm(X > 1, ONE, ZERO), "got bool"),
        (
            lambda: family.instance_norm_backward(X[:, :1], family.instance_norm(X, ONE, ZERO)[1]),
            "expected dy of shape (3, 4, 2)",
        ),
        (lambda: family.rms_norm(X, ONE), "expected gamma of shape (2,), got (4,)"),
        (lambda: family.rms_norm(X.astype(int), ONE[:2]), "got int64"),
        (lambda: family.rms_norm(X * 0, ONE[:2], eps=0), "give a positive eps"),
        (lambda: family.rms_norm_backward(ONE, family.rms_norm(X, ONE[:2])[1]), "expected dy of shape (3, 4, 2)"),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()
