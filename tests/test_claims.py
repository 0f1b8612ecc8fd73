"""The claims file, the verdict rule, and what a judgement shows and records."""

import contextlib
import json
import re
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnutils import claims

STEADY = settings(derandomize=True, deadline=None, database=None, report_multiple_bugs=False)
IDS = [f"C{n:02}" for n in range(1, 26)] + [f"P{n:02}" for n in range(1, 37)]
SANITISED = re.compile(r"≈\s?[-−+0-9.e%]+")  # what a strict comparison of outputs leaves out

ROW = {
    "id": "C01",
    "says": "The <BN> & so on.",
    "sources": ["ioffe2015"],
    "chapter": "evidence/why-it-works",
    "conditions": [
        {"quantity": "residue", "what": "largest |mean|", "bound": "< 1e-9", "kind": "exact"},
        {"quantity": "law", "what": "ratio to the law", "bound": ">= 0.5", "kind": "exact"},
        {"quantity": "gain", "what": "paired gain", "bound": "> 0.1", "kind": "measured"},
    ],
}
SEEDS = [0, 1, 2, 3]
GOOD = {"residue": [1e-17, 0.0, 3e-16, 2e-16], "law": [0.5, 0.75, 1.0, 1.25], "gain": np.array([0.2, 0.3, 0.4, 0.12])}


@contextlib.contextmanager
def written(*rows):
    """A claims file of these rows in place of the book's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "claims.yml")
        path.write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
        with mock.patch.object(claims, "PATH", path):
            yield


def judged(**values):
    with written(ROW):
        return claims.judge("C01", seeds=SEEDS, **GOOD | values)


# --- The file --------------------------------------------------------------------------------------------------------


def test_the_book_has_a_row_for_every_claim():
    assert list(claims.load()) == IDS


def test_every_row_is_a_sentence_with_its_sources_and_a_chapter():
    for claim in claims.load().values():
        assert claim.says[0].isupper() and claim.says.endswith("."), claim.id
        assert claim.sources and len(set(claim.sources)) == len(claim.sources), claim.id
        assert re.fullmatch(r"(problem|algorithm|evidence|practice)/[a-z-]+", claim.chapter), claim.id
        from_articles = all(source.startswith("article-") for source in claim.sources)
        assert from_articles == claim.id.startswith("C"), claim.id


@pytest.mark.parametrize(
    "change, says",
    [
        ({"says": None, "sentence": "A."}, "expected the keys"),
        ({"conditions": [{"quantity": "a", "what": "b", "bound": "< 1"}]}, "C01: a condition: expected the keys"),
        ({"conditions": ["residue < 1"]}, "C01: a condition: expected the keys"),
    ],
)
def test_a_row_with_other_keys_is_refused(change, says):
    row = {key: value for key, value in (ROW | change).items() if value is not None}
    with written(row), pytest.raises(ValueError, match=says):
        claims.load()


@pytest.mark.parametrize(
    "change, says",
    [
        ({"bound": "1e-9"}, "C01: expected a bound like '< 1e-9', .* got '1e-9'"),
        ({"bound": "== 1"}, "C01: expected a bound"),
        ({"bound": "< small"}, "C01: expected a bound"),
        ({"bound": "< inf"}, "C01: expected a bound"),
        ({"kind": "guessed"}, "C01: expected the kind 'exact' or 'measured', got 'guessed'"),
        ({"quantity": "two words"}, r"C01: expected a quantity that can be a keyword of judge\(\), got 'two words'"),
        ({"quantity": "seeds"}, "C01: expected a quantity that can be a keyword"),
        ({"quantity": "law"}, "C01: expected each quantity once"),
    ],
)
def test_a_condition_that_cannot_be_judged_is_refused(change, says):
    conditions = [ROW["conditions"][0] | change, *ROW["conditions"][1:]]
    with written(ROW | {"conditions": conditions}), pytest.raises(ValueError, match=says):
        claims.load()


def test_an_id_stands_once():
    with written(ROW, ROW), pytest.raises(ValueError, match="C01 stands twice"):
        claims.load()


# --- The rule --------------------------------------------------------------------------------------------------------


@STEADY
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)))
def test_verdict_holds_if_all_fails_if_none_and_is_partly_otherwise(met):
    expected = {0: "fails", met.size: "holds"}.get(int(met.sum()), "partly")
    assert claims.verdict(met) == expected
    assert claims.verdict(met.T) == expected  # the rule knows entries, not which of them are seeds


def test_verdict_in_the_cases_that_separate_any_from_all():
    assert claims.verdict([[True, True], [True, True]]) == "holds"
    assert claims.verdict([[True, True], [True, False]]) == "partly"
    assert claims.verdict([[True, True], [False, False]]) == "partly"
    assert claims.verdict([[False, False], [False, True]]) == "partly"
    assert claims.verdict([[False, False], [False, False]]) == "fails"


@pytest.mark.parametrize("nothing", [[], [[]], np.zeros((0, 3)), np.zeros((3, 0))])
def test_nothing_is_no_verdict(nothing):
    with pytest.raises(ValueError, match="expected at least one condition and one seed"):
        claims.verdict(nothing)


@STEADY
@given(st.sampled_from(list(claims.RELATIONS)), st.lists(st.integers(-3, 3), min_size=1, max_size=5))
def test_each_relation_means_what_it_says(relation, values):
    row = ROW | {"conditions": [{"quantity": "x", "what": "x", "bound": f"{relation} 0", "kind": "measured"}]}
    with written(row):
        judgement = claims.judge("C01", seeds=range(len(values)), x=values)
    expected = [{"<": v < 0, "<=": v <= 0, ">": v > 0, ">=": v >= 0}[relation] for v in values]
    assert list(judgement.rows[0].met) == expected
    assert judgement.verdict == claims.verdict([expected])
    margin = judgement.rows[0].margin
    assert (margin is None) == (len(set(values)) == 1)
    if margin:  # exactly on the bound, < and <= differ and the margin is 0
        assert (margin > 0) == all(expected)


# --- A judgement -----------------------------------------------------------------------------------------------------


def test_a_row_sums_up_the_seeds():
    law = judged().rows[1]
    assert (law.median, law.lowest, law.highest, law.spread, law.margin) == (0.875, 0.5, 1.25, 0.75, 0.0)
    assert law.met == (True, True, True, True)


def test_margin_is_the_worst_seed_in_units_of_the_spread():
    assert judged(gain=[0.2, 0.3, 0.4, 0.6]).rows[2].margin == pytest.approx((0.2 - 0.1) / 0.4)
    assert judged(gain=[0.2, 0.3, 0.4, 0.0]).rows[2].margin == pytest.approx((0.0 - 0.1) / 0.4)
    assert judged(residue=[0, 1, 2, 4]).rows[0].margin == pytest.approx((1e-9 - 4) / 4)
    assert judged(gain=[0.3, 0.3, 0.3, 0.3]).rows[2].margin is None
    assert judged(gain=[0.3, 0.1 + 0.2, 0.3, 0.3]).rows[2].margin is None  # equal but for the last bit


def test_verdicts_of_judgements():
    assert judged().verdict == "holds"
    assert judged(gain=[0.2, 0.3, 0.4, 0.1]).verdict == "partly"
    assert judged(residue=[1, 1, 1, 1], law=[0, 0, 0, 0], gain=[0, 0, 0, 0]).verdict == "fails"


def test_the_record_is_json_and_complete():
    record = json.loads(json.dumps(judged().record(), allow_nan=False))
    assert (record["claim"], record["verdict"], record["seeds"]) == ("C01", "holds", SEEDS)
    assert (record["says"], record["sources"], record["chapter"]) == (ROW["says"], ROW["sources"], ROW["chapter"])
    gain = record["conditions"][2]
    assert gain == {
        "quantity": "gain",
        "what": "paired gain",
        "relation": ">",
        "bound": 0.1,
        "kind": "measured",
        "values": [0.2, 0.3, 0.4, 0.12],
        "median": 0.25,
        "lowest": 0.12,
        "highest": 0.4,
        "spread": 0.28,
        "margin": pytest.approx(0.02 / 0.28),
        "met": [True] * 4,
    }
    assert judged(law=[1, 1, 1, 1]).record()["conditions"][1]["margin"] is None


def test_the_rows_come_back_from_the_record():
    record = json.loads(json.dumps(judged(law=[1, 1, 1, 1]).record()))
    for row, back in zip(judged(law=[1, 1, 1, 1]).rows, claims.rows_of(record), strict=True):
        assert claims.cells(back) == claims.cells(row)
        assert (back.condition, back.median, back.margin) == (row.condition, row.median, row.margin)


def test_the_ledger_is_told_the_spread_too():
    assert [claims.cells(row)[4] for row in judged().rows] == ["rounding", "0.75", "≈0.28"]
    assert [claims.cells(row)[4] for row in judged(law=[1] * 4, gain=[1] * 4).rows] == ["rounding", "none", "none"]


def test_the_card_says_claim_verdict_conditions_and_numbers():
    bundle = judged()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", claims.MIME}
    assert bundle[claims.MIME] == judged().record()
    card = BeautifulSoup(bundle["text/html"], "html.parser")
    assert card.div["class"] == ["bn-claim", "bn-holds"]
    assert [p.text for p in card.find_all("p")] == ["C01 · holds", "The <BN> & so on."]
    table = [[cell.text for cell in row.find_all(["th", "td"])] for row in card.find_all("tr")]
    assert table == [
        ["condition", "median [lowest, highest]", "seeds met", "margin"],
        ["largest |mean| < 1e-9", "< 1e-9", "4/4", "rounding"],
        ["ratio to the law >= 0.5", "0.875 [0.5, 1.25]", "4/4", "0"],
        ["paired gain > 0.1", "≈0.25 [≈0.12, ≈0.4]", "4/4", "≈0.071"],
    ]
    assert not re.search(r"style=|color|#[0-9a-f]{3}", bundle["text/html"])


def test_the_plain_text_says_the_same():
    assert judged(gain=[0.2, 0.3, 0.4, 0.1])._repr_mimebundle_()["text/plain"].splitlines() == [
        "C01 · partly",
        "The <BN> & so on.",
        "- largest |mean| < 1e-9: < 1e-9; seeds met 4/4; margin rounding",
        "- ratio to the law >= 0.5: 0.875 [0.5, 1.25]; seeds met 4/4; margin 0",
        "- paired gain > 0.1: ≈0.25 [≈0.1, ≈0.4]; seeds met 3/4; margin ≈0",
    ]


def distinct(low, high):
    return st.lists(st.floats(low, high), min_size=4, max_size=4).filter(
        lambda values: max(values) - min(values) > 1e-6
    )


@STEADY
@given(st.one_of(*(st.tuples(distinct(*side), distinct(*side)) for side in [(0.11, 1e6), (-1e6, 0.09)])))
def test_what_is_compared_strictly_is_the_same_on_another_machine(gains):
    """Measured values and rounding errors may differ; the seeds met are the same, so all but the ≈ numbers is the same."""
    here = judged(gain=gains[0])
    there = judged(gain=gains[1], residue=[5e-10, 0.0, 1e-16, 0.0], law=[v * (1 + 1e-15) for v in GOOD["law"]])
    for mime in ("text/plain", "text/html"):
        one, other = (SANITISED.sub("≈", judgement._repr_mimebundle_()[mime]) for judgement in (here, there))
        assert one == other
    for one, other in zip(here.rows, there.rows):
        one, other = ([SANITISED.sub("≈", cell) for cell in claims.cells(row)] for row in (one, other))
        assert one == other


def test_exact_numbers_of_the_card():
    """A rounding error prints as its bound; a failed one, or any other exact number, with three digits."""

    def shown(**values):
        html = judged(**values)._repr_mimebundle_()["text/html"]
        return [cell.text for cell in BeautifulSoup(html, "html.parser").find_all("td")]

    assert shown(residue=[0.25, 0.25, 1e-16, 0.5])[0] == "0.25 [< 1e-9, 0.5]"
    assert shown(law=[0.123456] * 4)[3:6] == ["0.123", "0/4", "no spread"]
    assert shown(law=[1e-17, -1e-17, 0, 2])[3] == "0 [0, 2]"
    assert shown(law=[-0.25, 0.25, 0.5, -2e-7])[3:6] == ["0.125 [−0.25, 0.5]", "1/4", "−1"]
    assert shown(law=[-2e-7] * 4)[3] == "−2e-7"
    assert shown(law=[2e-7, 1e10, 2e-7, 2e-7])[3] == "2e-7 [2e-7, 1e10]"


def test_an_exact_number_under_an_ordinary_bound_is_shown():
    row = ROW | {"conditions": [{"quantity": "x", "what": "x", "bound": "< 0.5", "kind": "exact"}]}
    with written(row):
        judgement = claims.judge("C01", seeds=[0, 1], x=[0.25, 0.125])
    assert "x < 0.5: 0.188 [0.125, 0.25]; seeds met 2/2; margin 2" in judgement._repr_mimebundle_()["text/plain"]


def test_a_judgement_stands():
    judgement = judged()
    for part, field in [
        (judgement, "verdict"),
        (judgement.claim, "says"),
        (judgement.rows[0], "met"),
        (judgement.rows[0].condition, "bound"),
    ]:
        with pytest.raises(AttributeError):
            setattr(part, field, None)


@pytest.mark.parametrize(
    "call, says",
    [
        (
            lambda: claims.judge("C99", seeds=SEEDS, **GOOD),
            "expected the id of a claim in claims.yml, from C01 to C02, got 'C99'",
        ),
        (lambda: claims.judge("C02", seeds=SEEDS), "C02 has no conditions yet, .* write them in claims.yml first"),
        (lambda: claims.judge("C01", seeds=SEEDS, residue=[0] * 4), r"missing \['gain', 'law'\], not asked for \[\]"),
        (lambda: claims.judge("C01", seeds=SEEDS, **GOOD, more=[0] * 4), r"missing \[\], not asked for \['more'\]"),
        (
            lambda: claims.judge("C01", seeds=[0, 1, 2], **GOOD),
            r"residue: expected a 1-D array of shape \(3,\), one value a seed, got \(4,\)",
        ),
        (
            lambda: claims.judge("C01", seeds=SEEDS, **GOOD | {"gain": np.ones((4, 1))}),
            r"gain: expected .* got \(4, 1\)",
        ),
        (lambda: claims.judge("C01", seeds=SEEDS, **GOOD | {"gain": np.float64(1)}), r"gain: expected .* got \(\)"),
        (
            lambda: claims.judge("C01", seeds=SEEDS, **GOOD | {"gain": [1, np.nan, 1, 1]}),
            "gain: expected finite values, got .*nan",
        ),
        (
            lambda: claims.judge("C01", seeds=[0, 1, 1, 2], **GOOD),
            r"expected one or more seeds, each once, got \[0, 1, 1, 2\]",
        ),
        (lambda: claims.judge("C01", seeds=[], **GOOD), r"expected one or more seeds, each once, got \[\]"),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with written(ROW, ROW | {"id": "C02", "conditions": []}), pytest.raises(ValueError, match=says):
        call()
