"""What the press writes into the first page: chapters, counts and verdicts."""

import re
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from bnutils import claims
from bnutils.sample import over
from press import landing
from press.contents import Chapter, Contents
from press.manuscript import Page


def test_what_is_planned_is_one_line_a_part(tmp_path):
    page = Page("index", None, tmp_path / "index.md", tmp_path, (), "")
    text = Page("one/a", None, tmp_path / "chapters" / "one" / "a.md", tmp_path, (), "Words.")
    written = Chapter("one/a", "A", "says a", (), "One", True)
    planned = [Chapter(f"{part}/{name}", name.upper(), "says", (), part.title(), False) for part, name in PLANNED]
    said = landing.chapters(page, Contents((written, *planned)), [text])
    assert "- [A](chapters/one/a.md): says a\n\nPlanned: B; C.\n" in said
    assert said.count("Planned:") == 2 and "Planned: D." in said and "●" not in said and "○" not in said


PLANNED = [("one", "b"), ("one", "c"), ("two", "d")]


@pytest.fixture
def judge(monkeypatch):
    def write(*columns, plain="", kind="bound"):
        given = [claims.Condition(f"q{i}", kind, "it", "<", 0.1, (), plain) for i in range(len(columns))]
        rows = tuple(claims.held(each, over(values)) for each, values in zip(given, columns, strict=True))
        claim = claims.Claim("C01", "It <rises>.", (), "one/a", tuple(given), ())
        judgement = claims.Judgement(claim, (0, 1), rows, claims.verdict(rows))
        monkeypatch.setattr(landing.claims, "restore", lambda record, known: judgement)
        text = landing.verdicts(["C01"], {"C01": claim}, {"C01": ("one/a", {})})
        return BeautifulSoup(text, "html.parser").select_one(".bn-saying-strip")

    return write


def test_a_verdict_counts_its_conditions_and_says_one_in_plain_words(judge):
    strip = judge([0.01, 0.02], [0.2, 0.3], plain="It is less than a tenth.")
    counted, said = (each.text for each in strip.find_all("p"))
    assert counted == "1 of 2 conditions met"
    assert said == "One of them, broken: It is less than a tenth. Logarithmic scale."
    assert judge([0.01, 0.2], [0.2, 0.3]).p.text == "0 of 2 conditions met, 1 open"


def test_a_condition_without_plain_words_is_said_as_its_card_says_it(judge):
    assert judge([0.01, 0.02]).find_all("p")[1].text.startswith("It, met: it < 0.1")


def test_the_counts_are_large_and_name_each_verdict():
    known = {name: SimpleNamespace() for name in ("C01", "C02", "C03", "C04")}
    judged = {
        name: ("one/a", {"verdict": word}) for name, word in (("C01", "holds"), ("C02", "holds"), ("C03", "fails"))
    }
    shown = BeautifulSoup(landing.tally(known, judged), "html.parser")
    assert [each.text for each in shown.find_all("b")] == ["4", "3"] and "judged so far" in shown.text
    assert [each.text for each in shown.select(".bn-verdict")] == ["✓ 2 hold", "✕ 1 fails"]
    assert not re.search("so far", landing.tally({"C01": 1}, {"C01": judged["C01"]}))
