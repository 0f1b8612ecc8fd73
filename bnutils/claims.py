"""Claims, the conditions they are held against, and the verdicts that follow.

``manuscript/claims.yml`` holds every claim and, for those judged so far, the conditions, written down before the seeds
ran. A chapter measures; ``judge`` computes the verdict and leaves a card for the reader and a record for the ledger.
"""

import math
import re
from dataclasses import asdict, dataclass
from html import escape
from operator import ge, gt, le, lt
from pathlib import Path
from statistics import median

MIME = "application/vnd.bnutils.claim+json"
PATH = Path(__file__).with_name("claims.yml")
RELATIONS = {"<": lt, "<=": le, ">": gt, ">=": ge}
RESIDUE = 1e-6  # an exact quantity bounded below this is rounding error


@dataclass(frozen=True)
class Condition:
    """One quantity, what it is in words, and the bound it is held against; ``kind`` is ``exact`` or ``measured``."""

    quantity: str
    what: str
    relation: str
    bound: float
    kind: str


@dataclass(frozen=True)
class Claim:
    """A claim as it is said, who says it (bibliography keys), the chapter that judges it, and how."""

    id: str
    says: str
    sources: tuple
    chapter: str
    conditions: tuple


@dataclass(frozen=True)
class Row:
    """One condition measured: a value and a ``met`` for every seed, and what they come to.

    ``margin`` is the distance of the worst seed to the bound in units of the spread, positive if every seed is on the
    right side; None without a spread.
    """

    condition: Condition
    values: tuple
    median: float
    lowest: float
    highest: float
    spread: float
    margin: float | None
    met: tuple


@dataclass(frozen=True)
class Judgement:
    """A claim, the seeds, one row a condition, and the verdict: ``holds``, ``partly`` or ``fails``."""

    claim: Claim
    seeds: tuple
    rows: tuple
    verdict: str

    def record(self):
        """The judgement as JSON-able data, for the ledger."""
        claim = self.claim
        rows = [asdict(row) for row in self.rows]
        return {
            "claim": claim.id,
            "says": claim.says,
            "sources": list(claim.sources),
            "chapter": claim.chapter,
            "verdict": self.verdict,
            "seeds": list(self.seeds),
            "conditions": [
                row.pop("condition") | row | {"values": list(row["values"]), "met": list(row["met"])} for row in rows
            ],
        }

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": _text(self), "text/html": _card(self), MIME: self.record()}


def load(path=None):
    """Read the claims.

    Parameters
    ----------
    path : str
        of the YAML file; ``manuscript/claims.yml`` beside the package if not given

    Returns
    -------
    dict
        from id to ``Claim``, in the order of the file

    Raises
    ------
    ValueError
        a row that is not as the head of ``claims.yml`` describes, or an id that stands twice
    """
    import yaml

    path = Path(path or PATH)
    claims = {}
    for row in yaml.safe_load(path.read_text(encoding="utf-8")):
        _check_keys(row, {"id", "says", "sources", "chapter", "conditions"}, f"{path.name}: a claim")
        if row["id"] in claims:
            raise ValueError(f"{path.name}: {row['id']} stands twice; an id names one claim")
        conditions = tuple(_condition(c, f"{path.name}: {row['id']}") for c in row["conditions"])
        names = [c.quantity for c in conditions]
        if len(set(names)) < len(names):
            raise ValueError(f"{path.name}: {row['id']}: expected each quantity once, got {names}")
        claims[row["id"]] = Claim(row["id"], row["says"], tuple(row["sources"]), row["chapter"], conditions)
    return claims


def judge(claim_id, /, *, seeds, **values):
    """Hold measured values against the conditions of a claim.

    Parameters
    ----------
    claim_id : str
        such as ``"C03"``
    seeds
        the seeds that ran, each once
    **values
        by the name of the condition's quantity: finite numbers, one a seed, in the order of ``seeds``

    Returns
    -------
    Judgement
        shows itself as a card; as the last expression of a cell it also leaves the record

    Raises
    ------
    ValueError
        an unknown claim or one without conditions, a quantity too many or too few, a repeated seed, values that are not
        finite or not one a seed
    """
    claims = load()
    if claim_id not in claims:
        raise ValueError(
            f"expected the id of a claim in {PATH.name}, from {min(claims)} to {max(claims)}, got {claim_id!r}"
        )
    claim, seeds = claims[claim_id], tuple(int(seed) for seed in seeds)
    if not claim.conditions:
        raise ValueError(f"{claim_id} has no conditions yet, so nothing can be judged; write them in {PATH.name} first")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"expected one or more seeds, each once, got {list(seeds)}")
    expected = [condition.quantity for condition in claim.conditions]
    if set(values) != set(expected):
        raise ValueError(
            f"{claim_id}: expected the quantities {sorted(expected)}, got {sorted(values)}; "
            f"missing {sorted(set(expected) - set(values))}, not asked for {sorted(set(values) - set(expected))}"
        )
    rows = tuple(
        _row(condition, _column(condition.quantity, values[condition.quantity], len(seeds)))
        for condition in claim.conditions
    )
    return Judgement(claim, seeds, rows, verdict([row.met for row in rows]))


def verdict(met):
    """The rule: every condition met in every seed holds, none in any fails, anything else is partly.

    Parameters
    ----------
    met
        (conditions, seeds) truth values, at least one

    Returns
    -------
    str
        ``"holds"``, ``"fails"`` or ``"partly"``

    Raises
    ------
    ValueError
        nothing to judge
    """
    entries = [bool(entry) for row in met for entry in row]
    if not entries:
        raise ValueError("expected at least one condition and one seed, got none; an empty table proves nothing")
    if all(entries):
        return "holds"
    return "partly" if any(entries) else "fails"


def _check_keys(row, expected, where):
    if not isinstance(row, dict) or set(row) != expected:
        given = sorted(row) if isinstance(row, dict) else repr(row)
        raise ValueError(f"{where}: expected the keys {sorted(expected)}, got {given}")


def _condition(row, where):
    _check_keys(row, {"quantity", "what", "bound", "kind"}, f"{where}: a condition")
    bound = re.fullmatch(r"(<=?|>=?) *(\S+)", str(row["bound"]))
    if not bound or not math.isfinite(number := _float(bound[2])):
        raise ValueError(
            f"{where}: expected a bound like '< 1e-9', one of {list(RELATIONS)} and a number, got {row['bound']!r}"
        )
    if row["kind"] not in ("exact", "measured"):
        raise ValueError(f"{where}: expected the kind 'exact' or 'measured', got {row['kind']!r}")
    if not str(row["quantity"]).isidentifier() or row["quantity"] == "seeds":
        raise ValueError(f"{where}: expected a quantity that can be a keyword of judge(), got {row['quantity']!r}")
    return Condition(row["quantity"], row["what"], bound[1], number, row["kind"])


def _column(name, values, n):
    """The values of one quantity as floats, one a seed."""
    shape = values.shape if hasattr(values, "shape") else (len(values),)
    if shape != (n,):
        raise ValueError(f"{name}: expected a 1-D array of shape ({n},), one value a seed, got {shape}")
    values = tuple(float(value) for value in values)
    if not all(map(math.isfinite, values)):
        raise ValueError(
            f"{name}: expected finite values, got {list(values)}; a run that diverged needs a number that says so"
        )
    return values


def _row(condition, values):
    lowest, highest = min(values), max(values)
    spread, worst = highest - lowest, highest if condition.relation in ("<", "<=") else lowest
    distance = condition.bound - worst if condition.relation in ("<", "<=") else worst - condition.bound
    rounding = 1e-12 * max(abs(lowest), abs(highest))  # equal but for the last bits: no spread
    met = tuple(RELATIONS[condition.relation](value, condition.bound) for value in values)
    return Row(
        condition,
        values,
        median(values),
        lowest,
        highest,
        spread,
        distance / spread if spread > rounding else None,
        met,
    )


def _float(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def _short(number, digits=3):
    """A few significant digits, with an exponent as people write it."""
    text = re.sub(r"e([-+])0*", lambda e: "e" + e[1].strip("+"), f"{number + 0.0:.{digits}g}")
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _is_residue(row):
    """Whether the row holds rounding errors, whose digits differ between machines."""
    condition = row.condition
    return condition.kind == "exact" and condition.relation in ("<", "<=") and 0 < condition.bound <= RESIDUE


def _number(value, row):
    """A value as the card prints it: behind ≈ if measured; if exact, the digits that every machine agrees on."""
    if row.condition.kind == "measured":
        return "≈" + _short(value)
    if _is_residue(row) and abs(value) < row.condition.bound:
        return "< " + _short(row.condition.bound, 10)
    return _short(round(value, 12))


def rows_of(record):
    """The rows of a judgement, back from its ``record``."""
    parts = [name for name in Condition.__dataclass_fields__]
    rest = [name for name in Row.__dataclass_fields__ if name != "condition"]
    return [
        Row(Condition(**{name: row[name] for name in parts}), **{name: row[name] for name in rest})
        for row in record["conditions"]
    ]


def cells(row):
    """What card and ledger say of a condition: what and bound, median [lowest, highest], seeds met, margin, spread."""
    condition = row.condition
    middle, low, high = (_number(value, row) for value in (row.median, row.lowest, row.highest))
    numbers = middle if low == high else f"{middle} [{low}, {high}]"
    if condition.kind == "measured":
        numbers = f"{middle} [{low}, {high}]"  # always: on another machine the digits may differ
    margin = (
        "no spread" if row.margin is None else "≈" * (condition.kind == "measured") + _short(round(row.margin, 12), 2)
    )
    spread = "rounding" if _is_residue(row) else "none" if row.margin is None else _number(row.spread, row)
    return (
        f"{condition.what} {condition.relation} {_short(condition.bound, 10)}",
        numbers,
        f"{sum(row.met)}/{len(row.met)}",
        "rounding" if _is_residue(row) else margin,
        spread,
    )


def _text(judgement):
    lines = [f"{judgement.claim.id} · {judgement.verdict}", judgement.claim.says]
    for row in judgement.rows:
        what, numbers, met, margin, _ = cells(row)
        lines.append(f"- {what}: {numbers}; seeds met {met}; margin {margin}")
    return "\n".join(lines)


def _card(judgement):
    heads = ("condition", "median [lowest, highest]", "seeds met", "margin")
    head = "".join(f'<th scope="col">{title}</th>' for title in heads)
    body = ""
    for row in judgement.rows:
        what, *values = map(escape, cells(row)[: len(heads)])
        body += f'<tr><th scope="row">{what}</th>' + "".join(f"<td>{value}</td>" for value in values) + "</tr>\n"
    claim = judgement.claim
    return (
        f'<div class="bn-claim bn-{judgement.verdict}">\n'
        f'<p class="bn-claim-head"><strong>{claim.id} · {judgement.verdict}</strong></p>\n'
        f'<p class="bn-claim-says">{escape(claim.says)}</p>\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n</div>"
    )
