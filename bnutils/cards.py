"""How a judgement looks: words for each condition, and the card that chapter and ledger share.

A card is one ``<details>``: closed, the claim in a line with a pip a condition and the verdict; opened, a table whose
strips have one dot a seed against the bound. It reads well without a style sheet: what a colour says, a shape says too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .claims import Condition, Judgement, Row

RESIDUE = 1e-6  # what is bounded below this, or does not reach it, is rounding error
GLYPHS = {"holds": "✓", "partly": "◐", "fails": "✕", "undecided": "?"}
PIPS = {"met": "●", "broken": "○", "open": "◌"}
STATES = {"met": "✓ met", "broken": "✕ broken", "open": "? open"}
HINTS = {  # what a word of a card means, shown by the pages on hover and tap
    "broken": "A ring is a seed that does not keep the bound.",
    "kept": "A filled dot is a seed that keeps the bound; it lies right of the line.",
    "state": "Met: every seed keeps the bound, or the whole interval does. Broken: none does. Open: neither.",
    "identity": "Algebra decides it: it shows the mechanism and does not count.",
    "clearance": "The distance from the bound to the nearest seed, or end of the interval, in units of the spread; "
    "negative where broken.",
    "mutant": "A false version of the theorem. The check has to notice it, so its crosses lie where broken dots lie.",
    "pip": "A pip is a condition that counts.",
}
HEADS = ("condition", "median [lowest, highest]", "what would be", "met", "clearance")
BARELY = 0.1  # a clearance below this, to either side, is named

# a strip, in px: its width, the room left at each end, and how high each part of it is
WIDTH, EDGE, LABELS, DOTS, BAR, TICKS = 264, 8, 14, 30, 9, 14
RADIUS = 3
FACTORS = (1.25, 2, 10, 100)  # how far a logarithmic strip reaches from the bound, at least
MULTIPLES = (2, 4, 10, 20, 40, 100)  # how many margins a linear one does

# ------------------------------------------------------------------------------------------------ words


def short(number: float, digits: int = 3) -> str:
    """A few significant digits, with an exponent as people write it."""
    text = re.sub(r"e([-+])0*", lambda e: "e" + e[1].strip("+"), f"{number + 0.0:.{digits}g}")
    return text.replace("-", "−", 1) if text.startswith("-") else text


def title(judgement: Judgement) -> str:
    """``C03 · partly``."""
    return f"{judgement.claim.id} · {word(judgement)}"


def word(judgement: Judgement) -> str:
    """The verdict, with the reason where that is a proof."""
    return judgement.verdict + (", by proof" if judgement.by_proof else "")


def cells(row: Row) -> tuple[str, ...]:
    """What is said of a condition, one text for each of ``HEADS``."""
    condition = row.condition
    if row.keeping is None:
        met = f"{row.state}, {_by_the_interval(row)}"
    elif condition.counts:
        met = f"{row.state}, {row.keeping} of {row.sample.n} seeds"
    else:
        met = f"identity, {row.keeping} of {row.sample.n} seeds; does not count"
    numbers = _median(row) if row.keeping is not None else f"{_median(row)}; {_mean(row)}; {_flip(row)}"
    beside = "; ".join(_beside(row))
    return f"{condition.what} {condition.bound_in_words()}", numbers, beside or "–", met, _clearance(row) or "–"


def text(judgement: Judgement) -> str:
    """The judgement in plain text, a line a condition."""
    lines = [title(judgement), judgement.claim.says]
    for row in judgement.rows:
        what, *rest = cells(row)
        lines.append(f"- {what}: " + "; ".join(f"{head}: {said}" for head, said in zip(HEADS[1:], rest) if said != "–"))
    return "\n".join(lines)


def _is_residue(row):
    """Whether the row holds rounding errors, whose digits differ between machines."""
    condition = row.condition
    return condition.kind != "bound" and condition.relation in ("<", "<=") and 0 < condition.bound <= RESIDUE


def _number(value, row):
    """A value as it is printed: behind ≈, or for rounding errors as below the bound."""
    if _is_residue(row) and abs(value) < row.condition.bound:
        return "< " + short(row.condition.bound, 10)
    return "≈" + short(value)


def _parts(row):
    """Median, and the range behind it if that says more."""
    middle, low, high = (_number(value, row) for value in (row.sample.median, row.sample.lowest, row.sample.highest))
    return middle, "" if _is_residue(row) and middle == high else f"[{low}, {high}]"


def _median(row):
    return " ".join(part for part in _parts(row) if part)


def _mean(row):
    left, right = (_number(end, row) for end in row.sample.interval())
    return f"mean {_number(row.sample.mean, row)}, 95 % in [{left}, {right}]"


def about(condition: Condition) -> float:
    """The mean that the sign-flip test asks about: the margin, or none."""
    return 0.0 if condition.relation == "within" else condition.bound


def _flip(row):
    mean = about(row.condition)
    return f"p (mean = {short(mean, 10)}) ≈{short(row.sample.sign_flip(mean), 2)}"


def keeping(row: Row) -> int:
    """How many seeds, or pairs, keep the bound; where an interval decides this only describes."""
    return sum(kept(row, value) for value in row.sample.values)


def _by_the_interval(row):
    beyond = "within" if row.condition.relation == "within" else "beyond"
    return f"by the interval; {keeping(row)} of {row.sample.n} pairs {beyond}"


def hint(word: str, said: str = "", more: str = "") -> str:
    """A word that shows what it means; ``said`` instead of the word itself, ``more`` attributes."""
    return f'<span data-card="{escape(HINTS[word])}"{more}>{said or word}</span>'


def seeds(judgement: Judgement) -> str:
    """``10 seeds, 20 to 29``."""
    numbers = judgement.seeds
    row = len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))
    named = f"{numbers[0]} to {numbers[-1]}" if row else ", ".join(map(str, numbers))
    return f"{len(numbers)} seeds, {named}" if len(numbers) > 1 else f"1 seed, {named}"


def _beside(row):
    return [f"{name}: {words}, {_extent(getattr(row.sample, name))}" for name, words in row.condition.beside]


def _extent(column):
    low, high = (short(edge) for edge in (min(column), max(column)))
    return f"≈{low}" if low == high else f"≈{low} to ≈{high}"


def _clearance(row):
    """How near the state is to another, in words; `claims` keeps it as ``margin``."""
    if row.margin is None or _is_residue(row):
        return ""
    return f"≈{short(row.margin, 2)}" + (", barely" if abs(row.margin) < BARELY else "")


def turn(row: Row, bound: float, verdict: str) -> str:
    """A sentence on what would turn a verdict, as `claims.nearest_turn` found it."""
    condition = row.condition
    name = "margin" if row.keeping is None else "bound"
    return (
        f"Nearest to another verdict: it would read <em>{verdict}</em> if the {name} of “{escape(condition.what)}” "
        f"were ≈{short(bound, 10)} instead of {short(condition.bound, 10)}."
    )


# ------------------------------------------------------------------------------------------------ the card


def card(judgement: Judgement) -> str:
    """The whole card: `opening`, `conditions`, `CLOSING`. Its ``id`` is that of the claim."""
    return f"{opening(judgement)}\n{conditions(judgement)}\n{CLOSING}"


CLOSING = "</div></details>"


def opening(judgement: Judgement, attributes: str = "") -> str:
    """The line that is always seen, and the beginning of what opens.

    Parameters
    ----------
    judgement
        to be shown
    attributes : str
        more of them, for the ``<details>``
    """
    claim = judgement.claim
    return (
        f'<details class="bn-claim bn-{judgement.verdict}" id="{claim.id}"{attributes}>\n'
        f'<summary><span class="bn-claim-id">{claim.id}</span> <strong class="bn-claim-says">{escape(claim.says)}'
        f"</strong> {pips(judgement)} {pill(judgement.verdict, word(judgement))}</summary>\n"
        '<div class="bn-claim-body">'
    )


def pill(verdict: str, said: str) -> str:
    """A verdict as glyph and word."""
    return f'<span class="bn-verdict bn-{verdict}">{GLYPHS[verdict]} {said}</span>'


def conditions(judgement: Judgement) -> str:
    """What was run, and a row a condition with its strip, its numbers and its state."""
    claim = judgement.claim
    run = f"{escape(claim.run)} " if claim.run else ""
    body = "\n".join(map(_row, sorted(judgement.rows, key=lambda row: not row.condition.counts)))
    return (
        f'<p class="bn-claim-run">{run}Judged on {seeds(judgement)}; every dot is one.</p>\n'
        '<table class="bn-conditions">\n<thead><tr><th scope="col">condition</th>'
        f'<th scope="col">{hint("broken", "← broken")} {hint("kept", "kept →")}</th>'
        f'<th scope="col">median [lowest, highest]</th><th scope="col">{hint("state")}</th></tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>"
    )


def pips(judgement: Judgement) -> str:
    """A sign for each condition that counts: met, broken or open."""
    states = [row.state for row in judgement.rows if row.condition.counts]
    counted = ", ".join(f"{states.count(state)} {state}" for state in PIPS if state in states)
    signs = "".join(f'<i class="bn-{state}">{PIPS[state]}</i>' for state in states)
    many = f"{len(states)} conditions" if len(states) > 1 else "1 condition"
    return f'<span class="bn-pips" role="img" aria-label="{many}: {counted}">{signs}</span>'


def _row(row):
    condition = row.condition
    beside = "".join(f"<br><small>{escape(each)}</small>" for each in _beside(row))
    middle, ends = _parts(row)
    if row.keeping is None:
        numbers = [f"<b>{middle}</b>", ends, *_mean(row).split(", ", 1), _flip(row)]
        state = [f"<b>{STATES[row.state]}</b>", *_by_the_interval(row).split("; ")]
    else:
        numbers = [f"<b>{escape(middle)}</b>", escape(ends)]
        state = [f"<b>{row.keeping}/{row.sample.n}</b>", STATES[row.state]]
    if not condition.counts:
        state[1] = f"{hint('identity')}: does not count"
    if clearance := _clearance(row):
        state.append(f"{hint('clearance')} {clearance}")
    return (
        f'<tr class="bn-{row.state if condition.counts else "identity"}"><th scope="row">{escape(condition.what)} '
        f"<b>{escape(condition.bound_in_words())}</b></th><td>{strip(row)}{beside}</td>"
        f"<td>{_stacked(numbers)}</td><td>{_stacked(state)}</td></tr>"
    )


def _stacked(lines):
    return "".join([lines[0], *(f"<br><small>{line}</small>" for line in lines[1:] if line)])


# ------------------------------------------------------------------------------------------------ the strip


def strip(row: Row) -> str:
    """One dot a seed against the bound, as SVG; the first seed is the highest dot, and what is kept lies right.

    A bound above 0 has a logarithmic strip: the position is log₁₀ of value over bound, and values of 0 or below lie at
    its end. A difference has a linear one, measured in margins, with the interval that decides as a bar below the
    dots; so has a bound of 0 or below. In an equivalence the middle is what is kept. What lies farther than the strip
    reaches is drawn at its end.
    """
    sample, condition = row.sample, row.condition
    place, ends, zone = scale(row)
    marks = [
        (name, sorted(column)[len(column) // 2]) for name in ("chance", "perfect") if (column := getattr(sample, name))
    ]
    if row.keeping is None:
        marks.append(("no effect", 0.0))
    mutant = sample.mutant or ()
    top = LABELS if marks or mutant else 0
    bottom = top + DOTS + (BAR if row.keeping is None else 0)
    heights = [top + RADIUS + (DOTS - 2 * RADIUS) * (i + 0.5) / sample.n for i in range(sample.n)]
    dots = {True: "", False: ""}
    for value, y in zip(sample.values, heights):
        dots[kept(row, value)] += f'<circle cx="{_px(place(value))}" cy="{_px(y)}" r="{RADIUS}"/>'
    parts = [
        f'<rect class="bn-zone" x="{_px(zone[0])}" y="{top}" width="{_px(zone[1] - zone[0])}" height="{bottom - top}" '
        'fill-opacity=".12"/>',
        *(_line("bn-edge", x, top, bottom, "") for x in zone if EDGE < x < WIDTH - EDGE),
        *(_mark(name, place(value), top, bottom) for name, value in marks),
    ]
    if mutant:
        crosses = "".join(
            f"M{_px(place(value) - 2.5)} {_px(y - 2.5)}l5 5m0-5l-5 5"
            for value, y in zip(mutant * (sample.n if len(mutant) == 1 else 1), heights)
        )
        parts += [
            _label("mutant", place(max(mutant, key=place)), top, f' data-card="{HINTS["mutant"]}"'),
            f'<path class="bn-mutant" d="{crosses}" {_STROKE}/>',
        ]
    if row.keeping is None:
        left, right = sorted(place(end) for end in sample.interval())
        y, middle = bottom - BAR / 2, place(sample.mean)
        parts.append(
            f'<path class="bn-interval" d="M{_px(left)} {y}H{_px(right)}" {_STROKE} stroke-width="3"/>'
            f'<path class="bn-interval" d="M{_px(middle)} {y - 4}v8" {_STROKE} stroke-width="2"/>'
        )
    parts += [f'<g class="bn-kept">{dots[True]}</g>', f'<g class="bn-lost" {_STROKE}>{dots[False]}</g>']
    low, middle, high = ends
    y = bottom + 11
    parts.append(
        f'<text x="0" y="{y}">{low}</text><text x="{WIDTH / 2:g}" y="{y}" text-anchor="middle">{middle}</text>'
        f'<text x="{WIDTH}" y="{y}" text-anchor="end">{high}</text>'
    )
    tall = bottom + TICKS
    said = f"{sample.n} dots, one a seed; {dots[True].count('<circle')} keep {condition.bound_in_words()}"
    return (
        f'<svg class="bn-strip" role="img" aria-label="{escape(said)}" viewBox="0 0 {WIDTH} {tall}" width="{WIDTH}" '
        f'height="{tall}" fill="currentColor" font-size="11">{"".join(parts)}</svg>'
    )


def kept(row: Row, value: float) -> bool:
    """Whether a single value lies where the condition wants it."""
    condition = row.condition
    return abs(value) < condition.bound if condition.relation == "within" else condition.keeps(value)


def logarithmic(row: Row) -> bool:
    """Whether the strip is; those of differences and of a bound of 0 or below are linear."""
    return row.condition.bound > 0 and row.keeping is not None and row.condition.relation != "within"


def scale(row: Row) -> tuple[Callable[[float], float], tuple[str, str, str], tuple[float, float]]:
    """Where on its strip a value lies.

    Returns
    -------
    place
        from a value to px
    ends
        the values at the left end, the middle and the right end, in words
    zone
        from where to where the condition is kept, in px
    """
    condition, sample = row.condition, row.sample
    bound, middle, half = condition.bound, WIDTH / 2, WIDTH / 2 - EDGE
    sign = -1 if condition.relation in ("<", "<=") else 1
    drawn = [*sample.values, *(sample.interval() if row.keeping is None else ())]

    def at(share):
        return middle + half * min(max(share, -1.0), 1.0)

    if condition.relation == "within":
        reach = bound * _first(MULTIPLES, max(map(abs, drawn)) / bound)
        share = bound / reach
        ends = (short(-reach), f"0 ± {short(bound, 10)}", short(reach))
        return lambda value: at(value / reach), ends, (at(-share), at(share))
    if logarithmic(row):
        own = max((abs(math.log10(value / bound)) for value in drawn if value > 0), default=math.inf)
        reach = _first(FACTORS, 10**own)
        beside = [value for column in (sample.chance, sample.mutant) for value in column or () if value > 0]
        if any(abs(math.log10(value / bound)) > math.log10(reach) for value in beside):
            reach = FACTORS[min(FACTORS.index(reach) + 1, len(FACTORS) - 1)]  # one step, to have them nearer

        def place(value):
            return at(sign * math.log10(value / bound) / math.log10(reach) if value > 0 else -sign)

        left, right = bound * reach**-sign, bound * reach**sign
    else:
        farthest = max(abs(value - bound) for value in drawn)
        unit = abs(bound) or 10 ** math.floor(math.log10(farthest or 1))
        reach = unit * _first(MULTIPLES, farthest / unit)

        def place(value):
            return at(sign * (value - bound) / reach)

        left, right = bound - sign * reach, bound + sign * reach
    return place, (short(left), short(bound, 10), short(right)), (middle, WIDTH)


_STROKE = 'fill="none" stroke="currentColor"'


def _first(steps, wanted):
    return next((step for step in steps if step >= wanted), steps[-1])


def _px(x):
    return f"{x:.1f}".removesuffix(".0")


def _line(name, x, top, bottom, more):
    return f'<path class="{name}" d="M{_px(x)} {top}V{bottom}" {_STROKE}{more}/>'


def _mark(name, x, top, bottom):
    return _line("bn-mark", x, top - 2, bottom, ' stroke-dasharray="2 2"') + _label(name, x, top)


def _label(name, x, top, more=""):
    """Beside its mark, on the side away from the bound; at an end of the strip, inwards."""
    outwards = x < WIDTH / 2
    anchor = "end" if outwards == (45 < x < WIDTH - 45) else "start"
    x += -2 if anchor == "end" else 2
    return f'<text class="bn-mark" x="{_px(x)}" y="{top - 4}" text-anchor="{anchor}"{more}>{name}</text>'
