"""Hand the exercises out: every chapter without its solutions, and the script that grades what comes back."""

import ast
import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from press import CPU, manuscript, notebook, predict

GRADER = Path(__file__).with_name("grade.py")
TABLE = "exercises.json"
SOLUTION = re.compile(r"(?P<fence>`{3,}|:{3,})\{(?P<what>solution|solution-start|solution-end)\}")
EXERCISE_OR_HEADING = re.compile(
    r"^(?:(?:`{3,}|:{3,})\{exercise(?:-start)?\} *(?P<title>.*)\n(?P<options>(?: *:[\w-]+:.*\n)*)|#+ )", re.M
)


def write(house: Path, out: Path) -> dict[str, list[dict]]:
    """Write all chapters without solutions, the grader, and the table it reads: exercises, settings of the press.

    Parameters
    ----------
    house : Path        the root of the book
    out : Path          the folder; a file in it that was changed since it was written is not overwritten

    Returns
    -------
    table : dict        page name -> its exercises, as `exercises_of` gives them

    Raises
    ------
    ValueError          a chapter that is not printed or has an odd solution marker, or a file that somebody worked in
    """
    texts, table = {GRADER.name: GRADER.read_text("utf8")}, {}
    for page in manuscript.read_pages(house):
        if page.runs:
            printed = notebook.read(page)
            if printed is None:
                raise ValueError(f"chapters/{page.name}.ipynb was never printed; {notebook.CURE}")
            handout = strip(page.name, printed)
            texts[f"{page.name}.ipynb"] = nbformat.writes(handout, indent=1) + "\n"
            table[page.name] = exercises_of(handout)
    before = json.loads((out / TABLE).read_text("utf8"))["written"] if (out / TABLE).exists() else {}
    after = {name: notebook.digest(text.encode()) for name, text in texts.items()}
    for name in texts:
        if (out / name).exists() and notebook.digest((out / name).read_bytes()) not in (before.get(name), after[name]):
            raise ValueError(
                f"{out / name} was changed since it was handed out; move it away, "
                "or give another folder: make assignment OUT=..."
            )
    texts[TABLE] = (
        json.dumps({"environment": CPU, "exercises": table, "written": after}, indent=1, ensure_ascii=False) + "\n"
    )
    for name, text in texts.items():
        notebook.write(out / name, text)
    return table


def strip(name: str, printed: NotebookNode) -> NotebookNode:
    """A printed notebook without outputs, without all between solution-start and solution-end, without told answers.

    Parameters
    ----------
    name : str                  of the page
    printed : NotebookNode      as the press printed it

    Returns
    -------
    handout : NotebookNode      says in its metadata which chapter it is

    Raises
    ------
    ValueError                  a solution that starts twice, ends twice, or never ends
    """
    cells, inside = [], False
    for number, cell in enumerate(printed.cells, 1):
        if cell.cell_type == "code":
            if not inside and "solution" not in cell.metadata.get("tags", []):
                cells.append(nbformat.v4.new_code_cell(cell.source, id=cell.id, metadata=cell.metadata))
            continue
        kept, fence = [], None
        for line in cell.source.split("\n"):
            marker = SOLUTION.match(line)
            if fence:  # within a marker, or a solution without cells: up to the end of its fence
                if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                    fence = None
            elif marker:
                if marker["what"] != "solution" and inside == (marker["what"] == "solution-start"):
                    raise ValueError(
                        f"manuscript/{name}.md, cell {number}: {line.strip()} does not alternate with "
                        "its counterpart; every solution-start needs one solution-end"
                    )
                inside = marker["what"] == "solution-start" or (inside and marker["what"] == "solution")
                fence = marker["fence"]
            elif not inside:
                kept.append(line)
        if text := predict.without_answers("\n".join(kept)).strip("\n"):
            cells.append(nbformat.v4.new_markdown_cell(text, id=cell.id, metadata=cell.metadata))
    if inside:
        raise ValueError(f"manuscript/{name}.md: its last solution has no end; close it with {{solution-end}}")
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.LANGUAGE | {"assignment": name}, nbformat_minor=5)


def exercises_of(handout: NotebookNode) -> list[dict]:
    """The exercises of a notebook, each with its title and the calls of its checkers; none: a person reads it.

    A call belongs to the exercise before it, up to the next heading.
    """
    found, current, modules = [], None, {}
    for cell in handout.cells:
        if cell.cell_type == "markdown":
            for mark in EXERCISE_OR_HEADING.finditer(cell.source + "\n"):
                current = None
                if mark["title"] is not None:
                    label = re.search(r":label: *(\S+)", mark["options"])
                    current = {"label": label[1] if label else None, "title": mark["title"].strip(), "checks": []}
                    found.append(current)
        else:
            calls = checks(cell.source, modules)
            if current:
                current["checks"] += calls
    return found


def checks(source: str, modules: dict[str, str]) -> list[dict[str, str]]:
    """The statements of a cell that call an exercise on one answer, such as ``check.undo(undo)``.

    Parameters
    ----------
    source : str        of the cell
    modules : dict      what the cells before it import from bnutils.exercises, name here -> module; its own is added

    Returns
    -------
    calls : list        of dicts: the exercise ("bnutils.exercises.the_transform:undo") and the source of the answer
    """
    calls = []
    for statement in ast.parse(source).body:
        match statement:
            case ast.ImportFrom(module="bnutils.exercises", names=names):
                modules |= {name.asname or name.name: f"bnutils.exercises.{name.name}" for name in names}
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(here), exercise), [answer], [])) if here in modules:
                calls.append({"exercise": f"{modules[here]}:{exercise}", "answer": ast.unparse(answer)})
    return calls
