"""The ledger: every claim of the book with its verdict, written from the records that the chapters left."""

import os

from bnutils import claims

WORDS = ("holds", "partly", "fails")


def markdown(page, all_claims, judged):
    """The body of the ledger page.

    Parameters
    ----------
    page : Page           the page it stands on; links are relative to it
    all_claims : dict     id -> Claim, all of them, in order
    judged : dict         id -> (page name, record)
    """
    count = {word: sum(record["verdict"] == word for _, record in judged.values()) for word in WORDS}
    tally = ", ".join(f"{count[word]} {word}" for word in WORDS)
    lines = [
        f"**{len(all_claims)} claims: {len(judged)} judged ({tally}), {len(all_claims) - len(judged)} pending.**",
        "",
        "## Judged",
        "",
    ]
    for claim in all_claims.values():
        if claim.id in judged:
            lines += entry(page, claim, *judged[claim.id])
    lines += [
        f"(claim-{claim.id.lower()})=" for claim in all_claims.values() if claim.id not in judged
    ]  # {ref}`C11 <claim-c11>` leads to the list
    lines += [
        "## Pending",
        "",
        "| id | claim | who says it | chapter that will judge it |",
        "| --- | --- | --- | --- |",
    ]
    for claim in all_claims.values():
        if claim.id not in judged:
            lines.append(
                f'| <span id="{claim.id}">{claim.id}</span> | {claim.says} | {cited(claim)} | `{claim.chapter}` |'
            )
    return "\n".join(lines)


def entry(page, claim, name, record):
    """One judged claim: sentence, verdict, and a row of numbers a condition."""
    link = os.path.relpath(f"{name}.ipynb", os.path.dirname(page.name))
    lines = [
        f'<span id="{claim.id}"></span>',
        "",
        f"(claim-{claim.id.lower()})=",  # {ref}`C03 <claim-c03>` leads here
        f"### {claim.id}: {record['verdict']}",
        "",
        f"{claim.says} ({cited(claim)}). Judged in [{name.rpartition('/')[2]}]({link}), {len(record['seeds'])} seeds.",
        "",
        "| condition | median [lowest, highest] | spread | margin | seeds met |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in claims.rows_of(record):
        what, numbers, met, margin, spread = (cell.replace("|", "\\|") for cell in claims.cells(row))
        lines.append(f"| {what} | {numbers} | {spread} | {margin} | {met} |")
    return lines + [""]


def cited(claim):
    return ", ".join(f"{{cite:t}}`{source}`" for source in claim.sources)
