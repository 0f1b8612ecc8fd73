"""One quantity over seeds: against SciPy, against counting, and what is refused."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bnutils import sample
from bnutils.sample import over

STEADY = settings(derandomize=True, deadline=None, database=None, max_examples=40)
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9).filter(lambda values: max(values) - min(values) > 1e-3)


@STEADY
@given(VALUES)
def test_the_summary_is_that_of_numpy(values):
    found = over(values)
    assert (found.n, found.lowest, found.highest) == (len(values), min(values), max(values))
    np.testing.assert_allclose([found.median, found.mean], [np.median(values), np.mean(values)], rtol=1e-9, atol=1e-9)


@STEADY
@given(VALUES, st.sampled_from([0.5, 0.95, 0.99]))
def test_the_interval_is_students(values, confidence):
    theirs = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    np.testing.assert_allclose(over(values).interval(confidence), theirs, rtol=1e-7, atol=1e-6)


@STEADY
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9), st.sampled_from([0, 1, -20]))
def test_the_sign_flip_counts_every_choice_of_signs(values, about):
    distance = [value - about for value in values]
    sums = [abs(sum(s * d for s, d in zip(signs, distance))) for signs in product((1, -1), repeat=len(values))]
    reached = sum(total >= sums[0] for total in sums)
    assert over(values).sign_flip(about) == reached / len(sums)


def test_ten_differences_of_one_sign_have_the_smallest_p_there_is():
    assert over(np.arange(1.0, 11)).sign_flip() == 2 / 2**10


def test_the_sign_flip_agrees_with_scipy():
    values = np.random.default_rng(3).normal(0.4, 1, 10)
    theirs = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert over(values).sign_flip() == pytest.approx(theirs.pvalue)


def test_a_pair_shares_its_seed():
    """The spread that two sides share falls out of the paired difference, and out of nothing else."""
    rng = np.random.default_rng(4)
    shared, gain = rng.normal(0, 10, 12), rng.normal(1, 0.1, 12)
    difference = over(shared + gain) - over(shared)
    np.testing.assert_allclose(difference.values, gain, atol=1e-12)
    low, high = difference.interval()
    assert 0.8 < low < high < 1.2
    unpaired = over(shared + gain).interval()
    assert unpaired[1] - unpaired[0] > 20 * (high - low)


@pytest.mark.parametrize(
    ("values", "margin", "where", "equivalent"),
    [
        ([3, 4, 5], 0.5, "above", False),
        ([-3, -4, -5], 0.5, "below", False),
        ([-0.1, 0.0, 0.1], 0.5, "below", True),
        ([-1, 0, 1], 0.5, "across", None),
        ([0.2, 0.9, 1.6], 1, "across", None),
    ],
)
def test_where_the_interval_lies(values, margin, where, equivalent):
    found = over(values)
    assert found.where(margin) == where
    assert found.equivalent(margin) is equivalent


def test_an_interval_that_contains_zero_is_not_equivalence():
    wide = over([-5, 0, 6])
    low, high = wide.interval()
    assert low < 0 < high and wide.equivalent(0.5) is None


def test_broken_seeds_are_named_by_place():
    assert over([1, 5, 2, 5], below=5).broken() == [1, 3]
    assert over([1, 5, 2], above=1, below=5).broken() == [0, 1]
    assert over([1, 2]).broken() == []


def test_differences_in_the_last_bits_are_no_spread():
    assert over([0.1 + 0.2, 0.3]).spread == 0.0 and over([0.3, 0.4]).spread == pytest.approx(0.1)


def test_a_curve_over_seeds_is_a_sample_a_point():
    first, second = sample.columns(np.array([[1.0, 10], [3, 30], [2, 20]]))
    assert first.values == (1, 3, 2) and second.median == 20


def test_a_baseline_is_one_number_or_one_a_seed():
    assert over([1, 2, 3], chance=0.5).chance == (0.5,)
    assert over([1, 2, 3], perfect=[4, 5, 6], mutant=np.ones(3)).perfect == (4, 5, 6)
    with pytest.raises(ValueError, match="chance: expected one number, or one for each of 3 seeds, got 2"):
        over([1, 2, 3], chance=[1, 2])


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ([1.0, float("nan")], ValueError, "expected finite numbers.*diverged"),
        ([], ValueError, "got shape"),
        (np.ones((2, 2)), ValueError, r"one a seed, got shape \(2, 2\)"),
        ([True, False], TypeError, "expected real numbers"),
        (["0.5"], TypeError, "expected real numbers"),
        ([1j], TypeError, "expected real numbers"),
        (None, TypeError, "expected real numbers, got None"),
    ],
)
def test_anything_but_finite_real_numbers_is_refused(values, error, says):
    with pytest.raises(error, match=says):
        over(values)


def test_what_an_interval_cannot_do_is_said():
    with pytest.raises(ValueError, match="two or more seeds for an interval, got 1"):
        over(3.0).interval()
    with pytest.raises(ValueError, match="two samples over the same seeds, got 2 and 3"):
        over([1, 2]) - over([1, 2, 3])
    with pytest.raises(ValueError, match="at most 20 seeds"):
        over(range(21)).sign_flip()


def test_whole_numbers_stay_whole_and_minus_zero_is_zero():
    assert over([3, 4]).values == (3, 4) and type(over(3).values[0]) is int
    assert str(over([-0.0, 1.0]).lowest) == "0.0"
