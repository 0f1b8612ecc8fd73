"""What is printed cannot be changed by hand, fall behind, or quote what is not there."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from press import manuscript, notebook


def faults(house):
    return notebook.faults(house.root, manuscript.read_pages(house.root))


def edit(house, change, name="part/one"):
    """Change the stored notebook as a hand would."""
    file = house.chapter(name)
    stored = json.loads(file.read_text("utf8"))
    change(stored)
    file.write_text(json.dumps(stored, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf8")


def output(stored, cell, index):
    return stored["cells"][cell]["outputs"][index]


TAMPERINGS = {
    "text output": (lambda nb: output(nb, 1, 0)["data"].update({"text/plain": "count = 4"}), "cell 2"),
    "a kept number": (
        lambda nb: output(nb, 1, 1)["data"]["application/vnd.bnutils.numbers+json"]["values"].update(share=0.5),
        "cell 2",
    ),
    "a PNG": (lambda nb: output(nb, 1, 2)["data"].update({"image/png": "iVBORw0KGgoA"}), "cell 2"),
    "output metadata": (lambda nb: output(nb, 1, 2)["metadata"]["image/png"].update(width=2), "cell 2"),
    "printed text": (lambda nb: output(nb, 2, 0).update(text=["1001\n"]), "cell 3"),
    "a number in the Markdown": (
        lambda nb: nb["cells"][0].update(source=["".join(nb["cells"][0]["source"]).replace("≈0.12", "≈0.13")]),
        "cell 1",
    ),
    "a word in the Markdown": (
        lambda nb: nb["cells"][0].update(source=["".join(nb["cells"][0]["source"]).replace("share", "part")]),
        "cell 1",
    ),
    "code": (lambda nb: nb["cells"][2].update(source=["print(1000)"]), "cell 3"),
    "cell metadata": (lambda nb: nb["cells"][2]["metadata"].update(tags=["hide-input"]), "cell 3"),
    "an execution count": (lambda nb: nb["cells"][2].update(execution_count=9), "cell 3"),
    "outputs deleted": (lambda nb: nb["cells"][2].update(outputs=[], execution_count=None), "cell 3"),
    "a cell deleted": (lambda nb: nb["cells"].pop(2), "one.ipynb"),
    "a cell added": (
        lambda nb: nb["cells"].append({"cell_type": "markdown", "id": "new", "metadata": {}, "source": ["hello"]}),
        "cell 4",
    ),
    "notebook metadata": (lambda nb: nb["metadata"].update(title="x"), "metadata"),
    "the digests": (lambda nb: nb["metadata"]["press"]["cells"].clear(), "cell 1"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_any_change_by_hand_is_found_and_named(house, what):
    assert faults(house) == []
    change, place = TAMPERINGS[what]
    edit(house, change)
    found = "\n".join(faults(house))
    assert "chapters/part/one.ipynb" in found and place in found and "make chapters" in found


def test_a_truncated_notebook_is_named_and_mended(house):
    file = house.chapter("part/one")
    whole = file.read_bytes()
    file.write_bytes(whole[:300])
    assert any("part/one.ipynb is not a notebook any more" in fault for fault in faults(house))
    assert house.press("chapters").returncode == 0
    assert file.read_bytes() == whole


def test_a_page_without_code_is_guarded_too(house):
    house.change(house.root / "index.md", "It counts 3 and", "It counts 4 and")
    (fault,) = faults(house)
    assert fault.startswith("index.md: line 3 (It counts 4 and") and fault.endswith(
        "is not what manuscript/index.md says now; run `make chapters`"
    )


def test_a_chapter_without_manuscript_is_a_stray(house):
    house.manuscript("part/two").unlink()
    assert any("chapters/part/two.ipynb has no manuscript" in fault for fault in faults(house))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("exact(count=3)", "exact(count=4)", "code cell 1 changed"),
        ("print(len(", "print(2, len(", "code cell 2 changed"),
    ],
)
def test_a_code_edit_makes_the_chapter_out_of_date(house, old, new, reason):
    house.change(house.manuscript("part/one"), old, new)
    (fault,) = faults(house)
    assert fault.startswith(f"chapters/part/one.ipynb is out of date: {reason}") and fault.endswith(
        "run `make chapters`"
    )


def test_a_new_chapter_was_never_printed(house):
    house.manuscript("part/three").write_text("# Three\n\n```{code-cell}\n1\n```\n")
    assert "chapters/part/three.ipynb is out of date: it was never printed; run `make chapters`" in faults(house)


def test_a_prose_edit_must_be_printed(house):
    house.change(house.manuscript("part/one"), "A count of", "The count of")
    (fault,) = faults(house)
    assert "cell 1" in fault and "is not what manuscript/part/one.md says now" in fault


def test_a_changed_module_makes_its_chapters_out_of_date(house):
    house.append("bnutils/data.py", "# a comment\n")
    assert faults(house) == ["chapters/part/one.ipynb is out of date: bnutils/data.py changed; run `make chapters`"]


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("A share of {n}`shar:.2f`.", 7, "holds count, share"),
        ("A share of {n}`part/none::share:.2f`.", 7, "part/none does not hold"),
        ("A share of {n}`share`.", 7, "has no format"),
        ("A share of {n}`share:d`.", 7, "format code 'd'"),
        ("{v}`C03`", 7, "a claim without a verdict"),
        ("First line.\nA share of ≈ 0.12.", 8, "typed by hand after ≈"),
        ("```{note}\nIt is ≈0.5 here.\n```", 8, "typed by hand after ≈"),
        ("In a formula: $x \\approx 0.17$.", 7, r"typed by hand after ≈ (\approx 0)"),
        ("| a | b |\n|---|---|\n| c | 0.97 |", 9, "typed by hand (0.97)"),
        ("It gained 12 % in the end.", 7, "typed by hand (12 %)"),
    ],
)
def test_faults_of_the_prose_name_the_line(house, text, line, complaint):
    house.change(house.manuscript("part/one"), "A count of {n}`count:d`, a share of {n}`share:.2f`.", text)
    found = faults(house)
    assert any(fault.startswith(f"manuscript/part/one.md:{line}: ") and complaint in fault for fault in found), found
    assert house.press("chapters").returncode == 1


@pytest.mark.parametrize(
    "text",
    ["`0.12`", "$x = 0.12$", "[page](a-0.12.html)", "Python `3.11`", "1797 images", "``{n}`count:d` `` shows how"],
)
def test_what_is_not_a_result_may_be_typed(house, text):
    house.change(house.manuscript("part/one"), "# One\n", f"# One\n\n{text}\n")
    assert not any("typed by hand" in fault or "refers to" in fault for fault in faults(house))


def test_almost_needs_an_assert_in_its_cell(house):
    house.change(house.manuscript("part/one"), "assert share < 1\n", "# assert share < 1\n")
    assert any(
        fault.startswith("manuscript/part/one.md:10: this cell prints ≈ but asserts nothing") for fault in faults(house)
    )


def test_two_numbers_of_one_name_are_refused(house):
    house.change(house.manuscript("part/one"), "exact(count=3)", "exact(count=3)\nexact(count=5)")
    done = house.press("chapters")
    assert done.returncode == 1 and "two cells keep a number named count" in done.stderr


@given(st.floats(-1e6, 1e6), st.sampled_from(["exact", "measured"]))
def test_a_written_number_reads_back(value, kind):
    page = manuscript.Page("a", None, None, None, (), "{n}`x:.4f`")
    text = re.sub("<.*?>", "", manuscript.write_references(page, page.text, {("a", "x"): (kind, value)}, {}))
    assert text.startswith("≈") == (kind == "measured")
    assert float(text.lstrip("≈").replace("−", "-")) == pytest.approx(value, abs=5.1e-5)


def test_a_failed_write_keeps_the_old_file(tmp_path):
    product = tmp_path / "page.md"
    notebook.write(product, "old")
    with pytest.raises(UnicodeEncodeError):
        notebook.write(product, "half \ud800")
    assert product.read_text() == "old" and list(tmp_path.iterdir()) == [product]
