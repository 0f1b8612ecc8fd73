"""Figures on the page: numbered, with links to their data, their code and their drawing. Part of the extension."""

from __future__ import annotations

import base64
import html
import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from docutils import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

COLOURS = Path(__file__).parent / "static" / "colour.css"
FIGURE = re.compile(r'<figure class="bn-figure[^"]*" id="fig-([a-z0-9-]+)">.*?</figure>', re.S)
LINKS = re.compile(r'<p class="bn-links">.*?</p>', re.S)
ROW = re.compile(r'<div class="bn-links">.*?(?=</div>)', re.S)
TITLE = re.compile(r'<p class="bn-figure-title"><strong>(.*?)</strong></p>', re.S)


def place_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Every figure of a page gets its number and its links; what they lead to is written with the page."""
    if not app.env.docname.startswith("chapters/"):
        return  # elsewhere no cell has drawn it
    page = app.env.docname.rpartition("/")[2]
    known = {name for node in doctree.findall(nodes.Element) for name in node.get("ids", ())}
    number = 0
    for raw in list(doctree.findall(nodes.raw)):
        for figure in FIGURE.finditer(raw.astext()):
            name, number = figure[1], number + 1
            if f"code-{name}" not in known:  # no bar has it
                cell_of(raw)["ids"].append(f"code-{name}")
            files = [("data (CSV)", "csv"), ("SVG", "svg"), ("PNG", "png")]
            data, svg, png = (f'<a download href="{page}/{name}.{ending}">{text}</a>' for text, ending in files)
            links = f'<div class="bn-links">{data} {svg} {png}</div>'
            text = LINKS.sub(links, figure[0], count=1)
            text = text.replace("<strong>", f'<span class="bn-figure-number">Figure {number}</span> <strong>', 1)
            raw[:] = [nodes.Text(raw.astext().replace(figure[0], text))]
            raw.rawsource = raw.astext()
        if row := ROW.search(raw.astext()):
            fold_in(raw, row.end())


def fold_in(raw: nodes.raw, place: int) -> None:
    """The code of a figure joins the row of its links, so that it costs no height while it is closed."""
    cell = cell_of(raw)
    bars = [each for each in cell.children if "bn-figure-code" in each.get("classes", ())]
    if not bars:
        return
    cell.remove(bars[0])
    text, around = raw.astext(), raw.parent
    before, behind = (nodes.raw("", part, format="html") for part in (text[:place], text[place:]))
    around.replace(raw, nodes.container("", before, bars[0], behind, classes=raw["classes"]))


def cell_of(node: nodes.Node) -> nodes.Element:
    while "cell" not in node.get("classes", ()):
        node = node.parent
    return node


def write_files(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """The drawings and the data of the figures of a page, in a folder beside it that has its name."""
    if 'class="bn-figure' not in context.get("body", "") or not pagename.startswith("chapters/"):
        return
    folder = Path(app.outdir, pagename)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text, png in stored(Path(app.env.doc2path(pagename))):
        data = re.search(r'href="data:text/csv;charset=utf-8,([^"]*)"', text)[1]
        (folder / f"{name}.csv").write_text(unquote(data), "utf8")
        (folder / f"{name}.svg").write_text(drawing(text), "utf8")
        (folder / f"{name}.png").write_bytes(base64.b64decode(png))


def stored(notebook: Path) -> Iterator[tuple[str, str, str]]:
    """The figures of a printed notebook: name, HTML, PNG in base 64."""
    for cell in json.loads(notebook.read_text("utf8"))["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if figure := FIGURE.search("".join(data.get("text/html", ""))):
                yield figure[1], figure[0], "".join(data["image/png"])


def drawing(figure: str) -> str:
    """The SVG of a whole figure, for other documents: panels in their places, title above them, light colours."""
    panels = re.findall(r"<svg.*?</svg>", figure.partition('<div class="bn-panels bn-narrow')[0], re.S)
    parts = [[float(number) for number in re.search(r'viewBox="([^"]*)"', panel)[1].split()] for panel in panels]
    width, height = (max(part[side] + part[side + 2] for part in parts) for side in (0, 1))
    lines = textwrap.wrap(html.unescape(TITLE.search(figure)[1]), int(width / 6.8))
    head = 16 * len(lines) + 6
    title = "".join(
        f'<text x="4" y="{16 * row - 2}" style="font-size: 11px; font-weight: 700">{html.escape(line)}</text>'
        for row, line in enumerate(lines, 1)
    )
    placed = []
    for panel, (left, top, across, down) in zip(panels, parts):
        frame = f'<svg x="{left:g}" y="{top + head:g}" width="{across:g}" height="{down:g}" '
        placed.append(frame + re.sub(r' style="[^"]*"', "", panel[len("<svg ") :], count=1))
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", COLOURS.read_text("utf8").partition('[data-theme="dark"]')[0]))
    body = re.sub(r"var\(--(bn-[\w-]+), (#\w+)\)", lambda name: light.get(name[1], name[2]), title + "".join(placed))
    body = re.sub(r"var\(--pst-color-background, Canvas\)", "#ffffff", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * 4 / 3:g}" height="{(height + head) * 4 / 3:g}"'
        f' viewBox="0 0 {width:g} {height + head:g}" color="#0b0c0d" fill="#0b0c0d" font-family="sans-serif"'
        f' stroke-linejoin="round">{body}</svg>\n'
    )


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", place_figures, priority=700)  # once the bars stand
    app.connect("html-page-context", write_files)
