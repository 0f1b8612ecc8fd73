"""`press live`, as an author meets it: save, look, break something, look, mend it, Ctrl-C."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest
from bs4 import BeautifulSoup
from websockets.sync.client import connect

from press import new

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "algorithm/planted"
SECONDS = 120  # for one step; what waits longer has failed
TOC = """format: jb-book
root: index
parts:
  - caption: The algorithm
    chapters:
      - file: chapters/reference/bibliography
"""


PLAN = f"""- part: The algorithm
  chapters:
    - name: {CHAPTER}
      title: Planted
      says: what is on the screen
      paths: [student]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A book of one chapter and the bibliography."""
    root = tmp_path_factory.mktemp("book")
    for name in ("bnutils", "press"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "references.bib", "package-lock.json"):
        shutil.copy(ROOT / name, root)
    (root / "node_modules").symlink_to(ROOT / "node_modules")
    (root / "manuscript" / "reference").mkdir(parents=True)
    (root / "records").mkdir()
    (root / "_toc.yml").write_text(TOC)
    (root / "manuscript" / "claims.yml").write_text("[]\n")
    (root / "manuscript" / "index.md").write_text("# Start\n")
    (root / "manuscript" / "contents.yml").write_text(PLAN)
    shutil.copy(ROOT / "manuscript/reference/bibliography.md", root / "manuscript/reference")
    new.write(root, CHAPTER)
    return root


class Author:
    """Saves the manuscript, and sees what a browser would."""

    def __init__(self, house, address):
        self.source, self.address = house / "manuscript" / f"{CHAPTER}.md", address
        self.browser = connect(f"ws://{address.split('/')[2]}/websocket-reload")

    def look(self):
        with urlopen(self.address) as page:
            return page.read().decode()

    def save(self, old, new, *, until):
        """The page as it is loaded anew after a save, once it holds what the author waits for."""
        text = self.source.read_text("utf8")
        assert old in text
        self.source.write_text(text.replace(old, new, 1), "utf8")
        return self.wait(until)

    def wait(self, until):
        while True:
            self.browser.recv(timeout=SECONDS)
            with suppress(HTTPError):
                if until(page := self.look()):
                    return page


def sound(page):
    return 'role="alert"' not in page


@pytest.fixture(scope="module")
def author(house):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "press", "live", CHAPTER, "--port", "0"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
    )
    said = ""
    while not (address := re.search(r"http://\S+", said)):
        line = process.stdout.readline()
        assert line, f"press live ended: {said}"
        said += line
    author = Author(house, address[0])
    with author.browser:
        yield author
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0 and said.endswith("stopped\n"), said
    assert not psutil.wait_procs(children, timeout=SECONDS)[1]


def test_a_saved_sentence_is_on_the_screen(author):
    assert "<h1>Planted" in author.look()
    page = author.save("One question, in a sentence or two", "One other", until=lambda page: "One other" in page)
    assert "One other, that the chapter answers?" in page and "new WebSocket(" in page and sound(page)


def words(page):
    return BeautifulSoup(page, "html.parser").get_text()


def test_a_changed_cell_runs_and_its_number_is_on_the_screen(author):
    page = author.save("3.0, 6.0]", "3.0, 7.0]", until=lambda page: "The mean of the batch is 3.2," in words(page))
    assert "3.0, 7.0]" in words(page) and sound(page)


def test_a_failing_cell_is_reported_and_the_old_page_stays(author):
    page = author.save("exact(mean", "1 / 0\nexact(mean", until=lambda page: not sound(page))
    report = page[page.index('role="alert"') :]
    assert "manuscript/algorithm/planted.md" in report and "ZeroDivisionError" in report
    assert "The mean of the batch is " in page and "1 / 0" not in page[: page.index('role="alert"')]
    author.save("1 / 0\nexact(mean", "exact(mean", until=sound)


def test_a_fault_of_the_form_is_reported_on_the_page_that_has_it(author):
    page = author.save("## Run log", "## Log", until=lambda page: not sound(page))
    assert "a chapter owes the section “Run log”" in page[page.index('role="alert"') :]
    assert "<h2>Log<" in page, "the page is shown all the same"
    author.save("## Log", "## Run log", until=sound)


def test_a_new_chapter_appears_without_a_restart(author, house):
    new.write(house, "another-part/second")
    author.address = author.address.replace(CHAPTER, "another-part/second")
    page = author.wait(until=lambda page: "Another part" in page)
    assert "<h1>Second" in page
