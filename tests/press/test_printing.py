"""From manuscript to executed notebook: what is written, what is kept, what is run again."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from press import kernel_settings


def markdown(file):
    return "\n".join(
        "".join(cell["source"])
        for cell in json.loads(file.read_text("utf8"))["cells"]
        if cell["cell_type"] == "markdown"
    )


def test_numbers_are_written_into_the_text(printed):
    once = "measured once: ≈0.1235; asserted &lt; 1"
    link = f'<a class="bn-number" href="{{}}#n-share" title="{once}">≈0.12</a>'
    count = '<a class="bn-number" href="{}#n-count" title="exact: 3">3</a>'
    assert f"A count of {count.format('')}, a share of {link.format('')}." in markdown(printed.chapter("part/one"))
    assert f"shares {link.format('one.ipynb')}" in markdown(printed.chapter("part/two"))
    assert f"shares {link.format('chapters/part/one.ipynb')}" in (printed.root / "index.md").read_text("utf8")
    assert f"counts {count.format('one.ipynb')}; a machine took 1.2 seconds." in markdown(printed.chapter("part/two"))
    assert f"It counts {count.format('chapters/part/one.ipynb')} and" in (printed.root / "index.md").read_text("utf8")


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
    assert "That other page counts <a " in markdown(house.chapter("part/two"))
    assert [cell for cell in after["cells"] if cell["cell_type"] == "code"] == [
        cell for cell in before["cells"] if cell["cell_type"] == "code"
    ]


def test_code_edits_run_that_chapter_only(house):
    house.change(house.manuscript("part/one"), "exact(count=3)", "exact(count=4)")
    assert house.press("chapters").returncode == 0
    assert house.runs() == ["two"]
    assert "exact: 4" in markdown(house.chapter("part/two")), "the number on the other page was not written anew"


def test_a_changed_module_runs_the_chapters_that_import_it(house):
    house.append("bnutils/plots.py", "# nobody here imports this\n")
    assert "0 run" in house.press("chapters").stdout
    house.append("bnutils/data.py", "# a comment\n")
    done = house.press("chapters")
    assert "part/one: bnutils/data.py changed" in done.stdout and "1 run" in done.stdout


def test_a_new_exercise_runs_its_own_chapter_only(house):
    for name, module in (("part/one", "convolution"), ("part/two", "the_transform")):
        own = f"```{{code-cell}}\nfrom bnutils.exercises import {module} as check\n"
        house.change(house.manuscript(name), "```{code-cell}\n", own)
    assert "2 run" in house.press("chapters").stdout
    house.append("bnutils/exercises/convolution.py", "# a comment\n")
    done = house.press("chapters")
    assert "part/one: bnutils/exercises/convolution.py changed" in done.stdout and "1 run" in done.stdout
    house.append("bnutils/exercises/backpropagation.py", "# nobody here imports this\n")
    assert "0 run" in house.press("chapters").stdout


def test_a_failing_cell_stops_its_chapter_only(house):
    before = house.chapter("part/one").read_bytes()
    house.change(house.manuscript("part/one"), "print(len(", "print(1 / 0, len(")
    house.change(house.manuscript("part/two"), 'print("ran")', 'print("ran again")')
    done = house.press("chapters")
    assert done.returncode == 1
    for part in (
        "part/one FAILED",
        "manuscript/part/one.md:28, cell 3",
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
        (
            "from IPython.display import SVG; SVG('<svg><image href=\"//host/a\"/></svg>')",
            "leaves the book (href of <image>",
        ),
    ],
)
def test_what_differs_between_runs_is_not_printed(house, code, complaint):
    before = house.chapter("part/two").read_bytes()
    house.change(house.manuscript("part/two"), 'print("ran")', code)
    done = house.press("chapters", "part/two")
    assert done.returncode == 1 and complaint in done.stderr and code in done.stderr
    assert house.chapter("part/two").read_bytes() == before


INTERRUPTIBLE = "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "  # also in a script
INTERRUPTIBLE += "runpy.run_module('press', run_name='__main__', alter_sys=True)"


@pytest.mark.parametrize("times", [1, 3])
def test_an_interruption_keeps_what_is_finished_and_ends_at_once(house, times):
    before = house.bytes()
    one = house.chapter("part/one")
    house.change(house.manuscript("part/one"), "exact(count=3)", "exact(count=4)")
    house.change(house.manuscript("part/two"), 'print("ran")', "import time; time.sleep(600)")
    press = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "chapters"],
        cwd=house.root,
        env=house.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while house.runs() != ["two", "two"] or one.read_bytes() == before[one.relative_to(house.root)]:
        assert press.poll() is None, press.stderr.read().decode()
        time.sleep(0.05)
    kernels = psutil.Process(press.pid).children(recursive=True)
    for _ in range(times):
        press.send_signal(signal.SIGINT)
        time.sleep(0.01)
    _, said = press.communicate(timeout=30)
    assert press.returncode != 0 and b"Traceback" not in said
    _, alive = psutil.wait_procs(kernels, timeout=20)
    assert kernels and not alive
    assert "count = 4" in one.read_text("utf8") and 'title="exact: 4">4</a>, a share' in markdown(one)
    assert house.bytes() == before | {one.relative_to(house.root): one.read_bytes()}, "something is half written"
    house.change(house.manuscript("part/two"), "import time; time.sleep(600)", 'print("ran")')
    done = house.press("chapters")
    assert "0 run, 0 failed, 2 pages changed" in done.stdout and house.press("check").returncode == 0


def test_no_setting_of_the_user_reaches_a_kernel(house, tmp_path, monkeypatch):
    startup = tmp_path / "profile_default" / "startup" / "own.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("seen = 'IPython'")
    (tmp_path / "python.py").write_text("seen = 'Python'")
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 77")
    kernel = tmp_path / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    for name in ("IPYTHONDIR", "JUPYTER_PATH", "MATPLOTLIBRC", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "python.py"))
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    monkeypatch.setenv("MPLBACKEND", "svg")
    code = "import os, matplotlib; print('seen' in globals(), matplotlib.rcParams['lines.linewidth'], __debug__, "
    code += "os.environ['OMP_NUM_THREADS'], 'inline' in matplotlib.get_backend())"
    house.change(house.manuscript("part/two"), 'print("ran")', code)
    done = house.press("chapters", "part/two")
    assert done.returncode == 0, done.stderr
    assert "False 1.5 True 1 True" in house.chapter("part/two").read_text("utf8")


def test_tests_run_kernels_in_the_settings_of_the_press():
    asked = kernel_settings(os.environ["IPYTHONDIR"]) | {"BNUTILS_DEVICE": os.environ["BNUTILS_DEVICE"]}
    assert asked.items() <= os.environ.items()


def test_a_kernel_that_dies_is_a_report(house):
    house.change(house.manuscript("part/two"), 'print("ran")', "import os; os._exit(1)")
    done = house.press("chapters", "part/two")
    assert done.returncode == 1 and "the kernel died" in done.stderr and "Traceback" not in done.stderr
    assert "manuscript/part/two.md:11, cell 2" in done.stderr
