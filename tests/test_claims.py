"""The claims file, the verdict rule, what is refused as decided beforehand, and what a judgement shows and records."""

import configparser
import contextlib
import json
import math
import re
import tempfile
from itertools import product
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bnutils import claims
from bnutils.sample import over

ROOT = Path(__file__).resolve().parents[1]
STEADY = settings(derandomize=True, deadline=None, database=None, report_multiple_bugs=False)
IDS = [f"C{n:02}" for n in range(1, 26)] + [f"P{n:02}" for n in range(1, 37)]

CONDITIONS = [
    {"quantity": "residue", "kind": "identity", "what": "largest |mean|", "bound": "< 1e-9"},
    {
        "quantity": "share",
        "kind": "bound",
        "what": "share of it",
        "bound": "> 0.5",
        "chance": "a coin",
        "perfect": "all",
    },
    {"quantity": "gain", "kind": "difference", "what": "paired gain", "bound": "> 0.1"},
    {"quantity": "cost", "kind": "equivalence", "what": "paired cost", "bound": "within 0.5"},
]
ROW = {
    "id": "C01",
    "says": "The <BN> & so on.",
    "sources": ["ioffe2015"],
    "chapter": "evidence/why-it-works",
    "conditions": CONDITIONS,
}
SEEDS = list(range(10))
RNG = np.random.default_rng(0)
GOOD = {
    "residue": np.full(10, 1e-17),
    "share": over(np.linspace(0.6, 0.9, 10), chance=0.4, perfect=1),
    "gain": RNG.normal(0.4, 0.1, 10),
    "cost": RNG.normal(0, 0.1, 10),
}
BAD = {"share": over(np.linspace(0.1, 0.2, 10), chance=0.4, perfect=1), "gain": -GOOD["gain"], "cost": 3 + GOOD["cost"]}
UNSURE = {
    "share": over(np.linspace(0.4, 0.7, 10), chance=0.4, perfect=1),
    "gain": RNG.normal(0.1, 1, 10),
    "cost": 9 * GOOD["cost"],
}
PROOF = ROW | {
    "conditions": [
        {
            "quantity": "law",
            "kind": "proof",
            "what": "error of the law",
            "bound": "< 0.1",
            "theorem": "by hand",
            "mutant": "half",
        },
        CONDITIONS[2],
    ]
}


@contextlib.contextmanager
def written(*rows):
    """A claims file of these rows in place of the book's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "claims.yml")
        path.write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
        with mock.patch.object(claims, "PATH", path):
            yield


def judged(row=ROW, seeds=SEEDS, **values):
    with written(row):
        return claims.judge("C01", seeds=seeds, **values or GOOD)


def sanitised(text):
    """What a strict comparison of outputs compares."""
    rules = configparser.ConfigParser(interpolation=None)
    rules.read(ROOT / "press" / "sanitize.ini", encoding="utf8")
    for rule in rules.values():
        text = re.sub(rule["regex"], rule["replace"], text) if "regex" in rule else text
    return text


def states(judgement):
    return [row.state for row in judgement.rows]


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


def test_every_claim_that_is_judged_says_what_was_run():
    for claim in claims.load().values():
        assert bool(claim.conditions) == (len(claim.run.split()) > 10 and claim.run.endswith(".")), claim.id


def test_every_overturned_verdict_says_until_when_and_why():
    logged = [(claim.id, *entry) for claim in claims.load().values() for entry in claim.overturned]
    assert {"C03", "C04", "C05", "P13"} <= {each[0] for each in logged}
    for _, was, until, because in logged:
        assert was in claims.VERDICTS and re.fullmatch(r"\d{4}-\d\d-\d\d", until) and len(because.split()) > 10


@pytest.mark.parametrize(
    "change, says",
    [
        ({"says": None, "sentence": "A."}, "expected the keys"),
        (
            {"conditions": [{"kind": "difference", "quantity": "a", "what": "b"}]},
            "C01: a condition of kind difference: expected the keys",
        ),
        ({"conditions": ["residue < 1"]}, "C01: expected a condition of a kind among bound, .*, got None"),
        ({"overturned": [{"was": "partly", "until": "today"}]}, "C01: an overturned verdict: expected the keys"),
        (
            {"overturned": [{"was": "true", "until": "today", "because": "x"}]},
            "expected a verdict among holds, .* got 'true'",
        ),
        (
            {"conditions": CONDITIONS[:2]},
            "expected a proof, or two or more conditions that count, got .*identity.*bound",
        ),
        ({"quoted": {"source": "one"}}, "C01: quoted words: expected the keys"),
        ({"quoted": {"source": "two", "words": "x"}}, "C01: expected words of one of its sources .*, got 'two'"),
        ({"conditions": CONDITIONS[:1]}, "expected a proof, or two or more"),
        ({"conditions": [*CONDITIONS, CONDITIONS[2]]}, "C01: expected each quantity once"),
    ],
)
def test_a_row_that_cannot_be_judged_is_refused(change, says):
    row = {key: value for key, value in (ROW | change).items() if value is not None}
    with written(row), pytest.raises(ValueError, match=says):
        claims.load()


@pytest.mark.parametrize(
    "place, change, says",
    [
        (1, {"bound": "0.5"}, "C01: expected a bound like '< 0.1', .* got '0.5'"),
        (1, {"bound": "== 1"}, "C01: expected a bound"),
        (1, {"bound": "< small"}, "C01: expected a bound"),
        (1, {"bound": "< inf"}, "C01: expected a bound"),
        (1, {"bound": "within 0.5"}, "C01: expected a bound like '< 0.1'"),
        (3, {"bound": "< 0.5"}, "C01: expected a bound like 'within 0.02', got '< 0.5'"),
        (3, {"bound": "within -1"}, "C01: expected a margin above 0"),
        (1, {"kind": "guessed"}, "C01: expected a condition of a kind among .* got 'guessed'"),
        (1, {"quantity": "two words"}, r"C01: expected a quantity that can be a keyword of judge\(\), got 'two words'"),
        (1, {"quantity": "seeds"}, "C01: expected a quantity that can be a keyword"),
        (1, {"chance": None, "perfect": None}, "C01, share: expected 'chance' or 'perfect', in words"),
        (2, {"chance": "a coin"}, "a condition of kind difference: expected the keys"),
        (2, {"kind": "proof"}, "a condition of kind proof: expected the keys .*'mutant'.*'theorem'"),
    ],
)
def test_a_condition_that_is_not_as_described_is_refused(place, change, says):
    conditions = [dict(condition) for condition in CONDITIONS]
    conditions[place] = {key: value for key, value in (conditions[place] | change).items() if value is not None}
    with written(ROW | {"conditions": conditions}), pytest.raises(ValueError, match=says):
        claims.load()


def test_an_id_stands_once():
    with written(ROW, ROW), pytest.raises(ValueError, match="C01 stands twice"):
        claims.load()


def test_a_file_that_is_no_yaml_is_named_with_its_line():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "claims.yml")
        path.write_text("- id: C01\n  says: [\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"claims.yml:3: "):
            claims.load(path)


# --- The rule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", list(product((GOOD, BAD, UNSURE), repeat=3)))
def test_the_verdict_follows_from_the_conditions_that_count(chosen):
    words = {id(GOOD): "met", id(BAD): "broken", id(UNSURE): "open"}
    names = ("share", "gain", "cost")
    judgement = judged(residue=GOOD["residue"], **{name: side[name] for name, side in zip(names, chosen)})
    expected = [words[id(side)] for side in chosen]
    assert states(judgement) == ["met", *expected]
    unanimous = {("met",): "holds", ("broken",): "fails"}.get(tuple(sorted(set(expected))))
    split = "partly" if {"met", "broken"} <= set(expected) else "undecided"
    assert judgement.verdict == (unanimous or split)


def test_an_identity_is_shown_and_does_not_count():
    judgement = judged(**GOOD | BAD)
    assert judgement.verdict == "fails"
    assert "met: identity, 10 of 10 seeds; does not count" in judgement._repr_mimebundle_()["text/plain"]


def test_a_proof_settles_the_claim_alone():
    law = over(np.full(10, 0.02), mutant=0.5)
    judgement = judged(PROOF, law=law, gain=BAD["gain"])
    assert states(judgement) == ["met", "broken"]
    assert judgement.verdict == "holds" and "C01 · holds, by proof" in judgement._repr_mimebundle_()["text/plain"]
    assert judged(PROOF, law=over(np.full(10, 0.3), mutant=0.5), gain=GOOD["gain"]).verdict == "fails"
    wavering = over(np.linspace(0.02, 0.3, 10), mutant=0.5)
    assert judged(PROOF, law=wavering, gain=GOOD["gain"]).verdict == "undecided"


def test_nothing_that_counts_is_no_verdict():
    with pytest.raises(ValueError, match="expected a condition that counts"):
        claims.verdict(judged().rows[:1])


@STEADY
@given(st.sampled_from(list(claims.RELATIONS)), st.lists(st.integers(-3, 3), min_size=1, max_size=5))
def test_each_relation_means_what_it_says(relation, values):
    bound = {"kind": "bound", "what": "x", "bound": f"{relation} 0", "perfect": "p"}
    row = ROW | {"conditions": [bound | {"quantity": "x"}, bound | {"quantity": "y"}]}
    sample = over(values, perfect=-9 if "<" in relation else 9)
    judgement = judged(row, range(len(values)), x=sample, y=sample)
    kept = [{"<": v < 0, "<=": v <= 0, ">": v > 0, ">=": v >= 0}[relation] for v in values]
    assert judgement.rows[0].keeping == sum(kept)
    assert judgement.verdict == ("holds" if all(kept) else "undecided" if any(kept) else "fails")
    margin = judgement.rows[0].margin
    assert (margin is None) == (len(set(values)) == 1 or 0 < sum(kept) < len(kept))
    if margin:  # exactly on the bound, < and <= differ and the margin is 0
        assert (margin > 0) == all(kept)


# --- What is decided beforehand --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, says",
    [
        (
            {"share": over(np.full(10, 0.7), chance=0.6, perfect=1)},
            "C01, share: chance gives 0.6, which is > 0.5; a bound that chance keeps",
        ),
        (
            {"share": over(np.full(10, 0.7), chance=0.1, perfect=0.4)},
            "a perfect mechanism gives 0.4, which is not > 0.5",
        ),
        (
            {"share": over(np.full(10, 0.7), chance=0.1)},
            "expected values, chance, perfect in over.*got values, chance$",
        ),
        ({"share": np.full(10, 0.7)}, "expected values, chance, perfect in over.*got values$"),
        ({"gain": over(GOOD["gain"], chance=0.1)}, "C01, gain: expected values in over"),
        ({"gain": np.full(10, 0.4)}, "all differences are equal: algebra decides"),
        ({"residue": [1e-17] * 9 + [1e-3]}, "an identity holds in every seed, this one in 9 of 10"),
    ],
)
def test_a_condition_that_could_not_come_out_otherwise_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        judged(**GOOD | change)


def test_a_bound_that_chance_keeps_is_refused():
    """As a share of the gradient above .05 was, where chance leaves .14."""
    with pytest.raises(ValueError, match=r"chance gives 0\.51, which is > 0\.5"):
        judged(**GOOD | {"share": over(np.full(10, 0.9), chance=[0.1] * 9 + [0.51], perfect=1)})


def test_a_difference_has_to_be_beyond_the_margin():
    """A difference that is surely there and surely too small is broken, not met."""
    small = judged(**GOOD | {"gain": np.linspace(0.04, 0.06, 10)})
    assert states(small)[2] == "broken" and over(np.linspace(0.04, 0.06, 10)).sign_flip() < 0.01


def test_a_bound_on_rounding_errors_is_an_identity():
    bound = {"kind": "bound", "what": "x", "bound": "< 1e-9", "chance": "c"}
    row = ROW | {"conditions": [bound | {"quantity": "x"}, bound | {"quantity": "y"}]}
    with pytest.raises(ValueError, match="C01, x: all values are rounding errors: algebra decides"):
        judged(row, x=over([1e-16] * 10, chance=1), y=over([1e-16] * 10, chance=1))


def test_a_mutant_that_passes_is_refused():
    with pytest.raises(ValueError, match=r"C01, law: mutant gives 0\.05, which is < 0\.1"):
        judged(PROOF, law=over(np.full(10, 0.02), mutant=[0.5] * 9 + [0.05]), gain=GOOD["gain"])


def test_an_interval_asks_for_ten_seeds():
    nine = {name: over(np.array(GOOD[name])[:9]) for name in ("residue", "gain", "cost")}
    with pytest.raises(ValueError, match="C01, gain: expected 10 or more seeds for an interval, got 9"):
        judged(seeds=range(9), share=over([0.7] * 9, chance=0.4, perfect=1), **nine)


# --- A judgement -----------------------------------------------------------------------------------------------------


def test_margin_is_what_lies_nearest_to_the_bound_in_units_of_the_spread():
    residue, share, gain, cost = judged().rows
    assert residue.margin is None
    assert share.margin == pytest.approx((0.6 - 0.5) / 0.3)
    assert gain.margin == pytest.approx((over(GOOD["gain"]).interval()[0] - 0.1) / np.ptp(GOOD["gain"]))
    assert cost.margin == pytest.approx((0.5 - np.abs(over(GOOD["cost"]).interval()).max()) / np.ptp(GOOD["cost"]))
    _, share, gain, cost = judged(**GOOD | BAD).rows
    assert share.margin == pytest.approx((0.2 - 0.5) / 0.1)
    assert gain.margin == pytest.approx((over(BAD["gain"]).interval()[1] - 0.1) / np.ptp(BAD["gain"]))
    assert cost.margin == pytest.approx((0.5 - over(BAD["cost"]).interval()[0]) / np.ptp(BAD["cost"]))
    assert [row.margin for row in judged(**GOOD | UNSURE).rows] == [None] * 4


def test_an_identity_has_no_margin():
    condition = claims.Condition("q", "identity", "a quantity", "<", 1.0, ())
    assert claims.held(condition, over([0.1, 0.2])).margin is None


def moved(row, bound):
    """The condition with another bound, as it stands in claims.yml."""
    relation = row["bound"].split()[0]
    return row | {"bound": f"{relation} {bound!r}"}


@settings(STEADY, max_examples=40)
@given(
    st.sampled_from([(0.45, 0.9), (0.1, 0.45), (0.3, 0.9)]),
    *(st.tuples(st.floats(-0.9, 0.9), st.floats(0.05, 2)) for _ in range(2)),
    st.integers(0, 2**32 - 1),
)
def test_the_nearest_turn_is_what_judging_with_other_bounds_finds(share, gain, cost, seed):
    """Each bound is moved by hand over a grid, and all is judged again: nothing nearer turns the verdict, this does."""
    rng = np.random.default_rng(seed)
    values = {
        "residue": GOOD["residue"],
        "share": over(rng.uniform(*share, 10).round(4), chance=0.05, perfect=1),
        "gain": rng.normal(*gain, 10).round(4),
        "cost": rng.normal(*cost, 10).round(4),
    }
    with written(ROW):
        judgement = claims.judge("C01", seeds=SEEDS, **values)
    turned = claims.nearest_turn(judgement)

    def after(quantity, bound):
        rows = [moved(row, bound) if row["quantity"] == quantity else row for row in CONDITIONS]
        with written(ROW | {"conditions": rows}):
            try:
                return claims.judge("C01", seeds=SEEDS, **values).verdict
            except ValueError as error:
                assert "proves nothing" in str(error)
                return None

    nearest = math.inf
    if turned is not None:
        row, bound, word = turned
        assert after(row.condition.quantity, bound) == word != judgement.verdict
        nearest = abs(bound / row.condition.bound - 1)
    for row in CONDITIONS[1:]:
        old = float(row["bound"].split()[1])
        for change in (step * sign for step in (0.03, 0.1, 0.2, 0.4, 0.7, 0.9, 1.5, 4) for sign in (-1, 1)):
            # the bound is printed with two digits or more, so it lies up to a tenth beyond the turn itself
            if 1 + change > 0 and abs(change) < nearest - 0.1 * (1 + nearest):
                assert after(row["quantity"], old * (1 + change)) in (judgement.verdict, None), (row, change, turned)


def test_a_turn_needs_few_digits_and_stays_on_its_side():
    def turn(relation, bound, values, **columns):
        columns = columns or {"perfect": 1e6 if relation == ">" else -1e6}
        condition = claims.Condition("q", "bound", "it", relation, bound, tuple((name, name) for name in columns))
        row = claims.held(condition, over(values, **columns))
        claim = claims.Claim("C01", "It is.", ("one",), "part/one", (condition,))
        found = claims.nearest_turn(claims.Judgement(claim, (0, 1), (row,), claims.verdict([row])))
        return found and found[1:]

    assert turn("<", 0.1, [0.0412345, 0.0712345]) == (0.071, "undecided")
    assert turn("<", 0.1, [0.1622, 0.1696]) == (0.163, "undecided"), "0.17 would be another word"
    assert turn(">", 0.5, [0.6, 0.7]) == (0.61, "undecided")
    assert turn("<", 0.1, [-0.2, -0.1]) is None, "beyond zero it would be another question"
    assert turn(">", 0.5, [0.2, 0.3], chance=0.25) == (0.29, "undecided")
    assert turn(">", 0.5, [0.2, 0.3], chance=0.4) is None, "chance would keep that bound"
    assert turn("<", 0.0, [-0.2, -0.1]) is None


def test_the_record_is_json_and_complete():
    record = json.loads(json.dumps(judged().record(), allow_nan=False))
    assert (record["claim"], record["verdict"], record["seeds"]) == ("C01", "holds", SEEDS)
    assert (record["says"], record["sources"], record["chapter"]) == (ROW["says"], ROW["sources"], ROW["chapter"])
    share = record["conditions"][1]
    np.testing.assert_allclose(share.pop("values"), GOOD["share"].values, rtol=1e-11)
    assert share == {
        "quantity": "share",
        "kind": "bound",
        "what": "share of it",
        "bound": "> 0.5",
        "beside": {"chance": "a coin", "perfect": "all"},
        "chance": [0.4],
        "perfect": [1.0],
        "median": 0.75,
        "lowest": 0.6,
        "highest": 0.9,
        "keeping": 10,
        "state": "met",
    }
    gain = record["conditions"][2]
    np.testing.assert_allclose(gain["interval"], over(GOOD["gain"]).interval(), rtol=1e-8)
    assert gain["keeping"] is None


def test_a_judgement_comes_back_from_its_record():
    with written(ROW):
        judgement = claims.judge("C01", seeds=SEEDS, **GOOD)
        back = claims.restore(json.loads(json.dumps(judgement.record())), claims.load())
    assert back == judgement


def bundle():
    return json.loads(json.dumps(judged()._repr_mimebundle_()))


@pytest.mark.parametrize(
    "forge, says",
    [
        (
            lambda data: data[claims.MIME].update(verdict="fails"),
            r"its record is not what its values give \(see verdict\)",
        ),
        (lambda data: data[claims.MIME]["conditions"][1]["values"].__setitem__(0, 0.65), "see conditions"),
        (lambda data: data[claims.MIME]["conditions"][1].update(state="broken"), "see conditions"),
        (lambda data: data[claims.MIME].update(note="x"), "an added field"),
        (lambda data: data[claims.MIME]["conditions"].pop(), "claims.yml does not describe"),
        (lambda data: data[claims.MIME].update(claim="C77"), "a record of C77 that claims.yml does not describe"),
        (lambda data: data[claims.MIME]["conditions"][1].update(chance=[0.9]), "chance gives 0.9"),
        (
            lambda data: data.update({"text/html": data["text/html"].replace("holds", "fails")}),
            "its text/html is not what",
        ),
        (lambda data: data.update({"text/plain": data["text/plain"] + "."}), "its text/plain is not what"),
    ],
)
def test_a_forged_record_or_card_is_noticed(forge, says):
    data = bundle()
    with written(ROW):
        assert claims.faults_of(data, claims.load()) == []
        forge(data)
        (fault,) = claims.faults_of(data, claims.load())
    assert re.search(says, fault)


def test_a_bound_moved_after_the_run_is_noticed():
    data = bundle()
    moved = [condition | ({"bound": "> 0.55"} if condition["quantity"] == "share" else {}) for condition in CONDITIONS]
    with written(ROW | {"conditions": moved}):
        assert claims.faults_of(data, claims.load()) == ["its record is not what its values give (see conditions)"]


def test_it_is_shown_as_a_card_and_recorded():
    shown = judged()._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html", claims.MIME} and shown[claims.MIME] == judged().record()
    assert shown["text/html"].startswith('<details class="bn-claim bn-holds" id="C01">')


def test_the_plain_text_says_claim_verdict_conditions_and_numbers():
    lines = judged()._repr_mimebundle_()["text/plain"].splitlines()
    assert lines[:4] == [
        "C01 · holds",
        "The <BN> & so on.",
        "- largest |mean| < 1e-9: median [lowest, highest]: < 1e-9; met: identity, 10 of 10 seeds; does not count",
        "- share of it > 0.5: median [lowest, highest]: ≈0.75 [≈0.6, ≈0.9]; "
        "what would be: chance: a coin, ≈0.4; perfect: all, ≈1; met: met, 10 of 10 seeds; clearance: ≈0.33",
    ]
    number = r"≈[−0-9.e-]+"
    assert re.fullmatch(
        rf"- paired gain > 0.1: median \[lowest, highest\]: {number} \[{number}, {number}\]; "
        rf"mean {number}, 95 % in \[{number}, {number}\]; p \(mean = 0.1\) ≈0.002; "
        rf"met: met, by the interval; 10 of 10 pairs beyond; clearance: {number}",
        lines[4],
    )
    assert (
        lines[5].startswith("- paired cost within ±0.5: ")
        and "; met: met, by the interval; 10 of 10 pairs within; " in lines[5]
    )


@STEADY
@given(*(st.lists(st.floats(*side), min_size=10, max_size=10, unique=True) for side in [(0.51, 1e6), (0.51, 9)]))
def test_what_is_compared_strictly_is_the_same_on_another_machine(here, there):
    """Measured values and rounding errors may differ; what is kept is the same, so all but the ≈ numbers is too."""
    held = {"chance": 0.4, "perfect": 1e7}
    one = judged(**GOOD | {"share": over(here, **held)})
    other = judged(**GOOD | {"share": over(there, **held), "residue": [0.0] * 9 + [5e-10], "gain": GOOD["gain"] * 1.01})
    for mime in ("text/plain", "text/html"):
        assert len({sanitised(judgement._repr_mimebundle_()[mime]) for judgement in (one, other)}) == 1


def test_a_judgement_stands():
    judgement = judged()
    for part, field in [
        (judgement, "verdict"),
        (judgement.claim, "says"),
        (judgement.rows[0], "state"),
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
        (
            lambda: claims.judge("C01", seeds=SEEDS, residue=[0] * 4),
            r"missing \['cost', 'gain', 'share'\], not asked for \[\]",
        ),
        (lambda: claims.judge("C01", seeds=SEEDS, **GOOD, more=[0] * 4), r"missing \[\], not asked for \['more'\]"),
        (lambda: claims.judge("C01", seeds=[0, 1, 2], **GOOD), "C01, residue: expected 3 values, one a seed, got 10"),
        (
            lambda: claims.judge("C01", seeds=SEEDS, **GOOD | {"gain": np.ones((10, 1))}),
            r"gain: values: expected .* got shape \(10, 1\)",
        ),
        (
            lambda: claims.judge("C01", seeds=SEEDS, **GOOD | {"gain": 1.0}),
            "gain: expected 10 values, one a seed, got 1",
        ),
        (
            lambda: claims.judge("C01", seeds=SEEDS, **GOOD | {"gain": [np.nan] * 10}),
            "gain: values: expected finite numbers",
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
