"""Run filled-in notebooks and say which of their exercises are solved.

Each notebook runs from top to bottom in a kernel of its own. Then the checkers of its chapter look at the functions that
are there at the end, whatever the notebook's own cells say. The exit status is 0 if every exercise with a checker is
solved in every notebook, and 1 if not. It runs the code in the notebooks: grade those of people you trust, or in a
container. Needs bnutils and what its chapters import.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

SIGNS = ("✓", "✗", "…")


@click.command(help=__doc__)
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--timeout", default=120, show_default=True, help="seconds a cell may take")
def grade(notebooks, timeout):
    if importlib.util.find_spec("bnutils") is None:
        raise click.ClickException("this Python has no bnutils; take the book's own: .venv/bin/python grade.py ...")
    table = Path(__file__).with_name("exercises.json")
    if not table.exists():
        raise click.ClickException(f"no {table.name} beside {Path(__file__).name}; run `make assignment` again")
    known = json.loads(table.read_text("utf8"))
    missing = [path for path in notebooks if not report(path, known, timeout)]
    sys.exit(bool(missing))


def report(path, known, timeout):
    """Grade one notebook and print the result. Returns whether every exercise with a checker is solved."""
    chapters = known["exercises"]
    try:
        filled = nbformat.reads(path.read_text("utf8"), as_version=4)
    except Exception as error:
        raise click.ClickException(
            f"{path} is not a notebook ({str(error).splitlines()[0]}); ask for it again"
        ) from None
    names = {name.split("/")[-1]: name for name in chapters} | {name: name for name in chapters}
    name = names.get(filled.metadata.get("assignment"), names.get(path.stem))
    if name is None:
        all_ = ", ".join(f"{name}.ipynb" for name in chapters)
        raise click.ClickException(f"{path} names no chapter; call it like one of {all_}")
    tasks = chapters[name]
    calls = [call for task in tasks for call in task["checks"]]
    lines, faults = run(filled, path.parent, calls, known["environment"], timeout)
    rows, solved, checked = [], 0, 0
    for task in tasks:
        own = [lines.pop(0) for _ in task["checks"]]
        open_ = [line for line in own if not line.startswith("✓")]
        checked, solved = checked + bool(own), solved + bool(own and not open_)
        sign = open_[0][0] if open_ else "✓" if own else "–"
        rows.append(f"  {sign} {task['title']}" + ("" if own else ": no checker, to be read"))
        rows += [f"      {line[1:].strip()}" for line in open_]
    rows += [f"  ! {fault}" for fault in faults]
    click.echo("\n".join([f"{path}: {solved} of {checked} exercises solved", *rows]))
    return solved == checked


def run(filled, folder, calls, environment, timeout):
    """Run a notebook, then the calls, in the environment in which the press runs the chapters.

    Returns
    -------
    lines : list of str     what each checker said: one line each, that begins with one of `SIGNS`
    faults : list of str    cells of the notebook that stopped, and why
    """
    own = len(filled.cells)
    filled.cells += [nbformat.v4.new_code_cell(call) for call in calls]
    code = [(number, cell) for number, cell in enumerate(filled.cells, 1) if cell.cell_type == "code"]
    for _, cell in code:
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        filled,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        resources={"metadata": {"path": str(folder)}},
    )
    faults = []
    try:
        client.execute(env=dict(os.environ) | environment, stderr=subprocess.DEVNULL)
    except DeadKernelError:
        faults.append("the kernel died; no checker ran after that")
    for number, cell in code[: len(code) - len(calls)]:
        faults += [f"cell {number} stopped: {output.ename}: {output.evalue}" for output in errors(cell)]
    return [verdict(cell) for cell in filled.cells[own:]], faults


def errors(cell):
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]


def verdict(cell):
    """The last line with a sign: what the candidate printed comes before it. Without one, why there is none."""
    text = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
    said = [line for line in text.splitlines() if line.startswith(SIGNS)]
    if failed := errors(cell):
        return f"✗ {failed[0].ename}: {failed[0].evalue}"
    return said[-1] if said else "✗ the checker did not run"


if __name__ == "__main__":
    grade()
