"""One style sheet for the whole site, without what no page uses, and the fonts of its icons cut to those in use.

Made once; an incremental build finds it there, because whatever changes it makes the whole site anew. Only a page with
a class that no page had before has the sheet made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from press.site import prune

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

HOUSE = Path(__file__).resolve().parents[2]
SHEET = "site.css"
MISSING = "style.json"  # the names without which rules were left out; beside the site
THEME = ("styles/theme.css", "styles/bootstrap.css", "styles/pydata-sphinx-theme.css")  # its templates ask for them
ICONS = "vendor/fontawesome/6.5.2/css/all.min.css"
ICON = re.compile(r'((?:\.fa-[\w-]+:+before,?)+)\{content:"\\([0-9a-f]+)"\}')
GLYPH = re.compile(r'"\\(f[0-9a-f]{3})"')
UNUSED = ("graphviz.css",)
# what an icon may be named in: templates, what the theme adds to them, and the book's own scripts
NAMED = ("*.html", "*.py", "*.js")


def link(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """What layout.html needs: the one sheet of a published page, or all of them while an author looks on."""
    context["publishing"] = app.config.publishing
    context["version_of_site"] = app.bn_version_of_site
    context["theme_sheets"] = (*THEME, ICONS)
    app.bn_written.append(Path(app.builder.get_outfilename(pagename)))


def begin(app: Sphinx) -> None:
    """No page is written yet; and a name for the sheet and the script of the site, which changes with their sources."""
    app.bn_written = []
    own = [file for file in sorted((HOUSE / "press").rglob("*")) if file.suffix in (".css", ".js")]
    sources = [HOUSE / "package-lock.json", HOUSE / "constraints.txt", *own]
    app.bn_version_of_site = hashlib.sha256(
        b"".join(file.read_bytes() for file in sources if file.exists())
    ).hexdigest()[:8]


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the sheet and the fonts of the icons into the site, where they are due."""
    static, missing = Path(app.outdir) / "_static", Path(app.outdir).parent / MISSING
    if exception is not None or not app.config.publishing or not due(static / SHEET, missing, app.bn_written):
        return
    names = [*THEME, *(str(each.filename).removeprefix("_static/") for each in sorted_sheets(app))]
    names += sorted(file.relative_to(static).as_posix() for file in (static / "interactive").glob("*.css"))
    names = [name for name in dict.fromkeys(names) if name not in UNUSED and (static / name).exists()]
    content = "\n".join(from_static(static / name, static) for name in names)
    used = prune.names_of(Path(app.outdir).rglob("*.html"))
    used |= prune.words_of([*static.rglob("*.js"), *(HOUSE / "press").rglob("*.css")])  # the book styles what it uses
    pruned, left_out = prune.prune(icons(static, content) + "\n" + content, used)
    (static / SHEET).write_text(f'@charset "UTF-8";\n{pruned}', "utf8")
    missing.write_text(json.dumps(sorted(left_out)), "utf8")


def due(sheet: Path, missing: Path, written: Iterable[Path]) -> bool:
    """Whether there is no sheet yet, or a page just written has a name that rules left out of it waited for."""
    if not (sheet.exists() and missing.exists()):
        return True
    waited_for = json.loads(missing.read_text("utf8"))
    return not prune.names_of(page for page in written if page.exists()).isdisjoint(waited_for)


def sorted_sheets(app: Sphinx) -> Iterable:
    return sorted(app.builder._orig_css_files, key=lambda each: each.priority)


def from_static(sheet: Path, static: Path) -> str:
    """A sheet as it reads from _static/: addresses relative to that folder, no comment, only the newest font format."""
    text = sheet.read_text("utf8").removeprefix("\ufeff").replace('@charset "UTF-8";', "")
    text = re.sub(
        r"@import\s+(?:url\()?['\"]?([^'\");]+)['\"]?\)?\s*;",
        lambda name: from_static((sheet.parent / name[1]).resolve(), static),
        text,
    )
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r",\s*url\([^)]*\.(?:ttf|woff|eot|svg)[^)]*\)\s*format\([^)]*\)", "", text)

    def address(match: re.Match) -> str:
        target = match[1].strip("'\"")
        if target.startswith(("data:", "#", "http:", "https:", "//")):
            return match[0]
        path, mark, rest = target.partition("?")
        path = (sheet.parent / path).resolve().relative_to(static.resolve())
        return f"url({path.as_posix()}{mark}{rest})"

    return re.sub(r"url\(([^)]*)\)", address, text)


def icons(static: Path, content: str) -> str:
    """The style of the icons in use; their fonts, cut to them, lie in _static/icons."""
    used = set(icons_named())
    glyphs = set(GLYPH.findall(content))

    def keep(rule: re.Match) -> str:
        if not used & set(re.findall(r"\.fa-([\w-]+):", rule[1])):
            return ""
        glyphs.add(rule[2])
        return rule[0]

    style = ICON.sub(keep, from_static(static / ICONS, static))
    for font in sorted(set(re.findall(r"vendor/fontawesome/[^)\"']*\.woff2", style))):
        cut(static / font, static / "icons" / Path(font).name, glyphs)
        style = style.replace(font, f"icons/{Path(font).name}")
    return style


def icons_named() -> Iterator[str]:
    import pydata_sphinx_theme
    import sphinx_book_theme

    rooms = [Path(package.__file__).parent for package in (pydata_sphinx_theme, sphinx_book_theme)]
    for room in (*rooms, HOUSE / "press"):
        for pattern in NAMED:
            for file in room.rglob(pattern):
                if "fontawesome" not in file.parts:
                    yield from re.findall(r"\bfa-([a-z-]+)", file.read_text("utf8"))


def cut(source: Path, target: Path, glyphs: Iterable[str]) -> None:
    """A font with only these glyphs."""
    from fontTools import subset  # both only where a sheet is made
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table it cuts
    target.parent.mkdir(exist_ok=True)
    font = TTFont(source, recalcTimestamp=False)  # the same bytes from every build
    cutter = subset.Subsetter(subset.Options(flavor="woff2", layout_features=[], notdef_outline=False))
    cutter.populate(unicodes=[int(glyph, 16) for glyph in glyphs])
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", begin)
    app.connect("html-page-context", link)
    app.connect("build-finished", write, priority=900)
