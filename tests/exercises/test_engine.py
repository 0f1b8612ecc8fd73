"""What an exercise says of answers that are neither right nor a known mistake, and that no answer can spoil a case."""

import contextlib
import io
import math

import numpy as np
import pytest

from bnutils.exercises import engine
from bnutils.exercises import the_transform as check


def said(exercise, candidate):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exercise(candidate)
    return out.getvalue()


def test_a_function_that_says_it_is_not_implemented_is_a_hole():
    def later(noise):
        raise NotImplementedError

    assert said(check.batch_size, later) == "… batch_size: not filled in yet\n"


def test_an_exercise_says_what_the_function_returns():
    assert (
        check.batch_size.__doc__ == check.batch_size.reference.__doc__
        and "smallest integer" in check.batch_size.__doc__
    )


@pytest.mark.parametrize(
    "candidate, line",
    [
        (
            lambda noise: 1 // 0,
            "✗ batch_size, case 1 (noise=0.5): your function raised ZeroDivisionError: integer division",
        ),
        (lambda: 4, "case 1 (noise=0.5): your function raised TypeError"),
        (lambda noise: {0.5: 4, 0.25: 16}[noise], "case 3 (noise=0.125): your function raised KeyError: 0.125"),
        (7, "case 1 (noise=0.5): your function raised TypeError: 'int' object is not callable"),
        (lambda noise: 4, "✗ batch_size, case 2 (noise=0.25): expected 16, got 4"),
        (
            lambda noise: 12.34567 if noise == 0.3 else math.ceil(1 / noise**2),
            "case 4 (noise=0.3): expected 12, got 12.35",
        ),
        (lambda noise: "four", "case 1 (noise=0.5): expected numbers, got 'four' (str)"),
        (lambda noise: None if noise < 0.2 else math.ceil(1 / noise**2), "expected numbers, got None (NoneType)"),
        (lambda noise: (4, 4), "expected shape (), got (2,)"),
        (lambda noise: np.array([4]), "expected shape (), got (1,)"),
    ],
)
def test_another_answer_is_shown_beside_the_expected_one(candidate, line):
    assert line in said(check.batch_size, candidate)


@pytest.mark.parametrize(
    "exercise, candidate, line",
    [
        (
            check.standardise,
            lambda x, eps: np.zeros(3),
            "case 1 (6 values, 4 features, eps=1e-5): expected shape (6, 4), got (3,)",
        ),
        (check.standardise, lambda x, eps: x * 0, "at [0, 0]"),
        (
            check.standardise,
            lambda x, eps: check.standardise.reference(x, eps) * (1 + 0.01 * (x.dtype == np.float32)),
            "case 3 (8 values",
        ),
        (check.undo, lambda mean, var, eps: np.sqrt(var), "expected 2 arrays, got shape (3,)"),
        (check.undo, lambda mean, var, eps: (np.sqrt(var + eps), mean + 1), "in part 2 of 2"),
        (check.undo, lambda mean, var, eps: (np.sqrt(var + eps), [[1], [1, 2]]), "expected 2 arrays, got a tuple of 2"),
    ],
)
def test_an_array_is_compared_entry_by_entry(exercise, candidate, line):
    assert line in said(exercise, candidate)


def test_a_candidate_cannot_spoil_the_cases():
    @engine.exercise("centred.", [engine.Case("four values", (np.array([1.0, 2, 4, 8]),))])
    def centre(x):
        return x - x.mean()

    def destructive(x):
        x -= x.mean()
        return x

    assert said(centre, destructive) == said(centre, destructive) == "✓ centre: centred.\n"
    np.testing.assert_array_equal(centre.cases[0].arguments[0], [1, 2, 4, 8])


def test_the_large_case_leaves_a_single_pass_nothing():
    """What makes it recognisable: E[x^2] and E[x]^2 are equal in float32 in every order of summation."""
    x, _ = check.standardise.cases[-1].arguments
    assert x.dtype == np.float32 and x.astype(float).var(0).min() > 0.1
    for order in (slice(None), slice(None, None, -1)):
        rows = x[order]
        for mean_of_squares in (np.square(rows).mean(0), sum(row**2 for row in rows) / np.float32(8)):
            np.testing.assert_array_equal(mean_of_squares - rows.mean(0) ** 2, 0)
