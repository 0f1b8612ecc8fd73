"""The built pages, parsed: complete without the network, formulas set, links whole."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from pygments import highlight
from pygments.lexers import PythonLexer

from press import notebook
from press.site import api, formulas, moved

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
# what a browser fetches by itself, unlike <a href>
FETCHED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "use": "href",
}
FETCHED_LINKS = {
    "stylesheet",
    "icon",
    "shortcut",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "manifest",
}


def pages():
    assert (HTML / "index.html").exists(), "the book is not built; run `make book`"
    return sorted(file for file in HTML.rglob("*.html") if "_static" not in file.parts)


@cache
def places(file):
    """The ids of a page."""
    return {tag["id"] for tag in soup(file).find_all(id=True)}


@cache
def soup(file):
    return BeautifulSoup(file.read_text("utf8"), "html.parser")


def name(file):
    return file.relative_to(HTML).as_posix()


def prose_of(file):
    """What a reader sees as text: no code, no formula source kept for screen readers."""
    body = BeautifulSoup(str(soup(file).body), "html.parser")
    for element in body.find_all(["script", "style", "pre", "code", "annotation"]):
        element.decompose()
    return body.get_text(" ")


@pytest.fixture(params=pages() if HTML.exists() else [HTML / "index.html"], ids=name)
def page(request):
    assert request.param.exists(), "the book is not built; run `make book`"
    return request.param


def test_every_page_of_the_contents_is_built():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    wanted = {toc["root"]} | {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    assert wanted <= {name(file).removesuffix(".html") for file in pages()}


def test_no_request_leaves_the_site(page):
    for element in soup(page).find_all(True):
        address = element.get(FETCHED.get(element.name, ""))
        if element.name == "link" and FETCHED_LINKS & set(element.get("rel", [])):
            address = element["href"]
        for candidate in [address, *re.findall(r"url\(([^)]*)\)", element.get("style", "") or "")]:
            if candidate and not candidate.startswith("data:"):
                assert not urlsplit(candidate.strip("'\"")).netloc, f"{element.name} fetches {candidate}"
    for script in soup(page).find_all("script", src=False):
        assert not re.search(r"import\(|fetch\(|https?://(?!schema\.org)", script.string or ""), script.string[:80]


def test_no_style_of_the_site_fetches_from_elsewhere():
    for sheet in HTML.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import\s+)['\"]?([^'\")\s;]+)", sheet.read_text("utf8")):
            if address.startswith(("data:", "#")):
                continue
            assert not urlsplit(address).netloc, f"{sheet.name} fetches {address}"
            if "katex" in sheet.parts:
                assert (sheet.parent / urlsplit(address).path).exists(), f"{sheet.name} misses {address}"


def test_formulas_are_set(page):
    assert not soup(page).select(".katex-error")
    assert not re.search(r"\$\$|\\\(|\\\[|\\(frac|sqrt|hat|sigma|mu|operatorname)\b", prose_of(page))
    for formula in soup(page).select(".math"):
        letter = re.fullmatch(r"\w\W?", formula.get_text().strip())  # set as itself, in the font of formulas
        assert letter or (formula.select_one(".katex-mathml math") and formula.select_one(".katex-html")), (
            formula.get_text()[:60]
        )
        assert not formula.select_one("annotation")


def test_the_chapters_have_formulas_at_all():
    assert len(soup(HTML / "chapters/algorithm/the-transform.html").select(".math")) > 100


def test_every_picture_says_what_it_shows(page):
    for image in soup(page).find_all("img"):
        assert (image.get("alt") or "").strip() and not re.search(r"[/\\]|\.(png|svg|jpe?g)$", image["alt"]), image
    for drawing in soup(page).select("figure.bn-figure svg:not([aria-hidden])"):
        assert drawing["role"] == "img" and re.search(r"\d", drawing["aria-label"]) and len(drawing["aria-label"]) > 40


def test_references_were_written(page):
    assert not re.search(r"\{[nv]\}|\{(cite|term|ref|eq|prf|doc)", prose_of(page))
    assert not soup(page).select(".problematic, .system-message")


def test_no_id_stands_twice(page):
    ids = [element["id"] for element in soup(page).find_all(id=True)]
    assert not {each for each in ids if ids.count(each) > 1}


def test_internal_links_arrive(page):
    for link in soup(page).find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (page.parent / unquote(address.path)).resolve() if address.path else page
        if address.path.startswith("/"):  # only the 404 page, which may stand for any address
            assert page.name == "404.html"
            target = HTML / unquote(address.path).lstrip("/")
        assert target.exists(), f"{link['href']} leads nowhere"
        if address.fragment and target.suffix == ".html":
            assert unquote(address.fragment) in places(target), f"{link['href']}: no such place on {name(target)}"


def test_one_title_a_page(page):
    if page.name not in ("genindex.html", "search.html", "py-modindex.html"):
        assert len(soup(page).select("article h1")) == 1


def test_one_small_style_sheet_and_no_script_a_page_does_not_use(page):
    sheets = [link["href"].split("?")[0] for link in soup(page).select('link[rel="stylesheet"]')]
    assert len(sheets) == 1 and sheets[0].endswith("_static/site.css")
    scripts = " ".join(script["src"] for script in soup(page).find_all("script", src=True))
    assert not re.search("fontawesome|thebe", scripts)
    assert ("copybutton.js" in scripts) == bool(soup(page).select("div.highlight"))
    assert all(script.get("defer") is not None for script in soup(page).find_all("script", src=True))


def test_the_templates_still_fit_the_theme(page):
    """What they are there for: the theme's own head, menu and footnotes have each of these wrong."""
    assert len(soup(page).select('meta[name="viewport"]')) == 1
    early = [link["href"].rsplit("/", 1)[1] for link in soup(page).select('link[rel="preload"]')]
    formulas = ["KaTeX_Main-Regular.woff2", "KaTeX_Math-Italic.woff2"] if soup(page).select(".katex") else []
    assert sorted(early) == formulas + ["prose.woff2"] * (page.name != "404.html")
    assert not soup(page).select('#jb-print-docs-body, [role="doc-biblioentry"], [role="list"]')
    assert len(soup(page).select('nav[aria-label="Home"] img.logo__image')) == 1
    assert len(soup(page).select("#search-input")) == 1
    assert not soup(page).select('summary[aria-label="Toggle hidden content"]')


def test_the_page_of_no_page_finds_its_style_at_any_depth():
    page = soup(HTML / "404.html")
    addresses = [each["href"] for each in page.select('link[rel="stylesheet"]')] + [
        each["src"] for each in page.select("script[src]")
    ]
    assert addresses and all(address.startswith("/_static/") for address in addresses)


def test_the_icons_in_use_are_in_the_cut_font():
    font = TTFont(HTML / "_static/icons/fa-solid-900.woff2")
    named = {each for file in pages() for tag in soup(file).select('[class*="fa-"]') for each in tag["class"]}
    style = (HTML / "_static/site.css").read_text("utf8")
    codes = {
        name: ord(code[1]) for name in named if (code := re.search(rf'\.{name}:before[^{{]*{{content:"(.)"', style))
    }
    assert {"fa-magnifying-glass", "fa-bars", "fa-download", "fa-file-pdf"} <= set(codes)
    assert set(codes.values()) <= set(font.getBestCmap())
    assert len(font.getBestCmap()) < 60


def test_every_image_has_a_size(page):
    for image in soup(page).find_all("img"):
        assert image.get("width") and image.get("height"), image


def test_every_page_describes_itself(page):
    (description,) = soup(page).find_all("meta", attrs={"name": "description"})
    assert len(description["content"]) > 40 and ",,," not in description["content"]
    if page.name not in ("search.html", "404.html") and not soup(page).select("[data-rest]"):
        assert soup(page).find("meta", property="og:image")


def test_a_number_leads_to_its_cell_and_says_what_is_known_of_it():
    chapter = HTML / "chapters/algorithm/the-transform.html"
    links = soup(chapter).select("a.bn-number")
    assert len(links) > 10
    for link in links + soup(HTML / "index.html").select("a.bn-number"):
        name = link["href"].partition("#n-")[2]
        told = soup(chapter).find(id=f"n-{name}")
        assert (
            told and told.get_text().startswith((f"{name} ≈", f"{name} = ")) and told.find_parent(class_="cell_output")
        )
        assert link["title"].startswith("measured " if "≈" in told.get_text() else "exact: "), link


def test_every_figure_has_a_number_and_leads_to_its_data_its_code_and_its_drawings():
    chapter = HTML / "chapters/algorithm/the-transform.html"
    figures = soup(chapter).select("figure.bn-figure")
    assert len(figures) >= 5
    for number, figure in enumerate(figures, 1):
        assert figure.select_one(".bn-figure-title").get_text().startswith(f"Figure {number} ")
        data, svg, png = (link["href"] for link in figure.select("figcaption .bn-links > a"))
        lines = (chapter.parent / data).read_text("utf8").strip().split("\n")
        assert lines[0] == "panel,series,x,y" and len(lines) > 5
        place = soup(chapter).find(id=figure["id"].replace("fig-", "code-", 1))
        assert place.select("pre") and (
            figure in place.find_all("figure") or place.parent in figure.select(".bn-links")
        )
        drawing = ElementTree.parse(chapter.parent / svg).getroot()
        assert drawing.tag.endswith("svg") and figure.select_one("strong").get_text()[:20] in "".join(
            drawing.itertext()
        )
        assert (chapter.parent / png).read_bytes().startswith(b"\x89PNG")
        assert "data:text/csv" not in str(figure)


def test_terms_and_symbols_explain_themselves():
    page = soup(HTML / "chapters/algorithm/the-transform.html")
    assert any(len(link.get("title", "")) > 20 for link in page.select('a[href*="glossary.html#term-"]'))
    assert any("batch" in symbol["title"] for symbol in page.select("span.bn-symbol"))


def test_chapters_say_how_long_they_take():
    text = soup(HTML / "chapters/algorithm/the-transform.html").select_one(".bn-reading").get_text()
    assert 10 <= int(re.search(r"bout (\d+) minutes", text)[1]) <= 90


def test_numpy_and_pytorch_stand_in_tabs():
    tabs = soup(HTML / "chapters/algorithm/the-transform.html").select_one(".sd-tab-set")
    assert [label.get_text() for label in tabs.select(".sd-tab-label")] == ["NumPy", "PyTorch"]
    assert len(tabs.select(".sd-tab-content .cell")) == 2


PUBLISHED = {"BOOK_URL": "https://example.org/book", "BOOK_REPOSITORY": "https://github.com/example/book"}


FORMULAS = """# Page

A formula $\\frac{1}{\\sigma}$, set in mathcal $\\mathcal L$, for the description of this page.

$$
\\begin{aligned} a &= b \\\\ c &= \\operatorname{E}[d] \\end{aligned}
$$ (pair)
"""


def test_a_published_book_has_a_sitemap_and_buttons_that_lead_to_its_repository(tmp_path):
    done = build(tmp_path, index=FORMULAS, **PUBLISHED)
    assert done.returncode == 0, done.stdout + done.stderr  # right formulas build, wrong ones below do not
    built = tmp_path / "_build/html"
    assert (built / "_static/katex/fonts").is_dir()
    assert "https://example.org/book/page.html" in (built / "sitemap.xml").read_text()
    page = (built / "page.html").read_text()
    assert "github.com/example/book" in page and "mybinder.org" in page
    assert "colab.research.google.com" not in page  # its notebooks would not find bnutils
    assert not soup(HTML / "chapters/algorithm/the-transform.html").find(href=re.compile("colab|mybinder"))


def test_colab_opens_the_notebooks_of_the_repository_that_the_settings_name(tmp_path):
    settings = "\nrepository:\n  url: https://github.com/example/book\n"
    done = build(tmp_path, index="# Page\n\nSome text for the description of this page.\n", settings=settings)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "_build/html/page.html").read_text()
    assert "colab.research.google.com/github/example/book" in page and "mybinder.org" in page


def build(book, *, index, settings="", **environment):
    """Build a small book with the settings of this one, and some more."""
    (book / "_config.yml").write_text((ROOT / "_config.yml").read_text("utf8") + settings)
    shutil.copy(ROOT / "references.bib", book)
    for each in ("press", "node_modules"):
        (book / each).symlink_to(ROOT / each)
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: page\n")
    cells = [nbformat.v4.new_markdown_cell("# A notebook\n\nText."), nbformat.v4.new_code_cell("1", execution_count=1)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=notebook.LANGUAGE), book / "page.ipynb")
    (book / "index.md").write_text(index, "utf8")
    command = [sys.executable, "-m", "press.site"]
    return subprocess.run(
        command,
        cwd=book,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "HOME": str(book)} | environment,
        text=True,
        capture_output=True,
        timeout=300,
    )


def test_a_wrong_formula_fails_the_build_and_is_shown(tmp_path):
    done = build(tmp_path, index="# Page\n\nA formula $\\frac{1}{\\sgima}$ and a good one $x^2$.\n")
    assert done.returncode != 0
    assert r"\frac{1}{\sgima}" in done.stderr + done.stdout and "formula" in done.stderr + done.stdout


def test_every_old_address_leads_to_a_place_that_exists():
    for page, sections in moved.table(ROOT).items():
        old = soup(HTML / f"{page}.html").select_one(".bn-moved")
        for section, (target, place) in sections.items():
            link = old.find(id=section).a if section else old.a
            arrived = (HTML / page).parent / urlsplit(link["href"]).path
            assert arrived.resolve() == HTML / f"{target}.html" and (not place or place in places(arrived.resolve()))


def test_every_module_has_a_page_and_a_line_in_the_list():
    listed = {
        link.get_text(): link["href"] for link in soup(HTML / "chapters/reference/api.html").select(".bn-modules a")
    }
    assert len(listed) > 15
    for path in api.modules(ROOT):
        page = HTML / f"{api.page(path)}.html"
        assert listed[api.module(path)].split("#")[0].endswith(page.name)
        for signature in soup(page).select("dt.sig"):
            assert not signature.find_parent("details"), "a signature is seen without a click, and a link arrives at it"
    norm = soup(HTML / "chapters/reference/api/scratch.norm.html")
    function = norm.find(id="bnutils.scratch.norm.batch_norm")
    assert "eps" in function.get_text()
    folded = function.find_next_sibling("dd").find("details")
    assert not folded.has_attr("open") and not folded.summary.dt
    assert any(field.get_text().startswith("Raises") for field in folded.find_all("dt"))


def test_a_formula_keeps_what_is_read():
    """A letter stays a letter; a formula keeps its MathML without the source, a displayed one says its size."""

    def base(height, inside=""):
        return f'<span class="base"><span class="strut" style="height:{height}"></span>{inside}</span>'

    letter = '<span class="mord mathnormal">N</span>'
    before = (
        '<span class="katex"><span class="katex-mathml"><math xmlns="m"><semantics><mrow><mi>N</mi></mrow>'
        '<annotation encoding="x">N</annotation></semantics></math></span>'
        f'<span class="katex-html" aria-hidden="true">{base("1em;", letter)}</span></span>'
    )
    after = formulas.lean(before)
    assert BeautifulSoup(after, "html.parser").get_text() == "N" and after.count("<span") == 2
    tall = f"{base('2em;vertical-align:-0.5em;')}{base('1.25em;vertical-align:-0.75em;')}"
    displayed = formulas.lean(f'<span class="katex-display"><span class="katex">{tall}</span></span>')
    assert "--em:2.250" in displayed  # 1.5 above the line in one part, 0.75 below it in the other
    assert formulas.lean(displayed).count("--em") == 1


def test_code_keeps_every_character_and_says_its_size():
    source = "a = 1\nlonger(a)  # <why>\n"
    written = highlight(source, PythonLexer(), formulas.CodeFormatter())
    block = BeautifulSoup(written, "html.parser")
    assert block.get_text().rstrip("\n") == source.rstrip("\n")
    assert block.select_one(".bn-code")["style"] == "--lines:2;--columns:18"
    assert block.select(".o") and not block.select(".n, .p, .w")
