"""`press new`: the chapter, and its place in the contents."""

import pytest
import yaml

from press import new

TOC = """root: index # a comment
parts:
  - caption: The problem
    chapters:
      - file: chapters/problem/one
      - file: chapters/problem/three
  - caption: Reference
    chapters:
      - file: chapters/reference/notation
"""
PLAN = """# a comment
- part: The problem
  chapters:
    - name: problem/one
      title: One
      says: what it is
      paths: [student]
    - name: problem/two
      title: Two, as planned
      says: what comes then
      paths: [engineer]
    - name: problem/three
      title: Three
      says: the end
      paths: [student]
- part: In practice
  chapters:
    - name: practice/the-family
      title: The family
      says: layer norm and others
      paths: [student]
"""


@pytest.fixture
def house(tmp_path):
    (tmp_path / "manuscript").mkdir()
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "manuscript" / "contents.yml").write_text(PLAN)
    return tmp_path


def toc(house):
    text = (house / "_toc.yml").read_text()
    assert text.startswith("root: index # a comment\n")
    return {part["caption"]: [each["file"] for each in part["chapters"]] for part in yaml.safe_load(text)["parts"]}


def plan(house):
    text = (house / "manuscript" / "contents.yml").read_text()
    assert text.startswith("# a comment\n")
    return {part["part"]: {each["name"]: each["title"] for each in part["chapters"]} for part in yaml.safe_load(text)}


def test_a_planned_chapter_takes_its_place_and_its_title(house):
    text = new.write(house, "problem/two").read_text("utf8")
    assert "\n# Two, as planned\n" in text and "{solution-start} ex-two-try\n" in text and "LABEL" not in text
    assert toc(house)["The problem"] == [f"chapters/problem/{name}" for name in ("one", "two", "three")]
    assert (house / "manuscript" / "contents.yml").read_text() == PLAN


def test_a_chapter_that_nobody_planned_comes_last_in_its_part(house):
    assert new.write(house, "problem/two-words") == house / "manuscript/problem/two-words.md"
    assert toc(house)["The problem"][-1] == "chapters/problem/two-words"
    assert list(plan(house)["The problem"].items())[-1] == ("problem/two-words", "Two words")


def test_another_title_than_the_planned_one_stands_in_the_plan_too(house):
    assert "\n# Two anew\n" in new.write(house, "problem/two", title="Two anew").read_text("utf8")
    assert plan(house)["The problem"]["problem/two"] == "Two anew"


def test_a_planned_part_stands_before_the_reference_pages(house):
    new.write(house, "practice/the-family")
    assert list(toc(house)) == ["The problem", "In practice", "Reference"]


def test_a_part_that_nobody_planned_comes_last_of_the_plan(house):
    new.write(house, "debugging/first", title="When it goes wrong")
    assert list(toc(house)) == ["The problem", "Debugging", "Reference"]
    assert list(plan(house).items())[-1] == ("Debugging", {"debugging/first": "When it goes wrong"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("problem/one", "problem/one exists; edit manuscript/problem/one.md"),
        ("one", "expected part/chapter, lower-case words joined by hyphens, got 'one'"),
        ("problem/One", "got 'problem/One'"),
        ("../one/two", "got '../one/two'"),
        ("problem/one.md", "got 'problem/one.md'"),
    ],
)
def test_a_name_that_will_not_do_is_refused_and_nothing_is_written(house, name, said):
    with pytest.raises(ValueError, match=r"expected|exists") as error:
        new.write(house, name)
    assert said in str(error.value)
    assert sorted(file.name for file in house.rglob("*.*")) == ["_toc.yml", "contents.yml"]
    assert (house / "manuscript" / "contents.yml").read_text() == PLAN and (house / "_toc.yml").read_text() == TOC
