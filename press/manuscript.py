"""Read the manuscript: its pages, their cells, and every number the prose refers to."""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from bnutils import evidence

VERBATIM = {"code-cell", "code-block", "code", "eval-rst", "math", "raw", "bibliography", "glossary", "ledger"}

# a reference such as {n}`name:.2f`; a double-backtick span is skipped, so that pages can show how one is written
REFERENCE = re.compile(r"(?<!`)``(?!`)[^\n]*?(?<!`)``(?!`)|\{(?P<role>[nv])\}`(?P<target>[^`\n]+)`")
TYPED_AFTER_ALMOST = re.compile(r"(?:≈|\\approx)\s*[-−+]?\.?\d")
TYPED_DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d*\.)|\b\d+\s?%")


@dataclass(frozen=True)
class Page:
    """One page of the book: `name` is part/chapter, `source` its manuscript, `product` what the press prints, `house` the root."""

    name: str
    source: Path
    product: Path
    house: Path
    cells: tuple  # of notebook cells, without outputs
    text: str

    @property
    def runs(self):
        return self.product.suffix == ".ipynb"

    @property
    def code(self):
        return [cell for cell in self.cells if cell.cell_type == "code"]


def read_pages(house):
    """Every page under `house`/manuscript, in the order of their names.

    A manuscript with code is printed as chapters/NAME.ipynb, one without as chapters/NAME.md, and the landing page as
    index.md beside _toc.yml.
    """
    return [read_page(house, source) for source in sorted((house / "manuscript").rglob("*.md"))]


def read_page(house, source):
    name = source.relative_to(house / "manuscript").with_suffix("").as_posix()
    text = source.read_text("utf8")
    cells = jupytext.reads(text, fmt="md:myst").cells
    seen = {}
    for cell in cells:
        cell.metadata = {key: cell.metadata[key] for key in ("jupyter", "tags") if key in cell.metadata}
        content = hashlib.sha256((cell.cell_type + cell.source).encode()).hexdigest()[:8]
        seen[content] = seen.get(content, 0) + 1
        cell.id = f"{content}-{seen[content]}"  # follows the content, so that a change stays local
        if "solution" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}  # folded in Jupyter too
    if any(cell.cell_type == "code" for cell in cells):
        product = house / "chapters" / f"{name}.ipynb"
    else:
        product = house / (f"{name}.md" if name == "index" else f"chapters/{name}.md")
    return Page(name, source, product, house, tuple(cells), text)


def prose(text, first=1):
    """Yield (line, kind, content) for the prose of a manuscript; kind is "text" or "role".

    Code, formulas and the front matter are left out; the inside of a directive is prose unless it is in `VERBATIM`.
    """
    parser = MarkdownIt("commonmark").enable("table")
    for plugin in (front_matter_plugin, colon_fence_plugin, dollarmath_plugin, myst_role_plugin):
        parser.use(plugin)
    line = first
    for token in parser.parse(text):
        line = first + token.map[0] if token.map else line
        if token.type in ("fence", "colon_fence"):
            directive = re.match(r"\{([\w:-]+)\}", token.info)
            if directive and directive[1] not in VERBATIM:
                yield from prose(token.content, line + 1)
        for child in token.children or ():
            if child.type == "myst_role":
                yield line, "role", f"{{{child.meta['name']}}}`{child.content}`"
            elif child.type == "text":
                yield line, "text", child.content
            elif child.type == "math_inline":
                yield line, "math", child.content
            elif child.type in ("softbreak", "hardbreak"):
                line += 1
        if token.type in ("math_block", "math_block_label", "amsmath"):
            yield line, "math", token.content


def prose_faults(page):
    """Numbers typed by hand where a reference belongs, as "file:line: fault, cure" lines."""
    cure = "keep it in a cell with exact() or measured() and refer to it as {n}`name:.2f`"
    for line, kind, content in prose(page.text):
        if kind != "role" and (typed := TYPED_AFTER_ALMOST.search(content)):
            yield f"{where(page, line)}: a number typed by hand after ≈ ({typed[0]}); {cure}"
        elif kind == "text" and page.runs and (typed := TYPED_DECIMAL.search(content)):
            yield f"{where(page, line)}: a number typed by hand ({typed[0]}); {cure}"


def where(page, line):
    return f"manuscript/{page.name}.md:{line}"


def write_references(page, text, numbers, verdicts):
    """Replace each {n}`…` and {v}`…` in `text` by its value.

    Parameters
    ----------
    page : Page           the page that refers
    text : str            Markdown
    numbers : dict        (page name, number name) -> (kind, value)
    verdicts : dict       claim id -> word

    Raises
    ------
    LookupError           naming file and line: no such number or verdict, or a format that does not fit
    """

    def write(match):
        if not match["role"]:
            return match[0]
        line = page.text[: page.text.find(match[0])].count("\n") + 1
        target = match["target"]
        if match["role"] == "v":
            if target not in verdicts:
                raise LookupError(f"{where(page, line)}: {match[0]} refers to a claim without a verdict")
            return verdicts[target]
        path, _, rest = target.rpartition("::")
        name, _, form = rest.partition(":")
        name, _, part = name.partition("|")
        if (path or page.name, name) not in numbers:
            known = sorted(number for owner, number in numbers if owner == (path or page.name))
            raise LookupError(
                f"{where(page, line)}: {match[0]} refers to a number that {path or page.name} does not hold; "
                f"it holds {', '.join(known) or 'none'}"
            )
        kind, value = numbers[path or page.name, name]
        try:
            shown = evidence.in_words(value, form, part)
        except ValueError as error:
            raise LookupError(f"{where(page, line)}: {match[0]}: {error}") from None
        if not form:
            raise LookupError(f"{where(page, line)}: {match[0]} has no format; write {{n}}`{target}:.2f`")
        if kind != "measured":
            return shown
        place = os.path.relpath(f"chapters/{path}.ipynb", page.product.parent.relative_to(page.house)) if path else ""
        return f'<a class="bn-number" href="{place}#n-{name}" title="prove this number">{shown}</a>'

    return REFERENCE.sub(write, text)


def numbers_of(page, outputs):
    """What the cells of a printed page left for the prose: (page name, number name) -> (kind, value)."""
    found = {}
    for data in bundles(outputs, evidence.MIME):
        for name, value in data["values"].items():
            if (page.name, name) in found:
                raise LookupError(f"manuscript/{page.name}.md: two cells keep a number named {name}; rename one")
            found[page.name, name] = (data["kind"], value)
    return found


def records(house):
    """Machine numbers: every field of every records/NAME.json, as ("records/NAME", field) -> ("machine", value)."""
    found = {}
    for file in sorted((house / "records").glob("*.json")):
        for name, value in json.loads(file.read_text("utf8")).items():
            if isinstance(value, (int, float)):
                found[f"records/{file.stem}", name] = ("machine", value)
    return found


def bundles(outputs, mime):
    """The contents of one MIME type in a list of cell outputs."""
    return [output["data"][mime] for output in outputs if mime in output.get("data", {})]
