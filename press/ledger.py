"""The ledger: every claim of the book with its verdict, written from the records that the chapters left."""

import os
from collections.abc import Iterable

from bnutils import claims
from bnutils.claims import Claim
from press.manuscript import Page


def markdown(page: Page, all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> str:
    """The body of the ledger page.

    Parameters
    ----------
    page : Page           the page it stands on; links are relative to it
    all_claims : dict     id -> Claim, all of them, in order
    judged : dict         id -> (page name, record)
    """
    count = {word: sum(record["verdict"] == word for _, record in judged.values()) for word in claims.VERDICTS}
    tally = ", ".join(f"{number} {word}" for word, number in count.items())
    pending = [claim for claim in all_claims.values() if claim.id not in judged]
    lines = [f"**{len(all_claims)} claims: {len(judged)} judged ({tally}), {len(pending)} pending.**", "", "## Judged"]
    for claim in all_claims.values():
        if claim.id in judged:
            lines += entry(page, claim, *judged[claim.id], all_claims)
    lines += [
        "",
        "## Pending",
        "",
        "Their chapters are not written yet; nothing is said about them, neither for nor against.",
    ]
    for claim in pending:
        words = f"**{claim.id}.** {claim.says} ({cited(claim)}) To be judged in `{claim.chapter}`."
        lines += ["", f"(claim-{claim.id.lower()})=", anchor(claim) + words]
    return "\n".join(lines + ["", *overturned(all_claims, judged)])


def entry(page: Page, claim: Claim, name: str, record: dict, all_claims: dict[str, Claim]) -> list[str]:
    """One judged claim: sentence, verdict, and a row of numbers a condition."""
    judgement = claims.restore(record, all_claims)
    link = os.path.relpath(f"{name}.ipynb", os.path.dirname(page.name))
    word = judgement.verdict + (", by proof" if judgement.by_proof else "")
    return [
        "",
        anchor(claim),
        "",
        f"(claim-{claim.id.lower()})=",  # {ref}`C03 <claim-c03>` leads here
        f"### {claim.id}: {word}",
        "",
        f"{claim.says} ({cited(claim)}). Judged in [{name.rpartition('/')[2]}]({link}), {len(judgement.seeds)} seeds.",
        "",
        *table(claims.HEADS, (claims.cells(row) for row in judgement.rows)),
    ]


def overturned(all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> list[str]:
    """The public log: every verdict that fell, and why."""
    rows = [
        (f"{{ref}}`{claim.id} <claim-{claim.id.lower()}>`", was, until, judged[claim.id][1]["verdict"], because)
        for claim in all_claims.values()
        if claim.id in judged
        for was, until, because in claim.overturned
    ]
    heads = ("claim", "said", "until", "says now", "what was wrong")
    return ["## Overturned verdicts", "", *table(heads, rows), ""] if rows else []


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [[cell.replace("|", "\\|").replace("\n", " ").strip() for cell in row] for row in rows]
    return [f"| {' | '.join(line)} |" for line in (list(heads), ["---"] * len(heads), *lines)]


def anchor(claim: Claim) -> str:
    return f'<span id="{claim.id}"></span>'


def cited(claim: Claim) -> str:
    return ", ".join(f"{{cite:t}}`{source}`" for source in claim.sources)
