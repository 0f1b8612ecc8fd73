"""What helps a reader through a chapter: where it stands, how long it takes, what is folded, and what to read next."""

from __future__ import annotations

import functools
import html
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

from press import contents

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WORDS_A_MINUTE, LINES_A_MINUTE = 200, 20  # of prose, of code that stands open
FOLDED = {"tag_setup", "tag_evidence", "tag_hide-input", "tag_hide-cell", "tag_remove-input", "solution", "bn-fold"}
UNREAD = (nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)
HOLDS = re.compile(r"[,.;:!?)\]’”]+")
SHORT = 25  # characters of TeX: a longer formula may break on a phone
EXERCISE = re.compile(r'(<p class="admonition-title"><span class="caption-number">Exercise \d+ </span>) \((.*?)\)</p>')


def minutes(node: nodes.Element) -> float:
    """How long a part of a page takes to read: its words, and its lines of open code; what is folded is left out."""
    words = lines = 0
    for child in node.children:
        if isinstance(child, nodes.Text):
            words += len(child.split())
        elif isinstance(child, nodes.literal_block):
            lines += sum(map(bool, map(str.strip, child.astext().splitlines())))
        elif not isinstance(child, UNREAD) and not FOLDED & set(child.get("classes", ())):
            inner = minutes(child)
            words += inner * WORDS_A_MINUTE
    return words / WORDS_A_MINUTE + lines / LINES_A_MINUTE


def about(taken: float) -> int:
    """Minutes as they are said of a whole chapter: fives, for the counts are no better."""
    return 5 * round(taken / 5) if taken >= 10 else max(1, round(taken))


def shape(app: Sphinx, doctree: nodes.document) -> None:
    """The question is marked, the run log folded, and a mark behind a formula stays on its line."""
    for section in doctree.findall(nodes.section):
        if "run-log" in section["ids"] and len(section) > 1:
            title, *rest = section.children
            rows = sum(len(body) for part in rest for body in part.findall(nodes.tbody))
            said = f"What was tried and left out: {rows} entries" if rows else "What was tried and left out"
            opened = nodes.raw("", f'<details class="bn-fold"><summary>{said}</summary>', format="html")
            fold = nodes.container("", *(part.deepcopy() for part in rest), is_div=True, classes=["bn-fold"])
            section.children = []
            section += [title, opened, fold, nodes.raw("", "</details>", format="html")]
    for paragraph in doctree.findall(nodes.paragraph):
        if any(each.astext() == "The question." for each in paragraph.findall(nodes.strong)):
            paragraph["classes"].append("bn-question")
    for formula in list(doctree.findall(nodes.math)):
        box = formula.parent
        place = box.index(formula)
        behind = box[place + 1] if place + 1 < len(box) else None
        if isinstance(behind, nodes.Text) and len(formula.astext()) <= SHORT and (mark := HOLDS.match(behind)):
            held = nodes.inline("", "", formula.deepcopy(), nodes.Text(mark[0]), classes=["bn-hold"])
            box[place : place + 2] = [held, nodes.Text(behind[mark.end() :])]


@functools.cache
def chapters(house: Path) -> contents.Contents | None:
    """The contents of the book, read once a build; None for a book that has no such file."""
    return contents.find(house)


def add_aids(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Under the title: place and minutes; beside the contents: minutes a section; at the end: the next step."""
    if doctree is None:
        return
    app.add_js_file("aids.js", loading_method="defer")
    name = pagename.removeprefix("chapters/")
    book = chapters(Path(app.srcdir))
    known = book is not None and name in [chapter.name for chapter in book.written]
    if context.get("page_source_suffix") == ".ipynb":
        said = [line(book, name)] if known else []
        said.append(f"{'about' if said else 'About'} {about(minutes(doctree))} minutes to read")
        context["toc"] = with_minutes(context.get("toc", ""), doctree)
        below = f'</h1>\n<p class="bn-reading">{" · ".join(said)}</p>'
        context["body"] = context["body"].replace("</h1>", below, 1)
    if known:
        context["body"] += next_steps(book, name, context["pathto"])
    context["body"] = EXERCISE.sub(r"\1 \2</p>", context["body"])


def line(book: contents.Contents, name: str) -> str:
    """Where a chapter stands in its part, in words and as a row of strokes."""
    number, count = book.place(name)
    part = next(chapter.part for chapter in book.chapters if chapter.name == name)
    strokes = "".join(
        f'<i class="bn-{"past" if each < number else "here" if each == number else "ahead"}"></i>'
        for each in range(1, count + 1)
    )
    return (
        f'<span class="bn-strokes" aria-hidden="true">{strokes}</span>Chapter {number} of {count} · {html.escape(part)}'
    )


def with_minutes(toc: str, doctree: nodes.document) -> str:
    """The contents of a page, each of its sections with the minutes that it takes."""
    for section in next(doctree.findall(nodes.section)).children:
        if isinstance(section, nodes.section) and (taken := math.ceil(minutes(section) - 0.25)) > 0:
            toc = toc.replace(f'href="#{section["ids"][0]}"', f'href="#{section["ids"][0]}" data-minutes="{taken}"', 1)
    return toc


def next_steps(book: contents.Contents, name: str, pathto: callable) -> str:
    """For each way through the book that this chapter is on, the next chapter that is written."""
    steps: dict[contents.Chapter, list[str]] = {}
    for reader in contents.READERS:
        if step := book.next_step(name, reader):
            steps.setdefault(step, []).append(reader)
    if not steps:
        return ""
    rows = ""
    for step, readers in steps.items():
        who = " and ".join(filter(None, (", ".join(readers[:-1]), readers[-1])))
        rows += (
            f'<li><a href="{pathto("chapters/" + step.name)}"><span class="bn-who">For the {who}</span> '
            f"<strong>{html.escape(step.title)}</strong> <span>{html.escape(step.says)}</span></a></li>"
        )
    return f'<nav class="bn-next" aria-label="What to read next"><p>Your next chapter</p><ul>{rows}</ul></nav>'


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", lambda _: chapters.cache_clear())
    app.connect("doctree-read", shape)
    app.connect("html-page-context", add_aids)
