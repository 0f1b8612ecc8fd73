"""What is printed cannot be changed by hand, fall behind, or quote what is not there."""

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnutils import claims, evidence, figures
from press import book, manuscript, markup, notebook


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
    "a PNG": (in_figure("image/png", "o=", "A="), "cell 2"),
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
    "a PNG": (in_figure("image/png", "o=", "A="), "the image/png of the figure dot"),
    "the data of a figure": (in_figure("text/html", "csv,1", "csv,2"), "the text/html of the figure dot"),
    "an alt text": (in_figure("text/plain", "a dot", "a line"), "the text/plain of the figure dot"),
    "a figure without record": (lambda nb: output(nb, 1, 2)["data"].pop(figures.MIME), "bn-figure is gone"),
    "an image from elsewhere": (
        lambda nb: output(nb, 2, 0).update(
            output_type="display_data", data={"image/svg+xml": '<svg><image href="//host/a"/></svg>'}, metadata={}
        ),
        'cell 3 (code: print(len(data.load("digits").x_train))): its output leaves the book (href of <image>)',
    ),
    "a cell never run": (
        lambda nb: nb["cells"][2].update(outputs=[], execution_count=None),
        "code cell 2 was never run",
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
    fault, *_ = faults(house)
    assert fault.startswith("chapters/part/one.ipynb is out of date: ") and complaint in fault
    assert fault.endswith("run `make chapters`")


def a_judgement(house, monkeypatch):
    """A verdict as a cell leaves it, on a claim that is entered in the house."""
    conditions = ", ".join(f"{{quantity: {name}, kind: bound, what: w, bound: '> 0', chance: c}}" for name in "ab")
    row = f"- {{id: C01, says: It rises., sources: [x], chapter: part/three, conditions: [{conditions}], "
    row += "overturned: [{was: fails, until: 2026-11-21, because: it fell}]}\n"
    (house.root / "manuscript" / "claims.yml").write_text(row)
    house.append("manuscript/index.md", "\n```{ledger}\n```\n")
    known = claims.load(house.root / "manuscript" / "claims.yml")
    monkeypatch.setattr(claims, "load", lambda *_: known)
    samples = {name: evidence.over([1, 2, 4], chance=-1) for name in "ab"}
    data = json.loads(json.dumps(claims.judge("C01", seeds=range(3), **samples)._repr_mimebundle_()))
    return nbformat.v4.new_output("display_data", data)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda data: data[claims.MIME].update(verdict="fails"),
            "its record is not what its values give (see verdict)",
        ),
        (lambda data: data[claims.MIME]["conditions"][0].update(values=[-2, 2, 4]), "its record is not what its"),
        (lambda data: data.update({"text/plain": "".join(data["text/plain"]).replace("holds", "fails")}), "text/plain"),
        (lambda data: data.update({"text/html": "".join(data["text/html"]).replace("holds", "fails")}), "text/html"),
        (lambda data: data.pop(claims.MIME), "bn-claim is gone"),
    ],
)
def test_a_verdict_is_computed_again_from_its_values(house, monkeypatch, change, complaint):
    stored = a_judgement(house, monkeypatch)
    assert list(notebook.faults_of(stored, claims.load())) == []
    change(stored.data)
    (fault,) = notebook.faults_of(stored, claims.load())
    assert complaint in fault


def test_a_truncated_notebook_is_named_and_mended(house):
    file = house.chapter("part/one")
    whole = file.read_bytes()
    file.write_bytes(whole[:300])
    assert any("part/one.ipynb is out of date: it is not a notebook any more" in fault for fault in faults(house))
    assert house.press("chapters").returncode == 0
    assert file.read_bytes() == whole


def test_a_page_without_code_is_guarded_too(house):
    house.change(house.root / "index.md", "It counts <a", "It counted <a")
    (fault,) = faults(house)
    assert fault.startswith("index.md: line 3 (It counted <a") and fault.endswith(
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


@pytest.mark.parametrize("change", [lambda record: record.update(seconds=1.5), lambda record: record.update(runs=3)])
def test_a_record_that_no_benchmark_wrote_is_noticed(house, change):
    file = house.root / "records" / "speed.json"
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))
    (fault,) = faults(house)
    assert fault.startswith("records/speed.json: its digest does not fit") and "make bench" in fault
    assert house.press("chapters").returncode == 1


# ------------------------------------------------------------------------------------------------ the prose

REFERENCES = "A count of {n}`count:d`, a share of {n}`share:.2f`."


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("A share of {n}`shar:.2f`.", 7, "holds count, first, second, share"),
        ("{n}`count:d` and\n{n}`shar:.2f`.", 8, "holds count, first, second, share"),
        ("A share of {n}`part/none::share:.2f`.", 7, "part/none does not hold"),
        ("A share of {n}`share`.", 7, "has no format"),
        ("A share of {n}`share:d`.", 7, "format code 'd'"),
        ("{v}`C03`", 7, "a claim without a verdict"),
        ("First line.\nA share of ≈ 0.12.", 8, "typed by hand after ≈"),
        ("```{note}\nIt is ≈0.5 here.\n```", 8, "typed by hand after ≈"),
        ("In a formula: $x \\approx 0.17$.", 7, r"typed by hand after ≈ (\approx 0)"),
        (r"In a formula: $x \simeq \, .17$.", 7, "typed by hand after ≈"),
        (r"In a formula: {math}`x \sim 17`.", 7, "typed by hand after ≈"),
        ("```{math}\nx \\approx 17\n```", 8, "typed by hand after ≈"),
        ("| a | b |\n|---|---|\n| c | 0.97 |", 9, "typed by hand (0.97)"),
        ("It gained 12 % in the end.", 7, "typed by hand (12 %)"),
        ("It gained 12\npercent in the end.", 7, "typed by hand (12 percent)"),
        ("It gained **12** per cent.", 7, "typed by hand (12 per cent)"),
        ("Its accuracy is 0.97.", 7, "(0.97)"),
        ("Its accuracy is .97, and", 7, "(.97)"),
        ("Its accuracy is 0,97 now.", 7, "(0,97)"),
        ("A rate of 3e-5 was", 7, "(3e-5)"),
        ("> - in a list, 0.97", 7, "(0.97)"),
        (":::{admonition} At 0.97\nText.\n:::", 7, "(0.97)"),
        ("```{figure} a.png\n:alt: It ends at 0.97\n\nText.\n```", 8, "(0.97)"),
        ("```{figure} a.png\n:width: 50%\n\nAt 0.97.\n```", 10, "(0.97)"),
        ("![It ends at 0.97](a.png)", 7, "(0.97)"),
        ('[page](a.html "at 0.97")', 7, "(0.97)"),
        ("<p>\nAt <b>0.97</b>.\n</p>", 8, "(0.97)"),
        ('<img alt="At 0.97" src="a.png">', 7, "(0.97)"),
        ("{abbr}`BN (0.97 of it)`", 7, "(0.97"),
        ("![a](//host/a.png)", 7, "this leaves the book (//host/a.png)"),
        ('Text <img srcset="a.png 1x, http://host/b.png 2x">.', 7, "srcset of <img>"),
        ("<iframe srcdoc='x'></iframe>", 7, "<iframe>"),
    ],
)
def test_faults_of_the_prose_name_the_line(house, text, line, complaint):
    house.change(house.manuscript("part/one"), REFERENCES, text)
    found = faults(house)
    assert any(fault.startswith(f"manuscript/part/one.md:{line}: ") and complaint in fault for fault in found), found


def test_faults_of_the_prose_stop_the_press(house):
    before = house.bytes()
    house.change(house.manuscript("part/one"), REFERENCES, "It is 0.97.")
    house.change(house.manuscript("part/two"), "The other page", "That other page")
    done = house.press("chapters")
    assert done.returncode == 1 and "typed by hand (0.97)" in done.stderr and house.bytes() == before


def test_a_page_without_code_types_no_numbers_either(house):
    text = house.manuscript("index").read_text()
    house.manuscript("index").write_text(
        '---\nmyst:\n  html_meta:\n    description: "97 %"\n---\n' + text + "\nAt 0.97."
    )
    assert [fault.split(";")[0] for fault in faults(house)] == [
        "manuscript/index.md:1: a number typed by hand (97 %)",
        "manuscript/index.md:10: a number typed by hand (0.97)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "`0.12`",
        "$x = 0.12$",
        r"$x \sim \mathcal N(0, 0.1)$",
        "[page](a-0.12.html)",
        "Python `3.11`",
        "1797 images",
        "1,797 images",
        "version 3.11.7",
        "``{n}`count:d` `` shows how",
        "```python\n{n}`count:d`\nx = 0.12\n```",
        "[link](https://host/0.12)",
        '<p style="opacity: 0.5">Text.</p>',
        "```{code-block} python\nx = 0.12\n```",
        "{n}`count:d` %",
        "```{figure} a-0.12.png\n:width: 50%\n\nText.\n```",
    ],
)
def test_what_is_not_a_result_may_be_typed(house, text):
    house.change(house.manuscript("part/one"), "# One\n", f"# One\n\n{text}\n")
    assert not any("manuscript/part/one.md:" in fault for fault in faults(house))


def test_a_reference_in_code_stays_as_it_is_written(house):
    shown = "``{n}`count:d` `` gives {n}`count:d`\n\n```text\n{n}`count:d`\n```"
    house.change(house.manuscript("part/one"), REFERENCES, shown)
    assert house.press("chapters").returncode == 0
    source = notebook.read(book.read(house.root).pages[1]).cells[0].source
    count = '<a class="bn-number" href="#n-count" title="exact: 3">3</a>'
    assert source.endswith(f"``{{n}}`count:d` `` gives {count}\n\n```text\n{{n}}`count:d`\n```")


@pytest.mark.parametrize(
    "text",
    [
        "![at {n}`share:.2f`](a.png)",
        "$x = {n}`share:.2f`$",
        '[a](b.html "at {n}`share:.2f`")',
        "[at {n}`share:.2f`](b.html)",
        "## At {n}`share:.2f`",
    ],
)
def test_a_number_is_written_without_its_link_where_none_can_stand(house, text):
    house.change(house.manuscript("part/one"), REFERENCES, text)
    read = book.read(house.root)
    (page,) = (page for page in read.pages if page.name == "part/one")
    assert text.replace("{n}`share:.2f`", "≈0.12") in book.typeset(read, book.gather(read), page, []).replace("\\", "")


@pytest.mark.parametrize(
    ("old", "new", "switch"),
    [
        ("```{code-cell}\nprint", "```{code-cell}\n:tags: [nbval-skip]\nprint", "nbval-skip"),
        ("```{code-cell}\nprint", "```{code-cell}\n:tags: [raises-exception]\nprint", "raises-exception"),
        ("```{code-cell}\nprint", "```{code-cell}\n#NBVAL_IGNORE_OUTPUT\nprint", "NBVAL_IGNORE_OUTPUT"),
    ],
)
def test_nbval_cannot_be_switched_off(house, old, new, switch):
    house.change(house.manuscript("part/one"), old, new)
    assert any(f": {switch} keeps nbval from comparing this cell" in fault for fault in faults(house))


def test_almost_needs_an_assert_in_its_cell(house):
    house.change(house.manuscript("part/two"), 'print("ran")', 'print("≈ 1")')
    assert any(
        fault.startswith("manuscript/part/two.md:11: this cell prints ≈ but asserts nothing") for fault in faults(house)
    )


def test_two_numbers_of_one_name_are_refused(house):
    house.change(house.manuscript("part/one"), "exact(count=3)", "exact(count=3)\nexact(count=5)")
    done = house.press("chapters")
    assert done.returncode == 1 and "two cells keep a number named count" in done.stderr
    house.change(house.manuscript("part/one"), "exact(count=5)", "exact(another=5)")
    assert house.press("chapters").returncode == 0


# ------------------------------------------------------------------------------------------------ what cannot be read

UNREADABLE = {
    "a syntax error": ("manuscript/part/one.md", lambda text: text.replace("exact(count=3)", "exact(count=3"), ":15: "),
    "front matter": ("manuscript/part/one.md", lambda text: text.replace("{name: python3,", "{name: [,"), ":2: "),
    "cell options": ("manuscript/part/one.md", lambda text: text.replace("}\nprint", "}\n:tags: [a\nprint"), ":"),
    "front matter of a page without code": ("manuscript/index.md", lambda text: f"---\na: b\nc: {{\n---\n{text}", ":"),
    "claims": ("manuscript/claims.yml", lambda text: "- id: C01\n  says: [\n", ":3: "),
    "a claim": ("manuscript/claims.yml", lambda text: "- id: C01\n", "claims.yml: a claim: expected the keys"),
    "the contents": ("_toc.yml", lambda text: "root: index\nparts: [", ":2: "),
    "a record": ("records/speed.json", lambda text: '{\n"seconds": }', ":2: "),
}


def spoil(house, what):
    name, change, place = UNREADABLE[what]
    (house.root / "_toc.yml").write_text("root: index\n")
    before = (house.root / name).read_text("utf8")
    (house.root / name).write_text(change(before), "utf8")
    assert change(before) != before
    return name, place


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_mistake_of_the_author_is_one_line_with_its_place(house, what):
    name, place = spoil(house, what)
    (fault,) = faults(house)
    assert fault.startswith(name) and place in fault


@pytest.mark.parametrize(("name", "command"), [("manuscript/part/one.md", "chapters"), ("bnutils/data.py", "check")])
def test_a_mistake_of_the_author_is_no_traceback(house, name, command):
    (house.root / name).write_text(f"```{{code-cell}}\nimport (\n```\n{(house.root / name).read_text('utf8')}", "utf8")
    done = house.press(command)
    assert done.returncode == 1 and done.stderr.startswith(f"{name}:") and done.stderr.count("\n") == 1


def test_bytes_that_are_no_text_are_named_with_their_line(house):
    house.manuscript("part/one").write_bytes(b"# One\n\n\xff\xfe\n")
    house.manuscript("part/two").write_bytes(b"\x80")
    (house.root / "manuscript" / "claims.yml").unlink()
    places = ["manuscript/part/one.md:3:", "manuscript/part/two.md:1:", "manuscript/claims.yml:"]
    assert [fault.split(" ")[0] for fault in faults(house)] == places


def test_a_product_that_cannot_be_written_is_one_line(house):
    house.change(house.manuscript("part/two"), "The other page", "That other page")
    (house.root / "index.md").unlink()
    (house.root / "index.md").mkdir()
    done = house.press("chapters")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "index.md could not be written (Is a directory)" in done.stderr
    assert "That other page" in house.chapter("part/two").read_text("utf8")


# ------------------------------------------------------------------------------------------------ the ledger


@pytest.mark.parametrize("written", ["", "```{ledger}\n```\n\n```{ledger}\n```\n", "```{ledger}\nall\n```\n"])
def test_claims_without_a_ledger_are_a_fault(house, written):
    row = "- {id: C01, says: It rises., sources: [one], chapter: part/one, conditions: []}\n"
    (house.root / "manuscript" / "claims.yml").write_text(row)
    house.append("manuscript/index.md", "\n```{ledger}\n```\n")
    assert not any("{ledger}" in fault for fault in faults(house))
    house.manuscript("index").write_text(f"# Start\n\n{written}")
    assert any("expected the lines ```{ledger} and ``` once" in fault for fault in faults(house))


def test_a_claim_judged_twice_is_a_fault(house, monkeypatch):
    judgement = a_judgement(house, monkeypatch)
    read = book.read(house.root)
    for name in ("part/one", "part/two"):
        read.notebooks[name].cells[-1].outputs.append(judgement.copy())
    assert book.gather(read).faults == ["C01 is judged twice, in part/one and part/two; keep one"]
    assert book.plan(read).faults[""] == [], "both are out of date and may come to judge once"


@pytest.mark.parametrize("change", [lambda record: record.update(verdict="fails"), lambda record: record.clear()])
def test_the_ledger_waits_for_a_chapter_whose_record_does_not_fit(house, monkeypatch, change):
    judgement = a_judgement(house, monkeypatch)
    read = book.read(house.root)
    read.notebooks["part/two"].cells[-1].outputs.append(judgement)
    plan = book.plan(read)
    assert [page.name for page, *_ in plan.writes] == ["index"]
    assert 'class="bn-claim bn-holds" id="C01"' in plan.writes[0][1]
    change(judgement.data[claims.MIME])
    plan = book.plan(read)
    assert list(plan.due) == ["part/two"] and plan.writes == [] and not any(plan.faults.values())


# ------------------------------------------------------------------------------------------------ parts


@given(st.floats(-1e6, 1e6), st.sampled_from(["exact", "measured"]))
def test_a_written_number_reads_back(value, kind):
    page = manuscript.Page("a", None, None, None, (), "")
    kept = value if kind == "exact" else {"values": [value], "below": 1e7, "above": None}
    (reference,) = manuscript.read_prose("$${n}`x:.4f`$$")[1]
    _, shown, fault = book.value_of(None, book.Gathered({("a", "x"): (kind, kept)}, {}, set(), []), page, reference)
    assert fault == "" and shown.startswith("≈") == (kind == "measured")
    assert float(shown.lstrip("≈").replace("−", "-")) == pytest.approx(value, abs=5.1e-5)


def test_the_id_of_a_cell_follows_its_kind_and_its_source(house):
    def ids():
        return [cell.id for page in manuscript.read_pages(house.root) for cell in page.cells]

    before = ids()
    assert len(set(before)) == len(before)
    house.change(house.manuscript("part/one"), "print(len(", "print(2, len(")
    assert [old == new for old, new in zip(before, ids())].count(False) == 1
    house.manuscript("part/three").write_text(
        "print(1)\n\n```{code-cell}\nprint(1)\n```\n\n```{code-cell}\nprint(1)\n```\n"
    )
    text, first, second = (cell.id for cell in manuscript.read_pages(house.root)[2].cells)
    assert text[:8] != first[:8] == second[:8] and (first[8:], second[8:]) == ("-1", "-2")


@pytest.mark.parametrize("config", ["", "repository: {url: https://host/book}"])  # which puts a cell before the first
def test_cells_know_the_line_they_begin_on(house, config):
    (house.root / "_config.yml").write_text(config or "{}")
    for page in manuscript.read_pages(house.root):
        written = [(at, cell) for at, cell in zip(page.lines, page.cells) if cell.source in page.text]
        assert len(page.cells) - len(written) == (bool(config) and page.runs)
        lines = page.text.split("\n")
        assert not page.runs or [lines[at - 1] for at, _ in written] == [c.source.split("\n")[0] for _, c in written]


@pytest.mark.parametrize(
    "html",
    [
        '<base href="/">',
        "<meta http-equiv=refresh content=0>",
        "<form></form>",
        '<img src="https://host/a.png">',
        '<a href="javascript:x()">a</a>',
        '<a href="a" ping="b">a</a>',
        '<video poster="//host/a.png"></video>',
        "<p onclick='x()'>",
        "<style>@import 'a.css'</style>",
        "<style>p { background: url(//host/a) }</style>",
        "<p style='background: url(//host/a)'>",
        "<script>fetch('//host')</script>",
        '<svg><image xlink:href="http://host/a.png"/></svg>',
        '<svg><use href="http://host/a.svg#b"/></svg>',
    ],
)
def test_what_leaves_the_book_is_seen(html):
    assert len(markup.read(f"<p>{html}</p>")[1]) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://host/a">a</a>',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><use href="#a"/></svg>',
        '<img src="data:image/png;base64,//8=">',
        '<script type="application/json">{"a": "//"}</script>',
        '<a download="a.csv" href="data:text/csv;charset=utf-8,a//b">data</a>',
    ],
)
def test_what_stays_in_the_book_is_left_alone(html):
    assert markup.read(html)[1] == []


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    product = tmp_path / "page.md"
    notebook.write(product, "old")
    monkeypatch.setattr(notebook.os, "replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        notebook.write(product, "new")
    assert product.read_text() == "old" and list(tmp_path.iterdir()) == [product]
