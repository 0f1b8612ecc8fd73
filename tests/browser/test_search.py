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


def test_it_says_when_there_is_nothing(visit):
    assert results(visit, "zyxwvut") == []


def test_typing_a_word_in_the_side_bar_leads_to_the_results(visit):
    opened = visit("index.html")
    opened.tab.keyboard.press("Control+k")
    opened.tab.keyboard.type("standardise")
    opened.tab.keyboard.press("Enter")
    opened.tab.wait_for_url("**/search.html?q=standardise*")
    opened.tab.wait_for_selector(LIST)
