"""What a cell leaves for the prose: digits, kinds, and what is refused."""

import contextlib
import io
import json
import re
from html import unescape
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnutils import evidence
from bnutils.evidence import over

STEADY = settings(derandomize=True, deadline=None, database=None, report_multiple_bugs=False)


def bundle(show, **values):
    """What ``show`` displays in a notebook."""
    bundles = []
    with (
        mock.patch("IPython.get_ipython", return_value=object()),
        mock.patch("IPython.display.display", lambda content, raw: bundles.append((content, raw))),
    ):
        show(**values)
    ((content, raw),) = bundles
    assert raw and set(content) == {"text/plain", "text/html", evidence.MIME}
    count, lines = re.fullmatch(
        r'<details class="bn-kept"><summary>(\d+) numbers?</summary><pre class="bn-numbers">(.*)</pre></details>',
        content["text/html"],
        re.S,
    ).groups()
    assert unescape(re.sub("<[^>]*>", "", lines)) == content["text/plain"]
    assert int(count) == len(values)
    assert re.findall('<span id="n-([^"]+)">', content["text/html"]) == list(values)
    return content


def test_exact_shows_and_records_ten_digits():
    content = bundle(evidence.exact, third=1 / 3, count=1797, flat=-0.0, eps=1e-5)
    assert content["text/plain"] == "third = 0.3333333333\ncount = 1797\nflat = 0\neps = 1e-05"
    assert content[evidence.MIME] == {
        "kind": "exact",
        "values": {"third": 0.3333333333, "count": 1797, "flat": 0.0, "eps": 1e-5},
    }


def test_measured_shows_four_digits_behind_the_sign_and_records_twelve():
    content = bundle(
        evidence.measured, accuracy=over(2 / 3, above=0.5), steps=over([230, 210, 250], above=100, below=300)
    )
    assert content["text/plain"].splitlines() == [
        "accuracy ≈ 0.6667, asserted > 0.5",
        "steps ≈ 230 [≈210, ≈250], 3 seeds, each > 100 and < 300",
    ]
    assert content[evidence.MIME] == {
        "kind": "measured",
        "values": {
            "accuracy": {"values": [0.666666666667], "below": None, "above": 0.5},
            "steps": {"values": [230, 210, 250], "below": 300, "above": 100},
        },
    }


def test_a_seed_beyond_the_bound_stops_the_cell():
    with pytest.raises(AssertionError, match=r"plain: expected < 0\.15 in every seed, got 0\.2 at position \[1\]"):
        evidence.measured(plain=over([0.1, 0.2], below=0.15))
    with pytest.raises(AssertionError, match="expected > 0 and < 1 in every seed, got 0, 1 at"):
        evidence.measured(edge=over([0, 0.5, 1], above=0, below=1))


def test_measured_without_a_bound_is_refused():
    with pytest.raises(
        ValueError, match=r"x: expected a bound that every seed keeps, as in over\(values, below=0\.15\)"
    ):
        evidence.measured(x=over([0.1, 0.2]))
    with pytest.raises(
        TypeError, match=r"x: expected over\(values, below=...\), got 0\.5; what is measured has a bound"
    ):
        evidence.measured(x=0.5)


@pytest.mark.parametrize(
    ("value", "form", "part", "words"),
    [
        (0.25, ".1f", "", "0.2"),
        (-1797, "d", "", "−1797"),
        ({"values": [0.3, 0.1, 0.2]}, ".2f", "", "≈0.20"),
        ({"values": [0.3, 0.1, 0.2]}, ".1f", "range", "≈0.2 [0.1, 0.3]"),
        ({"values": [0.3, 0.1, 0.2]}, ".1f", "lowest", "≈0.1"),
        ({"values": [0.3, 0.1, 0.2]}, ".1f", "highest", "≈0.3"),
        ({"values": [0.3, 0.1, 0.2]}, "d", "n", "3"),
        ({"values": [-1e-9]}, ".0e", "", "≈−1·10⁻⁹"),
    ],
)
def test_a_number_in_words(value, form, part, words):
    assert evidence.in_words(value, form, part) == words


@pytest.mark.parametrize("value, part", [(0.25, "range"), ({"values": [1, 2]}, "mean"), (3, "n")])
def test_a_part_that_is_not_there_is_refused(value, part):
    with pytest.raises(ValueError, match="expected one of lowest, highest, n and range"):
        evidence.in_words(value, ".1f", part)


@pytest.mark.parametrize(
    ("show", "value", "words"),
    [
        (evidence.exact, -1 / 3, "exact: −0.3333333333"),
        (evidence.measured, over(0.25, above=0), "measured once: ≈0.25; asserted > 0"),
        (
            evidence.measured,
            over([0.3, 0.1, -0.2], below=0.5),
            "measured in 3 seeds: median ≈0.1, lowest ≈−0.2, highest ≈0.3; every seed < 0.5",
        ),
    ],
)
def test_a_number_in_full(show, value, words):
    record = bundle(show, x=value)[evidence.MIME]
    assert evidence.in_full(record["kind"], record["values"]["x"]) == words


def stored():
    return json.loads(json.dumps(bundle(evidence.measured, plain=over([0.1, 0.12], below=0.15))))


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (
            lambda data: data[evidence.MIME]["values"]["plain"].update(values=[0.1, 0.2]),
            "plain is recorded beyond its bound < 0.15",
        ),
        (lambda data: data[evidence.MIME]["values"]["plain"].update(values=[0.1, 0.11]), "its text/plain is not what"),
        (lambda data: data[evidence.MIME]["values"]["plain"].update(below=0.5), "its text/plain is not what"),
        (
            lambda data: data.update({"text/html": data["text/html"].replace("0.12", "0.13")}),
            "its text/html is not what",
        ),
        (
            lambda data: data.update({"text/html": data["text/html"].replace(">1 number<", ">2 numbers<")}),
            "its text/html is not what",
        ),
        (lambda data: data[evidence.MIME].pop("kind"), "its record cannot be read"),
        (lambda data: data[evidence.MIME]["values"]["plain"].update(values=[]), "its record cannot be read"),
    ],
)
def test_a_forged_number_is_noticed(forge, says):
    data = stored()
    assert evidence.faults_of(data) == []
    forge(data)
    assert any(says in fault for fault in evidence.faults_of(data))


def test_an_exact_number_changed_in_the_record_alone_is_noticed():
    data = json.loads(json.dumps(bundle(evidence.exact, count=3)))
    assert evidence.faults_of(data) == []
    data[evidence.MIME]["values"]["count"] = 4
    assert evidence.faults_of(data) == [
        f"its {kind} is not what its record says" for kind in ("text/plain", "text/html")
    ]


@pytest.mark.parametrize(
    "value, shown",
    [
        (np.float32(0.5), "0.5"),
        (np.int64(7), "7"),
        (np.array(2.5), "2.5"),
        (np.array(3), "3"),
        (10**20, "100000000000000000000"),
    ],
)
def test_numpy_scalars_are_numbers(value, shown):
    content = bundle(evidence.exact, x=value)
    assert content["text/plain"] == f"x = {shown}"
    assert type(content[evidence.MIME]["values"]["x"]) in (int, float)


def test_the_last_bits_of_a_float_do_not_show():
    """0.1 + 0.2 and 0.3 differ in the last bit: exact numbers are the same on every machine."""
    assert bundle(evidence.exact, x=0.1 + 0.2) == bundle(evidence.exact, x=0.3)


@STEADY
@given(st.dictionaries(st.sampled_from("abcde"), st.one_of(st.integers(), st.floats(-1e300, 1e300)), min_size=1))
def test_record_survives_json_and_agrees_with_the_text(values):
    content = bundle(evidence.exact, **values)
    record = json.loads(json.dumps(content[evidence.MIME], allow_nan=False))
    assert record["values"] == {name: float(f"{v:.10g}") if isinstance(v, float) else v for name, v in values.items()}
    for line, (name, value) in zip(content["text/plain"].splitlines(), record["values"].items(), strict=True):
        assert line == f"{name} = " + (str(value) if isinstance(value, int) else f"{value:.10g}")
    assert "-0" not in [line.split(" = ")[1] for line in content["text/plain"].splitlines()]


@pytest.mark.parametrize("modules", [{}, {"IPython": None}], ids=["with IPython", "without it"])
def test_outside_a_notebook_the_lines_are_printed(modules):
    with contextlib.redirect_stdout(io.StringIO()) as out, mock.patch.dict("sys.modules", modules):
        evidence.measured(x=over(1.5, below=2))
    assert out.getvalue() == "x ≈ 1.5, asserted < 2\n"


@pytest.mark.parametrize(
    "value, error, says",
    [
        (float("nan"), ValueError, "x: expected a finite number, got nan"),
        (np.float32("inf"), ValueError, "x: expected a finite number, got inf"),
        (np.ones(3), TypeError, "x: expected one real number, got array.*reduce it first"),
        (np.ones(1), TypeError, "x: expected one real number"),
        (True, TypeError, r"x: expected one real number, got True \(bool\)"),
        (np.bool_(True), TypeError, "x: expected one real number"),
        ("0.5", TypeError, r"x: expected one real number, got '0.5' \(str\)"),
        (1 + 0j, TypeError, "x: expected one real number"),
        (None, TypeError, "x: expected one real number, got None"),
    ],
)
def test_anything_but_a_finite_real_scalar_is_refused(value, error, says):
    with pytest.raises(error, match=says):
        bundle(evidence.exact, fine=1.0, x=value)


def test_a_call_without_a_value_is_refused():
    with pytest.raises(ValueError, match=r"exact\(\) expected at least one value by name"):
        evidence.exact()
