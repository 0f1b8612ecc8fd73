"""`{chapter-figure}`: a figure of a chapter, shown on another page as well."""

from __future__ import annotations

import json
from html import escape
from os.path import dirname, relpath
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from press import figures


class ChapterFigure(SphinxDirective):
    """The figure that a cell of a chapter left, by the chapter and the figure's name; it links to where it was made."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        chapter, name = self.arguments
        file = Path(self.env.srcdir, "chapters", f"{chapter}.ipynb")
        self.env.note_dependency(str(file))
        drawn = figure_of(file, name)
        if drawn is None:
            raise self.error(f"chapters/{chapter}.ipynb shows no figure {name}; name one that it shows, or print it")
        home = relpath(f"chapters/{chapter}.html", dirname(self.env.docname) or ".")
        words = chapter.rpartition("/")[2].replace("-", " ")
        link = f'<p class="bn-links"><a href="{home}#fig-{name}">made in: {escape(words)}</a></p>'
        drawn = figures.LINKS.sub(link, drawn, count=1)
        drawn = drawn.replace("<figure ", "<figure data-borrowed ", 1)  # its number and its files are those of its home
        return [nodes.raw("", drawn, format="html")]


def figure_of(file: Path, name: str) -> str | None:
    """The HTML that a printed notebook holds for a figure, interactive parts too; None where it has no such figure."""
    cells = json.loads(file.read_text("utf8"))["cells"] if file.exists() else []
    texts = ("".join(each.get("data", {}).get("text/html", "")) for cell in cells for each in cell.get("outputs", ()))
    return next((text for text in texts if (figure := figures.FIGURE.search(text)) and figure[1] == name), None)
