"""Read the manuscript: its pages, their cells, what the prose says, and every number it refers to."""

import ast
import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jupytext
import yaml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from press import kinds, launch, predict

# the Markdown of Jupyter Book, as its default settings read it
MARKDOWN = create_md_parser(
    MdParserConfig(enable_extensions={"colon_fence", "dollarmath", "substitution", "tasklist"}), RendererHTML
)
VERBATIM = {
    "code-cell",
    "code-block",
    "code",
    "eval-rst",
    "bibliography",
    "ledger",
    "chapters",
    "verdicts",
    "tally",
    "chapter-figure",
    "teaching",
    "literalinclude",
}
LABELS = {"code", "doc", "download", "eq", "numref", "prf:ref", "cite", "cite:t", "cite:p", "cite:author", "cite:year"}
REFERENCE = re.compile(r"\{(?P<role>[nv])\}`(?P<target>[^`\n]+)`")
MASK = re.compile("\ue000(\\d+)\ue001")  # stands for a reference while Markdown is read


class Unreadable(Exception):
    """What stops the press before it begins, one line each: file, line, what is wrong."""

    def __init__(self, *lines: str):
        super().__init__("\n".join(lines))
        self.lines = lines


class Piece(NamedTuple):
    """Part of the prose; `kind` is "text", "title" (of an image, link, heading or page), "math", "html", "address", or
    "guess", an option of a prediction."""

    line: int
    kind: str
    content: str


class Reference(NamedTuple):
    """One {n}`target` or {v}`target` in a text, between `start` and `end`; `plain` where no link can stand."""

    start: int
    end: int
    line: int
    role: str
    target: str
    plain: bool


@dataclass(frozen=True)
class Page:
    """One page of the book: `name` is part/chapter, `source` its manuscript, `product` what the press prints of it."""

    name: str
    source: Path
    product: Path
    house: Path  # the root of the book
    cells: tuple  # of notebook cells, without outputs
    text: str
    lines: tuple[int, ...] = ()  # where each cell begins

    @property
    def runs(self) -> bool:
        return self.product.suffix == ".ipynb"

    @property
    def code(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @functools.cached_property
    def program(self) -> list[tuple[int, str, ast.Module]]:
        """Each code cell as (first line, source, syntax tree)."""
        found = []
        for line, cell in zip(self.lines, self.cells):
            if cell.cell_type == "code":
                try:
                    found.append((line, cell.source, ast.parse(cell.source)))
                except SyntaxError as error:
                    place = where(self, line + (error.lineno or 1) - 1)
                    raise Unreadable(f"{place}: this is not Python ({error.msg}); mend the cell") from None
        return found

    @functools.cached_property
    def prose(self) -> list[Piece]:
        """All that readers read beside the code, in order."""
        if not self.runs:
            return read_prose(self.text)[0]
        texts = [(cell, line) for cell, line in zip(self.cells, self.lines) if cell.cell_type == "markdown"]
        return [piece for cell, line in texts for piece in read_prose(cell.source, line)[0]]


def read_pages(house: Path) -> list[Page]:
    """Every page under `house`/manuscript, in the order of their names.

    A manuscript with code is printed as chapters/NAME.ipynb, one without as chapters/NAME.md, and the landing page as
    index.md beside _toc.yml.

    Raises
    ------
    Unreadable            naming every page that cannot be read, and the line
    """
    pages, lines = [], []
    for source in sorted((house / "manuscript").rglob("*.md")):
        try:
            page = read_page(house, source)
            _ = page.program
        except Unreadable as error:
            lines += error.lines
        else:
            pages.append(page)
    if lines:
        raise Unreadable(*lines)
    return pages


def read_page(house: Path, source: Path) -> Page:
    name = source.relative_to(house / "manuscript").with_suffix("").as_posix()
    place = f"manuscript/{name}.md"
    text = read_text(house, place)
    if text.startswith("---\n"):
        parse_yaml(text.split("\n---", 1)[0], place)
    try:
        cells = jupytext.reads(text, fmt="md:myst").cells
    except Exception as error:  # jupytext lets through whatever its parsers raise
        reason = " ".join(str(error).split())[:200]
        raise Unreadable(f"{place}: jupytext cannot read this page ({reason}); mend its cells") from None
    cells = launch.standing_alone(house, cells)
    seen, lines, reached = {}, [], 0
    for cell in cells:
        cell.metadata = {key: cell.metadata[key] for key in ("jupyter", "tags") if key in cell.metadata}
        content = hashlib.sha256((cell.cell_type + cell.source).encode()).hexdigest()[:8]
        seen[content] = seen.get(content, 0) + 1
        cell.id = f"{content}-{seen[content]}"  # follows the content, so that a change stays local
        start = text.find(cell.source, reached)  # -1 for a cell that no author wrote
        lines.append(text.count("\n", 0, max(start, reached)) + 1)
        reached = start + len(cell.source) if start >= 0 else reached
    fold_in_jupyter(cells, lines)
    if any(cell.cell_type == "code" for cell in cells):
        product = house / "chapters" / f"{name}.ipynb"
    else:
        product = house / (f"{name}.md" if name == "index" else f"chapters/{name}.md")
    return Page(name, source, product, house, tuple(cells), text, tuple(lines))


def fold_in_jupyter(cells: list, lines: list[int]) -> None:
    """What is a bar on the page is hidden in Jupyter too; a verdict card stays, unless a prediction asks for it."""
    texts = [None if cell.cell_type == "code" else cell.source for cell in cells]
    answers = {place for prediction in predict.read(texts, lines)[0] for place in prediction.cells}
    for place, cell in enumerate(cells):
        tags = set(cell.metadata.get("tags", []))
        judges = re.search(r"\bjudge\(", cell.source)
        hidden = {"source_hidden": True} if tags & kinds.FOLDED else {}
        hidden |= {"outputs_hidden": True} if place in answers or ("evidence" in tags and not judges) else {}
        if hidden:
            cell.metadata["jupyter"] = hidden


def read_text(house: Path, name: str) -> str:
    try:
        return (house / name).read_text("utf8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Unreadable(f"{name}:{line}: this is not text in UTF-8 ({error.reason}); save it as UTF-8") from None
    except OSError as error:
        raise Unreadable(f"{name}: cannot be read ({error.strerror}); put it back") from None


def parse_yaml(text: str, place: str) -> object:
    """The content of a YAML text; what is wrong with it is said with `place` and line."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = mark.line + 1 if mark else 1
        raise Unreadable(f"{place}:{line}: this is not YAML ({problem or error}); mend it") from None


def where(page: Page, line: int) -> str:
    return f"manuscript/{page.name}.md:{line}"


# ------------------------------------------------------------------------------------------------ prose


@functools.cache
def read_prose(text: str, first: int = 1) -> tuple[list[Piece], list[Reference]]:
    """The prose of a Markdown text whose first line is `first`, and the references in it, in order.

    Code and what `VERBATIM` names are left out, and a reference there is none; in the pieces "…" stands for each.
    """
    matches, numbers = list(REFERENCE.finditer(text)), itertools.count()
    pieces, references = [], {}
    for line, kind, content in _pieces(REFERENCE.sub(lambda _: f"\ue000{next(numbers)}\ue001", text), first):
        for number in map(int, MASK.findall(content)):
            match = matches[number]
            at, plain = first + text.count("\n", 0, match.start()), kind in ("title", "math", "guess")
            references[number] = Reference(*match.span(), at, *match.groups(), plain)
        pieces.append(Piece(line, kind, MASK.sub("…", content)))
    return pieces, [references[number] for number in sorted(references)]


def _pieces(text: str, first: int) -> Iterator[Piece]:
    line, heading = first, False
    for token in MARKDOWN.parse(text):
        line = first + token.map[0] if token.map else line
        heading = token.type == "heading_open" or (heading and token.type == "inline")
        if token.type in ("fence", "colon_fence"):
            yield from _directive(token, line)
        elif token.type == "inline":
            yield from _inline(token.children, line, "title" if heading else "text")
        elif token.type == "html_block":
            yield Piece(line, "html", token.content)
        elif token.type.startswith("math_block"):
            yield Piece(line, "math", token.content)
        elif token.type == "front_matter":
            settings = (yaml.safe_load(token.content) or {}).get("myst", {})
            yield from (Piece(line, "title", str(value)) for value in settings.get("html_meta", {}).values())


def _directive(token: Token, line: int) -> Iterator[Piece]:
    named = re.match(r"\{([\w:-]+)\}\s*(.*)", token.info)
    if not named or named[1] in VERBATIM:
        return
    if named[1] in ("math", "raw"):
        yield Piece(line + 1, "math" if named[1] == "math" else "html", token.content)
        return
    if named[1] in ("figure", "image"):
        yield Piece(line, "address", named[2])
    elif named[2]:
        yield from _inline(MARKDOWN.parseInline(named[2])[0].children, line, "title")
    body, line = token.content, line + 1
    while option := re.match(r":([\w-]+):[ \t]*(.*)(?:\n|\Z)", body):
        if option[1] in ("alt", "caption", "title"):
            yield Piece(line, "title", option[2])
        body, line = body[option.end() :], line + 1
    guesses = named[1] == "predict-start"
    for piece in _pieces(body, line):
        yield piece._replace(kind="guess") if guesses and piece.kind == "text" else piece


def _inline(tokens: list[Token], first: int, kind: str = "text") -> Iterator[Piece]:
    """The text of a paragraph as one piece of a kind, after the formulas, tags and images in it."""
    words, linked, depth = "", "", 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if depth:  # no link can stand within a link
            linked += "".join(mask[0] for mask in MASK.finditer(token.content))
        line, role = first + words.count("\n"), token.meta.get("name") if token.type == "myst_role" else None
        if token.attrs.get("title"):
            yield Piece(line, "title", token.attrs["title"])
        if token.type == "text" or (role and role not in LABELS | {"math"}):
            words += token.content
        elif token.type in ("softbreak", "hardbreak"):
            words += "\n"
        elif token.type == "html_inline":
            yield Piece(line, "html", token.content)
        elif token.type == "image":
            yield from (Piece(line, "address", token.attrs["src"]), Piece(line, "title", token.content))
            words += "…"
        elif token.type.startswith("math_inline") or role == "math":
            yield Piece(line, "math", token.content)
            words += "…"
        elif token.type == "code_inline" or role:
            words += "…"
    yield Piece(first, kind, words)
    if linked:
        yield Piece(first, "title", linked)


def write_references(text: str, first: int, write: Callable[[Reference], str]) -> str:
    """`text`, whose first line is `first`, with `write(reference)` in the place of every reference of its prose."""
    for reference in reversed(read_prose(text, first)[1]):
        text = text[: reference.start] + write(reference) + text[reference.end :]
    return text
