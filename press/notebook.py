"""What the press prints: the bytes of a page, the digests that guard them, and what makes a chapter out of date."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from bnutils import claims, evidence, figures
from press import markup, predict
from press.manuscript import Page, Reference, write_references

LANGUAGE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CURE = "run `make chapters`"
# what a cell shows with the class on the left, it leaves with a record of the type on the right
RECORDS = {"bn-claim": claims.MIME, "bn-numbers": evidence.MIME, "bn-figure": figures.MIME}


def digest(thing: object) -> str:
    content = thing if isinstance(thing, bytes) else json.dumps(thing, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def read(page: Page) -> NotebookNode | None:
    """The printed notebook of a page, or None. Raises ValueError where the file is no notebook."""
    if not page.product.exists():
        return None
    try:
        return nbformat.reads(page.product.read_text("utf8"), as_version=4)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"chapters/{page.name}.ipynb is not a notebook any more ({reason}); {CURE}") from None


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs_of(notebook: NotebookNode | None) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs] if notebook else []


# ------------------------------------------------------------------------------------------------ out of date


def out_of_date(page: Page, notebook: NotebookNode | None, inputs: dict, all_claims: dict) -> str | None:
    """Why a chapter must run again, as a phrase, or None; `inputs` are the digests of what it depends on."""
    if notebook is None:
        return "it was never printed"
    return next(_reasons(page, notebook, inputs, all_claims), None)


def _reasons(page, notebook, inputs, all_claims) -> Iterator[str]:
    printed = notebook.metadata.get("press", {})
    digests, cells = printed.get("cells", {}), code_cells(notebook)
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and digests.get(cell.get("id")) != digest(cell):
            yield f"{_named(number, cell)} was changed by hand"
    for number, (new, old) in enumerate(zip(page.code, cells), 1):
        if (new.source, new.metadata.get("tags")) != (old.source, old.metadata.get("tags")):
            yield f"code cell {number} changed in the manuscript ({first_line(new.source)})"
    if len(page.code) != len(cells):
        yield f"the manuscript has {len(page.code)} code cells, the notebook {len(cells)}"
    for number, cell in enumerate(cells, 1):
        if cell.execution_count is None:
            yield f"code cell {number} was never run ({first_line(cell.source)})"
    before = printed.get("inputs", {})
    if changed := sorted(name for name in before | inputs if before.get(name) != inputs.get(name)):
        yield f"{', '.join(changed)} changed"
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            yield from (f"{_named(number, cell)}: {fault}" for fault in faults_of(output, all_claims))


def faults_of(output: dict, all_claims: dict) -> Iterator[str]:
    """What in a stored output no run can have left: each record is recomputed and held against what is shown."""
    data = output.get("data", {})
    for shown, mime in RECORDS.items():
        if f'class="{shown}' in "".join(data.get("text/html", "")) and mime not in data:
            yield f"the record of what it shows as {shown} is gone"
    try:
        yield from claims.faults_of(data, all_claims) if claims.MIME in data else ()
        yield from evidence.faults_of(data) if evidence.MIME in data else ()
        yield from figures.faults_of(data) if figures.MIME in data else ()
    except (AttributeError, KeyError, TypeError) as error:
        yield f"its record cannot be read ({type(error).__name__}: {error})"
    if outside := other_hosts(output):
        yield f"its output leaves the book ({outside[0]})"


def other_hosts(output: dict) -> list[str]:
    """Each part of an output with which a page would ask another host, or run a script."""
    data = output.get("data", {})
    texts = ["".join(data[kind]) for kind in ("text/html", "image/svg+xml", "text/markdown") if kind in data]
    scripts = [kind for kind in data if kind.endswith("javascript")]
    return scripts + [each for text in texts for each in markup.read(text)[1]]


def first_line(source: str) -> str:
    return source.strip().split("\n")[0][:60]


def _named(number, cell):
    return f"cell {number} ({cell.cell_type}: {first_line(cell.source)})"


# ------------------------------------------------------------------------------------------------ printing


def typeset(page: Page, write: Callable[[Reference], str], notebook: NotebookNode | None, inputs: dict | None) -> str:
    """The text of the product of `page`: references written by `write`, outputs and digests in place."""
    if not page.runs:
        return predict.write([write_references(page.text, 1, write)])[0]
    cells, ran = [], iter(code_cells(notebook))
    for line, cell in zip(page.lines, page.cells):
        cell = nbformat.from_dict(dict(cell))
        if cell.cell_type == "code":
            old = next(ran)
            cell.execution_count, cell.outputs = old.execution_count, old.outputs
        else:
            cell.source = write_references(cell.source, line, write)
        cells.append(cell)
    texts = predict.write([None if cell.cell_type == "code" else cell.source for cell in cells])
    for cell, text in zip(cells, texts):
        cell.source = cell.source if text is None else text
    guard = {"cells": {cell.id: digest(cell) for cell in cells}, "inputs": inputs}
    printed = nbformat.v4.new_notebook(cells=cells, metadata=LANGUAGE | {"press": guard}, nbformat_minor=5)
    return nbformat.writes(printed, indent=1) + "\n"


def difference(page: Page, expected: str) -> str | None:
    """What is wrong with the product of a page if it is not `expected`, as what follows its name, or None."""
    if not page.product.exists():
        return " was never printed"
    try:
        stored = page.product.read_text("utf8", errors="replace")
    except OSError as error:
        return f" cannot be read ({error.strerror})"
    if stored == expected:
        return None
    if page.runs:
        pairs = zip_longest(*(nbformat.reads(text, as_version=4).cells for text in (expected, stored)))
        found = (_named(number, old or new) for number, (new, old) in enumerate(pairs, 1) if new != old)
    else:
        lines = zip(expected.splitlines() + [""], stored.splitlines() + [""])
        found = (f"line {number} ({old[:60]})" for number, (new, old) in enumerate(lines, 1) if new != old)
    place = next(found, "its metadata" if page.runs else "its end")
    return f": {place} is not what manuscript/{page.name}.md says now"


def write(product: Path, text: str) -> bool:
    """Write a product whole or not at all; an unchanged one is left alone. Returns whether it changed."""
    content = text.encode()
    if product.exists() and product.read_bytes() == content:
        return False
    product.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=product.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, product)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True
