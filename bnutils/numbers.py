"""Numbers that a cell leaves for the prose.

A cell ends with ``exact(...)`` or ``measured(...)``; the reader sees one line a value, and the press finds the same
values in a record of its own MIME type and writes them into the sentences that refer to them.
"""

import math
from numbers import Integral, Real

MIME = "application/vnd.bnutils.numbers+json"


def exact(**values):
    """Show values that are the same on every machine: algebra, counts, closed forms.

    Parameters
    ----------
    **values
        finite real scalars (Python, NumPy or 0-d arrays) by name; floats are shown and recorded to 10 significant digits

    Raises
    ------
    TypeError
        a value that is not a real scalar
    ValueError
        a value that is not finite, or no value at all
    """
    values = {name: _scalar(name, value) for name, value in values.items()}
    values = {name: v if isinstance(v, int) else float(f"{v:.10g}") for name, v in values.items()}
    _publish("exact", values, [f"{name} = {_digits(v, 10)}" for name, v in values.items()])


def measured(**values):
    """Show values that training or sampling gave: close to these on another machine, not equal.

    The cell that calls this must also ``assert`` what it claims about them.

    Parameters
    ----------
    **values
        as in ``exact``; shown to 4 significant digits behind ``≈``, recorded to 12

    Raises
    ------
    TypeError
        a value that is not a real scalar
    ValueError
        a value that is not finite, or no value at all
    """
    values = {name: _scalar(name, value) for name, value in values.items()}
    values = {name: v if isinstance(v, int) else float(f"{v:.12g}") for name, v in values.items()}
    _publish("measured", values, [f"{name} ≈ {_digits(v, 4)}" for name, v in values.items()])


def display(bundle):
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


def _scalar(name, value):
    """``value`` as a Python int or float, -0.0 as 0.0."""
    given = value
    if getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{name}: expected one real number, got {given!r} ({type(given).__name__}); reduce it to a scalar first"
        )
    if isinstance(value, Integral):
        return int(value)
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value}; the prose cannot quote it")
    return value + 0.0  # -0.0 + 0.0 is 0.0


def _digits(value, significant):
    return str(value) if isinstance(value, int) else f"{value:.{significant}g}"


def _publish(kind, values, lines):
    if not values:
        raise ValueError(f"{kind}() expected at least one value by name, as in {kind}(ratio=0.5), got none")
    anchored = "\n".join(f'<span id="n-{name}">{line}</span>' for name, line in zip(values, lines, strict=True))
    display(
        {
            "text/plain": "\n".join(lines),
            "text/html": f'<pre class="bn-numbers">{anchored}</pre>',
            MIME: {"kind": kind, "values": values},
        }
    )
