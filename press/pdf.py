"""One PDF of the whole book: each page printed by Chromium with everything opened, then joined, linked and outlined."""

from __future__ import annotations

import io
import os
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin

import yaml

from press import browser
from press.site import api

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pypdf.generic import DictionaryObject

COVER = "https://book.invalid/"  # what the contents point to, before the pages are joined
PAPER = {"width": "210mm", "height": "297mm"}
# opens what folds, takes the light theme, and makes Chromium keep the places that other pages point to (it keeps those
# that a link of the page names)
PREPARE = """places => {
    document.documentElement.dataset.theme = document.documentElement.dataset.mode = 'light';
    for (const each of document.querySelectorAll('details')) each.open = true;
    for (const each of document.querySelectorAll('.toggle-hidden .toggle-button')) each.click();
    for (const each of document.querySelectorAll('img[loading=lazy]')) each.loading = 'eager';
    for (const each of document.querySelectorAll('pre')) {
        if (each.textContent.split('\\n').length >= 20) continue;
        const whole = each.closest('.cell_input, .highlight') || each;
        whole.style.setProperty('break-inside', 'avoid', 'important');
    }
    document.getAnimations().forEach(each => each.finish());
    const title = each => {
        const copy = each.cloneNode(true);
        copy.querySelectorAll('.headerlink, .toggle-button, .katex-mathml').forEach(part => part.remove());
        return copy.textContent.replace(/\\s+/g, ' ').trim();
    };
    const place = each => each.id || each.closest('section[id]')?.id || '';
    const headings = [...document.querySelectorAll('article h1, article h2')].filter(each => each.checkVisibility())
        .map(each => ({ level: +each.tagName[1], title: title(each), place: place(each) }));
    const links = document.createElement('div');
    links.style.cssText = 'position: absolute; height: 0; overflow: hidden';
    for (const each of new Set([...places, ...headings.map(heading => heading.place)])) {
        if (!each || !document.getElementById(each)) continue;
        const link = document.createElement('a');
        link.href = '#' + encodeURIComponent(each);
        links.append(link);
    }
    document.body.append(links);
    const images = [...document.images].map(each => each.decode().catch(() => {}));
    return Promise.all([document.fonts.ready, ...images]).then(() => headings);
}"""
SHEET = """@page {{
    size: A4; margin: 18mm 17mm 20mm;
    @bottom-center {{ content: {number}; font: 9pt sans-serif; color: #555; }}
    @top-right {{ content: "{running}"; font: 8pt sans-serif; color: #555; }}
}}
@page :first {{ counter-set: page {first}; @top-right {{ content: ""; }} }}"""
CONTENTS = """<!doctype html><html lang="en"><title>{title}</title><style>
    body {{ font: 11pt/1.5 Arial, sans-serif; margin: 0; color: #111; }}
    header {{ height: 235mm; display: flex; flex-direction: column; justify-content: center; break-after: page; }}
    header h1 {{ font-size: 30pt; line-height: 1.2; margin: 0 0 8mm; }}
    h2 {{ font-size: 12pt; margin: 7mm 0 1mm; }}
    p {{ margin: 1mm 0; }}
    a {{ color: inherit; text-decoration: none; display: flex; gap: 2mm; }}
    a i {{ flex: 1; border-bottom: 1px dotted #888; margin-bottom: 1.5mm; }}
    </style><header><h1>{title}</h1><p>{author}</p><p>{footer}</p></header>
    <h1>Contents</h1>{rows}</html>"""


def order(house: Path) -> list[tuple[str, str]]:
    """The pages of the book as (caption of the part or "", address), in the order of its contents."""
    toc = yaml.safe_load((house / "_toc.yml").read_text("utf8"))
    parts = toc.get("parts") or [{"caption": "", "chapters": toc.get("chapters", [])}]
    modules = [f"{api.page(path)}.html" for path in api.modules(house)]  # behind the page that lists them
    return [("", f"{toc['root']}.html")] + [
        (part.get("caption", ""), page)
        for part in parts
        for chapter in part["chapters"]
        for page in [f"{chapter['file']}.html", *(modules if chapter["file"] == api.FOLDER else [])]
    ]


def places(site: Path, pages: list[str]) -> dict[str, set[str]]:
    """For each page, the ids on it that the other pages of the book point to."""
    wanted = {page: set() for page in pages}
    for page in pages:
        for address in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', (site / page).read_text("utf8")):
            target, place = urldefrag(urljoin(page, address))
            if place and target in wanted:
                wanted[target].add(unquote(place))
    return wanted


def write(house: Path, target: Path) -> int:
    """Print the built site of the book into one PDF; returns the number of its pages."""
    with browser.chromium() as chromium:
        return write_with(chromium, house, target)


def write_with(chromium: Browser, house: Path, target: Path) -> int:
    """As `write`, with a browser that runs already."""
    site = house / "_build" / "html"
    settings = yaml.safe_load((house / "_config.yml").read_text("utf8"))
    pages = order(house)
    wanted = places(site, [page for _, page in pages])
    parts, first = [], 1
    context = chromium.new_context(
        color_scheme="light", reduced_motion="reduce", viewport={"width": 665, "height": 980}, service_workers="block"
    )
    with browser.serve(site) as base:
        tab = context.new_page()
        tab.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
        for caption, page in pages:
            tab.goto(base + page, wait_until="networkidle")
            headings = tab.evaluate(PREPARE, sorted(wanted[page]))
            running = headings[0]["title"].replace("\\", "").replace('"', "'")
            parts.append(
                Part(caption, page, headings, printed(tab, number="counter(page)", running=running, first=first))
            )
            first += len(parts[-1].sheets)
        tab.set_content(front(settings, parts))
        cover = printed(tab, number='""', running="", first=1)
    context.close()
    return join(settings, cover, parts, base, target)


def printed(tab: Page, **values: str | int) -> bytes:
    """The open page as a PDF; the values are those of ``SHEET``."""
    tab.add_style_tag(content=SHEET.format(**values))
    return tab.pdf(prefer_css_page_size=True, print_background=True, tagged=False, outline=False, **PAPER)


class Part:
    """One printed page of the site."""

    def __init__(self, caption: str, page: str, headings: list[dict], content: bytes):
        from pypdf import PdfReader

        self.caption, self.page, self.headings = caption, page, headings
        reader = PdfReader(io.BytesIO(content))
        self.sheets = list(reader.pages)
        numbers = {sheet.indirect_reference.idnum: number for number, sheet in enumerate(self.sheets)}
        self.places = {
            unquote(name).removeprefix("/"): (numbers[place.page.idnum], place.left, place.top)
            for name, place in reader.named_destinations.items()
        }
        self.title = headings[0]["title"]


def front(settings: dict, parts: list[Part]) -> str:
    """The title page and the contents, as HTML; a line of the contents points to its page."""
    rows, caption, first = [], "", 1
    for part in parts:
        if part.caption != caption:
            caption = part.caption
            rows.append(f"<h2>{escape(caption)}</h2>")
        rows.append(
            f'<p><a href="{COVER}{part.page}"><span>{escape(part.title)}</span><i></i><span>{first}</span></a></p>'
        )
        first += len(part.sheets)
    return CONTENTS.format(
        title=escape(settings["title"]),
        author=escape(settings["author"]),
        footer=escape(settings["html"].get("extra_footer", "")),
        rows="".join(rows),
    )


def join(settings: dict, cover: bytes, parts: list[Part], base: str, target: Path) -> int:
    """Put the printed pages together: links between them arrive, links to the rest of the site go."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import Link
    from pypdf.generic import Fit, NameObject

    writer = PdfWriter()
    sheets = list(PdfReader(io.BytesIO(cover)).pages)
    leading, begins = len(sheets), {}
    owner = [None] * leading
    for part in parts:
        begins[part.page] = len(sheets)
        sheets += part.sheets
        owner += [part] * len(part.sheets)
    arrive = []
    for number, sheet in enumerate(sheets):
        links = sheet.pop("/Annots", [])
        added = writer.add_page(sheet)
        for link in (each.get_object() for each in links):
            address = str(link.get("/A", {}).get("/URI", ""))
            if address.startswith(("http:", "https:", "mailto:")) and not local(address, base):
                writer.add_annotation(added, link.clone(writer, force_duplicate=True))
            elif goal := destination(link, owner[number], parts, begins, base):
                arrive.append((number, link["/Rect"], goal))
    for number, box, (sheet, left, top) in arrive:
        writer.add_annotation(
            number,
            Link(
                rect=tuple(map(float, box)),
                border=[0, 0, 0],
                target_page_index=sheet,
                fit=Fit.xyz(left=left, top=top, zoom=0),
            ),
        )
    caption, above = "", None
    writer.add_outline_item(title="Contents", page_number=leading - 1)
    for part in parts:
        if part.caption != caption:
            caption = part.caption
            above = (
                writer.add_outline_item(title=caption, page_number=begins[part.page], bold=True) if caption else None
            )
        chapter = writer.add_outline_item(title=part.title, page_number=begins[part.page], parent=above)
        for heading in part.headings[1:]:
            if heading["level"] == 2 and heading["place"] in part.places:
                sheet, left, top = part.places[heading["place"]]
                writer.add_outline_item(
                    title=heading["title"],
                    page_number=begins[part.page] + sheet,
                    parent=chapter,
                    fit=Fit.xyz(left=left, top=top, zoom=0),
                )
    writer.set_page_label(page_index_from=0, page_index_to=leading - 1, style="/r")
    writer.set_page_label(page_index_from=leading, page_index_to=len(sheets) - 1, style="/D", start=1)
    writer.metadata = {"/Title": settings["title"], "/Author": settings["author"]}
    writer.root_object[NameObject("/PageMode")] = NameObject("/UseOutlines")
    writer.compress_identical_objects()
    part_file = target.with_suffix(".part")
    writer.write(part_file)
    os.replace(part_file, target)
    return len(sheets)


def local(address: str, base: str) -> bool:
    """Whether an address is of the site as it was printed."""
    return address.startswith((base, COVER, "file:"))


def destination(
    link: DictionaryObject, part: Part | None, parts: list[Part], begins: dict[str, int], base: str
) -> tuple[int, float | None, float | None] | None:
    """(sheet, left, top) of the book that a link leads to; None for one that leads to another file of the site."""
    inside = link.get("/Dest") or link.get("/A", {}).get("/D")
    if isinstance(inside, str):
        goal, place = part, unquote(str(inside)).removeprefix("/")
    else:
        address, place = urldefrag(str(link.get("/A", {}).get("/URI", "")))
        page = address.removeprefix(base).removeprefix(COVER)
        goal = next((each for each in parts if each.page == page), None)
        place = unquote(place)
    if goal is None:
        return None
    sheet, left, top = goal.places.get(place, (0, None, None))
    return begins[goal.page] + sheet, left, top
