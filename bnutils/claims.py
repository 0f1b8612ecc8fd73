"""Claims, the conditions they are held against, and the verdicts that follow.

``claims.yml`` holds every claim and, for those judged so far, the conditions, written down before the seeds ran. A
chapter measures; ``judge`` computes the verdict and leaves a card for the reader and a record for the ledger.

A verdict must be able to surprise. What algebra decides is shown and not counted (``identity``); a bound that chance
keeps, or that a perfect mechanism breaks, is refused.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import ge, gt, le, lt
from pathlib import Path

from numpy.typing import ArrayLike

from . import cards
from .evidence import Sample, over

MIME = "application/vnd.bnutils.claim+json"
PATH = Path(__file__).with_name("claims.yml")
RELATIONS = {"<": lt, "<=": le, ">": gt, ">=": ge}
FEWEST_SEEDS = 10  # for an interval

# kind -> the columns it asks of over() beside the values, in the words of claims.yml
KINDS = {"bound": ("chance", "perfect"), "difference": (), "equivalence": (), "identity": (), "proof": ("mutant",)}
VERDICTS = ("holds", "partly", "fails", "undecided")


@dataclass(frozen=True)
class Condition:
    """One quantity, its kind, what it is in words, and the bound or margin it is held against.

    ``relation`` is one of ``RELATIONS``, or ``within`` for an equivalence. ``beside`` says in words what stands beside
    the values: what chance and a perfect mechanism come to, or the mutant of a theorem. ``plain`` says the whole
    condition, met, to somebody who has not seen its chapter.
    """

    quantity: str
    kind: str
    what: str
    relation: str
    bound: float
    beside: tuple  # of (column, words)
    plain: str = ""

    @property
    def counts(self) -> bool:
        return self.kind != "identity"

    def keeps(self, value: float) -> bool:
        return RELATIONS[self.relation](value, self.bound)

    def bound_in_words(self) -> str:
        return (
            f"within ±{cards.short(self.bound, 10)}"
            if self.relation == "within"
            else f"{self.relation} {cards.short(self.bound, 10)}"
        )


@dataclass(frozen=True)
class Claim:
    """A claim as it is said, who says it (bibliography keys), the chapter that judges it, and how.

    ``overturned`` are the verdicts it had before, each with the day and the reason it fell; ``run`` says in a few
    sentences what was run; ``quoted`` are a source's own words: its bibliography key, and they.
    """

    id: str
    says: str
    sources: tuple
    chapter: str
    conditions: tuple
    overturned: tuple = ()
    run: str = ""
    quoted: tuple = ()


@dataclass(frozen=True)
class Row:
    """One condition measured: its sample, and whether it is ``met``, ``broken`` or ``open``.

    ``keeping`` counts the seeds that keep the bound; None where an interval decides.
    """

    condition: Condition
    sample: Sample
    state: str
    keeping: int | None

    @property
    def margin(self) -> float | None:
        """How near the state is to another, in units of the spread; positive on the claim's side.

        It is the distance to the bound of what lies nearest, a seed or, where an interval decides, an end of it. None
        where the state is open, without a spread, and in an identity.
        """
        condition, sample = self.condition, self.sample
        if not sample.spread or self.state == "open" or not condition.counts:
            return None
        ends = sample.interval() if self.keeping is None else (sample.lowest, sample.highest)
        if condition.relation == "within":
            distances = [condition.bound - abs(end) for end in ends]
        else:
            sign = -1 if condition.relation in ("<", "<=") else 1
            distances = [sign * (end - condition.bound) for end in ends]
        nearest = min(distances) if self.state == "met" else max(distances)
        return nearest / sample.spread


@dataclass(frozen=True)
class Judgement:
    """A claim, the seeds, one row a condition, and the verdict, one of ``VERDICTS``."""

    claim: Claim
    seeds: tuple
    rows: tuple
    verdict: str

    @property
    def by_proof(self) -> bool:
        return any(row.condition.kind == "proof" for row in self.rows)

    def record(self) -> dict:
        """The judgement as JSON-able data, for the ledger; `restore` reads it back."""
        claim = self.claim
        return {
            "claim": claim.id,
            "says": claim.says,
            "sources": list(claim.sources),
            "chapter": claim.chapter,
            "verdict": self.verdict,
            "seeds": list(self.seeds),
            "conditions": [_recorded(row) for row in self.rows],
        }

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": cards.text(self), "text/html": cards.card(self), MIME: self.record()}


def load(path: str | Path | None = None) -> dict[str, Claim]:
    """Read the claims.

    Parameters
    ----------
    path : str
        of the YAML file; the book's own if not given

    Returns
    -------
    dict
        from id to ``Claim``, in the order of the file

    Raises
    ------
    ValueError
        a row that is not as the head of ``claims.yml`` describes, an id that stands twice, or conditions of which too
        few could come out otherwise
    """
    import yaml

    path = Path(path or PATH)
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"{path.name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}") from None
    claims = {}
    for row in rows:
        _check_keys(
            row,
            {"id", "says", "sources", "chapter", "conditions"},
            {"overturned", "run", "quoted"},
            f"{path.name}: a claim",
        )
        where = f"{path.name}: {row['id']}"
        if row["id"] in claims:
            raise ValueError(f"{path.name}: {row['id']} stands twice; an id names one claim")
        conditions = tuple(_condition(condition, where) for condition in row["conditions"])
        names = [condition.quantity for condition in conditions]
        if len(set(names)) < len(names):
            raise ValueError(f"{where}: expected each quantity once, got {names}")
        kinds = [condition.kind for condition in conditions]
        if conditions and "proof" not in kinds and sum(condition.counts for condition in conditions) < 2:
            raise ValueError(
                f"{where}: expected a proof, or two or more conditions that count, got {kinds}; an identity does not"
            )
        overturned = tuple(_overturned(entry, where) for entry in row.get("overturned", ()))
        claims[row["id"]] = Claim(
            row["id"],
            row["says"],
            tuple(row["sources"]),
            row["chapter"],
            conditions,
            overturned,
            " ".join(row.get("run", "").split()),
            _quoted(row["quoted"], row["sources"], where) if "quoted" in row else (),
        )
    return claims


def judge(claim_id: str, /, *, seeds: Iterable[int], **values: Sample | ArrayLike) -> Judgement:
    """Hold measured values against the conditions of a claim.

    Parameters
    ----------
    claim_id : str
        such as ``"C03"``
    seeds
        the seeds that ran, each once
    **values
        by the name of the condition's quantity: finite numbers, one a seed in the order of ``seeds``; for a ``bound``
        and a ``proof`` what `over` made of them, with the columns that ``claims.yml`` names (``chance``, ``perfect``,
        ``mutant``)

    Returns
    -------
    Judgement
        shows itself as a card; as the last expression of a cell it also leaves the record

    Raises
    ------
    ValueError
        an unknown claim or one without conditions, a quantity too many or too few, a repeated seed, values that are not
        finite or not one a seed; a condition that chance keeps, that a perfect mechanism breaks, that algebra decides;
        an identity that does not hold, a mutant that passes, an interval of too few seeds
    """
    claims = load()
    if claim_id not in claims:
        raise ValueError(
            f"expected the id of a claim in {PATH.name}, from {min(claims)} to {max(claims)}, got {claim_id!r}"
        )
    claim = claims[claim_id]
    if not claim.conditions:
        raise ValueError(f"{claim_id} has no conditions yet, so nothing can be judged; write them in {PATH.name} first")
    expected = [condition.quantity for condition in claim.conditions]
    if set(values) != set(expected):
        raise ValueError(
            f"{claim_id}: expected the quantities {sorted(expected)}, got {sorted(values)}; "
            f"missing {sorted(set(expected) - set(values))}, not asked for {sorted(set(values) - set(expected))}"
        )
    return _judgement(claim, seeds, values)


def restore(record: dict, claims: dict[str, Claim]) -> Judgement:
    """The judgement of a record, computed anew from its values and the conditions of today.

    Raises
    ------
    ValueError
        a record that these conditions cannot have left
    """
    try:
        claim = claims[record["claim"]]
        values = {
            row["quantity"]: over(**{name: row[name] for name in _COLUMNS if name in row})
            for row in record["conditions"]
        }
        return _judgement(claim, record["seeds"], {c.quantity: values[c.quantity] for c in claim.conditions})
    except (KeyError, TypeError) as error:
        raise ValueError(f"a record of {record.get('claim')} that claims.yml does not describe ({error})") from None


def faults_of(data: dict, claims: dict[str, Claim]) -> list[str]:
    """What is wrong with a stored output that holds a verdict: a card or a record that its values do not give.

    Parameters
    ----------
    data : dict
        from MIME type to content, as the cell left it
    claims : dict
        what `load` gives
    """
    record = data[MIME]
    try:
        expected = restore(record, claims)._repr_mimebundle_()
    except ValueError as error:
        return [str(error)]
    if record != expected[MIME]:
        differing = [name for name, value in expected[MIME].items() if record.get(name) != value]
        return [f"its record is not what its values give (see {', '.join(differing) or 'an added field'})"]
    shown = {kind: "".join(data.get(kind, "")) for kind in ("text/plain", "text/html")}
    return [f"its {kind} is not what its record gives" for kind, text in shown.items() if text != expected[kind]]


def verdict(rows: Sequence[Row]) -> str:
    """The rule, on the rows that count: all met holds, all broken fails, some met and some broken is partly.

    Anything else is undecided. A proof settles the claim alone.

    Parameters
    ----------
    rows
        of a judgement

    Raises
    ------
    ValueError
        nothing that counts
    """
    proofs = [row for row in rows if row.condition.kind == "proof"]
    states = [row.state for row in proofs or rows if row.condition.counts]
    if not states:
        raise ValueError("expected a condition that counts, got none; identities prove nothing about a claim")
    if set(states) == {"met"}:
        return "holds"
    if set(states) == {"broken"}:
        return "fails"
    return "partly" if {"met", "broken"} <= set(states) else "undecided"


def nearest_turn(judgement: Judgement) -> tuple[Row, float, str] | None:
    """The smallest relative move of one bound, or margin, after which the verdict is another word.

    A bound is not moved across zero, where it would ask something else, nor to where it would be refused.

    Returns
    -------
    tuple
        the row whose bound moves, a bound just beyond the turn with as few digits as keep the word, and that word;
        None where no such bound turns it
    """
    found = []
    for place, row in enumerate(judgement.rows):
        bound = row.condition.bound
        for edge in _edges(row) if row.condition.counts else ():
            if edge * bound <= 0:
                continue
            for side in (-1, 1) if edge == bound else (math.copysign(1, edge - bound),):
                moved = [_beyond(edge, side, digits) for digits in range(2, 11)]
                words = [_verdict_at(judgement, place, each) for each in moved]
                if words[-1] not in (None, judgement.verdict):
                    found.append((abs(edge / bound - 1), place, moved[words.index(words[-1])], words[-1]))
    if not found:
        return None
    _, place, bound, word = min(found)
    return judgement.rows[place], bound, word


def _edges(row):
    """Where a bound that moves changes the state of a row."""
    if row.keeping is not None:
        return row.sample.lowest, row.sample.highest
    ends = row.sample.interval()
    return tuple(map(abs, ends)) if row.condition.relation == "within" else ends


def _beyond(edge, side, digits):
    """A number of so many digits next to ``edge``, on this side of it."""
    unit = 10.0 ** (math.floor(math.log10(abs(edge))) + 1 - digits)
    steps = math.ceil(edge / unit) - 1 if side < 0 else math.floor(edge / unit) + 1
    return float(f"{steps * unit:.12g}")


def _verdict_at(judgement, place, bound):
    """The verdict with another bound in one row; None where that bound would be refused."""
    row = judgement.rows[place]
    if bound * row.condition.bound <= 0:
        return None
    try:
        moved = held(replace(row.condition, bound=bound), row.sample)
    except ValueError:
        return None
    return verdict([*judgement.rows[:place], moved, *judgement.rows[place + 1 :]])


def held(condition: Condition, sample: Sample) -> Row:
    """One condition measured.

    Raises
    ------
    ValueError
        columns that the condition does not ask for, or values that could not have come out otherwise
    """
    asked = tuple(name for name, _ in condition.beside)
    given = tuple(name for name in ("chance", "perfect", "mutant") if getattr(sample, name) is not None)
    if set(asked) != set(given):
        raise ValueError(
            f"expected {', '.join(('values', *asked))} in over(...), as claims.yml says, "
            f"got {', '.join(('values', *given))}"
        )
    if condition.kind in ("difference", "equivalence"):
        return Row(condition, sample, _state_of_interval(condition, sample), None)
    _refuse_what_is_decided(condition, sample)
    keeping = sum(map(condition.keeps, sample.values))
    if condition.kind == "identity" and keeping < sample.n:
        raise ValueError(f"an identity holds in every seed, this one in {keeping} of {sample.n}; mend algebra or code")
    state = "met" if keeping == sample.n else "open" if keeping else "broken"
    return Row(condition, sample, state, keeping)


_COLUMNS = ("values", "chance", "perfect", "mutant")


def _judgement(claim, seeds, values):
    seeds = tuple(int(seed) for seed in seeds)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"expected one or more seeds, each once, got {list(seeds)}")
    rows = []
    for condition in claim.conditions:
        given = values[condition.quantity]
        try:
            sample = given if isinstance(given, Sample) else over(given)
            if sample.n != len(seeds):
                raise ValueError(f"expected {len(seeds)} values, one a seed, got {sample.n}")
            rows.append(held(condition, _rounded(sample)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{claim.id}, {condition.quantity}: {error}") from None
    return Judgement(claim, seeds, tuple(rows), verdict(rows))


def _rounded(sample):
    """As it is recorded: what is judged and what is stored are the same numbers."""
    columns = {name: getattr(sample, name) for name in _COLUMNS}
    return over(
        **{name: [float(f"{value:.12g}") for value in column] for name, column in columns.items() if column is not None}
    )


def _state_of_interval(condition, sample):
    if sample.n < FEWEST_SEEDS:
        raise ValueError(f"expected {FEWEST_SEEDS} or more seeds for an interval, got {sample.n}")
    if not sample.spread:
        raise ValueError("all differences are equal: algebra decides; make it an identity or compare something else")
    if condition.kind == "equivalence":
        return {True: "met", False: "broken", None: "open"}[sample.equivalent(condition.bound)]
    side = "above" if condition.relation in (">", ">=") else "below"
    where = sample.where(condition.bound)
    return "open" if where == "across" else "met" if where == side else "broken"


def _refuse_what_is_decided(condition, sample):
    """A condition that could not come out otherwise is no evidence, so it is an error."""
    said = condition.bound_in_words()
    for name in ("chance", "mutant"):
        if kept := [value for value in getattr(sample, name) or () if condition.keeps(value)]:
            raise ValueError(
                f"{name} gives {cards.short(kept[0])}, which is {said}; a bound that {name} keeps proves nothing"
            )
    if broken := [value for value in sample.perfect or () if not condition.keeps(value)]:
        raise ValueError(
            f"a perfect mechanism gives {cards.short(broken[0])}, which is not {said}; "
            "a bound that it breaks proves nothing"
        )
    if condition.kind == "bound" and 0 < max(map(abs, (*sample.values, condition.bound))) < cards.RESIDUE:
        raise ValueError("all values are rounding errors: algebra decides; make it an identity or a proof")


def _recorded(row):
    condition, sample = row.condition, row.sample
    given = {name: list(column) for name in _COLUMNS if (column := getattr(sample, name)) is not None}
    summary = {"median": sample.median, "lowest": sample.lowest, "highest": sample.highest}
    if row.keeping is None:
        summary["interval"] = [float(f"{end:.10g}") for end in sample.interval()]
    return {
        "quantity": condition.quantity,
        "kind": condition.kind,
        "what": condition.what,
        "bound": f"{condition.relation} {condition.bound:.12g}",
        "beside": dict(condition.beside),
        **given,
        **{name: value if isinstance(value, list) else float(f"{value:.10g}") for name, value in summary.items()},
        "keeping": row.keeping,
        "state": row.state,
    }


def _check_keys(row, expected, optional, where):
    given = set(row) if isinstance(row, dict) else None
    if given is None or not expected <= given <= expected | optional:
        described = sorted(row) if isinstance(row, dict) else repr(row)
        perhaps = f" and perhaps {sorted(optional)}" if optional else ""
        raise ValueError(f"{where}: expected the keys {sorted(expected)}{perhaps}, got {described}")


def _overturned(entry, where):
    _check_keys(entry, {"was", "until", "because"}, set(), f"{where}: an overturned verdict")
    if entry["was"] not in VERDICTS:
        raise ValueError(f"{where}: expected a verdict among {', '.join(VERDICTS)}, got {entry['was']!r}")
    return entry["was"], str(entry["until"]), entry["because"]


def _quoted(entry, sources, where):
    _check_keys(entry, {"source", "words"}, set(), f"{where}: quoted words")
    if entry["source"] not in sources:
        raise ValueError(f"{where}: expected words of one of its sources {sources}, got {entry['source']!r}")
    return entry["source"], " ".join(entry["words"].split())


def _condition(row, where):
    kind = row.get("kind") if isinstance(row, dict) else None
    if kind not in KINDS:
        raise ValueError(f"{where}: expected a condition of a kind among {', '.join(KINDS)}, got {kind!r}")
    needed = {"mutant", "theorem"} if kind == "proof" else set()
    _check_keys(
        row,
        {"quantity", "kind", "what", "bound"} | needed,
        set(KINDS[kind]) - needed | {"plain"},
        f"{where}: a condition of kind {kind}",
    )
    given = re.fullmatch(r"(within|<=?|>=?) *(\S+)", str(row["bound"]))
    if not given or not math.isfinite(number := _float(given[2])) or (given[1] == "within") != (kind == "equivalence"):
        form = "'within 0.02'" if kind == "equivalence" else f"'< 0.1', one of {list(RELATIONS)} and a number"
        raise ValueError(f"{where}: expected a bound like {form}, got {row['bound']!r}")
    if given[1] == "within" and number <= 0:
        raise ValueError(f"{where}: expected a margin above 0, got {row['bound']!r}")
    if not str(row["quantity"]).isidentifier() or row["quantity"] == "seeds":
        raise ValueError(f"{where}: expected a quantity that can be a keyword of judge(), got {row['quantity']!r}")
    beside = tuple((name, row[name]) for name in KINDS[kind] if name in row)
    if kind == "bound" and not beside:
        raise ValueError(
            f"{where}, {row['quantity']}: expected 'chance' or 'perfect', in words: what would come out if "
            "there were nothing to find, or if the mechanism were perfect"
        )
    what = f"{row['what']} ({row['theorem']})" if kind == "proof" else row["what"]
    return Condition(row["quantity"], kind, what, given[1], number, beside, row.get("plain", ""))


def _float(text):
    try:
        return float(text)
    except ValueError:
        return math.nan
