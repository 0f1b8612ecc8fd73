"""What search looks up by name: claims and terms, as data inside the page of results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from docutils import nodes

from press import ledger

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CLAIMS = Path("bnutils", "claims.yml")
GLOSSARY = "chapters/reference/glossary"


def names(app: Sphinx) -> list[dict[str, str]]:
    """Every claim and every term: its kind, its name, what it says, and where it stands."""
    file, place = Path(app.srcdir) / CLAIMS, f"{ledger.NAME}.html"
    known = file.exists() and ledger.NAME in app.env.found_docs
    claims = yaml.load(file.read_text("utf8"), yaml.CSafeLoader) if known else []
    rows = [
        {"kind": "claim", "name": each["id"], "says": each["says"], "href": f"{place}#{ledger.inner(each['id'])}"}
        for each in claims
    ]
    return rows + list(terms(app.env))


def terms(env: BuildEnvironment) -> Iterator[dict[str, str]]:
    """The terms of the glossary, with their explanations."""
    if GLOSSARY not in env.found_docs:
        return
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        says = " ".join(item.children[-1].astext().split())
        for term in item.findall(nodes.term):
            for place in term["ids"]:
                yield {"kind": "term", "name": term.astext(), "says": says, "href": f"{GLOSSARY}.html#{place}"}


def add_names(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if pagename == "search":
        context["names"] = json.dumps(names(app), ensure_ascii=False).replace("</", "<\\/")


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", add_names)
