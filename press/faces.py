"""The face of the prose: Source Serif 4, cut to the letters of a book in English, from node_modules into the site."""

from __future__ import annotations

import hashlib
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table it cuts

MODULES = Path(__file__).resolve().parents[1] / "node_modules"
SERIF = MODULES / "@fontsource-variable" / "source-serif-4"
FORMULAS = MODULES / "katex" / "dist" / "fonts" / "KaTeX_Main-Regular.woff2"
LATIN = "".join(map(chr, range(0x20, 0x7F))) + "–—‘’“”…−×±·°²³¹§àáâäåçèéêëíîïñóôöøúûüýß\N{NO-BREAK SPACE}"
GREEK = "".join(map(chr, range(0x391, 0x3CA)))
SIGNS = "≈≤≥≠∞√→←∂∑∈∥ℓ"  # the serif has none of them; those of the formulas stand in
CUTS = {  # file: (source, letters); the sheet names their ranges
    "prose.woff2": (SERIF / "files" / "source-serif-4-latin-wght-normal.woff2", LATIN),
    "prose-italic.woff2": (SERIF / "files" / "source-serif-4-latin-wght-italic.woff2", LATIN),
    "prose-greek.woff2": (SERIF / "files" / "source-serif-4-greek-wght-normal.woff2", GREEK),
    "prose-signs.woff2": (FORMULAS, SIGNS),
}


def cut(source: Path, target: Path, letters: str) -> None:
    """A font with these letters alone, and of a variable one the weights of text and headings.

    Its name changes too: the licence keeps the old one for the whole face.
    """
    font = TTFont(source, recalcTimestamp=False)  # the same bytes from every build
    if "fvar" in font:
        font = instancer.instantiateVariableFont(font, {"wght": (400, 700)})
    cutter = subset.Subsetter(
        subset.Options(layout_features=["kern", "liga", "mark", "ccmp"], name_IDs=[1, 2, 3, 4, 6])
    )
    cutter.populate(text=letters)
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID != 2:
            record.string = "Prose"
    font.flavor = "woff2"
    font.save(target)


def place(app: Sphinx) -> None:
    """The cut faces and their licence, kept beside the site: cutting takes seconds, and every build wants the same."""
    content = hashlib.sha256(Path(__file__).read_bytes())
    for source in sorted({source for source, _ in CUTS.values()}):
        content.update(source.read_bytes())
    kept = Path(app.outdir).parent / "faces" / content.hexdigest()[:12]
    if not kept.exists():
        fresh = kept.with_suffix(".part")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name, (source, letters) in CUTS.items():
            cut(source, fresh / name, letters)
        shutil.copyfile(SERIF / "LICENSE", fresh / "LICENSE.txt")
        fresh.rename(kept)
    shutil.copytree(kept, Path(app.outdir) / "_static" / "faces", dirs_exist_ok=True)


def preload(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """The upright face is asked for with the sheet, not after it."""
    if pagename != "404":  # shown at any depth: it has no address of its own
        address = context["pathto"]("_static/faces/prose.woff2", resource=True)
        link = f'<link href="{address}" rel="preload" as="font" type="font/woff2" crossorigin>'
        context["metatags"] = context.get("metatags", "") + "\n" + link


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", place)
    app.connect("html-page-context", preload)
