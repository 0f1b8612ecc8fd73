"""The last pass over the built site: one small style sheet, only the icons in use, no script that a page can miss."""

import base64
import hashlib
import html
import json
import logging
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import imagesize
from fontTools import subset
from fontTools.ttLib import TTFont

from press.slim import slim

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table it cuts

ROOT = Path(__file__).resolve().parents[1]
SHEET = "_static/site.css"
STYLE_LINK = re.compile(r'[ \t]*<link\b[^>]*rel="stylesheet"[^>]*>\n?')
FORMULA_FONTS = ["katex/fonts/KaTeX_Main-Regular.woff2", "katex/fonts/KaTeX_Math-Italic.woff2"]
# asked for when the first formula is laid out they would come too late, and everything set around formulas would move
FORMULA_SCRIPT = "_static/formulas.js"
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")  # where icon fonts keep their glyphs

DESCRIPTIONS = {  # of the pages that no author wrote
    "search.html": "Search the book for words, claims and terms; it works without a network.",
    "404.html": "There is no page of the book at this address.",
}

# what the theme writes -> what stands in the page instead; every pattern may find nothing
REPLACED = [
    # all of Font Awesome as a script, and fonts asked for before they are needed
    (r'\s*<script src="[^"]*fontawesome[^"]*"></script>', ""),
    (r'\s*<link rel="preload" as="(?:font|script)"[^>]*>', ""),
    # Sphinx-thebe, which runs code on another host
    (r'\s*<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName = [^<]*</script>', ""),
    # names that leave out the visible text, so that a spoken command does not find the button
    (r'(<button class="btn search-button-field[^>]*?) title="Search" aria-label="Search"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # page content outside any landmark
    (r'(?<!<nav aria-label="Home">)(<a class="navbar-brand logo".*?</a>)', r'<nav aria-label="Home">\1</nav>'),
    # roles that ARIA has withdrawn, and a list whose children are no items
    (r' role="doc-biblioentry"', ""),
    (r'(class="citation-list"|class="docutils citation-list") role="list"', r"\1"),
    (r'role="list" class="citation-list"', 'class="citation-list"'),
    # a second title and contents, for a print style that the book does not use
    (r'<div id="jb-print-docs-body" class="onlyprint">.*?</nav>\s*</div>\s*</div>\s*</div>', ""),
    # one viewport is enough
    (r'<meta name="viewport" content="width=device-width, initial-scale=1" ?/>\n?', ""),
    # the theme of the machine is known before anything is drawn, not after the scripts have come
    (
        r'dataset\.theme = localStorage\.getItem\("theme"\) \|\| "auto";',
        'dataset.theme = localStorage.getItem("theme")'
        ' || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");',
    ),
    # scripts wait until the page stands; those inside it that write markup stay where they are
    (r'<script src="([^"]*)"></script>', r'<script defer src="\1"></script>'),
    # the download menu names formats by an icon alone
    (r'<i class="((?:fa-solid|fas|fa-regular|fa-brands)[^"]*)"></i>', r'<i class="\1" aria-hidden="true"></i>'),
    # a link to the cell that made a number leads to the page here, to the notebook elsewhere
    (r'(<a class="bn-number" href="[^"]*)\.ipynb#', r"\1.html#"),
]
# scripts that only some pages need: (file, what the page must hold)
OPTIONAL = [
    ("design-tabs.js", 'class="sd-tab-set'),
    (
        "togglebutton.js",
        re.compile(
            r'class="[^"]*\b(?:toggle|dropdown)\b[^"]*(?:admonition|tag_hide|solution)'
            r'|class="[^"]*(?:admonition|solution)[^"]*\bdropdown\b'
        ),
    ),
    ("copybutton.js", 'class="highlight'),
    ("clipboard.min.js", 'class="highlight'),
]


def finish(site: Path, node: str) -> None:
    """Rewrite the pages of a built site in place; a page that was finished before stays as it is.

    Parameters
    ----------
    site : Path           the folder of the built HTML
    node : str            the Node program
    """
    pages = {
        file: file.read_text("utf8")
        for file in sorted(site.rglob("*.html"))
        if "_static" not in file.relative_to(site).parts
    }
    sheets = []
    for file, text in pages.items():
        for link in STYLE_LINK.findall(text):
            address = re.search(r'href="([^"?]*)', link)[1]
            sheet = (file.parent / address).resolve()
            if sheet.exists() and sheet not in sheets and sheet != (site / SHEET).resolve():
                sheets.append(sheet)
    texts = {file: page(text, file, site) for file, text in pages.items()}
    if sheets:
        style(site, node, sheets, list(texts.values()))
    version = hashlib.sha256(b"".join((site / each).read_bytes() for each in (SHEET, FORMULA_SCRIPT))).hexdigest()[:8]
    for file, text in texts.items():
        text = one_sheet(text, file, site, version)
        if text != pages[file]:
            file.write_text(text, "utf8")


def page(text: str, file: Path, site: Path) -> str:
    """The text of one page, finished but for its style sheet."""
    for pattern, replacement in REPLACED:
        text = re.sub(pattern, replacement, text, flags=re.S)
    if 'name="description"' not in text:
        description = html.escape(DESCRIPTIONS.get(file.name, DESCRIPTIONS["404.html"]))
        text = text.replace("<title>", f'<meta name="description" content="{description}" />\n    <title>', 1)
    # what the author gave goes for social cards too
    if given := re.search(r'<meta content="([^"]*)" name="description"', text):
        text = re.sub(r'(<meta property="og:description" content=")[^"]*', lambda meta: meta[1] + given[1], text)
    # the theme puts its search field there twice
    if file.name == "search.html" and text.count('id="search-input"') > 1:
        head, _, tail = text.rpartition('id="search-input"')
        text = head + tail
    text = slim(with_code_links(with_options(text, site)))
    for script, sign in OPTIONAL:
        needed = sign.search(text) if isinstance(sign, re.Pattern) else sign in text
        if not needed:
            text = re.sub(rf'\s*<script[^>]*src="[^"]*/?{re.escape(script)}[^"]*"></script>', "", text)
    return re.sub(r"<img\b(?![^>]*\bwidth=)[^>]*>", lambda image: with_size(image[0], file, site), text)


def with_options(text: str, site: Path) -> str:
    """The few lines of settings that the scripts read stand in the page, not in a file of their own."""
    options = (site / "_static" / "documentation_options.js").read_text("utf8")
    options = re.sub(r"\s+", " ", options)
    return re.sub(
        r'<script[^>]* src="[^"]*documentation_options\.js[^"]*"></script>',
        lambda _: f"<script>{options}</script>",
        text,
    )


def with_code_links(text: str) -> str:
    """Beside the data of every figure, a link to the cell that drew it."""
    pieces = re.split(r'(<figure class="bn-figure" id="fig-([a-z0-9-]+)">.*?)(</figcaption>)', text, flags=re.S)
    for i in range(1, len(pieces), 4):
        name, before, pieces[i + 1] = pieces[i + 1], pieces[i - 1], ""
        cell = before.rfind('<div class="cell ')
        if cell < 0 or f'href="#code-{name}"' in pieces[i]:
            continue
        pieces[i - 1] = before[:cell] + f'<div id="code-{name}"' + before[cell + len("<div") :]
        pieces[i] += f' · <a href="#code-{name}">code</a>'
    return "".join(pieces)


def with_size(tag: str, file: Path, site: Path) -> str:
    """An image tag with the width and height of its file, so that the page does not jump when it arrives."""
    source = re.search(r'src="([^"]*)"', tag)
    address = html.unescape(source[1]).split("?")[0] if source else ""
    target = site / address.lstrip("/") if address.startswith("/") else file.parent / address
    if not address or not target.exists():
        return tag
    width, height = imagesize.get(target)
    return tag.replace("<img", f'<img width="{width:g}" height="{height:g}"', 1) if width > 0 else tag


def one_sheet(text: str, file: Path, site: Path, version: str) -> str:
    """The text of one page with the one style sheet in the place of all others."""
    icon = re.search(r'<link rel="icon" href="([^"]*)_static/', text)  # absolute in 404.html, shown at any depth
    root = icon[1] if icon else "../" * (len(file.relative_to(site).parts) - 1)
    link = f'  <link rel="stylesheet" href="{root}{SHEET}?v={version}">\n'
    text = re.sub(r" *<script data-now [^>]*></script>\n", "", text)  # of an earlier build: its version may be another
    if 'class="katex"' in text:
        link = f'  <script data-now src="{root}{FORMULA_SCRIPT}?v={version}"></script>\n' + link
    first = STYLE_LINK.search(text)
    rest = STYLE_LINK.sub("", text)
    return rest[: first.start()] + link + rest[first.start() :] if first else rest


def style(site: Path, node: str, sheets: Iterable[Path], texts: list[str]) -> None:
    """Write the one sheet, and the fonts of icons and formulas cut to what is used."""
    css = "\n".join(from_static(sheet, site) for sheet in sheets)
    words = set()
    for text in texts:
        words.update(*(re.findall(r"[\w-]+", tag) for tag in re.findall(r"<[^>]*>|<script.*?</script>", text, re.S)))
    for script in (site / "_static").rglob("*.js"):
        if "fontawesome" not in script.parts:
            words.update(re.findall(r"[\w-]+", script.read_text("utf8")))
    done = subprocess.run(
        [node, ROOT / "press" / "style.mjs"],
        input=json.dumps({"css": css, "words": sorted(words)}),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the style sheet could not be made: {done.stderr.strip()}")
    content = done.stdout
    icons = set(PRIVATE_USE.findall(content))
    for font in sorted(set(re.findall(r"vendor/fontawesome/[^)\"']*\.woff2", content))):
        cut(site / "_static" / font, site / "_static" / "icons" / Path(font).name, icons)
        content = content.replace(font, f"icons/{Path(font).name}")
    letters = set("".join(texts))
    fonts = [site / "_static" / font for font in FORMULA_FONTS]
    for font in fonts:
        cut(font, font, letters)
    (site / FORMULA_SCRIPT).write_text("".join(map(loading_script, fonts)), "utf8")
    (site / SHEET).write_text(content, "utf8")


def from_static(sheet: Path, site: Path) -> str:
    """A sheet as it reads from _static/: addresses relative to that folder, only the newest font format."""
    text = sheet.read_text("utf8").removeprefix("\ufeff").replace('@charset "UTF-8";', "")
    text = re.sub(
        r"@import\s+(?:url\()?['\"]?([^'\");]+)['\"]?\)?\s*;",
        lambda name: from_static((sheet.parent / name[1]).resolve(), site),
        text,
    )
    text = re.sub(r",\s*url\([^)]*\.(?:ttf|woff|eot|svg)[^)]*\)\s*format\([^)]*\)", "", text)

    def address(match):
        target = match[1].strip("'\"")
        if target.startswith(("data:", "#", "http:", "https:", "//")):
            return match[0]
        path, mark, rest = target.partition("?")
        path = (sheet.parent / path).resolve().relative_to((site / "_static").resolve())
        return f"url({path.as_posix()}{mark}{rest})"

    return re.sub(r"url\(([^)]*)\)", address, text)


def cut(source: Path, target: Path, glyphs: Iterable[str]) -> None:
    """A font with only these glyphs."""
    target.parent.mkdir(exist_ok=True)
    if not source.exists():
        return
    font = TTFont(source, recalcTimestamp=False)  # the same bytes from every build
    cutter = subset.Subsetter(subset.Options(flavor="woff2", layout_features=[], notdef_outline=False))
    cutter.populate(text="".join(sorted(glyphs)))
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def loading_script(font: Path) -> str:
    """A line of script that holds a font and loads it: after it the font is there, not on its way."""
    family, _, style = font.stem.partition("-")
    style = {"Regular": "normal", "Italic": "italic"}[style]
    data = f'Uint8Array.from(atob("{base64.b64encode(font.read_bytes()).decode()}"), c => c.charCodeAt(0)).buffer'
    return f'document.fonts.add(new FontFace("{family}", {data}, {{ style: "{style}" }}));\n'
