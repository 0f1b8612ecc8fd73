"""Making the environment: what fails says so in one line, and the same command repairs it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from press import install

ROOT = Path(__file__).resolve().parents[1]


def make(*arguments, folder=ROOT, **environment):
    ours = ("MAKE", "MFLAGS", "PYTHON", "BOOK_", "VENV", "TORCH_INDEX")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=variables | environment, text=True, capture_output=True, timeout=300
    )


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_another_python_is_refused_in_one_line(version):
    line = install.check_python((*version, 1))
    assert (
        "Python 3.11 to 3.13 is needed" in line
        and "{}.{}".format(*version) in line
        and "make PYTHON=" in line
        and "\n" not in line
    )


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_these_pythons_will_do(version):
    assert install.check_python((*version, 0)) is None


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "the disk is full; free 2 GB",
        ),
        ("npm error code ENOSPC\nnpm error syscall write", "the disk is full"),
        (
            "WARNING: Retrying ... NewConnectionError: Failed to establish a new connection: [Errno -3] "
            "Temporary failure in name resolution\nERROR: No matching distribution found",
            "no network",
        ),
        ("npm error code ENOTFOUND\nnpm error network", "no network"),
        ("ETIMEDOUT", "no network"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "PIP_CERT"),
        ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", "make VENV="),
        (
            "Collecting x\nERROR: Cannot install a and b because of a conflict\nhint: read on",
            "ERROR: Cannot install a and b because of a conflict; the whole output is in",
        ),
        ("ModuleNotFoundError: an error of pip", "if the environment is damaged, delete venv and run the same command"),
    ],
)
def test_a_failed_install_says_why_and_what_to_do(output, advice):
    line = install.cause(output, "venv", "all")
    assert advice in line and "\n" not in line


def test_without_a_python_make_says_one_line():
    done = make("book", "PYTHON=")
    assert done.returncode != 0 and "Python 3.11, 3.12 or 3.13 was not found" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_make_alone_lists_the_commands():
    listed = re.findall(r"^  make (\w+) ", make().stdout, re.M)
    commands = "help book test lint audit pdf chapters live serve edit lab assignment wheel bench clean"
    assert listed == commands.split()


def copy_of_the_pins(folder):
    for name in install.PINS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def copy_of_the_book(folder):
    """All that `make book` asks for, empty."""
    copy_of_the_pins(folder)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("chapters", "bnutils"):
        (folder / name).mkdir()
    for name in ("index.md", "references.bib", "_config.yml", "_toc.yml"):
        (folder / name).touch()
    return folder


def run_install(folder, venv="venv", level="pages", **environment):
    command = [sys.executable, "press/install.py", venv, level]
    return subprocess.run(
        command, cwd=folder, env=dict(os.environ) | environment, text=True, capture_output=True, timeout=300
    )


def one_line(done):
    """What a refused `make` says, without make's own word on it."""
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1, done.stderr
    return said[0]


def test_no_network_is_said_in_one_line_and_nothing_counts_as_installed(tmp_path):
    nowhere = "http://127.0.0.1:9/simple"
    done = run_install(
        copy_of_the_pins(tmp_path),
        PIP_INDEX_URL=nowhere,
        PIP_CONFIG_FILE=os.devnull,
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
        PIP_NO_CACHE_DIR="1",
        no_proxy="*",
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == "install: no network: the package index could not be reached; connect, and run the same command again\n"
    )
    assert not (tmp_path / "venv" / ".pages").exists()


def test_a_python_without_ensurepip_says_what_to_install(tmp_path):
    folder = copy_of_the_pins(tmp_path)
    (folder / "press" / "ensurepip.py").write_text(
        "raise ImportError('left out, as Debian does')\n"
    )  # found before the real one
    done = run_install(folder)
    assert (
        done.returncode == 1 and "sudo apt install python3-venv" in done.stderr and len(done.stderr.splitlines()) == 1
    )
    assert not (tmp_path / "venv").exists()


# ---------------------------------------------------------------------------------- nothing of others is deleted


def everything_in(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.parametrize("venv", [".", "p", "p/", "thesis of mine", "press"])
def test_a_folder_that_is_no_environment_stays_as_it_is(tmp_path, venv):
    folder = copy_of_the_book(tmp_path)
    for name in ("p/thesis", "thesis of mine/thesis"):
        (folder / name).mkdir(parents=True)
    (folder / "p" / "thesis" / "page one").write_text("years of work")
    before = everything_in(folder)
    line = one_line(make("book", f"VENV={venv}", folder=folder))
    assert "is not empty and no environment of Python; nothing was changed; give another: make VENV=" in line
    assert everything_in(folder) == before


def test_a_broken_environment_of_others_stays_as_it_is(tmp_path):
    folder = copy_of_the_book(tmp_path)
    (folder / "theirs" / "bin").mkdir(parents=True)
    (folder / "theirs" / "pyvenv.cfg").write_text("home = /gone\n")
    (folder / "theirs" / "bin" / "python").symlink_to("/gone/python")
    before = everything_in(folder)
    line = one_line(make("book", "VENV=theirs", folder=folder))
    assert "theirs does not work, and was not made by this book; delete it, or give another: make VENV=" in line
    assert everything_in(folder) == before


def test_an_environment_that_is_a_file_is_refused(tmp_path):
    (copy_of_the_book(tmp_path) / "notes").write_text("mine")
    assert "notes is a file; give a folder" in one_line(make("book", "VENV=notes", folder=tmp_path))
    assert (tmp_path / "notes").read_text() == "mine"


def test_a_broken_environment_of_ours_is_made_again_and_what_others_put_there_stays(tmp_path):
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("home = /gone\n")
    (venv / install.MARK).touch()
    (venv / "bin" / "python").symlink_to("/gone/python")
    (venv / "notes").write_text("mine")
    python = install.make_venv(str(venv))
    assert install.runs(python) and Path(python).is_relative_to(venv)
    assert (venv / install.MARK).exists() and (venv / "notes").read_text() == "mine"


def test_a_python_that_does_not_start_does_not_run(tmp_path):
    assert install.runs(sys.executable)
    (tmp_path / "python").write_text("no program")
    assert not install.runs(str(tmp_path / "python")) and not install.runs(str(tmp_path / "gone"))


def test_an_environment_that_could_not_be_made_leaves_nothing(tmp_path, monkeypatch):
    def full(self, folder):
        Path(folder, "bin").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("venv.EnvBuilder.create", full)
    with pytest.raises(SystemExit, match="the disk is full"):
        install.make_venv(str(tmp_path / "venv"))
    assert not (tmp_path / "venv").exists()


def test_a_working_environment_of_others_is_taken_as_it_is(tmp_path):
    fake_venv(tmp_path)
    before = everything_in(tmp_path / "venv")
    assert install.make_venv(str(tmp_path / "venv")) == str(tmp_path / "venv" / "bin" / "python")
    assert everything_in(tmp_path / "venv") == before


# ------------------------------------------------------------------------------- what is installed, and still there

STUB = """#!/bin/sh
echo "{program} $*" >> "{folder}/calls"
case "$*" in
*" ci "*) ln -s {modules} node_modules;;
esac
"""


def fake_venv(folder, name="venv"):
    """An environment with two packages, and a Python that notes what it was called for."""
    venv = folder / name
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("")
    python = venv / "bin" / "python"
    python.write_text(STUB.format(program="python", folder=folder, modules=ROOT / "node_modules"))
    python.chmod(0o755)
    for package in ("one", "two"):
        library = venv / "lib" / "python3.11" / "site-packages"
        for file in (f"{package}/__init__.py", f"{package}/deep/file.py", f"{package}-1.0.dist-info/METADATA"):
            (library / file).parent.mkdir(parents=True, exist_ok=True)
            (library / file).write_text("")
        rows = f"{package}/__init__.py,,\n{package}/deep/file.py,,\n{package}/__pycache__/x.pyc,,\n"
        (library / f"{package}-1.0.dist-info" / "RECORD").write_text(rows)
    return library


def calls(folder):
    return (folder / "calls").read_text().splitlines()


def test_a_second_call_installs_nothing_and_a_changed_pin_does(tmp_path):
    folder = copy_of_the_pins(tmp_path)
    fake_venv(folder)
    assert run_install(folder).returncode == 0
    before = calls(folder)
    assert any("-r press/requirements.txt" in call for call in before) and any(" ci " in call for call in before)
    assert run_install(folder).returncode == 0
    assert calls(folder) == before
    (folder / "node_modules").unlink()
    assert run_install(folder).returncode == 0
    assert [call for call in calls(folder)[len(before) :] if " ci " in call]
    before = calls(folder)
    with (folder / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert run_install(folder).returncode == 0
    assert len(calls(folder)) > len(before)


@pytest.mark.parametrize("lost", ["one", "one-1.0.dist-info"])
def test_a_package_that_is_gone_is_noticed_and_installed_anew(tmp_path, lost):
    folder = copy_of_the_pins(tmp_path)
    library = fake_venv(folder)
    assert run_install(folder).returncode == 0
    before = len(calls(folder))
    shutil.rmtree(library / lost)
    assert run_install(folder).returncode == 0
    again = calls(folder)[before:]
    assert any("-m pip install" in call for call in again)
    uninstalled = [call for call in again if "pip uninstall" in call]
    assert uninstalled == (["python -m pip uninstall --yes one"] if lost == "one" else [])


def test_a_file_that_is_gone_is_said_after_a_failed_build_and_its_package_installed_anew(tmp_path):
    folder = copy_of_the_pins(tmp_path)
    library = fake_venv(folder)
    assert run_install(folder).returncode == 0
    assert run_install(folder, level="damage").returncode == 0  # nothing to say
    (library / "two" / "deep" / "file.py").unlink()
    done = run_install(folder, level="damage")
    assert done.returncode == 1
    assert done.stderr == (
        "install: files are missing from two; run the same command again, which installs them anew\n"
    )
    assert run_install(folder).returncode == 0
    assert "python -m pip uninstall --yes two" in calls(folder)


def test_packages_of_another_book_that_are_only_linked_stay_whole(tmp_path, monkeypatch):
    other, house = tmp_path / "other", tmp_path / "house"
    (other / "katex").mkdir(parents=True)
    house.mkdir()
    (house / "node_modules").symlink_to(other)
    monkeypatch.setattr(install, "run", lambda *_, cwd, **__: shutil.rmtree(cwd / "node_modules", ignore_errors=True))
    install.fetch_assets(sys.executable, str(tmp_path), house)
    assert (other / "katex").is_dir() and not (house / "node_modules").exists()


def test_what_node_modules_lacks_is_known(tmp_path):
    pinned = {"": {}, "node_modules/a": {"version": "1"}, "node_modules/b": {"version": "1"}}
    elsewhere = {"node_modules/of-another-machine": {"version": "1", "optional": True}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": pinned | elsewhere}))
    assert install.lacking(tmp_path) == ["node_modules/a", "node_modules/b"]
    for name in ("a", "b"):
        (tmp_path / "node_modules" / name).mkdir(parents=True)
        (tmp_path / "node_modules" / name / "package.json").touch()
    held = tmp_path / "node_modules" / ".package-lock.json"
    held.write_text(json.dumps({"packages": pinned}))
    assert install.lacking(tmp_path) == []
    shutil.rmtree(tmp_path / "node_modules" / "a")
    assert install.lacking(tmp_path) == ["node_modules/a"]
    held.write_text(json.dumps({"packages": pinned | {"node_modules/b": {"version": "0"}}}))
    assert install.lacking(tmp_path) == ["node_modules/a", "node_modules/b"]


@pytest.mark.parametrize("name", ["plain", "with blank", "a$b", "it's"])
def test_the_book_is_made_in_a_folder_of_any_name(tmp_path, name):
    folder = copy_of_the_book(tmp_path / name)
    fake_venv(folder, "an env")
    done = make("book", "VENV=an env", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"The book is at {folder}/_build/html/index.html"


def test_a_folder_with_a_colon_is_refused_in_one_line(tmp_path):
    folder = copy_of_the_book(tmp_path / "a:b")
    line = one_line(make("book", folder=folder))
    assert "a:b" in line and "use another folder" in line


def test_every_dependency_is_pinned_exactly():
    for name in ("press/requirements.txt", "requirements.txt", "press/lab.txt", "constraints.txt"):
        for line in (ROOT / name).read_text().splitlines():
            line = line.split("#")[0].strip()
            assert not line or line.startswith(("-r ", "-c ")) or re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line), (
                f"{name}: {line}"
            )
    assert "torch==2.13.0" in (ROOT / "requirements.txt").read_text().split()
