"""`press.site.prune` leaves out what no page can match, and nothing else."""

import pytest

from press.site import prune

NAMES = {"page", "open", "md:flex", "top"}


@pytest.mark.parametrize(
    ("css", "left"),
    [
        ("p { color: red }", "p{color: red}"),
        (".page { color: red }", ".page{color: red}"),
        (".other { color: red }", ""),
        (".page, .other > b { color: red }", ".page{color: red}"),
        (".page .other { color: red }", ""),
        ("#top.page { color: red }", "#top.page{color: red}"),
        ("#bottom { color: red }", ""),
        (r".md\:flex { color: red }", r".md\:flex{color: red}"),
        (".page:not(.other) { color: red }", ".page:not(.other){color: red}"),
        (":is(.other, .page) i { color: red }", ":is(.other, .page) i{color: red}"),
        ('[class*=".other"] { color: red }', '[class*=".other"]{color: red}'),
        ("@media print { .other { color: red } }", ""),
        ("@media print { .page { color: red } .other { color: red } }", "@media print {.page{color: red}}"),
        ("@supports (gap: 0) { @media print { .other { color: red } } }", ""),
        ("@keyframes other { from { top: 0 } }", "@keyframes other { from { top: 0 } }"),
        ("@font-face { font-family: other }", "@font-face { font-family: other }"),
        ("/* .other */ b { color: red }", "b{color: red}"),
    ],
)
def test_a_rule_stays_when_a_page_can_match_it(css, left):
    assert prune.prune(css, NAMES)[0] == left


def test_what_rules_waited_for_is_told():
    css = ".page .other, #bottom { top: 0 } @media print { .third { top: 0 } } .page { top: 0 }"
    assert prune.prune(css, NAMES)[1] == {"other", "bottom", "third"}


def test_names_come_from_pages_and_scripts(tmp_path):
    (tmp_path / "page.html").write_text('<p class="one two" id="three" title="four">five</p>', "utf8")
    (tmp_path / "page.js").write_text('each.classList.add("six"); each.className = `seven ${eight}`;', "utf8")
    assert prune.names_of([tmp_path / "page.html"]) == {"one", "two", "three"}
    assert {"six", "seven"} <= prune.words_of([tmp_path / "page.js"])
