"""A chapter made by the commands of CONTRIBUTING.md in a copy of the book, and run as readers' notebooks are run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf8")
CHAPTER = "algorithm/my-chapter"
COPIED = ("bnutils", "press", "manuscript", "chapters", "records", "tests/press")


@pytest.fixture
def book(tmp_path):
    for name in COPIED:
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
        )
    for file in ROOT.glob("*.*"):
        if file.is_file():
            shutil.copy(file, tmp_path)
    return tmp_path


def run(book, *command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=book,
        env=os.environ | {"PYTHONPATH": str(book)},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_chapter_is_made_by_the_commands_of_contributing(book):
    before = {file: file.read_bytes() for file in (book / "chapters").rglob("*.ipynb")}
    new, chapters, check = (shlex.split(line) for line in re.findall(r"^ +python (-m press .*)$", TEXT, re.M))
    run(book, *new)
    source = book / "manuscript" / f"{CHAPTER}.md"
    text = source.read_text("utf8").replace("3.0, 6.0]", "3.0, 14.0]")
    source.write_text(text.replace("One question, in a sentence or two", "One batch"), "utf8")
    assert "1 run, 0 failed" in run(book, *chapters)
    run(book, *check)
    printed = nbformat.read(book / f"chapters/{CHAPTER}.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in printed.cells if cell.cell_type == "markdown")
    assert "One batch, that the chapter answers?" in prose
    assert re.search(r"The mean of the batch is <a [^>]*>5\.0</a>", prose)
    assert sum(cell.cell_type == "code" for cell in printed.cells) == 5
    assert before == {file: file.read_bytes() for file in before}, "another chapter was written"
    said = run(book, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", f"chapters/{CHAPTER}.ipynb", "-v")
    assert "5 passed" in said


def test_the_commands_named_are_there():
    make = (ROOT / "Makefile").read_text("utf8")
    for target in set(re.findall(r"`(?:[A-Z_]+=\S+ )*make (\w+)", TEXT)):
        assert re.search(rf"^{target}:", make, re.M), f"make {target}"
    said = subprocess.run([sys.executable, "-m", "press", "--help"], cwd=ROOT, text=True, capture_output=True).stdout
    for command in set(re.findall(r"press (\w+)", TEXT)) & {"new", "live", "edit", "check", "chapters", "shape"}:
        assert re.search(rf"^  {command} ", said, re.M), f"press {command}"


def test_the_files_named_are_there():
    for name in set(re.findall(r"`((?:press|bnutils|tests|manuscript)/[\w./-]+\.\w+)`", TEXT)):
        assert "my" in name or (ROOT / name).exists(), name
