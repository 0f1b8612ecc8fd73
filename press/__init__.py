"""The press: manuscript -> executed notebook -> page. Chapters never import it.

manuscript.py   what authors write: cells, prose, references
kinds.py        what a cell is, and what it holds
predict.py      questions with the answer behind a choice
prose.py        what an author must not write; markup.py reads the HTML in it
notebook.py     what readers run: stable bytes, digests, what is out of date
book.py         the one walk: read the book, plan what is due, carry it out
rules.py        the form every page keeps, each rule with its cure
new.py          a chapter that keeps it, from template.md
live.py         the page in the browser, anew at every save
edit.py         the manuscript as notebooks in JupyterLab
execute.py      kernels, side by side, with progress
ledger.py       the page of all verdicts
pages.py        the Sphinx extension: what the pages say beyond the notebooks; cells.py folds what is no lesson
shape.py        what a reader's eye meets on a page, and its limits
site/           how the site is built, and of that only what changed
browser.py      Chromium, and a local server as the pages will meet one
pdf.py          the whole book as one PDF
assignment.py   notebooks without solutions; grade.py grades what comes back
bench.py        machine numbers, into records/
install.py      the environment (standard library only)
launch.py       notebooks that are opened without the rest of the book, as in Colab
wheel.py        bnutils in an environment of its own
"""

import os

# Set before NumPy or torch load: one thread and one instruction set, so that two runs on one machine agree to the bit.
CPU = {
    "OMP_NUM_THREADS": "1",
    "MKL_CBWR": "COMPATIBLE",
    "ATEN_CPU_CAPABILITY": "default",
    "BNUTILS_DEVICE": "cpu",
    "PYTHONHASHSEED": "0",
}


def kernel_settings(empty: str) -> dict[str, str]:
    """The environment of every kernel: the settings of the CPU, and none of the user's; `empty` is an empty folder.

    IPython and Jupyter look into that folder; "" is as good as unset to Python, IPython and Matplotlib.
    """
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_DATA_DIR", "JUPYTER_PATH")
    unset = ("MPLBACKEND", "PYTHONOPTIMIZE", "PYTHONSTARTUP", "PYTHONWARNINGS")
    return CPU | {"MATPLOTLIBRC": os.devnull} | dict.fromkeys(folders, empty) | dict.fromkeys(unset, "")
