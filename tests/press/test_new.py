"""`press new`: the chapter, its line in the contents, its link on the landing page."""

import pytest
import yaml

from press import new

TOC = """root: index # a comment
parts:
  - caption: The problem
    chapters:
      - file: chapters/problem/one
  - caption: Reference
    chapters:
      - file: chapters/reference/notation
"""
START = """# Start

1. [One](chapters/problem/one.ipynb): what it is
2. The family: layer norm and others (to come)
3. PyTorch: modules (to come)

Text.

1. The family: which entries (to come)
"""


@pytest.fixture
def house(tmp_path):
    (tmp_path / "manuscript").mkdir()
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "manuscript" / "index.md").write_text(START)
    return tmp_path


def contents(house):
    text = (house / "_toc.yml").read_text()
    assert text.startswith("root: index # a comment\n")
    return {part["caption"]: [each["file"] for each in part["chapters"]] for part in yaml.safe_load(text)["parts"]}


def start(house):
    return (house / "manuscript" / "index.md").read_text()


def test_a_chapter_comes_last_in_its_part(house):
    source = new.write(house, "problem/two-words")
    text = source.read_text("utf8")
    assert source == house / "manuscript/problem/two-words.md"
    assert "\n# Two words\n" in text and "{solution-start} ex-two-words-try\n" in text and "LABEL" not in text
    assert contents(house)["The problem"] == ["chapters/problem/one", "chapters/problem/two-words"]
    assert (
        "1. [One](chapters/problem/one.ipynb): what it is\n2. [Two words](chapters/problem/two-words.ipynb)\n3. The"
        in start(house)
    )
    assert "4. PyTorch: modules (to come)\n\nText." in start(house)


def test_a_new_part_comes_last(house):
    new.write(house, "in-practice/debugging", title="When it goes wrong")
    assert list(contents(house).items())[-1] == ("In practice", ["chapters/in-practice/debugging"])
    assert "4. [When it goes wrong](chapters/in-practice/debugging.ipynb)\n\nText." in start(house)


def test_an_announced_chapter_is_linked_where_it_was_announced(house):
    new.write(house, "practice/the-family")
    link = "[The family](chapters/practice/the-family.ipynb)"
    assert f"2. {link}: layer norm and others\n3. PyTorch" in start(house)
    assert f"\n1. {link}: which entries\n" in start(house)


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
    assert sorted(file.name for file in house.rglob("*.*")) == ["_toc.yml", "index.md"]
    assert start(house) == START and (house / "_toc.yml").read_text() == TOC
