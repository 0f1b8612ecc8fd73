"""The card of a verdict: what it says, and that every dot stands where its value belongs."""

import math
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnutils import cards, claims
from bnutils.sample import over

STEADY = settings(derandomize=True, deadline=None, database=None, report_multiple_bugs=False)
TEN = np.linspace(0.02, 0.2, 10)
CLOSE = 1.5  # px; the ends of a strip are printed with three digits
BOUNDS = (1e-3, 0.05, 0.1, 0.5, 2.0, 40.0)


def held(relation="<", bound=0.1, values=TEN, kind="bound", **columns):
    """A row; what would be lies far on the side where it is allowed to."""
    far = -1 if relation in ("<", "<=") else 1
    if kind == "bound" and not columns:
        columns = {"perfect": bound + far * 1e6 if far > 0 else -1e6}
    if kind == "proof":
        columns.setdefault("mutant", bound - far * 1e6)
    beside = tuple((name, f"the {name}") for name in columns)
    return claims.held(claims.Condition("q", kind, "a <quantity>", relation, bound, beside), over(values, **columns))


def judgement(*rows, says="The <BN> & so on."):
    claim = claims.Claim("C01", says, ("one",), "part/one", tuple(row.condition for row in rows), (), "Ten networks.")
    return claims.Judgement(claim, tuple(range(rows[0].sample.n)), rows, claims.verdict(rows))


def drawn(row):
    return BeautifulSoup(cards.strip(row), "html.parser").svg


def dots(svg):
    """(x, y, filled) of every dot, the highest first."""
    found = [(float(dot["cx"]), float(dot["cy"]), dot.parent["class"] == ["bn-kept"]) for dot in svg.find_all("circle")]
    return sorted(found, key=lambda dot: dot[1])


def ends(svg):
    """The values printed at the ends of a strip and in its middle."""
    words = [text.text for text in svg.find_all("text") if "bn-mark" not in text.get("class", [])]
    return [float(word.replace("−", "-").split(" ± ")[0]) for word in words]


def expected(value, left, right, *, log):
    """Where a value lies between what is printed at the ends, drawn at an end if it lies beyond."""
    if log:
        share = (math.log(value) - math.log(left)) / (math.log(right) - math.log(left)) if value > 0 else -math.inf
        share = math.copysign(math.inf, left - right) if value <= 0 else share
    else:
        share = (value - left) / (right - left)
    return cards.EDGE + min(max(share, 0), 1) * (cards.WIDTH - 2 * cards.EDGE)


# ------------------------------------------------------------------------------------------------ the strip


@STEADY
@given(
    st.sampled_from(sorted(claims.RELATIONS)),
    st.sampled_from(BOUNDS),
    st.lists(st.floats(-6, 6).map(lambda power: 10**power), min_size=2, max_size=10, unique=True),
    st.lists(st.sampled_from([0.0, -1.0, -5.0]), max_size=2),
)
def test_a_dot_lies_at_the_logarithm_of_value_over_bound(relation, bound, above, below):
    values = above + below
    svg = drawn(held(relation, bound, values))
    left, middle, right = ends(svg)
    assert middle == pytest.approx(bound) and (left > right) == (relation in ("<", "<="))
    assert len(dots(svg)) == len(values)
    for value, (x, _, filled) in zip(values, dots(svg), strict=True):
        assert abs(x - expected(value, left, right, log=True)) < CLOSE
        assert filled == claims.RELATIONS[relation](value, bound)
        assert value == bound or abs(x - cards.WIDTH / 2) < 0.06 or (x > cards.WIDTH / 2) == filled


@STEADY
@given(
    st.sampled_from(sorted(claims.RELATIONS)),
    st.sampled_from([*BOUNDS, 0.0, -0.3, -7.0]),
    st.lists(st.floats(-9, 9), min_size=10, max_size=12, unique=True),
)
def test_a_dot_of_a_difference_lies_in_margins(relation, bound, values):
    assume(np.ptp(values) > 1e-3)
    row = held(relation, bound, values, kind="difference")
    svg = drawn(row)
    left, _, right = ends(svg)
    for value, (x, _, filled) in zip(values, dots(svg), strict=True):
        assert abs(x - expected(value, left, right, log=False)) < CLOSE
        assert filled == claims.RELATIONS[relation](value, bound)
    bar = svg.find("path", class_="bn-interval")["d"]
    low, high = map(float, re.fullmatch(r"M(\S+) \S+H(\S+)", bar).groups())
    places = sorted(expected(end, left, right, log=False) for end in row.sample.interval())
    assert [low, high] == pytest.approx(places, abs=CLOSE)
    inside = {"met": low >= cards.WIDTH / 2 - 0.06, "broken": high <= cards.WIDTH / 2 + 0.06, "open": True}
    assert inside[row.state]


@STEADY
@given(st.sampled_from([-2.0, -0.5, 0.0]), st.lists(st.floats(-9, 9), min_size=2, max_size=10, unique=True))
def test_a_bound_of_zero_or_less_has_a_linear_strip(bound, values):
    svg = drawn(held(">", bound, values))
    left, _, right = ends(svg)
    assert left < bound < right
    for value, (x, *_) in zip(values, dots(svg), strict=True):
        assert abs(x - expected(value, left, right, log=False)) < CLOSE


@STEADY
@given(st.lists(st.floats(-9, 9), min_size=10, max_size=10, unique=True), st.sampled_from(BOUNDS))
def test_the_middle_of_an_equivalence_is_what_is_kept(values, bound):
    assume(np.ptp(values) > 1e-3)
    svg = drawn(held("within", bound, values, kind="equivalence"))
    left, middle, right = ends(svg)
    assert left == -right and middle == 0
    zone = svg.find(class_="bn-zone")
    low, high = float(zone["x"]), float(zone["x"]) + float(zone["width"])
    assert [low, high] == pytest.approx([expected(b, left, right, log=False) for b in (-bound, bound)], abs=CLOSE)
    for value, (x, _, filled) in zip(values, dots(svg), strict=True):
        assert abs(x - expected(value, left, right, log=False)) < CLOSE
        assert filled == (abs(value) < bound)


def test_what_would_be_is_marked_where_it_lies():
    svg = drawn(held("<", 0.1, TEN / 4, chance=[0.2] * 9 + [0.9], perfect=0.02))
    left, _, right = ends(svg)
    lines = {float(re.match("M(\\S+) ", path["d"])[1]) for path in svg.find_all("path", class_="bn-mark")}
    assert sorted(lines) == pytest.approx(
        [expected(value, left, right, log=True) for value in (0.2, 0.02)], abs=CLOSE
    ), "the median of what chance gives, and the perfect value"
    assert [text.text for text in svg.find_all("text", class_="bn-mark")] == ["chance", "perfect"]


def test_a_mutant_has_a_cross_beside_every_dot():
    mutant = np.linspace(0.2, 0.4, 10)
    svg = drawn(held("<", 0.1, TEN / 4, kind="proof", mutant=mutant))
    left, _, right = ends(svg)
    crosses = re.findall(r"M(\S+) (\S+)l5 5", svg.find("path", class_="bn-mutant")["d"])
    assert len(crosses) == 10
    for (x, y), value, (_, height, _) in zip(crosses, mutant, dots(svg), strict=True):
        assert abs(float(x) + 2.5 - expected(value, left, right, log=True)) < CLOSE
        assert float(y) + 2.5 == pytest.approx(height, abs=0.11)


def test_a_strip_says_in_words_what_it_shows():
    assert drawn(held(values=TEN))["aria-label"] == "10 dots, one a seed; 4 keep < 0.1"


def test_nothing_is_drawn_outside_the_strip():
    for values in (TEN, [0.0] * 10, [1e9] * 10, [-1.0] * 10):
        svg = drawn(held(values=values, chance=1e6, perfect=0))
        for x, y, _ in dots(svg):
            assert x - cards.RADIUS >= 0 and x + cards.RADIUS <= cards.WIDTH
            assert y - cards.RADIUS >= 0 and y + cards.RADIUS <= float(svg["height"]) - cards.TICKS


# ------------------------------------------------------------------------------------------------ the card


def card(*rows):
    return BeautifulSoup(cards.card(judgement(*rows)), "html.parser").details


def test_a_closed_card_says_claim_state_and_verdict():
    identity = held("<", 1e-9, [1e-17] * 10, kind="identity")
    small, large, both = held(values=TEN / 4), held(values=TEN * 9), held(values=TEN)
    shown = card(identity, small, large, both)
    assert (shown["id"], shown["class"]) == ("C01", ["bn-claim", "bn-partly"]) and not shown.has_attr("open")
    assert shown.summary.find(class_="bn-claim-says").text == "The <BN> & so on."
    assert shown.summary.find(class_="bn-verdict").text == "◐ partly"
    pips = shown.summary.find(class_="bn-pips")
    assert [pip.text for pip in pips.find_all("i")] == ["●", "○", "◌"], "an identity has no pip"
    assert pips["aria-label"] == "3 conditions: 1 met, 1 broken, 1 open"


def test_an_opened_card_has_a_row_a_condition_and_what_counts_comes_first():
    identity = held("<", 1e-9, [1e-17] * 10, kind="identity")
    shown = card(identity, held("<", 0.1, TEN / 4, chance=0.3, perfect=0), held("<", 0.1, TEN, kind="difference"))
    assert shown.find(class_="bn-claim-run").text == "Ten networks. Judged on 10 seeds, 0 to 9; every dot is one."
    rows = [[cell.get_text(" ") for cell in row.find_all(["th", "td"])] for row in shown.tbody.find_all("tr")]
    for row in rows:
        row[1] = row[1].partition("chance: ")[2]
    assert rows[0] == [
        "a <quantity>  < 0.1",
        "the chance, ≈0.3 perfect: the perfect, ≈0",
        "≈0.0275 [≈0.005, ≈0.05]",
        "10/10 ✓ met clearance  ≈1.1",
    ]
    assert re.fullmatch(r"≈\S+ \[≈\S+, ≈\S+\] mean ≈\S+ 95 % in \[≈\S+, ≈\S+\] p \(mean = 0.1\) ≈\S+", rows[1][2])
    assert rows[1][3] == "? open by the interval 4 of 10 pairs beyond"
    assert rows[2] == ["a <quantity>  < 1e-9", "", "< 1e-9", "10/10 identity : does not count"]
    assert len(shown.find_all("circle")) == 30


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (range(20, 30), "10 seeds, 20 to 29"),
        ((3, 5, 6), "3 seeds, 3, 5, 6"),
        ((5, 4, 3), "3 seeds, 5, 4, 3"),
        ((8, 9), "2 seeds, 8, 9"),
        ((7,), "1 seed, 7"),
    ],
)
def test_a_card_says_which_seeds_judged(numbers, said):
    row = held(values=TEN[: len(numbers)])
    assert cards.seeds(claims.Judgement(judgement(row).claim, tuple(numbers), (row,), "holds")) == said


def test_pairs_are_counted_on_the_side_that_the_condition_wants():
    away = [-0.4, -0.2, 0.05, 0.06, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert cards.keeping(held(">", 0.1, away, kind="difference")) == 6
    assert cards.keeping(held("<", 0.1, away, kind="difference")) == 4
    assert cards.keeping(held("within", 0.1, away, kind="equivalence")) == 2
    assert "; 2 of 10 pairs within" in cards.cells(held("within", 0.1, away, kind="equivalence"))[3]


def test_a_word_that_a_card_explains_has_its_explanation():
    shown = BeautifulSoup(cards.card(judgement(held(kind="proof", values=TEN / 4))), "html.parser")
    found = {each.text.strip("← →"): each["data-card"] for each in shown.select("[data-card]")}
    assert found == {word: cards.HINTS[word] for word in ("broken", "kept", "state", "clearance", "mutant")}


def test_a_card_reads_without_a_style_sheet():
    shown = cards.card(judgement(held(values=TEN), held(values=TEN / 4)))
    assert not re.search(r"style=|#[0-9a-f]{3}\b|<script|\n\n", shown), "no colour of its own; whole in Markdown"
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', shown)) == {"currentColor", "none"}


def test_a_ledger_of_the_whole_book_stays_small():
    """Sixty claims of five conditions and ten seeds: what a reader downloads for them."""
    import gzip

    rng = np.random.default_rng(0)
    whole = "".join(
        cards.card(judgement(*(held(values=rng.lognormal(-2, 1, 10), chance=9, perfect=0) for _ in range(5))))
        for _ in range(60)
    )
    assert whole.count("<circle") == 3000
    assert len(gzip.compress(whole.encode(), 6)) < 100_000
