"""Every exercise of every chapter: right answers pass, each usual mistake gets its own message, and nothing else does.

What readers write stands in a file beside this one, named as the chapter: `RIGHT` answers (one, computed otherwise than
the reference, is owed by every exercise), and `WRONG` ones, each with the mistake that it should be told.
"""

import contextlib
import importlib
import io
import pkgutil
import runpy
from pathlib import Path

import grimp
import pytest

from bnutils import exercises
from bnutils.exercises import engine

CHAPTERS = [module.name for module in pkgutil.iter_modules(exercises.__path__) if module.name != "engine"]
READERS = {chapter: runpy.run_path(str(Path(__file__).with_name(f"{chapter}.py"))) for chapter in CHAPTERS}
MANUSCRIPT = Path(__file__).resolve().parents[2] / "manuscript"


def of(chapter):
    """The exercises of a chapter, by their names in the module."""
    module = vars(importlib.import_module(f"bnutils.exercises.{chapter}"))
    return {name: value for name, value in module.items() if hasattr(value, "mistakes")}


def said(exercise, candidate):
    """The one line that an exercise prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert exercise(candidate) is None
    (line,) = out.getvalue().splitlines()
    return line


def each(rows):
    """One test a row, with an id without spaces."""
    rows = list(rows)
    names = ["-".join(str(part) for part in row if isinstance(part, str)).replace(" ", "_") for row in rows]
    return [pytest.param(*row, id=name) for row, name in zip(rows, names)]


every_exercise = pytest.mark.parametrize("chapter, name", each((c, name) for c in CHAPTERS for name in of(c)))


@pytest.mark.parametrize(
    "chapter, name, mistake",
    each((c, name, m.name) for c in CHAPTERS for name, exercise in of(c).items() for m in exercise.mistakes),
)
def test_a_mistake_is_recognised_by_its_own_idea_and_by_no_other(chapter, name, mistake):
    exercise = of(chapter)[name]
    (known,) = [known for known in exercise.mistakes if known.name == mistake]
    assert said(exercise, known.wrong) == f"✗ {name}: {known.idea}"
    answers = [engine.answer(known.wrong, case) for case in exercise.cases]
    assert [found.name for found in engine.missed(exercise, answers)] == [mistake]


@pytest.mark.parametrize(
    "chapter, name, mistake, candidate", each((c, *row) for c in CHAPTERS for row in READERS[c]["WRONG"])
)
def test_a_wrong_answer_in_the_readers_own_words_is_recognised(chapter, name, mistake, candidate):
    exercise = of(chapter)[name]
    (idea,) = [known.idea for known in exercise.mistakes if known.name == mistake]
    assert said(exercise, candidate) == f"✗ {name}: {idea}"


@pytest.mark.parametrize("chapter, name, candidate", each((c, *row) for c in CHAPTERS for row in READERS[c]["RIGHT"]))
def test_a_right_answer_passes_however_it_is_written(chapter, name, candidate):
    exercise = of(chapter)[name]
    assert said(exercise, candidate) == f"✓ {name}: {exercise.proves}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_module_of_exercises_belongs_to_its_chapter_alone(chapter):
    """So that a new exercise runs no other chapter again: nothing that another chapter imports leads to it."""
    graph = grimp.build_graph("bnutils", cache_dir=None)
    module, line = f"bnutils.exercises.{chapter}", f"\nfrom bnutils.exercises import {chapter} as check\n"
    assert graph.find_downstream_modules(module) == set()
    readers = [page for page in MANUSCRIPT.rglob("*.md") if line in page.read_text("utf8")]
    assert [page.stem for page in readers] == [chapter.replace("_", "-")]


@every_exercise
def test_an_exercise_is_whole(chapter, name):
    """Named as the function it checks, explained, with five mistakes of their own, and solved in a second way."""
    exercise = of(chapter)[name]
    assert exercise.name == name and exercise.__doc__.startswith("Return ")
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 5
    assert len({mistake.idea for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert name in {row[0] for row in READERS[chapter]["RIGHT"]}, f"no answer to {name} in RIGHT of {chapter}.py here"


@every_exercise
def test_the_reference_passes_and_a_hole_is_not_filled_in(chapter, name):
    exercise = of(chapter)[name]
    assert said(exercise, exercise.reference) == f"✓ {name}: {exercise.proves}"
    for hole in (None, ..., (None, None), [..., None]):
        assert said(exercise, lambda *arguments, hole=hole: hole) == f"… {name}: not filled in yet"


@every_exercise
def test_right_on_the_first_case_only_does_not_pass(chapter, name):
    exercise = of(chapter)[name]
    first = exercise.reference(*exercise.cases[0].arguments)
    assert said(exercise, lambda *arguments: first).startswith(f"✗ {name}, case 2")
