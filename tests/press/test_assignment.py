"""What is handed out holds no solution and still runs; what comes back is graded by its answers, by nothing else."""

import fcntl
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

from bnutils.exercises import the_transform as check
from bnutils.evidence import exact

exact(kept=4)
```

It kept {n}`kept:d`.

```{exercise} Undo
:label: ex-undo

Undo it.
```

```{code-cell}
def undo(mean, var, eps): ...


check.undo(undo)
```

````{solution-start} ex-undo
:class: dropdown
````

SECRET prose before.

```{code-cell}
:tags: [solution]

def undo(mean, var, eps):
    return np.sqrt(var + eps), mean  # SECRET


check.undo(undo)
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


check.batch_size(size)
```

:::{solution-start} ex-size
:class: dropdown
:::

```{code-cell}
:tags: [solution]

def size(noise):
    return int(np.ceil(1 / noise**2))  # SECRET


check.batch_size(size)
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
check.undo(lambda mean, var, eps: None)
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


def grade(handed, *arguments, before=()):
    command = [*before, sys.executable, handed / "grade.py", *map(str, arguments)]
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
WRONG_UNDO = (RIGHT_UNDO[0], RIGHT_UNDO[1].replace(", mean", ", -mean"))
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
    for kept in (">4</a>.", "Undo it.", "Between the two.", "How many?", "Show it.", "## Afterwards", "The end."):
        assert kept in prose
    assert "press" not in handout.metadata and handout.metadata["assignment"] == "part/tasks"


def test_unsolved_is_none_of_them_and_solved_is_all(handed):
    before = (handed / "part" / "tasks.ipynb").read_bytes()
    done = grade(handed, handed / "part" / "tasks.ipynb")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        f"{handed / 'part' / 'tasks.ipynb'}: 0 of 2 exercises solved\n"
        "  … Undo\n      undo: not filled in yet\n"
        "  … A batch large enough\n      batch_size: not filled in yet\n"
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
    assert "1 of 2 exercises solved\n  ✓ Undo\n  ✗ A batch large enough\n      batch_size: rounded down" in done.stdout


def test_only_what_the_functions_answer_counts(handed):
    """Neither a sign that the notebook prints, nor one stored in it, nor a checker taken out changes the grade."""
    path = work(
        handed,
        "cleo.ipynb",
        ("check.undo(undo)", "print('✓ undo: trust me')"),
        ("size(noise): ...", "size(noise):\n    print('✓ batch_size: done')"),
        ("check.batch_size(size)", ""),
    )
    stored = nbformat.read(path, as_version=4)
    notebook.code_cells(stored)[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="✓ undo: stored")]
    nbformat.write(stored, path)
    done = grade(handed, path)
    assert done.returncode == 1 and "0 of 2 exercises solved\n  … Undo" in done.stdout
    assert "… A batch large enough" in done.stdout


ENGINE = "from bnutils.exercises import engine\n"
SIGN = "print('✓ undo: trust me')"
UNDO = "bnutils.exercises.the_transform:undo"
ATTACKS = {
    "the checker is redefined": f"class check:\n    undo = staticmethod(lambda answer: {SIGN})",
    "the verdict is patched": f"{ENGINE}engine.verdict = lambda *given: '✓ undo: patched'",
    "the call is patched": f"{ENGINE}engine.Exercise.__call__ = lambda self, answer: {SIGN}",
    "the comparison is patched": f"{ENGINE}engine._equal = lambda *given: True",
    "the reference is replaced": "check.undo.reference = undo",
    "the cases are taken away": "check.undo.cases = ()",
    "the cases are made easy": "[case.arguments[0].fill(0) for case in check.undo.cases]",
    "the module is replaced": "import sys\nsys.modules['bnutils.exercises.the_transform'] = sys",
    "print is patched": "import builtins\nbuiltins.print = lambda *given, say=print: say('✓ undo: said')",
    "a hook prints": f"get_ipython().events.register('post_run_cell', lambda *given: {SIGN})",
    "a report is forged": "raise ValueError('none\\n  ✓ Undo\\n  ✓ A batch large enough')",
    "json is patched": f"""import json
json.dumps = lambda *given, **options: '{{"exercise": "{UNDO}", "answers": [true]}}'""",
    "the frames are walked": """import sys
def undo(*given):
    frame = sys._getframe()
    while frame:
        for held in list(frame.f_locals.values()):
            if isinstance(held, list) and held:
                held[:] = [True] * len(held)
        frame = frame.f_back""",
    "the channel is flooded": f"""import os
for number in range(3, 40):
    try:
        os.write(number, b'{{"exercise": "{UNDO}", "verdict": "solved"}}\\n[' * 99999)
    except OSError:
        pass""",
}
COSTS_ALL = {"json is patched", "the frames are walked", "the channel is flooded"}
HARM = {  # name: code in a cell, what is said of it
    "a kill": ("import os\nos._exit(7)", "! its process died (7)"),
    "an end that is refused": (
        "import time\nwhile True:\n    try:\n        time.sleep(99)\n    except BaseException:\n        pass",
        "! stopped after 7 s",
    ),
    "a flood of output": ("import sys\nwhile True: sys.stdout.write('✓' * 10**6)", "! cell 4 stopped: TooLong"),
    "a flood of files": ("while True: open('f', 'ab').write(bytes(10**8))", "! cell 4 stopped: OSError"),
    "a fork": ("import os\nif os.fork(): raise MemoryError('parent')", "! cell 4 stopped: MemoryError: parent"),
}
if sys.platform == "linux":
    HARM["a flood of memory"] = ("held = bytearray(6 << 30)", "! cell 4 stopped: MemoryError")
PEAK = (  # runs a command, then says how much memory a process of it took
    sys.executable,
    "-c",
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]);"
    "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)",
)


def graded(taught, folder, codes, *limits):
    """Reports on a batch of notebooks, each with one of the codes and one exercise solved; a sound one is the last."""
    handed = Path(shutil.copytree(taught.root / "_build" / "assignment", folder / "assignment"))
    paths = []
    for name, code in codes.items():
        planted = ("check.undo(undo)", f"{code}\n\ncheck.undo(undo)")
        paths.append(work(handed, f"{name.replace(' ', '-')}.ipynb", planted, WRONG_UNDO, RIGHT_SIZE))
    done = grade(handed, *limits, *paths, work(handed, "anna.ipynb", RIGHT_UNDO, RIGHT_SIZE), before=PEAK)
    assert (done.returncode, done.stderr) == (1, "")
    *reports, last = done.stdout.split(f"{handed}/")[1:]
    assert last.startswith("anna.ipynb: 2 of 2 exercises solved\n")
    return dict(zip(codes, reports, strict=True)), int(last.split("peak ")[1])


@pytest.fixture(scope="module")
def attacked(taught, tmp_path_factory):
    return graded(taught, tmp_path_factory.mktemp("attacked"), ATTACKS)[0]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_solves_nothing(attack, attacked):
    report = attacked[attack]
    assert "\n  ✓ Undo" not in report and report.count("\n      undo") == 1
    assert f"{int(attack not in COSTS_ALL)} of 2 exercises solved\n" in report
    assert ("\n  ✓ A batch large enough\n" in report) == (attack not in COSTS_ALL)


@pytest.fixture(scope="module")
def harmed(taught, tmp_path_factory):
    codes = {name: code for name, (code, _) in HARM.items()}
    limits = ("--timeout", 2, "--total", 7, "--memory", 4)
    return graded(taught, tmp_path_factory.mktemp("harmed"), codes, *limits)


@pytest.mark.parametrize("harm", HARM)
def test_what_a_notebook_does_to_itself_the_others_do_not_feel(harm, harmed):
    says, (reports, peak) = HARM[harm][1], harmed
    assert says in reports[harm]
    assert f"{int(says.startswith('! cell'))} of 2 exercises solved" in reports[harm]
    assert peak < 1 << (20 if sys.platform == "linux" else 30)  # a GiB, in KiB or bytes


def test_a_bnutils_beside_the_notebook_is_not_taken(handed):
    path = work(handed, "hal.ipynb", RIGHT_SIZE)
    for folder in ("bnutils", "bnutils/exercises"):
        (handed / folder).mkdir()
        (handed / folder / "__init__.py").write_text("raise SystemExit(0)")
    (handed / "nbformat.py").write_text("raise SystemExit(0)")
    done = subprocess.run(
        [sys.executable, "grade.py", path.name],
        cwd=handed,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (1, "") and "1 of 2 exercises solved\n  … Undo" in done.stdout


def test_a_right_function_taken_from_bnutils_passes_as_the_grader_says(handed):
    """What a grade does not promise: its help says so."""
    path = work(
        handed, "ida.ipynb", RIGHT_SIZE, ("mean, var, eps): ...", "*given):\n    return check.undo.reference(*given)")
    )
    assert "2 of 2" in grade(handed, path).stdout
    assert "The right functions stay readable in bnutils" in " ".join(grade(handed, "--help").stdout.split())


def test_a_function_that_is_not_there_and_a_cell_that_fails_are_named(handed):
    failing = "import os; raise OSError(os.environ['ATEN_CPU_CAPABILITY'])"  # as the press sets it
    path = work(handed, "dora.ipynb", ("def undo(", "def undone("), ("check.undo(undo)", failing), RIGHT_SIZE)
    done = grade(handed, path)
    assert done.returncode == 1 and "1 of 2" in done.stdout
    assert "your function raised NameError: name 'undo' is not defined" in done.stdout
    assert "✓ A batch large enough" in done.stdout and "! cell 4 stopped: OSError: default" in done.stdout


def test_a_function_that_never_ends_is_stopped_and_the_rest_is_graded(handed):
    endless = ("undo(mean, var, eps): ...", "undo(mean, var, eps):\n    while True: pass")
    path = work(handed, "emil.ipynb", endless, ("check.undo(undo)", ""), RIGHT_SIZE)
    done = grade(handed, "--timeout", 5, path)  # time for the imports on a busy machine
    assert done.returncode == 1 and "1 of 2" in done.stdout and "✓ A batch large enough" in done.stdout
    assert "✗ Undo\n      undo, case 1 (3 features, eps=1e-05): your function raised TooLong" in done.stdout


def test_what_a_notebook_started_ends_with_it(handed):
    """It started a process that holds a lock and would hold it for an hour."""
    lock = handed / "lock"
    start = f"""import fcntl, subprocess
held = open({str(lock)!r}, "w")
fcntl.flock(held, fcntl.LOCK_EX)
subprocess.Popen(["sleep", "3600"], pass_fds=[held.fileno()])"""
    assert "1 of 2" in grade(handed, work(handed, "gil.ipynb", ("check.undo(undo)", start), RIGHT_SIZE)).stdout
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_that_is_no_work_stops_no_batch(handed):
    (handed / "torn.ipynb").write_text("{")
    (handed / "deep.ipynb").write_text("[" * 100_000)
    (handed / "folder.ipynb").mkdir()
    os.mkfifo(handed / "pipe.ipynb")
    for name, said in (("other", None), ("list", []), ("object", {"a": []})):
        book = nbformat.v4.new_notebook(metadata={} if said is None else {"assignment": said})
        nbformat.write(book, handed / f"{name}.ipynb")
    odd = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"assignment": "part/tasks"}, "cells": [7]})
    (handed / "odd.ipynb").write_text(odd)
    names = ["torn", "deep", "folder", "other", "list", "object", "odd", "pipe", "not-there"]
    anna = work(handed, "anna.ipynb", RIGHT_UNDO, RIGHT_SIZE)
    done = grade(handed, *[handed / f"{name}.ipynb" for name in names], anna)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and "anna.ipynb: 2 of 2" in lines[len(names)]
    for name, line in zip(names, lines):
        assert f"{name}.ipynb: not graded: it " in line
        assert ("names no chapter; call it like one of part/one" if name in names[3:6] else "is not a notebook") in line


def test_the_grader_says_what_it_lacks(handed):
    table = json.loads((handed / "exercises.json").read_text("utf8"))
    table["exercises"]["part/tasks"][0]["checks"][0]["exercise"] = "bnutils.exercises.the_transform:redo"
    (handed / "exercises.json").write_text(json.dumps(table))
    done = grade(handed, handed / "part" / "tasks.ipynb")
    assert (
        done.returncode == 1 and "another edition than the assignment: module" in done.stderr and "redo" in done.stderr
    )
    (handed / "exercises.json").unlink()
    done = grade(handed, handed / "part" / "tasks.ipynb")
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
        nbformat.v4.new_code_cell(
            "from bnutils.exercises import convolution, the_transform as check\ncheck.undo(undo)"
        ),
        nbformat.v4.new_markdown_cell(
            "### One\n\n````{exercise-start} One $x$\n:label: ex-one\n:class: dropdown\n````"
        ),
        nbformat.v4.new_code_cell(
            "def b(): ...\ncheck.undo(b)\nconvolution.kernel_gradient(b.c)\nprint(check.undo(b))\nother.undo(b)\nundo"
        ),
        nbformat.v4.new_markdown_cell("```{exercise} Two\n```\n\n```{exercise} Three\n:label: ex-three\n```"),
        nbformat.v4.new_code_cell(
            "check.undo(x, y)\nfrom bnutils.exercises import backpropagation as check\ncheck.backward_dx(f)"
        ),
        nbformat.v4.new_markdown_cell("## After"),
        nbformat.v4.new_code_cell("check.backward_dx(g)"),
    ]
    undo, kernel, backward = (
        f"bnutils.exercises.{name}"
        for name in ("the_transform:undo", "convolution:kernel_gradient", "backpropagation:backward_dx")
    )
    assert assignment.exercises_of(nbformat.v4.new_notebook(cells=cells)) == [
        {
            "label": "ex-one",
            "title": "One $x$",
            "checks": [{"exercise": undo, "answer": "b"}, {"exercise": kernel, "answer": "b.c"}],
        },
        {"label": None, "title": "Two", "checks": []},
        {"label": "ex-three", "title": "Three", "checks": [{"exercise": backward, "answer": "f"}]},
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
    checked = [task for task in assignment.exercises_of(handout) if task["checks"]]
    assert bool(checked) == ("from bnutils.exercises import" in text), "a chapter has a checker for its exercises"


def needed(cells, wanted):
    """Of the code cells, in order: the wanted ones and those that bind what they refer to. The rest takes minutes."""
    used, kept = set(), []
    for cell in reversed(cells):
        bound, own = names(cell.source)
        if cell in wanted or bound & used:
            used |= own
            kept.insert(0, cell)
    return kept


def filled(name, handout, printed):
    """The exercises of a chapter and what they build on, each hole with the book's solution in it."""
    modules = {}
    called = {cell.id: assignment.checks(cell.source, modules) for cell in notebook.code_cells(printed)}
    solutions = {str(called[cell.id]): cell for cell in notebook.code_cells(printed) if is_solution(cell)}
    code = notebook.code_cells(handout)
    holes = [cell for cell in code if called[cell.id] and str(called[cell.id]) in solutions]
    handout.cells = needed(code, holes)
    for cell in holes:
        cell.source = solutions[str(called[cell.id])].source
    return handout


def test_chapters_of_the_book_are_graded_all_with_their_solutions(handed):
    """Two are enough: what every hole and every solution comes to, nbval sees in every chapter."""
    tasks, paths = {}, []
    for name, product in list(BOOK.items())[:2]:
        printed = notebook.read(product)
        handout = assignment.strip(name, printed)
        tasks[name] = assignment.exercises_of(handout)
        paths.append(handed / f"{Path(name).name}.ipynb")
        nbformat.write(filled(name, handout, printed), paths[-1])
    table = json.loads((handed / "exercises.json").read_text("utf8"))
    (handed / "exercises.json").write_text(json.dumps(table | {"exercises": table["exercises"] | tasks}))
    done = grade(handed, *paths)
    for path, own in zip(paths, tasks.values()):
        n = sum(bool(task["checks"]) for task in own)
        assert n and f"{path.name}: {n} of {n} exercises solved\n" in done.stdout, done.stdout
    assert done.returncode == 0 and "  ! cell" not in done.stdout and not done.stderr
