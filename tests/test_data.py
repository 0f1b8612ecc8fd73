"""The digits: three parts of one set of images, the same for the same seed."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bnutils import data

PARTS = ("train", "validation", "test")


def rows(loaded, parts=PARTS):
    """Every image with its label, one a row."""
    return np.concatenate([np.column_stack([getattr(loaded, f"x_{p}"), getattr(loaded, f"y_{p}")]) for p in parts])


def in_order(table):
    return table[np.lexsort(table.T)]


def test_sizes_and_types():
    digits = data.load("digits")
    assert [getattr(digits, f"x_{p}").shape for p in PARTS] == [(1000, 64), (297, 64), (500, 64)]
    assert [getattr(digits, f"y_{p}").shape for p in PARTS] == [(1000,), (297,), (500,)]
    assert {getattr(digits, f"x_{p}").dtype for p in PARTS} == {np.dtype(np.float64)}
    assert {getattr(digits, f"y_{p}").dtype for p in PARTS} == {np.dtype(np.int64)}
    assert (digits.name, digits.mean, digits.scale) == ("digits", 0.0, 1.0)


def test_every_image_is_in_one_part_with_its_own_label():
    original = np.column_stack(load_digits(return_X_y=True))
    np.testing.assert_array_equal(in_order(rows(data.load("digits", seed=3))), in_order(original))


def test_a_seed_names_a_split():
    np.testing.assert_array_equal(rows(data.load("digits", seed=1)), rows(data.load("digits", seed=1)))
    assert not np.array_equal(rows(data.load("digits", seed=1)), rows(data.load("digits", seed=2)))
    np.testing.assert_array_equal(rows(data.load("digits")), rows(data.load("digits", seed=0)))


def test_a_split_is_shuffled():
    """In the original order the parts come from different writers; a permutation mixes them."""
    original = np.column_stack(load_digits(return_X_y=True))
    moved = (rows(data.load("digits", seed=0)) != original).any(1)
    assert moved.mean() > 0.98
    for part in PARTS:
        assert set(getattr(data.load("digits", seed=0), f"y_{part}")) == set(range(10))


def test_standardising_uses_the_training_part_and_moves_all_three_alike():
    plain, standard = data.load("digits", seed=4), data.load("digits", standardise=True, seed=4)
    assert abs(standard.x_train.mean()) < 1e-13 and abs(standard.x_train.std() - 1) < 1e-13
    assert (standard.mean, standard.scale) == (plain.x_train.mean(), plain.x_train.std())
    for part in PARTS:
        restored = getattr(standard, f"x_{part}") * standard.scale + standard.mean
        np.testing.assert_allclose(restored, getattr(plain, f"x_{part}"), atol=1e-12)
        np.testing.assert_array_equal(getattr(standard, f"y_{part}"), getattr(plain, f"y_{part}"))
    assert abs(standard.x_test.mean()) > 1e-6                # the test part has had no say in its own mean


@pytest.mark.parametrize("standardise", [False, True])
def test_the_arrays_are_read_only(standardise):
    digits = data.load("digits", standardise=standardise)
    for part in PARTS:
        for letter in "xy":
            with pytest.raises(ValueError, match="read-only"):
                getattr(digits, f"{letter}_{part}")[0] = 0
    with pytest.raises(AttributeError):
        digits.x_train = None


@pytest.mark.parametrize("call, says", [
    (lambda: data.load("mnist"), "expected the name of a data set, one of 'digits', got 'mnist'"),
    (lambda: data.load("digits", seed=None), "expected an integer seed of 0 or more, got None"),
    (lambda: data.load("digits", seed=-1), "expected an integer seed of 0 or more, got -1"),
    (lambda: data.load("digits", seed=1.0), "expected an integer seed of 0 or more, got 1.0"),
    (lambda: data.load("digits", seed=True), "expected an integer seed of 0 or more, got True"),
])
def test_an_error_says_what_there_is(call, says):
    with pytest.raises(ValueError, match=says):
        call()
