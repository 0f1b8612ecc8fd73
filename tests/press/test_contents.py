"""The chapters of the book, written or planned: what is read of them, and what is refused."""

import pytest
from test_new import TOC

from press import contents
from press.manuscript import Unreadable

ENTRY = "    - name: {0}\n      title: {1}\n      says: what it tells\n      paths: [{2}]\n"
PLAN = "- part: The problem\n  chapters:\n" + "".join(
    ENTRY.format(f"problem/{name}", name.capitalize(), paths)
    for name, paths in (("one", "student, engineer"), ("two", "student"), ("three", "student"), ("four", "engineer"))
)


@pytest.fixture
def house(tmp_path):
    (tmp_path / "manuscript").mkdir()
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / contents.FILE).write_text(PLAN)
    return tmp_path


def test_a_way_leads_over_written_chapters_only(house):
    found = contents.read(house)
    assert [chapter.title for chapter in found.written] == ["One", "Three"]
    assert [chapter.title for chapter in found.path("engineer")] == ["One", "Four"]
    assert found.next_step("problem/one", "student").name == "problem/three"
    assert found.next_step("problem/one", "engineer") is None
    assert found.next_step("problem/three", "engineer") is None
    assert found.place("problem/three") == (2, 2)


def test_what_the_press_makes_is_no_chapter_of_its_part(house, monkeypatch):
    monkeypatch.setattr(contents, "MADE", "problem/three")
    assert contents.read(house).place("problem/one") == (1, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("problem/two", "problem/one", "problem/one stands twice; keep one"),
        ("problem/three", "problem/other", "problem/three stands in _toc.yml; add it here, in its place"),
        ("[student, engineer]", "[student, cook]", "problem/one: unknown reader cook"),
        ("      title: Two\n", "", "expected name, paths, says, title of problem/two"),
        (
            "[student]\n",
            "[student]\n      needs: [problem/three]\n",
            "problem/two needs problem/three, which must stand above",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_cure(house, old, new, said):
    (house / contents.FILE).write_text(PLAN.replace(old, new, 1))
    with pytest.raises(Unreadable) as error:
        contents.read(house)
    assert said in str(error.value)


def test_the_order_is_that_of_the_contents(house):
    (house / "_toc.yml").write_text(TOC.replace("one", "x").replace("three", "one").replace("x", "three"))
    with pytest.raises(Unreadable, match=r"another order than in _toc\.yml"):
        contents.read(house)
