"""Cells on the page: lesson open, the rest behind bars, predictions as questions. Part of the extension in pages.py."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from docutils import nodes

from press import kinds, predict

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

UNFILLED = re.compile(r"^… \w+: not filled in yet\n?", re.M)  # what a hole says; nobody can fill it on a page
FIGURE = re.compile(r'id="fig-([a-z0-9-]+)"')
CARD = 'class="bn-claim'
KEPT = re.compile(r'<details class="bn-kept">.*?</summary>(<pre.*</pre>)</details>', re.S)  # see bnutils.evidence
NUMBERS = "application/vnd.bnutils.numbers+json"  # bnutils.evidence.MIME; pages are built without NumPy
VOID = {"input"}
SCRIPTS = {  # and what a page must hold to need it
    "cells.js": r'class="bn-(?:bar|predict)\b',
    "cards.js": r'class="bn-(?:number|symbol)"|data-card=|href="[^"]*(?:#term-|#claim-|bibliography\.html#)',
}


class element(nodes.General, nodes.Element):
    """An element of HTML that docutils has no node for: its `tag`, and `given`, its attributes."""


def visit_element(self: HTML5Translator, node: element) -> None:
    self.body.append(self.starttag(node, node["tag"], "", **node.get("given", {})))


def depart_element(self: HTML5Translator, node: element) -> None:
    if node["tag"] not in VOID:
        self.body.append(f"</{node['tag']}>\n")


def html(
    tag: str, *inside: nodes.Node | str, classes: Iterable[str] = (), ids: Iterable[str] = (), **given: str
) -> element:
    """An element with text or nodes inside."""
    made = element(tag=tag, classes=list(classes), ids=list(ids), given=given)
    made += [nodes.Text(each) if isinstance(each, str) else each for each in inside]
    return made


# ------------------------------------------------------------------------------------------------ bars


def fold_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Setup, evidence and the code of figures go behind bars; numbers lie open behind them; holes fall silent."""
    for raw in doctree.findall(nodes.raw):
        text = raw.astext()
        shown = KEPT.sub(r"\1", text) if text.startswith('<details class="bn-kept">') else text
        if 'class="bn-number"' in text:  # leads to the page here, to the notebook elsewhere
            shown = re.sub(r'(<a class="bn-number" href="[^"#]*)\.ipynb#', r"\1.html#", shown)
        if shown != text:
            raw.children = [nodes.Text(shown)]
    cells = [cell for cell in doctree.findall(nodes.container) if cell.get("nb_element") == "cell_code"]
    kept = None
    for cell in cells:
        tags = cell["cell_metadata"].get("tags", [])
        silence_holes(cell)
        if not cell.children:
            continue
        if "hide-input" in tags:
            fold_figure(cell)
        elif "solution" in tags:
            continue
        elif "setup" in tags:
            source = source_of(cell)
            cell.children = [bar("setup", kinds.sentence(source), lines(source, 1), cell.children)]
        elif "evidence" in tags:
            if kept is None:
                kept = numbers_kept(app.env.doc2path(app.env.docname))
            fold_evidence(cell, kept.get(cell["cell_index"], 0))
        for child in cell.children:
            child.parent = cell


def source_of(cell: nodes.container) -> str:
    return cell.children[0].astext()


def lines(source: str, sentences: int = 0) -> str:
    return counted(kinds.filled(source) - sentences, "line")


def counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def bar(kind: str, says: str, count: str, inside: Iterable[nodes.Node], ids: Iterable[str] = ()) -> element:
    """A closed `<details>`: what it is on the left, how much of it on the right."""
    summary = html(
        "summary", html("span", says, classes=["bn-bar-says"]), html("span", count, classes=["bn-bar-count"])
    )
    return html("details", summary, *inside, classes=["bn-bar", f"bn-{kind}"], ids=ids)


def fold_figure(cell: nodes.container) -> None:
    """The figure first, its code below; on a page of the book in the row of its links (see figures.py)."""
    cell.attributes.pop("hide_mode", None)  # myst-nb would fold the code above the figure
    code, *outputs = cell.children
    names = FIGURE.findall("".join(raw.astext() for raw in cell.findall(nodes.raw)))
    ids = [f"code-{name}" for name in dict.fromkeys(names)]
    says = html("summary", f"code ({lines(source_of(cell))})")
    cell.children = [*outputs, html("details", says, code, classes=["bn-bar", "bn-figure-code"], ids=ids)]


def fold_evidence(cell: nodes.container, numbers: int) -> None:
    """Code and numbers behind the bar; a verdict card below it, open."""
    source = source_of(cell)
    code, *outputs = cell.children
    cards = nodes.container("", classes=["cell_output"], nb_element="cell_code_output")
    for output in outputs:
        for each in list(output.children):
            if any(CARD in raw.astext() for raw in each.findall(nodes.raw)):
                output.remove(each)
                cards += each
    behind = [code, *(output for output in outputs if output.children)]
    cell.children = [bar("evidence", kinds.sentence(source), checked(source, numbers), behind)]
    if cards.children:
        cell.children.append(cards)


def checked(source: str, numbers: int) -> str:
    """What an evidence cell does: assertions in its code, numbers in its record."""
    found = [kinds.proof(node) for node in kinds.keeping(ast.parse(source))]
    judged, asserted = found.count("judge"), sum(word.startswith("assert") for word in found)
    parts = [
        counted(number, word)
        for number, word in ((asserted, "assertion"), (numbers, "number"), (judged, "verdict"))
        if number
    ]
    return f"checked: {', '.join(parts)}"


def numbers_kept(path: str) -> dict[int, int]:
    """How many numbers each cell of a printed notebook left in its records; cells are counted from 0."""
    with open(path, encoding="utf8") as file:
        cells = json.load(file)["cells"]
    return {
        place: sum(len(output.get("data", {}).get(NUMBERS, {}).get("values", ())) for output in cell.get("outputs", ()))
        for place, cell in enumerate(cells)
    }


def silence_holes(cell: nodes.container) -> None:
    """Without the line that an exercise prints while it is not filled in."""
    for output in [each for each in cell.children if each.get("nb_element") == "cell_code_output"]:
        for block in list(output.findall(nodes.literal_block)):
            text = block.astext()
            if (left := UNFILLED.sub("", text)) != text:
                if left.strip():
                    block.children = [nodes.Text(left)]
                    block.rawsource = left
                else:
                    block.parent.remove(block)
        if not output.children:
            cell.remove(output)


# ------------------------------------------------------------------------------------------------ predictions


def ask_predictions(app: Sphinx, doctree: nodes.document) -> None:
    """What the notebook has as question, options and folded answers becomes a question with the answer behind it."""
    for opening in [raw for raw in doctree.findall(nodes.raw) if raw.astext().startswith(predict.OPENS)]:
        box, place = opening.parent, opening.parent.index(opening)
        rest = [each.astext().strip() if isinstance(each, nodes.raw) else "" for each in box[place:]]
        asked, end = rest.index(predict.CLOSES), rest.index(predict.ENDS)
        label = re.search(r'id="([^"]+)"', opening.astext())[1]
        parts = box[place : place + end + 1]
        del box[place : place + end + 1]
        wrappers = (predict.ANSWER, predict.ANSWERED)
        answer = [
            part for part, text in zip(parts[asked + 1 : -1], rest[asked + 1 : end]) if not text.startswith(wrappers)
        ]
        box.insert(place, prediction(label, parts[1:asked], answer))


def prediction(label: str, asked: list[nodes.Node], answer: list[nodes.Node]) -> element:
    """The component: radio buttons, and the answer, which the style sheet shows once one of them is chosen."""
    *question, options = asked
    word = next(question[0].findall(nodes.strong))  # "Predict.": the legend has it
    begins = question[0].children[question[0].index(word) + 1]
    begins.parent.replace(begins, nodes.Text(begins.astext().lstrip()))
    del question[0].children[: question[0].index(word) + 1]
    inside = [html("span", "Predict", classes=["bn-predict-word"])]
    inside += [html("span", *each.children, classes=["bn-predict-question"]) for each in question]
    legend = html("legend", *inside)
    choices = [choice(label, list(option.children[0].children)) for option in options.children]
    skip = choice(label, [nodes.Text("Show the answer without guessing")], "bn-skip")
    ask = html("fieldset", legend, *choices, skip)
    return html("div", ask, html("div", *answer, classes=["bn-answer"]), classes=["bn-predict"], ids=[label])


def choice(label: str, words: list[nodes.Node], *classes: str) -> element:
    return html("label", html("input", type="radio", name=label), html("span", *words), classes=classes)


# ------------------------------------------------------------------------------------------------ scripts


def add_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """What opens bars from afar, and the cards, on the pages that have any."""
    for script, sign in SCRIPTS.items():
        if re.search(sign, context.get("body", "")):
            app.add_js_file(script, loading_method="defer")


def setup(app: Sphinx) -> None:
    app.add_node(element, html=(visit_element, depart_element))
    app.connect("doctree-read", fold_cells)
    app.connect("doctree-read", ask_predictions)
    app.connect("html-page-context", add_scripts)
