"""A new chapter: a manuscript that keeps every form rule, its line in the contents, its link on the landing page."""

import re
from pathlib import Path

TEMPLATE = Path(__file__).with_name("template.md")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*/[a-z][a-z0-9]*(-[a-z0-9]+)*")
LIST = re.compile(r"(?:^\d+\. .*\n)+", re.M)


def write(house: Path, name: str, title: str | None = None) -> Path:
    """Write manuscript/NAME.md, and add it to _toc.yml and to the landing page.

    Parameters
    ----------
    house : Path          the root of the book
    name : str            part/chapter: lower-case words joined by hyphens
    title : str           by default the chapter's name in words

    Returns
    -------
    source : Path         the manuscript

    Raises
    ------
    ValueError            a malformed name, or one that exists
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"expected part/chapter, lower-case words joined by hyphens, got {name!r}")
    source = house / "manuscript" / f"{name}.md"
    contents, landing = house / "_toc.yml", house / "manuscript" / "index.md"
    toc, start = contents.read_text("utf8"), landing.read_text("utf8")
    if source.exists() or f"chapters/{name}\n" in toc:
        raise ValueError(f"{name} exists; edit manuscript/{name}.md, or take another name")
    part, chapter = name.split("/")
    title = title or chapter.replace("-", " ").capitalize()
    text = TEMPLATE.read_text("utf8").replace("TITLE", title).replace("LABEL", chapter)
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, "utf8")
    contents.write_text(in_contents(toc, part, chapter), "utf8")
    landing.write_text(in_landing(start, name, title), "utf8")
    return source


def in_contents(toc: str, part: str, chapter: str) -> str:
    """The text of _toc.yml with the chapter behind the last of its part; a part that is not there comes last."""
    entry = f"      - file: chapters/{part}/{chapter}\n"
    own = list(re.finditer(rf"^ *- file: chapters/{part}/.*\n", toc, re.M))
    if own:
        return toc[: own[-1].end()] + entry + toc[own[-1].end() :]
    return f"{toc.rstrip()}\n  - caption: {part.replace('-', ' ').capitalize()}\n    chapters:\n{entry}"


def in_landing(start: str, name: str, title: str) -> str:
    """The landing page with a link to the chapter: where it was announced, or behind the chapter before it."""
    link = f"[{title}](chapters/{name}.ipynb)"
    announced = re.compile(rf"^(\d+\. ){re.escape(title)}(:.*?)? \(to come\)$", re.M)
    if announced.search(start):
        return announced.sub(lambda found: f"{found[1]}{link}{found[2] or ''}", start)
    part = f"](chapters/{name.split('/')[0]}/"
    lists = [found for found in LIST.finditer(start) if part in found[0]] or list(LIST.finditer(start))
    if not lists:
        return f"{start.rstrip()}\n\n1. {link}\n"
    items = lists[0][0].splitlines()
    place = max((number for number, item in enumerate(items, 1) if part in item), default=len(items))
    items.insert(place, link)
    numbered = [f"{number}. {re.sub(r'^[0-9]+[.] ', '', item)}\n" for number, item in enumerate(items, 1)]
    return start[: lists[0].start()] + "".join(numbered) + start[lists[0].end() :]
