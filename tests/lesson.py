"""A page with one cell of each kind, built by Sphinx with press.cells alone: what the tests of cells look at."""

import subprocess
import sys
from pathlib import Path

import nbformat

from press import cells, notebook, predict

ROOT = Path(__file__).resolve().parents[1]
CARD = '<div class="bn-claim bn-holds"><p>C03 holds</p></div>'
FIGURE = '<figure class="bn-figure" id="fig-{}"><svg role="img" aria-label="a line"></svg></figure>'
NUMBER = '<a class="bn-number" href="{}#n-{}" title="{}">{}</a>'
SEEDS = "measured in 3 seeds: median ≈0.2, lowest ≈0.1, highest ≈0.3; every seed &lt; 0.5"
ASKED = """Before.

```{predict-start} How *large* is $x$?
:label: predict-size
- small
- about `0.5`
- large
```

The answer is told here.
"""
SETTLED = """It is large.

```{predict-end}
```

After it.
"""


def numbers(kind, values, lines):
    """What `exact` or `measured` leaves, without running it."""
    said = "\n".join(f'<span id="n-{name}">{line}</span>' for name, line in zip(values, lines, strict=True))
    html = f'<details class="bn-kept"><summary>numbers</summary><pre class="bn-numbers">{said}</pre></details>'
    return display(html, **{cells.NUMBERS: {"kind": kind, "values": values}})


def display(html, **more):
    return nbformat.v4.new_output("display_data", data={"text/html": html, "text/plain": "shown"} | more)


def stream(text):
    return nbformat.v4.new_output("stream", text=text)


def cell(source, *outputs, tags=()):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=1, metadata={"tags": list(tags)})


def page():
    """The notebook: its Markdown as the press prints it."""
    text = nbformat.v4.new_markdown_cell
    size, count = NUMBER.format("", "size", SEEDS, "≈0.2"), NUMBER.format("", "count", "exact: 3", "3")
    symbol = "<span class='bn-symbol' title='the batch size'>N</span>"
    found = [
        text(f"# Lesson\n\nA size of {size}, a count of {count}, and a symbol, {symbol}."),
        cell("# import what is needed\nimport math\n\nx = 1", tags=["setup"]),
        text(ASKED),
        cell("y = x + 1\nprint(y)", stream("2\n")),
        cell(
            "# the bound, and the size\nassert y\nassert x\nexact(count=3)\nmeasured(size=over(sizes, below=.5))",
            numbers("exact", {"count": 3}, ["count = 3"]),
            numbers("measured", {"size": {}, "other": {}}, ["size ≈ 0.2", "other ≈ 1"]),
            tags=["evidence"],
        ),
        text(SETTLED),
        cell("# the claim\njudge('C03')", display(CARD), numbers("exact", {"z": 1}, ["z = 1"]), tags=["evidence"]),
        text("Between."),
        cell("plots.show(fig, 'line')", display(FIGURE.format("line")), tags=["hide-input"]),
        text("[Another page](other.ipynb) has " + NUMBER.format("other.ipynb", "count", "exact: 3", "3")),
        cell("def fill(): ...", stream("… fill: not filled in yet\n"), tags=["exercise"]),
        text("Filled in."),
        cell("fill()", stream("… fill: not filled in yet\n✓ other: it works\n"), tags=["exercise"]),
        text("The end."),
    ]
    written = predict.write([None if each.cell_type == "code" else each.source for each in found])
    for each, source in zip(found, written, strict=True):
        each.source = each.source if source is None else source
    return nbformat.v4.new_notebook(cells=found, metadata=notebook.LANGUAGE)


def build(folder):
    """Build the page, and one beside it, in the look of the book; returns the folder of the HTML."""
    (folder / "conf.py").write_text(
        "project = 'Planted'\nextensions = ['myst_nb', 'press.cells']\nnb_execution_mode = 'off'\n"
        "myst_enable_extensions = ['dollarmath']\nhtml_theme = 'sphinx_book_theme'\n"
        "html_context = {'default_mode': 'auto'}\n"
        f"html_static_path = [{str(ROOT / 'press' / 'static')!r}]\nsuppress_warnings = ['mystnb.unknown_mime_type']\n"
        "html_css_files = ['colour.css', 'book.css', 'cells.css', 'aids.css', 'print.css']\n"
    )
    (folder / "index.md").write_text("# Start\n\n```{toctree}\nlesson\nother\n```\n")
    nbformat.write(page(), folder / "lesson.ipynb")
    other = nbformat.v4.new_markdown_cell("# Other")
    nbformat.write(nbformat.v4.new_notebook(cells=[other], metadata=notebook.LANGUAGE), folder / "other.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(folder), str(folder / "html")],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"
