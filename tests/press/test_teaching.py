"""What the page for lecturers says of a chapter is read from its manuscript."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from press import contents, manuscript, teaching

HOUSE = Path(__file__).resolve().parents[2]
CHAPTER = """---
kernelspec: {name: python3, display_name: Python 3}
---
# Title

WORDS

```{code-cell}
:tags: [TAG]
data.load("digits", seed=0)
fig, axes = plots.figure("The title answers")
plots.show(fig, "planted", alt="what it shows")
```

```{predict-start} How many?
:label: predict-planted
- one
- two
```

```{exercise} Planted
:label: ex-planted
Do it.
```

## Run log

MORE
"""


@pytest.fixture
def chapter(tmp_path):
    def write(tag="", words=0, folded=0):
        file = tmp_path / "manuscript" / "part" / "name.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = CHAPTER.replace("WORDS", "word " * words).replace("MORE", "word " * folded)
        file.write_text(text.replace(":tags: [TAG]\n", f":tags: [{tag}]\n" if tag else ""))
        return manuscript.read_page(tmp_path, file)

    return write


def test_a_chapter_is_listed_with_what_can_be_taken(chapter):
    page = chapter()
    assert teaching.figures(page) == [("planted", "The title answers")]
    assert teaching.data(page) == ["digits"]
    text = teaching.section(page, "Title", "what it tells", page)
    assert "#fig-planted" in text and "`digits`" in text
    assert 'html#predict-planted">How many?</a>' in text and 'html#ex-planted">Planted</a>' in text


def test_a_table_says_what_a_chapter_needs_and_how_much_it_holds():
    book = contents.read(HOUSE)
    page = manuscript.read_page(HOUSE, HOUSE / "manuscript" / "reference" / "teaching.md")
    pages = [manuscript.read_page(HOUSE, HOUSE / "manuscript" / f"{each.name}.md") for each in book.written]
    rows = [row.split(" | ") for row in teaching.chapters(page, book, pages).split("\n\n")[0].splitlines()[2:]]
    assert [int(row[0].split()[1]) for row in rows] == list(range(1, len(rows) + 1))
    for number, row in enumerate(rows, 1):
        assert row[1] == "–" or all(int(needed) < number for needed in row[1].split(", "))
        assert int(row[3]) > 0 and int(row[5].strip(" |")) > 2


def test_minutes_count_words_and_open_code_and_nothing_that_is_folded(chapter):
    assert teaching.minutes(chapter(words=2000)) - teaching.minutes(chapter(words=1000)) == 5
    assert teaching.minutes(chapter(words=1000, folded=5000)) == teaching.minutes(chapter(words=1000))
    long = "x = 1\n" * 400
    page = chapter(words=10)
    opened, folded = (chapter(tag=tag) for tag in ("", "evidence"))
    for each in (page, opened, folded):
        each.code[0].source = long
    assert teaching.minutes(opened) == 20
    assert teaching.minutes(folded) == 1


def test_the_minutes_are_those_of_the_page():
    book = contents.read(HOUSE)
    compared = 0
    for chapter in book.written:
        page = manuscript.read_page(HOUSE, HOUSE / "manuscript" / f"{chapter.name}.md")
        built = HOUSE / "_build" / "html" / "chapters" / f"{chapter.name}.html"
        if page.runs and built.exists():
            said = BeautifulSoup(built.read_text("utf8"), "html.parser").select_one(".bn-reading").get_text()
            assert abs(int(re.search(r"bout (\d+) minutes", said)[1]) - teaching.minutes(page)) <= 5
            compared += 1
    assert compared
