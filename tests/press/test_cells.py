"""What becomes of cells and predictions: in the notebook, on the page, in the assignment."""

import lesson
import nbformat
import pytest
from bs4 import BeautifulSoup

from bnutils import evidence
from bnutils.exercises import engine, the_transform
from press import assignment, cells, kinds, manuscript, predict, prose

ASKED = "```{predict-start} Is it?\n:label: predict-it\n- yes\n- no\n```"
END = "```{predict-end}\n```"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    text = (lesson.build(tmp_path_factory.mktemp("lesson")) / "lesson.html").read_text("utf8")
    return BeautifulSoup(text, "html.parser").find("article")


def said(bar):
    return [" ".join(each.get_text().split()) for each in bar.select("summary span")]


# ------------------------------------------------------------------------------------------------ the page


def test_setup_is_a_bar_with_its_sentence(page):
    (bar,) = page.select("details.bn-setup")
    assert said(bar) == ["import what is needed", "2 lines"] and not bar.has_attr("open")
    assert "import math" in bar.select_one(".cell_input").get_text()


def test_evidence_is_counted_from_its_code_and_its_records(page):
    first, second = page.select("details.bn-evidence")
    assert said(first) == ["the bound, and the size", "checked: 2 assertions, 3 numbers"]
    assert said(second) == ["the claim", "checked: 1 number, 1 verdict"]
    lines = first.select(".cell_output pre.bn-numbers span[id]")
    assert [line["id"] for line in lines] == ["n-count", "n-size", "n-other"]
    assert not page.select(".bn-kept"), "numbers would be folded twice"


def test_a_verdict_card_stands_below_its_bar(page):
    card = page.select_one(".bn-claim")
    assert not card.find_parent("details")
    bar = card.find_previous("details")
    assert said(bar)[0] == "the claim" and bar.find_parent(class_="cell") is card.find_parent(class_="cell")
    assert bar.select("#n-z") and not bar.select(".bn-claim")


def test_the_code_of_a_figure_lies_below_it(page):
    figure, bar = page.select_one("#fig-line"), page.select_one("details.bn-figure-code")
    assert bar.select_one("summary").get_text() == "code (1 line)" and bar["id"] == "code-line"
    assert bar in figure.find_all_next("details") and not figure.find_parent("details")
    assert not page.select("details.hide"), "myst-nb folds it once more"


def test_a_lesson_lies_open(page):
    (code,) = [each for each in page.select(".cell_input") if "print(y)" in each.get_text()]
    assert not code.find_parent("details")


def test_a_hole_says_nothing_and_what_is_filled_in_does(page):
    text = page.get_text()
    assert "not filled in yet" not in text and "✓ other: it works" in text
    hole = engine.verdict(the_transform.undo, [None] * len(the_transform.undo.cases))
    assert cells.UNFILLED.sub("", hole) == "", "the engine says it in other words now"


def test_a_prediction_is_a_question_with_the_answer_behind_it(page):
    (box,) = page.select("div.bn-predict")
    assert box["id"] == "predict-size"
    legend = box.select_one("fieldset > legend")
    assert legend.select_one(".bn-predict-question").get_text().startswith("How large is ")
    assert legend.select_one(".bn-predict-question em").get_text() == "large" and legend.select_one(".math")
    options = [label.get_text().strip() for label in box.select("fieldset > label")]
    assert options == ["small", "about 0.5", "large", "Show the answer without guessing"]
    assert {each["name"] for each in box.select("label > input[type=radio]")} == {"predict-size"}
    assert not box.select("input[checked]")
    answer = box.select_one(".bn-answer")
    words = answer.get_text()
    assert words.index("The answer is told here.") < words.index("print(y)") < words.index("It is large.")
    assert answer.select("details.bn-evidence") and "After it." not in words
    assert not page.select("details.bn-answer"), "the answer would be folded twice"


def test_a_number_of_another_page_leads_to_that_page(page):
    assert [link["href"] for link in page.select("a.bn-number")] == ["#n-size", "#n-count", "other.html#n-count"]


def test_the_type_of_a_record_is_that_of_bnutils():
    assert cells.NUMBERS == evidence.MIME


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("assert 1\nfor i in x:\n    assert i", "checked: 2 assertions"),
        ("np.testing.assert_allclose(a, b)", "checked: 1 assertion"),
        ("claims.judge('C03')", "checked: 1 verdict"),
    ],
)
def test_assertions_are_counted_in_the_tree(source, words):
    assert cells.checked(source, 0) == words


def test_a_sentence_is_the_first_comment():
    assert kinds.sentence("# deal the batches\nx = 1") == "deal the batches"
    assert kinds.sentence("x = 1  # deal\n# more") == ""


# ------------------------------------------------------------------------------------------------ the notebook


def test_a_prediction_reads_well_in_jupyter():
    asked, code, told = predict.write([f"Before.\n\n{ASKED}\n\nIt is.", None, f"For sure.\n\n{END}\n\nAfter."])
    assert asked == (
        'Before.\n\n<div class="bn-predict" id="predict-it">\n\n**Predict.** Is it?\n\n- yes\n- no\n\n</div>\n\n'
        '<details class="bn-answer"><summary>The answer</summary>\n\nIt is.\n\n</details><!-- answer -->'
    )
    assert code is None
    assert told == (
        '<details class="bn-answer"><summary>The answer, continued</summary>\n\nFor sure.\n\n</details><!-- answer -->'
        "\n\n<!-- predict-end -->\n\nAfter."
    )


@pytest.mark.parametrize("text", [ASKED, END, f"{ASKED}\n\n{ASKED}\n\n{END}", f"{ASKED}\n\n# A heading\n\n{END}"])
def test_what_is_no_prediction_stays_as_it_is(text):
    assert predict.read([text], [1])[1]
    assert predict.write([text]) == [text]


MANUSCRIPT = f"""---
kernelspec: {{name: python3, display_name: Python 3}}
---

# A page

```{{code-cell}}
:tags: [setup]

# nothing
x = 1
```

{ASKED}

```{{code-cell}}
print(x)
```

Told: {{n}}`x:d`.

```{{code-cell}}
:tags: [evidence]

# x
exact(x=x)
judge("C03")
```

{END}

Shown.

```{{code-cell}}
:tags: [evidence]

# x again
exact(y=x)
```

Judged.

```{{code-cell}}
:tags: [evidence]

# the claim
judge("C03")
```

## A number {{n}}`x:d`

[A link {{n}}`x:d`](other.md), and **bold {{n}}`x:d`**.

| a table |
| --- |
| {{n}}`x:d` |
"""


def read_page(folder, text):
    source = folder / "manuscript" / "part" / "page.md"
    source.parent.mkdir(parents=True)
    source.write_text(text)
    return manuscript.read_page(folder, source)


@pytest.fixture
def read(tmp_path):
    return read_page(tmp_path, MANUSCRIPT)


def test_what_is_a_bar_on_the_page_is_hidden_in_jupyter_and_a_card_is_not(read):
    hidden = [sorted(cell.metadata.get("jupyter", {})) for cell in read.code]
    both = ["outputs_hidden", "source_hidden"]
    #         setup             a lesson in an answer  the card would tell it  evidence  a card
    assert hidden == [["source_hidden"], ["outputs_hidden"], both, both, ["source_hidden"]]


def test_a_number_is_a_link_where_one_can_stand(read):
    texts = [(cell.source, line) for cell, line in zip(read.cells, read.lines) if cell.cell_type == "markdown"]
    plain = [reference.plain for text, line in texts for reference in manuscript.read_prose(text, line)[1]]
    #                told   heading  link  bold   table
    assert plain == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("tags", "behind", "faults"),
    [
        ("", ":tags: [evidence]\n# the bound\nassert x", 0),
        ("", "print(x)", 1),
        ("", ":tags: [hide-input]\nplots.show(x)\n```\n\n```{code-cell}\n:tags: [evidence]\n# x\nassert x", 0),
        (":tags: [setup]\n", ":tags: [evidence]\n# the bound\nassert x", 1),
    ],
)
def test_a_lesson_may_leave_the_bound_to_the_evidence_behind_it(tmp_path, tags, behind, faults):
    cells = "\n\nWords.\n\n".join(f"```{{code-cell}}\n{code}\n```" for code in (f'{tags}print("≈", x)', behind))
    page = read_page(tmp_path, f"---\nkernelspec: {{name: python3, display_name: Python 3}}\n---\n\n{cells}\n")
    said = list(prose.unasserted_cells(page))
    assert len(said) == faults and all("prints ≈ but asserts nothing" in fault for fault in said)


def test_a_guess_may_be_a_number_and_what_is_told_may_not(tmp_path):
    page = read_page(
        tmp_path, f"{ASKED.replace('- yes', '- about 0.5').replace('- no', '- 20 %')}\n\nIt is 0.4.\n\n{END}\n"
    )
    assert ["0.4" in fault for fault in prose.typed_numbers(page)] == [True]


def test_an_assignment_asks_and_does_not_tell():
    printed = lesson.page()
    printed.cells.append(nbformat.v4.new_markdown_cell("\n\n".join(predict.write([f"{ASKED}\n\nIt is.\n\n{END}"]))))
    handout = assignment.strip("part/page", printed)
    text = "\n".join(cell.source for cell in handout.cells)
    for there in ("Before.", "How *large* is $x$?", "- about `0.5`", "print(y)", "After it.", "Is it?", "- no"):
        assert there in text
    for gone in ("The answer is told here.", "It is large.", "It is.", "predict-end"):
        assert gone not in text
    assert "It is." in printed.cells[-1].source
