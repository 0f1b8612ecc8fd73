"""What a cell leaves as evidence: numbers for the prose, each with its kind and its bound.

A cell ends with ``exact(...)`` or ``measured(...)``; the reader sees one line a value, and the press finds the same
values in a record of its own MIME type and writes them into the sentences that refer to them.
"""

import math
import re
from html import escape
from numbers import Integral, Real

from .sample import Sample, over

__all__ = ["MIME", "Sample", "display", "exact", "faults_of", "in_words", "measured", "over"]

MIME = "application/vnd.bnutils.numbers+json"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# in Jupyter the lines are folded; a page shows them with the cell that left them
OPENING, BETWEEN = '<details class="bn-kept"><summary>', '</summary><pre class="bn-numbers">'
CLOSING = "</pre></details>"


def exact(**values: Real) -> None:
    """Show values that are the same on every machine: algebra, counts, closed forms.

    Parameters
    ----------
    **values
        finite real scalars (Python, NumPy or 0-d arrays) by name; floats are shown and recorded to 10 digits

    Raises
    ------
    TypeError
        a value that is not a real scalar
    ValueError
        a value that is not finite, or no value at all
    """
    values = {name: _scalar(name, value) for name, value in values.items()}
    _publish("exact", {name: v if isinstance(v, int) else float(f"{v:.10g}") for name, v in values.items()})


def measured(**samples: Sample) -> None:
    """Show what training or sampling gave: close to these on another machine, not equal.

    Every value of every sample has to keep its bound, here and on every machine that runs the cell again.

    Parameters
    ----------
    **samples
        by name what `over` made, with ``below`` or ``above`` or both; shown to 4 significant digits behind ``≈``,
        recorded to 12

    Raises
    ------
    TypeError
        a value that `over` did not make
    ValueError
        a sample without a bound, or no sample at all
    AssertionError
        a seed that does not keep the bound
    """
    for name, sample in samples.items():
        if not isinstance(sample, Sample):
            raise TypeError(f"{name}: expected over(values, below=...), got {sample!r}; what is measured has a bound")
        if sample.below is None and sample.above is None:
            raise ValueError(
                f"{name}: expected a bound that every seed keeps, as in over(values, below=0.15), got none"
            )
        if broken := sample.broken():
            values = ", ".join(f"{sample.values[place]:.6g}" for place in broken)
            raise AssertionError(f"{name}: expected {_bound(sample)} in every seed, got {values} at position {broken}")
    _publish("measured", {name: _recorded(sample) for name, sample in samples.items()})


def display(bundle: dict) -> None:
    """Show a MIME bundle in a notebook; outside of one, print its plain text.

    Parameters
    ----------
    bundle : dict
        from MIME type to content, with a ``text/plain`` entry
    """
    try:
        from IPython import get_ipython
    except ImportError:
        in_notebook = False
    else:
        in_notebook = get_ipython() is not None
    if in_notebook:
        from IPython.display import display as publish

        publish(bundle, raw=True)
    else:
        print(bundle["text/plain"])


def in_words(value: float | dict, form: str, part: str = "") -> str:
    """A recorded number as the prose says it.

    Parameters
    ----------
    value
        a number, or the record of a measured sample
    form : str
        a format such as ``.2f``
    part : str
        of a sample: ``""`` the median, ``lowest``, ``highest``, ``n``, or ``range``: median [lowest, highest]

    Returns
    -------
    str
        what is measured stands behind ``≈``; a minus is a minus sign, and 2e-19 is 2·10⁻¹⁹

    Raises
    ------
    ValueError
        a format that does not fit, or a part that this number does not have
    """
    sampled = isinstance(value, dict)
    if part not in ("", "lowest", "highest", "n", "range") or (part and not sampled):
        raise ValueError(f"expected one of lowest, highest, n and range behind | of a measured number, got {part!r}")
    if not sampled:
        return _as_read(format(value, form))
    sample = over(value["values"])
    if part == "n":
        return format(sample.n, form)
    if part == "range":
        return _as_read(f"≈{sample.median:{form}} [{sample.lowest:{form}}, {sample.highest:{form}}]")
    return _as_read("≈" + format(getattr(sample, part or "median"), form))


def _as_read(number):
    """With minus signs, and powers of ten as people write them: 2·10⁻¹⁹ for 2e-19."""
    powers = re.sub(r"e([+-])0*(\d+)", lambda e: "·10" + (e[1].strip("+") + e[2]).translate(RAISED), number)
    return powers.replace("-", "−")


def in_full(kind: str, value: float | dict) -> str:
    """All that is known of a recorded number, as the page says it where somebody asks.

    Parameters
    ----------
    kind : str
        ``exact``, or ``measured`` for the record of a sample
    value
        a number, or the record of a measured sample
    """
    if kind == "exact":
        return f"exact: {_digits(value, 10)}".replace("-", "−")
    sample = over(**value)
    middle, low, high = (f"≈{_digits(each, 4)}" for each in (sample.median, sample.lowest, sample.highest))
    if sample.n == 1:
        words = f"measured once: {middle}; asserted {_bound(sample)}"
    else:
        words = (
            f"measured in {sample.n} seeds: median {middle}, lowest {low}, highest {high}; every seed {_bound(sample)}"
        )
    return words.replace("-", "−")


def faults_of(data: dict) -> list[str]:
    """What is wrong with a stored output that holds numbers: lines that its record does not give, or a broken bound.

    Parameters
    ----------
    data : dict
        from MIME type to content, as the cell left it
    """
    record = data[MIME]
    try:
        expected = _bundle(record["kind"], record["values"])
        samples = {name: over(**value) for name, value in record["values"].items() if record["kind"] == "measured"}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"its record cannot be read ({error})"]
    broken = [name for name, sample in samples.items() if sample.broken()]
    found = [f"{name} is recorded beyond its bound {_bound(samples[name])}" for name in broken]
    shown = [kind for kind in ("text/plain", "text/html") if _lines(data.get(kind, "")) != _lines(expected[kind])]
    return found + [f"its {kind} is not what its record says" for kind in shown]


def _lines(text):
    """What is shown, line by line, in an order of its own: a stored notebook has the record in that of the alphabet."""
    text = "".join(text).removeprefix(OPENING).removesuffix(CLOSING)
    return sorted(text.replace(BETWEEN, "\n", 1).split("\n"))


def _scalar(name, value):
    """``value`` as a Python int or float, -0.0 as 0.0."""
    given = value
    if getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected one real number, got {given!r} ({type(given).__name__}); reduce it first")
    if isinstance(value, Integral):
        return int(value)
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value}; the prose cannot quote it")
    return value + 0.0  # -0.0 + 0.0 is 0.0


def _recorded(sample):
    values = [value if isinstance(value, int) else float(f"{value:.12g}") for value in sample.values]
    return {"values": values, "below": sample.below, "above": sample.above}


def _bound(sample):
    parts = [("> ", sample.above), ("< ", sample.below)]
    return " and ".join(sign + _digits(bound, 10) for sign, bound in parts if bound is not None)


def _digits(value, significant):
    return str(value) if isinstance(value, int) else f"{value:.{significant}g}"


def _line(name, value):
    if not isinstance(value, dict):
        return f"{name} = {_digits(value, 10)}"
    sample = over(**value)
    if sample.n == 1:
        return f"{name} ≈ {_digits(sample.median, 4)}, asserted {_bound(sample)}"
    low, high = (_digits(edge, 4) for edge in (sample.lowest, sample.highest))
    return f"{name} ≈ {_digits(sample.median, 4)} [≈{low}, ≈{high}], {sample.n} seeds, each {_bound(sample)}"


def _bundle(kind, values):
    lines = {name: _line(name, value) for name, value in values.items()}
    anchored = "\n".join(f'<span id="n-{name}">{escape(line)}</span>' for name, line in lines.items())
    count = f"{len(lines)} number{'' if len(lines) == 1 else 's'}"
    return {
        "text/plain": "\n".join(lines.values()),
        "text/html": f"{OPENING}{count}{BETWEEN}{anchored}{CLOSING}",
        MIME: {"kind": kind, "values": values},
    }


def _publish(kind, values):
    if not values:
        example = "ratio=0.5" if kind == "exact" else "ratio=over(ratios, below=1)"
        raise ValueError(f"{kind}() expected at least one value by name, as in {kind}({example}), got none")
    display(_bundle(kind, values))
