"""bnutils outside the book: the wheel holds all that chapters need, and a notebook that stands alone installs it."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from bnutils import claims
from press import launch, manuscript, wheel

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "chapters" / "algorithm" / "convolution.ipynb"  # the quickest one
JUDGE = """from bnutils import claims
from bnutils.sample import over

law = over([0.01, 0.02], mutant=1)
print(len(claims.load()), claims.judge("P13", seeds=[0, 1], mean_law=law, std_law=law).verdict)
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The wheel, built without the network."""
    return wheel.build(ROOT, tmp_path_factory.mktemp("wheel"), "--no-build-isolation", "--no-index")


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """Every package of this environment but bnutils, whichever way that is installed here."""
    folder = tmp_path_factory.mktemp("libraries")
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "bnutils" not in entry.name and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def elsewhere(tmp_path, libraries):
    """An environment without bnutils, and an empty folder: a function that runs Python there."""
    venv.create(tmp_path / "venv", symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": tmp_path / "venv", "platbase": tmp_path / "venv"}))
    python = tmp_path / "venv" / "bin" / "python"
    (tmp_path / "empty").mkdir()

    def run(*arguments, **environment):
        (site / "libraries.pth").write_text(f"{libraries}\n")  # after pip, which would take them for its own
        variables = wheel.alone() | {"HOME": str(tmp_path)} | environment
        return subprocess.run(
            [python, *arguments], cwd=tmp_path / "empty", env=variables, capture_output=True, text=True, timeout=300
        )

    run.python, run.site, run.folder = python, site, tmp_path / "empty"
    return run


WHERE = "import bnutils; print(bnutils.__file__)"


def test_the_wheel_holds_the_claims_of_the_manuscript(built):
    with zipfile.ZipFile(built) as archive:
        assert archive.read("bnutils/claims.yml") == (ROOT / "manuscript" / "claims.yml").read_bytes()
        modules = {name for name in archive.namelist() if name.startswith("bnutils/") and name.endswith(".py")}
    assert modules == {str(file.relative_to(ROOT)) for file in (ROOT / "bnutils").rglob("*.py")}


def test_a_chapter_runs_with_the_wheel_alone(built, elsewhere):
    assert "No module named 'bnutils'" in elsewhere("-c", WHERE).stderr  # nothing of this environment leaks
    wheel.pip(elsewhere.python, "install", "--no-deps", "--no-index", built)
    assert elsewhere("-c", WHERE).stdout.strip() == str(elsewhere.site / "bnutils" / "__init__.py")
    assert elsewhere("-c", JUDGE).stdout == f"{len(claims.load())} holds\n"
    (elsewhere.folder / CHAPTER.name).write_bytes(CHAPTER.read_bytes())
    done = elsewhere("-m", "pytest", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-cell-timeout", "120", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [file.name for file in elsewhere.folder.iterdir()] == [CHAPTER.name]


def test_without_a_repository_a_chapter_is_what_its_author_wrote(tmp_path):
    page = manuscript.read_page(ROOT, ROOT / "manuscript" / "algorithm" / "backpropagation.md")
    cells = list(page.cells)
    assert launch.standing_alone(tmp_path, cells) is cells
    assert launch.repository(ROOT) or not any("find_spec" in cell.source for cell in cells)


ALONE = """---
kernelspec: {name: python3, display_name: Python 3}
---

# Alone

```{code-cell}
from bnutils import claims, data

print(len(data.load("digits").x_train), len(claims.load()) > 40)
```
"""


@pytest.fixture(scope="session")
def alone(tmp_path_factory):
    """A small book with a repository, as `_config.yml` names it, and its one chapter printed by the press."""
    root = tmp_path_factory.mktemp("book")
    repository = root / "repository"
    for name in wheel.SOURCES:
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-R", ROOT / name, repository / name], check=True)
    git = ["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    for command in (["init"], ["add", "."], ["commit", "-m", "The book"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    house = root / "house"
    (house / "manuscript" / "part").mkdir(parents=True)
    (house / "manuscript" / "part" / "alone.md").write_text(ALONE)
    (house / "manuscript" / "claims.yml").write_text("[]\n")
    (house / "records").mkdir()
    (house / "bnutils").symlink_to(ROOT / "bnutils")
    (house / "_config.yml").write_text(f"title: Alone\nrepository:\n  url: file://localhost{repository}\n")
    variables = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    for command in (["chapters"], ["check"]):
        call = [sys.executable, "-m", "press", *command]
        done = subprocess.run(call, cwd=house, env=variables, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    return house / "chapters" / "part" / "alone.ipynb"


def test_where_bnutils_is_installed_the_first_cell_does_nothing(alone):
    first = next(cell for cell in json.loads(alone.read_text())["cells"] if cell["cell_type"] == "code")
    assert "git+file://" in "".join(first["source"]) and first["outputs"] == []
    assert first["metadata"]["tags"] == ["remove-cell"]  # pages do not show it


def test_a_notebook_that_stands_alone_installs_bnutils_and_runs(alone, elsewhere):
    (elsewhere.folder / alone.name).write_bytes(alone.read_bytes())
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # 0 is how pip spells it: off
    assert "No module named 'bnutils'" in elsewhere("-c", WHERE).stderr
    execute = "from nbclient.cli import main; main()"
    done = elsewhere("-c", execute, "--inplace", alone.name, **offline)
    assert done.returncode == 0, done.stdout + done.stderr
    *_, last = json.loads((elsewhere.folder / alone.name).read_text())["cells"]
    assert last["outputs"][0]["text"] == ["1000 True\n"]
    assert elsewhere("-c", WHERE).stdout.strip() == str(elsewhere.site / "bnutils" / "__init__.py")
