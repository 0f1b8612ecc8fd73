"""Search works in the page, asks nobody, and finds words, claims and terms."""

import pytest

LIST = "#search-results li"


def results(visit, query):
    opened = visit(f"search.html?q={query}")
    opened.tab.wait_for_selector("#search-results .search-summary, #search-results p", state="attached")
    opened.tab.wait_for_function(
        "() => !document.querySelector('#search-progress')"
        " || /\\S/.test(document.querySelector('#search-results').innerText)"
    )
    opened.tab.wait_for_load_state("networkidle")
    opened.tab.wait_for_timeout(200)
    return opened.run(
        "list => [...document.querySelectorAll(list)].map(each => [each.innerText, each.querySelector('a').href])", LIST
    )


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("standardise", "the-transform.html"),  # a word of a chapter, as it is written
        ("standardised Gaussian", "the-transform.html"),
        ("C03", "the-transform.html"),  # a claim, where it is judged
        ("C03", "ledger.html"),  # and in the ledger
        ("batch statistics", "glossary.html"),  # a term
    ],
)
def test_it_finds(visit, query, page):
    found = results(visit, query)
    assert any(page in address for _, address in found), found


def groups(opened):
    """The headings of the results, in order, each with the text of its first."""
    return opened.run(
        "() => [...document.querySelectorAll('#search-results h3')]"
        ".map(each => [each.innerText, each.nextElementSibling.querySelector('a').innerText])"
    )


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("c03", ["Claims", "C03"]),  # by its number, however it is written
        ("running average", ["Terms", "running averages"]),
        ("batch_norm", ["Chapters", None]),  # what a chapter says of it
    ],
)
def test_what_is_asked_for_by_name_comes_first_and_the_package_last(visit, query, first):
    opened = visit(f"search.html?q={query.replace(' ', '+')}")
    opened.tab.wait_for_selector(LIST)
    found = groups(opened)
    order = ["Claims", "Terms", "Chapters", "The helper package"]
    assert [title for title, _ in found] == [title for title in order if title in dict(found)]
    assert first[0] in dict(found) and first[1] in (None, dict(found)[first[0]])
    if query == "batch_norm":
        assert found[-1][0] == "The helper package"


def test_the_claims_that_are_found_are_on_the_ledger(visit):
    opened = visit("search.html")
    opened.tab.goto(opened.site + "chapters/evidence/ledger.html")
    places = set(opened.run("() => [...document.querySelectorAll('[id]')].map(each => each.id)"))
    opened.tab.goto(opened.site + "search.html")
    claims = opened.run("() => NAMES.filter(each => each.kind === 'claim').map(each => each.href.split('#')[1])")
    assert len(claims) > 50 and set(claims) <= places


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("chapters/problem/deep-networks-fail.html#two-ways-to-fail", "signal-propagation.html#two-ways-to-fail"),
        (
            "chapters/reference/api.html#bnutils.scratch.norm.batch_norm",
            "scratch.norm.html#bnutils.scratch.norm.batch_norm",
        ),
        ("chapters/reference/api.html#bnutils-data", "api/data.html"),
        ("chapters/reference/api.html#engine", "api/exercises.engine.html"),
    ],
)
def test_an_old_address_leads_on(visit, old, new):
    opened = visit(old)
    opened.tab.wait_for_url(f"**/{new}")


def test_it_says_when_there_is_nothing(visit):
    assert results(visit, "zyxwvut") == []


def test_typing_a_word_in_the_side_bar_leads_to_the_results(visit):
    opened = visit("index.html")
    opened.tab.keyboard.press("Control+k")
    opened.tab.keyboard.type("standardise")
    opened.tab.keyboard.press("Enter")
    opened.tab.wait_for_url("**/search.html?q=standardise*")
    opened.tab.wait_for_selector(LIST)
