"""Numerical gradients against closed forms and autograd; wrong gradients fail, and blind checks are refused."""

import math

import numpy as np
import pytest
import torch

from bnutils.scratch import gradcheck, norm


def bn(x, gamma, beta, eps=1e-5):
    return norm.batch_norm(x, gamma, beta, eps=eps)[0]


def bn_backward(dy, x, gamma, beta, eps=1e-5):
    return norm.batch_norm_backward(dy, norm.batch_norm(x, gamma, beta, eps=eps)[1])


def batch(n=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(3, 2, (n, 3)), rng.normal(size=3), rng.normal(size=3)


# --- The difference --------------------------------------------------------------------------------------------------


def test_central_differences_are_exact_for_a_square():
    """Their error begins with the third derivative: none for x^2, whatever the step; h^2 exactly for x^3."""
    x, dy = np.array([1.0, -2.0, 0.5]), np.array([3.0, 1.0, -2.0])
    np.testing.assert_allclose(gradcheck.numerical_gradient(lambda x: x**2, x, dy, h=0.5), 2 * x * dy, rtol=1e-14)
    np.testing.assert_allclose(
        gradcheck.numerical_gradient(lambda x: x**3, x, dy, h=0.5), (3 * x**2 + 0.25) * dy, rtol=1e-14
    )


def test_every_output_counts_with_its_upstream_gradient():
    A, rng = np.arange(12.0).reshape(4, 3), np.random.default_rng(1)
    x, dy = rng.normal(size=3), rng.normal(size=4)
    np.testing.assert_allclose(gradcheck.numerical_gradient(lambda x: A @ x, x, dy), A.T @ dy, rtol=0, atol=1e-8)


def test_equals_autograd_on_a_function_of_no_special_form():
    rng = np.random.default_rng(2)
    x, dy = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    leaf = torch.tensor(x, requires_grad=True)
    torch.autograd.backward(torch.sin(leaf) * leaf.sum(0) ** 2, torch.tensor(dy))
    ours = gradcheck.numerical_gradient(lambda x: np.sin(x) * x.sum(0) ** 2, x, dy)
    np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=0, atol=1e-8)


def test_the_step_is_divided_by_as_it_came_out():
    """At 1e9 a step of 1e-6 comes out as a multiple of 2^-23, some 15 % off."""
    x = np.array([1e9])
    assert gradcheck.numerical_gradient(lambda x: x - 1e9, x, np.ones(1), h=1e-6) == 1.0


def test_the_function_gets_copies():
    def destructive(x):
        x *= 2
        return x

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(gradcheck.numerical_gradient(destructive, x, np.ones(2)), 2, rtol=1e-9)
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_a_function_that_ignores_its_argument_has_no_gradient():
    """It closes over the array. A loop that moves that array in place would find a gradient here all the same."""
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(gradcheck.numerical_gradient(lambda _: x**2, x, np.ones(2)), 0)


# --- The error -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, expected, error",
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 0.0], [0.0, 4.0], 1.0),
        ([8.0], [4.0], 0.5),
        ([-4.0], [4.0], 2.0),
        ([1e-9, 1.0], [2e-9, 1.0], 1e-9),
        ([], [], 0.0),
    ],
)
def test_relative_error(given, expected, error):
    assert gradcheck.relative_error(np.array(given), np.array(expected)) == pytest.approx(error, abs=1e-15)


def test_nan_meets_no_bound():
    assert math.isnan(gradcheck.relative_error(np.array([math.nan, 1.0]), np.ones(2)))
    assert math.isnan(gradcheck.gradcheck(bn, lambda dy, *a: tuple(np.full_like(b, math.nan) for b in a), *batch()))


# --- The check -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 4, 8, 32])
def test_a_right_gradient_passes(n):
    assert gradcheck.gradcheck(bn, bn_backward, *batch(n)) < 1e-6


WRONG = {
    "zeros": lambda dx, dgamma, dbeta: (0 * dx, dgamma, dbeta),
    "twice": lambda dx, dgamma, dbeta: (2 * dx, dgamma, dbeta),
    "one entry": lambda dx, dgamma, dbeta: (dx + 0.01 * np.eye(*dx.shape), dgamma, dbeta),
    "swapped": lambda dx, dgamma, dbeta: (dx, dbeta, dgamma),
    "only the last input": lambda dx, dgamma, dbeta: (dx, dgamma, -dbeta),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_fails(name):
    assert gradcheck.gradcheck(bn, lambda dy, *inputs: WRONG[name](*bn_backward(dy, *inputs)), *batch()) > 1e-3


def test_a_single_gradient_need_not_be_a_tuple():
    x = np.random.default_rng(3).normal(size=4)
    assert gradcheck.gradcheck(np.sin, lambda dy, x: dy * np.cos(x), x) < 1e-8
    assert gradcheck.gradcheck(np.sin, lambda dy, x: (dy * np.cos(x),), x) < 1e-8
    assert gradcheck.gradcheck(np.sin, lambda dy, x: dy * np.sin(x), x) > 0.1


def test_the_seed_draws_the_upstream_gradient():
    seen = []
    for seed in (0, 0, 1):
        gradcheck.gradcheck(np.sin, lambda dy, x: seen.append(dy) or dy * np.cos(x), np.arange(1.0, 5.0), seed=seed)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert np.abs(seen[0] - seen[2]).max() > 0.1


def test_the_upstream_gradient_is_not_what_the_same_seed_would_draw_as_a_batch():
    """If it were, it would lie along x_hat, and what is checked would be a residue of eps."""
    x = np.random.default_rng(0).normal(3, 2, (8, 3))
    seen = []
    gradcheck.gradcheck(
        lambda x: bn(x, np.ones(3), np.zeros(3)),
        lambda dy, x: seen.append(dy) or bn_backward(dy, x, np.ones(3), np.zeros(3))[0],
        x,
        seed=0,
    )
    correlation = [abs(np.corrcoef(x[:, k], seen[0][:, k])[0, 1]) for k in range(3)]
    assert max(correlation) < 0.95


def test_the_gradient_of_a_sum_of_outputs_is_refused():
    x, gamma, beta = batch()
    with pytest.raises(ValueError, match=r"expected a gradient that can be seen.* for input 0.*of zeros would pass"):
        gradcheck.gradcheck(bn, lambda dy, *inputs: tuple(0 * a for a in inputs), x, gamma, beta, dy=np.ones((8, 3)))


def test_a_slope_beside_outputs_so_large_that_their_rounding_hides_it_is_refused():
    """Losses of 10^9 are rounded by 10^-7; their difference, 10^-5, is not a thousand times that."""
    x = np.random.default_rng(5).normal(size=(8, 3))
    with pytest.raises(ValueError, match="expected a gradient that can be seen"):
        gradcheck.gradcheck(lambda x: x + 1e9, lambda dy, x: 0 * dy, x)


def test_a_bias_in_front_of_the_normalisation_is_refused():
    x, gamma, beta = batch()
    with pytest.raises(ValueError, match="expected a gradient that can be seen"):
        gradcheck.gradcheck(lambda b: bn(x + b, gamma, beta), lambda dy, b: 0 * b, np.zeros(3))


def test_second_order_passes_and_skipping_the_statistics_in_it_fails():
    x, gamma, beta = batch()
    dy = np.random.default_rng((4, 999)).normal(size=x.shape)

    def dx_of(x):
        return bn_backward(dy, x, gamma, beta)[0]

    def double(u, x):
        return norm.batch_norm_double_backward(u, dy, norm.batch_norm(x, gamma, beta)[1])[1]

    assert gradcheck.gradcheck(dx_of, double, x) < 1e-6
    assert gradcheck.gradcheck(dx_of, lambda u, x: 0 * u, x) == 1.0


@pytest.mark.parametrize(
    "call, says",
    [
        (
            lambda: gradcheck.numerical_gradient(np.sin, np.ones(2, np.float32), np.ones(2)),
            r"expected x in float64, got float32: .*astype",
        ),
        (lambda: gradcheck.numerical_gradient(np.sin, np.ones(2, int), np.ones(2)), "expected x in float64, got int64"),
        (lambda: gradcheck.numerical_gradient(np.sin, np.ones(2), np.ones(2), h=0), "expected a step h above 0, got 0"),
        (
            lambda: gradcheck.numerical_gradient(np.sin, np.ones(2), np.ones(2), h=math.nan),
            "expected a step h above 0, got nan",
        ),
        (
            lambda: gradcheck.numerical_gradient(np.sin, np.full(2, 1e9), np.ones(2), h=1e-9),
            "expected a step that changes x, got h=1e-09",
        ),
        (
            lambda: gradcheck.numerical_gradient(np.sin, np.ones(2), np.ones(3)),
            r"expected dy of the shape of f\(x\), \(2,\), got \(3,\)",
        ),
        (lambda: gradcheck.relative_error(np.ones(2), np.ones(3)), r"expected a gradient of shape \(3,\), got \(2,\)"),
        (
            lambda: gradcheck.gradcheck(bn, lambda dy, *inputs: (dy,), *batch()),
            "expected 3 gradients from backward, one an input, got 1",
        ),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()
