"""Run filled-in notebooks and say which of their exercises are solved.

Each notebook runs from top to bottom in a process of its own, in an empty folder, with the bnutils of this Python.
There its functions are tried on the cases of its chapter's exercises. Only their answers come back, as numbers, and
they are judged here, where no code of a notebook ever runs: nothing that a notebook prints, redefines or patches
changes its grade. Time, memory and the size of files are limited (memory not on macOS), and a notebook that breaks
costs only itself.

What this does not promise: that a student found the answers. The right functions stay readable in bnutils, and a
notebook may call them; where a grade counts, read the code too. And it runs with your rights, on your files and your
network, and may leave processes behind: grade those of people you trust, or in a container.

The exit status is 0 if every exercise with a checker is solved in every notebook, and 1 if not. Needs bnutils, what
its chapters import, and Linux or macOS.
"""

import contextlib
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__" and not sys.flags.safe_path:
    sys.path.pop(0)  # modules that lie beside this file may have been handed in

try:
    import click
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from bnutils.exercises import engine
except ImportError as error:
    sys.exit(f"{error}; take the Python of the book: .venv/bin/python grade.py ...")

RESPOND = "import json, runpy, sys; runpy.run_path(sys.argv[1])['respond'](json.load(sys.stdin))"
LARGEST_FILE = 1 << 26  # bytes of a notebook, and of a file that one writes
LONGEST_REPORT = 1 << 22  # bytes of all its answers


@click.command(help=__doc__)
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--timeout", default=120, show_default=True, help="seconds that a cell, or a function, may take")
@click.option("--total", default=1200, show_default=True, help="seconds that a notebook may take")
@click.option("--memory", default=8, show_default=True, help="GiB of memory that a notebook may take")
def grade(notebooks: tuple[Path, ...], **limits: int) -> NoReturn:
    table = Path(__file__).with_name("exercises.json")
    if not table.exists():
        raise click.ClickException(f"no {table.name} beside {Path(__file__).name}; run `make assignment` again")
    known = json.loads(table.read_text("utf8"))
    try:
        for check in [check for tasks in known["exercises"].values() for task in tasks for check in task["checks"]]:
            pkgutil.resolve_name(check["exercise"])
    except (ImportError, AttributeError) as error:
        raise click.ClickException(f"this bnutils is of another edition than the assignment: {error}") from None
    missing = [path for path in notebooks if not report(path, known, limits)]
    sys.exit(bool(missing))


def report(path: Path, known: dict, limits: dict[str, int]) -> bool:
    """Grade one notebook and print the result. Returns whether every exercise with a checker is solved."""
    try:
        name, cells = read(path, known["exercises"])
        tasks = known["exercises"][name]
        answers, faults = run(
            cells, [check for task in tasks for check in task["checks"]], known["environment"], limits
        )
        rows, solved, checked = [], 0, 0
        for task in tasks:
            own = [judge(check, answers) for check in task["checks"]]
            open_ = [line for line in own if not line.startswith("✓")]
            checked, solved = checked + bool(own), solved + bool(own and not open_)
            sign = open_[0][0] if open_ else "✓" if own else "–"
            rows.append(f"  {sign} {task['title']}" + ("" if own else ": no checker, to be read"))
            rows += [f"      {line[1:].strip()}" for line in open_]
    except Exception as error:  # whatever one notebook holds, the others are graded
        click.echo(plain(f"{path}: not graded: {error if isinstance(error, ValueError) else repr(error)}"))
        return False
    rows += [f"  ! {plain(fault)}" for fault in faults]
    click.echo("\n".join([f"{plain(str(path))}: {solved} of {checked} exercises solved", *rows]))
    return solved == checked


def read(path: Path, chapters: dict[str, list[dict]]) -> tuple[str, list[tuple[int, str]]]:
    """The chapter that a notebook fills in, and its code cells with their numbers, without the book's own solutions."""
    import nbformat  # a second: only the process that judges needs it

    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"not a file of at most {LARGEST_FILE} bytes")
        filled = nbformat.reads(path.read_text("utf8"), as_version=4)
        cells = [
            (number, str(cell.source))
            for number, cell in enumerate(filled.cells, 1)
            if cell.cell_type == "code" and "solution" not in cell.metadata.get("tags", [])
        ]
        said = filled.metadata.get("assignment")
    except Exception as error:
        raise ValueError(f"it is not a notebook ({plain(str(error))}); ask for it again") from None
    names = {name.split("/")[-1]: name for name in chapters} | {name: name for name in chapters}
    for name in (said, path.stem):
        if isinstance(name, str) and name in names:
            return names[name], cells
    raise ValueError(f"it names no chapter; call it like one of {', '.join(f'{name}.ipynb' for name in chapters)}")


def run(
    cells: list[tuple[int, str]], checks: list[dict[str, str]], environment: dict[str, str], limits: dict[str, int]
) -> tuple[dict[str, list], list[str]]:
    """Run cells in a fresh process, and try their functions there.

    Returns
    -------
    answers : dict          what was written of each check's exercise: a list with an entry a case, if all went well
    faults : list of str    what stopped, and why
    """
    answers, faults = {}, []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, tempfile.TemporaryFile() as channel:
        own = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "IPYTHONDIR": folder, "MPLBACKEND": "agg"}
        process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-c", RESPOND, str(Path(__file__).resolve())],
            cwd=folder,
            env=os.environ | environment | own,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[channel.fileno()],
            start_new_session=True,
        )
        try:
            work = {"cells": cells, "checks": checks, "channel": channel.fileno(), **limits}
            process.communicate(json.dumps(work).encode(), timeout=limits["total"])
            if process.returncode:
                faults.append(f"its process died ({process.returncode}); nothing ran after that")
        except subprocess.TimeoutExpired:
            faults.append(f"stopped after {limits['total']} s; nothing ran after that")
        finally:
            with contextlib.suppress(OSError):  # its group is gone
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        channel.seek(0)
        for line in channel.read(LONGEST_REPORT).splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # not what `respond` writes
                match json.loads(line):
                    case {"exercise": str(exercise), "answers": [*given]}:
                        answers[exercise] = given
                    case {"fault": str(fault)} if len(faults) < len(cells):
                        faults.append(fault)
    return answers, faults


def judge(check: dict[str, str], answers: dict[str, list]) -> str:
    """The verdict on what came back for a check, computed here."""
    exercise = pkgutil.resolve_name(check["exercise"])
    given = answers.get(check["exercise"], [])
    if len(given) != len(exercise.cases):
        return f"✗ {exercise.name}: no answer came back"
    return plain(engine.verdict(exercise, [decode(each) for each in given]))


def decode(written: object) -> object:
    match written:
        case {"raised": str(error)}:
            return engine.Raised(error)
        case {"value": value}:
            return value


def plain(text: str, most: int = 300) -> str:
    """Text out of a notebook as one printable line, so that it cannot pass for lines of the report."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else f"{line[:most]} ..."


# ------------------------------------------------------------------------------------------- in the fresh process


def respond(work: dict) -> None:
    """Run the cells, try the functions, and write what they answer, line by line."""
    sizes = {resource.RLIMIT_AS: work["memory"] << 30, resource.RLIMIT_FSIZE: LARGEST_FILE}
    for what, most in (sizes | {resource.RLIMIT_CPU: work["total"]}).items():
        with contextlib.suppress(ValueError, OSError):  # macOS limits no memory; or a lower limit holds already
            resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGALRM, stop)
    exercises = [pkgutil.resolve_name(check["exercise"]) for check in work["checks"]]
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    with open(work["channel"], "w", encoding="utf8", buffering=1) as channel:
        for number, source in work["cells"]:
            try:
                with within(work["timeout"]):
                    code = shell.transform_cell(source)
                    exec(compile(code, shell.compile.cache(code, number), "exec"), shell.user_ns)
            except BaseException as error:
                fault = f"cell {number} stopped: {type(error).__name__}: {error}"
                channel.write(json.dumps({"fault": fault}) + "\n")
        for check, exercise in zip(work["checks"], exercises):
            answers = [encode(each) for each in tried(exercise, check["answer"], shell.user_ns, work["timeout"])]
            channel.write(json.dumps({"exercise": check["exercise"], "answers": answers}) + "\n")


def tried(exercise: engine.Exercise, expression: str, names: dict, seconds: int) -> list:
    """What the function that an expression names answers to the cases of an exercise."""

    def function(*arguments):
        return eval(expression, names)(*arguments)  # looked up here: a name that is not there is its error

    try:
        with within(seconds):
            return [engine.answer(function, case) for case in exercise.cases]
    except TooLong as error:
        return [engine.Raised(f"TooLong: {error}")] * len(exercise.cases)


class TooLong(BaseException):
    """Not an `Exception`, so that code which goes on after any error does not go on after this one."""


def stop(*_: object) -> NoReturn:
    raise TooLong("more seconds than --timeout allows")


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def encode(answer: object) -> dict[str, object]:
    """An answer as JSON has it: arrays as lists; what is neither number nor list as the text of it."""
    if isinstance(answer, engine.Raised):
        return {"raised": answer.error}
    try:
        return {"value": json.loads(json.dumps(answer, default=as_list))}
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}


def as_list(thing: object) -> object:
    return thing.tolist() if hasattr(thing, "tolist") else None if thing is ... else repr(thing)


if __name__ == "__main__":
    grade()
