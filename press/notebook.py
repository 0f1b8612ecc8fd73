"""What the press prints: the bytes of a page, the digests that guard them, and what makes a chapter out of date."""

import ast
import hashlib
import json
import os
import tempfile
from pathlib import Path

import grimp
import nbformat
import yaml

from bnutils import claims
from press import ledger, manuscript

LANGUAGE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CURE = "run `make chapters`"


def digest(thing):
    content = thing if isinstance(thing, bytes) else json.dumps(thing, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def read(page):
    """The printed notebook of a page, or None. Raises ValueError where the file is no notebook."""
    if not page.product.exists():
        return None
    try:
        return nbformat.reads(page.product.read_text("utf8"), as_version=4)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"chapters/{page.name}.ipynb is not a notebook any more ({reason}); {CURE}") from None


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs_of(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


# ------------------------------------------------------------------------------------------------ out of date


def inputs(house, pages):
    """Per chapter, the digest of everything outside it that its outputs depend on.

    That is every module of bnutils it imports, directly or through another, and its own rows of claims.yml.
    """
    graph = grimp.build_graph("bnutils", cache_dir=None)
    rows = yaml.safe_load((house / "manuscript" / "claims.yml").read_text("utf8"))
    found = {}
    for page in pages:
        modules = set()
        for module in imported(page, graph.modules):
            modules |= {module, "bnutils"} | graph.find_upstream_modules(module)
        files = {
            file.relative_to(house).as_posix(): file for module in modules for file in [module_file(house, module)]
        }
        found[page.name] = {name: digest(file.read_bytes()) for name, file in sorted(files.items())}
        own = [row for row in rows if row["chapter"] == page.name]
        if own:
            found[page.name]["manuscript/claims.yml"] = digest(own)
    return found


def imported(page, modules):
    """The modules of bnutils that the code of a chapter names."""
    for cell in page.code:
        for node in ast.walk(ast.parse(cell.source)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if name in modules)


def module_file(house, module):
    path = house.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def out_of_date(page, notebook, current):
    """Why a chapter must run again, as a phrase, or None. `current` is its entry in `inputs`."""
    if notebook is None:
        return "it was never printed"
    cells = code_cells(notebook)
    for number, (new, old) in enumerate(zip(page.code, cells), 1):
        if (new.source, new.metadata) != (old.source, old.metadata):
            return f"code cell {number} changed in the manuscript ({first_line(new.source)})"
    if len(page.code) != len(cells):
        return f"the manuscript has {len(page.code)} code cells, the notebook {len(cells)}"
    for number, cell in enumerate(cells, 1):
        if cell.execution_count is None:
            return f"code cell {number} was never run ({first_line(cell.source)})"
    before = notebook.metadata.get("press", {}).get("inputs", {})
    changed = sorted(name for name in before | current if before.get(name) != current.get(name))
    return f"{', '.join(changed)} changed" if changed else None


def first_line(source):
    return source.strip().split("\n")[0][:60]


# ------------------------------------------------------------------------------------------------ printing


def evidence(pages, notebooks):
    """All that the cells of the book left for its prose: numbers, and claim id -> (page name, record)."""
    numbers, judged = {}, {}
    for page in pages:
        if page.name in notebooks:
            outputs = outputs_of(notebooks[page.name])
            numbers |= manuscript.numbers_of(page, outputs)
            for record in manuscript.bundles(outputs, claims.MIME):
                if record["claim"] in judged:
                    raise LookupError(
                        f"{record['claim']} is judged twice, in {judged[record['claim']][0]} and {page.name}; keep one"
                    )
                judged[record["claim"]] = (page.name, record)
    return numbers, judged


def typeset(page, numbers, judged, notebook=None, current=None):
    """The text of the product of `page`: references written, outputs and digests in place."""
    verdicts = {claim: record["verdict"] for claim, (_, record) in judged.items()}
    if not page.runs:
        text = manuscript.write_references(page, page.text, numbers, verdicts)
        if "```{ledger}" in text:
            text = text.replace("```{ledger}\n```", ledger.markdown(page, claims.load(), judged))
        return text
    cells, ran = [], iter(code_cells(notebook))
    for cell in page.cells:
        cell = nbformat.from_dict(dict(cell))
        if cell.cell_type == "code":
            old = next(ran)
            cell.execution_count, cell.outputs = old.execution_count, old.outputs
        else:
            cell.source = manuscript.write_references(page, cell.source, numbers, verdicts)
        cells.append(cell)
    seal = {"cells": {cell.id: digest(cell) for cell in cells}, "inputs": current}
    printed = nbformat.v4.new_notebook(cells=cells, metadata=LANGUAGE | {"press": seal}, nbformat_minor=5)
    return nbformat.writes(printed, indent=1) + "\n"


def write(product, text):
    """Write a product whole or not at all; an unchanged one is left alone. Returns whether it changed."""
    if product.exists() and product.read_text("utf8") == text:
        return False
    product.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=product.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, product)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


# ------------------------------------------------------------------------------------------------ checking


def faults(house, pages):
    """Every way in which what is printed is not what the manuscript and the stored outputs say, one line each."""
    found, notebooks, sound = [], {}, {}
    current = inputs(house, [page for page in pages if page.runs])
    for page in pages:
        own = list(manuscript.prose_faults(page)) + list(unasserted(page))
        if page.runs:
            try:
                notebook = read(page)
            except ValueError as error:
                found.append(str(error))
                continue
            if notebook is not None:
                own += tampered(page, notebook)
                notebooks[page.name] = notebook
            if not own and (reason := out_of_date(page, notebook, current[page.name])):
                own.append(f"chapters/{page.name}.ipynb is out of date: {reason}; {CURE}")
        sound[page.name] = not own
        found += own
    try:
        numbers, judged = evidence(pages, notebooks)
        numbers |= manuscript.records(house)
    except LookupError as error:
        return found + [str(error)]
    for page in pages:
        if sound.get(page.name):
            try:
                expected = typeset(page, numbers, judged, notebooks.get(page.name), current.get(page.name))
            except LookupError as error:
                found.append(str(error))
            else:
                found += different(house, page, expected)
    printed = {page.product for page in pages}
    strays = [
        file for file in (house / "chapters").rglob("*.*") if file.suffix in (".ipynb", ".md") and file not in printed
    ]
    hidden = {".ipynb_checkpoints"}
    found += [
        f"{file.relative_to(house)} has no manuscript; delete it, or write manuscript/{file.relative_to(house / 'chapters').with_suffix('.md')}"
        for file in sorted(strays)
        if not hidden & set(file.parts)
    ]
    return found


def unasserted(page):
    """Cells that print ≈ without an assert, in the manuscript."""
    for cell in page.code:
        tree = ast.parse(cell.source)
        asserts = any(isinstance(node, ast.Assert) for node in ast.walk(tree))
        calls = {
            getattr(node.func, "id", getattr(node.func, "attr", ""))
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        if ("≈" in cell.source or "measured" in calls) and not asserts:
            line = page.text[: page.text.find(cell.source)].count("\n") + 1
            yield f"{manuscript.where(page, line)}: this cell prints ≈ but asserts nothing ({first_line(cell.source)}); assert its bound in every seed"


def tampered(page, notebook):
    """Cells whose stored digest does not fit: changed by hand after the press."""
    seal = notebook.metadata.get("press", {}).get("cells", {})
    for number, cell in enumerate(notebook.cells, 1):
        if seal.get(cell.get("id")) != digest(cell):
            yield f"chapters/{page.name}.ipynb: cell {number} ({cell.cell_type}: {first_line(cell.source)}) was changed by hand; edit manuscript/{page.name}.md and {CURE}"


def different(house, page, expected):
    """Where a sound product still differs from what the press would print now."""
    name = page.product.relative_to(house)
    if not page.product.exists():
        return [f"{name} was never printed; {CURE}"]
    stored = page.product.read_text("utf8")
    if stored == expected:
        return []
    place = "its metadata"
    if page.runs:
        pairs = zip(nbformat.reads(expected, as_version=4).cells, nbformat.reads(stored, as_version=4).cells)
        for number, (new, old) in enumerate(pairs, 1):
            if new != old:
                place = f"cell {number} ({old.cell_type}: {first_line(old.source)})"
                break
    else:
        lines = zip(expected.splitlines() + [""], stored.splitlines() + [""])
        place = next(
            (f"line {number} ({old[:60]})" for number, (new, old) in enumerate(lines, 1) if new != old), "its end"
        )
    return [f"{name}: {place} is not what manuscript/{page.name}.md says now; {CURE}"]
