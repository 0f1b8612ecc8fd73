"""The PDF: every page of the book, complete, linked and outlined."""

import re
import unicodedata

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from conftest import HTML, ROOT
from press import pdf


@pytest.fixture(scope="module")
def book(browser, tmp_path_factory):
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    count = pdf.write_with(browser, ROOT, target)
    reader = PdfReader(target)
    assert len(reader.pages) == count
    return reader


@pytest.fixture(scope="module")
def texts(book):
    return [squeezed(page.extract_text()) for page in book.pages]


@pytest.fixture(scope="module")
def chapters(book):
    """Where each page of the site begins, from the two upper levels of the outline: {title: number}."""
    items = [
        item
        for above in book.outline
        for item in (above if isinstance(above, list) else [above])
        if not isinstance(item, list)
    ]
    return {item.title: book.get_destination_page_number(item) for item in items}


def squeezed(text):
    """Small letters alone, ligatures taken apart: a PDF breaks lines and words, labels are capitals."""
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKC", text).lower())


def article(address):
    content = BeautifulSoup((HTML / address).read_text("utf8"), "html.parser").find("article")
    for each in content.select(".katex"):
        # parts a line: its letters come from another font
        each.replace_with(BeautifulSoup('<i class="formula">\n</i>', "html.parser"))
    for each in content.select(".headerlink, .bn-verdict, script, style"):  # a pill is painted apart from its line
        each.decompose()
    return content


def title_of(address):
    return re.sub(r"\s+", " ", article(address).find("h1").get_text()).strip()


def links(book):
    for number, page in enumerate(book.pages):
        for each in page.get("/Annots") or []:
            yield number, each.get_object()


def test_every_page_of_the_contents_is_there_in_order(book, chapters):
    titles = [title_of(address) for _, address in pdf.order(ROOT)]
    starts = [chapters[title] for title in titles]
    assert starts == sorted(starts) and len(set(starts)) == len(starts)
    assert len(book.pages) > 2 * len(titles)
    listed = squeezed("".join(page.extract_text() for page in book.pages[1 : starts[0]]))
    assert all(squeezed(title) in listed for title in titles), "the list of contents"


def test_the_text_of_every_page_is_complete(texts):
    whole = "".join(texts)
    for _, address in pdf.order(ROOT):
        paragraphs = [
            squeezed(each.get_text())
            for each in article(address).select("p")
            if not each.select_one(".formula") and len(each.get_text()) < 240
        ]
        missing = [each for each in paragraphs if each and each not in whole]
        # one that runs over a page break has a page number inside
        assert len(missing) <= len(paragraphs) // 20, (address, missing[:3])


def test_solutions_and_reasons_are_open(texts):
    whole, seen = "".join(texts), 0
    for _, address in pdf.order(ROOT):
        for each in article(address).select(".solution pre, details.option p"):
            lines = [squeezed(line) for line in each.get_text().splitlines()]
            longest = max(lines, key=len)
            if len(longest) > 12:
                seen += 1
                assert longest in whole, f"{address}: {each.get_text()[:80]}"
    assert seen > 20


def test_bars_are_a_sentence_on_paper(texts):
    """What is folded on the page is no lesson: its sentence is printed, the code of setup, evidence and figures not."""
    whole, seen = "".join(texts), 0
    for _, address in pdf.order(ROOT):
        for bar in article(address).select(".bn-bar"):
            seen += 1
            if "bn-figure-code" not in bar["class"]:
                assert squeezed(bar.select_one(".bn-bar-says").get_text()) in whole
            code = squeezed(bar.select_one(".cell_input").get_text())
            assert code not in whole, f"{address}: {code[:80]}"
    assert seen > 10


def test_links_arrive_inside_and_none_leads_to_this_machine(book, chapters):
    numbers = {page.indirect_reference.idnum: number for number, page in enumerate(book.pages)}
    starts = sorted(set(chapters.values()))
    inside, between = 0, 0
    for source, link in links(book):
        address = str(link.get("/A", {}).get("/URI", ""))
        assert not re.search(r"127\.0\.0\.1|localhost|^file:|book\.invalid", address), address
        assert address or "/Dest" in link, link
        if "/Dest" in link:
            goal = link["/Dest"]
            assert not isinstance(goal, str), f"a name: {goal}"
            target = goal[0].idnum if hasattr(goal[0], "idnum") else book.pages[goal[0]].indirect_reference.idnum
            inside += 1
            between += sum(start <= source for start in starts) != sum(start <= numbers[target] for start in starts)
    assert inside > 100 and between > 50


def test_a_link_to_a_term_leads_to_that_term(book, chapters, texts):
    """Of the links that lead into the glossary, the page they arrive at holds the term that they name."""
    address = next(address for _, address in pdf.order(ROOT) if address.endswith("glossary.html"))
    terms = {squeezed(each.get_text()) for each in article(address).select("dt")}
    first = chapters["Glossary"]
    last = min(number for number in chapters.values() if number > first)
    numbers = {page.indirect_reference.idnum: number for number, page in enumerate(book.pages)}
    reached = {
        numbers[link["/Dest"][0].idnum]
        for _, link in links(book)
        if "/Dest" in link and first <= numbers[link["/Dest"][0].idnum] < last
    }
    assert len(reached) >= min(3, last - first), "all links into the glossary lead to its first page"
    assert sum(term in "".join(texts[first:last]) for term in terms) == len(terms)


def test_chapters_stand_in_the_outline_under_their_parts(book):
    titles = [item.title for item in book.outline if not isinstance(item, list)]
    parts = list(dict.fromkeys(caption for caption, _ in pdf.order(ROOT) if caption))
    assert [title for title in titles if title in parts] == parts
    nested = [item for item in book.outline if isinstance(item, list)]
    assert any(isinstance(each, list) for part in nested for each in part), "sections below the chapters"


def test_it_has_a_title_and_numbers_its_pages(book, chapters):
    assert book.metadata.title == "Batch Normalization, Measured" and book.metadata.author
    first = chapters[title_of(pdf.order(ROOT)[0][1])]  # behind the title and the list of contents
    assert book.page_labels[first] == "1" and book.page_labels[0] == "i"
    assert re.search(r"(^|\n)\s*7\s*(\n|$)", book.pages[first + 6].extract_text()), "the seventh page says so"


def test_every_font_is_inside(book):
    seen = set()
    for page in book.pages:
        for font in (page["/Resources"].get("/Font") or {}).values():
            font = font.get_object()
            if font["/Subtype"] == "/Type3":
                continue  # its glyphs are drawings in the file
            inner = font["/DescendantFonts"].get_object()[0].get_object() if "/DescendantFonts" in font else font
            seen.add(str(font["/BaseFont"]))
            assert any(key.startswith("/FontFile") for key in inner["/FontDescriptor"].get_object()), font["/BaseFont"]
    assert any("KaTeX" in name for name in seen)


def test_no_page_is_shrunk(book):
    """Chromium shrinks a whole chapter when something in it is wider than the paper: one scale through the book."""
    scales = {}
    for number, page in enumerate(book.pages):
        scale = re.search(rb"([.\d]+) 0 0 -?[.\d]+ [-.\d]+ [-.\d]+ cm", page.get_contents().get_data())
        scales.setdefault(round(float(scale[1]), 3), []).append(number)
    assert len(scales) == 1, {scale: pages[:3] for scale, pages in scales.items()}
