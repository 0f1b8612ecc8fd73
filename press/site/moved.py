"""Old addresses: _moved.yml says where a page or a section went, and every new place is looked for."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from docutils import nodes
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

log = logging.getLogger(__name__)
TABLE = "_moved.yml"
SCRIPT = "moved.js"


def table(house: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """What moved, as {old page: {old section: (new page, new section)}}."""
    file = house / TABLE
    rows = yaml.safe_load(file.read_text("utf8")) if file.exists() else None
    return {
        page: {section: tuple(place.partition("#")[::2]) for section, place in sections.items()}
        for page, sections in (rows or {}).items()
    }


def read(app: Sphinx) -> None:
    app.bn_moved = table(Path(app.srcdir))


def note_places(app: Sphinx, doctree: nodes.document) -> None:
    """The sections of a page and their titles, kept for `check` and `links`."""
    titles = {place: title.astext() for title in doctree.findall(nodes.title) for place in title.parent["ids"]}
    places = {place: "" for node in doctree.findall(nodes.Element) for place in node["ids"]}
    app.env.metadata[app.env.docname]["bn_places"] = places | titles


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """A warning for every new place that is not there, and for an old one that still is."""
    for page, sections in app.bn_moved.items():
        for section, (target, place) in sections.items():
            if target not in env.found_docs or (place and place not in env.metadata[target]["bn_places"]):
                log.warning("%s: %s#%s leads to %s#%s, which does not exist", TABLE, page, section, target, place)
            if page in env.found_docs and section in env.metadata[page]["bn_places"]:
                log.warning("%s: %s#%s still stands there", TABLE, page, section)


def links(app: Sphinx, page: str) -> str:
    """A list of what left a page; each entry carries the old name, so that an old address arrives at it."""
    items = []
    for section, (target, place) in app.bn_moved[page].items():
        title = app.env.metadata[target].get("bn_places", {}).get(place) or app.env.titles[target].astext()
        address = app.builder.get_relative_uri(page, target) + (f"#{place}" if place else "")
        name = f' id="{section}"' if section else ""
        items.append(f'<li{name}><a href="{html.escape(address)}">{html.escape(title)}</a></li>')
    return f"<ul>{''.join(items)}</ul>"


def known(app: Sphinx, page: str) -> bool:
    return page in app.bn_moved and all(target in app.env.found_docs for target, _ in app.bn_moved[page].values())


def add_links(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """At the end of a page that sections have left; a script leads on at once, the list works without."""
    if doctree is not None and known(app, pagename):
        moved = f"<summary>Sections that stood here before</summary>{links(app, pagename)}"
        context["body"] += f'<details class="bn-moved">{moved}</details>'
    if 'class="bn-mo' in context.get("body", ""):  # this list, or that of the modules: see moved.js
        app.add_js_file(SCRIPT, loading_method="defer")


def gone_pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """A page in the place of each that is gone."""
    for page, sections in app.bn_moved.items():
        if page not in app.env.found_docs and known(app, page):
            target, place = sections.get("", (next(iter(sections.values()))[0], ""))
            address = html.escape(app.builder.get_relative_uri(page, target) + (f"#{place}" if place else ""))
            title = html.escape(app.env.titles[target].astext())
            body = (
                f'<section><h1>This page has moved</h1><p>It leads on to <a href="{address}">{title}</a>.</p>'
                f'<div class="bn-moved" data-rest="{address}">{links(app, page)}</div></section>'
            )
            yield page, {"title": "This page has moved", "body": body}, "page.html"


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", read)
    app.connect("doctree-read", note_places, priority=900)
    app.connect("env-check-consistency", check)
    app.connect("html-collect-pages", gone_pages)
    app.connect("html-page-context", add_links)
