"""From manuscript to executed notebook: what is written, what is kept, what is run again."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest


def markdown(file):
    return "\n".join(
        "".join(cell["source"])
        for cell in json.loads(file.read_text("utf8"))["cells"]
        if cell["cell_type"] == "markdown"
    )


def test_numbers_are_written_into_the_text(printed):
    link = '<a class="bn-number" href="{}#n-share" title="prove this number">≈0.12</a>'
    assert f"A count of 3, a share of {link.format('')}." in markdown(printed.chapter("part/one"))
    assert f"shares {link.format('one.ipynb')}" in markdown(printed.chapter("part/two"))
    assert f"shares {link.format('chapters/part/one.ipynb')}" in (printed.root / "index.md").read_text("utf8")
    assert "counts 3; a machine took 1.2 seconds." in markdown(printed.chapter("part/two"))
    assert "It counts 3 and" in (printed.root / "index.md").read_text("utf8")


def test_two_runs_give_the_same_bytes(house):
    before = house.bytes()
    assert house.press("chapters", "--all").returncode == 0
    assert house.runs() == ["two", "two"], "the chapters did not run a second time"
    assert house.bytes() == before


def test_nothing_of_this_machine_or_moment_is_printed(printed):
    for content in printed.bytes().values():
        text = content.decode("utf8")
        assert str(printed.root) not in text
        assert "execution" not in json.loads(text).get("metadata", {})
        assert "iopub" not in text and sys.version.split()[0] not in text


def test_a_fresh_print_passes_the_check(printed):
    done = printed.press("check")
    assert (done.returncode, done.stderr) == (0, "")


def test_prose_edits_run_nothing_and_keep_outputs(house):
    before = json.loads(house.chapter("part/two").read_text("utf8"))
    house.change(house.manuscript("part/two"), "The other page", "That other page")
    assert house.press("chapters").returncode == 0
    after = json.loads(house.chapter("part/two").read_text("utf8"))
    assert house.runs() == ["two"]
    assert "That other page counts 3" in markdown(house.chapter("part/two"))
    assert [cell for cell in after["cells"] if cell["cell_type"] == "code"] == [
        cell for cell in before["cells"] if cell["cell_type"] == "code"
    ]


def test_code_edits_run_that_chapter_only(house):
    house.change(house.manuscript("part/one"), "exact(count=3)", "exact(count=4)")
    assert house.press("chapters").returncode == 0
    assert house.runs() == ["two"]
    assert "counts 4" in markdown(house.chapter("part/two")), "the number on the other page was not written anew"


def test_a_changed_module_runs_the_chapters_that_import_it(house):
    house.append("bnutils/plots.py", "# nobody here imports this\n")
    assert "0 run" in house.press("chapters").stdout
    house.append("bnutils/data.py", "# a comment\n")
    done = house.press("chapters")
    assert "part/one: bnutils/data.py changed" in done.stdout and "1 run" in done.stdout


def test_a_failing_cell_stops_its_chapter_only(house):
    before = house.chapter("part/one").read_bytes()
    house.change(house.manuscript("part/one"), "print(len(", "print(1 / 0, len(")
    house.change(house.manuscript("part/two"), 'print("ran")', 'print("ran again")')
    done = house.press("chapters")
    assert done.returncode == 1
    for part in (
        "part/one FAILED",
        "manuscript/part/one.md, cell 3",
        "print(1 / 0, len(data",
        "ZeroDivisionError: division by zero",
    ):
        assert part in done.stderr
    assert house.chapter("part/one").read_bytes() == before
    assert "ran again" in house.chapter("part/two").read_text("utf8")


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import warnings; warnings.warn('old')", "wrote to stderr"),
        ("import os; print(os.getcwd())", "names this machine"),
        ("print(object())", "object's address"),
    ],
)
def test_what_differs_between_runs_is_not_printed(house, code, complaint):
    before = house.chapter("part/two").read_bytes()
    house.change(house.manuscript("part/two"), 'print("ran")', code)
    done = house.press("chapters", "part/two")
    assert done.returncode == 1 and complaint in done.stderr and code in done.stderr
    assert house.chapter("part/two").read_bytes() == before


def test_an_interruption_leaves_nothing_half_written(house):
    before = house.bytes()
    house.change(house.manuscript("part/one"), "share = 0.12345", "share = 0.2")
    house.change(house.manuscript("part/two"), 'print("ran")', "import time; time.sleep(600)")
    press = subprocess.Popen(
        [sys.executable, "-m", "press", "chapters"],
        cwd=house.root,
        env=house.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while house.runs() != ["two", "two"]:  # the endless cell has begun
        assert press.poll() is None, press.stderr.read().decode()
        time.sleep(0.05)
    kernels = psutil.Process(press.pid).children(recursive=True)
    press.send_signal(signal.SIGINT)
    _, said = press.communicate(timeout=60)
    assert press.returncode != 0
    assert b"Traceback" not in said
    gone, alive = psutil.wait_procs(kernels, timeout=20)
    assert kernels and not alive
    assert house.bytes() == before
