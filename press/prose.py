"""What an author must not write: a number by hand, another host, a cell that nobody compares. One line a fault."""

import re
from collections.abc import Iterator

from press import kinds, markup
from press.manuscript import Page, where

ALMOST = re.compile(r"≈[\s…]*[-−+]?[\s(]*\.?\d")
ALMOST_IN_FORMULA = re.compile(
    r"(?:≈|\\(?:approx|simeq|sim|cong|doteq)(?![a-zA-Z]))"
    r"(?:[\s~{+−-]|\\[,;:!> ]|\\(?:q?quad|mathbf|mathrm|boldsymbol|text)(?![a-zA-Z]))*\.?\d"
)
DECIMAL = re.compile(
    r"(?<![\w.,/:])[-−+]?(?:\d*\.\d+|(?!\d{1,3}(?:,\d{3})+\b)\d+,\d+|\d+(?=e[-−+]?\d))(?:e[-−+]?\d+)?(?!\w|[.,]\d)"
)
PERCENT = re.compile(r"\d[\d.,]*\s*(?:%|percent\b|per\s+cent\b)")
SWITCH_TAG = re.compile(r"nbval-.*|raises-exception|skip-execution")
SWITCH_COMMENT = re.compile(r"#\s*(NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT)")
BETWEEN = {"hide-input", "tab-numpy", "tab-pytorch"}
CURE = (
    "keep it in a cell with exact() or measured() and refer to it as {n}`name:.2f`, "
    "or write it as code or in a formula if it is a setting"
)


def faults(page: Page) -> Iterator[str]:
    """Every fault of a manuscript that guards the evidence, as "file:line: fault; cure"."""
    yield from typed_numbers(page)
    yield from other_hosts(page)
    yield from uncompared_cells(page)
    yield from unasserted_cells(page)


def typed_numbers(page: Page) -> Iterator[str]:
    """Decimals, percentages and whatever follows ≈, typed by hand; in formulas only what follows ≈."""
    for line, kind, content in page.prose:
        said = markup.read(content)[0] if kind == "html" else content
        almost = (ALMOST_IN_FORMULA if kind == "math" else ALMOST).search(said)
        typed = almost or (kind not in ("math", "address", "guess") and (DECIMAL.search(said) or PERCENT.search(said)))
        if typed:
            behind = " after ≈" if almost else ""
            at = line + content.count("\n", 0, content.find(typed[0]))
            yield f"{where(page, at)}: a number typed by hand{behind} ({' '.join(typed[0].split())}); {CURE}"


def other_hosts(page: Page) -> Iterator[str]:
    """HTML and images that a reader's browser would fetch from elsewhere."""
    for line, kind, content in page.prose:
        outside = (
            markup.read(content)[1] if kind == "html" else [content] * (kind == "address" and markup.leaves(content))
        )
        for each in outside:
            yield f"{where(page, line)}: this leaves the book ({each}); only a link may lead to another host"


def uncompared_cells(page: Page) -> Iterator[str]:
    """Tags and comments with which nbval would not run a cell, or not compare what it prints."""
    for line, cell in zip(page.lines, page.cells):
        found = [tag for tag in cell.metadata.get("tags", []) if SWITCH_TAG.fullmatch(tag)]
        found += SWITCH_COMMENT.findall(cell.source) if cell.cell_type == "code" else []
        for switch in found:
            yield f"{where(page, line)}: {switch} keeps nbval from comparing this cell; delete it"


def unasserted_cells(page: Page) -> Iterator[str]:
    """Cells that print ≈ by hand without an assert; `measured` asserts the bound it is given.

    A lesson may leave that to the evidence behind it, with figures and tabs between them.
    """
    tags = [set(cell.metadata.get("tags", [])) for cell in page.code]
    for place, (line, source, tree) in enumerate(page.program):
        proofs = {kinds.proof(node) for node in kinds.keeping(tree)} - {"exact", "judge"}
        behind = next((each for each in tags[place + 1 :] if not each & BETWEEN), set())
        if "≈" in source and not proofs and ("evidence" not in behind or tags[place] - BETWEEN):
            yield (
                f"{where(page, line)}: this cell prints ≈ but asserts nothing ({source.strip().splitlines()[0][:60]}); "
                "assert its bound in every seed, here or in the evidence cell behind it"
            )
