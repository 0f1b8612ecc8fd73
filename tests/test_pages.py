"""The built pages, parsed: complete without the network, formulas set, links whole."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
# what a browser fetches by itself, unlike <a href>
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src", "object": "data", "use": "href"}
FETCHED_LINKS = {"stylesheet", "icon", "shortcut", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


def pages():
    assert (HTML / "index.html").exists(), "the book is not built; run `make book`"
    return sorted(file for file in HTML.rglob("*.html") if "_static" not in file.parts)


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
            if address.startswith("data:") or address.startswith("#"):
                continue
            assert not urlsplit(address).netloc, f"{sheet.name} fetches {address}"
            if "katex" in sheet.parts:
                assert (sheet.parent / urlsplit(address).path).exists(), f"{sheet.name} misses {address}"


def test_formulas_are_set(page):
    assert not soup(page).select(".katex-error")
    assert not re.search(r"\$\$|\\\(|\\\[|\\(frac|sqrt|hat|sigma|mu|operatorname)\b", prose_of(page))
    for formula in soup(page).select(".math"):
        assert formula.select_one(".katex-mathml annotation") and formula.select_one(".katex-html"), formula.get_text()[:60]


def test_the_chapters_have_formulas_at_all():
    assert len(soup(HTML / "chapters/algorithm/the-transform.html").select(".math")) > 100


def test_every_picture_says_what_it_shows(page):
    for image in soup(page).find_all("img"):
        assert (image.get("alt") or "").strip() and not re.search(r"[/\\]|\.(png|svg|jpe?g)$", image["alt"]), image
    for drawing in soup(page).select("figure.bn-figure svg"):
        assert drawing["role"] == "img" and re.search(r"\d", drawing["aria-label"]) and len(drawing["aria-label"]) > 40


def test_references_were_written(page):
    assert not re.search(r"\{[nv]\}|\{(cite|term|ref|eq|prf|doc)", prose_of(page))
    assert not soup(page).select(".problematic, .system-message")


def test_no_id_stands_twice(page):
    if page.name == "search.html":
        return  # the theme puts its search field there twice
    ids = [element["id"] for element in soup(page).find_all(id=True)]
    assert not {each for each in ids if ids.count(each) > 1}


def test_internal_links_arrive(page):
    for link in soup(page).find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (page.parent / unquote(address.path)).resolve() if address.path else page
        assert target.exists(), f"{link['href']} leads nowhere"
        if address.fragment and target.suffix == ".html" and address.fragment not in ("", "#"):
            assert soup(target).find(id=unquote(address.fragment)), f"{link['href']}: no such place on {name(target)}"


def test_one_title_a_page(page):
    if page.name not in ("genindex.html", "search.html", "py-modindex.html"):
        assert len(soup(page).select("article h1")) == 1


def build(book, **files):
    """Build a small book with the settings of this one."""
    for each in ("_config.yml", "references.bib"):
        shutil.copy(ROOT / each, book)
    for each in ("press", "bnutils", "node_modules"):
        (book / each).symlink_to(ROOT / each)
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (book / "index.md").write_text(files["index"], "utf8")
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", "-q", "-W", "-n", "--keep-going", "."]
    return subprocess.run(command, cwd=book, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "HOME": str(book)}, text=True, capture_output=True, timeout=300)


def test_a_wrong_formula_fails_the_build_and_is_shown(tmp_path):
    done = build(tmp_path, index="# Page\n\nA formula $\\frac{1}{\\sgima}$ and a good one $x^2$.\n")
    assert done.returncode != 0
    assert r"\frac{1}{\sgima}" in done.stderr + done.stdout and "formula" in done.stderr + done.stdout


def test_a_right_formula_builds(tmp_path):
    done = build(tmp_path, index="# Page\n\nA formula $\\frac{1}{\\sigma}$, set in mathcal $\\mathcal L$.\n\n$$\n\\begin{aligned} a &= b \\\\ c &= \\operatorname{E}[d] \\end{aligned}\n$$ (pair)\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "_build/html/_static/katex/fonts").is_dir()
