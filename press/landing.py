"""What the press writes into the first page: the list of all chapters, and verdicts as the ledger has them."""

import os
from html import escape

from bnutils import cards, claims
from bnutils.claims import Claim, Judgement, Row
from press.contents import Chapter, Contents
from press.ledger import TALLY, verdicts_of
from press.manuscript import Page
from press.teaching import minutes

TELLING = ("broken", "open", "met")


def chapters(page: Page, contents: Contents, pages: list[Page]) -> str:
    """Every chapter under its part: a link and its minutes where it can be read, else its title among the planned.

    Parameters
    ----------
    page : Page               where the list stands; links are relative to it
    contents : Contents       all chapters
    pages : list of Page      the manuscripts, by which the minutes are counted
    """
    texts = {each.name: each for each in pages}
    lines = ["::::{div} bn-parts"]
    for part, own in contents.parts.items():
        lines += [":::{div} bn-part", f"### {part}", ""]
        lines += [entry(page, chapter, texts[chapter.name]) for chapter in own if readable(chapter, texts)]
        planned = [chapter.title for chapter in own if not readable(chapter, texts)]
        lines += ["", f"Planned: {'; '.join(planned)}."] if planned else []
        lines += [":::"]
    return "\n".join([*lines, "::::"])


def readable(chapter: Chapter, texts: dict[str, Page]) -> bool:
    return chapter.written and chapter.name in texts


def entry(page: Page, chapter: Chapter, text: Page) -> str:
    link = os.path.relpath(text.product, page.product.parent)
    time = f" ({minutes(text)} min)" if text.runs else ""
    return f"- [{chapter.title}]({link}): {chapter.says}{time}"


def tally(all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> str:
    """The claims in large numbers: how many, how many judged, and how.

    Parameters
    ----------
    all_claims : dict         id -> Claim
    judged : dict             id -> (page name, record)
    """
    found = list(verdicts_of(all_claims, judged).values())
    done = len(found) - found.count("pending")
    counts = {word: found.count(word) for word in claims.VERDICTS if word in found}
    pills = " ".join(cards.pill(word, f"{count} {TALLY[word][count > 1]}") for word, count in counts.items())
    return (
        f'<p class="bn-counts"><span><b>{len(found)}</b> things people say about it</span> '
        f"<span><b>{done}</b> judged{' so far' if done < len(found) else ''}</span></p>\n"
        f'<p class="bn-counts">{pills}</p>'
    )


def verdicts(ids: list[str], all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> str:
    """Claims with their verdicts, their conditions counted, and the dots of the condition that tells most about each.

    Parameters
    ----------
    ids : list of str         of the claims
    all_claims : dict         id -> Claim
    judged : dict             id -> (page name, record)
    """
    lines = ["::::{div} bn-sayings"]
    for name in ids:
        judgement = claims.restore(judged[name][1], all_claims)
        row = telling(judgement)
        states = [each.state for each in judgement.rows if each.condition.counts]
        met = f"{states.count('met')} of {len(states)} conditions met"
        met += f", {undecided} open" if (undecided := states.count("open")) else ""
        asked = row.condition.plain or f"{row.condition.what} {row.condition.bound_in_words()}"
        one = "One of them" if len(states) > 1 else "It"
        what = f"{one}, {row.state}: {escape(asked)}{' Logarithmic scale.' if cards.logarithmic(row) else ''}"
        pill = cards.pill(judgement.verdict, cards.word(judgement))
        lines += [
            ":::{div} bn-saying",
            f"{pill} {{ref}}`{judgement.claim.says} <claim-{name.lower()}>`",
            "",
            f'<div class="bn-saying-strip"><p><b>{met}</b></p>{cards.strip(row)}<p>{what}</p></div>',
            ":::",
        ]
    return "\n".join([*lines, "::::"])


def telling(judgement: Judgement) -> Row:
    """The first condition that counts and is in the way of the claim; where none is, the first."""
    rows = sorted((row for row in judgement.rows if row.condition.counts), key=lambda row: TELLING.index(row.state))
    return rows[0]
