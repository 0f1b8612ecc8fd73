"""What the browser and the PDF are made of, without a browser; the PDF itself is looked at in tests/browser."""

import gzip
import urllib.error
import urllib.request

import pytest

from press import browser, pdf


def program(folder, name):
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing on its PATH but what a test puts there."""
    for name in ("CHROME_PATH", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "APPLICATIONS", (str(tmp_path / "Chromium.app"),))
    return tmp_path


def test_no_browser_is_one_line_that_says_how_to_get_one(bare):
    with pytest.raises(browser.NoBrowser) as refused:
        browser.find()
    assert (
        "apt install chromium" in str(refused.value)
        and "brew install" in str(refused.value)
        and "\n" not in str(refused.value)
    )


def test_a_wrong_CHROME_PATH_is_named(bare, monkeypatch):
    program(bare, "chromium")
    monkeypatch.setenv("CHROME_PATH", "/no/such/chrome")
    with pytest.raises(browser.NoBrowser, match="/no/such/chrome"):
        browser.find()


def test_the_first_of_what_is_there_is_taken(bare, monkeypatch):
    chrome = program(bare, "google-chrome")
    assert browser.find() == chrome
    chromium = program(bare, "chromium")
    assert browser.find() == chromium
    monkeypatch.setenv("BROWSER", program(bare, "firefox"))
    assert browser.find() == chromium, "BROWSER names no Chromium"
    monkeypatch.setenv("BROWSER", program(bare, "my-chromium"))
    assert browser.find() == str(bare / "my-chromium")
    monkeypatch.setenv("CHROME_PATH", chrome)
    assert browser.find() == chrome


def test_an_application_of_macos_is_found(bare):
    application = program(bare, "Chromium.app")
    assert browser.find() == application


def test_the_host_serves_as_a_static_one_does(tmp_path):
    (tmp_path / "site" / "part").mkdir(parents=True)
    (tmp_path / "secret.html").write_text("outside")
    (tmp_path / "site" / "index.html").write_text("start " * 100)
    (tmp_path / "site" / "part" / "a b.html").write_text("page")
    (tmp_path / "site" / "dot.png").write_bytes(b"\x89PNG" + bytes(100))
    (tmp_path / "site" / "404.html").write_text("nothing here")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(address, **headers):
        try:
            with opener.open(urllib.request.Request(address, headers=headers)) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    with browser.serve(tmp_path / "site") as base:
        status, headers, body = get(base, **{"Accept-Encoding": "gzip"})
        assert (status, headers["Content-Type"], headers["Content-Encoding"]) == (
            200,
            "text/html; charset=utf-8",
            "gzip",
        )
        assert len(body) < 100 and gzip.decompress(body) == b"start " * 100
        assert get(base)[2] == b"start " * 100
        assert get(base + "part/a%20b.html?v=1")[2] == b"page"
        status, headers, body = get(base + "dot.png", **{"Accept-Encoding": "gzip"})
        assert headers["Content-Type"] == "image/png" and headers["Content-Encoding"] is None and len(body) == 104
        for outside in ("no/such.html", "../secret.html", "%2e%2e/secret.html"):
            assert get(base + outside)[::2] == (404, b"nothing here")


def test_pages_stand_in_the_order_of_the_contents(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n"
        "  - caption: B first\n    chapters: [{file: chapters/b/two}, {file: chapters/b/one}]\n"
        "  - caption: A\n    chapters: [{file: chapters/a}]\n"
    )
    assert pdf.order(tmp_path) == [
        ("", "index.html"),
        ("B first", "chapters/b/two.html"),
        ("B first", "chapters/b/one.html"),
        ("A", "chapters/a.html"),
    ]
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    assert pdf.order(tmp_path) == [("", "index.html")]


def test_the_places_that_pages_point_to_are_known(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "index.html").write_text(
        '<a class="x" href="part/one.html#C%2003">a</a> <a href="part/one.html">b</a> '
        '<a href="https://example.org/part/one.html#far">c</a> <a href="#here">d</a>'
    )
    (tmp_path / "part" / "one.html").write_text('<a href="../index.html#top">e</a> <a href="other.ipynb#cell">f</a>')
    assert pdf.places(tmp_path, ["index.html", "part/one.html"]) == {
        "index.html": {"here", "top"},
        "part/one.html": {"C 03"},
    }


class Part:
    def __init__(self, page, **places):
        self.page, self.places = page, places


BASE = "http://127.0.0.1:1/"
ONE, TWO = Part("one.html", here=(0, 1, 2)), Part("two.html", C03=(3, 10, 20))
BEGINS = {"one.html": 2, "two.html": 7}


@pytest.mark.parametrize(
    ("link", "goal"),
    [
        ({"/Dest": "/here"}, (2, 1, 2)),
        ({"/A": {"/D": "here"}}, (2, 1, 2)),
        ({"/A": {"/URI": BASE + "two.html#C03"}}, (10, 10, 20)),
        ({"/A": {"/URI": BASE + "two.html"}}, (7, None, None)),
        ({"/A": {"/URI": pdf.COVER + "two.html"}}, (7, None, None)),
        ({"/A": {"/URI": BASE + "two.html#no-such-place"}}, (7, None, None)),
        ({"/A": {"/URI": BASE + "_sources/two.ipynb"}}, None),
    ],
)
def test_where_a_link_leads(link, goal):
    assert pdf.destination(link, ONE, [ONE, TWO], BEGINS, BASE) == goal


def test_what_counts_as_local():
    assert (
        pdf.local(BASE + "x.html", BASE)
        and pdf.local("file:///x", BASE)
        and not pdf.local("https://arxiv.org/abs/1502.03167", BASE)
    )
