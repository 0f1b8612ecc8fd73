"""The last pass over the built site: one small style sheet, only the icons in use, no script that a page does not need."""

import hashlib
import html
import json
import logging
import re
import subprocess
from pathlib import Path

import imagesize
from fontTools import subset
from fontTools.ttLib import TTFont

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table it cuts

ROOT = Path(__file__).resolve().parents[1]
SHEET = "_static/site.css"
STYLE_LINK = re.compile(r'[ \t]*<link\b[^>]*rel="stylesheet"[^>]*>\n?')
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")  # where icon fonts keep their glyphs

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
    (r'(<a class="navbar-brand logo".*?</a>)', r'<nav aria-label="Home">\1</nav>'),
    # roles that ARIA has withdrawn, and a list whose children are no items
    (r' role="doc-biblioentry"', ""),
    (r'(class="citation-list"|class="docutils citation-list") role="list"', r"\1"),
    (r'role="list" class="citation-list"', 'class="citation-list"'),
    # a second title and contents, for a print style that the book does not use
    (r'<div id="jb-print-docs-body" class="onlyprint">.*?</nav>\s*</div>\s*</div>\s*</div>', ""),
    # the download menu names formats by an icon alone
    (r'<i class="((?:fa-solid|fas|fa-regular|fa-brands)[^"]*)"></i>', r'<i class="\1" aria-hidden="true"></i>'),
    # a link to the cell that made a number leads to the page here, to the notebook elsewhere
    (r'(<a class="bn-number" href="[^"]*)\.ipynb#', r"\1.html#"),
]
# scripts that only some pages need: (file, what the page must hold)
OPTIONAL = [
    ("design-tabs.js", 'class="sd-tab-set'),
    ("togglebutton.js", re.compile(r'class="[^"]*\b(?:toggle|dropdown)\b[^"]*(?:admonition|tag_hide|solution)|class="[^"]*(?:admonition|solution)[^"]*\bdropdown\b')),
    ("copybutton.js", 'class="highlight'),
    ("clipboard.min.js", 'class="highlight'),
]


def finish(site, node):
    """Rewrite the pages of a built site in place; a page that was finished before stays as it is.

    Parameters
    ----------
    site : Path           the folder of the built HTML
    node : str            the Node program
    """
    pages = {file: file.read_text("utf8") for file in sorted(site.rglob("*.html")) if "_static" not in file.relative_to(site).parts}
    sheets = []
    for file, text in pages.items():
        for link in STYLE_LINK.findall(text):
            address = re.search(r'href="([^"?]*)', link)[1]
            sheet = (file.parent / address).resolve()
            if sheet.exists() and sheet not in sheets and sheet != (site / SHEET).resolve():
                sheets.append(sheet)
    texts = {file: page(text, file, site) for file, text in pages.items()}
    version = style(site, node, sheets, texts.values()) if sheets else digest((site / SHEET).read_bytes())
    for file, text in texts.items():
        text = one_sheet(text, file, site, version)
        if text != pages[file]:
            file.write_text(text, "utf8")


def page(text, file, site):
    for pattern, replacement in REPLACED:
        text = re.sub(pattern, replacement, text, flags=re.S)
    if file.name == "search.html":  # the theme puts its search field there twice
        head, _, tail = text.rpartition('id="search-input"')
        text = head + tail
    text = with_code_links(text)
    for script, sign in OPTIONAL:
        needed = sign.search(text) if isinstance(sign, re.Pattern) else sign in text
        if not needed:
            text = re.sub(rf'\s*<script[^>]*src="[^"]*/?{re.escape(script)}[^"]*"></script>', "", text)
    return re.sub(r"<img\b(?![^>]*\bwidth=)[^>]*>", lambda image: sized(image[0], file, site), text)


def with_code_links(text):
    """Beside the data of every figure, a link to the cell that drew it."""
    pieces = re.split(r'(<figure class="bn-figure" id="fig-([a-z0-9-]+)">.*?)(</figcaption>)', text, flags=re.S)
    for i in range(1, len(pieces), 4):
        name, before = pieces[i + 1], pieces[i - 1]
        cell = before.rfind('<div class="cell ')
        if cell < 0 or f'href="#code-{name}"' in pieces[i]:
            pieces[i + 1] = ""
            continue
        pieces[i - 1] = before[:cell] + f'<div id="code-{name}"' + before[cell + len("<div") :]
        pieces[i] += f' · <a href="#code-{name}">code</a>'
        pieces[i + 1] = ""
    return "".join(pieces)


def sized(tag, file, site):
    """An image tag with the width and height of its file, so that the page does not jump when it arrives."""
    source = re.search(r'src="([^"]*)"', tag)
    address = html.unescape(source[1]).split("?")[0] if source else ""
    target = site / address.lstrip("/") if address.startswith("/") else file.parent / address
    if not address or not target.exists():
        return tag
    width, height = imagesize.get(target)
    return tag.replace("<img", f'<img width="{width}" height="{height}"', 1) if width > 0 else tag


def one_sheet(text, file, site, version):
    depth = "../" * (len(file.relative_to(site).parts) - 1)
    link = f'  <link rel="stylesheet" href="{depth}{SHEET}?v={version}">\n'
    first = STYLE_LINK.search(text)
    rest = STYLE_LINK.sub("", text)
    return rest[: first.start()] + link + rest[first.start() :] if first else rest


def style(site, node, sheets, texts):
    """Write the one sheet and the icon fonts cut to what it uses; returns its digest."""
    css = "\n".join(moved(sheet, site) for sheet in sheets)
    words = set()
    for text in texts:
        words.update(*(re.findall(r"[\w-]+", tag) for tag in re.findall(r"<[^>]*>|<script.*?</script>", text, re.S)))
    for script in (site / "_static").rglob("*.js"):
        if "fontawesome" not in script.parts:
            words.update(re.findall(r"[\w-]+", script.read_text("utf8")))
    done = subprocess.run([node, ROOT / "press" / "style.mjs"], input=json.dumps({"css": css, "words": sorted(words)}), text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the style sheet could not be made: {done.stderr.strip()}")
    content = done.stdout
    icons = set(PRIVATE_USE.findall(content))
    for font in sorted(set(re.findall(r"vendor/fontawesome/[^)\"']*\.woff2", content))):
        cut(site / "_static" / font, site / "_static" / "icons" / Path(font).name, icons)
        content = content.replace(font, f"icons/{Path(font).name}")
    (site / SHEET).write_text(content, "utf8")
    return digest(content.encode())


def moved(sheet, site):
    """A sheet as it reads from _static/: addresses relative to that folder, only the newest font format."""
    text = sheet.read_text("utf8").removeprefix("\ufeff").replace('@charset "UTF-8";', "")
    text = re.sub(r"@import\s+(?:url\()?['\"]?([^'\");]+)['\"]?\)?\s*;", lambda name: moved((sheet.parent / name[1]).resolve(), site), text)
    text = re.sub(r",\s*url\([^)]*\.(?:ttf|woff|eot|svg)[^)]*\)\s*format\([^)]*\)", "", text)

    def address(match):
        target = match[1].strip("'\"")
        if target.startswith(("data:", "#", "http:", "https:", "//")):
            return match[0]
        path, mark, rest = target.partition("?")
        return f"url({(sheet.parent / path).resolve().relative_to((site / '_static').resolve()).as_posix()}{mark}{rest})"

    return re.sub(r"url\(([^)]*)\)", address, text)


def cut(source, target, glyphs):
    """A font with only these glyphs."""
    target.parent.mkdir(exist_ok=True)
    if not source.exists():
        return
    font = TTFont(source)
    cutter = subset.Subsetter(subset.Options(flavor="woff2", layout_features=[], notdef_outline=False))
    cutter.populate(text="".join(sorted(glyphs)))
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def digest(content):
    return hashlib.sha256(content).hexdigest()[:8]
