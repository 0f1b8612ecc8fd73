"""What the ledger says around its cards, and what of it depends on where the book is published."""

from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

from bnutils import cards, claims
from bnutils.sample import over
from press import ledger
from press.manuscript import Page

CARD = '<details class="bn-claim bn-holds" id="C03">\n<div class="bn-claim-body">\n<table></table>\n' + cards.CLOSING


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["holds"], "1 thing people say about batch normalization. 1 judged: 1 holds."),
        (["pending"] * 2, "2 things people say about batch normalization. None is judged yet."),
        (
            ["holds", "holds", "partly", "fails", "fails", "undecided", "pending"],
            "7 things people say about batch normalization. 6 judged so far: 2 hold, 1 holds in part, 2 fail, "
            "1 is undecided.",
        ),
    ],
)
def test_the_tally_is_a_sentence(verdicts, said):
    assert ledger.tally(verdicts) == said


def test_the_example_shows_each_state_and_an_identity():
    card = BeautifulSoup(ledger.example(), "html.parser").details
    assert card.has_attr("open")
    assert [row["class"][0] for row in card.tbody.find_all("tr")] == ["bn-met", "bn-open", "bn-broken", "bn-identity"]
    assert card.find(class_="bn-verdict").text == "◐ partly"


def finished(text, docname, *, base="", **theme):
    """What `finish_cards` makes of a page with this raw HTML."""
    return finished_tree(nodes.section("", nodes.raw("", text, format="html")), docname, base=base, **theme).astext()


def finished_tree(tree, docname, *, base="", **theme):
    builder = SimpleNamespace(get_relative_uri=lambda here, there: "../evidence/ledger.html")
    app = SimpleNamespace(
        config=SimpleNamespace(html_baseurl=base, html_theme_options=theme),
        env=SimpleNamespace(found_docs={ledger.NAME, docname}),
        builder=builder,
    )
    ledger.finish_cards(app, tree, docname)
    return tree


def test_the_card_of_a_chapter_leads_to_its_row():
    card = BeautifulSoup(finished(CARD, "chapters/algorithm/the-transform"), "html.parser")
    foot = card.details.find(class_="bn-claim-body").find(class_="bn-claim-foot")
    assert [link["href"] for link in foot.find_all("a")] == [
        "../evidence/ledger.html#claim-c03",
        "../evidence/ledger.html#how-to-read-a-card",
    ]


def test_other_html_of_a_chapter_stays_as_it_is():
    assert finished('<a href="x.ipynb#a">', "chapters/a/b") == '<a href="x.ipynb#a">'


def test_links_of_the_ledger_lead_to_pages():
    text = '<a href="../a/b.ipynb#C03">b</a> <a class="c" href="../d.md#e">d</a> <a href="https://x.org/y.md#z">y</a>'
    assert [link["href"] for link in BeautifulSoup(finished(text, ledger.NAME), "html.parser").find_all("a")] == [
        "../a/b.html#judges-c03",
        "../d.html#e",
        "https://x.org/y.md#z",
    ]


def test_a_published_book_is_cited_and_disputed_at_its_address():
    text = '<a class="bn-dispute" data-claim="C03" href="n.md#d">Dispute</a> @misc{bn-measured-C03,\n  year = {2031}\n}'
    plain = finished(text, ledger.NAME, repository_url="https://host.example/a/b")
    assert "url" not in plain and "host.example" not in plain, "an address that nobody has set"
    full = finished(
        text,
        ledger.NAME,
        base="https://book.example/",
        repository_url="https://host.example/a/b",
        use_repository_button=True,
    )
    address = "https://book.example/chapters/evidence/ledger.html#claim-c03"
    assert f"@misc{{bn-measured-C03,\n  year = {{2031}},\n  url = {{{address}}}\n}}" in full
    address = urlsplit(BeautifulSoup(full, "html.parser").find_all("a")[1]["href"])
    assert f"{address.netloc}{address.path}" == "host.example/a/b/issues/new"
    asked = parse_qs(address.query)
    assert asked["title"] == ["Verdict on C03"] and asked["body"][0].startswith("The verdict on C03 is wrong because")


def test_a_row_says_what_fell_and_how_to_cite(tmp_path):
    """Without CITATION.cff there is nothing to cite; with it, its version stands in the citation."""
    condition = claims.Condition("q", "bound", "a quantity", "<", 0.1, (("chance", "a coin"),))
    fallen = (("holds", "2026-01-02", "A <b> was wrong."), ("fails", "2026-02-03", "It was."))
    claim = claims.Claim("C01", "It rises.", ("one", "two"), "part/one", (condition,), fallen)
    row = claims.held(condition, over([0.01, 0.02], chance=1))
    judgement = claims.Judgement(claim, (0, 1), (row,), "holds")
    page = Page("evidence/ledger", None, None, tmp_path, (), "")
    assert "Cite" not in "".join(ledger.entry(page, judgement, "part/one", ledger.citation(tmp_path)))
    (tmp_path / "CITATION.cff").write_text(
        'title: "A Book"\nversion: 3.2.1\ndate-released: "2031-01-01"\n'
        "authors: [{given-names: Ada, family-names: Byron}, {name: Others}]\n"
    )
    text = "\n".join(ledger.entry(page, judgement, "part/one", ledger.citation(tmp_path)))
    assert "Ada Byron and Others (2031). A Book, version 3.2.1, as of 2031-01-01. " in text
    assert " Claim C01, verdict: holds (since 2026-02-03)." in text
    assert 'href="../part/one.ipynb#C01"' in text
    assert "Overturned: until 2026-01-02 by other conditions: <em>holds</em>. A &lt;b&gt; was wrong." in text
    assert "Overturned: until 2026-02-03 the verdict was <em>fails</em>. It was." in text
    assert "would read <em>undecided</em> if the bound of “a quantity” were ≈0.019 instead of 0.1." in text
    assert "the book's wording" in text and "verified" not in text


def test_a_verdict_younger_than_the_release_is_cited_as_of_its_day():
    book = {"title": "A Book", "version": "3.2.1", "date-released": "2030-12-31", "authors": [{"name": "Others"}]}
    condition = claims.Condition("q", "bound", "a quantity", "<", 0.1, (("chance", "a coin"),))
    claim = claims.Claim("C01", "It rises.", ("one",), "part/one", (condition,), (("fails", "2031-01-01", "It was."),))
    judgement = claims.Judgement(claim, (0,), (claims.held(condition, over([0.01], chance=1)),), "holds")
    said = ledger.cite(judgement, book)
    assert "(2031). A Book, version 3.2.1, as of 2031-01-01. " in said and "2030" not in said


def test_a_row_quotes_its_source_and_says_what_is_not_verified():
    sources = {"one": {"note": "Article A. Address and author not verified"}, "two": {"note": "Undated"}, "three": {}}
    given = ("C01", "It rises.", ("one", "two", "three"), "part/one", ())
    said = ledger.words(claims.Claim(*given), sources)
    assert (
        said == "The sentence is the book's wording, not a quotation. "
        "Could not be verified: {cite:t}`one` (address and author)."
    )
    quoted = ledger.words(claims.Claim(*given, quoted=("two", "it went up")), sources)
    assert quoted.startswith("In the words of {cite:t}`two`: “it went up” Could not be verified")


def test_a_source_has_a_name_that_people_read(tmp_path):
    (tmp_path / "references.bib").write_text(
        "@misc{a, author = {Pal, Ada and Byron, B. and Doe}, title = {{Batch} of tf.batch\\_norm}, year = {2019}}\n"
        "@misc{b, author = {{The Company, Inc.}}, title = {One}}\n"
    )
    found = ledger.bibliography(tmp_path)
    assert ledger.named(found["a"]) == "Pal et al. (2019), Batch of tf.batch_norm"
    assert ledger.named(found["b"]) == "The Company, Inc. (n.d.), One"


def test_the_cell_that_judges_has_an_anchor():
    raw = nodes.raw("", CARD, format="html")
    cell = nodes.container("", nodes.container("", raw), nb_element="cell_code")
    finished_tree(nodes.section("", cell), "chapters/a/b")
    assert cell["ids"] == ["judges-c03"]
