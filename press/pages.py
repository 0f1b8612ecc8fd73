"""The Sphinx extension of the book: what the pages say beyond the notebooks. How the site is built is in press.site."""

from __future__ import annotations

import functools
import gc
import html
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pybtex.plugin
from docutils import nodes
from sphinx.util import logging

from press import borrowed, cells, faces, figures, install, launch, ledger, reading
from press.site import api, contents, formulas, moved, script, search, sheet, theme

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

log = logging.getLogger(__name__)
HOUSE = Path(__file__).resolve().parents[1]
PREACT = HOUSE / "node_modules" / "preact" / "dist"
NOTATION = "chapters/reference/notation"
SOURCES_OF_HOVER = search.GLOSSARY, NOTATION, ledger.NAME
TILE = re.compile(r'href="#(claim-\w+)" title="([^"]*)"')  # of the ledger: a claim, its verdict and its sentence


def fetch_what_is_missing(app: Sphinx, config: Config) -> None:
    """KaTeX, Preact and the like, where `make` has not fetched them before."""
    if install.lacking(HOUSE):
        log_folder = Path(app.outdir).parent
        log_folder.mkdir(parents=True, exist_ok=True)
        install.fetch_assets(sys.executable, str(log_folder), HOUSE)


def explain_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Hover text: the glossary's first sentence at every term, verdict and sentence at every claim, the notation's
    meaning at symbols that stand alone; sources have theirs from Sphinx.
    """
    terms, symbols = hover_texts(app.env)
    for reference in doctree.findall(nodes.reference):
        place = reference.get("refuri", "").rpartition("#")[2] or reference.get("refid", "")
        if place in terms and place.startswith(("term-", "claim-")):
            reference["reftitle"] = terms[place]
    for formula in list(doctree.findall(nodes.math)):
        if meaning := symbols.get(formula.astext().strip()):
            opened = nodes.raw("", f'<span class="bn-symbol" title="{html.escape(meaning)}">', format="html")
            formula.replace_self([opened, formula.deepcopy(), nodes.raw("", "</span>", format="html")])


def join_tabs(app: Sphinx, doctree: nodes.document) -> None:
    """Neighbouring cells tagged tab-numpy and tab-pytorch become two tabs; in Jupyter they are two cells."""
    cells = [cell for cell in doctree.findall(nodes.container) if "tag_tab-numpy" in cell["classes"]]
    for number, first in enumerate(cells):
        box = first.parent
        place = box.index(first)
        second = box[place + 1] if place + 1 < len(box) else None
        if not isinstance(second, nodes.container) or "tag_tab-pytorch" not in second["classes"]:
            log.warning(
                "a cell tagged tab-numpy needs a cell tagged tab-pytorch right behind it", location=first, type="tabs"
            )
            continue
        tabs = nodes.container("", is_div=True, classes=["sd-tab-set", "docutils"])
        for label, cell in (("NumPy", first), ("PyTorch", second)):
            name, checked = f"tab-{number}-{label.lower()}", " checked" if cell is first else ""
            tabs += nodes.raw(
                "",
                f'<input{checked} id="{name}" name="tabs-{number}" type="radio">'
                f'<label class="sd-tab-label" for="{name}">{label}</label>',
                format="html",
            )
            box.remove(cell)
            tabs += nodes.container("", cell, is_div=True, classes=["sd-tab-content", "docutils"])
        box.insert(place, tabs)


def hover_texts(env: BuildEnvironment) -> tuple[dict[str, str], dict[str, str]]:
    """(id of a term or a claim -> what it says, symbol in TeX -> meaning); read once a build."""
    if not hasattr(env, "bn_hover"):
        terms, symbols = {}, {}
        for term in search.terms(env):
            terms[term["href"].partition("#")[2]] = re.split(r"(?<=[.;])\s", term["says"])[0]
        for docname in env.found_docs & {ledger.NAME}:
            for raw in env.get_doctree(docname).findall(nodes.raw):
                found = TILE.findall(raw.astext())
                terms |= {claim: html.unescape(said) for claim, said in found}
        for docname in env.found_docs & {NOTATION}:
            for row in env.get_doctree(docname).findall(nodes.row):
                cells = list(row.findall(nodes.entry))
                named = [formula.astext().strip() for formula in cells[0].findall(nodes.math)]
                symbols |= dict.fromkeys(named, " ".join(cells[2].astext().split())) if len(cells) > 2 else {}
        env.bn_hover = terms, symbols
    return env.bn_hover


def place_site(app: Sphinx, config: Config) -> None:
    """What depends on where the book is published: BOOK_URL and BOOK_REPOSITORY, set by whoever publishes it.

    Without an address there is no sitemap; without a repository there are no buttons that lead to it. Colab opens a
    notebook by itself: its button waits for the repository of `_config.yml`, from which such a notebook takes bnutils.
    """
    url, repository = (os.environ.get(name, "").rstrip("/") for name in ("BOOK_URL", "BOOK_REPOSITORY"))
    configured = launch.repository(Path(app.srcdir))
    repository = repository or configured
    if url:
        config.html_baseurl = config.ogp_site_url = url + "/"
        config.sitemap_url_scheme, config.sitemap_show_lastmod = "{link}", False
        config.notfound_urls_prefix = urlsplit(url).path + "/"
        config.notfound_context["body"] = config.notfound_context["body"].replace(
            'href="/', f'href="{config.notfound_urls_prefix}'
        )
    if repository:
        config.html_theme_options = config.html_theme_options | {
            "repository_url": repository,
            "use_repository_button": True,
            "launch_buttons": {
                "colab_url": "https://colab.research.google.com" if configured else "",
                "binderhub_url": "https://mybinder.org",
                "notebook_interface": "jupyterlab",
            },
        }


def add_interactive(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """The scripts and the style of interactive figures, on the pages that have one; deferred, in this order."""
    kinds = sorted(set(re.findall(r'<div class="bn-interactive" data-figure="([a-z]+)"', context.get("body", ""))))
    if kinds:
        app.add_css_file("interactive/interactive.css")
        for number, name in enumerate(["preact", "base", *kinds]):
            app.add_js_file(f"interactive/{name}.js", loading_method="defer", priority=900 + number)


def copy_preact(app: Sphinx) -> None:
    """Preact draws the interactive figures; from node_modules into the site, before the pages ask for its digest."""
    target = Path(app.outdir) / "_static" / "interactive"
    target.mkdir(parents=True, exist_ok=True)
    script = (PREACT / "preact.min.umd.js").read_text("utf8")
    (target / "preact.js").write_text(re.sub(r"\n//# sourceMappingURL=.*", "", script), "utf8")


def drop_repeated_ids(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Sphinx-exercise and sphinx-proof give the inside of every exercise, theorem and proof of a page the same id."""
    for section in [*doctree.findall(nodes.section), *doctree.findall(nodes.admonition)]:
        section["ids"] = [
            each
            for each in section["ids"]
            if each not in ("exercise-content", "solution-content", "proof-content", "proof")
        ]


def forget_hover_texts(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    if docname in SOURCES_OF_HOVER and hasattr(env, "bn_hover"):
        env.bn_hover_before = env.__dict__.pop("bn_hover")


def explain_anew(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages, when a term or a symbol is explained in other words."""
    found = hover_texts(env)
    return sorted(env.found_docs) if env.__dict__.pop("bn_hover_before", found) != found else []


def setup(app: Sphinx) -> dict[str, object]:
    gc.disable()  # one short build of documents that are all kept: looking for garbage costs a tenth of it
    # pybtex searches every installed package for its plugins, once a citation: a fifth of the time of the whole build
    pybtex.plugin._load_entry_point = functools.cache(pybtex.plugin._load_entry_point)
    app.add_directive("chapter-figure", borrowed.ChapterFigure)
    app.add_config_value("publishing", True, "", bool)  # not while an author looks on: see live.py
    app.connect("config-inited", fetch_what_is_missing)
    if os.environ.get("BOOK_URL"):
        app.setup_extension("sphinx_sitemap")
    app.connect("config-inited", place_site)
    for room in (api, contents, formulas, moved, script, search, sheet, theme):
        room.setup(app)
    app.connect("env-purge-doc", forget_hover_texts)
    app.connect("env-updated", explain_anew)
    app.connect("doctree-read", join_tabs)
    cells.setup(app)
    figures.setup(app)
    app.connect("doctree-resolved", drop_repeated_ids)
    app.connect("doctree-resolved", explain_terms)
    faces.setup(app)
    reading.setup(app)
    app.connect("doctree-resolved", ledger.finish_cards)
    app.connect("html-page-context", ledger.publish)
    app.connect("builder-inited", copy_preact)
    app.connect("html-page-context", add_interactive)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
