"""One quantity over seeds: what numbers, claims and figures are made of.

A seed re-deals the split, the initial weights and the order of the batches, so the values of a sample are repetitions
of one experiment on one data set. They are not independent draws of data sets: an interval speaks of repetitions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95
MOST_FLIPS = 20  # 2^20 signs are tried; beyond that an exact test has no use here


@dataclass(frozen=True)
class Sample:
    """Values of one quantity, one a seed, with the bounds that every seed keeps and what they are held against.

    ``below`` and ``above`` are strict bounds. ``chance`` is what the quantity comes to where there is nothing to find,
    ``perfect`` what a perfect mechanism would give: each one number, or one a seed. ``mutant`` are the values of a
    deliberately false version of a theorem, which its numerical check has to notice.
    """

    values: tuple
    below: float | None = None
    above: float | None = None
    chance: tuple | None = None
    perfect: tuple | None = None
    mutant: tuple | None = None

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)

    @property
    def spread(self) -> float:
        """Highest minus lowest; 0 where the values differ in their last bits only."""
        spread = self.highest - self.lowest
        return spread if spread > 1e-12 * max(abs(self.lowest), abs(self.highest)) else 0.0

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / self.n

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Student's t interval of the mean, for ``n`` of 2 or more.

        Student (1908). It takes the values for normal, which a mean over ten seeds is near enough to, and which
        `sign_flip` does without.
        """
        from scipy import special

        if self.n < 2:
            raise ValueError(f"expected two or more seeds for an interval, got {self.n}; one value has no spread")
        mean = self.mean
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in self.values) / (self.n - 1))
        half = float(special.stdtrit(self.n - 1, (1 + confidence) / 2)) * deviation / math.sqrt(self.n)
        return mean - half, mean + half

    def sign_flip(self, about: float = 0.0) -> float:
        """Exact two-sided p of the sign-flip test: how often random signs take the mean as far from ``about``.

        Fisher (1935), section 21. It supposes that the differences are independent and symmetric about ``about``; with
        ``n`` seeds it cannot be smaller than 2/2ⁿ.
        """
        if self.n > MOST_FLIPS:
            raise ValueError(
                f"expected at most {MOST_FLIPS} seeds for all {2}^n signs, got {self.n}; draw signs at random instead"
            )
        distance = np.array(self.values) - about
        signs = 1 - 2 * (np.arange(2**self.n)[:, None] >> np.arange(self.n) & 1)
        reached = np.abs(signs @ distance)
        return float(np.mean(reached >= reached[0] * (1 - 1e-12)))

    def difference(self, other: Sample) -> Sample:
        """This minus the other, seed by seed; the bounds of both are left behind."""
        if self.n != other.n:
            raise ValueError(
                f"expected two samples over the same seeds, got {self.n} and {other.n} values; a pair shares its seed"
            )
        return Sample(tuple(a - b for a, b in zip(self.values, other.values)))

    def __sub__(self, other: Sample) -> Sample:
        return self.difference(other)

    def where(self, margin: float) -> str:
        """Where the interval of the mean lies: ``"above"`` the margin, ``"below"`` it, or ``"across"`` it."""
        low, high = self.interval()
        return "above" if low > margin else "below" if high < margin else "across"

    def equivalent(self, margin: float) -> bool | None:
        """If the mean is 0 but for ``margin``: True if the interval is within ±margin, False if outside, else None."""
        low, high = self.interval()
        if -margin < low and high < margin:
            return True
        return False if low > margin or high < -margin else None

    def broken(self) -> list[int]:
        """The positions of the seeds that do not keep ``below`` or ``above``."""
        return [
            place
            for place, value in enumerate(self.values)
            if (self.below is not None and not value < self.below)
            or (self.above is not None and not value > self.above)
        ]


def over(
    values: ArrayLike,
    *,
    below: float | None = None,
    above: float | None = None,
    chance: ArrayLike | None = None,
    perfect: ArrayLike | None = None,
    mutant: ArrayLike | None = None,
) -> Sample:
    """One quantity over seeds, with what it is held against.

    Parameters
    ----------
    values
        one finite real number, or a sequence of them, one a seed
    below, above : float
        strict bounds that every seed keeps. A bound comes from a source or from the smallest effect that matters, never
        from the values
    chance, perfect
        what the quantity comes to where there is nothing to find, and under a perfect mechanism: one number, or one a
        seed
    mutant
        one a seed: the values of a false version of the theorem that is checked

    Returns
    -------
    Sample

    Raises
    ------
    TypeError
        anything but real numbers
    ValueError
        a value that is not finite, no value, more than one axis, or a column that has not one number a seed
    """
    values = _column("values", values)
    held = {
        name: _baseline(name, given, len(values))
        for name, given in (("chance", chance), ("perfect", perfect), ("mutant", mutant))
        if given is not None
    }
    bounds = {
        name: _column(name, given)[0] for name, given in (("below", below), ("above", above)) if given is not None
    }
    return Sample(values, **bounds, **held)


def columns(rows: Iterable) -> list[Sample]:
    """A sample for each point of a curve: ``rows`` is (seeds, points)."""
    return [over(column) for column in zip(*(np.ravel(row) for row in rows), strict=True)]


def _baseline(name, given, n):
    column = _column(name, given)
    if len(column) not in (1, n):
        raise ValueError(f"{name}: expected one number, or one for each of {n} seeds, got {len(column)}")
    return column


def _column(name, given):
    array = np.asarray(given)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected real numbers, got {given!r} ({type(given).__name__})")
    if array.ndim > 1 or not array.size:
        raise ValueError(f"{name}: expected one number, or a 1-D sequence with one a seed, got shape {array.shape}")
    column = tuple(value + 0 for value in np.atleast_1d(array).tolist())  # -0.0 as 0.0
    if not all(map(math.isfinite, column)):
        raise ValueError(
            f"{name}: expected finite numbers, got {list(column)}; a run that diverged needs a number that says so"
        )
    return column
