"""The book as a whole: its contents, its claims, and the form every page keeps."""

import re
from pathlib import Path

import pytest
import yaml

from bnutils import claims
from press import manuscript, notebook, rules

ROOT = Path(__file__).resolve().parents[1]
PAGES = manuscript.read_pages(ROOT)
CHAPTERS = [page for page in PAGES if page.runs]
LATER = {"P33"}  # wait for the symptoms that practice/when-it-goes-wrong does not have yet


def contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]


def judged(page):
    outputs = notebook.outputs_of(notebook.read(page))
    return [output.data[claims.MIME]["claim"] for output in outputs if claims.MIME in output.get("data", {})]


def test_contents_and_manuscripts_are_the_same_pages():
    assert sorted(contents()) == sorted(page.product.relative_to(ROOT).with_suffix("").as_posix() for page in PAGES)


def test_every_claim_of_a_chapter_is_judged_there_once():
    written = {file.removeprefix("chapters/") for file in contents()}
    found = {page.name: judged(page) for page in CHAPTERS}
    for claim in claims.load().values():
        if claim.id in LATER:
            assert claim.chapter in written and not claim.conditions, f"{claim.id} can be judged: strike it off LATER"
        wanted = [claim.chapter] if claim.chapter in written and claim.id not in LATER else []
        assert [name for name, ids in found.items() for each in ids if each == claim.id] == wanted, claim.id


def test_every_claim_stands_once_in_the_ledger():
    text = (ROOT / "chapters/evidence/ledger.md").read_text("utf8")
    rows = re.findall(r'<(?:details|div)[^>]* id="([CP]\d\d)"', text)
    assert sorted(rows) == sorted(["C00", *claims.load()]), "the rows and the example"


def test_every_source_of_a_claim_is_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text("utf8"), re.M))
    cited = {
        key for page in PAGES for group in re.findall(r"\{cite:\w+\}`([^`]+)`", page.text) for key in group.split(",")
    }
    used = cited | {source for claim in claims.load().values() for source in claim.sources}
    assert used <= keys
    assert keys <= used, f"nothing cites {keys - used}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_keeps_its_form(page):
    assert list(rules.faults(page)) == []
