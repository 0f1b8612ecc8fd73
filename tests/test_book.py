"""The book as a whole: its contents, its claims, and the form every chapter keeps."""

import re
from pathlib import Path

import pytest
import yaml

from bnutils import claims
from press import manuscript, notebook

ROOT = Path(__file__).resolve().parents[1]
PAGES = manuscript.read_pages(ROOT)
CHAPTERS = [page for page in PAGES if page.runs]
CODE_WIDTH, CODE_LINES = 92, 48  # columns of a page, lines of a screen


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
        wanted = [claim.chapter] if claim.chapter in written else []
        assert [name for name, ids in found.items() for each in ids if each == claim.id] == wanted, claim.id


def test_every_claim_stands_once_in_the_ledger():
    text = (ROOT / "chapters/evidence/ledger.md").read_text("utf8")
    assert sorted(re.findall(r'<span id="([CP]\d\d)">', text)) == sorted(claims.load())


def test_every_source_of_a_claim_is_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text("utf8"), re.M))
    cited = {
        key for page in PAGES for group in re.findall(r"\{cite:\w+\}`([^`]+)`", page.text) for key in group.split(",")
    }
    used = cited | {source for claim in claims.load().values() for source in claim.sources}
    assert used <= keys
    assert keys <= used, f"nothing cites {keys - used}"


def test_the_landing_page_leads_to_every_chapter():
    text = (ROOT / "index.md").read_text("utf8")
    for page in CHAPTERS:
        assert f"](chapters/{page.name}.ipynb)" in text


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)
class TestForm:
    def test_code_fits_the_page(self, page):
        for cell in page.code:
            lines = cell.source.split("\n")
            assert len(lines) <= CODE_LINES, f"{lines[0]}: {len(lines)} lines"
            assert not [line for line in lines if len(line) > CODE_WIDTH]

    def test_text_stands_between_any_two_code_cells(self, page):
        pairs = [(a, b) for a, b in zip(page.cells, page.cells[1:]) if a.cell_type == b.cell_type == "code"]
        tabs = [["tab-numpy"], ["tab-pytorch"]]
        assert not [b.source[:40] for a, b in pairs if [a.metadata.get("tags"), b.metadata.get("tags")] != tabs]

    def test_the_sections_a_chapter_owes_are_there(self, page):
        for section in ("Honest limits", "Takeaways", "Exercises", "Self-check", "Run log", "Where to read on"):
            assert f"\n## {section}\n" in page.text
        assert ":class: objectives" in page.text and "**The question.**" in page.text

    def test_exercises_are_checked_and_solved(self, page):
        labels = re.findall(r"```\{exercise\}.*\n:label: (\S+)", page.text)
        assert len(labels) >= 3
        assert [label for label in labels if f"{{solution-start}} {label}\n" not in page.text] == []
        assert (
            len(re.findall(r"^check\.(\w+)\(\1\)$", page.text, re.M)) >= 2 * 3
        )  # the reader's cell and the solution's
        solutions = [cell for cell in page.code if "solution" in cell.metadata.get("tags", [])]
        assert len(solutions) >= len(labels) and all(cell.metadata["jupyter"]["source_hidden"] for cell in solutions)

    def test_every_option_of_a_self_check_has_a_reason(self, page):
        options = re.findall(
            r'<details class="option"><summary>(.*?)</summary>\n\n(.*?)\n\n</details>', page.text, re.S
        )
        assert len(options) == page.text.count('class="option"') >= 4
        assert all(len(reason.split()) >= 5 for _, reason in options)
        assert sum(reason.startswith("Right") for _, reason in options) >= 2

    def test_every_takeaway_has_a_number(self, page):
        takeaways = page.text.split("## Takeaways\n")[1].split("\n## ")[0].strip().split("\n- ")
        assert all(re.search(r"\{n\}`|\d", takeaway) for takeaway in takeaways)
