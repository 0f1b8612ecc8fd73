"""One script for what most pages need; what few pages need is asked for by those."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

SCRIPT = "site.js"
PARTS = (
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "scripts/sphinx-book-theme.js",
    "frame.js",
    "cells.js",
    "cards.js",
    "aids.js",
)
MAP = re.compile(r"^//# sourceMappingURL=.*$", re.M)


def choose(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """The page asks for the one script instead of its parts; while an author looks on it asks for each of them."""
    if app.config.publishing:
        parts = {f"_static/{name}" for name in PARTS}
        context["script_files"] = [
            each for each in context["script_files"] if getattr(each, "filename", None) not in parts
        ]


def write(app: Sphinx, exception: Exception | None) -> None:
    static = Path(app.outdir) / "_static"
    if exception is None and app.config.publishing:
        parts = [(static / name).read_text("utf8") for name in PARTS]
        (static / SCRIPT).write_text(MAP.sub("", "\n;\n".join(parts)), "utf8")


def setup(app: Sphinx) -> None:
    app.add_js_file("frame.js", loading_method="defer")
    app.connect("html-page-context", choose, priority=950)  # when every part has been asked for
    app.connect("build-finished", write)
