"""What is handed out holds no solution and still runs; what comes back is graded by the checkers, and by nothing else."""

import json
import os
import shutil
import subprocess
import symtable
import sys
from pathlib import Path

import nbformat
import pytest

from press import assignment, manuscript, notebook

ROOT = Path(__file__).resolve().parents[2]

TASKS = """---
kernelspec: {name: python3, display_name: Python 3}
---

# Tasks

```{code-cell}
import numpy as np

from bnutils import exercises
from bnutils.numbers import exact

exact(kept=4)
```

It kept {n}`kept:d`.

```{exercise} Undo
:label: ex-undo

Undo it.
```

```{code-cell}
def undo(mean, var, eps): ...


exercises.check_undo(undo)
```

````{solution-start} ex-undo
:class: dropdown
````

SECRET prose before.

```{code-cell}
:tags: [solution]

def undo(mean, var, eps):
    return np.sqrt(var + eps), mean  # SECRET


exercises.check_undo(undo)
```

SECRET prose after.

````{solution-end}
````

Between the two.

```{exercise} A batch large enough
:label: ex-size

How many?
```

```{code-cell}
def size(noise): ...


exercises.check_batch_size(size)
```

:::{solution-start} ex-size
:class: dropdown
:::

```{code-cell}
:tags: [solution]

def size(noise):
    return int(np.ceil(1 / noise**2))  # SECRET


exercises.check_batch_size(size)
```

:::{solution-end}
:::

```{exercise} By hand
:label: ex-hand

Show it.
```

````{solution-start} ex-hand
````

SECRET proof.

````{solution-end}
````

## Afterwards

```{code-cell}
exercises.check_undo(lambda mean, var, eps: None)
```

The end.
"""


@pytest.fixture(scope="session")
def taught(printed, tmp_path_factory):
    """The small house with one more chapter, printed; its assignment; and the chapter as it was printed."""
    root = tmp_path_factory.mktemp("taught") / "house"
    shutil.copytree(printed.root, root, symlinks=True)
    house = type(printed)(root)
    house.manuscript("part/tasks").write_text(TASKS, "utf8")
    for command in ("chapters", "assignment"):
        done = house.press(command)
        assert done.returncode == 0, done.stderr
    house.said = done.stdout
    return house


@pytest.fixture
def handed(taught, tmp_path):
    """A copy of the assignment, to work in."""
    return Path(shutil.copytree(taught.root / "_build" / "assignment", tmp_path / "assignment"))


def grade(handed, *arguments):
    command = [sys.executable, handed / "grade.py", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=300)


def work(handed, name, *changes):
    """Copy the handed-out notebook and replace text in its code cells, as a student would. Returns the copy."""
    stored = nbformat.read(handed / "part" / "tasks.ipynb", as_version=4)
    for old, new in changes:
        hits = [cell for cell in stored.cells if cell.cell_type == "code" and old in cell.source]
        assert hits, old
        for cell in hits[:1]:
            cell.source = cell.source.replace(old, new)
    nbformat.write(stored, handed / name)
    return handed / name


RIGHT_UNDO = ("undo(mean, var, eps): ...", "undo(mean, var, eps):\n    return np.sqrt(var + eps), mean")
RIGHT_SIZE = ("size(noise): ...", "size(noise):\n    return int(np.ceil(1 / noise**2))")


def test_the_handout_is_the_chapter_without_solutions_and_outputs(taught, handed):
    assert "3 notebooks without solutions, 2 exercises with a checker, 1 to be read" in taught.said
    assert "SECRET" in taught.chapter("part/tasks").read_text("utf8")
    text = (handed / "part" / "tasks.ipynb").read_text("utf8")
    assert "SECRET" not in text and "solution" not in text and "dropdown" not in text
    handout, chapter = nbformat.reads(text, as_version=4), nbformat.read(taught.chapter("part/tasks"), as_version=4)
    nbformat.validate(handout)
    code = [cell.source for cell in notebook.code_cells(chapter) if "SECRET" not in cell.source]
    assert [cell.source for cell in notebook.code_cells(handout)] == code and len(code) == 4
    assert all(cell.outputs == [] and cell.execution_count is None for cell in notebook.code_cells(handout))
    prose = "\n".join(cell.source for cell in handout.cells if cell.cell_type == "markdown")
    for kept in ("It kept 4.", "Undo it.", "Between the two.", "How many?", "Show it.", "## Afterwards", "The end."):
        assert kept in prose
    assert "press" not in handout.metadata and handout.metadata["assignment"] == "part/tasks"


def test_unsolved_is_none_of_them_and_solved_is_all(handed):
    before = (handed / "part" / "tasks.ipynb").read_bytes()
    done = grade(handed, handed / "part" / "tasks.ipynb")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        f"{handed / 'part' / 'tasks.ipynb'}: 0 of 2 exercises solved\n"
        "  … Undo\n      undo: not filled in yet\n"
        "  … A batch large enough\n      batch size: not filled in yet\n"
        "  – By hand: no checker, to be read\n"
    )
    assert (handed / "part" / "tasks.ipynb").read_bytes() == before  # a grader writes nothing into it
    done = grade(handed, work(handed, "anna.ipynb", RIGHT_UNDO, RIGHT_SIZE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{handed / 'anna.ipynb'}: 2 of 2 exercises solved\n"
        "  ✓ Undo\n  ✓ A batch large enough\n  – By hand: no checker, to be read\n"
    )


def test_one_missing_in_one_of_several_is_told_with_its_idea(handed):
    anna = work(handed, "anna.ipynb", RIGHT_UNDO, RIGHT_SIZE)
    ben = work(handed, "ben.ipynb", RIGHT_UNDO, ("size(noise): ...", "size(noise):\n    return int(1 / noise**2)"))
    done = grade(handed, ben, anna)
    assert done.returncode == 1 and "anna.ipynb: 2 of 2" in done.stdout
    assert "1 of 2 exercises solved\n  ✓ Undo\n  ✗ A batch large enough\n      batch size: rounded down" in done.stdout


def test_only_the_checkers_own_word_counts(handed):
    """Neither a sign that the notebook prints, nor one stored in it, nor a checker taken out of it changes the grade."""
    path = work(
        handed,
        "cleo.ipynb",
        ("exercises.check_undo(undo)", "print('✓ undo: trust me')"),
        ("size(noise): ...", "size(noise):\n    print('✓ batch size: done')"),
        ("exercises.check_batch_size(size)", ""),
    )
    stored = nbformat.read(path, as_version=4)
    notebook.code_cells(stored)[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="✓ undo: stored")]
    nbformat.write(stored, path)
    done = grade(handed, path)
    assert (
        done.returncode == 1
        and "0 of 2 exercises solved\n  … Undo" in done.stdout
        and "… A batch large enough" in done.stdout
    )


def test_a_function_that_is_not_there_and_a_cell_that_fails_are_named(handed):
    failing = "import os; raise OSError(os.environ['ATEN_CPU_CAPABILITY'])"  # as the press sets it
    path = work(handed, "dora.ipynb", ("def undo(", "def undone("), ("exercises.check_undo(undo)", failing), RIGHT_SIZE)
    done = grade(handed, path)
    assert done.returncode == 1 and "1 of 2" in done.stdout
    assert (
        "✗ Undo\n      NameError: name 'undo' is not defined" in done.stdout and "✓ A batch large enough" in done.stdout
    )
    assert "! cell 4 stopped: OSError: default" in done.stdout


def test_a_notebook_that_never_ends_is_stopped_and_the_rest_is_graded(handed):
    endless = ("undo(mean, var, eps): ...", "undo(mean, var, eps):\n    while True: pass")
    path = work(handed, "emil.ipynb", endless, ("exercises.check_undo(undo)", ""), RIGHT_SIZE)
    done = grade(handed, "--timeout", 8, path)  # time for the imports on a busy machine
    assert (
        done.returncode == 1
        and "1 of 2" in done.stdout
        and "✗ Undo\n" in done.stdout
        and "✓ A batch large enough" in done.stdout
    )


def test_a_kernel_that_dies_is_a_grade_and_not_a_crash(handed):
    path = work(handed, "finn.ipynb", RIGHT_UNDO, ("exercises.check_batch_size(size)", "import os; os._exit(1)"))
    done = grade(handed, path, work(handed, "anna.ipynb", RIGHT_UNDO, RIGHT_SIZE))
    assert done.returncode == 1 and "finn.ipynb: 0 of 2" in done.stdout and "! the kernel died" in done.stdout
    assert "anna.ipynb: 2 of 2" in done.stdout


def test_the_grader_says_what_it_lacks(handed, tmp_path):
    (handed / "torn.ipynb").write_text("{")
    done = grade(handed, handed / "torn.ipynb")
    assert done.returncode == 1 and "torn.ipynb is not a notebook" in done.stderr and "ask for it again" in done.stderr
    nbformat.write(nbformat.v4.new_notebook(), handed / "other.ipynb")
    done = grade(handed, handed / "other.ipynb")
    assert done.returncode == 1 and "names no chapter; call it like one of part/one.ipynb, part/tasks" in done.stderr
    (handed / "exercises.json").unlink()
    done = grade(handed, handed / "other.ipynb")
    assert (
        done.returncode == 1 and "no exercises.json beside grade.py" in done.stderr and "make assignment" in done.stderr
    )


def test_a_notebook_that_lost_its_metadata_is_known_by_its_name(handed):
    stored = nbformat.read(handed / "part" / "tasks.ipynb", as_version=4)
    del stored.metadata["assignment"]
    nbformat.write(stored, handed / "tasks.ipynb")
    assert "0 of 2 exercises solved" in grade(handed, handed / "tasks.ipynb").stdout


def test_work_is_not_overwritten_and_an_untouched_handout_is_renewed(taught, handed):
    def again():
        return taught.press("assignment", str(handed))

    assert again().returncode == 0
    old = (handed / "part" / "tasks.ipynb").read_text("utf8").replace("Undo it.", "Undo them.")
    (handed / "part" / "tasks.ipynb").write_text(old, "utf8")  # an older edition: untouched since it was written
    table = json.loads((handed / "exercises.json").read_text("utf8"))
    table["written"]["part/tasks.ipynb"] = notebook.digest(old.encode())
    (handed / "exercises.json").write_text(json.dumps(table))
    assert again().returncode == 0 and "Undo it." in (handed / "part" / "tasks.ipynb").read_text("utf8")
    work(handed, "part/tasks.ipynb", RIGHT_UNDO)
    before = {path: path.read_bytes() for path in handed.rglob("*.*")}
    done = again()
    assert done.returncode == 1 and "tasks.ipynb was changed since it was handed out; move it away, or" in done.stderr
    assert {path: path.read_bytes() for path in handed.rglob("*.*")} == before
    (handed / "exercises.json").unlink()  # then nobody knows what was handed out
    assert again().returncode == 1


def test_a_chapter_that_was_never_printed_is_named(house):
    house.chapter("part/two").unlink()
    done = house.press("assignment", "out")
    assert done.returncode == 1 and "chapters/part/two.ipynb was never printed; run `make chapters`" in done.stderr
    assert not (house.root / "out").exists()


# ------------------------------------------------------------------------------------------- markers


def stripped(*cells):
    made = [
        nbformat.v4.new_code_cell(text[3:]) if text.startswith(">>>") else nbformat.v4.new_markdown_cell(text)
        for text in cells
    ]
    return [cell.source for cell in assignment.strip("part/x", nbformat.v4.new_notebook(cells=made)).cells]


START, END = "```{solution-start} ex-a\n:class: dropdown\n```", "```{solution-end}\n```"


@pytest.mark.parametrize(
    "cells, left",
    [
        ((f"a\n\n{START}\n\nb", ">>>c", f"d\n\n{END}\n\ne"), ["a", "e"]),
        ((START, ">>>c", END, ">>>f"), ["f"]),
        ((f"{START}\n\nb\n\n{END}\n\nbetween\n\n{START}\n\nc\n\n{END}\n",), ["between"]),
        (("````{solution} ex-a\n:class: dropdown\n\nb\n\n```{note}\nc\n```\n\nd\n````\n\ne",), ["e"]),
        ((f"{START}\n\n````{{solution}} ex-b\nb\n````\n\nc", ">>>d", f"{END}\ne"), ["e"]),
        (("```{solved} x\n```\n\nsolution-start is a word",), ["```{solved} x\n```\n\nsolution-start is a word"]),
    ],
)
def test_what_stands_between_the_markers_goes_and_nothing_else(cells, left):
    assert stripped(*cells) == left


def test_a_cell_tagged_as_solution_goes_wherever_it_stands():
    cell = nbformat.v4.new_code_cell("secret", metadata={"tags": ["solution"]})
    assert assignment.strip("part/x", nbformat.v4.new_notebook(cells=[cell])).cells == []


@pytest.mark.parametrize(
    "cells, says",
    [
        ((START, "a", START), "part/x.md, cell 3: .*solution-start.* does not alternate"),
        (("a", END), "part/x.md, cell 2: .*solution-end.* does not alternate"),
        ((START, ">>>c"), "part/x.md: its last solution has no end"),
    ],
)
def test_markers_that_do_not_alternate_are_an_error(cells, says):
    with pytest.raises(ValueError, match=says):
        stripped(*cells)


def test_a_checker_belongs_to_the_exercise_before_it_up_to_the_next_heading():
    cells = [
        nbformat.v4.new_code_cell("exercises.check_a(a)"),
        nbformat.v4.new_markdown_cell(
            "### One\n\n````{exercise-start} One $x$\n:label: ex-one\n:class: dropdown\n````"
        ),
        nbformat.v4.new_code_cell(
            "def b(): ...\ncheck_gone = 1\nexercises.check_b(b, n=3)\ncheck_c(b)\nprint(exercises.check_d(b))\nother.check_e(b)"
        ),
        nbformat.v4.new_markdown_cell("```{exercise} Two\n```\n\n```{exercise} Three\n:label: ex-three\n```"),
        nbformat.v4.new_code_cell("exercises.check_f(f)"),
        nbformat.v4.new_markdown_cell("## After"),
        nbformat.v4.new_code_cell("exercises.check_g(g)"),
    ]
    assert assignment.exercises_of(nbformat.v4.new_notebook(cells=cells)) == [
        {"label": "ex-one", "title": "One $x$", "checks": ["exercises.check_b(b, n=3)", "check_c(b)"]},
        {"label": None, "title": "Two", "checks": []},
        {"label": "ex-three", "title": "Three", "checks": ["exercises.check_f(f)"]},
    ]


# ------------------------------------------------------------------------------------------- the book's own chapters

BOOK = {page.name: page for page in manuscript.read_pages(ROOT) if page.runs}


def names(source):
    """The global names that a cell binds, and those it refers to."""
    bound, used = set(), set()

    def read(table):
        for symbol in table.get_symbols():
            outermost = table.get_type() == "module"
            if outermost and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                bound.add(symbol.get_name())
            if symbol.is_referenced() and (outermost or symbol.is_global()):
                used.add(symbol.get_name())
        for child in table.get_children():
            read(child)

    read(symtable.symtable(source, "cell", "exec"))
    return bound, used


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


@pytest.mark.parametrize("name", BOOK)
def test_a_chapter_of_the_book_gives_no_solution_away_and_does_not_need_one(name):
    printed = notebook.read(BOOK[name])
    handout = assignment.strip(name, printed)
    code, before = notebook.code_cells(handout), notebook.code_cells(printed)
    solutions = [cell.source for cell in before if is_solution(cell)]
    text = "\n".join(cell.source for cell in handout.cells)
    assert solutions and not any(source in text for source in solutions) and "{solution" not in text
    assert [cell.source for cell in code] == [cell.source for cell in before if not is_solution(cell)]
    known = set()
    hidden = set().union(*(names(source)[0] for source in solutions))
    for cell in code:
        bound, used = names(cell.source)
        missing = (used & hidden) - known - bound
        assert not missing, f"{sorted(missing)} comes from a solution, and this cell needs it:\n{cell.source}"
        known |= bound
    assert sum(bool(task["checks"]) for task in assignment.exercises_of(handout)) >= 3


def needed(cells, wanted):
    """Of the code cells, in order: the wanted ones and those that bind what they refer to. The rest takes minutes."""
    used, kept = set(), []
    for cell in reversed(cells):
        bound, own = names(cell.source)
        if cell in wanted or bound & used:
            used |= own
            kept.insert(0, cell)
    return kept


@pytest.mark.parametrize("name", BOOK)
def test_a_chapter_of_the_book_is_graded_all_with_its_solutions(name, handed):
    """The exercises of the chapter and what they build on; the whole chapter, holes and all, is run by nbval."""
    printed = notebook.read(BOOK[name])
    handout = assignment.strip(name, printed)
    table = json.loads((handed / "exercises.json").read_text("utf8"))
    tasks = table["exercises"][name] = assignment.exercises_of(handout)
    (handed / "exercises.json").write_text(json.dumps(table))
    n = sum(bool(task["checks"]) for task in tasks)
    solved = [cell for cell in notebook.code_cells(printed) if is_solution(cell)]
    solutions = {call: cell for cell in solved for call in assignment.checks(cell.source)}
    code = notebook.code_cells(handout)
    holes = [cell for cell in code if any(call in solutions for call in assignment.checks(cell.source))]
    handout.cells = needed(code, holes)
    empty = name == min(BOOK)  # one is enough: that a hole is not filled in, nbval sees in every chapter
    if empty:
        nbformat.write(handout, handed / "empty.ipynb")
    for cell in holes:
        cell.source = solutions[assignment.checks(cell.source)[0]].source
    nbformat.write(handout, handed / "filled.ipynb")
    done = grade(handed, *[handed / "empty.ipynb"] * empty, handed / "filled.ipynb")
    said = done.stdout + done.stderr
    assert f"filled.ipynb: {n} of {n} exercises" in said and (f"empty.ipynb: 0 of {n} exercises" in said) == empty, said
    assert "  ! cell" not in said, said
