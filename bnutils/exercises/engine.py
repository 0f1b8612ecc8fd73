"""What every exercise shares: it is called with the reader's function, checks it, and names the idea it missed.

An exercise is data: the right function, the cases it is tried on, and the usual mistakes, each with a name, the message
for the reader and the wrong function. A candidate is compared with the right function first, then with every wrong one,
on all cases.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """What a function is tried on: `told` describes it to the reader, `arguments` go to the function."""

    told: str
    arguments: tuple


@dataclass(frozen=True)
class Mistake:
    """A usual wrong answer: its name, the idea it misses as a message to the reader, and a function that makes it."""

    name: str
    idea: str
    wrong: Callable


@dataclass(frozen=True)
class Raised:
    """What stands in the place of an answer when a function raised an exception."""

    error: str


@dataclass(eq=False)
class Exercise:
    """What is asked (its docstring), the right function, what it proves, the cases, and the ways to miss it."""

    reference: Callable
    proves: str
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...]

    def __post_init__(self):
        self.name, self.__doc__ = self.reference.__name__, self.reference.__doc__

    def __call__(self, candidate: Callable) -> None:
        """Try a function of the same arguments as the reference; print what it proves, or which idea it missed."""
        print(verdict(self, [answer(candidate, case) for case in self.cases]))


def exercise(proves: str, cases: Iterable[Case], *mistakes: Mistake) -> Callable[[Callable], Exercise]:
    """Make an `Exercise` of the right function: a decorator.

    Parameters
    ----------
    proves
        what a function has shown that agrees with the decorated one on all cases
    cases
        what both are tried on
    *mistakes
        the usual wrong answers; the first that a candidate agrees with is named
    """
    return lambda reference: Exercise(reference, proves, tuple(cases), mistakes)


def answer(candidate: Callable, case: Case) -> object:
    """What a candidate returns for a case; None if it is not implemented, `Raised` if it failed.

    It is given copies of the arguments, so it cannot spoil the case.
    """
    try:
        with np.errstate(all="ignore"):  # a wrong answer may divide by zero: that is its business
            return candidate(*copy.deepcopy(case.arguments))
    except NotImplementedError:
        return None
    except Exception as error:
        return Raised(f"{type(error).__name__}: {error}")


def verdict(exercise: Exercise, answers: Sequence) -> str:
    """Judge the answers to the cases of an exercise, one for each, wherever they were computed.

    Returns
    -------
    line : str
        "✓ name: what it proves", "… name: not filled in yet", or "✗ name: the idea that was missed"
    """
    name = exercise.name
    told = [f"case {number} ({case.told})" for number, case in enumerate(exercise.cases, 1)]
    for where, given in zip(told, answers, strict=True):
        if isinstance(given, Raised):
            return f"✗ {name}, {where}: your function raised {given.error}"
    if all(map(_is_hole, answers)):
        return f"… {name}: not filled in yet"
    expected = [answer(exercise.reference, case) for case in exercise.cases]
    agrees = [_equal(e, a) for e, a in zip(expected, answers)]
    if all(agrees):
        return f"✓ {name}: {exercise.proves}"
    for mistake in missed(exercise, answers):
        return f"✗ {name}: {mistake.idea}"
    first = agrees.index(False)
    return f"✗ {name}, {told[first]}: {_difference(expected[first], answers[first])}"


def missed(exercise: Exercise, answers: Sequence) -> list[Mistake]:
    """The mistakes whose wrong function gives these answers to the cases, all of them."""
    return [
        mistake
        for mistake in exercise.mistakes
        if all(_equal(answer(mistake.wrong, case), given) for case, given in zip(exercise.cases, answers))
    ]


def _is_hole(given):
    parts = given if isinstance(given, tuple | list) else (given,)
    return all(part is None or part is ... for part in parts)


def _parts(given, several):
    """The arrays of an answer, one or several, or None if it is not made of numbers."""
    try:
        parts = [np.asarray(part) for part in (given if several else (given,))]
    except (TypeError, ValueError):  # not a sequence, or a ragged one
        return None
    return parts if all(part.dtype.kind in "iuf" for part in parts) else None


def _equal(expected, given):
    several = isinstance(expected, tuple)
    expected, given = _parts(expected, several), _parts(given, several)
    if given is None or [part.shape for part in given] != [part.shape for part in expected]:
        return False
    return not any(_off(e, g).any() for e, g in zip(expected, given))


def _off(expected, given):
    tolerance = 1e-4 if expected.dtype == np.float32 else 1e-9
    return ~np.isclose(given, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def _difference(expected, given):
    """The first disagreement in words, numbers to 4 digits."""
    several = isinstance(expected, tuple)
    wanted, got = _parts(expected, several), _parts(given, several)
    if got is None or len(got) != len(wanted):
        return f"expected {f'{len(wanted)} arrays' if several else 'numbers'}, got {_kind(given)}"
    for position, (w, g) in enumerate(zip(wanted, got), 1):
        which = f" in part {position} of {len(wanted)}" if several else ""
        if w.shape != g.shape:
            return f"expected shape {w.shape}, got {g.shape}{which}"
        for index in np.argwhere(_off(w, g)).tolist():
            where = f" at {index}" if index else ""
            return f"expected {w[*index]:.4g}, got {g[*index]:.4g}{where}{which}"


def _kind(given):
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {len(given)}"
    return f"shape {given.shape}" if isinstance(given, np.ndarray) else f"{given!r} ({type(given).__name__})"
