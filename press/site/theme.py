"""What the theme leaves to the book: the head of a page, its scripts, and what a template or a visitor gets wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.builders.html._assets import _JavaScript

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

DESCRIPTIONS = {  # of the pages that no author wrote
    "search": "Search the book for words, claims and terms; it works without a network.",
    "404": "There is no page of the book at this address.",
}
FOLDS = re.compile(
    r'class="[^"]*\b(?:toggle|dropdown)\b[^"]*(?:admonition|tag_hide|solution)'
    r'|class="[^"]*(?:admonition|solution)[^"]*\bdropdown\b'
)
# scripts that only some pages need: (in its address or its text, what the page must hold)
OPTIONAL = [
    ("design-tabs.js", re.compile('class="sd-tab-set')),
    ("toggle", FOLDS),
    ("copybutton.js", re.compile('class="highlight')),
    ("clipboard.min.js", re.compile('class="highlight')),
    ("DOCUMENTATION_OPTIONS.pagename", re.compile("(?!)")),  # for a menu of versions, which the book has not
]


def choose_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """A page loads the scripts that it needs, and none of them holds it up."""
    body, kept = context.get("body", ""), []
    for script in context["script_files"]:
        text = f"{getattr(script, 'filename', None) or script} {getattr(script, 'attributes', {}).get('body', '')}"
        if all(sign not in text or needed.search(body) for sign, needed in OPTIONAL):
            if isinstance(script, _JavaScript) and script.filename:
                script.attributes.setdefault("defer", "defer")
            kept.append(script)
    context["script_files"] = kept


def describe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """One description a page; what the author gave goes for social cards too. One viewport is enough."""
    context["metatags"] = re.sub(r'<meta name="viewport"[^>]*>\n?', "", context.get("metatags", ""))
    if doctree is None:
        text = DESCRIPTIONS.get(pagename, "What stood at this address stands at another one now.")
        context["metatags"] = context.get("metatags", "") + f'<meta name="description" content="{text}" />'
        return
    for given in doctree.findall(nodes.meta):
        if given.get("name") == "description":
            context["meta"] = (context["meta"] or {}) | {"og:description": given["content"]}


def lead_to_pages(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """A link to the cell that made a number leads to the page here, to the notebook elsewhere."""
    for raw in doctree.findall(nodes.raw):
        if 'class="bn-number"' in raw.astext():
            text = re.sub(r'(<a class="bn-number" href="[^"]*)\.ipynb#', r"\1.html#", raw.astext())
            raw.children = [nodes.Text(text)]


def open_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """As docutils does, without the roles that ARIA has withdrawn."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div class="citation-list">\n')
    self.body.append(self.starttag(node, "div", classes=["citation"]))


def close_citation(self: HTML5Translator, node: nodes.citation) -> None:
    self.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        self.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    app.add_node(nodes.citation, override=True, html=(open_citation, close_citation))
    app.connect("doctree-resolved", lead_to_pages)
    app.connect("html-page-context", describe, priority=400)  # before sphinxext.opengraph writes its own
    app.connect("html-page-context", choose_scripts, priority=900)
