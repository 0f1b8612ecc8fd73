"""Each form rule, broken once in a chapter that keeps them all, and what the author is told."""

import shutil
from pathlib import Path

import pytest

from press import manuscript, new, rules, shape

ROOT = Path(__file__).resolve().parents[2]
LONG = "x = " + " + ".join(["1"] * 25)  # 101 columns
EXERCISE = """```{exercise} What is wrong?
:label: ex-planted-wrong
"""
HOLE = """```{code-cell}
:tags: [exercise]

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
ENDED = "```{predict-end}\n```\n"
ASKED = "```{predict-start} Other?\n:label: predict-other\n- yes\n- no\n```\n\n"

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
    ("code_fits_the_screen", "batch = np", "#\n" * 45 + "batch = np", "# four values", "a cell of 52 lines; split it"),
    (
        "text_stands_between_code",
        "print(standardised",
        "```\n\n```{code-cell}\nprint(standardised",
        "print(standardised",
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
        ":tags: [exercise]",
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
    ("tags_are_known", "[setup]", "[set-up]", "# four values", "no cell is tagged set-up; choose among evidence,"),
    ("tags_are_known", "[setup]", "[setup, exercise]", "# four values", "a cell tagged setup and exercise; split it"),
    (
        "lessons_are_short",
        "print(standardised",
        "x = 1\n" * 31 + "print(standardised",
        "standardised = ",
        "a lesson cell of 33 lines; move plumbing to a setup cell, until 32 are left",
    ),
    (
        "lessons_are_short",
        "print(standardised",
        "x = 1\n" * 16 + "```\n\nWords.\n\n```{code-cell}\n" + "y = 1\n" * 16 + "print(standardised",
        "y = 1",
        "a second lesson cell of more than 16 lines (17); split it",
    ),
    (
        "lessons_prove_nothing",
        "print(s",
        "assert True\nprint(s",
        "assert True",
        "a lesson cell that holds evidence (assert)",
    ),
    (
        "lessons_prove_nothing",
        "print(s",
        "for _ in batch:\n    exact(x=1)\nprint(s",
        "    exact(x",
        "a lesson cell that holds evidence (exact); move it to the next cell, `:tags: [evidence]`",
    ),
    (
        "lessons_prove_nothing",
        "print(s",
        "np.testing.assert_allclose(1, 1)\nprint(s",
        "np.testing",
        "a lesson cell that holds evidence (assert_allclose)",
    ),
    (
        "lessons_prove_nothing",
        "\nstandardised = ",
        ":tags: [tab-numpy]\n\nclaims.judge(1)\nstandardised = ",
        "claims.judge",
        "a lesson cell that holds evidence (judge)",
    ),
    (
        "evidence_is_evidence",
        "assert abs(standardised.mean()) < 1e-12\nexact(",
        "dict(",
        "# mean zero",
        "an evidence cell that asserts, keeps and judges nothing; do one of these, or tag it setup",
    ),
    (
        "evidence_is_evidence",
        "exact(mean",
        'plots.show(None, "x", alt=f"{batch}")\nexact(mean',
        "plots.show(None",
        "a figure behind the bar of evidence; draw it in a cell tagged hide-input",
    ),
    ("setup_is_setup", "batch = np", "exact(x=1)\nbatch = np", "exact(x", "a setup cell that holds evidence (exact)"),
    (
        "setup_is_setup",
        "batch = np",
        'plots.show(None, "x", alt=f"{np}")\nbatch = np',
        "plots.show(None",
        "a figure behind the bar of a setup; draw it",
    ),
    ("figures_draw", "plots.show(", "print(", "fig, ax", "a cell tagged hide-input that shows no figure; end it with"),
    ("figures_draw", "ax.set", "exact(x=1)\nax.set", "exact(x", "a figure's cell that holds evidence (exact); give"),
    (
        "bars_have_sentences",
        "# four values to standardise\n",
        "",
        "import numpy",
        "a folded cell without a sentence for",
    ),
    (
        "bars_have_sentences",
        "# mean zero",
        "# " + "m" * 45,
        "# mmm",
        "a sentence of 85 characters on a bar; say it in 80",
    ),
    (
        "exercises_are_tagged",
        BEFORE_SOLUTION,
        HOLE.replace(":tags: [exercise]\n\n", ""),
        "from bnutils.exercises",
        "a cell of an exercise that is tagged as none; write `:tags: [exercise]`",
    ),
    (
        "exercises_are_tagged",
        "## Exercises",
        "## Exercises\n\n```{code-cell}\nprint(1)\n```\n\nWords.",
        "print(1)",
        "a cell of an exercise that is tagged as none",
    ),
    (
        "predictions_can_be_made",
        ":label: predict-l",
        ":name: l",
        "```{predict-start}",
        "a prediction without a label; write",
    ),
    (
        "predictions_can_be_made",
        "{predict-start} How many standard deviations from the mean lies the largest of the four values 1, 2, 3 and 6?",
        "{predict-start}",
        "```{predict-start}",
        "a prediction that asks nothing; write its question behind {predict-start}",
    ),
    (
        "predictions_can_be_made",
        "- fewer than one\n- between one and two\n",
        "",
        "```{predict-start}",
        "a prediction with 1 options; give it 2 to 4",
    ),
    (
        "titles_hold_no_backtick",
        "```{predict-start} How many",
        "```{predict-start} How many `x`",
        "```{predict-start}",
        "a backtick in the title of a directive, which hides the cells below it; leave it out",
    ),
    (
        "predictions_can_be_made",
        "- more than two\n",
        "- three\n- four\n- five\n",
        "```{predict-start}",
        "a prediction with 5 options; give it 2 to 4",
    ),
    (
        "predictions_can_be_made",
        ENDED,
        "",
        "## Honest",
        "a heading in the answer of a prediction; write {predict-end} above",
    ),
    ("predictions_can_be_made", ENDED, f"### A heading\n\n{ENDED}", "### A heading", "a heading in the answer of a"),
    (
        "predictions_can_be_made",
        "- {cite:t}`ioffe2015`",
        f"{ASKED}- {{cite:t}}`ioffe2015`",
        "```{predict-start} Other",
        "a prediction without an end; write",
    ),
    (
        "predictions_can_be_made",
        ENDED,
        f"{ASKED}{ENDED}\n{ENDED}",
        "```{predict-start} Other",
        "a prediction within another; write {predict-end} above it",
    ),
    (
        "predictions_can_be_made",
        ENDED,
        f"{ENDED}\n{ASKED.replace('other', 'largest')}{ENDED}",
        "```{predict-start} Other",
        "a second prediction named predict-largest; give it a label of its own",
    ),
    (
        "predictions_can_be_made",
        ENDED,
        f"{ENDED}\n{ENDED.replace('```', ':::')}",
        ":::{predict-end}",
        "a prediction ends that",
    ),
    (
        "predictions_can_be_made",
        "**The question.** One",
        "**The question.** {n}`largest|range:.1f`",
        "**The question.**",
        "largest is quoted above the prediction predict-largest, which it answers; move it below",
    ),
    (
        "closing_sections_are_in_order",
        "## Self-check",
        "## Run log\n\n<details>x</details>\n\n## Self-check",
        "## Run log",
        "“Run log” stands before “Self-check”; the order is Exercises, Takeaways,",
    ),
    (
        "run_log_folds",
        "<details><summary>What was tried, losing runs included</summary>",
        "What was tried:",
        "## Run log",
        "the run log lies open; put its table between `<details><summary>",
    ),
    (
        "plan_has_the_title",
        "manuscript/contents.yml: title: Planted",
        "title: Planned",
        "# Planted",
        "manuscript/contents.yml has the title “Planned”, the page “Planted”; write the same in both",
    ),
    (
        "page_is_in_the_contents",
        "_toc.yml: chapters/algorithm/planted",
        "chapters/reference/other",
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
    assert {row[0] for row in BROKEN} == {
        rule.__name__ for rule in rules.CHAPTER_RULES + rules.FORM_RULES + rules.BOOK_RULES
    }


def test_a_page_that_is_not_rewritten_yet_keeps_the_old_form(house, monkeypatch):
    source = house / "manuscript/algorithm/planted.md"
    text = (
        source.read_text("utf8")
        .replace(":tags: [evidence]", "")
        .replace("## Run log", "## Run log\n\nOpen.\n\n## More")
    )
    source.write_text(text, "utf8")
    assert len(faults(house)) > 1
    monkeypatch.setitem(shape.LIMITS["old"], "algorithm/planted", "not rewritten yet")
    assert ["a code cell right behind" in fault for fault in faults(house)] == [True]


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
