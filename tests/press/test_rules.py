"""Each form rule, broken once in a chapter that keeps them all, and what the author is told."""

import shutil
from pathlib import Path

import pytest

from press import manuscript, new, rules

ROOT = Path(__file__).resolve().parents[2]
LONG = "x = " + " + ".join(["1"] * 25)  # 101 columns
EXERCISE = """```{exercise} What is wrong?
:label: ex-planted-wrong
"""
HOLE = """```{code-cell}
from bnutils.exercises import the_transform as check


def undo(mean, var, eps): ...


check.undo(undo)
```

````{solution-start} ex-planted-try
:class: dropdown
````

```{code-cell}
:tags: [solution]

check.undo(lambda mean, var, eps: (var, mean))

"""
BEFORE_SOLUTION = """````{solution-start} ex-planted-try
:class: dropdown
````

```{code-cell}
:tags: [solution]

"""

# (the rule, old text, new text, text of the line that is named, what is said)
BROKEN = [
    (
        "sections_are_there",
        "## Run log",
        "## Log",
        "- {cite:t}`ioffe2015`",
        "a chapter owes the section “Run log”; add `## Run log`",
    ),
    (
        "objectives_are_there",
        ":class: objectives",
        ":class: tip",
        "# Planted",
        "what the reader will be able to do is not said",
    ),
    (
        "question_is_there",
        "**The question.**",
        "Question:",
        "# Planted",
        "the chapter asks no question; begin a paragraph with",
    ),
    (
        "takeaways_have_numbers",
        "mind, with a number: the largest of the four values lies {n}`largest:.2f`",
        "mind: many",
        "- What is to be kept",
        "a takeaway without a number; give it one",
    ),
    (
        "options_have_reasons",
        "No: and the idea that this answer misses.",
        "No.",
        '<details class="option"><summary>(b) another',
        "the option “(b) another answer” has no reason of 5 words; say",
    ),
    (
        "options_have_reasons",
        "(a) one answer</summary>\n",
        "(a) one answer",
        '<details class="option"><summary>(a) one answer',
        "an option of another form; write",
    ),
    (
        "options_have_reasons",
        "Right: and",
        "True: and",
        "## Self-check",
        "the self-check has 4 options, 1 of them with a reason that begins with “Right”",
    ),
    ("code_fits_the_page", "batch = np", f"{LONG}\nbatch = np", LONG, "a line of code of 101 columns; break it at 92"),
    (
        "code_fits_the_screen",
        "batch = np",
        "#\n" * 45 + "batch = np",
        "import numpy as np",
        "a cell of 53 lines; split it",
    ),
    (
        "text_stands_between_code",
        "exact(mean",
        "```\n\n```{code-cell}\nexact(mean",
        "exact(mean",
        "a code cell right behind another; write between them",
    ),
    (
        "figures_are_described",
        'f"The largest comes out at {standardised.max():.2f}."',
        '"The largest is large."',
        "plots.show(",
        "an alt text that holds nothing from the data; write alt=f",
    ),
    ("exercises_are_enough", EXERCISE, "```{note}\n", "## Exercises", "2 exercises; a chapter has 3 or more"),
    (
        "exercises_are_labelled",
        EXERCISE,
        "```{exercise} What is wrong?\n",
        "```{exercise} What is wrong?",
        "the exercise “What is wrong?” has no label; write `:label: ex-…`",
    ),
    (
        "exercises_are_solved",
        "{solution-start} ex-planted-wrong",
        "{solution-start} ex-other",
        "```{exercise} What is wrong?",
        "the exercise ex-planted-wrong has no solution; write one, from",
    ),
    (
        "solutions_fold",
        "ex-planted-wrong\n:class: dropdown",
        "ex-planted-wrong",
        "````{solution-start} ex-planted-wrong",
        "the solution of ex-planted-wrong lies open on the page",
    ),
    (
        "solutions_fold",
        ":tags: [solution]",
        ":tags: [other]",
        "alone = np",
        "a cell of the solution of ex-planted-try lies open in Jupyter; tag it",
    ),
    (
        "holes_are_checked",
        BEFORE_SOLUTION,
        HOLE.replace("\n\ncheck.undo(undo)\n", ""),
        "from bnutils.exercises",
        "a cell with a hole that no checker looks at; end it with a call, `check",
    ),
    (
        "holes_are_checked",
        BEFORE_SOLUTION,
        HOLE.replace("check.undo(lambda", "print(lambda"),
        "````{solution-start} ex-planted-try",
        "the solution of ex-planted-try is not checked; end its cell with `check.undo(…)`",
    ),
    (
        "landing_page_leads_here",
        "manuscript/index.md: (chapters/algorithm/planted.ipynb)",
        "()",
        "# Planted",
        "the landing page does not lead here; write",
    ),
    (
        "page_is_in_the_contents",
        "_toc.yml: chapters/algorithm/planted",
        "chapters/algorithm/other",
        "# Planted",
        "the page is not in the contents; add `- file: chapters/algorithm/planted` to _toc.yml",
    ),
    (
        "links_lead_somewhere",
        "What was not tried",
        "[What](no.ipynb) was not tried",
        "- [What]",
        "the link to no.ipynb leads nowhere; write the path from chapters/algorithm/",
    ),
    ("images_are_described", "What was not tried", "![](what.png)", "- ![]", "the image what.png has no alt text"),
    (
        "references_have_targets",
        "{cite:t}`ioffe2015`",
        "{cite:t}`ioffe2051`",
        "- {cite:t}",
        "nothing in references.bib has the key ioffe2051",
    ),
    (
        "references_have_targets",
        "What was not tried",
        "{ref}`a name <no-label>`",
        "- {ref}",
        "no page has the label no-label",
    ),
    (
        "references_have_targets",
        "What was not tried",
        "{term}`batch nrom`",
        "- {term}",
        "the glossary does not explain “batch nrom”; add it",
    ),
]


@pytest.fixture
def house(tmp_path):
    """The book's manuscripts and contents, and a chapter as `press new` writes it."""
    shutil.copytree(ROOT / "manuscript", tmp_path / "manuscript")
    for name in ("_toc.yml", "references.bib"):
        shutil.copy(ROOT / name, tmp_path)
    new.write(tmp_path, "algorithm/planted")
    return tmp_path


def faults(house):
    return list(rules.faults(manuscript.read_page(house, house / "manuscript/algorithm/planted.md")))


@pytest.mark.parametrize(("rule", "old", "new", "place", "complaint"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_rule_is_said_with_its_line_and_its_cure(house, rule, old, new, place, complaint):
    assert faults(house) == []
    source = house / "manuscript/algorithm/planted.md"
    name, _, rest = old.partition(": ")
    file, old = (house / name, rest) if (house / name).is_file() else (source, old)
    text = file.read_text("utf8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf8")
    line = next(
        number for number, text in enumerate(source.read_text("utf8").splitlines(), 1) if text.startswith(place)
    )
    (said,) = faults(house)
    assert said.startswith(f"manuscript/algorithm/planted.md:{line}: {complaint}")
    assert "; " in said, "the cure stands behind a semicolon"


def test_every_rule_is_broken_above():
    assert {row[0] for row in BROKEN} == {rule.__name__ for rule in rules.CHAPTER_RULES + rules.BOOK_RULES}


def test_a_hole_with_its_checker_keeps_the_rules(house):
    source = house / "manuscript/algorithm/planted.md"
    text = source.read_text("utf8")
    source.write_text(text.replace(BEFORE_SOLUTION, HOLE, 1), "utf8")
    assert faults(house) == []
    old_form = HOLE.replace(".exercises import the_transform as check", " import exercises")
    old_form = old_form.replace("check.undo(", "exercises.check_undo(")
    source.write_text(text.replace(BEFORE_SOLUTION, old_form, 1), "utf8")
    assert faults(house) == []


@pytest.mark.parametrize(
    "text",
    [
        "`[x](no.ipynb)`",
        "$a[1](b)$",
        "[out](https://example.org/no)",
        "[here](#there)",
        "```python\nx[0](no)\n```",
        "[the ledger](../evidence/ledger.md#C03)",
        "``{ref}`no-label` ``",
    ],
)
def test_what_is_no_link_of_the_book_is_left_alone(house, text):
    source = house / "manuscript/algorithm/planted.md"
    source.write_text(source.read_text("utf8").replace("**The question.**", f"{text}\n\n**The question.**"), "utf8")
    assert faults(house) == []
