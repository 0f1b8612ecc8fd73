"""What is printed cannot be changed by hand, fall behind, or quote what is not there."""

import json
import re
import shutil

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnutils import claims, evidence, figures
from press import book, manuscript, markup, notebook, prose


def faults(house):
    try:
        return book.plan(book.read(house.root)).lines(house.root)
    except manuscript.Unreadable as error:
        return list(error.lines)


def edit(house, change, name="part/one", *, resealed=False):
    """Change the stored notebook as a hand would; `resealed`, as one that then takes the press's own digests."""
    file = house.chapter(name)
    stored = json.loads(file.read_text("utf8"))
    change(stored)
    text = json.dumps(stored, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if resealed:
        read = nbformat.reads(text, as_version=4)
        read.metadata.press.cells = {cell.id: notebook.digest(cell) for cell in read.cells}
        text = nbformat.writes(read, indent=1) + "\n"
    file.write_text(text, "utf8")


def output(stored, cell, index):
    return stored["cells"][cell]["outputs"][index]


def record(stored, module):
    return next(
        part["data"][module.MIME]
        for cell in stored["cells"]
        for part in cell.get("outputs", [])
        if module.MIME in part.get("data", {})
    )


def in_figure(kind, old, new):
    def change(stored):
        data = output(stored, 1, 2)["data"]
        before = "".join(data[kind])
        data[kind] = before.replace(old, new)
        assert data[kind] != before

    return change


TAMPERINGS = {
    "text output": (lambda nb: output(nb, 1, 0)["data"].update({"text/plain": "count = 4"}), "cell 2"),
    "a kept number": (lambda nb: record(nb, evidence)["values"].update(count=4), "cell 2"),
    "a PNG": (in_figure("image/png", "gg", "gA"), "cell 2"),
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
    "the digests": (lambda nb: nb["metadata"]["press"]["cells"].clear(), "cell 2"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_any_change_by_hand_is_found_and_named(house, what):
    assert faults(house) == []
    change, place = TAMPERINGS[what]
    edit(house, change)
    found = "\n".join(faults(house))
    assert "chapters/part/one.ipynb" in found and place in found and "make chapters" in found


RESEALED = {
    "an exact value": (lambda nb: record(nb, evidence)["values"].update(count=4), "its text/plain is not what"),
    "a shown value": (lambda nb: output(nb, 1, 0)["data"].update({"text/plain": "count = 4"}), "its text/plain is not"),
    "a value beyond its bound": (
        lambda nb: output(nb, 1, 1)["data"][evidence.MIME]["values"]["share"].update(values=[1.5]),
        "share is recorded beyond its bound",
    ),
    "a record deleted": (lambda nb: output(nb, 1, 1)["data"].pop(evidence.MIME), "bn-numbers is gone"),
    "a drawing": (in_figure("text/html", 'r="1"', 'r="2"'), "the text/html of the figure dot"),
    "a PNG": (in_figure("image/png", "gg", "gA"), "the image/png of the figure dot"),
    "the data of a figure": (in_figure("text/html", "csv,1", "csv,2"), "the text/html of the figure dot"),
    "an alt text": (in_figure("text/plain", "a dot", "a line"), "the alt text of the figure dot"),
    "a figure without record": (lambda nb: output(nb, 1, 2)["data"].pop(figures.MIME), "bn-figure is gone"),
    "an image from elsewhere": (
        lambda nb: output(nb, 2, 0).update(
            output_type="display_data", data={"image/svg+xml": '<svg><image href="//host/a"/></svg>'}, metadata={}
        ),
        "cell 3 (code: print(len(data.load(\"digits\").x_train))): its output leaves the book (href of <image>)",
    ),
    "a tag": (lambda nb: nb["cells"][2]["metadata"].update(tags=["nbval-skip"]), "code cell 2 changed"),
    "a switch of nbval": (
        lambda nb: nb["cells"][2].update(source=["# NBVAL_SKIP\n", *nb["cells"][2]["source"]]),
        "code cell 2 changed",
    ),
}


@pytest.mark.parametrize("what", RESEALED)
def test_no_digest_makes_up_for_a_record_that_does_not_fit(house, what):
    change, complaint = RESEALED[what]
    edit(house, change, resealed=True)
    (fault,) = faults(house)
    assert fault.startswith("chapters/part/one.ipynb is out of date: ") and complaint in fault
    assert fault.endswith("run `make chapters`")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: data[claims.MIME].update(verdict="fails"), "its record is not what its values give (see verdict)"),
        (lambda data: data[claims.MIME]["conditions"][0]["values"].reverse(), "its record is not what its values give"),
        (lambda data: data.update({"text/plain": "".join(data["text/plain"]).replace("holds", "fails")}), "text/plain"),
        (lambda data: data.update({"text/html": "".join(data["text/html"]).replace("holds", "fails")}), "text/html"),
        (lambda data: data.pop(claims.MIME), "bn-claim is gone"),
    ],
)
def test_a_verdict_is_computed_again_from_its_values(change, complaint):
    text = (
        "- {id: C01, says: It rises., sources: [one], chapter: part/one, conditions: ["
        "{quantity: a, kind: bound, what: a, bound: '> 0', chance: a coin}, "
        "{quantity: b, kind: bound, what: b, bound: '> 0', chance: a coin}]}"
    )
    known = claims.load(given(text))
    sample = {name: evidence.over([1.0, 2.0, 4.0], chance=[-1.0, -1.0, -1.0]) for name in "ab"}
    judgement = claims._judgement(known["C01"], (0, 1, 2), sample)
    data = json.loads(json.dumps(judgement._repr_mimebundle_()))
    stored = {"output_type": "display_data", "data": data}
    assert list(notebook.faults_of(stored, known)) == []
    change(data)
    (fault,) = notebook.faults_of(stored, known)
    assert complaint in fault
