"""The shape of every page keeps the limits of press/page_shape.json, and a page that breaks one is reported."""

import pytest

from conftest import HTML
from press import shape

PLAIN = dict.fromkeys(shape.LIMITS["all"], 0)
# a page that breaks one limit each; PAD is a stretch of height
PAD = '<div style="height:{}px"></div>'
FIGURE = '<figure class="bn-figure"><div style="height:100px">drawn</div></figure>'
CODE = '<div class="cell"><div class="cell_input"><pre style="margin:0">{}</pre></div></div>'
LONG = PAD.format(2100) + FIGURE + PAD.format(2100)
OUTPUT = '<div class="cell_output"><div style="height:{}px">said</div></div>'
PLANTED = {
    "first_figure_screens": PAD.format(2000) + FIGURE,
    "longest_gap_screens": FIGURE + PAD.format(4700),
    "code_share": FIGURE + CODE.format("a\n" * 15) + PAD.format(400),
    "output_share": FIGURE + OUTPUT.format(200) + PAD.format(1000),
    "longest_open_cell": FIGURE + CODE.format("a\n" * 33) + LONG,
    "open_cells_over_16": FIGURE + CODE.format("a\n" * 17) * 2 + LONG,
    "bookkeeping_lines_open": FIGURE + CODE.format("assert True") + PAD.format(900),
    "number_blocks_open": FIGURE + '<pre class="bn-numbers">a = 1</pre>' + PAD.format(900),
    "characters_a_line": FIGURE + f"<section><p style='font:8px/10px monospace'>{'word ' * 100}</p></section>",
    "screens": (FIGURE + PAD.format(4000)) * 5,
}
KEPT = {
    "the sections that are aside": "<section><h2>Exercises</h2>" + CODE.format("assert True\n" * 40) + "</section>",
    "a closed bar": f"<details class='bn-bar'><summary>bar</summary>{CODE.format('assert True')}</details>",
    "a figure behind a prediction": f"<div class='bn-predict'>Guess<div style='display:none'>{FIGURE}</div></div>",
}


def found(browser, tmp_path, body):
    (tmp_path / "planted.html").write_text(
        f"<!doctype html><body style='margin:0'><main><article class='bd-article'>{body}</article></main>", "utf8"
    )
    return shape.measure(browser, f"file://{tmp_path}/", ["planted.html"])["planted.html"]


@pytest.mark.parametrize("page", shape.chapters(HTML))
def test_a_page_keeps_its_shape(browser, site, page):
    faults = shape.over(page, shape.measure(browser, site, [page])[page])
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("field", shape.LIMITS["all"])
def test_a_page_that_breaks_a_limit_is_reported(browser, tmp_path, field):
    faults = shape.over("planted.html", found(browser, tmp_path, PLANTED[field]))
    assert [line.split()[1] for line in faults] == [field]


@pytest.mark.parametrize("what", KEPT)
def test_what_does_not_lie_open_does_not_count(browser, tmp_path, what):
    body = KEPT[what] + ("" if "prediction" in what else FIGURE) + PAD.format(900)
    assert shape.over("planted.html", found(browser, tmp_path, body)) == []


def test_a_page_may_have_a_limit_of_its_own_and_an_old_one_none(monkeypatch):
    broken = PLAIN | {"screens": 23}
    (said,) = shape.over("chapters/part/one.html", broken)
    assert said.startswith("chapters/part/one.html: screens is 23, the limit 22; ")
    monkeypatch.setitem(shape.LIMITS["pages"], "part/one", {"screens": 23, "why": "a list of errors"})
    assert shape.over("chapters/part/one.html", broken) == []
    monkeypatch.setitem(shape.LIMITS["old"], "part/two", "not rewritten")
    assert shape.over("chapters/part/two.html", broken) == []


def test_every_exemption_is_of_a_page_that_is_there_and_has_a_reason():
    names = {shape.name_of(page) for page in shape.chapters(HTML)}
    assert shape.LIMITS["pages"].keys() | shape.LIMITS["old"].keys() <= names
    assert all(own["why"].strip() for own in shape.LIMITS["pages"].values())
    assert all(why.strip() for why in shape.LIMITS["old"].values())
