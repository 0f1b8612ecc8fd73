"""What the page for lecturers holds of every chapter, from its manuscript: needs, minutes, data, figures, tasks."""

import ast
import os
import re
from collections.abc import Iterator

from press import predict
from press.contents import Contents
from press.manuscript import Page
from press.reading import FOLDED, LINES_A_MINUTE, WORDS_A_MINUTE, about

EXERCISE = re.compile(r"^(?:`{3,}|:{3,})\{exercise(?:-start)?\} *(.+)\n(?: *:label: *(\S+))?", re.M)
HIDDEN = re.compile(
    r"^## Run log\n.*?(?=^## |\Z)"
    r"|^(?:`{3,}|:{3,})\{solution-start\}.*?\{solution-end\}"
    r"|^(`{3,}|:{3,})\{solution\}.*?^\1 *$",
    re.M | re.S,
)


def chapters(page: Page, contents: Contents, pages: list[Page]) -> str:
    """A table of the chapters that are written and have code, and a section for each.

    Parameters
    ----------
    page : Page               where it stands; links are relative to it
    contents : Contents       all chapters, for their order
    pages : list of Page      the manuscripts
    """
    texts = {each.name: each for each in pages if each.runs}
    found = [(chapter, texts[chapter.name]) for chapter in contents.written if chapter.name in texts]
    numbers = {chapter.name: str(number) for number, (chapter, _) in enumerate(found, 1)}
    lines = ["| chapter | needs | minutes to read | figures | predictions | exercises |", "|---" * 6 + "|"]
    for chapter, text in found:
        needs = ", ".join(numbers[name] for name in chapter.needs if name in numbers) or "–"
        counts = [len(figures(text)), len(predictions(text)), len(exercises(text))]
        cells = [f"{numbers[chapter.name]} [{chapter.title}]({to(page, text)})", needs, minutes(text), *counts]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    sections = [section(page, chapter.title, chapter.says, text) for chapter, text in found]
    return "\n\n".join(["\n".join(lines), *sections])


def section(page: Page, title: str, says: str, text: Page) -> str:
    link = to(page, text)
    sets = ", ".join(f"`{name}`" for name in sorted(set(data(text)))) or "none"
    place = link.removesuffix(".ipynb") + ".html"
    shown = [f'  - <a href="{place}#fig-{name}">{said}</a>' for name, said in figures(text)]
    guessed, asked = (
        [f'  - <a href="{place}#{label}">{said}</a>' for label, said in found]
        for found in (predictions(text), exercises(text))
    )
    lines = [
        f"### {title}",
        "",
        f"[{says[0].upper()}{says[1:]}]({link}). About {minutes(text)} minutes of reading.",
        "",
    ]
    lines += [f"- Data: {sets}"]
    lines += ["- Figures:", *shown] if shown else []
    lines += ["- Predictions:", *guessed] if guessed else []
    lines += ["- Exercises:", *asked] if asked else []
    return "\n".join(lines)


def to(page: Page, text: Page) -> str:
    return os.path.relpath(text.product, page.product.parent)


def exercises(page: Page) -> list[tuple[str, str]]:
    """Each exercise of a chapter as (label, title)."""
    return [(label, said.strip()) for said, label in EXERCISE.findall(page.text)]


def predictions(page: Page) -> list[tuple[str, str]]:
    """Each prediction of a chapter as (label, question)."""
    return [(predict.label_of(start), start["question"].strip()) for start in predict.START.finditer(page.text)]


def minutes(page: Page) -> int:
    """How long a chapter takes to read: its words, and its lines of open code."""
    hidden = set()
    for part in HIDDEN.finditer(page.text):
        hidden.update(range(page.text.count("\n", 0, part.start()) + 1, page.text.count("\n", 0, part.end()) + 1))
    words = sum(len(piece.content.split()) for piece in page.prose if piece.kind == "text" and piece.line not in hidden)
    opened = [cell for cell in page.code if not FOLDED & {f"tag_{tag}" for tag in cell.metadata.get("tags", ())}]
    lines = sum(bool(line.strip()) for cell in opened for line in cell.source.splitlines())
    return about(words / WORDS_A_MINUTE + lines / LINES_A_MINUTE)


def calls(tree: ast.Module, owner: str, name: str) -> Iterator[str]:
    """The first texts that ``owner.name(...)`` is given in a cell."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Name(id), attr), args) if (id, attr) == (owner, name):
                yield from (each.value for each in args if isinstance(each, ast.Constant))


def data(page: Page) -> list[str]:
    """The data sets that a chapter loads."""
    return [name for _, _, tree in page.program for name in calls(tree, "data", "load")]


def figures(page: Page) -> list[tuple[str, str]]:
    """Each figure of a chapter as (name, what it shows): its title, or its name in words."""
    found = []
    for _, _, tree in page.program:
        titles = list(calls(tree, "plots", "figure"))
        names = [*calls(tree, "plots", "show"), *calls(tree, "interactive", "show")]
        alone = len(titles) == len(names) == 1
        found += [(name, titles[0] if alone else name.replace("-", " ")) for name in names]
    return found
