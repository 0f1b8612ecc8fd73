"""The ledger: every claim of the book with its verdict, written from the records that the chapters left.

Printed, it is Markdown around the cards of `bnutils.cards`, whose links lead to notebooks and manuscripts as they lie
in the repository. On the site, `finish_cards` turns these towards pages, and `publish` adds the script and claims.csv.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import yaml

from bnutils import cards, claims
from bnutils.claims import Claim, Condition, Judgement
from bnutils.sample import over
from press import contents
from press.manuscript import Page

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

NAME = f"chapters/{contents.MADE}"
DISPUTE = "reference/numbers.md#dispute-a-verdict"
HOW = "how-to-read-a-card"
CSV = "claims.csv"
TALLY = {
    "holds": ("holds", "hold"),
    "partly": ("holds in part", "hold in part"),
    "fails": ("fails", "fail"),
    "undecided": ("is undecided", "are undecided"),
}
FILTERS = {  # field -> value -> label
    "verdict": {**{word: word for word in claims.VERDICTS}, "pending": "pending"},
    "part": {part: part for part in ("problem", "algorithm", "evidence", "practice")},
    "source": {
        "articles": "popular articles",
        "ioffe2015": "Ioffe and Szegedy",
        "literature": "literature and practice",
    },
}
FOCUS = ' tabindex="0"'
LINK = re.compile(r'(<a\b[^>]*\bhref="(?!\w+:)[^"#]*)\.(?:ipynb|md)(?=[#"])')
UNVERIFIED = re.compile(r"([A-Za-z ,]+) not verified")  # in the note of a source
ENTRY = re.compile(r"(@misc\{bn-measured-(\w+),.*?)\n\}", re.S)


def markdown(page: Page, all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> str:
    """The body of the ledger page.

    Parameters
    ----------
    page : Page           the page it stands on; links are relative to it
    all_claims : dict     id -> Claim, all of them, in order
    judged : dict         id -> (page name, record)
    """
    judgements = {claim: claims.restore(judged[claim][1], all_claims) for claim in all_claims if claim in judged}
    book, sources = citation(page.house), bibliography(page.house)
    lines = [*head(all_claims, judged), "", "## Judged"]
    for claim, judgement in judgements.items():
        lines += entry(page, judgement, judged[claim][0], book, sources)
    lines += ["", *pending([claim for claim in all_claims.values() if claim.id not in judged])]
    return "\n".join(lines + ["", *overturned(judgements.values())])


# ------------------------------------------------------------------------------------------------ above the rows


def verdicts_of(all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> dict[str, str]:
    """Every claim with its verdict, or "pending"."""
    return {claim: judged[claim][1]["verdict"] if claim in judged else "pending" for claim in all_claims}


def tally_line(all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> str:
    """How the claims stand, as a line of a page."""
    return f'<p class="bn-tally">{tally(list(verdicts_of(all_claims, judged).values()))}</p>'


def head(all_claims: dict[str, Claim], judged: dict[str, tuple[str, dict]]) -> list[str]:
    """The tally, a tile a claim, the filters, and what the signs mean."""
    verdicts = verdicts_of(all_claims, judged)
    tiles = "\n".join(tile(claim, verdicts[claim.id]) for claim in all_claims.values())
    buttons = filters(all_claims, verdicts)
    pips = "".join(f'<span><i class="bn-{state}">{pip}</i> {state}</span> ' for state, pip in cards.PIPS.items())
    return [
        tally_line(all_claims, judged),
        "",
        f'<div class="bn-filters" hidden>\n<details open>\n<summary>Filter the claims</summary>\n{buttons}\n'
        "</details>\n"
        '<p class="bn-count"><span role="status"></span> <button type="button" class="bn-clear" hidden>Clear filters'
        "</button></p>\n</div>",
        "",
        f'<nav class="bn-tiles" aria-label="One tile a claim">\n{tiles}\n</nav>',
        "",
        f'<p class="bn-key"><span class="bn-pips" aria-hidden="true">{pips}</span> '
        f"A {cards.hint('pip', more=FOCUS)} is a condition, a dot in an opened row is one seed; "
        f"dotted words explain themselves ({cards.hint('clearance', more=FOCUS)}, "
        f"{cards.hint('identity', more=FOCUS)}). "
        f'<a href="#{HOW}">How to read a card</a> · <a href="{CSV}" download>claims.csv</a></p>',
    ]


def tally(verdicts: list[str]) -> str:
    done = len(verdicts) - verdicts.count("pending")
    counts = {word: verdicts.count(word) for word in claims.VERDICTS if word in verdicts}
    said = ", ".join(f"{count} {TALLY[word][count > 1]}" for word, count in counts.items())
    so_far = " so far" if "pending" in verdicts else ""
    things = "things people say" if len(verdicts) > 1 else "thing people say"
    return f"{len(verdicts)} {things} about batch normalization. " + (
        f"{done} judged{so_far}: {said}." if done else "None is judged yet."
    )


def tile(claim: Claim, verdict: str) -> str:
    said = escape(f"{claim.id}, {verdict}: {claim.says}")
    glyph = cards.GLYPHS.get(verdict, "·")
    return f'<a class="bn-{verdict}" href="#{inner(claim.id)}" title="{said}" aria-label="{said}">{glyph}</a>'


def filters(all_claims: dict[str, Claim], verdicts: dict[str, str]) -> str:
    """A group of buttons a field; one of a group is pressed, at first the one for all."""
    groups = []
    for field, values in FILTERS.items():
        found = [fields(claim, verdicts[claim.id])[field] for claim in all_claims.values()]
        buttons = [("", "all", len(found))] + [
            (v, said, sum(v in each for each in found)) for v, said in values.items()
        ]
        groups.append(
            f'<div role="group" aria-label="{field}"><span aria-hidden="true">{field}</span>\n'
            + "\n".join(
                f'<button type="button" data-field="{field}" data-value="{value}" '
                f'aria-pressed="{"false" if value else "true"}">{said} <small>{count}</small></button>'
                for value, said, count in buttons
            )
            + "\n</div>"
        )
    return "\n".join(groups)


def fields(claim: Claim, verdict: str) -> dict[str, list[str]]:
    """What the filters ask of a claim: field -> the values it has."""
    articles = all(source.startswith("article-") for source in claim.sources)
    kind = ["articles"] if articles else ["literature"]
    return {
        "verdict": [verdict],
        "part": [claim.chapter.split("/")[0]],
        "source": kind + ["ioffe2015"] * ("ioffe2015" in claim.sources),
    }


def attributes(claim: Claim, verdict: str) -> str:
    return "".join(f' data-{field}="{" ".join(values)}"' for field, values in fields(claim, verdict).items())


# ------------------------------------------------------------------------------------------------ the rows


def entry(
    page: Page, judgement: Judgement, name: str, book: dict | None, sources: dict[str, dict] | None = None
) -> list[str]:
    """One judged claim: the card of its chapter, and around it who says it, what fell, and how to cite and dispute."""
    claim = judgement.claim
    cell = f'<a href="{relative(page, f"{name}.ipynb#{claim.id}")}">{chapter_of(claim)}</a>'
    turned = claims.nearest_turn(judgement)
    return [
        "",
        cards.opening(judgement, attributes(claim, judgement.verdict)),
        "",
        f"({inner(claim.id)})=",  # {ref}`C03 <claim-c03>` leads here, and so opens the card
        f"Said by {cited(claim)}. {words(claim, sources or {})} Judged by a cell of {cell}.",
        "",
        cards.conditions(judgement),
        (f'<p class="bn-claim-turn">{cards.turn(*turned)}</p>\n' if turned else "")
        + "".join(fell(judgement))
        + f'<p class="bn-claim-foot"><a href="{relative(page, DISPUTE)}" data-claim="{claim.id}" '
        f'class="bn-dispute">Dispute this verdict</a> <a href="#{HOW}">How to read a card</a></p>',
        cite(judgement, book) + cards.CLOSING,
    ]


def words(claim: Claim, sources: dict[str, dict]) -> str:
    """What a source says itself, or that nothing is quoted; and what of the sources could not be verified."""
    if claim.quoted:
        source, said = claim.quoted
        text = f"In the words of {{cite:t}}`{source}`: “{said}”"
    else:
        text = "The sentence is the book's wording, not a quotation."
    unsure = [
        f"{{cite:t}}`{source}` ({what[1].strip().lower()})"
        for source in claim.sources
        if (what := UNVERIFIED.search(sources.get(source, {}).get("note", "")))
    ]
    return f"{text} Could not be verified: {', '.join(unsure)}." if unsure else text


def fell(judgement: Judgement) -> Iterator[str]:
    """The verdicts a claim had before."""
    for was, until, because in judgement.claim.overturned:
        same = was == judgement.verdict
        said = (
            f"until {until} by other conditions: <em>{was}</em>"
            if same
            else f"until {until} the verdict was <em>{was}</em>"
        )
        yield f'<p class="bn-claim-fell">Overturned: {said}. {escape(because)}</p>\n'


def pending(rows: list[Claim]) -> list[str]:
    """Claims without a verdict, folded."""
    if not rows:
        return []
    lines = [
        "## Pending",
        "",
        f'<details class="bn-pending-claims">\n<summary>Claims that wait for their chapters: {len(rows)}</summary>',
        "",
        "Nothing is said about them, neither for nor against.",
    ]
    for claim in rows:
        lines += [
            "",
            f'<div class="bn-row" id="{claim.id}"{attributes(claim, "pending")}>',
            "",
            f"({inner(claim.id)})=",
            f'<span class="bn-claim-id">{claim.id}</span> {claim.says}',
            "",
            f"Said by {cited(claim)}. To be judged in *{chapter_of(claim)}*.",
            "",
            "</div>",
        ]
    return [*lines, "", "</details>"]


def overturned(judgements: Iterable[Judgement]) -> list[str]:
    """The public log: every verdict that fell, and why."""
    rows = [
        (f"{{ref}}`{each.claim.id} <claim-{each.claim.id.lower()}>`", was, until, each.verdict, because)
        for each in judgements
        for was, until, because in each.claim.overturned
    ]
    if not rows:
        return []
    heads = ("claim", "said", "until", "says now", "what was wrong")
    opening = f'<details class="bn-overturned">\n<summary>Verdicts that fell: {len(rows)}</summary>'
    return ["## Overturned verdicts", "", opening, "", *table(heads, rows), "", "</details>", ""]


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [[cell.replace("|", "\\|").replace("\n", " ").strip() for cell in row] for row in rows]
    return [f"| {' | '.join(line)} |" for line in (list(heads), ["---"] * len(heads), *lines)]


def cited(claim: Claim) -> str:
    return ", ".join(f"{{cite:t}}`{source}`" for source in claim.sources)


def chapter_of(claim: Claim) -> str:
    return claim.chapter.rpartition("/")[2].replace("-", " ")


def inner(claim: str) -> str:
    """The anchor inside the body of a card or row: to lead there opens it, with scripts or without."""
    return f"claim-{claim.lower()}"


def relative(page: Page, target: str) -> str:
    return os.path.relpath(target, os.path.dirname(page.name))


# ------------------------------------------------------------------------------------------------ citing


def citation(house: Path) -> dict | None:
    """What CITATION.cff says of the book, or None without one."""
    file = house / "CITATION.cff"
    return yaml.safe_load(file.read_text("utf8")) if file.exists() else None


def bibliography(house: Path) -> dict[str, dict]:
    """Of every source of the book: its author as a reader knows it, year, title and note."""
    from pybtex.database import parse_file

    file = house / "references.bib"
    found = parse_file(str(file)).entries if file.exists() else {}
    return {key: {"author": _names(each), **dict(each.fields.items())} for key, each in found.items()}


def _names(source):
    names = [" ".join(person.last_names) or str(person) for person in source.persons.get("author", ())]
    return names[0] + " et al." if len(names) > 2 else " and ".join(names)


def named(source: dict) -> str:
    """A source in a line, without the braces of BibTeX."""
    text = f"{source['author']} ({source.get('year', 'n.d.')}), {source['title']}"
    return re.sub(r"\\(?=[_&%])|[{}]", "", text)


def cite(judgement: Judgement, book: dict | None) -> str:
    """How to name this verdict in a paper: a sentence, and BibTeX; `finish_cards` adds an address if there is one."""
    if not book:
        return ""
    claim, verdict = judgement.claim, cards.word(judgement)
    authors = " and ".join(
        author.get("name") or f"{author['given-names']} {author['family-names']}" for author in book["authors"]
    )
    released, version = str(book["date-released"]), book["version"]
    since = max((until for _, until, _ in claim.overturned), default="")
    dated = f" (since {since})" if since else ""
    asof = max(released, since)  # a verdict may be younger than the release
    text = (
        f"{authors} ({asof[:4]}). {book['title']}, version {version}, as of {asof}. "
        f"Claim {claim.id}, verdict: {verdict}{dated}.&#10;"
        f"@misc{{bn-measured-{claim.id},\n  author = {{{{{authors}}}}},\n"
        f"  title = {{{book['title']}: claim {claim.id}, verdict: {verdict}}},\n"
        f"  year = {{{asof[:4]}}},\n  version = {{{version}}},\n"
        f"  note = {{As of {asof}}}\n}}"
    )
    return f'<details class="bn-cite"><summary>Cite this verdict</summary><pre tabindex="0">{text}</pre></details>\n'


# ------------------------------------------------------------------------------------------------ an example


def example() -> str:
    """A card of invented numbers, each row of which says what it shows."""
    ways = [
        ("bound", "Every seed keeps this bound: all dots are filled, and lie right of the line", "<", 0.1, ("chance",)),
        ("bound", "The seeds disagree: a ring is a seed that breaks the bound", ">", 0.5, ("chance", "perfect")),
        (
            "difference",
            "Two methods compared, a dot a pair: the bar, the interval of the mean, decides; it is short of the margin",
            ">",
            0.1,
            (),
        ),
        ("identity", "Algebra decides this, so it is grey and does not count", "<", 1e-9, ()),
    ]
    values = [
        over([0.032, 0.041, 0.028, 0.05, 0.036, 0.044, 0.03, 0.039, 0.047, 0.034], chance=0.3),
        over([0.52, 0.61, 0.47, 0.58, 0.44, 0.66, 0.55, 0.49, 0.63, 0.57], chance=0.3, perfect=1),
        over([0.02, -0.05, 0.06, 0.03, -0.02, 0.07, 0.01, 0.04, -0.04, 0.05]),
        over([0.0] * 10),
    ]
    beside = {"chance": "what would come out if there were nothing to find", "perfect": "if it worked perfectly"}
    given = [
        Condition(f"row{i}", kind, what, relation, bound, tuple((name, beside[name]) for name in names))
        for i, (kind, what, relation, bound, names) in enumerate(ways)
    ]
    claim = Claim("C00", "The claim, as people say it.", (), "", tuple(given), (), "What was run; here, nothing.")
    rows = tuple(claims.held(condition, sample) for condition, sample in zip(given, values, strict=True))
    judgement = Judgement(claim, tuple(range(10)), rows, claims.verdict(rows))
    return cards.card(judgement).replace("<details ", "<details open ", 1)


# ------------------------------------------------------------------------------------------------ on the site


def finish_cards(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Links of cards lead to pages; a chapter's card leads to the ledger; what depends on the place of the book."""
    from docutils import nodes

    for node in list(doctree.findall(nodes.raw)):
        text = node.astext()
        if docname != NAME and 'class="bn-claim ' not in text:
            continue
        text = LINK.sub(r"\1.html", text)
        if docname == NAME:  # a chapter's cell, where it stands on a page
            text = re.sub(r'(\.html#)([CP]\d+)"', lambda link: f'{link[1]}{judging(link[2])}"', text)
        if docname != NAME and NAME in app.env.found_docs:
            ledger = app.builder.get_relative_uri(docname, NAME)
            (claim,) = re.findall(r'class="bn-claim [^>]*? id="(\w+)"', text)
            cell = next((each for each in _above(node) if each.get("nb_element") == "cell_code"), None)
            if cell is not None:
                cell["ids"].append(judging(claim))
            foot = (
                f'<p class="bn-claim-foot"><a href="{ledger}#{inner(claim)}">Sources, earlier verdicts, '
                f'citing and disputing</a> <a href="{ledger}#{HOW}">How to read a card</a></p>\n'
            )
            text = text.removesuffix(cards.CLOSING) + foot + cards.CLOSING
        if app.config.html_baseurl:
            text = ENTRY.sub(
                lambda each: f"{each[1]},\n  url = {{{app.config.html_baseurl}{NAME}.html#{inner(each[2])}}}\n}}", text
            )
        theme = app.config.html_theme_options
        if repository := theme.get("use_repository_button") and theme.get("repository_url"):
            text = re.sub(
                r'(<a [^>]*data-claim="(\w+)"[^>]*>[^<]*</a>)',
                lambda link: f'{link[1]} <a href="{escape(new_issue(repository, link[2]))}">Open an issue</a>',
                text,
            )
        node.children[:] = [nodes.Text(text)]
        node.rawsource = text


def judging(claim: str) -> str:
    """The anchor of the cell that judges a claim, on the page of its chapter."""
    return f"judges-{claim.lower()}"


def _above(node):
    while (node := node.parent) is not None:
        yield node


def new_issue(repository: str, claim: str) -> str:
    """The address of a form that is filled in as far as a dispute can be."""
    body = f"The verdict on {claim} is wrong because\n\n\nWhat I ran, and what came out:\n\n"
    return f"{repository}/issues/new?{urlencode({'title': f'Verdict on {claim}', 'body': body})}"


def publish(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Beside the ledger: claims.csv, and the script of its filters."""
    if pagename != NAME:
        return
    app.add_js_file("ledger.js", loading_method="defer")
    target = Path(app.outdir) / os.path.dirname(pagename) / CSV
    target.parent.mkdir(parents=True, exist_ok=True)
    address = f"{app.config.html_baseurl}{pagename}.html"
    target.write_text(table_of_conditions(Path(app.srcdir), address), "utf8")


def table_of_conditions(house: Path, address: str) -> str:
    """claims.csv: one line a condition, with what it came to; a claim without a verdict has one line."""
    file = io.StringIO()
    all_claims, sources = claims.load(house / "manuscript" / "claims.yml"), bibliography(house)
    rows = [
        line
        for claim in all_claims.values()
        for line in conditions(claim, next(iter(records(house, claim)), None), all_claims, address, sources)
    ]
    writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def records(house: Path, claim: Claim) -> Iterator[dict]:
    """What the chapter of a claim left of its verdict."""
    file = house / "chapters" / f"{claim.chapter}.ipynb"
    if claim.conditions and file.exists():
        for cell in json.loads(file.read_text("utf8"))["cells"]:
            for output in cell.get("outputs", ()):
                record = output.get("data", {}).get(claims.MIME, {})
                if record.get("claim") == claim.id:
                    yield record


def conditions(
    claim: Claim, record: dict | None, all_claims: dict[str, Claim], address: str, sources: dict[str, dict]
) -> Iterator[dict]:
    known = {"claim": claim.id, "says": claim.says, "sources": " ".join(claim.sources)}
    known["sources_named"] = "; ".join(named(sources[each]) for each in claim.sources if each in sources)
    known |= {"chapter": claim.chapter, "run": claim.run, "verdict": record["verdict"] if record else "pending"}
    known["overturned"] = "; ".join(f"{was} until {until}" for was, until, _ in claim.overturned)
    known["address"] = f"{address}#{inner(claim.id)}"
    for row in claims.restore(record, all_claims).rows if record else ():
        sample, condition = row.sample, row.condition
        beside = dict(condition.beside)
        by_interval = row.keeping is None
        low, high = sample.interval() if by_interval else ("", "")
        yield known | {
            "condition": condition.quantity,
            "kind": condition.kind,
            "what": condition.what,
            "bound": f"{condition.relation} {condition.bound:.12g}",
            "counts": "yes" if condition.counts else "no",
            "state": row.state,
            "n": sample.n,
            "seeds": " ".join(map(str, record["seeds"])),
            "keeping": cards.keeping(row),
            "median": sample.median,
            "lowest": sample.lowest,
            "highest": sample.highest,
            "mean": sample.mean,
            "interval_low": low,
            "interval_high": high,
            "sign_flip_p": sample.sign_flip(cards.about(condition)) if by_interval else "",
            "clearance": "" if row.margin is None else row.margin,
            **{
                name: " ".join(map(str, getattr(sample, name) or ()))
                for name in ("values", "chance", "perfect", "mutant")
            },
            **{f"{name}_is": beside.get(name, "") for name in ("chance", "perfect", "mutant")},
        }
    if not record:
        yield known
