"""`press.site` writes again what changed, and never leaves a page that says what is no longer so."""

import re
import shutil
from pathlib import Path

import pytest

from press.site import api, build, contents, script

ROOT = Path(__file__).resolve().parents[2]
# of Sphinx and its extensions, pinned as they are
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings(
        "ignore::FutureWarning"
    ),  # of torch, where another test has loaded it: Sphinx looks at all
]
TOC = """format: jb-book
root: index
chapters:
  - file: chapters/one
  - file: chapters/two
  - file: chapters/reference/glossary
"""
INDEX = "# Book\n\nThis is the first page, and it describes itself.\n"
ONE = "# One\n\nA sentence that describes the first chapter. A {term}`word`.\n\n(there)=\n## A place\n\nText.\n"
TWO = "# Two\n\nThe second chapter leads to {ref}`a place <there>` in the first, and nowhere else.\n"
GLOSSARY = "# Glossary\n\n```{glossary}\nword\n  What a page is made of.\n```\n"
MODULE = '"""A module that is read."""\n\n\ndef load(name: str) -> int:\n    """Load it.\n\n    From a file.\n    """\n'


class Book:
    """A small book, built in this process."""

    def __init__(self, root):
        self.root, self.html = root, root / "_build" / "html"
        for name in ("_config.yml", "references.bib", "package-lock.json", "constraints.txt"):
            shutil.copy(ROOT / name, root)
        for name in ("press", "node_modules"):
            (root / name).symlink_to(ROOT / name)
        self.write("_toc.yml", TOC)
        self.write("index.md", INDEX)
        self.write("chapters/one.md", ONE)
        self.write("chapters/two.md", TWO)
        self.write("chapters/reference/glossary.md", GLOSSARY)
        self.write("bnutils/data.py", MODULE)

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf8")

    def build(self):
        """The pages that were written: their names, or None after a failure."""
        before = self.stamps()
        if build.main(self.root):
            return None
        return {name for name, stamp in self.stamps().items() if before.get(name) != stamp}

    def stamps(self):
        return {file.relative_to(self.html).as_posix(): file.stat().st_mtime_ns for file in self.html.rglob("*.html")}

    def page(self, name):
        return (self.html / name).read_text("utf8")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book that is built once, and a copy of all that came of it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "book").mkdir()
    made = Book(folder / "book")
    assert {"index.html", "chapters/one.html", "chapters/two.html"} < made.build()
    shutil.copytree(made.root, folder / "copy", symlinks=True)
    return made, folder / "copy"


@pytest.fixture
def book(built):
    """The built book as it was, in the same place: what a build remembers names its folder."""
    made, copy = built
    shutil.rmtree(made.root)
    shutil.copytree(copy, made.root, symlinks=True)
    return made


ALWAYS = {"index.html", "search.html", "404.html"}  # the root of the contents, and what no author wrote


def test_a_changed_sentence_writes_its_page_and_no_other(book):
    style = (book.html / "_static" / "site.css").stat().st_mtime_ns
    assert book.build() == set()
    book.write("chapters/one.md", ONE.replace("Text.", "Other text."))
    assert book.build() - ALWAYS == {"chapters/one.html"}
    assert "Other text." in book.page("chapters/one.html")
    assert "other" in (book.html / "searchindex.js").read_text()
    assert (book.html / "_static" / "site.css").stat().st_mtime_ns == style
    book.write("bnutils/data.py", MODULE.replace("Load it.", "Read it."))
    assert book.build() - ALWAYS <= {"chapters/reference/api/data.html"}
    assert "Read it." in book.page("chapters/reference/api/data.html")


def test_a_class_that_no_page_had_before_has_its_style(book):
    style = book.html / "_static" / "site.css"
    assert ".sd-badge{" not in style.read_text("utf8")
    book.write("chapters/one.md", ONE + "\nA {bdg}`badge`.\n")
    assert book.build() - ALWAYS == {"chapters/one.html"}
    assert ".sd-badge{" in style.read_text("utf8")


def test_a_page_asks_for_one_script_and_for_those_that_it_alone_needs(book):
    page = book.page("chapters/one.html")
    assert page.count('src="../_static/site.js?v=') == 1
    for part in script.PARTS:
        assert Path(part).name not in page
        assert (book.html / "_static" / part).read_text("utf8").strip()[:200] in (
            book.html / "_static/site.js"
        ).read_text()
    assert not re.search("bootstrap.js|pydata-sphinx-theme.js", page)
    assert "copybutton.js" not in page


def test_a_changed_title_or_explanation_is_changed_wherever_it_stands(book):
    book.write("chapters/reference/glossary.md", GLOSSARY.replace("made of.", "full of."))
    assert "chapters/one.html" in book.build()
    assert "What a page is full of." in book.page("chapters/one.html")
    book.write("chapters/one.md", ONE.replace("# One", "# Eleven", 1))
    book.build()
    assert "Eleven" in book.page("chapters/two.html")  # in its menu


def test_a_label_that_is_gone_is_missed_where_it_is_used_and_nothing_is_left(book, capsys):
    book.write("chapters/one.md", ONE.replace("(there)=\n", ""))
    assert book.build() is None
    assert "there" in capsys.readouterr().err
    assert not book.html.exists()
    assert book.build() is None, "a second run fails as the first did"
    book.write("chapters/one.md", ONE)
    assert "chapters/two.html" in book.build()


def test_a_page_that_left_the_book_leaves_the_site(book):
    book.write("_toc.yml", TOC.replace("  - file: chapters/two\n", ""))
    book.build()
    assert not (book.html / "chapters/two.html").exists()
    assert "two.html" not in book.page("index.html")
    (book.root / "bnutils/data.py").unlink()
    book.build()
    assert not (book.html / "chapters/reference/api/data.html").exists()


def test_where_it_is_published_and_a_lost_page_build_anew(book, monkeypatch):
    monkeypatch.setenv("BOOK_URL", "https://example.org/book")
    assert "chapters/two.html" in book.build()
    assert 'rel="canonical" href="https://example.org/book/' in book.page("chapters/two.html")
    monkeypatch.delenv("BOOK_URL")
    assert "chapters/two.html" in book.build()
    (book.html / "index.html").unlink()
    assert "chapters/two.html" in book.build()


def test_an_old_address_needs_a_new_place(book, capsys):
    book.write("_moved.yml", "chapters/zero:\n  old: chapters/one#a-place\n")
    assert "chapters/zero.html" in book.build()
    assert '<li id="old"><a href="one.html#a-place">A place</a>' in book.page("chapters/zero.html")
    book.write("_moved.yml", "chapters/two:\n  old: chapters/one#no-place\n")
    assert book.build() is None
    assert "chapters/one#no-place, which does not exist" in capsys.readouterr().err


def test_lines_do_not_count_as_what_others_see():
    first = {"label": ("page", 3), "line": 7, "set": {"b", "a"}}
    assert contents.plain(first) == contents.plain({"set": {"a", "b"}, "label": ("page", 3), "line": 8})
    assert contents.plain(first) != contents.plain(first | {"label": ("page", 4)})


def test_a_module_is_read_as_it_is_written(book):
    source = '''"""First."""
from __future__ import annotations
from typing import Literal
import numpy as np
from . import sample
from .sample import Sample as S

def f(x: np.ndarray, /, *rest: "S", kind: Literal["a"] = "a", **more) -> tuple[S, int]: ...
def _hidden(): ...
class Layer:
    """A layer.

    More of it.
    """
    size: int = 3
    def __init__(self, size: int): ...
    @property
    def parameters(self) -> list[S]: ...
    @staticmethod
    def make(size: int) -> Layer: ...
    def _step(self): ...
'''
    with build.sphinx(book.root, book.html, book.root / "_build/.doctrees", None) as app:
        text = api.page_text(source, "bnutils.data", app.config)
    sample = "bnutils.sample.Sample"
    assert (
        f"py:function:: f(x: numpy.ndarray, /, *rest: {sample}, kind: Literal['a']='a', **more)"
        f" -> tuple[{sample}, int]\n" in text
    )
    assert "py:class:: Layer(size: int)\n" in text and "More of it." in text
    assert "py:property:: parameters\n" in text and f":type: list[{sample}]" in text
    assert "py:method:: make(size: int) -> Layer\n      :staticmethod:" in text
    assert "hidden" not in text and "_step" not in text
