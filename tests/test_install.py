"""Making the environment: what fails says so in one line, and the same command repairs it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from press import install

ROOT = Path(__file__).resolve().parents[1]


def make(*arguments, **environment):
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return subprocess.run(
        ["make", "-C", ROOT, *arguments], env=variables | environment, text=True, capture_output=True, timeout=300
    )


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_another_python_is_refused_in_one_line(version):
    line = install.check_python((*version, 1))
    assert (
        "Python 3.11 to 3.13 is needed" in line
        and "%d.%d" % version in line
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
            "WARNING: Retrying ... NewConnectionError: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution\nERROR: No matching distribution found",
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
    assert listed == [
        "help",
        "book",
        "test",
        "audit",
        "pdf",
        "chapters",
        "serve",
        "lab",
        "assignment",
        "bench",
        "clean",
    ]


def copy_of_the_pins(folder):
    for name in install.PINS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def run_install(folder, **environment):
    command = [sys.executable, "press/install.py", "venv", "pages"]
    return subprocess.run(
        command, cwd=folder, env=dict(os.environ) | environment, text=True, capture_output=True, timeout=300
    )


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


def fake_venv(folder):
    """An environment whose programs note that they were called."""
    (folder / "venv" / "bin").mkdir(parents=True)
    for program in ("python", "npm"):
        file = folder / "venv" / "bin" / program
        file.write_text(
            f'#!/bin/sh\necho "{program} $*" >> "{folder}/calls"\ncase "$*" in ci*) mkdir -p node_modules;; esac\n'
        )
        file.chmod(0o755)


def test_a_second_call_installs_nothing_and_a_changed_pin_does(tmp_path):
    folder = copy_of_the_pins(tmp_path)
    fake_venv(folder)
    assert run_install(folder).returncode == 0
    calls = (folder / "calls").read_text()
    assert "-r press/requirements.txt" in calls and "npm ci" in calls
    assert run_install(folder).returncode == 0
    assert (folder / "calls").read_text() == calls
    with (folder / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert run_install(folder).returncode == 0
    assert len((folder / "calls").read_text()) > len(calls)


def test_every_dependency_is_pinned_exactly():
    for name in ("press/requirements.txt", "requirements.txt", "press/lab.txt", "constraints.txt"):
        for line in (ROOT / name).read_text().splitlines():
            line = line.split("#")[0].strip()
            assert not line or line.startswith(("-r ", "-c ")) or re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line), (
                f"{name}: {line}"
            )
    assert "torch==2.13.0" in (ROOT / "requirements.txt").read_text().split()
