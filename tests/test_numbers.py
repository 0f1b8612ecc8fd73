"""What a cell leaves for the prose: digits, kinds, and what is refused."""

import contextlib
import io
import json
import re
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnutils import numbers

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
    assert raw and set(content) == {"text/plain", "text/html", numbers.MIME}
    assert re.sub("<[^>]*>", "", content["text/html"]) == content["text/plain"]
    assert re.findall('<span id="n-([^"]+)">', content["text/html"]) == list(values)
    return content


def test_exact_shows_and_records_ten_digits():
    content = bundle(numbers.exact, third=1 / 3, count=1797, flat=-0.0, eps=1e-5)
    assert content["text/plain"] == "third = 0.3333333333\ncount = 1797\nflat = 0\neps = 1e-05"
    assert content[numbers.MIME] == {
        "kind": "exact",
        "values": {"third": 0.3333333333, "count": 1797, "flat": 0.0, "eps": 1e-5},
    }


def test_measured_shows_four_digits_behind_the_sign_and_records_twelve():
    content = bundle(numbers.measured, accuracy=2 / 3, steps=230)
    assert content["text/plain"] == "accuracy ≈ 0.6667\nsteps ≈ 230"
    assert content[numbers.MIME] == {"kind": "measured", "values": {"accuracy": 0.666666666667, "steps": 230}}


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
    content = bundle(numbers.exact, x=value)
    assert content["text/plain"] == f"x = {shown}"
    assert type(content[numbers.MIME]["values"]["x"]) in (int, float)


def test_the_last_bits_of_a_float_do_not_show():
    """0.1 + 0.2 and 0.3 differ in the last bit: exact numbers are the same on every machine."""
    assert bundle(numbers.exact, x=0.1 + 0.2) == bundle(numbers.exact, x=0.3)


@STEADY
@given(st.dictionaries(st.sampled_from("abcde"), st.one_of(st.integers(), st.floats(-1e300, 1e300)), min_size=1))
def test_record_survives_json_and_agrees_with_the_text(values):
    content = bundle(numbers.exact, **values)
    record = json.loads(json.dumps(content[numbers.MIME], allow_nan=False))
    assert record["values"] == {name: float(f"{v:.10g}") if isinstance(v, float) else v for name, v in values.items()}
    for line, (name, value) in zip(content["text/plain"].splitlines(), record["values"].items(), strict=True):
        assert line == f"{name} = " + (str(value) if isinstance(value, int) else f"{value:.10g}")
    assert "-0" not in [line.split(" = ")[1] for line in content["text/plain"].splitlines()]


@pytest.mark.parametrize("modules", [{}, {"IPython": None}], ids=["with IPython", "without it"])
def test_outside_a_notebook_the_lines_are_printed(modules):
    with contextlib.redirect_stdout(io.StringIO()) as out, mock.patch.dict("sys.modules", modules):
        numbers.measured(x=1.5)
    assert out.getvalue() == "x ≈ 1.5\n"


@pytest.mark.parametrize("show", [numbers.exact, numbers.measured])
@pytest.mark.parametrize(
    "value, error, says",
    [
        (float("nan"), ValueError, "x: expected a finite number, got nan"),
        (np.float32("inf"), ValueError, "x: expected a finite number, got inf"),
        (np.ones(3), TypeError, "x: expected one real number, got array.*reduce it to a scalar"),
        (np.ones(1), TypeError, "x: expected one real number"),
        (True, TypeError, r"x: expected one real number, got True \(bool\)"),
        (np.bool_(True), TypeError, "x: expected one real number"),
        ("0.5", TypeError, r"x: expected one real number, got '0.5' \(str\)"),
        (1 + 0j, TypeError, "x: expected one real number"),
        (None, TypeError, "x: expected one real number, got None"),
    ],
)
def test_anything_but_a_finite_real_scalar_is_refused(show, value, error, says):
    with pytest.raises(error, match=says):
        bundle(show, fine=1.0, x=value)


def test_a_call_without_a_value_is_refused():
    with pytest.raises(ValueError, match=r"exact\(\) expected at least one value by name"):
        numbers.exact()
